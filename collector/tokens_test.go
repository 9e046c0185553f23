// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/simulator"
)

func addTokens(t *testing.T, sim *simulator.Simulator, tokens ...simulator.Token) {
	t.Helper()
	for _, token := range tokens {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddToken(token) }); err != nil {
			t.Fatal(err)
		}
	}
}

func setTokenBalance(t *testing.T, sim *simulator.Simulator, token, account string, units int64) {
	t.Helper()
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetTokenBalance(token, account, units) }); err != nil {
		t.Fatal(err)
	}
}

func TestTokens(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 3})
	addTokens(
		t, sim,
		simulator.Token{
			ID: "0.0.7001", Name: strings.Repeat("ä", 65), Symbol: "USD", Decimals: 6,
			TotalSupply: 1<<53 + 1, MaxSupply: math.MaxInt64, SupplyType: "FINITE",
			PauseStatus: "PAUSED", Deleted: ptr(false), ExpiryTimestamp: ptr(int64(1_800_000_000_500_000_000)),
			TreasuryAccountID: ptr("0.0.1001"),
		},
		simulator.Token{
			ID: "0.0.7002", Name: "Art", Symbol: "ART", Type: "NON_FUNGIBLE_UNIQUE", TotalSupply: 7,
			PauseStatus: "UNPAUSED", Deleted: ptr(true), TreasuryAccountID: ptr("0.0.1003"),
		},
		simulator.Token{ID: "0.0.7003", Symbol: "NIL", Decimals: 18, TotalSupply: math.MaxInt64},
	)
	setTokenBalance(t, sim, "0.0.7001", "0.0.1001", 123_456_789)
	setTokenBalance(t, sim, "0.0.7001", "0.0.1002", 0)
	setTokenBalance(t, sim, "0.0.7002", "0.0.1002", 3)
	setTokenBalance(t, sim, "0.0.7002", "0.0.1003", 4)

	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.1001", "a"), account("0.0.1002", "b"))
	network.Tokens = entities("0.0.7001", "0.0.7002", "0.0.7003", "0.0.7999")
	body := scrapeCosting(t, sim, setOn(t, network, "tokens"), map[string]int{
		"GET /api/v1/tokens/{id}": 4,
		"GET /api/v1/accounts":    2, // the second one for the treasury that is not a configured account
	})
	wantOnly(
		t, body, "tokens",
		`hedera_token_exists{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 1`,
		`hedera_token_supply{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 9.007199254740993e+09`,
		`hedera_token_supply_maximum{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 9.223372036854775e+12`,
		`hedera_token_treasury_balance{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 123.456789`,
		`hedera_token_paused{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 1`,
		`hedera_token_deleted{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 0`,
		`hedera_token_expiry_timestamp_seconds{name="n0.0.7001",network="simulated",token_id="0.0.7001"} 1.8000000005e+09`,
		`hedera_token_info{decimals="6",name="n0.0.7001",network="simulated",symbol="USD",token_id="0.0.7001",token_name="`+
			strings.Repeat("ä", 63)+`…",treasury_account_id="0.0.1001",type="FUNGIBLE_COMMON"} 1`,
		`hedera_account_token_balance{account_id="0.0.1001",name="a",network="simulated",symbol="USD",token_id="0.0.7001"} 123.456789`,
		`hedera_account_token_balance{account_id="0.0.1002",name="b",network="simulated",symbol="USD",token_id="0.0.7001"} 0`,

		`hedera_token_exists{name="n0.0.7002",network="simulated",token_id="0.0.7002"} 1`,
		`hedera_token_supply{name="n0.0.7002",network="simulated",token_id="0.0.7002"} 7`,
		`hedera_token_treasury_balance{name="n0.0.7002",network="simulated",token_id="0.0.7002"} 4`,
		`hedera_token_paused{name="n0.0.7002",network="simulated",token_id="0.0.7002"} 0`,
		`hedera_token_deleted{name="n0.0.7002",network="simulated",token_id="0.0.7002"} 1`,
		`hedera_token_info{decimals="0",name="n0.0.7002",network="simulated",symbol="ART",token_id="0.0.7002",token_name="Art",treasury_account_id="0.0.1003",type="NON_FUNGIBLE_UNIQUE"} 1`,
		`hedera_account_token_balance{account_id="0.0.1002",name="b",network="simulated",symbol="ART",token_id="0.0.7002"} 3`,

		`hedera_token_exists{name="n0.0.7003",network="simulated",token_id="0.0.7003"} 1`,
		`hedera_token_supply{name="n0.0.7003",network="simulated",token_id="0.0.7003"} 9.223372036854776`,
		`hedera_token_info{decimals="18",name="n0.0.7003",network="simulated",symbol="NIL",token_id="0.0.7003",token_name="",treasury_account_id="",type="FUNGIBLE_COMMON"} 1`,

		`hedera_token_exists{name="n0.0.7999",network="simulated",token_id="0.0.7999"} 0`,
	)
}

// TestTreasuryThatIsNotListed has a treasury with more tokens than a list of
// accounts tells of each.
func TestTreasuryThatIsNotListed(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	treasury := ptr("0.0.800")
	for i := range 51 {
		id := "0.0." + itoa(7001+i)
		addTokens(t, sim, simulator.Token{ID: id, TotalSupply: 5, TreasuryAccountID: treasury})
		setTokenBalance(t, sim, id, *treasury, int64(i))
	}
	addTokens(
		t, sim,
		simulator.Token{ID: "0.0.7100", TreasuryAccountID: treasury},             // dissociated
		simulator.Token{ID: "0.0.7101", TreasuryAccountID: ptr("0.0.999999999")}, // gone
	)
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.Tokens = entities("0.0.7050", "0.0.7051", "0.0.7100", "0.0.7101")
	body := scrapeCosting(t, sim, setOn(t, network, "tokens"), map[string]int{
		"GET /api/v1/tokens/{id}":          4,
		"GET /api/v1/accounts":             1,
		"GET /api/v1/accounts/{id}/tokens": 2, // of those beyond the first 50
	})
	wantLines(
		t, body, successLine("tokens", false), incompleteLine("tokens", 1), // of 0.0.7101
		`hedera_token_treasury_balance{name="n0.0.7050",network="simulated",token_id="0.0.7050"} 49`,
		`hedera_token_treasury_balance{name="n0.0.7051",network="simulated",token_id="0.0.7051"} 50`,
	)
	if lines := linesWith(body, "hedera_token_treasury_balance{"); len(lines) != 2 {
		t.Errorf("treasury balances %q", lines)
	}
}

func TestAllTokensOfAnAccount(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	key := &simulator.Key{Type: "ED25519", Key: "aa"}
	addTokens(
		t, sim,
		simulator.Token{ID: "0.0.7001", Symbol: "ONE", Decimals: 2, FreezeKey: key, KYCKey: key},
		simulator.Token{ID: "0.0.7002", Symbol: "TWO", Decimals: 3, FreezeKey: key, KYCKey: key},
		simulator.Token{ID: "0.0.7003", Symbol: "ART", Type: "NON_FUNGIBLE_UNIQUE"},
	)
	if err := sim.Update(func(l *simulator.Ledger) error { return l.AddAccount(simulator.Account{ID: "0.0.5001"}) }); err != nil {
		t.Fatal(err)
	}
	setTokenBalance(t, sim, "0.0.7001", "0.0.5001", 150)
	setTokenBalance(t, sim, "0.0.7002", "0.0.5001", 1<<53+1)
	setTokenBalance(t, sim, "0.0.7003", "0.0.5001", 12)
	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.SetTokenState("0.0.7002", simulator.TokenState{Account: "0.0.5001", Frozen: ptr(true), KYCGranted: ptr(false)})
	}); err != nil {
		t.Fatal(err)
	}
	all, missing := account("0.0.5001", "all"), account("0.0.999999", "missing")
	all.AllTokens, missing.AllTokens = true, true
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), all, missing)
	network.Tokens = []config.Entity{entity("0.0.7001", "one")}
	body := scrapeCosting(t, sim, setOn(t, network, "tokens"), map[string]int{
		"GET /api/v1/tokens/{id}":          1,
		"GET /api/v1/accounts":             1,
		"GET /api/v1/accounts/{id}/tokens": 2,
	})
	wantOnly(
		t, body, "tokens",
		`hedera_token_exists{name="one",network="simulated",token_id="0.0.7001"} 1`,
		`hedera_token_supply{name="one",network="simulated",token_id="0.0.7001"} 0`,
		`hedera_token_info{decimals="2",name="one",network="simulated",symbol="ONE",token_id="0.0.7001",token_name="",treasury_account_id="",type="FUNGIBLE_COMMON"} 1`,
		`hedera_account_tokens_truncated{account_id="0.0.5001",name="all",network="simulated"} 0`,
		`hedera_account_token_balance{account_id="0.0.5001",name="all",network="simulated",symbol="ONE",token_id="0.0.7001"} 1.5`,
		`hedera_account_token_balance{account_id="0.0.5001",name="all",network="simulated",symbol="",token_id="0.0.7002"} 9.007199254740992e+12`,
		`hedera_account_token_balance{account_id="0.0.5001",name="all",network="simulated",symbol="",token_id="0.0.7003"} 12`,
		`hedera_account_token_frozen{account_id="0.0.5001",name="all",network="simulated",token_id="0.0.7001"} 0`,
		`hedera_account_token_frozen{account_id="0.0.5001",name="all",network="simulated",token_id="0.0.7002"} 1`,
		`hedera_account_token_kyc_granted{account_id="0.0.5001",name="all",network="simulated",token_id="0.0.7001"} 1`,
		`hedera_account_token_kyc_granted{account_id="0.0.5001",name="all",network="simulated",token_id="0.0.7002"} 0`,
	)
}

// TestAllTokensAreBounded compares an account with as many tokens as are shown
// with one that has one more.
func TestAllTokensAreBounded(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	for id, count := range map[string]int{"0.0.5099": maxOfAccount, "0.0.5100": maxOfAccount + 1} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddAccount(simulator.Account{ID: id}) }); err != nil {
			t.Fatal(err)
		}
		watched := account(id, itoa(count))
		watched.AllTokens = true
		network.Accounts = append(network.Accounts, watched)
	}
	for i := range maxOfAccount + 1 {
		id := "0.0." + itoa(7000+i)
		addTokens(t, sim, simulator.Token{ID: id})
		setTokenBalance(t, sim, id, "0.0.5100", 1)
		if i < maxOfAccount {
			setTokenBalance(t, sim, id, "0.0.5099", 1)
		}
	}
	last := "0.0." + itoa(7000+maxOfAccount)
	network.Tokens = []config.Entity{entity(last, "last")}
	body := scrapeCosting(t, sim, setOn(t, network, "tokens"), map[string]int{
		"GET /api/v1/tokens/{id}":          1,
		"GET /api/v1/accounts":             1,
		"GET /api/v1/accounts/{id}/tokens": 4, // all, and the one that is configured
	})
	wantLines(
		t, body,
		`hedera_account_tokens_truncated{account_id="0.0.5099",name="99",network="simulated"} 0`,
		`hedera_account_tokens_truncated{account_id="0.0.5100",name="100",network="simulated"} 1`,
	)
	for id, want := range map[string]int{"0.0.5099": 99, "0.0.5100": 100} { // the last one is configured
		if n := len(linesWith(body, "hedera_account_token_balance{", `"`+id+`"`)); n != want {
			t.Errorf("account %s has %d token balances, want %d", id, n, want)
		}
	}
}

// TestTokensOfAHundredAccounts has as many accounts as one request can have.
func TestTokensOfAHundredAccounts(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 101})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	for i := range 100 {
		network.Accounts = append(network.Accounts, account("0.0."+itoa(1001+i), itoa(i)))
	}
	for i := range 10 {
		id := "0.0." + itoa(7000+i)
		addTokens(t, sim, simulator.Token{ID: id, TreasuryAccountID: ptr("0.0.1101")})
		for _, holder := range append([]config.Account{account("0.0.1101", "treasury")}, network.Accounts...) {
			setTokenBalance(t, sim, id, holder.ID.String(), 1)
		}
		network.Tokens = append(network.Tokens, entity(id, id))
	}
	body := scrapeCosting(t, sim, setOn(t, network, "tokens"), map[string]int{
		"GET /api/v1/tokens/{id}": 10,
		"GET /api/v1/accounts":    2,
	})
	if n := len(linesWith(body, "hedera_account_token_balance{")); n != 1000 {
		t.Errorf("%d token balances, want 1000", n)
	}
	if n := len(linesWith(body, "hedera_token_treasury_balance{")); n != 10 {
		t.Errorf("%d treasury balances, want 10", n)
	}
}

// TestWholeTokensIsTheNearestFloat compares with exact rational arithmetic.
func TestWholeTokensIsTheNearestFloat(t *testing.T) {
	for _, units := range []int64{0, 1, -1, 3, 99, 123456789012, maxExact - 1, maxExact, maxExact + 1, 9007199254740995, math.MaxInt64, math.MinInt64} {
		for _, decimals := range []int64{0, 1, 6, 8, 18, 19, 30} {
			t.Run(fmt.Sprintf("%de-%d", units, decimals), func(t *testing.T) {
				divisor := new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)
				want, _ := new(big.Rat).SetFrac(big.NewInt(units), divisor).Float64()
				if got := wholeTokens(units, decimals); got != want {
					t.Errorf("wholeTokens = %v, want %v", got, want)
				}
			})
		}
	}
}
