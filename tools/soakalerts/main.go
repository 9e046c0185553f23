// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command soakalerts runs the shipped rules and routes, at their real speed, on
// a real Prometheus and Alertmanager that watch simulated networks, each through
// a proxy that loses scrapes at random. First all is well, then each network but
// one has a fault of its own. It prints what was notified, and exits with 1 where
// a healthy network was notified of, or a fault did not raise its page, raised
// another one, or was resolved while it lasted. Alerts of no network, such as
// those on an exporter, are printed and not judged.
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

// fault is something that goes wrong on a network of its own.
type fault struct {
	network string
	calls   []call // of the simulator's control API
	kill    bool   // the exporter
	page    string // the critical alert that is to come first
}

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

// faults are injected at once. The network well has none.
var faults = []fault{
	{network: "well"},
	{network: "low", calls: []call{{"PUT", "/accounts/0.0.1001/balance", `{"tinybar":1}`}}, page: "HederaAccountBalanceLow"},
	{network: "deleted", calls: []call{{"DELETE", "/accounts/0.0.1002", ""}}, page: "HederaAccountDeleted"},
	{network: "mirror-down", calls: restFault("/api/v1", `"kind":"status","status":503`), page: "HederaMirrorDown"},
	{network: "mirror-hangs", calls: restFault("/api/v1", `"kind":"hang"`), page: "HederaMirrorDown"},
	{network: "limited", calls: restFault("/api/v1", `"kind":"status","status":429`), page: "HederaMirrorRateLimited"},
	{network: "halted", calls: []call{{"POST", "/blocks/stop", ""}}, page: "HederaBlockProductionStalled"},
	{
		network: "frozen", page: "HederaNetworkFrozen",
		calls: append(onNodes("PUT", "precheck", `{"code":"PLATFORM_NOT_ACTIVE"}`, 4), call{"POST", "/blocks/stop", ""}),
	},
	{network: "stake-lost", calls: append(onNodes("POST", "stop", "", 3), call{"POST", "/blocks/stop", ""}), page: "HederaNodeStakeUnreachable"},
	{network: "certificate", calls: onNodes("POST", "swap-certificate", "", 1), page: "HederaNodeCertificateMismatch"},
	{network: "killed", kill: true, page: "HederaNetworkUnmonitored"},
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
	flag.DurationVar(&o.well, "well", 60*time.Minute, "how long all is well")
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
		if err := s.inject(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.network, err)
		}
	}
	fmt.Printf("faults for %s\n\n", o.ill)
	if err := sleep(ctx, o.ill); err != nil {
		return err
	}
	return report(s.sink.all(), began)
}

// outcome is what was notified of one network.
type outcome struct {
	first    notification    // of the pages
	pages    map[string]bool // the critical alerts that fired
	resolved int
	all      int
	early    map[string]bool // notified before the faults
}

func outcomeOf(network string, all []notification, began time.Time) outcome {
	o := outcome{pages: map[string]bool{}, early: map[string]bool{}}
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
			o.resolved++
		case n.severity == "critical":
			if len(o.pages) == 0 {
				o.first = n
			}
			o.pages[n.alert] = true
		}
	}
	return o
}

// is whether the page was the only one, and stayed. Where none is to come, there
// is to be no notification at all.
func (o outcome) is(page string) bool {
	if page == "" {
		return o.all == 0
	}
	return o.first.alert == page && len(o.pages) <= 1 && o.resolved == 0
}

func report(all []notification, began time.Time) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "after\treceiver\tstatus\tnetwork\talert\tseverity")
	for _, n := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", n.at.Sub(began).Round(time.Second), n.receiver, n.status, n.network, n.alert, n.severity)
	}
	fmt.Fprintf(w, "\nnetwork\tfirst page\tafter\tpages\tresolved\tverdict\n")
	failed := map[string]bool{}
	for _, f := range faults {
		o := outcomeOf(f.network, all, began)
		for alert := range o.early {
			failed["notified while all was well: "+f.network+" "+alert] = true
		}
		after, verdict := "", "ok"
		if len(o.pages) > 0 {
			after = o.first.at.Sub(began).Round(time.Second).String()
		}
		if !o.is(f.page) {
			verdict = "NOT ok, want only " + cmp.Or(f.page, "silence")
			failed[f.network] = true
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", f.network, o.first.alert, after, strings.Join(slices.Sorted(maps.Keys(o.pages)), " "), o.resolved, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("not as it is to be: %s", strings.Join(slices.Sorted(maps.Keys(failed)), "; "))
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
