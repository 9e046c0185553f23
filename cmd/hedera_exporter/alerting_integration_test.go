//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// labels are written in pairs of name and value.
func labels(pairs ...string) map[string]string {
	m := map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		m[pair[0]] = pair[1]
	}
	return m
}

func named(name string, pairs ...string) map[string]string {
	return labels(append([]string{"alertname", name}, pairs...)...)
}

func TestLowBalanceIsNotifiedOnceAndResolved(t *testing.T) {
	const refused = 3
	a := startAlerting(t, func(alertname string) int {
		if alertname == "HederaAccountBalanceLow" {
			return refused
		}
		return 0
	})
	critical := named("HederaAccountBalanceLow", "account_id", "0.0.1001", "severity", "critical")
	warning := named("HederaAccountBalanceLow", "account_id", "0.0.1001", "severity", "warning")

	a.sim.control(t, http.MethodPut, "/accounts/0.0.1001/balance", `{"tinybar":5000000000}`)
	accepted := a.webhook.await(t, "firing", critical)
	awaitInhibited(t, a.alertmanager, "HederaAccountBalanceLow", warning)

	got, _ := accepted.find("firing", critical)
	want := named("HederaAccountBalanceLow", "account_id", "0.0.1001", "name", "account-1001", "network", "simulated",
		"severity", "critical", "subject", "account", "team", "treasury")
	if !maps.Equal(got.Labels, want) {
		t.Errorf("labels %v, want %v", got.Labels, want)
	}
	for _, word := range []string{"account-1001", "0.0.1001", "simulated", "50 hbar", "100 hbar"} {
		if !strings.Contains(got.Annotations["description"], word) {
			t.Errorf("description %q lacks %q", got.Annotations["description"], word)
		}
	}

	a.sim.control(t, http.MethodPut, "/accounts/0.0.1001/balance", `{"tinybar":5000000000000}`)
	a.webhook.await(t, "resolved", critical)
	var statuses []int
	for _, d := range a.webhook.of("firing", critical) {
		statuses = append(statuses, d.status)
		if d.receiver != "pagerduty" {
			t.Errorf("a critical alert went to %s", d.receiver)
		}
	}
	if want := []int{503, 503, 503, 200}; !slices.Equal(statuses, want) {
		t.Errorf("attempts were answered with %v, want %v", statuses, want)
	}
	if sent := a.webhook.of("firing", warning); len(sent) > 0 {
		t.Errorf("the warning was notified with the critical alert: %+v", sent)
	}
}

func TestNodeAlerts(t *testing.T) {
	a := startAlerting(t, none)
	down := named("HederaNodeDown", "network", "simulated", "node_id", "5", "severity", "warning", "team", "nodes")
	endpointDown := named("HederaNodeEndpointDown", "network", "simulated", "node_id", "5")
	mismatch := named("HederaNodeCertificateMismatch", "network", "simulated", "node_id", "1", "severity", "critical", "transport", "tls")

	a.sim.control(t, http.MethodPost, "/nodes/5/stop", "")
	a.sim.control(t, http.MethodPost, "/nodes/1/swap-certificate", "")
	if d := a.webhook.await(t, "firing", down); d.receiver != "discord" {
		t.Errorf("the node's alert went to %s", d.receiver)
	}
	awaitInhibited(t, a.alertmanager, "HederaNodeDown", endpointDown)
	if d := a.webhook.await(t, "firing", mismatch); d.receiver != "pagerduty" {
		t.Errorf("the certificate's alert went to %s", d.receiver)
	}
	if sent := a.webhook.of("firing", named("HederaNodeDown", "node_id", "1")); len(sent) > 0 {
		t.Errorf("a node with another certificate is not down: %+v", sent)
	}

	a.sim.control(t, http.MethodPost, "/nodes/5/start", "")
	a.webhook.await(t, "resolved", down)
	if sent := a.webhook.of("firing", endpointDown); len(sent) > 0 {
		t.Errorf("endpoints were notified with their node: %+v", sent)
	}
}

func TestHungMirrorInhibitsItsDependants(t *testing.T) {
	a := startAlerting(t, none)
	down := named("HederaMirrorDown", "network", "simulated", "severity", "critical")
	low := named("HederaAccountBalanceLow", "network", "simulated", "account_id", "0.0.1002", "severity", "critical")
	failing := named("HederaCollectorFailing", "network", "simulated", "collector", "accounts")

	// First a part of it, so that a balance is there to be low.
	a.sim.control(t, http.MethodPost, "/faults", `{"path":"/api/v1/blocks","kind":"hang"}`)
	a.webhook.await(t, "firing", down)
	a.sim.control(t, http.MethodPut, "/accounts/0.0.1002/balance", `{"tinybar":1}`)
	awaitInhibited(t, a.alertmanager, "HederaMirrorDown", low)

	a.sim.control(t, http.MethodPost, "/faults", `{"path":"/api/v1","kind":"hang"}`)
	awaitInhibited(t, a.alertmanager, "HederaMirrorDown", failing)
	for _, inhibited := range []map[string]string{low, failing} {
		if sent := a.webhook.of("firing", inhibited); len(sent) > 0 {
			t.Errorf("%v was notified although the mirror is down: %+v", inhibited, sent)
		}
	}

	a.sim.control(t, http.MethodDelete, "/faults", "")
	a.webhook.await(t, "resolved", down)
	a.webhook.await(t, "firing", low)
}

func TestAbsentExporterInhibitsTheRest(t *testing.T) {
	a := startAlerting(t, none)
	absent := named("HederaExporterAbsent")
	unmonitored := named("HederaNetworkUnmonitored", "network", "simulated")
	if sent := a.webhook.of("firing", absent); len(sent) > 0 {
		t.Fatalf("notified while the exporter was there: %+v", sent)
	}
	a.exporter.stop(t, os.Interrupt)
	if d := a.webhook.await(t, "firing", absent); d.receiver != "pagerduty" {
		t.Errorf("the alert went to %s", d.receiver)
	}
	awaitInhibited(t, a.alertmanager, "HederaExporterAbsent", unmonitored)
	if sent := a.webhook.of("firing", unmonitored); len(sent) > 0 {
		t.Errorf("the network was notified with the exporter: %+v", sent)
	}
}

// Alertmanager draws each gap from half to one and a half times its mean, and
// the mean grows by half, from half a second: only many groups together show it.
// The last gap is 3.4 times the first, and less where a busy machine adds to both.
func TestGapsBetweenAttemptsGrow(t *testing.T) {
	const groups, refused, growth = 100, 4, 1.5
	w := startWebhook(t, func(string) int { return refused })
	alertmanager := startAlertmanager(t, unedited, notifying(w.URL))
	var alerts []alert
	for i := range groups {
		alerts = append(alerts, alert{Labels: named(fmt.Sprintf("Retry%d", i), "severity", "critical")})
	}
	postAlerts(t, alertmanager, alerts...)
	awaitTrue(t, "all are delivered", func() bool { return len(w.all()) >= groups*(refused+1) })

	attempts := map[string][]delivery{}
	for _, d := range w.all() {
		attempts[d.GroupKey] = append(attempts[d.GroupKey], d)
	}
	var gaps [refused]time.Duration
	for group, tried := range attempts {
		if len(tried) != refused+1 || tried[refused].status != http.StatusOK {
			t.Fatalf("%s: %d attempts, want %d", group, len(tried), refused+1)
		}
		for i := range gaps {
			gaps[i] += tried[i+1].at.Sub(tried[i].at)
		}
	}
	if ratio := float64(gaps[refused-1]) / float64(gaps[0]); ratio < growth {
		t.Errorf("the last gap is %.2f times the first, want at least %v: %v", ratio, growth, gaps)
	}
}

func TestInhibition(t *testing.T) {
	alertmanager := startAlertmanager(t, unedited, notifying("http://127.0.0.1:1"))
	critical, warning, info := []string{"severity", "critical"}, []string{"severity", "warning"}, []string{"severity", "info"}
	with := func(name string, pairs ...[]string) map[string]string { return named(name, slices.Concat(pairs...)...) }
	mirror := []string{"depends_on", "mirror"}
	account, other := []string{"account_id", "0.0.1", "subject", "account"}, []string{"account_id", "0.0.2", "subject", "account"}
	node, otherNode := []string{"node_id", "3", "subject", "node"}, []string{"node_id", "4", "subject", "node"}
	canary := []string{"subject", "canary"}
	endpoint, otherEndpoint := []string{"address", "192.0.2.1:50211"}, []string{"endpoint", "192.0.2.2:50211"}

	type pair struct {
		source, target map[string]string
		inhibited      bool
	}
	var pairs []pair
	for i, c := range []pair{
		{with("HederaNetworkUnmonitored"), with("HederaAccountBalanceLow", critical, account), true},
		{with("HederaNetworkUnmonitored"), with("DiskFull", critical), false},

		{with("HederaMirrorDown"), with("HederaAccountBalanceLow", critical, account), true},
		{with("HederaMirrorDown"), with("HederaTokenPaused", critical, []string{"subject", "token"}), true},
		{with("HederaMirrorDown"), with("HederaCollectorFailing", warning, mirror), true},
		{with("HederaMirrorDown"), with("HederaNodeDown", warning, node), false},
		{with("HederaMirrorDown"), with("HederaConfigReloadFailed", warning, []string{"subject", "exporter"}), false},

		{with("HederaMirrorLagging", critical, mirror), with("HederaTopicSilent", warning, mirror), true},
		{with("HederaMirrorLagging", critical, mirror), with("HederaMirrorLagging", warning, mirror), true},
		{with("HederaMirrorLagging", critical, mirror), with("HederaAccountBalanceLow", critical, account), false},
		{with("HederaMirrorLagging", critical, mirror), with("HederaBlockProductionStalled", critical, mirror), false},
		{with("HederaMirrorLagging", warning, mirror), with("HederaTopicSilent", warning, mirror), false},
		{with("HederaBlockProductionStalled", critical, mirror), with("HederaMirrorLagging", critical, mirror), true},

		// An upgrade is one page.
		{with("HederaNetworkFrozen", critical), with("HederaBlockProductionStalled", critical, mirror), true},
		{with("HederaNetworkFrozen", critical), with("HederaNodeStakeUnreachable", critical), true},
		{with("HederaNetworkFrozen", critical), with("HederaNodeDown", critical, node), true},
		{with("HederaNetworkFrozen", critical), with("HederaAccountBalanceLow", critical, account), false},
		{with("HederaMirrorRateLimited", critical), with("HederaAccountBalanceLow", critical, account), true},
		{with("HederaMirrorRateLimited", warning, mirror), with("HederaAccountBalanceLow", critical, account), false},
		{with("HederaMirrorDown", critical), with("HederaNetworkFrozen", critical, []string{"subject", "network"}), false},

		{with("HederaAny", critical, node), with("HederaAny", warning, node), true},
		{with("HederaAny", critical, node), with("HederaAny", warning, otherNode), false},
		{with("HederaAny", critical, node), with("HederaOther", warning, node), false},
		{with("DiskFull", critical), with("DiskFull", warning), false},
		{with("HederaAccountExpiring", warning, account), with("HederaAccountExpiring", info, account), true},
		{with("HederaAccountExpiring", warning, account), with("HederaAccountExpiring", info, other), false},
		{with("HederaAccountBalanceLow", critical, account), with("HederaAccountBalanceLow", warning, account), true},
		{with("HederaAccountBalanceLow", critical, account), with("HederaAccountBalanceDropped", warning, account), true},
		{with("HederaAccountBalanceLow", critical, account), with("HederaAccountBalanceDropped", warning, other), false},
		{with("HederaAccountBalanceLow", critical, account), with("HederaAccountStakedNodeChanged", warning, account), false},
		{with("HederaAccountBalanceLow", critical, account), with("HederaAccountRunningOut", critical, account), false},
		{with("HederaAccountDeleted", critical, account), with("HederaAccountBalanceLow", critical, account), true},
		{with("HederaAccountDeleted", critical, account), with("HederaAccountBalanceLow", critical, other), false},
		{with("HederaAccountDeleted", critical, account), with("HederaAccountKeyChanged", critical, account), false},

		{with("HederaNodeDown", warning, node), with("HederaNodeEndpointDown", warning, node, endpoint), true},
		{with("HederaNodeDown", warning, node), with("HederaNodeEndpointDown", warning, otherNode, endpoint), false},
		{with("HederaNodeDown", warning, node), with("HederaNodeStakeBelowMinimum", warning, node), false},
		{with("HederaNodeStakeUnreachable", critical), with("HederaNodeDown", warning, node), true},
		{with("HederaNodeStakeUnreachable", critical), with("HederaNodeNotReady", critical, node), true},
		{with("HederaNodeDown", critical, node), with("HederaNodeNotReady", critical, node), true},
		{with("HederaNodeDown", critical, node), with("HederaNodeNotReady", critical, otherNode), false},
		{with("HederaNodeNotReady", critical, node), with("HederaNodeProbeSlow", warning, node, endpoint), true},
		{with("HederaNodeNotReady", critical, node), with("HederaNodeCertificateMismatch", critical, node, endpoint), false},
		{with("HederaNetworkFrozen", critical), with("HederaNodeNotReady", critical, node), true},
		{with("HederaNetworkFrozen", critical), with("HederaNodeDown", critical, node), true},
		{with("HederaNetworkFrozen", critical), with("HederaBlockProductionStalled", critical), true},
		{with("HederaNetworkFrozen", critical), with("HederaNodeChanged", critical, node), false},
		{with("HederaNodeStakeUnreachable", critical), with("HederaNodeCertificateMismatch", critical, node, endpoint), false},

		{with("HederaNetworkFrozen", critical), with("HederaCanaryFailing", critical, canary), true},
		{with("HederaNetworkFrozen", critical), with("HederaCanaryInvisible", critical, canary, mirror), true},
		{with("HederaNetworkFrozen", critical), with("HederaCanaryPaused", warning, canary), false},
		{with("HederaMirrorDown", critical), with("HederaCanaryInvisible", critical, canary, mirror), true},
		{with("HederaMirrorDown", critical), with("HederaCanarySlow", warning, canary, mirror, []string{"stage", "mirror_rest"}), true},
		{with("HederaMirrorDown", critical), with("HederaCanarySlow", warning, canary, []string{"stage", "receipt"}), false},
		{with("HederaMirrorDown", critical), with("HederaCanaryFailing", critical, canary), false},
		{with("HederaMirrorLagging", critical, mirror), with("HederaCanaryInvisible", critical, canary, mirror), true},
		{with("HederaMirrorLagging", critical, mirror), with("HederaCanaryErrorBudgetBurn", critical, canary), false},
		{with("HederaBlockProductionStalled", critical, mirror), with("HederaCanaryInvisible", critical, canary, mirror), true},
		{with("HederaBlockProductionStalled", critical, mirror), with("HederaCanaryFailing", critical, canary), false},
		{with("HederaNodeStakeUnreachable", critical), with("HederaCanaryFailing", critical, canary), true},
		{with("HederaNodeStakeUnreachable", warning), with("HederaCanaryFailing", critical, canary), false},
		{with("HederaNodeDown", warning, node), with("HederaCanaryNodeRefuses", info, canary, []string{"node_id", "3"}), true},
		{with("HederaNodeNotReady", warning, node), with("HederaCanaryNodeRefuses", info, canary, []string{"node_id", "3"}), true},
		{with("HederaNodeNotReady", warning, node), with("HederaCanaryNodeRefuses", info, canary, []string{"node_id", "4"}), false},
		{with("HederaCanaryFailing", critical, canary), with("HederaCanaryErrorBudgetBurn", critical, canary), true},
		{with("HederaCanaryFailing", critical, canary), with("HederaCanaryNodeRefuses", info, canary, []string{"node_id", "3"}), true},
		{with("HederaCanaryFailing", critical, canary), with("HederaCanaryInvisible", critical, canary, mirror), false},
		{with("HederaCanaryErrorBudgetBurn", critical, canary), with("HederaCanaryErrorBudgetBurn", warning, canary), true},
		{with("HederaNodeCertificateMismatch", critical, node, endpoint), with("HederaNodeCertificateExpiring", info, node, endpoint), true},
		{with("HederaNodeCertificateMismatch", critical, node, endpoint), with("HederaNodeCertificateExpiring", info, node, otherEndpoint), false},
	} {
		network := labels("network", fmt.Sprintf("network-%d", i), "cluster", "one")
		maps.Copy(c.source, network)
		maps.Copy(c.target, network)
		abroad := maps.Clone(c.target)
		abroad["network"] += "-too"
		pairs = append(pairs, c, pair{c.source, abroad, false})
	}
	absent := named("HederaExporterAbsent", "severity", "critical", "cluster", "two")
	last := pair{absent, named("HederaNodeDown", "cluster", "two"), true}
	pairs = append(pairs,
		pair{absent, named("DiskFull", "cluster", "two"), false},
		pair{absent, named("HederaNodeDown", "cluster", "three"), false},
		last)

	for _, p := range pairs {
		postAlerts(t, alertmanager, alert{Labels: p.source}, alert{Labels: p.target})
	}
	// Alertmanager's inhibitor reads the alerts in their order, and on its own
	// time: when it knows the last source, it knows all.
	awaitInhibited(t, alertmanager, last.source["alertname"], last.target)
	for _, p := range pairs {
		by, absent := inhibitors(t, alertmanager, p.target)
		if absent {
			t.Fatalf("Alertmanager does not list %v", p.target)
		}
		if got := slices.Contains(by, p.source["alertname"]); got != p.inhibited {
			t.Errorf("%v inhibits %v: %v, want %v", p.source, p.target, got, p.inhibited)
		}
	}
}

// The second account that runs dry is an incident of its own: somebody who has
// acknowledged the first is called again. Warnings come in one message.
func TestSecondAccountPages(t *testing.T) {
	w := startWebhook(t, none)
	alertmanager := startAlertmanager(t, unedited, notifying(w.URL))
	groups := func(severity, key string, values ...string) map[string]bool {
		keys := map[string]bool{}
		var all []map[string]string
		for _, value := range values {
			l := named("HederaAccountBalanceLow", "severity", severity, "team", "treasury", "subject", "account", "network", "mainnet", key, value)
			all = append(all, l)
			postAlerts(t, alertmanager, alert{Labels: l})
		}
		for _, l := range all {
			keys[w.await(t, "firing", l).GroupKey] = true
		}
		return keys
	}
	for _, key := range []string{"account_id", "token_id", "contract_id", "node_id"} {
		if got := groups("critical", key, "0.0.1", "0.0.2"); len(got) != 2 {
			t.Errorf("critical alerts of two values of %s are %d groups, want 2: %v", key, len(got), got)
		}
	}
	if got := groups("warning", "account_id", "0.0.3", "0.0.4"); len(got) != 1 {
		t.Errorf("warnings of two accounts are %d groups, want 1: %v", len(got), got)
	}
}

func TestMaintenanceMutesTheNetworkOnly(t *testing.T) {
	w := startWebhook(t, none)
	alertmanager := startAlertmanager(t, unedited, func(config document) {
		notifying(w.URL)(config)
		for _, interval := range config["time_intervals"].([]any) {
			interval.(document)["time_intervals"] = []any{document{"years": []string{"2000:3000"}}}
		}
	})
	muted := []map[string]string{
		named("HederaNodeDown", "severity", "warning", "team", "nodes", "subject", "node"),
		named("HederaNodeStakeUnreachable", "severity", "critical", "team", "nodes", "subject", "node"),
		named("HederaMirrorRateLimited", "severity", "warning", "team", "platform", "subject", "mirror"),
	}
	// Each on a network of its own: none inhibits another.
	for i, m := range muted {
		m["network"] = fmt.Sprintf("muted-%d", i)
		postAlerts(t, alertmanager, alert{Labels: m})
	}
	// These have the same wait and are sent later.
	others := []map[string]string{
		named("HederaNodeCertificateMismatch", "severity", "critical", "team", "nodes", "subject", "node"),
		named("HederaAccountBalanceLow", "severity", "critical", "team", "treasury", "subject", "account"),
		named("HederaAccountSilent", "severity", "warning", "team", "treasury", "subject", "account"),
		named("HederaConfigReloadFailed", "severity", "warning", "team", "platform", "subject", "exporter"),
	}
	for i, l := range others {
		l["network"] = fmt.Sprintf("notified-%d", i)
		postAlerts(t, alertmanager, alert{Labels: l})
	}
	for _, l := range others {
		w.await(t, "firing", l)
	}
	for _, m := range muted {
		if sent := w.of("firing", m); len(sent) > 0 {
			t.Errorf("%v was notified in spite of maintenance", m)
		}
	}
}

// The receivers as they are shipped, but for the addresses of their services.
func TestReceivers(t *testing.T) {
	type received struct {
		authorization string
		body          document
	}
	var mu sync.Mutex
	requests := map[string]received{}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := received{authorization: r.Header.Get("Authorization")}
		if err := json.NewDecoder(r.Body).Decode(&got.body); err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		requests[r.URL.Path] = got
		if r.URL.Path == "/pagerduty" {
			w.WriteHeader(http.StatusAccepted)
		}
		_, _ = io.WriteString(w, "ok") // Slack's answer
	}))
	t.Cleanup(service.Close)

	secrets := t.TempDir()
	for name, secret := range map[string]string{
		"slack_url": service.URL + "/slack", "discord_url": service.URL + "/discord/slack",
		"pagerduty_key": "the key", "webhook_token": "the token",
	} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addresses := strings.NewReplacer("/etc/alertmanager/secrets", secrets, "https://hooks.example.com/alertmanager", service.URL+"/webhook")
	alertmanager := startAlertmanager(t, addresses.Replace, func(config document) {
		config["global"].(document)["pagerduty_url"] = service.URL + "/pagerduty"
	})

	runbook := "https://example.com/runbook"
	for _, l := range []map[string]string{
		named("Critical", "severity", "critical", "team", "treasury"),
		named("Warning", "severity", "warning", "team", "treasury"),
		named("NodeWarning", "severity", "warning", "team", "nodes"),
		named("ExporterWarning", "severity", "warning", "team", "platform"),
	} {
		l["network"] = "mainnet"
		postAlerts(t, alertmanager, alert{
			Labels:      l,
			Annotations: labels("summary", "It is "+l["alertname"], "description", "It is so.", "runbook_url", runbook),
		})
	}
	awaitTrue(t, "each service has its notification", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(requests) == 4
	})
	mu.Lock()
	defer mu.Unlock()

	for path, title := range map[string]string{
		"/slack":         "🟠 warning · mainnet · It is Warning",
		"/discord/slack": "🟠 warning · mainnet · It is NodeWarning",
	} {
		attachments, _ := requests[path].body["attachments"].([]any)
		if len(attachments) != 1 {
			t.Errorf("%s: %v", path, requests[path].body)
			continue
		}
		message := attachments[0].(document)
		if message["title"] != title || message["title_link"] != runbook || !strings.HasPrefix(fmt.Sprint(message["text"]), "It is so.\nSince ") {
			t.Errorf("%s: %v", path, message)
		}
	}
	event := requests["/pagerduty"].body
	incident, _ := event["payload"].(document)
	if event["routing_key"] != "the key" || incident["severity"] != "critical" || incident["summary"] != "🔴 critical · mainnet · It is Critical" {
		t.Errorf("PagerDuty: %v", event)
	}
	if got := requests["/webhook"]; got.authorization != "Bearer the token" || got.body["status"] != "firing" {
		t.Errorf("webhook: %+v", got)
	}
}
