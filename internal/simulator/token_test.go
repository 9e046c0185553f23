// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 5})
	wantRows(t, "ids", s.TokenIDs(), []string{usdToken, sauceToken, nftToken, pausedToken, bareToken})

	body := string(send(t, s, http.MethodGet, "/api/v1/tokens/"+usdToken, nil).body)
	for _, want := range []string{
		`"decimals":"6"`, `"total_supply":"98765432109876"`, `"initial_supply":"0"`, `"max_supply":"9223372036854775807"`,
		`"expiry_timestamp":2019772800000000000`, `"created_timestamp":"1704153600.000000000"`,
		`"pause_status":"UNPAUSED"`, `"treasury_account_id":"0.0.1001"`, `"symbol":"USDSIM"`, `"type":"FUNGIBLE_COMMON"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s, want %s in it", body, want)
		}
	}
	bare := getJSON[map[string]json.RawMessage](t, s, "/api/v1/tokens/"+bareToken)
	for _, key := range []string{
		"admin_key", "auto_renew_account", "auto_renew_period", "created_timestamp", "deleted", "expiry_timestamp",
		"fee_schedule_key", "freeze_key", "kyc_key", "metadata_key", "modified_timestamp", "pause_key", "supply_key",
		"treasury_account_id", "wipe_key",
	} {
		if string(bare[key]) != "null" {
			t.Errorf("%s is %s", key, bare[key])
		}
	}
	if nft := getJSON[Token](t, s, "/api/v1/tokens/"+nftToken); nft.Type != nonFungible || nft.MaxSupply != 10_000 {
		t.Errorf("got %+v", nft)
	}
	if stopped := getJSON[Token](t, s, "/api/v1/tokens/"+pausedToken); stopped.PauseStatus != paused {
		t.Errorf("got %+v", stopped)
	}
	for path, want := range map[string]int{"0.0.1": 404, "x": 400, usdToken + "?limit=1": 400} {
		if got := send(t, s, http.MethodGet, "/api/v1/tokens/"+path, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
}

func TestTokenBalances(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 5})
	const path = "/api/v1/tokens/" + usdToken + "/balances"
	for query, want := range map[string][]string{
		"":                        {"0.0.1005", "0.0.1004", "0.0.1003", "0.0.1002", "0.0.1001"},
		"?order=asc&limit=2":      {"0.0.1001", "0.0.1002"},
		"?account.id=gt:0.0.1003": {"0.0.1005", "0.0.1004"},
		"?account.id=0.0.1002&account.id=0.0.1001": {}, // both have to hold
		"?account.id=0.0.1002&account.id=0.0.1002": {"0.0.1002"},
		"?timestamp=1":                       {},
		"?account.balance=gt:80000000000000": {"0.0.1001"},
		"?account.id=0.0.98":                 {},
	} {
		list := getJSON[tokenBalanceList](t, s, path+query)
		ids := make([]string, len(list.Balances))
		for i, row := range list.Balances {
			ids[i] = row.Account
			if *row.Decimals != 6 {
				t.Errorf("%s has %d decimals", row.Account, row.Decimals)
			}
		}
		wantRows(t, query, ids, want)
		if (list.Timestamp == nil) != (len(ids) == 0) {
			t.Errorf("%q: timestamp is %v", query, list.Timestamp)
		}
	}
	var sum int64
	for _, row := range getJSON[tokenBalanceList](t, s, path).Balances {
		sum += row.Balance
	}
	if sum != 98_765_432_109_876 {
		t.Errorf("the accounts have %d together, not the whole supply", sum)
	}
	page := getJSON[tokenBalanceList](t, s, path+"?limit=2")
	if page.Links.Next == nil || *page.Links.Next != path+"?limit=2&account.id=lt:0.0.1004" {
		t.Errorf("next is %v", page.Links.Next)
	}
	if unknown := getJSON[tokenBalanceList](t, s, "/api/v1/tokens/0.0.1/balances"); len(unknown.Balances) != 0 {
		t.Errorf("an unknown token has %+v", unknown)
	}
	for _, query := range []string{"?account.id=x", "?account.balance=x", "?order=up", "?limit=0", "?timestamp=x"} {
		if got := send(t, s, http.MethodGet, path+query, nil); got.status != 400 {
			t.Errorf("%s: got %d, want 400", query, got.status)
		}
	}
}

func TestAccountTokens(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 5})
	relationships := func(path string) map[string]tokenRelationship {
		byToken := map[string]tokenRelationship{}
		for _, row := range getJSON[tokenRelationshipList](t, s, path).Tokens {
			byToken[row.TokenID] = row
		}
		return byToken
	}
	if got := relationships("/api/v1/accounts/0.0.1001/tokens")[usdToken]; *got.FreezeStatus != unfrozen || *got.KYCStatus != granted || got.AutomaticAssociation {
		t.Errorf("treasury: got %+v", got)
	}
	if got := relationships("/api/v1/accounts/0.0.1002/tokens")[usdToken]; *got.FreezeStatus != frozen || got.Balance == 0 {
		t.Errorf("frozen account: got %+v", got)
	}
	if got := relationships("/api/v1/accounts/0.0.1003/tokens")[usdToken]; *got.KYCStatus != revoked {
		t.Errorf("account without KYC: got %+v", got)
	}
	one := relationships("/api/v1/accounts/0.0.1002/tokens?limit=1&token.id=" + sauceToken)
	if got := one[sauceToken]; len(one) != 1 || *got.FreezeStatus != notApplicable || *got.KYCStatus != notApplicable || !got.AutomaticAssociation {
		t.Errorf("got %+v", one)
	}
	page := getJSON[tokenRelationshipList](t, s, "/api/v1/accounts/0.0.1001/tokens?limit=2")
	if len(page.Tokens) != 2 || *page.Links.Next != "/api/v1/accounts/0.0.1001/tokens?limit=2&token.id=gt:"+sauceToken {
		t.Errorf("got %+v", page)
	}
	for path, want := range map[string]int{"0.0.98/tokens": 200, "0.0.5/tokens": 404, "x-y/tokens": 400, "0.0.98/tokens?token.id=x": 400} {
		if got := send(t, s, http.MethodGet, "/api/v1/accounts/"+path, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
}

func TestAccountsShowTheirTokens(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	if err := s.Update(func(l *Ledger) error { return l.SetTokenBalance(bareToken, "0.0.98", 12) }); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"accounts?account.id=0.0.98", "accounts/0.0.98", "balances?account.id=0.0.98"} {
		body := string(send(t, s, http.MethodGet, "/api/v1/"+path, nil).body)
		if !strings.Contains(body, `"tokens":[{"token_id":"0.0.2964435","balance":12}]`) {
			t.Errorf("%s: got %s", path, body)
		}
	}
}

func TestChangingTokens(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	if err := s.Update(func(l *Ledger) error {
		return l.AddToken(Token{ID: "0.0.7", Decimals: 2, FreezeKey: &Key{}, FreezeDefault: true, SupplyType: finite, MaxSupply: 10})
	}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"supply":  s.Update(func(l *Ledger) error { return l.SetTokenSupply("0.0.7", 10) }),
		"balance": s.Update(func(l *Ledger) error { return l.SetTokenBalance("0.0.7", "0.0.1001", 9) }),
		"pause": s.Update(func(l *Ledger) error {
			return l.SetTokenState("0.0.7", TokenState{Paused: new(true), Deleted: new(true)})
		}),
		"KYC": s.Update(func(l *Ledger) error {
			return l.SetTokenState("0.0.7", TokenState{Account: "0.0.1001", KYCGranted: new(true)})
		}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := getJSON[Token](t, s, "/api/v1/tokens/0.0.7")
	if got.TotalSupply != 10 || got.PauseStatus != paused || !*got.Deleted || got.Type != fungible {
		t.Errorf("got %+v", got)
	}
	row := getJSON[tokenRelationshipList](t, s, "/api/v1/accounts/0.0.1001/tokens?token.id=0.0.7").Tokens[0]
	if row.Balance != 9 || *row.FreezeStatus != frozen || *row.KYCStatus != granted || *row.Decimals != 2 {
		t.Errorf("got %+v", row)
	}
	if err := s.Update(func(l *Ledger) error { return l.SetTokenState("0.0.7", TokenState{Paused: new(false)}) }); err != nil {
		t.Fatal(err)
	}
	if got := getJSON[Token](t, s, "/api/v1/tokens/0.0.7"); got.PauseStatus != unpaused || !*got.Deleted {
		t.Errorf("got %+v", got)
	}

	for name, err := range map[string]error{
		"balance of unknown token":   s.Update(func(l *Ledger) error { return l.SetTokenBalance("0.0.8", "0.0.98", 1) }),
		"balance of unknown account": s.Update(func(l *Ledger) error { return l.SetTokenBalance("0.0.7", "0.0.8", 1) }),
		"supply of unknown token":    s.Update(func(l *Ledger) error { return l.SetTokenSupply("0.0.8", 1) }),
		"state of unknown token":     s.Update(func(l *Ledger) error { return l.SetTokenState("0.0.8", TokenState{}) }),
		"state without association": s.Update(func(l *Ledger) error {
			return l.SetTokenState("0.0.7", TokenState{Account: "0.0.98", Frozen: new(true)})
		}),
	} {
		if !errors.Is(err, errUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"token twice":          s.Update(func(l *Ledger) error { return l.AddToken(Token{ID: usdToken}) }),
		"token without id":     s.Update(func(l *Ledger) error { return l.AddToken(Token{}) }),
		"negative decimals":    s.Update(func(l *Ledger) error { return l.AddToken(Token{ID: "0.0.9", Decimals: -1}) }),
		"negative balance":     s.Update(func(l *Ledger) error { return l.SetTokenBalance(usdToken, "0.0.98", -1) }),
		"bad account":          s.Update(func(l *Ledger) error { return l.SetTokenBalance(usdToken, "x", 1) }),
		"negative supply":      s.Update(func(l *Ledger) error { return l.SetTokenSupply(usdToken, -1) }),
		"supply above maximum": s.Update(func(l *Ledger) error { return l.SetTokenSupply("0.0.7", 11) }),
		"nobody frozen":        s.Update(func(l *Ledger) error { return l.SetTokenState(usdToken, TokenState{Frozen: new(true)}) }),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
