// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/simulator"
)

// fundNodeAccounts gives the nodes' accounts so many hbar, the first node's account
// the most.
func fundNodeAccounts(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	for i, node := range sim.Nodes() {
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.SetBalance(node.AccountID, int64(1000-i)*tinybarPerHbar)
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func nodeLine(family string, id int64, value string) string {
	return fmt.Sprintf(`hedera_node_%s{network="simulated",node_id="%d"} %s`, family, id, value)
}

func TestOwnNodes(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 3})
	fundNodeAccounts(t, sim)
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.98", "fees"))
	third := sim.Nodes()[2].NodeID
	network.OwnNodes = []int64{0, third, 77}
	set := setOn(t, network, "own_nodes", "accounts")
	for scrape := range 2 {
		sim.ResetRequests()
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body,
			nodeLine("own", 0, "1"), nodeLine("own", third, "1"), nodeLine("own", 77, "1"),
			nodeLine("exists", 0, "1"), nodeLine("exists", third, "1"), nodeLine("exists", 77, "0"),
			nodeLine("account_balance_hbar", 0, "1000"), nodeLine("account_balance_hbar", third, "998"),
			successLine("own_nodes", true))
		wantNone(t, body, `node_id="1"`)
		wantNone(t, body, "hedera_node_account_balance_hbar{", `node_id="77"`)
		wantNone(t, body, "hedera_account_", `account_id="0.0.3"`)
		// The first scrape may not know the nodes' accounts yet when it asks for the others.
		if n := sim.Requests()["GET /api/v1/accounts"]; n > 2 || scrape > 0 && n != 1 {
			t.Errorf("scrape %d made %d requests for accounts", scrape, n)
		}
	}
}

func TestNoOwnNodesCostNothing(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "own_nodes", "node_rewards"), testDeadline)
	wantNone(t, body, "hedera_node_")
	if n := len(sim.Requests()); n > 0 {
		t.Errorf("requests: %v", sim.Requests())
	}
}

// TestOwnNodesWithoutTheirAccounts has a mirror that does not know one account,
// and fails for both in the next scrape: what is configured is shown all the same.
func TestOwnNodesWithoutTheirAccounts(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.OwnNodes = []int64{0, 1}
	set := setOn(t, network, "own_nodes")
	if err := sim.Update(func(l *simulator.Ledger) error {
		return errors.Join(l.SetBalance("0.0.3", 5), l.RemoveAccount("0.0.4"))
	}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, nodeLine("account_balance_hbar", 0, "5e-08"), successLine("own_nodes", true))
	wantNone(t, body, "hedera_node_account_balance_hbar{", `node_id="1"`)

	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	body = scrapeText(t, set, testDeadline)
	wantLines(t, body, nodeLine("own", 0, "1"), nodeLine("exists", 1, "1"), successLine("own_nodes", false),
		`hedera_scrape_collector_incomplete{collector="own_nodes",network="simulated"} 2`)
	wantNone(t, body, "hedera_node_account_balance_hbar{")
}

// TestOwnNodesWithoutAnAddressBook: whether they exist is not known then.
func TestOwnNodesWithoutAnAddressBook(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2})
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetMirror(simulator.MirrorSettings{NoAddressBook: true}) }); err != nil {
		t.Fatal(err)
	}
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.OwnNodes = []int64{0, 1}
	body := scrapeText(t, setOn(t, network, "own_nodes"), testDeadline)
	wantLines(t, body, nodeLine("own", 0, "1"), nodeLine("own", 1, "1"), successLine("own_nodes", false),
		`hedera_scrape_collector_incomplete{collector="own_nodes",network="simulated"} 2`)
	wantNone(t, body, "hedera_node_exists{")
}

// TestBookWithoutGoodAccountsCostsNoBalance has a book whose accounts are no ids:
// the mirror would refuse a request with them, and the others in it.
func TestBookWithoutGoodAccountsCostsNoBalance(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.98", "fees"))
	network.AddressBook = NewAddressBook(StaticBook([]consensus.Node{{ID: 0, AccountID: "0.0.274877906944"}, {ID: 1, AccountID: "x"}, {ID: 2}}), time.Hour)
	network.OwnNodes = []int64{0, 1, 2}
	set := setOn(t, network, "own_nodes", "accounts", "node_rewards")
	for range 2 {
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, successLine("accounts", true), successLine("own_nodes", true), successLine("node_rewards", true), nodeLine("exists", 1, "1"))
		wantNone(t, body, "hedera_node_account_balance_hbar{")
		if n := len(linesWith(body, "hedera_account_balance_hbar{")); n != 1 {
			t.Errorf("%d balances", n)
		}
	}
}

// rewardDay is when a staking period began, and onRewardDay a network at noon of
// it.
var rewardDay = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func onRewardDay(nodes int) simulator.Options {
	return simulator.Options{Nodes: nodes, Now: func() time.Time { return rewardDay.Add(12 * time.Hour) }}
}

// payRewards has the network pay accounts, so many tinybar each.
func payRewards(t *testing.T, sim *simulator.Simulator, at time.Time, amounts map[string]int64) {
	t.Helper()
	transfers := map[string]int64{}
	for id, amount := range amounts {
		transfers[id] = amount
		transfers["0.0.801"] -= amount
	}
	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.AddTransaction(simulator.Transaction{Consensus: at, Payer: "0.0.50", Transfers: transfers})
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNodeRewards(t *testing.T) {
	sim := startSimulator(t, onRewardDay(3))
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.OwnNodes = []int64{0, 1, 77}
	set := setOn(t, network, "mirror", "node_rewards")
	scrapeText(t, set, testDeadline) // finds out which day it is

	wantAbsent := func(when string) {
		t.Helper()
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, successLine("node_rewards", true))
		if lines := linesWith(body, "hedera_node_reward_hbar{"); len(lines) > 0 {
			t.Errorf("%s: %q", when, lines)
		}
	}
	wantAbsent("nobody was paid")
	payRewards(t, sim, rewardDay.Add(-time.Second), map[string]int64{"0.0.3": 100})
	payRewards(t, sim, rewardDay.Add(time.Hour), map[string]int64{"0.0.3": 100})
	wantAbsent("that was yesterday, and something else an hour later")

	payRewards(t, sim, rewardDay.Add(time.Second), map[string]int64{"0.0.3": 7_00000000, "0.0.5": 7_00000000})
	sim.ResetRequests()
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, nodeLine("reward_hbar", 0, "7"), nodeLine("reward_hbar", 1, "0"), successLine("node_rewards", true))
	wantNone(t, body, "hedera_node_reward_hbar{", `node_id="2"`)
	wantNone(t, body, "hedera_node_reward_hbar{", `node_id="77"`)
	if n := sim.Requests()["GET /api/v1/transactions"]; n != 1 {
		t.Errorf("%d requests for the rewards of two nodes", n)
	}
}

func TestNodeRewardsOfABrokenMirror(t *testing.T) {
	for name, test := range map[string]struct {
		fault simulator.Fault
		well  bool
	}{
		"status":            {simulator.Fault{Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}, false},
		"garbage":           {simulator.Fault{Kind: simulator.FaultGarbage}, false},
		"odd transfers":     {simulator.Fault{Kind: simulator.FaultSet, Field: "transfers", Value: []byte(`"odd"`)}, false},
		"no transfers":      {simulator.Fault{Kind: simulator.FaultSet, Field: "transfers", Value: []byte(`[]`)}, true},
		"a credit of 0.801": {simulator.Fault{Kind: simulator.FaultSet, Field: "transfers", Value: []byte(`[{"account":"0.0.801","amount":5},{"account":"0.0.3","amount":5}]`)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, onRewardDay(1))
			network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
			network.OwnNodes = []int64{0}
			set := setOn(t, network, "mirror", "node_rewards")
			scrapeText(t, set, testDeadline)
			payRewards(t, sim, rewardDay.Add(time.Second), map[string]int64{"0.0.3": 100})
			test.fault.Path = "/api/v1/transactions"
			if _, err := sim.InjectFault(test.fault); err != nil {
				t.Fatal(err)
			}
			body := scrapeText(t, set, testDeadline)
			wantLines(t, body, successLine("node_rewards", test.well))
			wantNone(t, body, "hedera_node_reward_hbar{")
		})
	}
}

// TestOwnNodesAreOfTheFirstShard: the others do not ask for their accounts either.
func TestOwnNodesAreOfTheFirstShard(t *testing.T) {
	network := Network{OwnNodes: []int64{0}}
	for ordinal, want := range []int{1, 0, 0} {
		if got := len((Shard{Ordinal: ordinal, Total: 3}).of(network).OwnNodes); got != want {
			t.Errorf("shard %d has %d own nodes, want %d", ordinal, got, want)
		}
	}
}
