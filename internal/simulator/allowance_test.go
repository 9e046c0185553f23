// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"slices"
	"testing"
)

const allowancesPath = "/api/v1/accounts/0.0.1001/allowances/"

func TestCryptoAllowances(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	list := getJSON[cryptoAllowanceList](t, s, allowancesPath+"crypto")
	want := restAllowance{
		Amount: 75 * tinybarPerHbar, AmountGranted: 100 * tinybarPerHbar, Owner: "0.0.1001", Spender: "0.0.1002",
		Timestamp: TimestampRange{From: formatTimestamp(fixedNow())},
	}
	if len(list.Allowances) != 2 || list.Allowances[0].Spender != "0.0.1003" || list.Allowances[1] != want {
		t.Errorf("got %+v, want %+v last", list.Allowances, want)
	}
	page := getJSON[cryptoAllowanceList](t, s, allowancesPath+"crypto?limit=1&order=asc")
	if page.Allowances[0].Spender != "0.0.1002" || *page.Links.Next != allowancesPath+"crypto?limit=1&order=asc&spender.id=gt:0.0.1002" {
		t.Errorf("got %+v", page)
	}

	for _, a := range []Allowance{
		{Owner: "0.0.1001", Spender: "0.0.1002", Amount: 1, Granted: 5},
		{Owner: "0.0.1001", Spender: "0.0.1003", Amount: 0},
		{Owner: "0.0.98", Spender: "0.0.5", Amount: 8},
	} {
		if err := s.Update(func(l *Ledger) error { return l.SetAllowance(a) }); err != nil {
			t.Fatal(err)
		}
	}
	list = getJSON[cryptoAllowanceList](t, s, allowancesPath+"crypto")
	if len(list.Allowances) != 1 || list.Allowances[0].Amount != 1 || list.Allowances[0].AmountGranted != 5 {
		t.Errorf("after the changes: got %+v", list.Allowances)
	}
	if got := getJSON[cryptoAllowanceList](t, s, "/api/v1/accounts/0.0.98/allowances/crypto").Allowances; got[0].AmountGranted != 8 {
		t.Errorf("granted is not the amount by default: %+v", got)
	}
}

// Token allowances page by spender and token together.
func TestTokenAllowancePages(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	var want []string
	for _, spender := range []string{"0.0.50", "0.0.60", "0.0.70"} {
		for _, token := range []string{"0.0.1", "0.0.2", "0.0.3"} {
			if err := s.Update(func(l *Ledger) error {
				return l.SetAllowance(Allowance{Owner: "0.0.1001", Spender: spender, TokenID: token, Amount: 3})
			}); err != nil {
				t.Fatal(err)
			}
			want = append(want, spender+" "+token)
		}
	}
	walk := func(query string) []string {
		var rows []string
		for next := new(allowancesPath + "tokens?" + query); next != nil; {
			page := getJSON[tokenAllowanceList](t, s, *next)
			for _, a := range page.Allowances {
				rows = append(rows, a.Spender+" "+a.TokenID)
			}
			next = page.Links.Next
		}
		return rows
	}
	for _, limit := range []string{"1", "2", "4", "9", "100"} {
		wantRows(t, limit, walk("limit="+limit), want)
		backwards := walk("order=desc&limit=" + limit)
		slices.Reverse(backwards)
		wantRows(t, limit, backwards, want)
	}
	wantRows(t, "one spender", walk("limit=1&spender.id=0.0.60"), want[3:6])
	wantRows(t, "one token", walk("spender.id=0.0.60&token.id=0.0.2"), want[4:5])
}

func TestAllowanceErrors(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	for path, want := range map[string]int{
		"0.0.1001/allowances/crypto?token.id=0.0.1":                                 400,
		"0.0.1001/allowances/crypto?spender.id=x":                                   400,
		"0.0.1001/allowances/tokens?token.id=0.0.1":                                 400,
		"0.0.1001/allowances/tokens?spender.id=x":                                   400,
		"0.0.1001/allowances/tokens?order=sideways":                                 400,
		"0.0.5/allowances/crypto":                                                   200,
		"0.0.5/allowances/tokens":                                                   200,
		"CIQAAAH4AY2OFK2FL37TSPYEQGPPUJRP4XTKWHD62HKPQX543DTOFFQ/allowances/tokens": 404,
		"0.0.1002/allowances/tokens":                                                200,
		"0.0.1001/allowances/tokens?spender.id=ne:9":                                200,
		"0.0.1001/allowances/crypto?spender.id=lt:99":                               200,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/accounts/"+path, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
	for _, wrong := range []Allowance{
		{Owner: "x", Spender: "0.0.1", Amount: 1},
		{Owner: "0.0.1", Spender: "x", Amount: 1},
		{Owner: "0.0.1", Spender: "0.0.2", TokenID: "x", Amount: 1},
		{Owner: "0.0.1", Spender: "0.0.2", Amount: -1},
	} {
		if err := s.Update(func(l *Ledger) error { return l.SetAllowance(wrong) }); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
}
