// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/simulator"
)

// TestExcludedMetrics leaves out every second metric of each collector, then the
// others.
func TestExcludedMetrics(t *testing.T) {
	for odd := range 2 {
		exclude, want := map[string][]string{}, map[string]bool{}
		for i, m := range Metrics() {
			switch {
			case m.Collector == "self":
			case i%2 == odd:
				exclude[m.Collector] = append(exclude[m.Collector], m.Name)
			default:
				want[m.Name] = true
			}
		}
		scrape, _, _ := scrapeEverything(t, func(n *Network) { n.Exclude = NewExclusion(exclude) })
		if failed := scrape.Failed(); len(failed) > 0 {
			t.Errorf("failed: %v", failed)
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(scrape)
		got := map[string]bool{}
		for line := range strings.Lines(gather(t, registry)) {
			if name, found := strings.CutPrefix(line, "# TYPE "); found && !strings.HasPrefix(name, "hedera_scrape_") {
				name, _, _ = strings.Cut(name, " ")
				got[name] = true
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v,\nwant %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
}

func TestProbeExcludes(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.98", "fees", minimum("warning", 1)))
	t.Cleanup(func() { closeNetwork(network) })
	probed := func() string {
		registry := prometheus.NewRegistry()
		registry.MustRegister(network.Probe(t.Context(), []Target{{Text: "0.0.98", ID: mustID("0.0.98")}}))
		return gather(t, registry)
	}
	all := probed()
	for _, m := range []constMetric{accountKeyInfo, accountBalanceMinimum} {
		network.Exclude = Exclusion{m.name: true}
		if got := probed(); !strings.Contains(all, "# TYPE "+m.name) || strings.Contains(got, m.name) || !strings.Contains(got, "probe_success 1") {
			t.Errorf("without %s:\n%s", m.name, got)
		}
	}
}

func TestShortNames(t *testing.T) {
	for _, r := range Registrations() {
		declared := 0
		for _, m := range Metrics() {
			if m.Collector == r.Name {
				declared++
			}
		}
		short, all := shortNames(r.Name), r.Excludable()
		if len(short) != declared || len(all) != 2*declared || declared == 0 {
			t.Errorf("%s has %d metrics, but %d short names and %d in all", r.Name, declared, len(short), len(all))
		}
	}
	for _, tc := range []struct{ collector, short, name string }{
		{"accounts", "created_timestamp", "hedera_account_created_timestamp_seconds"},
		{"accounts", "auto_renew_period", "hedera_account_auto_renew_period_seconds"},
		{"accounts", "balance", "hedera_account_balance_hbar"},
		{"network", "exchange_rate", "hedera_exchange_rate_usd_per_hbar"},
		{"node_rewards", "reward", "hedera_node_reward_hbar"}, // its only one
		{"transactions", "account_fees", "hedera_account_fees_hbar_total"},
		{"transactions", "transaction_consensus_latency", "hedera_transaction_consensus_latency_seconds"},
	} {
		if got := shortNames(tc.collector)[tc.short]; got != tc.name {
			t.Errorf("%s: %s is %q, want %s", tc.collector, tc.short, got, tc.name)
		}
	}
}

// TestAnotherExclusionIsReadAnew: samples that are kept lack what was left out.
func TestAnotherExclusionIsReadAnew(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	t.Cleanup(func() { closeNetwork(network) })
	var last *Set
	for _, step := range []struct {
		exclude Exclusion
		kept    bool
	}{
		{nil, false},
		{Exclusion{}, true},
		{Exclusion{"hedera_network_fee_usd": true}, false},
		{Exclusion{"hedera_network_fee_usd": true}, true},
		{Exclusion{"hedera_network_stake_hbar": true}, false},
	} {
		network.Exclude = step.exclude
		next, err := NewSet([]Network{network}, Options{Enabled: func(name string) bool { return name == "network" }, Previous: last}, log.NewNopLogger())
		if err != nil {
			t.Fatal(err)
		}
		if kept := last != nil && last.collectors[0] == next.collectors[0]; kept != step.kept {
			t.Errorf("%v: kept is %v, want %v", step.exclude, kept, step.kept)
		}
		last = next
	}
}
