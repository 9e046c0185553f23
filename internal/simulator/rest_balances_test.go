// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"testing"
)

func TestBalances(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 30})
	list := getJSON[balanceList](t, s, "/api/v1/balances")
	if len(list.Balances) != 25 || list.Balances[0].Account != bareContract || list.Links.Next == nil {
		t.Errorf("got %d rows from %s, next %v", len(list.Balances), list.Balances[0].Account, list.Links.Next)
	}
	for _, row := range list.Balances {
		if want, _ := s.Balance(row.Account); row.Balance != want || row.Tokens == nil {
			t.Errorf("%s: got %+v, want %d", row.Account, row, want)
		}
	}

	if err := s.SetBalance("0.0.98", 0); err != nil {
		t.Fatal(err)
	}
	one := getJSON[balanceList](t, s, "/api/v1/balances?account.id=0.0.98&account.id=0.0.1001")
	if len(one.Balances) != 2 || one.Balances[1].Balance != 0 {
		t.Errorf("got %+v, want the empty account too", one.Balances)
	}
	if one.Timestamp == nil || *one.Timestamp != formatTimestamp(fixedNow()) {
		t.Errorf("timestamp is %v, want the newest of the rows", one.Timestamp)
	}
}

func TestBalancesOfUnknownAccounts(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	got := send(t, s, http.MethodGet, "/api/v1/balances?account.id=0.0.999999", nil)
	if want := `{"timestamp":null,"balances":[],"links":{"next":null}}`; got.status != 200 || string(got.body) != want {
		t.Errorf("got %d %s, want %s", got.status, got.body, want)
	}
}

func TestLater(t *testing.T) {
	old, recent := new("9.000000000"), new("10.000000000")
	for _, tc := range []struct{ a, b, want *string }{
		{nil, nil, nil}, {old, nil, old}, {nil, old, old}, {old, recent, recent}, {recent, old, recent},
	} {
		if got := later(tc.a, tc.b); got != tc.want {
			t.Errorf("later(%v, %v) is %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}
