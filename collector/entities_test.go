// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

// TestFailedRequestCostsItsAccounts has 250 accounts, of which one request of 100
// fails.
func TestFailedRequestCostsItsAccounts(t *testing.T) {
	const accounts = 250
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: accounts})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.Tokens = addPlainTokens(t, sim, 1)
	for i := range accounts {
		network.Accounts = append(network.Accounts, account("0.0."+itoa(1001+i), itoa(i), minimum("warning", 1)))
		setTokenBalance(t, sim, network.Tokens[0].ID.String(), "0.0."+itoa(1001+i), 1)
	}
	set := setOn(t, network, "accounts tokens")
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Query: "account.id=0.0.1150&", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	sim.ResetRequests()
	body := scrapeText(t, set, testDeadline)
	wantLines(
		t, body,
		successLine("accounts", false), incompleteLine("accounts", 100),
		successLine("tokens", false), incompleteLine("tokens", 100),
	)
	for metric, want := range map[string]int{"hedera_account_balance_hbar{": 150, "hedera_account_token_balance{": 150, "hedera_account_exists{": 150, "hedera_account_balance_minimum_hbar{": 250} {
		if n := len(linesWith(body, metric)); n != want {
			t.Errorf("%d samples of %s, want %d", n, metric, want)
		}
	}
	if n := sim.Requests()["GET /api/v1/accounts"]; n != 3 {
		t.Errorf("accounts and tokens made %d requests for 250 accounts, want 3 together", n)
	}
}

// TestUnreadableFieldCostsItsSample counts and names it.
func TestUnreadableFieldCostsItsSample(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 3})
	registry := prometheus.NewRegistry()
	self := NewSelf(registry)
	network := networkOn(t, sim, self, account("0.0.1001", "a"), account("0.0.1002", "b"), account("0.0.1003", "c"))
	var logged bytes.Buffer
	options := mirror.Options{Network: "simulated", URL: parseURL(t, sim.URL()), Observer: self.MirrorObserver("simulated", log.NewLogfmtLogger(&logged))}
	client, err := mirror.New(options)
	if err != nil {
		t.Fatal(err)
	}
	network.Mirror.Close()
	network.Mirror = client
	set := setOn(t, network, "accounts")
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultSet, Entity: "0.0.1002", Field: "ethereum_nonce", Value: []byte(`"odd"`)}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, successLine("accounts", true), incompleteLine("accounts", 0))
	wantNone(t, body, "hedera_account_ethereum_nonce", "0.0.1002")
	for metric, want := range map[string]int{"hedera_account_ethereum_nonce{": 2, "hedera_account_balance_hbar{": 3} {
		if n := len(linesWith(body, metric)); n != want {
			t.Errorf("%d samples of %s, want %d", n, metric, want)
		}
	}
	wantLines(t, samplesOf(gather(t, registry)), `hedera_mirror_decode_failures_total{field="ethereum_nonce",network="simulated",route="/api/v1/accounts"} 1`)
	for _, part := range []string{"0.0.1002", "ethereum_nonce", "odd"} {
		if !bytes.Contains(logged.Bytes(), []byte(part)) {
			t.Errorf("the log has no %s: %s", part, logged.String())
		}
	}

	sim.ClearFaults()
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultDuplicate, Entity: "0.0.1002"}); err != nil {
		t.Fatal(err)
	}
	body = scrapeText(t, set, testDeadline)
	wantLines(t, body, successLine("accounts", true))
	if n := len(linesWith(body, "hedera_account_balance_hbar{")); n != 3 {
		t.Errorf("%d balances, want 3", n)
	}
	wantLines(t, samplesOf(gather(t, registry)), `hedera_mirror_decode_failures_total{field="account",network="simulated",route="/api/v1/accounts"} 1`)
}

// TestTimesThatNeverCome has an account that is renewed for a thousand million
// years, as mainnet's 0.0.400 (docs/hedera.md 1.0).
func TestTimesThatNeverCome(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	period := int64(31556888202959784)
	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.AddAccount(simulator.Account{ID: "0.0.400", AutoRenewPeriod: &period, CreatedTimestamp: ptr("1700000000.000000000")})
	}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.400", "endless"), account("0.0.1001", "a")), "accounts"), testDeadline)
	wantLines(
		t, body, successLine("accounts", true),
		`hedera_account_exists{account_id="0.0.400",name="endless",network="simulated"} 1`,
		`hedera_account_auto_renew_period_seconds{account_id="0.0.400",name="endless",network="simulated"} 3.1556888202959784e+16`,
		`hedera_account_exists{account_id="0.0.1001",name="a",network="simulated"} 1`,
	)
	wantNone(t, body, "hedera_account_expiry", "0.0.400")
}
