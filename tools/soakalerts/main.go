// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command soakalerts runs the shipped rules and routes, at their real speed, on
// a real Prometheus and Alertmanager that watch simulated networks, each through
// a proxy that loses scrapes at random. First all is well, then each network but
// one has a fault of its own. It prints what was notified, and exits with 1 where
// a healthy network was notified of, or a fault did not raise its alert, raised
// another page, or was resolved while it lasted.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// fault is something that goes wrong on a network of its own. One alert is to
// tell: a page, or a note, which is a warning or an info without any page.
type fault struct {
	network    string
	page, note string

	calls  []call // of the simulator's control API
	kill   bool   // the exporter
	reload bool   // of a configuration that is none

	config map[string]any // of the network, beside its three accounts
	// needs is the history without which the alert does not know what has changed.
	needs time.Duration
}

// call is one of the simulator's control API. In path and body, words in capitals
// are replaced: see replacer.
type call struct{ method, path, body string }

// onNodes calls for the first n nodes, whose ids the network knows.
func onNodes(method, action, body string, n int) []call {
	var calls []call
	for i := range n {
		calls = append(calls, call{method, fmt.Sprintf("/nodes/%s/%s", nodes[i], action), body})
	}
	return calls
}

// nodes stand for the ids of the nodes of a network in calls.
var nodes = []string{"NODE0", "NODE1", "NODE2", "NODE3"}

func restFault(path, kind string) []call {
	return []call{{"POST", "/faults", fmt.Sprintf(`{"path":%q,%s}`, path, kind)}}
}

// setField has the mirror's answers differ in one field of a row.
func setField(path, entity, field, value string) []call {
	return restFault(path, fmt.Sprintf(`"kind":"set","entity":%q,"field":%q,"value":%s`, entity, field, value))
}

type list = []any

// watched is one entry of a list of the configuration.
func watched(id string, more ...any) list {
	entry := map[string]any{"id": id}
	for i := 0; i < len(more); i += 2 {
		entry[more[i].(string)] = more[i+1]
	}
	return list{entry}
}

const (
	token    = "0.0.456858"
	contract = "0.0.1456986"
	// anHourAgo is for alerts that compare with an hour ago, at an evaluation each
	// 5 minutes.
	anHourAgo = 66 * time.Minute
)

// faults are injected at once. The network well has none.
var faults = []fault{
	{network: "well"},

	{network: "low", page: "HederaAccountBalanceLow", calls: []call{{"PUT", "/accounts/0.0.1001/balance", `{"tinybar":1}`}}},
	{network: "deleted", page: "HederaAccountDeleted", calls: []call{{"DELETE", "/accounts/0.0.1002", ""}}},
	{network: "forgotten", page: "HederaAccountVanished", calls: []call{{"POST", "/accounts/0.0.1003/forget", ""}}},
	{
		network: "key", page: "HederaAccountKeyChanged", needs: anHourAgo,
		calls: setField("/api/v1/accounts", "0.0.1001", "key.key", `"`+strings.Repeat("ab", 32)+`"`),
	},
	{
		network: "allowance", page: "HederaAccountAllowanceGranted", needs: anHourAgo,
		config: map[string]any{"accounts": watched("0.0.800", "allowances", true)},
		calls:  []call{{"PUT", "/allowances", `{"owner":"0.0.800","spender":"0.0.1002","amount":100000000}`}},
	},
	{
		network: "token-frozen", note: "HederaAccountTokenFrozen",
		config: map[string]any{"accounts": watched("0.0.800", "tokens", "all")},
		calls: []call{
			{"PUT", "/tokens/" + token + "/balances/0.0.800", `{"balance":5}`},
			{"PUT", "/tokens/" + token + "/state", `{"account":"0.0.800","frozen":true}`},
		},
	},
	{
		network: "token-paused", page: "HederaTokenPaused",
		config: map[string]any{"tokens": watched(token)},
		calls:  []call{{"PUT", "/tokens/" + token + "/state", `{"paused":true}`}},
	},
	{
		network: "contract-gone", page: "HederaContractDeleted",
		config: map[string]any{"contracts": watched(contract)},
		calls:  setField("/api/v1/contracts", contract, "deleted", "true"),
	},
	{
		network: "schedule", note: "HederaScheduleExpiring",
		config: map[string]any{"schedules": list{map[string]any{"creator": "0.0.1001"}}},
		calls:  []call{{"POST", "/schedules", `{"schedule_id":"0.0.7654321","creator_account_id":"0.0.1001","expiration_time":"SOON"}`}},
	},
	{
		network: "rate", note: "HederaExchangeRateMoved", needs: anHourAgo,
		calls: []call{{"PUT", "/exchange-rate", `{"current":{"cents":900,"hbar":1}}`}},
	},

	{network: "mirror-down", page: "HederaMirrorDown", calls: restFault("/api/v1", `"kind":"status","status":503`)},
	{network: "mirror-hangs", page: "HederaMirrorDown", calls: restFault("/api/v1", `"kind":"hang"`)},
	{network: "limited", page: "HederaMirrorRateLimited", calls: restFault("/api/v1", `"kind":"status","status":429`)},
	{network: "halted", page: "HederaBlockProductionStalled", calls: []call{{"POST", "/blocks/stop", ""}}},
	{
		network: "frozen", page: "HederaNetworkFrozen",
		calls: append(onNodes("PUT", "precheck", `{"code":"PLATFORM_NOT_ACTIVE"}`, 4), call{"POST", "/blocks/stop", ""}),
	},

	{network: "node-down", note: "HederaNodeDown", calls: []call{{"POST", "/nodes/NODE3/stop", ""}}}, // less than a third of the stake
	{network: "stake-lost", page: "HederaNodeStakeUnreachable", calls: append(onNodes("POST", "stop", "", 3), call{"POST", "/blocks/stop", ""})},
	{network: "certificate", page: "HederaNodeCertificateMismatch", calls: onNodes("POST", "swap-certificate", "", 1)},

	{network: "killed", page: "HederaNetworkUnmonitored", kill: true},
	{network: "reload", note: "HederaConfigReloadFailed", reload: true},
}

type options struct {
	bin, prometheus, alertmanager, alerts string
	well, ill                             time.Duration
	interval                              time.Duration
	lost                                  float64
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory of hedera_simulator and hedera_exporter")
	flag.StringVar(&o.prometheus, "prometheus", "bin/prometheus", "the program")
	flag.StringVar(&o.alertmanager, "alertmanager", "prometheus-alertmanager", "the program")
	flag.StringVar(&o.alerts, "alerts", "alerts", "directory of the rules and of alertmanager.yml")
	flag.DurationVar(&o.well, "well", 70*time.Minute, "how long all is well")
	flag.DurationVar(&o.ill, "ill", 15*time.Minute, "how long the faults last")
	flag.DurationVar(&o.interval, "interval", 15*time.Second, "scrape and evaluation interval")
	flag.Float64Var(&o.lost, "lost", 0.05, "ratio of scrapes that are lost")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soakalerts:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	s, err := startStack(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	fmt.Printf("%d networks, a scrape each %s, %.0f %% of them lost; all is well for %s\n", len(faults), o.interval, 100*o.lost, o.well)
	if err := sleep(ctx, o.well); err != nil {
		return err
	}
	began := time.Now()
	for _, f := range faults {
		if f.needs > o.well {
			continue
		}
		if err := s.inject(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.network, err)
		}
	}
	fmt.Printf("faults for %s\n\n", o.ill)
	if err := sleep(ctx, o.ill); err != nil {
		return err
	}
	return report(s.sink.all(), began, o.well)
}

// outcome is what was notified of one network.
type outcome struct {
	page     notification    // the first of the pages
	pages    map[string]bool // the critical alerts that fired
	notes    map[string]notification
	resolved map[string]bool
	all      int
	early    map[string]bool // notified before the faults
}

func outcomeOf(network string, all []notification, began time.Time) outcome {
	o := outcome{pages: map[string]bool{}, notes: map[string]notification{}, resolved: map[string]bool{}, early: map[string]bool{}}
	for _, n := range all {
		if n.network != network {
			continue
		}
		if n.at.Before(began) {
			o.early[n.alert] = true
		}
		o.all++
		switch {
		case n.status == "resolved":
			o.resolved[n.alert] = true
		case n.severity == "critical":
			if len(o.pages) == 0 {
				o.page = n
			}
			o.pages[n.alert] = true
		default:
			if _, again := o.notes[n.alert]; !again {
				o.notes[n.alert] = n
			}
		}
	}
	return o
}

// is whether the alert of the fault was told, stayed, and was the only page. Where
// there is no fault, there is to be no notification at all.
func (o outcome) is(f fault) bool {
	_, noted := o.notes[f.note]
	switch {
	case f.page != "":
		return o.page.alert == f.page && len(o.pages) == 1 && len(o.resolved) == 0
	case f.note != "":
		return noted && len(o.pages) == 0 && len(o.resolved) == 0
	}
	return o.all == 0
}

// told is the notification that the fault is to raise.
func (o outcome) told(f fault) notification {
	if f.note != "" {
		return o.notes[f.note]
	}
	return o.page
}

func report(all []notification, began time.Time, well time.Duration) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "after\treceiver\tstatus\tnetwork\talert\tseverity")
	for _, n := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", n.at.Sub(began).Round(time.Second), n.receiver, n.status, n.network, n.alert, n.severity)
	}
	fmt.Fprintf(w, "\nnetwork\twanted\tafter\tpages\tother alerts\tresolved\tverdict\n")
	failed := map[string]bool{}
	for _, f := range faults {
		o := outcomeOf(f.network, all, began)
		for alert := range o.early {
			failed["notified while all was well: "+f.network+" "+alert] = true
		}
		after, verdict := "", "ok"
		if told := o.told(f); !told.at.IsZero() {
			after = told.at.Sub(began).Round(time.Second).String()
		}
		switch {
		case f.needs > well:
			verdict = fmt.Sprintf("not run: needs %s of history", f.needs)
		case !o.is(f):
			verdict = "NOT ok"
			failed[f.network] = true
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.network, cmp.Or(f.page, f.note, "silence"), after,
			names(o.pages), names(o.notes), names(o.resolved), verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("not as it is to be: %s", strings.Join(slices.Sorted(maps.Keys(failed)), "; "))
	}
	return nil
}

func names[V any](alerts map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(alerts)), " ")
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
