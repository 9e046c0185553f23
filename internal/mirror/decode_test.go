// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// readText reads a value and returns what of it could not be read.
func readText(text string, v any) (failures []string, err error) {
	a := newResponse(strings.NewReader(text), request{rows: maxRepeated}, smallBytes, nil, nil)
	defer a.close()
	err = a.read(v)
	for _, failure := range a.failures {
		failures = append(failures, failure.name+": "+failure.err.Error())
	}
	return failures, err
}

func TestField(t *testing.T) {
	type fields struct {
		N Field[int64]  `json:"n"`
		B Field[bool]   `json:"b"`
		S Field[string] `json:"s"`
	}
	tests := []struct {
		in   string
		want fields
		errs string // the field's and part of its error
	}{
		{in: `{}`},
		{in: `{"n":null,"b":null,"s":null}`},
		{in: `{"n":9223372036854775807,"b":false,"s":"ü"}`, want: fields{N: FieldOf(int64(9223372036854775807)), B: FieldOf(false), S: FieldOf("ü")}},
		{in: `{"n":"-9007199254740993"}`, want: fields{N: FieldOf(int64(-9007199254740993))}},
		{in: `{"n":9223372036854775808,"b":true}`, want: fields{B: FieldOf(true)}, errs: "n: not an integer of 64 bits: 9223372036854775808"},
		{in: `{"n":1.5}`, errs: "n: not an integer of 64 bits: 1.5"},
		{in: `{"n":1e3}`, errs: "n: not an integer of 64 bits: 1e3"},
		{in: `{"n":""}`, errs: `n: not an integer of 64 bits: ""`},
		{in: `{"n":[1],"s":"x"}`, want: fields{S: FieldOf("x")}, errs: "n: not an integer of 64 bits: [1]"},
		{in: `{"b":"true"}`, errs: `b: not of the right type: "true"`},
		{in: `{"s":5}`, errs: "s: not of the right type: 5"},
		{in: `{"s":"` + strings.Repeat("x", 2000) + `"}`, errs: "s: more than 1024 bytes of text"},
		{in: `{"n":` + strings.Repeat("9", 2000) + `}`, errs: "n: not an integer of 64 bits: " + strings.Repeat("9", maxTextBytes)},
	}
	for _, tt := range tests {
		var got fields
		errs, err := readText(tt.in, &got)
		if err != nil {
			t.Errorf("%.80s: %v", tt.in, err)
		}
		if text := strings.Join(errs, ", "); !strings.Contains(text, tt.errs) || (tt.errs == "") != (text == "") {
			t.Errorf("%.80s: failures %q, want %q", tt.in, errs, tt.errs)
		}
		got.N.unreadable, got.B.unreadable, got.S.unreadable = false, false, false
		if got != tt.want {
			t.Errorf("%.80s: got %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

func TestFieldMethods(t *testing.T) {
	var f Field[int64]
	if failures, err := readText(`"x"`, &f); err != nil || len(failures) != 1 || !f.Unreadable() || f.Or(7) != 7 {
		t.Errorf("got %+v, %q, %v", f, failures, err)
	}
	if v, ok := f.Get(); ok || v != 0 {
		t.Errorf("got %d, %t", v, ok)
	}
	if f.Pointer() != nil || *FieldOf(int64(3)).Pointer() != 3 {
		t.Error("Pointer is wrong")
	}
	if v, ok := FieldOf(int64(3)).Get(); !ok || v != 3 || FieldOf(int64(3)).Or(7) != 3 {
		t.Errorf("got %d, %t", v, ok)
	}
}

// oddValues are values of which at least one is wrong for any field.
var oddValues = []string{`"odd"`, `1.5`, `-1`, `true`, `{}`, `[]`, `[[]]`, `{"from":7,"to":{}}`, `99999999999999999999999`, `"9223372036854775808"`}

// TestOddFieldCostsNothingElse replaces each field of each entity by odd values,
// one at a time: the row stays with all other fields, unless it is what tells
// the row from others.
func TestOddFieldCostsNothingElse(t *testing.T) {
	testOddFields(t, decodeAccounts, "accounts", fullAccount)
	testOddFields(t, decodeNodes, "nodes", fullNode)
	testOddFields(t, decodeBlocks, "blocks", fullBlock)
	testOddFields(t, decodeTransactions, "transactions", fullTransaction)
	testOddFields(t, decodeContracts, "contracts", fullContract)
	testOddFields(t, decodeSchedules, "schedules", fullSchedule)
	testOddFields(t, decodeTokenRelationships, "tokens", fullRelationship)
	testOddFields(t, decodeAllowances, "allowances", fullAllowance)
	testOddFields(t, decodeTopicMessages, "messages", fullMessage)
	testOddFields(t, decodeRegisteredNodes, "registered_nodes", fullRegister)
	testOddFields(t, decodeBalances, "balances", `{"account":"0.0.4","balance":9007199254740993,"decimals":8}`)
	testOddFields(t, decodeFees, "fees", `{"gas":852000,"transaction_type":"ContractCall"}`)
}

func testOddFields[T row](t *testing.T, decode func(*response) (page[T], error), list, body string) {
	t.Helper()
	keys := []string{"account", "node_id", "number", "transaction_id", "consensus_timestamp", "contract_id", "schedule_id", "token_id", "spender", "sequence_number", "registered_node_id", "transaction_type"}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatal(err)
	}
	whole, _, err := decodeBody(decode, `{"`+list+`":[`+body+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, honest := range members {
		for _, odd := range oddValues {
			members[name] = json.RawMessage(odd)
			text, err := json.Marshal(members)
			if err != nil {
				t.Fatal(err)
			}
			p, failures, err := decodeBody(decode, `{"`+list+`":[`+string(text)+`]}`)
			if err != nil || len(p.rows) != 1 {
				if !slices.Contains(keys, name) || !strings.HasPrefix(fmt.Sprint(failures), "[") || len(failures) == 0 {
					t.Errorf("%s: %s %s costs the row: %v", list, name, odd, err)
				}
				continue
			}
			want, got := reflect.ValueOf(whole.rows[0]), reflect.ValueOf(p.rows[0])
			for i := range want.NumField() {
				if field := want.Type().Field(i); field.Tag.Get("json") != name && !reflect.DeepEqual(want.Field(i).Interface(), got.Field(i).Interface()) {
					t.Errorf("%s: %s %s costs %s", list, name, odd, field.Name)
				}
			}
			for _, failure := range failures {
				if !strings.HasPrefix(failure, name) {
					t.Errorf("%s: %s %s is reported as %s", list, name, odd, failure)
				}
			}
		}
		members[name] = honest
	}
}

func TestOddFieldOfAnObject(t *testing.T) {
	token, failures, err := decodeBody(decodeToken, strings.Replace(fullToken, `"decimals": "8"`, `"decimals": "many"`, 1))
	if err != nil || token.ID != "0.0.1135" || len(failures) != 1 || !strings.Contains(failures[0], `decimals: not an integer of 32 bits: "many"`) {
		t.Errorf("got %+v, %q, %v", token, failures, err)
	}
	stake, failures, err := decodeBody(decodeStake, strings.Replace(fullStake, `"stake_total": 1470000000000000001`, `"stake_total": 1e18`, 1))
	if total, ok := stake.StakeTotal.Get(); err != nil || ok || len(failures) != 1 {
		t.Errorf("stake is %d, %q, %v", total, failures, err)
	}
}

func TestNestedFailureIsNamed(t *testing.T) {
	body := `{"accounts":[{"account":"0.0.2","balance":{"balance":1.5,"tokens":[{"token_id":"0.0.5","balance":"x"},{"token_id":"0.0.6","balance":7}]}}]}`
	p, failures, err := decodeBody(decodeAccounts, body)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(failures)
	want := []string{
		`balance.balance: account 0.0.2: balance.balance: not an integer of 64 bits: 1.5`,
		`balance.tokens.balance: account 0.0.2: balance.tokens.balance: not an integer of 64 bits: "x"`,
	}
	if !slices.Equal(failures, want) {
		t.Errorf("got  %q\nwant %q", failures, want)
	}
	if tokens := p.rows[0].Balance.Or(AccountBalance{}).Tokens.Or(nil); len(tokens) != 2 || tokens[1].Balance.Or(0) != 7 {
		t.Errorf("tokens are %+v", tokens)
	}
}

// TestTimesBeyondInt64 has the rows that took all accounts, contracts or tokens
// down.
func TestTimesBeyondInt64(t *testing.T) {
	accounts, failures, err := decodeBody(decodeAccounts, `{"accounts":[{"account":"0.0.400","auto_renew_period":31556888202959784,"expiry_timestamp":"31556888202959784.000000000","stake_period_start":"147339525398400.000000000"},{"account":"0.0.401"}]}`)
	if err != nil || len(failures) > 0 || len(accounts.rows) != 2 {
		t.Fatal(accounts, failures, err)
	}
	if at, ok := accounts.rows[0].ExpiryTimestamp.Get(); !ok || !at.Never() || accounts.rows[0].AutoRenewPeriod.Or(0) != 31556888202959784 {
		t.Errorf("got %+v", accounts.rows[0])
	}
	contracts, failures, err := decodeBody(decodeContracts, `{"contracts":[{"contract_id":"0.0.400","expiration_timestamp":"31556888202959784.0"}]}`)
	if err != nil || len(failures) > 0 || !contracts.rows[0].ExpirationTimestamp.Or(0).Never() {
		t.Error(contracts, failures, err)
	}
	token, failures, err := decodeBody(decodeToken, `{"token_id":"0.0.400","expiry_timestamp":31556888202959784000000000}`)
	if err != nil || len(failures) > 0 || !token.Expiry().Or(0).Never() {
		t.Error(token, failures, err)
	}
}

func TestDuplicateRowsAreDropped(t *testing.T) {
	body := `{"accounts":[{"account":"0.0.2","memo":"first"},{"account":"0.0.2","memo":"second"},{"account":"0.0.3"},{"account":"0.0.2"}]}`
	srv := newServer(t, answer(200, body))
	c, _, rec := newTestClient(t, srv.URL)
	rows := wantRows(t, c.Accounts(t.Context(), []string{"0.0.2", "0.0.3"}))
	if len(rows) != 2 || rows["0.0.2"].Memo.Or("") != "first" {
		t.Errorf("got %+v", rows)
	}
	if want := []string{"/api/v1/accounts account 2 account 0.0.2: second row is left out"}; !slices.Equal(rec.failures, want) {
		t.Errorf("observed %q, want %q", rec.failures, want)
	}
}

func TestTransactionsOfOneTimestampAreNoDuplicates(t *testing.T) {
	row := func(id, scheduled string, nonce int) string {
		return fmt.Sprintf(`{"consensus_timestamp":"5.0","transaction_id":%q,"nonce":%d,"scheduled":%s}`, id, nonce, scheduled)
	}
	rows := []string{row("0.0.2-1-0", "false", 0), row("0.0.2-1-0", "false", 1), row("0.0.2-1-0", "true", 0), row("0.0.3-1-0", "false", 0), row("0.0.3-1-0", "false", 0)}
	p, failures, err := decodeBody(decodeTransactions, `{"transactions":[`+strings.Join(rows, ",")+`]}`)
	if err != nil || len(p.rows) != 4 || len(failures) != 1 {
		t.Errorf("%d rows, %q, %v, want 4 and one duplicate", len(p.rows), failures, err)
	}
}

// TestEveryTypeCanBeRead looks for a field of a kind that a value may have, but the
// decoder not.
func TestEveryTypeCanBeRead(t *testing.T) {
	scalars := map[reflect.Type]bool{}
	for _, v := range []any{"", int64(0), int32(0), false, 0.0, Timestamp(0), nanoTimestamp(0)} {
		scalars[reflect.TypeOf(v)] = true
	}
	var check func(name string, v reflect.Type)
	check = func(name string, v reflect.Type) {
		switch {
		case scalars[v]:
		case v.Kind() == reflect.Slice:
			check(name, v.Elem())
		case v.Kind() != reflect.Struct:
			t.Errorf("%s is a %s", name, v)
		case strings.HasPrefix(v.Name(), "Field["):
			check(name, v.Field(0).Type)
		default:
			for i := range v.NumField() {
				check(name+"."+v.Field(i).Name, v.Field(i).Type)
			}
		}
	}
	for _, v := range []any{
		Account{},
		Allowance{},
		Balance{},
		Block{},
		Contract{},
		ExchangeRates{},
		Fee{},
		FeeEstimate{},
		NetworkNode{},
		NFTAllowance{},
		RegisteredNode{},
		Schedule{},
		Stake{},
		Supply{},
		Token{},
		TokenRelationship{},
		Topic{},
		TopicMessage{},
		Transaction{},
		callResult{},
		links{},
	} {
		check(reflect.TypeOf(v).Name(), reflect.TypeOf(v))
	}
}

// TestFailuresOfARowAreBounded has a member again and again, each time with a list of
// elements that cannot be read.
func TestFailuresOfARowAreBounded(t *testing.T) {
	const times, elements = 50, 500
	member := `"balance":{"tokens":[` + strings.Repeat(`{"token_id":"0.0.5","balance":{}},`, elements-1) + `{}]}`
	a := newResponse(strings.NewReader(`{"account":"0.0.2"`+strings.Repeat(","+member, times)+`}`), request{}, maxBodyBytes, nil, nil)
	if err := a.read(&Account{}); err != nil {
		t.Fatal(err)
	}
	if len(a.failures) != 1 || a.failures[0].n != times*(elements-1) {
		t.Errorf("%d failures are kept, the first was %d times", len(a.failures), a.failures[0].n)
	}
}

// TestNotJSONIsToldAtOnce has a mirror that sends text and then nothing, not even
// the end.
func TestNotJSONIsToldAtOnce(t *testing.T) {
	r, w := io.Pipe()
	go func() { _, _ = w.Write([]byte("upstream busy")) }()
	a := newResponse(r, request{rows: maxRepeated}, smallBytes, nil, nil)
	_, err := decodeAccounts(a)
	wantError(t, decodeError(func(text string) string { return text }, a.guard.beginning, a.end(err)), "response is not JSON: upstream busy")
}
