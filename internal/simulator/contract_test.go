// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func contractIDs(list contractList) []string {
	ids := make([]string, len(list.Contracts))
	for i, contract := range list.Contracts {
		ids[i] = contract.ID
	}
	return ids
}

func TestContracts(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	wantRows(t, "ids", s.ContractIDs(), []string{plainContract, richContract, bareContract})
	for query, want := range map[string][]string{
		"":                                {bareContract, richContract, plainContract},
		"?order=asc&limit=1":              {plainContract},
		"?contract.id=lt:" + bareContract: {richContract, plainContract},
		"?contract.id=" + plainContract + "&contract.id=0.0.1001&contract.id=" + bareContract: {bareContract, plainContract},
	} {
		wantRows(t, query, contractIDs(getJSON[contractList](t, s, "/api/v1/contracts"+query)), want)
	}
	list := send(t, s, http.MethodGet, "/api/v1/contracts", nil).body
	if strings.Contains(string(list), "bytecode") {
		t.Error("the list has bytecode")
	}
	bare := getJSON[map[string]json.RawMessage](t, s, "/api/v1/contracts/"+bareContract)
	for _, key := range []string{
		"admin_key", "auto_renew_account", "auto_renew_period", "created_timestamp", "expiration_timestamp", "file_id",
		"max_automatic_token_associations", "nonce", "obtainer_id", "permanent_removal", "proxy_account_id",
	} {
		if string(bare[key]) != "null" {
			t.Errorf("%s is %s", key, bare[key])
		}
	}
	if string(bare["deleted"]) != "true" {
		t.Errorf("the deleted contract is %s", bare["deleted"])
	}
}

func TestOneContract(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	want := getJSON[contractDetail](t, s, "/api/v1/contracts/"+plainContract)
	if len(want.RuntimeBytecode) != 2+2*bytecodeSize || !strings.HasSuffix(want.Bytecode, want.RuntimeBytecode[2:]) {
		t.Errorf("bytecode has %d characters, runtime bytecode %d", len(want.Bytecode), len(want.RuntimeBytecode))
	}
	for _, name := range []string{"1456986", want.EVMAddress, strings.ToUpper(want.EVMAddress[2:])} {
		if got := getJSON[contractDetail](t, s, "/api/v1/contracts/"+name); got.ID != plainContract || got.Bytecode != want.Bytecode {
			t.Errorf("%s: got %s", name, got.ID)
		}
	}
	for path, want := range map[string]int{
		"0.0.2": 404, "0x00000000000000000000000000000000000000ff": 404, "x": 400, "?contract.id=x": 400, "?order=up": 400, "?limit=x": 400,
	} {
		path = strings.Replace("/api/v1/contracts/"+path, "/?", "?", 1)
		if got := send(t, s, http.MethodGet, path, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
}

// A contract is an account as well.
func TestContractsAreAccounts(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.AddContract(Contract{ID: "0.0.5", Memo: "mine"}) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(l *Ledger) error { return l.SetBalance("0.0.5", 77) }); err != nil {
		t.Fatal(err)
	}
	balance := getJSON[balanceList](t, s, "/api/v1/balances?account.id=0.0.5&account.id="+plainContract)
	if len(balance.Balances) != 2 || *balance.Balances[1].Balance != 77 {
		t.Errorf("balances are %+v", balance)
	}
	account := getJSON[accountList](t, s, "/api/v1/accounts?account.id=0.0.5").Accounts[0]
	if *account.Memo != "mine" || *account.EVMAddress != "0x0000000000000000000000000000000000000005" {
		t.Errorf("account is %+v", account)
	}
	if err := s.Update(func(l *Ledger) error { return l.DeleteAccount("0.0.5") }); err != nil {
		t.Fatal(err)
	}
	if got := getJSON[contractDetail](t, s, "/api/v1/contracts/0.0.5"); !got.Deleted {
		t.Error("the contract is not deleted")
	}
	if err := s.Update(func(l *Ledger) error { return l.RemoveAccount("0.0.5") }); err != nil {
		t.Fatal(err)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/contracts/0.0.5", nil); got.status != 404 {
		t.Errorf("removed contract: got %d", got.status)
	}
	for _, id := range []string{plainContract, "0.0.98", "x"} {
		if err := s.Update(func(l *Ledger) error { return l.AddContract(Contract{ID: id}) }); err == nil {
			t.Errorf("contract %s was added", id)
		}
	}
}
