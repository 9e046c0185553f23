// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/simulator"
)

func addGranter(t *testing.T, sim *simulator.Simulator, id string, allowances ...simulator.Allowance) {
	t.Helper()
	if err := sim.Update(func(l *simulator.Ledger) error { return l.AddAccount(simulator.Account{ID: id}) }); err != nil {
		t.Fatal(err)
	}
	for _, allowance := range allowances {
		allowance.Owner = id
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetAllowance(allowance) }); err != nil {
			t.Fatal(err)
		}
	}
}

func granter(t *testing.T, id, name string) Account {
	t.Helper()
	watched := account(t, id, name)
	watched.Allowances = true
	return watched
}

func TestAllowances(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addGranter(
		t, sim, "0.0.5001",
		simulator.Allowance{Spender: "0.0.1", Amount: 150000000, Granted: 1<<53 + 1},
		simulator.Allowance{Spender: "0.0.2", Amount: 1},
		simulator.Allowance{Spender: "0.0.1", TokenID: "0.0.7001", Amount: 250, Granted: math.MaxInt64},
		simulator.Allowance{Spender: "0.0.1", TokenID: "0.0.7002", Amount: 3},
	)
	addGranter(t, sim, "0.0.5002")
	addGranter(t, sim, "0.0.5003", simulator.Allowance{Spender: "0.0.1", Amount: 1})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()),
		granter(t, "0.0.5001", "some"), granter(t, "0.0.5002", "none"),
		account(t, "0.0.5003", "unwatched"), granter(t, "0.0.999999", "missing")), "allowances")
	body := scrapeCosting(t, sim, set, map[string]int{
		"GET /api/v1/accounts/{id}/allowances/crypto": 3,
		"GET /api/v1/accounts/{id}/allowances/tokens": 3,
	})
	wantOnly(
		t, body, "allowances",
		`hedera_account_allowance_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1"} 1.5`,
		`hedera_account_allowance_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.2"} 1e-08`,
		`hedera_account_allowance_granted_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1"} 9.007199254740994e+07`,
		`hedera_account_allowance_granted_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.2"} 1e-08`,
		`hedera_account_token_allowance{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7001"} 250`,
		`hedera_account_token_allowance{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7002"} 3`,
		`hedera_account_token_allowance_granted{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7001"} 9.223372036854776e+18`,
		`hedera_account_token_allowance_granted{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7002"} 3`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="hbar",name="some",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="token",name="some",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5002",kind="hbar",name="none",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5002",kind="token",name="none",network="simulated"} 0`,
	)
}

func TestAllowancesAreBounded(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	many := make([]simulator.Allowance, 0, 2*maxOfAccount+1)
	for i := range maxOfAccount + 1 {
		many = append(many, simulator.Allowance{Spender: "0.0." + itoa(100+i), Amount: 1})
		if i < maxOfAccount {
			many = append(many, simulator.Allowance{Spender: "0.0." + itoa(100+i), TokenID: "0.0.7001", Amount: 1})
		}
	}
	addGranter(t, sim, "0.0.5001", many...)
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), granter(t, "0.0.5001", "a")), "allowances")
	body := scrapeCosting(t, sim, set, map[string]int{
		"GET /api/v1/accounts/{id}/allowances/crypto": 1,
		"GET /api/v1/accounts/{id}/allowances/tokens": 1,
	})
	wantLines(
		t, body,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="hbar",name="a",network="simulated"} 1`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="token",name="a",network="simulated"} 0`,
	)
	for _, metric := range []string{"hedera_account_allowance_hbar{", "hedera_account_token_allowance{"} {
		if n := len(linesWith(body, metric)); n != maxOfAccount {
			t.Errorf("%d samples of %s, want %d", n, metric, maxOfAccount)
		}
	}
}
