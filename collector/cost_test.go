// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// TestWhatAScrapeCosts holds docs/metrics.md to its table: a scrape with every
// collector on, of 100 accounts whose transactions are counted (one of them with
// all its tokens and allowances), 10 tokens, 5 topics, 5 contracts and a creator
// of schedules on the 29-node network, whose mirror's EVM is watched.
func TestWhatAScrapeCosts(t *testing.T) { memnet.Test(t, testWhatAScrapeCosts) }

func testWhatAScrapeCosts(t *testing.T, memory *memnet.Network) {
	const accounts, tokens, topics, contracts = 100, 10, 5, 5
	sim := startSimulator(t, simulator.Options{Accounts: accounts, Listen: memory.Listen})
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
	for i := range accounts {
		watched := account("0.0."+itoa(1001+i), itoa(i))
		watched.Transactions = true
		network.Accounts = append(network.Accounts, watched)
	}
	network.Accounts[0].AllTokens, network.Accounts[0].Allowances = true, true
	// Labels, maxima and thresholds cost nothing.
	network.LabelNames, network.Accounts[0].Labels = []string{"team"}, config.Labels{"team": "payments"}
	network.Accounts[0].Maximum = config.Thresholds{minimum("critical", 1)}
	network.Tokens = addPlainTokens(t, sim, tokens)
	network.Accounts[0].TokenThresholds = config.TokenThresholds{tokenMinimum(network.Tokens[0].ID.String(), minimum("critical", 1))}
	network.Topics = topicsOf(addPlainTopics(t, sim, topics))
	network.Contracts = contractsOf(addPlainContracts(t, sim, contracts))
	network.ScheduleCreators = creatorsOf(entities(sim.ScheduleCreators()[:1]...))
	network.MirrorWeb3 = true
	set := setOn(t, network)

	want := map[string]int{
		"GET /api/v1/accounts":                        1,
		"GET /api/v1/accounts/{id}/tokens":            1,
		"GET /api/v1/accounts/{id}/allowances/crypto": 1,
		"GET /api/v1/accounts/{id}/allowances/tokens": 1,
		"GET /api/v1/accounts/{id}/allowances/nfts":   1,
		"GET /api/v1/balances":                        1,
		"GET /api/v1/blocks":                          3, // mirror, blocks and transactions
		"GET /api/v1/contracts":                       1,
		"GET /api/v1/network/exchangerate":            1,
		"GET /api/v1/network/fees":                    1,
		"GET /api/v1/network/nodes":                   2,
		"GET /api/v1/network/registered-nodes":        1,
		"GET /api/v1/network/stake":                   1,
		"GET /api/v1/network/supply":                  1,
		"GET /api/v1/schedules":                       1,
		"GET /api/v1/tokens/{id}":                     tokens,
		"GET /api/v1/topics/{id}":                     topics, // without messages
		"GET /api/v1/topics/{id}/messages":            topics,
		"GET /api/v1/transactions":                    2, // one for the last freeze
		"POST /api/v1/contracts/call":                 1,
		"grpc getNodes":                               3, // the book for two collectors at most, and the check of mirror
		"grpc getAccountInfo":                         118,
	}
	for scrape, extra := range []map[string]int{
		// The first one finds out the last transactions of some accounts, and the
		// decimals of tokens with allowances.
		{"GET /api/v1/transactions": maxLookups, "GET /api/v1/tokens/{id}": 2, feesRoute: maxFeeRequests},
		// There is no new block, so blocks looks for a reset.
		{"GET /api/v1/blocks": 1, "GET /api/v1/transactions": maxLookups, feesRoute: maxFeeRequests},
	} {
		sim.ResetRequests()
		scrapeText(t, set, testDeadline)
		got := sim.Requests()
		total := 0
		for kind, requests := range got {
			if !strings.HasPrefix(kind, "grpc ") {
				total += requests
			}
		}
		if total > 60 { // at 40 a second, the limit for public mirrors, a second and a half
			t.Errorf("scrape %d made %d requests to the mirror's REST API, want at most 60", scrape, total)
		}
		expected := maps.Clone(want)
		for kind, requests := range extra {
			expected[kind] += requests
		}
		got["grpc getNodes"] = 3 // 2 where one collector finds what the other has just read
		if !maps.Equal(got, expected) {
			t.Errorf("scrape %d made the requests\n%v, want\n%v", scrape, got, expected)
		}
	}
}

// TestWhatOtherMirrorsCost: one request to each of them, and none to the network's
// own.
func TestWhatOtherMirrorsCost(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		options := simulator.Options{Nodes: 1, Listen: memory.Listen}
		sim, other := startSimulator(t, options), startSimulator(t, options)
		network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
		network.OtherMirrors = []OtherMirror{otherMirror(t, memory.DialContext, "other", other.URL())}
		scrapeCosting(t, sim, setOn(t, network, "mirror"), map[string]int{"GET /api/v1/blocks": 1, "grpc getNodes": 1})
		if got, want := other.Requests(), map[string]int{"GET /api/v1/blocks": 1}; !maps.Equal(got, want) {
			t.Errorf("the other mirror got the requests %v, want %v", got, want)
		}
	})
}

// TestWhatOwnNodesCost: their accounts are asked for with the others, and their
// rewards by one request.
func TestWhatOwnNodesCost(t *testing.T) {
	requests := func(own ...int64) map[string]int {
		sim := startSimulator(t, simulator.Options{})
		fundNodeAccounts(t, sim)
		network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.98", "fees"))
		network.OwnNodes = own
		set := setOn(t, network)
		scrapeText(t, set, testDeadline) // reads the book
		sim.ResetRequests()
		scrapeText(t, set, testDeadline)
		got := sim.Requests()
		delete(got, "grpc getNodes") // one for collectors that ask at the same time
		return got
	}
	want := requests()
	want["GET /api/v1/transactions"]++
	if got := requests(0, 1, 3); !maps.Equal(got, want) {
		t.Errorf("with three own nodes a scrape made the requests\n%v, want\n%v", got, want)
	}
}

func addPlainTokens(t *testing.T, sim *simulator.Simulator, count int) []config.Entity {
	t.Helper()
	for i := range count {
		treasury := "0.0.1001"
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.AddToken(simulator.Token{ID: "0.0." + itoa(700001+i), Type: "FUNGIBLE_COMMON", SupplyType: "INFINITE", PauseStatus: "NOT_APPLICABLE", TreasuryAccountID: &treasury})
		}); err != nil {
			t.Fatal(err)
		}
	}
	return numbered(700001, count)
}

func addPlainTopics(t *testing.T, sim *simulator.Simulator, count int) []config.Entity {
	t.Helper()
	for i := range count {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddTopic(simulator.Topic{ID: "0.0." + itoa(710001+i)}) }); err != nil {
			t.Fatal(err)
		}
	}
	return numbered(710001, count)
}

func addPlainContracts(t *testing.T, sim *simulator.Simulator, count int) []config.Entity {
	t.Helper()
	for i := range count {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddContract(simulator.Contract{ID: "0.0." + itoa(720001+i)}) }); err != nil {
			t.Fatal(err)
		}
	}
	return numbered(720001, count)
}

func numbered(first, count int) []config.Entity {
	ids := make([]string, 0, count)
	for i := range count {
		ids = append(ids, "0.0."+itoa(first+i))
	}
	return entities(ids...)
}
