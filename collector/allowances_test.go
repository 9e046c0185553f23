// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
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

func granter(id, name string) config.Account {
	watched := account(id, name)
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
	addTokens(t, sim, simulator.Token{ID: "0.0.7001", Decimals: 2}, simulator.Token{ID: "0.0.7003"})
	addGranter(t, sim, "0.0.5002", simulator.Allowance{Spender: "0.0.1", TokenID: "0.0.7003", Amount: 3})
	approveAll(t, sim, "0.0.5001", "0.0.2", "0.0.7009")
	approveAll(t, sim, "0.0.5001", "0.0.1", "0.0.7008", "0.0.7009")
	approveAll(t, sim, "0.0.5003", "0.0.1", "0.0.7009")
	addGranter(t, sim, "0.0.5003", simulator.Allowance{Spender: "0.0.1", Amount: 1})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()),
		granter("0.0.5001", "some"), granter("0.0.5002", "other"),
		account("0.0.5003", "unwatched"), granter("0.0.999999", "missing")), "allowances")
	body := scrapeCosting(t, sim, set, map[string]int{
		"GET /api/v1/accounts/{id}/allowances/crypto": 3,
		"GET /api/v1/accounts/{id}/allowances/tokens": 3,
		"GET /api/v1/accounts/{id}/allowances/nfts":   3,
		"GET /api/v1/tokens/{id}":                     3, // the mirror does not know 0.0.7002
	})
	wantOnly(
		t, body, "allowances",
		`hedera_account_allowance_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1"} 1.5`,
		`hedera_account_allowance_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.2"} 1e-08`,
		`hedera_account_allowance_granted_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1"} 9.007199254740994e+07`,
		`hedera_account_allowance_granted_hbar{account_id="0.0.5001",name="some",network="simulated",spender="0.0.2"} 1e-08`,
		`hedera_account_token_allowance{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7001"} 2.5`,
		`hedera_account_token_allowance{account_id="0.0.5002",name="other",network="simulated",spender="0.0.1",token_id="0.0.7003"} 3`,
		`hedera_account_token_allowance_granted{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7001"} 9.223372036854776e+16`,
		`hedera_account_token_allowance_granted{account_id="0.0.5002",name="other",network="simulated",spender="0.0.1",token_id="0.0.7003"} 3`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="hbar",name="some",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="token",name="some",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5002",kind="hbar",name="other",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5002",kind="token",name="other",network="simulated"} 0`,
		`hedera_account_nft_allowance_all_serials{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7008"} 1`,
		`hedera_account_nft_allowance_all_serials{account_id="0.0.5001",name="some",network="simulated",spender="0.0.1",token_id="0.0.7009"} 1`,
		`hedera_account_nft_allowance_all_serials{account_id="0.0.5001",name="some",network="simulated",spender="0.0.2",token_id="0.0.7009"} 1`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="nft",name="some",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5002",kind="nft",name="other",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.999999",kind="nft",name="missing",network="simulated"} 0`,
		// The mirror answers as for an account without allowances.
		`hedera_account_allowances_truncated{account_id="0.0.999999",kind="hbar",name="missing",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.999999",kind="token",name="missing",network="simulated"} 0`,
	)
}

func approveAll(t *testing.T, sim *simulator.Simulator, owner, spender string, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.SetNFTAllowance(simulator.NFTAllowance{Owner: owner, Spender: spender, TokenID: token, Approved: true})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNFTAllowancesComeAndGo has one that is withdrawn, and a mirror that loses the
// route: absent is not withdrawn.
func TestNFTAllowancesComeAndGo(t *testing.T) {
	const (
		path      = "/api/v1/accounts/0.0.5001/allowances/nfts"
		approved  = `hedera_account_nft_allowance_all_serials{account_id="0.0.5001",name="a",network="simulated",spender="0.0.1",token_id="0.0.7001"} 1`
		truncated = `hedera_account_allowances_truncated{account_id="0.0.5001",kind="nft",name="a",network="simulated"} 0`
	)
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addGranter(t, sim, "0.0.5001", simulator.Allowance{Spender: "0.0.1", Amount: 1})
	approveAll(t, sim, "0.0.5001", "0.0.1", "0.0.7001")
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), granter("0.0.5001", "a")), "allowances")
	wantLines(t, scrapeText(t, set, testDeadline), approved, truncated, successLine("allowances", true))

	for _, fault := range []struct {
		simulator.Fault
		success bool
	}{
		{simulator.Fault{Kind: simulator.FaultStatus, Status: 404}, true}, // without the route
		{simulator.Fault{Kind: simulator.FaultStatus, Status: 400}, false},
		{simulator.Fault{Kind: simulator.FaultStatus, Status: 501}, false},
		{simulator.Fault{Kind: simulator.FaultGarbage}, false},
	} {
		fault.Path = path
		if _, err := sim.InjectFault(fault.Fault); err != nil {
			t.Fatal(err)
		}
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, successLine("allowances", fault.success), `hedera_account_allowance_hbar{account_id="0.0.5001",name="a",network="simulated",spender="0.0.1"} 1e-08`)
		wantNone(t, body, "hedera_account_nft_allowance_all_serials")
		wantNone(t, body, `kind="nft"`)
		sim.ClearFaults()
	}

	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.SetNFTAllowance(simulator.NFTAllowance{Owner: "0.0.5001", Spender: "0.0.1", TokenID: "0.0.7001"})
	}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, truncated, successLine("allowances", true))
	wantNone(t, body, "hedera_account_nft_allowance_all_serials")
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
	for i := range 3 * maxOfAccount {
		approveAll(t, sim, "0.0.5001", "0.0.1", "0.0."+itoa(8001+i))
	}
	addTokens(t, sim, simulator.Token{ID: "0.0.7001"})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), granter("0.0.5001", "a")), "allowances")
	body := scrapeCosting(t, sim, set, map[string]int{
		"GET /api/v1/accounts/{id}/allowances/crypto": 1,
		"GET /api/v1/accounts/{id}/allowances/tokens": 1,
		"GET /api/v1/accounts/{id}/allowances/nfts":   1, // of three pages
		"GET /api/v1/tokens/{id}":                     1,
	})
	wantLines(
		t, body,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="hbar",name="a",network="simulated"} 1`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="token",name="a",network="simulated"} 0`,
		`hedera_account_allowances_truncated{account_id="0.0.5001",kind="nft",name="a",network="simulated"} 1`,
	)
	for _, metric := range []string{"hedera_account_allowance_hbar{", "hedera_account_token_allowance{", "hedera_account_nft_allowance_all_serials{"} {
		if n := len(linesWith(body, metric)); n != maxOfAccount {
			t.Errorf("%d samples of %s, want %d", n, metric, maxOfAccount)
		}
	}
}

// TestDecimalsAreLookedUpOnce has more tokens than one scrape looks up.
func TestDecimalsAreLookedUpOnce(t *testing.T) {
	const tokens = 2*maxDecimalsLookups + 1
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	var granted []simulator.Allowance
	for i := range tokens {
		id := "0.0." + itoa(7001+i)
		addTokens(t, sim, simulator.Token{ID: id, Decimals: 1})
		granted = append(granted, simulator.Allowance{Spender: "0.0.1", TokenID: id, Amount: 15})
	}
	addGranter(t, sim, "0.0.5001", granted...)
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), granter("0.0.5001", "a"))
	for scrape, shown := range []int{maxDecimalsLookups, 2 * maxDecimalsLookups, tokens, tokens} {
		sim.ResetRequests()
		set := setOn(t, network, "allowances") // as after a reload
		lines := linesWith(scrapeText(t, set, testDeadline), "hedera_account_token_allowance{")
		if len(lines) != shown || !strings.HasSuffix(lines[0], " 1.5") {
			t.Errorf("scrape %d: %d allowances, want %d: %q", scrape, len(lines), shown, lines)
		}
		if lookups := sim.Requests()["GET /api/v1/tokens/{id}"]; lookups > maxDecimalsLookups || lookups != 0 && scrape == 3 {
			t.Errorf("scrape %d: %d lookups", scrape, lookups)
		}
	}
}

// TestUnreadableDecimals expects a failure, and no allowance that is off by a
// power of ten.
func TestUnreadableDecimals(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addTokens(t, sim, simulator.Token{ID: "0.0.7001", Decimals: 1})
	addGranter(t, sim, "0.0.5001", simulator.Allowance{Spender: "0.0.1", TokenID: "0.0.7001", Amount: 15})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), granter("0.0.5001", "a")), "allowances")
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/tokens/0.0.7001", Kind: simulator.FaultGarbage}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, successLine("allowances", false), incompleteLine("allowances", 1))
	wantNone(t, body, "hedera_account_token_allowance")

	sim.ClearFaults()
	wantLines(t, scrapeText(t, set, testDeadline),
		`hedera_account_token_allowance{account_id="0.0.5001",name="a",network="simulated",spender="0.0.1",token_id="0.0.7001"} 1.5`)
}

// TestDecimalsOfOtherTokensAreForgotten keeps a reset network, which gives ids to
// other tokens, from being shown with old decimals.
func TestDecimalsOfOtherTokensAreForgotten(t *testing.T) {
	decimals := tokenDecimals{known: map[string]int64{"0.0.7001": 2, "0.0.7002": 3}}
	var group entityGroup
	got := decimals.of(t.Context(), nil, map[string]bool{"0.0.7002": true}, &group)
	if want, err := map[string]int64{"0.0.7002": 3}, group.Wait(); err != nil || !maps.Equal(got, want) || !maps.Equal(decimals.known, want) {
		t.Errorf("got %v, %v, remembered %v, want %v", got, err, decimals.known, want)
	}
}
