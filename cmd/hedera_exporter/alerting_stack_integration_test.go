//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// timeFactor is how much faster time passes for the shipped rules and routes:
// their hour is the test's two minutes. A busy machine is to have time for each
// scrape and for each evaluation.
const timeFactor = 30

// leastGroupWait is long enough for all alerts of one evaluation to arrive.
const leastGroupWait = 3 * time.Second

// document is a YAML file, or a mapping in one.
type document = map[string]any

func readAlertsFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../alerts", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func parse(t *testing.T, content string) document {
	t.Helper()
	var d document
	if err := yaml.Unmarshal([]byte(content), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func writeDocument(t *testing.T, name string, d document) string {
	t.Helper()
	content, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, name, string(content))
}

func faster(t *testing.T, duration string) time.Duration {
	t.Helper()
	d, err := model.ParseDuration(duration)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(d) / timeFactor
}

// hasten divides the durations of those keys that there are.
func hasten(t *testing.T, d document, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if value, there := d[key].(string); there {
			d[key] = model.Duration(faster(t, value)).String()
		}
	}
}

var (
	rangeOrOffset = regexp.MustCompile(`\[[^\[\]]+\]|\boffset \w+`)
	rangeDuration = regexp.MustCompile(`\b(\d+[a-z]+)+\b`)
)

// hastenRules is the shipped rule file with shorter windows.
func hastenRules(t *testing.T, name string) string {
	t.Helper()
	rules := parse(t, readAlertsFile(t, name))
	for _, group := range rules["groups"].([]any) {
		hasten(t, group.(document), "interval")
		for _, rule := range group.(document)["rules"].([]any) {
			rule := rule.(document)
			hasten(t, rule, "for", "keep_firing_for")
			rule["expr"] = rangeOrOffset.ReplaceAllStringFunc(rule["expr"].(string), func(window string) string {
				return rangeDuration.ReplaceAllStringFunc(window, func(d string) string {
					return model.Duration(faster(t, d)).String()
				})
			})
		}
	}
	return writeDocument(t, name, rules)
}

func hastenRoute(t *testing.T, route document) {
	t.Helper()
	hasten(t, route, "group_interval")
	if wait, there := route["group_wait"].(string); there {
		route["group_wait"] = max(leastGroupWait, faster(t, wait)).String()
	}
	children, _ := route["routes"].([]any)
	for _, child := range children {
		hastenRoute(t, child.(document))
	}
}

// startAlertmanager runs the shipped configuration with shorter waits, once its
// text is edited and what that says is changed.
func startAlertmanager(t *testing.T, edit func(string) string, change func(document)) string {
	t.Helper()
	config := parse(t, edit(readAlertsFile(t, "alertmanager.yml")))
	hastenRoute(t, config["route"].(document))
	templates, err := filepath.Abs("../../alerts/templates/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	config["templates"] = []string{templates}
	change(config)
	path := writeDocument(t, "alertmanager.yml", config)

	return startReady(t, program(t, "ALERTMANAGER"), "--config.file="+path, "--storage.path="+t.TempDir(), "--cluster.listen-address=")
}

// unedited leaves the text as it is.
func unedited(text string) string { return text }

// notifying makes each receiver a webhook at the path that is its name.
func notifying(base string) func(document) {
	return func(config document) {
		var receivers []any
		for _, receiver := range config["receivers"].([]any) {
			name := receiver.(document)["name"].(string)
			receivers = append(receivers, document{
				"name":            name,
				"webhook_configs": []any{document{"url": base + "/" + name, "send_resolved": true}},
			})
		}
		config["receivers"] = receivers
	}
}

// alert is one of a notification's or of Alertmanager's list.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// is whether the alert has these labels, and perhaps more.
func (a alert) is(labels map[string]string) bool {
	for name, value := range labels {
		if a.Labels[name] != value {
			return false
		}
	}
	return true
}

// delivery is one attempt of a webhook notification.
type delivery struct {
	receiver string
	status   int // of the answer
	at       time.Time

	GroupKey string `json:"groupKey"`
	Alerts   []struct {
		alert
		Status string `json:"status"`
	} `json:"alerts"`
}

// find is the alert with these labels, if it is there in this status.
func (d delivery) find(status string, labels map[string]string) (alert, bool) {
	for _, a := range d.Alerts {
		if a.Status == status && a.is(labels) {
			return a.alert, true
		}
	}
	return alert{}, false
}

// webhook answers Alertmanager and keeps what it was sent.
type webhook struct {
	*httptest.Server
	mu         sync.Mutex
	deliveries []delivery
}

// startWebhook refuses the first attempts for each group of an alert, as many
// as refusals tells.
func startWebhook(t *testing.T, refusals func(alertname string) int) *webhook {
	t.Helper()
	w := &webhook{}
	attempts := map[string]int{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		d := delivery{receiver: strings.Trim(request.URL.Path, "/"), status: http.StatusOK, at: time.Now()}
		if err := json.NewDecoder(request.Body).Decode(&d); err != nil || len(d.Alerts) == 0 {
			t.Errorf("notification without alerts: %v", err)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		attempts[d.GroupKey]++
		if attempts[d.GroupKey] <= refusals(d.Alerts[0].Labels["alertname"]) {
			d.status = http.StatusServiceUnavailable
		}
		w.deliveries = append(w.deliveries, d)
		response.WriteHeader(d.status)
	}))
	t.Cleanup(w.Close)
	return w
}

func none(string) int { return 0 }

func (w *webhook) all() []delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.deliveries)
}

// of are the attempts to deliver such an alert in such a status, in order.
func (w *webhook) of(status string, labels map[string]string) []delivery {
	var found []delivery
	for _, d := range w.all() {
		if _, there := d.find(status, labels); there {
			found = append(found, d)
		}
	}
	return found
}

// await returns the first accepted delivery of such an alert.
func (w *webhook) await(t *testing.T, status string, labels map[string]string) delivery {
	t.Helper()
	var first delivery
	awaitTrue(t, fmt.Sprintf("a notification tells that %v is %s", labels, status), func() bool {
		for _, d := range w.of(status, labels) {
			if d.status == http.StatusOK {
				first = d
				return true
			}
		}
		return false
	})
	return first
}

// activeAlert is an element of Alertmanager's list.
type activeAlert struct {
	alert
	Fingerprint string `json:"fingerprint"`
	Status      struct {
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status"`
}

func activeAlerts(t *testing.T, alertmanager string) []activeAlert {
	t.Helper()
	status, body := get(t, alertmanager+"/api/v2/alerts", nil)
	if status != http.StatusOK {
		t.Fatalf("alerts: %d: %s", status, body)
	}
	var alerts []activeAlert
	if err := json.Unmarshal([]byte(body), &alerts); err != nil {
		t.Fatal(err)
	}
	return alerts
}

// inhibitors are those by which an alert with these labels is inhibited; absent
// tells that there is no such alert.
func inhibitors(t *testing.T, alertmanager string, labels map[string]string) (names []string, absent bool) {
	t.Helper()
	alerts := activeAlerts(t, alertmanager)
	nameOf := map[string]string{}
	for _, a := range alerts {
		nameOf[a.Fingerprint] = a.Labels["alertname"]
	}
	for _, a := range alerts {
		if !a.is(labels) {
			continue
		}
		for _, fingerprint := range a.Status.InhibitedBy {
			names = append(names, nameOf[fingerprint])
		}
		return names, false
	}
	return nil, true
}

func awaitInhibited(t *testing.T, alertmanager, by string, labels map[string]string) {
	t.Helper()
	awaitTrue(t, fmt.Sprintf("%v is inhibited by %s", labels, by), func() bool {
		names, _ := inhibitors(t, alertmanager, labels)
		return slices.Contains(names, by)
	})
}

// postAlerts gives Alertmanager alerts as Prometheus does.
func postAlerts(t *testing.T, alertmanager string, alerts ...alert) {
	t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, alertmanager+"/api/v2/alerts", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("alerts refused: %s", response.Status)
	}
}

// alerting is everything from the simulated network to the webhook.
type alerting struct {
	sim          simulatorProcess
	exporter     *process
	alertmanager string
	webhook      *webhook
}

func startAlerting(t *testing.T, refusals func(alertname string) int) alerting {
	t.Helper()
	a := alerting{webhook: startWebhook(t, refusals)}
	a.alertmanager = startAlertmanager(t, unedited, notifying(a.webhook.URL))
	a.sim = startSimulatorProcess(t, "--static", "--nodes=4", "--accounts=3")
	config, err := os.ReadFile(a.sim.config)
	if err != nil {
		t.Fatal(err)
	}
	hastened := strings.Replace(string(config), "consensus:\n", "consensus:\n      reconnect_interval: 1s\n", 1)
	var exporter string
	a.exporter, exporter = startExporterProcess(t, writeFile(t, "hedera_exporter.yml", hastened))
	prometheus := startPrometheusWithRules(t, exporter, a.alertmanager)
	awaitTrue(t, "Prometheus has scraped and evaluated", func() bool {
		return len(query(t, prometheus, "account:hedera_account_balance_hbar:max and on () node:hedera_node_endpoint_up:max")) > 0
	})
	// Alerts that Prometheus could not send for longer than a group waits are
	// notified at once, whether or not the inhibitor has read them.
	a.webhook.await(t, "firing", named("HederaWatchdog"))
	return a
}

// startPrometheusWithRules loads the rules once there are samples: else
// HederaExporterAbsent fires at the start. What Prometheus drops until it knows
// Alertmanager, five seconds after each load, it sends again.
func startPrometheusWithRules(t *testing.T, exporter, alertmanager string) string {
	t.Helper()
	config := document{
		"global":         document{"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
		"alerting":       document{"alertmanagers": []any{document{"static_configs": targets(alertmanager)}}},
		"scrape_configs": []any{document{"job_name": "hedera", "static_configs": targets(exporter)}},
	}
	path := writeDocument(t, "prometheus.yml", config)
	prometheus := startReady(t, program(t, "PROMETHEUS"), "--config.file="+path, "--storage.tsdb.path="+t.TempDir(), "--web.enable-lifecycle",
		// Alertmanager takes an alert for resolved that is not resent for four times as
		// long: not so short that a busy machine is late.
		"--rules.alert.resend-delay=4s")
	awaitTrue(t, "Prometheus has scraped", func() bool {
		return len(query(t, prometheus, "hedera_exporter_build_info")) > 0
	})

	config["rule_files"] = []string{
		hastenRules(t, "hedera.thresholds.yml"),
		hastenRules(t, "hedera.rules.yml"),
		hastenRules(t, "hedera.alerts.yml"),
		hastenRules(t, "hedera.canary.yml"),
	}
	if err := os.Rename(writeDocument(t, "prometheus.yml", config), path); err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, http.MethodPost, prometheus+"/-/reload", nil); status != http.StatusOK {
		t.Fatalf("rules are not loaded: %d: %s", status, body)
	}
	return prometheus
}

func targets(url string) []any {
	return []any{document{"targets": []string{strings.TrimPrefix(url, "http://")}}}
}
