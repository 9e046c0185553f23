// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"net/http"
	"slices"
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
	network.Contracts = entities(sim.ContractIDs()...)
	network.ScheduleCreators = creatorsOf(entities(sim.ScheduleCreators()...))
	return sim, network
}

func TestMirrorFaultCostsItsCollectorOnly(t *testing.T) {
	tests := []struct {
		collector string
		path      string
		// unknown is a sample that tells what a 404 means, if that is no failure.
		unknown string
	}{
		{"network", supplyPath, ""},
		{"network", ratesPath, ""},
		{"network", feesPath, ""},
		{"network", stakePath, `hedera_network_supply_hbar{kind="total"`},
		{"network", registeredNodesPath, `hedera_network_supply_hbar{kind="total"`},
		{"tokens", "/api/v1/tokens/0.0.731861", `hedera_token_exists{name="n0.0.731861",network="simulated",token_id="0.0.731861"} 0`},
		{"tokens", "/api/v1/tokens/0.0.731861/balances", ""},
		{"tokens", "/api/v1/accounts/0.0.1001/tokens", `hedera_account_token_balance{`},
		{"allowances", "/api/v1/accounts/0.0.1001/allowances/crypto", `hedera_account_token_allowance{`},
		{"allowances", "/api/v1/accounts/0.0.1001/allowances/tokens", `hedera_account_allowance_hbar{`},
		{"topics", "/api/v1/topics/", `hedera_topic_exists{name="n0.0.120438",network="simulated",topic_id="0.0.120438"} 0`},
		{"contracts", "/api/v1/contracts", ""},
		{"contracts", "/api/v1/balances", ""},
		{"schedules", "/api/v1/schedules", ""},
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
			fault.Path = test.path
			t.Run(test.path+"/"+name, func(t *testing.T) {
				t.Parallel()
				unknown := ""
				if name == "404" {
					unknown = test.unknown
				}
				memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testMirrorFault(t, memory, fault, test.collector, unknown) })
			})
		}
	}
}

func testMirrorFault(t *testing.T, memory *memnet.Network, fault simulator.Fault, broken, unknown string) {
	sim, network := watchedNetwork(t, memory)
	set := setOn(t, network, slices.Collect(maps.Keys(mirrorCollectors))...)
	scrapeText(t, set, testDeadline) // so that a value is there to go stale
	if _, err := sim.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, time.Second)
	for name, family := range mirrorCollectors {
		success := name != broken || unknown != ""
		wantLines(t, body, successLine(name, success))
		if name == broken {
			continue
		}
		if len(linesWith(body, family)) == 0 {
			t.Errorf("%s has no %s", name, family)
		}
	}
	if unknown != "" {
		if len(linesWith(body, unknown)) == 0 {
			t.Errorf("no %s", unknown)
		}
		return
	}
	for _, m := range Metrics() {
		if m.Collector == broken {
			wantNone(t, body, m.Name+"{")
		}
	}
}
