// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

const (
	stakePath           = "/api/v1/network/stake"
	supplyPath          = "/api/v1/network/supply"
	ratesPath           = "/api/v1/network/exchangerate"
	feesPath            = "/api/v1/network/fees"
	registeredNodesPath = "/api/v1/network/registered-nodes"
)

func routeLine(route string, available bool) string {
	return fmt.Sprintf(`hedera_mirror_route_available{network="simulated",route="%s"} %v`, route, boolValue(available))
}

func TestNetwork(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Now: func() time.Time {
		return time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)
	}})
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetSupply(1<<53+1, 5_000_000_000_000_000_000) }); err != nil {
		t.Fatal(err)
	}
	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.SetExchangeRate(
			simulator.ExchangeRate{Cents: 596_987, Hbar: 30_000, Expiration: time.Unix(1793538000, 0)},
			simulator.ExchangeRate{Cents: 15, Hbar: 1, Expiration: time.Unix(1793541600, 0)},
		)
	}); err != nil {
		t.Fatal(err)
	}
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network")
	body := scrapeCosting(t, sim, set, map[string]int{
		"GET /api/v1/network/stake":            1,
		"GET /api/v1/network/supply":           1,
		"GET /api/v1/network/exchangerate":     1,
		"GET /api/v1/network/fees":             1,
		"GET /api/v1/network/registered-nodes": 1,
		"GET /api/v1/transactions":             1,
		"POST /api/v1/network/fees":            maxFeeRequests,
	})
	body = regexp.MustCompile(`(?m)^hedera_network_fee_collected_timestamp_seconds.*\n`).ReplaceAllString(body, "")
	wantOnly(
		t, body, "network",
		feeUSDLine("ConsensusSubmitMessage", "0.0008"), feeUSDLine("CryptoCreate", "0.05"),
		fmt.Sprintf(`hedera_network_stake_hbar{network="simulated"} %v`, hbar(sim.Nodes()[0].Stake)),
		`hedera_network_stake_rewarded_maximum_hbar{network="simulated"} 6.5e+09`,
		`hedera_network_staking_reward_rate_hbar{network="simulated"} 44520`,
		`hedera_network_staking_reward_maximum_hbar{network="simulated"} 44520`,
		`hedera_network_staking_reward_per_hbar_maximum_hbar{network="simulated"} 6.849e-05`,
		`hedera_network_staking_start_threshold_hbar{network="simulated"} 2.5e+08`,
		`hedera_network_reward_balance_threshold_hbar{network="simulated"} 8.5e+07`,
		`hedera_network_reserved_staking_rewards_hbar{network="simulated"} 1.200345678901234e+07`,
		`hedera_network_unreserved_staking_reward_balance_hbar{network="simulated"} 2.0059654321098766e+08`,
		`hedera_network_staking_period_end_timestamp_seconds{network="simulated"} 1.7934912e+09`,
		`hedera_network_node_reward_fee_ratio{network="simulated"} 0.1`,
		`hedera_network_staking_reward_fee_ratio{network="simulated"} 0.1`,
		`hedera_network_supply_hbar{kind="released",network="simulated"} 9.007199254740994e+07`,
		`hedera_network_supply_hbar{kind="total",network="simulated"} 5e+10`,
		`hedera_exchange_rate_usd_per_hbar{network="simulated",period="current"} 0.19899566666666665`,
		`hedera_exchange_rate_usd_per_hbar{network="simulated",period="next"} 0.15`,
		`hedera_exchange_rate_expiry_timestamp_seconds{network="simulated",period="current"} 1.793538e+09`,
		`hedera_exchange_rate_expiry_timestamp_seconds{network="simulated",period="next"} 1.7935416e+09`,
		`hedera_network_gas_price_hbar{network="simulated",transaction_type="ContractCall"} 8.52e-06`,
		`hedera_network_gas_price_hbar{network="simulated",transaction_type="ContractCreate"} 8.7e-06`,
		`hedera_network_gas_price_hbar{network="simulated",transaction_type="EthereumTransaction"} 8.53e-06`,
		routeLine(stakePath, true), routeLine(supplyPath, true), routeLine(ratesPath, true), routeLine(feesPath, true), routeLine(registeredNodesPath, true), routeLine(feesRoute, true),
		`hedera_registered_nodes{network="simulated"} 4`,
		`hedera_registered_node_info{description="block node one",network="simulated",registered_node_id="1",type="BLOCK_NODE"} 1`,
		`hedera_registered_node_info{description="mirror two",network="simulated",registered_node_id="2",type="MIRROR_NODE"} 1`,
		`hedera_registered_node_info{description="indexer three",network="simulated",registered_node_id="3",type="GENERAL_SERVICE"} 1`,
		`hedera_registered_node_info{description="",network="simulated",registered_node_id="4",type="RPC_RELAY"} 1`,
		`hedera_registered_node_endpoints{network="simulated",registered_node_id="1"} 2`,
		`hedera_registered_node_endpoints{network="simulated",registered_node_id="2"} 1`,
		`hedera_registered_node_endpoints{network="simulated",registered_node_id="3"} 1`,
		`hedera_registered_node_endpoints{network="simulated",registered_node_id="4"} 1`,
	)
}

// TestNetworkOnOldMirrors expects what a mirror does not have to be absent, and
// nothing else.
func TestNetworkOnOldMirrors(t *testing.T) {
	tests := map[string]struct {
		fault  simulator.Fault
		absent []string
	}{
		"no stake yet": {
			simulator.Fault{Path: stakePath, Kind: simulator.FaultStatus, Status: http.StatusNotFound},
			[]string{"hedera_network_stake", "hedera_network_reward", "hedera_network_staking"},
		},
		"no registered nodes": {
			simulator.Fault{Path: registeredNodesPath, Kind: simulator.FaultStatus, Status: http.StatusNotFound},
			[]string{"hedera_registered_node"},
		},
		"registered nodes are a bad request": {
			simulator.Fault{Path: registeredNodesPath, Kind: simulator.FaultStatus, Status: http.StatusBadRequest},
			[]string{"hedera_registered_node"},
		},
		"partial mirror, supply": {
			simulator.Fault{Path: supplyPath, Kind: simulator.FaultStatus, Status: http.StatusNotFound},
			[]string{"hedera_network_supply"},
		},
		"partial mirror, rates": {
			simulator.Fault{Path: ratesPath, Kind: simulator.FaultStatus, Status: http.StatusNotFound},
			[]string{"hedera_exchange_rate"},
		},
		"preview mirror, fees": {
			simulator.Fault{Path: feesPath, Kind: simulator.FaultStatus, Status: http.StatusNotFound},
			[]string{"hedera_network_gas_price"},
		},
	}
	families := []string{"hedera_network_stake", "hedera_network_supply", "hedera_exchange_rate", "hedera_network_gas_price", "hedera_registered_node"}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1})
			if _, err := sim.InjectFault(test.fault); err != nil {
				t.Fatal(err)
			}
			body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network"), testDeadline)
			wantLines(t, body, successLine("network", true), incompleteLine("network", 0), routeLine(test.fault.Path, false))
			for _, prefix := range test.absent {
				wantNone(t, body, prefix)
			}
			for _, prefix := range families {
				if prefix != test.absent[0] && len(linesWith(body, prefix)) == 0 {
					t.Errorf("%s... are absent", prefix)
				}
			}
		})
	}
}

func freezeLine(at time.Time) string {
	return `hedera_network_last_freeze_transaction_timestamp_seconds{network="simulated"} ` + timeValue(at)
}

// TestLastFreeze has mirrors with the public ones' window of 60 days and without
// one.
func TestLastFreeze(t *testing.T) {
	now := time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	freeze := func(at time.Time, result string) simulator.Transaction {
		return simulator.Transaction{Consensus: at, Payer: "0.0.58", Name: "FREEZE", Result: result}
	}
	tests := map[string]struct {
		open    bool
		history []simulator.Transaction
		want    string // empty: absent
	}{
		"none":                 {true, []simulator.Transaction{{Consensus: ago(2), Payer: "0.0.58"}}, ""},
		"none in the window":   {false, []simulator.Transaction{freeze(ago(61), "SUCCESS")}, ""},
		"one before 60 days":   {true, []simulator.Transaction{freeze(ago(61), "SUCCESS")}, freezeLine(ago(61))},
		"several":              {false, []simulator.Transaction{freeze(ago(3), "SUCCESS"), freeze(ago(1), "SUCCESS"), {Consensus: ago(0), Payer: "0.0.58"}}, freezeLine(ago(1))},
		"one that was refused": {false, []simulator.Transaction{freeze(ago(3), "SUCCESS"), freeze(ago(1), "AUTHORIZATION_FAILED")}, freezeLine(ago(3))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1, Now: func() time.Time { return now }})
			if err := sim.Update(func(l *simulator.Ledger) error { return l.SetMirror(simulator.MirrorSettings{OpenRange: test.open}) }); err != nil {
				t.Fatal(err)
			}
			addTransaction(t, sim, simulator.Transaction{Consensus: ago(100), Payer: "0.0.2"})
			for _, transaction := range test.history {
				addTransaction(t, sim, transaction)
			}
			body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network"), testDeadline)
			wantLines(t, body, successLine("network", true))
			if test.want == "" {
				wantNone(t, body, "hedera_network_last_freeze")
			} else {
				wantLines(t, body, test.want)
			}
		})
	}
}

// TestLastFreezeIsRemembered while a replica does not have it yet, and once it
// has left the mirror's window.
func TestLastFreezeIsRemembered(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	setReplicaLag(t, sim, 1)
	at := time.Now().Add(-time.Hour)
	addTransaction(t, sim, simulator.Transaction{Consensus: at, Payer: "0.0.58", Name: "FREEZE"})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	set := setOn(t, network, "network")
	// The replicas take turns, and the requests of a scrape are even in number and in
	// any order: one more in between has the other replica be asked.
	scrape := func() []string {
		if _, err := network.Mirror.LatestBlock(t.Context()); err != nil {
			t.Fatal(err)
		}
		return linesWith(scrapeText(t, set, testDeadline), "hedera_network_last_freeze")
	}
	lines := scrape()
	for i := 0; len(lines) == 0 && i < 100; i++ {
		lines = scrape()
	}
	for range 8 {
		if len(lines) != 1 || lines[0] != freezeLine(at) {
			t.Fatalf("%q, want %s", lines, freezeLine(at))
		}
		lines = scrape()
	}
}

func TestStateOfTheLastFreeze(t *testing.T) {
	const day = mirror.Timestamp(24 * time.Hour)
	var state networkState
	for i, step := range []struct{ seen, want mirror.Timestamp }{
		{0, 0},
		{5 * day, 5 * day},
		{0, 5 * day},
		{5*day - 1, 5 * day},
		{6 * day, 6 * day},
		{100 * day, 100 * day},
		{6 * day, 100 * day},
		{6 * day, 100 * day},
		{6 * day, 6 * day}, // the one far ahead was wrong
	} {
		if got := state.sawFreeze(step.seen); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

func TestFreezeThatCannotBeReadCostsItself(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addTransaction(t, sim, simulator.Transaction{Payer: "0.0.58", Name: "FREEZE"})
	if _, err := sim.InjectFault(simulator.Fault{Path: transactionsPath, Kind: simulator.FaultStatus, Status: http.StatusForbidden}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network"), testDeadline)
	wantLines(t, body, successLine("network", false), incompleteLine("network", 1), routeLine(stakePath, true), routeLine(feesPath, true))
	wantNone(t, body, "hedera_network_last_freeze")
}

const (
	networkStakeBody = `{"stake_total":9223372036854775807,"staking_period":{"from":"1.000000000","to":null}}`
	supplyBody       = `{"released_supply":"0","total_supply":"9223372036854775807","timestamp":"1.000000000"}`
	ratesBody        = `{"current_rate":{"cent_equivalent":1,"hbar_equivalent":1},"next_rate":{"cent_equivalent":1,"hbar_equivalent":1}}`
)

func TestNetworkIsBounded(t *testing.T) {
	var first []string
	for id := range 100 {
		first = append(first, fmt.Sprintf(`{"registered_node_id":%d,"description":%q,"service_endpoints":[{"type":"MIRROR_NODE"},{"type":"BLOCK_NODE"},{"type":"MIRROR_NODE"}]}`,
			id, strings.Repeat("ä", 101)))
	}
	network := answering(t, map[string]string{
		stakePath:        networkStakeBody,
		supplyPath:       supplyBody,
		ratesPath:        ratesBody,
		transactionsPath: `{"transactions":[],"links":{"next":null}}`,
		feesPath:         `{"total":5,"fees":[{"gas":1,"transaction_type":"New"},{"gas":2,"transaction_type":"ContractCall"},{"gas":3,"transaction_type":"ContractCall"}]}`,
		registeredNodesPath + "?limit=100": `{"registered_nodes":[` + strings.Join(first, ",") + `],
			"links":{"next":"/api/v1/network/registered-nodes?limit=100&registerednode.id=gt:99"}}`,
		registeredNodesPath + "?limit=100&registerednode.id=gt%3A99": `{"registered_nodes":[{"registered_node_id":100,"description":null,"service_endpoints":[]}],"links":{"next":null}}`,
	})
	body := scrapeText(t, setOn(t, network, "network"), testDeadline)
	wantLines(
		t, body, successLine("network", true),
		`hedera_network_stake_hbar{network="simulated"} 9.223372036854776e+10`,
		`hedera_network_supply_hbar{kind="total",network="simulated"} 9.223372036854776e+10`,
		`hedera_network_gas_price_hbar{network="simulated",transaction_type="ContractCall"} 2e-08`,
		`hedera_registered_nodes{network="simulated"} 101`,
		`hedera_registered_node_info{description="`+strings.Repeat("ä", 99)+`…",network="simulated",registered_node_id="99",type="BLOCK_NODE,MIRROR_NODE"} 1`,
	)
	wantNone(t, body, "hedera_network_staking_period_end") // a null
	wantNone(t, body, `registered_node_id="100"`)
	if lines := linesWith(body, "hedera_network_gas_price"); len(lines) != 1 {
		t.Errorf("prices of gas %q", lines)
	}
}
