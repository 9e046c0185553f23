// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// TestChaos replaces 10 % of the mirror's answers by errors, odd values, delays,
// missing and repeated rows. Every scrape shows at least 85 % of the entities,
// and counts those that it does not show.
func TestChaos(t *testing.T) {
	for seed := range int64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testChaos(t, memory, seed) })
		})
	}
}

func testChaos(t *testing.T, memory *memnet.Network, seed int64) {
	const accounts, tokens, topics, contracts, scrapes = 300, 20, 20, 20, 4
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: accounts, Listen: memory.Listen})
	// So that an answer has a small share of the accounts.
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetMirror(simulator.MirrorSettings{MaxRepeated: 10}) }); err != nil {
		t.Fatal(err)
	}
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
	for i := range accounts {
		network.Accounts = append(network.Accounts, account("0.0."+itoa(1001+i), itoa(i)))
	}
	network.Tokens = addPlainTokens(t, sim, tokens)
	network.Topics = topicsOf(addPlainTopics(t, sim, topics))
	network.Contracts = contractsOf(addPlainContracts(t, sim, contracts))
	network.ScheduleCreators = creatorsOf(entities(sim.ScheduleCreators()...))
	set := setOn(t, network, "accounts tokens topics contracts schedules network")
	scrapeText(t, set, testDeadline) // the client learns how many ids the mirror takes
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1", Kind: simulator.FaultChaos, Rate: 0.1, Seed: seed}); err != nil {
		t.Fatal(err)
	}

	// The sample that an entity has as soon as anything is known of it, and the one
	// that is its point.
	collectors := map[string]struct {
		entities     int
		known, shown *prometheus.Desc
	}{
		"accounts":  {accounts, accountExists.desc, accountBalance.desc},
		"tokens":    {tokens, tokenExists.desc, tokenSupply.desc},
		"topics":    {topics, topicExists.desc, topicSequence.desc},
		"contracts": {contracts, contractExists.desc, contractBalance.desc},
		"schedules": {len(network.ScheduleCreators), schedulesPending.desc, schedulesPending.desc},
		"network":   {6, routeAvailable.desc, routeAvailable.desc},
	}
	incomplete := 0
	for range scrapes {
		ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
		scrape := set.Scrape(ctx)
		cancel()
		shown, total := 0, 0
		for _, c := range scrape {
			want := collectors[c.collector]
			count := map[*prometheus.Desc]int{}
			for sample := range c.result.all {
				count[sample.Desc()]++
			}
			// Contracts and tokens are counted also if only some of them is missing.
			if known := count[want.known]; known+missing(c.err) < want.entities || known > want.entities || (c.err == nil) != (missing(c.err) == 0) {
				t.Errorf("%s: %d of %d entities are known, %d missing: %v", c.collector, known, want.entities, missing(c.err), c.err)
			}
			incomplete += missing(c.err)
			shown += count[want.shown]
			total += want.entities
		}
		if shown*100 < total*85 {
			t.Errorf("%d of %d entities are shown", shown, total)
		}
	}
	if incomplete == 0 {
		t.Error("the faults have cost nothing at all")
	}
	sim.ClearFaults()
	for _, c := range set.Scrape(t.Context()) {
		if c.err != nil {
			t.Errorf("%s does not recover: %v", c.collector, c.err)
		}
	}
}
