// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/simulator"
)

func TestContracts(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	for _, contract := range []simulator.Contract{
		{ID: "0.0.7001", ExpirationTimestamp: ptr("1800000000.500000000")},
		{ID: "0.0.7002", Deleted: true},
	} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddContract(contract) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance("0.0.7001", 1<<53+1) }); err != nil {
		t.Fatal(err)
	}
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.Contracts = contractsOf([]config.Entity{entity("0.0.7001", "rich"), entity("0.0.7002", "null"), entity("0.0.2", "an account"), entity("0.0.7003", "missing")})
	set := setOn(t, network, "contracts")
	body := scrapeCosting(t, sim, set, map[string]int{"GET /api/v1/contracts": 1, "GET /api/v1/balances": 1})
	wantOnly(
		t, body, "contracts",
		`hedera_contract_exists{contract_id="0.0.7001",name="rich",network="simulated"} 1`,
		`hedera_contract_balance_hbar{contract_id="0.0.7001",name="rich",network="simulated"} 9.007199254740994e+07`,
		`hedera_contract_deleted{contract_id="0.0.7001",name="rich",network="simulated"} 0`,
		`hedera_contract_expiry_timestamp_seconds{contract_id="0.0.7001",name="rich",network="simulated"} 1.8000000005e+09`,
		`hedera_contract_exists{contract_id="0.0.7002",name="null",network="simulated"} 1`,
		`hedera_contract_balance_hbar{contract_id="0.0.7002",name="null",network="simulated"} 0`,
		`hedera_contract_deleted{contract_id="0.0.7002",name="null",network="simulated"} 1`,
		`hedera_contract_exists{contract_id="0.0.2",name="an account",network="simulated"} 0`,
		`hedera_contract_exists{contract_id="0.0.7003",name="missing",network="simulated"} 0`,
	)
}

func TestContractsAreAskedForByTheHundred(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	for i := range 101 {
		id := "0.0." + itoa(7000+i)
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddContract(simulator.Contract{ID: id}) }); err != nil {
			t.Fatal(err)
		}
		network.Contracts = append(network.Contracts, config.Contract{Entity: entity(id, id)})
	}
	body := scrapeCosting(t, sim, setOn(t, network, "contracts"), map[string]int{"GET /api/v1/contracts": 2, "GET /api/v1/balances": 2})
	if n := len(linesWith(body, "hedera_contract_balance_hbar{")); n != 101 {
		t.Errorf("%d balances, want 101", n)
	}
}
