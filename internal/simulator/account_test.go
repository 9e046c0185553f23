// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestGenesisAccounts(t *testing.T) {
	build := func(seed uint64) []Account {
		return genesisAccounts(rand.New(rand.NewPCG(seed, 0)), 40)
	}
	accounts := build(1)
	if !reflect.DeepEqual(accounts, build(1)) {
		t.Error("the same seed gives other accounts")
	}
	if reflect.DeepEqual(accounts, build(2)) {
		t.Error("another seed gives the same accounts")
	}

	var supply int64
	var nulls, evm, staked int
	for _, account := range accounts {
		supply += account.tinybar()
		if account.Deleted == nil && account.Key == nil && account.Memo == nil {
			nulls++
		}
		if account.EVMAddress != nil {
			evm++
		}
		if account.StakedNodeID != nil {
			staked++
		}
	}
	if supply != totalSupplyTinybar {
		t.Errorf("supply is %d, want %d", supply, int64(totalSupplyTinybar))
	}
	if nulls == 0 || evm == 0 || staked == 0 {
		t.Errorf("got %d accounts of nulls, %d with an EVM address, %d staked, want some of each", nulls, evm, staked)
	}
	if first := accounts[0]; first.ID != "0.0.2" || first.tinybar() <= 1<<53 {
		t.Errorf("treasury is %s with %d tinybar, want more than 2^53", first.ID, first.tinybar())
	}
}

func accountIDs(list accountList) []string {
	var ids []string
	for _, account := range list.Accounts {
		ids = append(ids, account.ID)
	}
	return ids
}

func TestAccountsList(t *testing.T) {
	const contracts = "0.0.1456986 0.0.3045981 0.0.3964804"
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	for _, tc := range []struct {
		query, want string
	}{
		{"", "0.0.2 0.0.3 0.0.98 0.0.800 0.0.801 0.0.802 0.0.1001 0.0.1002 0.0.1003 " + contracts},
		{"order=desc&limit=2", "0.0.3964804 0.0.3045981"},
		{"account.id=98", "0.0.98"},
		{"account.id=0.0.98&account.id=eq:0.0.2&account.id=0.0.98", "0.0.2 0.0.98"},
		{"account.id=0.0.98&account.id=0.0.999999", "0.0.98"},
		{"account.id=0.0.999999", ""},
		{"account.id=0.1.98", ""},
		{"account.id=0.98", "0.0.98"},
		{"account.id=0x0000000000000000000000000000000000000062", "0.0.98"},
		{"account.id=0xffffffffffffffffffffffffffffffffffffffff", ""},
		{"account.id=gt:0.0.98&account.id=lte:0.0.801", "0.0.800 0.0.801"},
		{"account.id=gte:0.0.1001&account.id=ne:0.0.1002", "0.0.1001 0.0.1003 " + contracts},
		{"account.id=lt:0.0.98", "0.0.2 0.0.3"},
		{"account.balance=gt:100000000000000000", "0.0.2"},
	} {
		got := strings.Join(accountIDs(getJSON[accountList](t, s, "/api/v1/accounts?"+tc.query)), " ")
		if got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.query, got, tc.want)
		}
	}
	for _, query := range []string{
		"account.id=0.0.x", "account.id=about:3", "order=up", "balance=maybe", "limit=0",
		"account.balance=x", "timestamp=1", "account.id=0.0.274877906944",
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/accounts?"+query, nil); got.status != 400 {
			t.Errorf("%q: got %d, want 400", query, got.status)
		}
	}
}

func TestAccountsLimits(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 150})
	for query, want := range map[string]int{"": 25, "?limit=100": 100, "?limit=1000": 100, "?limit=7": 7} {
		if got := len(getJSON[accountList](t, s, "/api/v1/accounts"+query).Accounts); got != want {
			t.Errorf("%q: got %d accounts, want %d", query, got, want)
		}
	}

	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprintf("account.id=0.0.%d", 1001+i)
	}
	hundred := "/api/v1/accounts?limit=100&" + strings.Join(ids[:100], "&")
	if got := getJSON[accountList](t, s, hundred); len(got.Accounts) != 100 || got.Links.Next == nil {
		t.Errorf("100 ids: got %d accounts, next %v", len(got.Accounts), got.Links.Next)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/accounts?limit=100&"+strings.Join(ids, "&"), nil); got.status != 400 {
		t.Errorf("101 ids: got %d, want 400", got.status)
	}
}

func TestAccountsPaging(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 32}) // 40 with the system's and the contracts
	for _, order := range []string{ascending, descending} {
		var ids []string
		pages := 0
		for next := new("/api/v1/accounts?limit=10&order=" + order); next != nil; pages++ {
			page := getJSON[accountList](t, s, *next)
			ids = append(ids, accountIDs(page)...)
			next = page.Links.Next
		}
		if order == descending {
			slices.Reverse(ids)
		}
		if !slices.Equal(ids, s.AccountIDs()) {
			t.Errorf("%s: pages give %v", order, ids)
		}
		// A full last page links to an empty one.
		if pages != 5 {
			t.Errorf("%s: %d pages, want 5", order, pages)
		}
	}
}

func TestBigBalancesAreBareIntegers(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	const big = 1<<53 + 1 // no float64
	if err := s.Update(func(l *Ledger) error { return l.SetBalance("0.0.2", big) }); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/accounts?account.id=0.0.2", "/api/v1/accounts/0.0.2", "/api/v1/balances?account.id=0.0.2"} {
		if body := send(t, s, http.MethodGet, path, nil).body; !strings.Contains(string(body), `"balance":9007199254740993`) {
			t.Errorf("%s: got %s", path, body)
		}
	}
}

func TestBalanceFalse(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	list := getJSON[accountList](t, s, "/api/v1/accounts?balance=false")
	for _, account := range list.Accounts {
		if account.Balance != nil {
			t.Errorf("%s has a balance", account.ID)
		}
	}
	if tinybar, _ := s.Balance("0.0.98"); tinybar == 0 {
		t.Error("the request emptied the account")
	}
}

func TestDeletedAndRemovedAccounts(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 2})
	if err := s.Update(func(l *Ledger) error { return l.DeleteAccount("0.0.1001") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(l *Ledger) error { return l.RemoveAccount("0.0.1002") }); err != nil {
		t.Fatal(err)
	}
	list := getJSON[accountList](t, s, "/api/v1/accounts?account.id=0.0.1001&account.id=0.0.1002")
	if len(list.Accounts) != 1 || list.Accounts[0].Deleted == nil || !*list.Accounts[0].Deleted {
		t.Errorf("got %+v, want 0.0.1001 deleted and 0.0.1002 absent", list.Accounts)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/accounts/0.0.1002", nil); got.status != 404 {
		t.Errorf("removed account: got %d, want 404", got.status)
	}
}

func TestOneAccount(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1}) // the first has an EVM address and an alias
	want := getJSON[accountList](t, s, "/api/v1/accounts?account.id=0.0.1001").Accounts[0]
	if want.EVMAddress == nil || want.Alias == nil {
		t.Fatalf("account is %+v", want)
	}
	for _, name := range []string{"0.0.1001", "1001", *want.EVMAddress, strings.ToUpper(strings.TrimPrefix(*want.EVMAddress, "0x")), *want.Alias} {
		got := getJSON[map[string]json.RawMessage](t, s, "/api/v1/accounts/"+name+"?transactions=false")
		if string(got["account"]) != `"0.0.1001"` || string(got["transactions"]) != "[]" || string(got["links"]) != `{"next":null}` {
			t.Errorf("%s: got %s", name, got)
		}
	}
	for name, want := range map[string]int{
		"0.0.5000": 404, "0x00000000000000000000000000000000000000ff": 404, "AAAA": 404,
		"what-is-this": 400, "0.0.1001?transactions=perhaps": 400, "0.0.1001?nope=1": 400,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/accounts/"+name, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", name, got.status, want)
		}
	}
}

// Every field of AccountInfo is there, null where it has to be.
func TestAccountShape(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.AddAccount(Account{ID: "0.0.7"}) }); err != nil {
		t.Fatal(err)
	}
	body := send(t, s, http.MethodGet, "/api/v1/accounts?account.id=0.0.7", nil).body
	const want = `{"accounts":[{"account":"0.0.7","alias":null,"auto_renew_period":null,"balance":{"balance":null,"timestamp":null,"tokens":[]},` +
		`"created_timestamp":null,"decline_reward":false,"deleted":null,"ethereum_nonce":null,"evm_address":"0x0000000000000000000000000000000000000007",` +
		`"expiry_timestamp":null,"key":null,"max_automatic_token_associations":null,"memo":"","pending_reward":0,` +
		`"receiver_sig_required":null,"staked_account_id":null,"staked_node_id":null,"stake_period_start":null}],` +
		`"links":{"next":null}}`
	if string(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestBalances(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 30})
	list := getJSON[balanceList](t, s, "/api/v1/balances")
	if len(list.Balances) != 25 || list.Balances[0].Account != bareContract || list.Links.Next == nil {
		t.Errorf("got %d rows from %s, next %v", len(list.Balances), list.Balances[0].Account, list.Links.Next)
	}
	for _, row := range list.Balances {
		if want, _ := s.Balance(row.Account); *row.Balance != want || row.Tokens == nil {
			t.Errorf("%s: got %+v, want %d", row.Account, row, want)
		}
	}

	if err := s.Update(func(l *Ledger) error { return l.SetBalance("0.0.98", 0) }); err != nil {
		t.Fatal(err)
	}
	one := getJSON[balanceList](t, s, "/api/v1/balances?account.id=0.0.98&account.id=0.0.1001")
	if len(one.Balances) != 2 || *one.Balances[1].Balance != 0 {
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

// What never expires does so beyond an int64 of nanoseconds (recorded: 0.0.400).
func TestEndlessExpiry(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	created, endless, start := "1760957385.620591678", int64(31_556_888_202_959_784), "147339525398400.000000000"
	err := s.Update(func(l *Ledger) error {
		return errors.Join(
			l.AddAccount(Account{ID: "0.0.400", CreatedTimestamp: &created, AutoRenewPeriod: &endless, StakePeriodStart: &start}),
			l.AddContract(Contract{ID: "0.0.401", CreatedTimestamp: &created, AutoRenewPeriod: &endless}),
			l.AddToken(Token{ID: "0.0.402", CreatedTimestamp: &created, AutoRenewPeriod: &endless}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"accounts/0.0.400":  `"expiry_timestamp":"31556889963917169.620591678"`,
		"accounts/0.0.401":  `"expiry_timestamp":"31556889963917169.620591678"`,
		"contracts/0.0.401": `"expiration_timestamp":"31556889963917169.620591678"`,
		"tokens/0.0.402":    `"expiry_timestamp":31556889963917169620591678`,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/"+path, nil); !strings.Contains(string(got.body), want) {
			t.Errorf("%s: got %s, want %s in it", path, got.body, want)
		}
	}
}
