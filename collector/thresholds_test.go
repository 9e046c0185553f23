// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/simulator"
)

func tokenMinimum(token string, minima ...config.Threshold) config.TokenThreshold {
	return config.TokenThreshold{Token: mustID(token), Minimum: minima}
}

// TestConfiguredThresholds are there without the network.
func TestConfiguredThresholds(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
	hot := account("0.0.1001", "hot", minimum("warning", 10_00000000))
	hot.Maximum = config.Thresholds{minimum("warning", 1000_00000000), minimum("critical", 5000_00000001)}
	hot.TokenThresholds = config.TokenThresholds{
		tokenMinimum("0.0.700001", config.Threshold{Severity: "info", Balance: config.Amount{Units: 1000, Decimals: 0}}, config.Threshold{Severity: "critical", Balance: config.Amount{Units: 995, Decimals: 1}}),
		tokenMinimum("0.0.700002", config.Threshold{Severity: "warning", Balance: config.Amount{Units: 1, Decimals: 18}}),
	}
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), hot, account("0.0.1002", "other"))
	network.Tokens = addPlainTokens(t, sim, 2)
	network.Contracts = contractsOf(addPlainContracts(t, sim, 2))
	network.Contracts[0].Thresholds = config.Thresholds{minimum("warning", 1)}
	set := setOn(t, network, "accounts tokens contracts")
	want := []string{
		`hedera_account_balance_minimum_hbar{account_id="0.0.1001",name="hot",network="simulated",severity="warning"} 10`,
		`hedera_account_balance_maximum_hbar{account_id="0.0.1001",name="hot",network="simulated",severity="warning"} 1000`,
		`hedera_account_balance_maximum_hbar{account_id="0.0.1001",name="hot",network="simulated",severity="critical"} 5000.00000001`,
		`hedera_account_token_balance_minimum{account_id="0.0.1001",name="hot",network="simulated",severity="info",token_id="0.0.700001"} 1000`,
		`hedera_account_token_balance_minimum{account_id="0.0.1001",name="hot",network="simulated",severity="critical",token_id="0.0.700001"} 99.5`,
		`hedera_account_token_balance_minimum{account_id="0.0.1001",name="hot",network="simulated",severity="warning",token_id="0.0.700002"} 1e-18`,
		`hedera_contract_balance_minimum_hbar{contract_id="0.0.720001",name="n0.0.720001",network="simulated",severity="warning"} 1e-08`,
	}
	check := func() {
		t.Helper()
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, want...)
		if n := len(linesWith(body, "imum")); n != len(want) {
			t.Errorf("%d minimums and maximums, want %d:\n%s", n, len(want), body)
		}
	}
	check()
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	check()

	registry := prometheus.NewRegistry()
	registry.MustRegister(network.Probe(t.Context(), nil)) // the mirror fails, and no account is named
	wantNone(t, samplesOf(gather(t, registry)), "imum")
	sim.ClearFaults()
	registry = prometheus.NewRegistry()
	registry.MustRegister(network.Probe(t.Context(), []Target{{Text: "0.0.1001", ID: mustID("0.0.1001")}}))
	wantLines(t, samplesOf(gather(t, registry)), want[:3]...)
}

// TestBalanceEqualsItsThreshold wants a balance to be the same number as the
// threshold that is written as it, so that neither < nor > holds, and the next
// smaller one to be less wherever a float64 can tell.
func TestBalanceEqualsItsThreshold(t *testing.T) {
	for _, c := range []struct {
		units, decimals int64
		threshold       config.Amount
		less            bool
	}{
		{units: 1, decimals: 8, threshold: config.Amount{Units: 1, Decimals: 8}, less: true},
		{units: 99_500_000, decimals: 6, threshold: config.Amount{Units: 995, Decimals: 1}, less: true},
		{units: 100_000_000_000, decimals: 8, threshold: config.Amount{Units: 1000, Decimals: 0}, less: true},
		{units: 1<<53 + 1, decimals: 0, threshold: config.Amount{Units: 1<<53 + 1, Decimals: 0}, less: false},
		{units: 3, decimals: 1, threshold: config.Amount{Units: 3, Decimals: 1}, less: true},
		{units: 300_000_000_000_000_000, decimals: 18, threshold: config.Amount{Units: 3, Decimals: 1}, less: false},
		{units: 123_456_789_012_345, decimals: 15, threshold: config.Amount{Units: 123_456_789_012_345, Decimals: 15}, less: true},
		{units: math.MaxInt64, decimals: 18, threshold: config.Amount{Units: math.MaxInt64, Decimals: 18}, less: false},
	} {
		balance, threshold := wholeTokens(c.units, c.decimals), tokenAmount(c.threshold)
		if balance != threshold {
			t.Errorf("%d units of %d decimals are %v, their threshold is %v", c.units, c.decimals, balance, threshold)
		}
		if less := wholeTokens(c.units-1, c.decimals) < threshold; less != c.less {
			t.Errorf("one unit less than %s is less: %v, want %v", c.threshold, less, c.less)
		}
	}
	for _, tinybar := range []int64{0, 1, 123_456_789, 1<<53 + 1, math.MaxInt64} {
		if got := hbarAmount(config.Amount{Units: tinybar, Decimals: 8}); got != hbar(tinybar) {
			t.Errorf("a threshold of %d tinybar is %v, such a balance %v", tinybar, got, hbar(tinybar))
		}
	}
}
