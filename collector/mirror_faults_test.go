// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// mirrorCollectors are the collectors that read the mirror's REST API only, and
// a family of each that the watched network has.
var mirrorCollectors = map[string]string{
	"accounts":   "hedera_account_balance_hbar{",
	"allowances": "hedera_account_allowance_hbar{",
	"contracts":  "hedera_contract_balance_hbar{",
	"mirror":     "hedera_mirror_latest_block_timestamp_seconds{",
	"network":    "hedera_network_supply_hbar{",
	"schedules":  "hedera_schedules_pending{",
	"tokens":     "hedera_token_supply{",
	"topics":     "hedera_topic_sequence_number{",
}

// watchedNetwork has something to read for each of the mirrorCollectors.
func watchedNetwork(t *testing.T, memory *memnet.Network) (*simulator.Simulator, Network) {
	t.Helper()
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 3, Listen: memory.Listen})
	watched := account("0.0.1001", "a")
	watched.AllTokens, watched.Allowances = true, true
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()), watched)
	network.Tokens = entities(sim.TokenIDs()...)
	network.Topics = topicsOf(entities(sim.TopicIDs()...))
	network.Contracts = contractsOf(entities(sim.ContractIDs()...))
	network.ScheduleCreators = creatorsOf(entities(sim.ScheduleCreators()...))
	return sim, network
}

// TestMirrorFaultCostsItsEntityOnly has faults of one path. They cost the samples
// that come from it, and no other of the same collector.
func TestMirrorFaultCostsItsEntityOnly(t *testing.T) {
	const (
		supply  = `hedera_network_supply_hbar{kind="total"`
		rate    = `hedera_exchange_rate_usd_per_hbar{`
		others  = `hedera_token_exists{name="n0.0.456858"`
		noRoute = `hedera_mirror_route_available{network="simulated",route="%s"} 0`
	)
	tests := []struct {
		collector string
		path      string
		lost      string // a sample that comes from the path
		kept      string // a sample of the collector that does not; empty: there is none
		// unknown is a sample that tells what a 404 of the mirror means, if that is
		// no failure.
		unknown string
	}{
		{"network", supplyPath, supply, rate, fmt.Sprintf(noRoute, supplyPath)},
		{"network", ratesPath, rate, supply, fmt.Sprintf(noRoute, ratesPath)},
		{"network", feesPath, "hedera_network_gas_price_hbar{", supply, fmt.Sprintf(noRoute, feesPath)},
		{"network", stakePath, "hedera_network_stake_hbar{", supply, fmt.Sprintf(noRoute, stakePath)},
		{"network", registeredNodesPath, "hedera_registered_nodes{", supply, fmt.Sprintf(noRoute, registeredNodesPath)},
		{"tokens", "/api/v1/tokens/0.0.731861", `hedera_token_supply{name="n0.0.731861"`, others, `hedera_token_exists{name="n0.0.731861",network="simulated",token_id="0.0.731861"} 0`},
		{"tokens", "/api/v1/accounts/0.0.1001/tokens", "hedera_account_tokens_truncated{", `hedera_account_token_balance{account_id="0.0.1001",name="a",network="simulated",symbol="SAUCESIM"`, others},
		{"tokens", "/api/v1/accounts?", "hedera_account_token_balance{account_id=\"0.0.1001\",name=\"a\",network=\"simulated\",symbol=\"SAUCESIM\"", others, ""},
		{"allowances", "/api/v1/accounts/0.0.1001/allowances/crypto", "hedera_account_allowance_hbar{", "hedera_account_token_allowance{", ""},
		{"allowances", "/api/v1/accounts/0.0.1001/allowances/tokens", "hedera_account_token_allowance{", "hedera_account_allowance_hbar{", ""},
		{"allowances", "/api/v1/accounts/0.0.1001/allowances/nfts", "hedera_account_nft_allowance_all_serials{", "hedera_account_allowance_hbar{", `hedera_account_allowances_truncated{account_id="0.0.1001",kind="token",name="a",network="simulated"} 0`},
		{"topics", "/api/v1/topics/0.0.120438", `hedera_topic_sequence_number{name="n0.0.120438"`, `hedera_topic_exists{`, ""},
		{"contracts", "/api/v1/contracts", "hedera_contract_exists{", "", ""},
		{"contracts", "/api/v1/balances", "hedera_contract_balance_hbar{", "hedera_contract_exists{", ""},
		{"schedules", "/api/v1/schedules", "hedera_schedules_pending{", "", ""},
	}
	var slow []string // collectors of which a path has had the faults that take their time
	for _, test := range tests {
		faults := map[string]simulator.Fault{
			"garbage": {Kind: simulator.FaultGarbage},
			"404":     {Kind: simulator.FaultStatus, Status: http.StatusNotFound},
		}
		if !slices.Contains(slow, test.collector) {
			slow = append(slow, test.collector)
			faults["hang"] = simulator.Fault{Kind: simulator.FaultHang}
			faults["503"] = simulator.Fault{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable}
		}
		for name, fault := range faults {
			fault.Path, fault.Query = test.path, ""
			if path, ok := strings.CutSuffix(test.path, "?"); ok {
				fault.Path, fault.Query = path, "account.id="
			}
			t.Run(test.path+"/"+name, func(t *testing.T) {
				t.Parallel()
				unknown := ""
				if name == "404" {
					unknown = test.unknown
				}
				memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
					testMirrorFault(t, memory, fault, test.collector, test.lost, test.kept, unknown)
				})
			})
		}
	}
}

func testMirrorFault(t *testing.T, memory *memnet.Network, fault simulator.Fault, broken, lost, kept, unknown string) {
	sim, network := watchedNetwork(t, memory)
	set := setOn(t, network, slices.Collect(maps.Keys(mirrorCollectors))...)
	scrapeText(t, set, testDeadline) // so that a value is there to go stale
	if _, err := sim.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, time.Second)
	for name, family := range mirrorCollectors {
		if fault.Query != "" && name == "accounts" {
			continue // it has the same list
		}
		wantLines(t, body, successLine(name, name != broken || unknown != ""))
		if name != broken {
			wantSome(t, body, family)
		}
	}
	wantNone(t, body, lost)
	if kept != "" {
		wantSome(t, body, kept)
	}
	if unknown != "" {
		wantSome(t, body, unknown)
	} else if len(linesWith(body, `hedera_scrape_collector_incomplete{collector="`+broken+`"`, "} 0")) > 0 {
		t.Error("what is missing was not counted")
	}
}

func wantSome(t *testing.T, body, part string) {
	t.Helper()
	if len(linesWith(body, part)) == 0 {
		t.Errorf("no %s", part)
	}
}
