// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fuzzList checks what holds of every page that a decoder accepts.
func fuzzList[T row](f *testing.F, decode func(*response) (page[T], error), seeds ...string) {
	f.Helper()
	fuzzObject(f, func(r *response) (page[T], error) {
		p, err := decode(r)
		if err != nil {
			return p, err
		}
		if n := len(p.rows) + p.dropped + p.repeated; n > maxRepeated {
			return p, fmt.Errorf("fuzz: %d rows", n)
		}
		seen := map[string]bool{}
		for _, row := range p.rows {
			_, key, ok := row.key()
			if !ok || seen[key] || len(key) > 2*maxIDBytes {
				return p, fmt.Errorf("fuzz: key %q, %t, of %+v", key, ok, row)
			}
			seen[key] = true
		}
		return p, nil
	}, seeds...)
}

// fuzzObject checks that a decoder does the same with the same, and that what
// it reads is bounded.
func fuzzObject[T any](f *testing.F, decode func(*response) (T, error), seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, `{}`, `null`, `[]`, `{"links":null}`) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		v, failures, err := decodeBody(decode, body)
		w, again, errAgain := decodeBody(decode, body)
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || len(failures) != len(again) || !reflect.DeepEqual(v, w) {
			t.Errorf("%+v, %q, %v became %+v, %q, %v", v, failures, err, w, again, errAgain)
		}
		if err != nil && strings.HasPrefix(err.Error(), "fuzz: ") {
			t.Error(err)
		}
		for _, failure := range failures {
			if len(failure) > 2*maxTextBytes {
				t.Errorf("a failure of %d bytes", len(failure))
			}
		}
	})
}

func FuzzDecodeAccounts(f *testing.F) {
	fuzzList(f, decodeAccounts,
		accountsBody("/api/v1/accounts?limit=1&account.id=gt:0.0.2", "0.0.2"),
		`{"accounts":[`+fullAccount+`,`+nullAccount+`],"links":{"next":null}}`,
		`{"accounts":[]}`, `{}`, `[]`, `null`, `{"accounts":[null]}`,
	)
}

// FuzzDecodeAccountRows checks that rows of [Client.AccountParts] are those of
// [Client.Accounts], and the same if those of an earlier answer are known, or all
// are, however the answer arrives.
func FuzzDecodeAccountRows(f *testing.F) {
	rows := accountsBody("", "0.0.2", "0.0.2", "0.0.3")
	odd := `{"accounts":[` + fullAccount + `,` + nullAccount + `,5,{"account":"0.0.7","memo":5},{"account":"0.0.8","account":"0.0.9"},null]}`
	f.Add(rows, rows, uint16(1))
	f.Add(odd, odd, uint16(7))
	f.Add(accountsBody("", "0.0.2", "0.0.3"), rows+" ", uint16(100))
	f.Add(accountsBody("", "0.0.3"), `{"accounts":[{"account":"0.0.3"}],"accounts":[null]}`, uint16(5000))
	f.Fuzz(func(t *testing.T, earlier, body string, size uint16) {
		accounts, failures, err := decodeBody(decodeAccounts, body)
		want := readRows(strings.NewReader(body), smallBytes, nil)
		if (err == nil) != (want.err == nil) {
			t.Fatalf("%v, want %v", want.err, err)
		}
		var decoded []Account
		for _, row := range want.rows {
			decoded = append(decoded, *row.Account)
		}
		for i, account := range accounts.rows {
			if balance, ok := account.Balance.Get(); ok { // tokens are not read
				balance.Tokens = Field[[]TokenAmount]{}
				accounts.rows[i].Balance = FieldOf(balance)
			}
		}
		failures = slices.DeleteFunc(failures, func(failure string) bool { return strings.HasPrefix(failure, "balance.tokens") })
		if len(decoded) != len(accounts.rows) || len(decoded) > 0 && !reflect.DeepEqual(decoded, accounts.rows) || err == nil && !slices.Equal(want.failures, failures) {
			t.Fatalf("%+v, %q; want %+v, %q", decoded, want.failures, accounts.rows, failures)
		}
		for _, known := range []digests{digestsOf(readRows(strings.NewReader(earlier), smallBytes, nil).rows), digestsOf(want.rows)} {
			got := readRows(pieces{strings.NewReader(body), max(1, int(size))}, smallBytes, known)
			if err := got.differs(want, known); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzDecodeNodes(f *testing.F) {
	fuzzList(f, decodeNodes,
		`{"nodes":[`+fullNode+`,`+nullNode+`],"links":{"next":"/api/v1/network/nodes?limit=25&node.id=gt:1"}}`,
		`{"nodes":[{"node_id":9223372036854775807}],"links":{"next":null}}`,
		`{"nodes":[{"timestamp":{"from":"1.5","to":"9223372036.854775807"}}]}`,
	)
}

func FuzzDecodeAccount(f *testing.F) { fuzzObject(f, decodeAccount, fullAccount, nullAccount) }

func FuzzDecodeToken(f *testing.F) { fuzzObject(f, decodeToken, fullToken, nullToken) }

func FuzzDecodeStake(f *testing.F) { fuzzObject(f, decodeStake, fullStake) }

func FuzzDecodeSupply(f *testing.F) {
	fuzzObject(f, decodeSupply, fullSupply, `{"total_supply":null}`, `{"total_supply":5}`)
}

func FuzzDecodeExchangeRates(f *testing.F) {
	fuzzObject(f, decodeExchangeRates, fullRates, `{"current_rate":null}`)
}

func FuzzDecodeFees(f *testing.F) { fuzzList(f, decodeFees, fullFees, `{"fees":[]}`) }

func FuzzDecodeBalances(f *testing.F) {
	fuzzList(f, decodeBalances,
		`{"timestamp":"1.0","balances":[{"account":"0.0.2","balance":9007199254740993,"tokens":[{"token_id":"0.0.5","balance":1}]}],"links":{"next":null}}`)
}

func FuzzDecodeBlocks(f *testing.F) {
	fuzzList(f, decodeBlocks, `{"blocks":[`+fullBlock+`,`+nullBlock+`],"links":{"next":"/api/v1/blocks?limit=2&block.number=lt:0"}}`)
}

func FuzzDecodeRegisteredNodes(f *testing.F) {
	fuzzList(f, decodeRegisteredNodes, `{"registered_nodes":[`+fullRegister+`,`+nullRegister+`],"links":{"next":null}}`)
}

func FuzzDecodeTokenRelationships(f *testing.F) {
	fuzzList(f, decodeTokenRelationships, `{"tokens":[`+fullRelationship+`],"links":{"next":null}}`)
}

func FuzzDecodeTransactions(f *testing.F) {
	fuzzList(f, decodeTransactions, `{"transactions":[`+fullTransaction+`,`+nullTransaction+`],"links":{"next":null}}`)
}

func FuzzDecodeAllowances(f *testing.F) {
	fuzzList(f, decodeAllowances, `{"allowances":[`+fullAllowance+`],"links":{"next":null}}`)
}

func FuzzDecodeNFTAllowances(f *testing.F) {
	fuzzList(f, decodeNFTAllowances, `{"allowances":[`+fullNFTAllowance+`],"links":{"next":null}}`)
}

func FuzzDecodeTopicMessages(f *testing.F) {
	fuzzList(f, decodeTopicMessages, `{"messages":[`+fullMessage+`],"links":{"next":null}}`)
}

func FuzzDecodeContracts(f *testing.F) {
	fuzzList(f, decodeContracts, `{"contracts":[`+fullContract+`,`+nullContract+`],"links":{"next":null}}`)
}

func FuzzDecodeSchedules(f *testing.F) {
	fuzzList(f, decodeSchedules, `{"schedules":[`+fullSchedule+`,`+nullSchedule+`],"links":{"next":null}}`)
}

func FuzzErrorMessage(f *testing.F) {
	for _, s := range []string{`{"_status":{"messages":[{"message":"Not found","detail":"d"}]}}`, htmlPage, "plain\ntext", "\xff", `{"_status":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		message, _, _ := errorMessage(body)
		text := []rune(excerpt(message))
		if len(text) > maxExcerpt+1 {
			t.Errorf("%d runes", len(text))
		}
		for _, r := range text {
			if r < ' ' {
				t.Errorf("%q has control characters", string(text))
			}
		}
	})
}

func FuzzNextLink(f *testing.F) {
	for _, s := range []string{"/api/v1/accounts?limit=1", "//evil/api/v1/accounts", "https://m.example/api/v1/accounts", "http:\\\\evil/api/v1/accounts", "?x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		b, err := newBase(mustParse(t, "https://user@m.example/key"))
		if err != nil {
			t.Fatal(err)
		}
		query, err := b.next(link, "/api/v1/accounts")
		if err != nil {
			return
		}
		u := b.resolve("/api/v1/accounts", query)
		if u.Scheme != "https" || u.Host != "m.example" || u.Path != "/key/api/v1/accounts" || u.User.String() != "user" {
			t.Errorf("%q leads to %s", link, u)
		}
	})
}

func FuzzField(f *testing.F) {
	for _, s := range []string{"1", `"1"`, "-9223372036854775808", "9223372036854775808", "1.5", "1e3", "null", `"x"`, `"\u0000"`, "[]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if !json.Valid([]byte(data)) || data != strings.TrimSpace(data) {
			return // no decoder has it
		}
		var n Field[int64]
		var s Field[string]
		failures, err := readText(data, &n)
		if err != nil {
			t.Fatal(err)
		}
		more, err := readText(data, &s)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := n.Get(); ok {
			want, exact := new(big.Int).SetString(strings.Trim(data, `"`), 10)
			if !exact || want.Cmp(big.NewInt(v)) != 0 {
				t.Errorf("%s became %d", data, v)
			}
		}
		if v, ok := s.Get(); ok && len(v) > maxTextBytes {
			t.Errorf("a text of %d bytes", len(v))
		}
		for _, failure := range append(failures, more...) {
			if len(failure) > 2*maxTextBytes {
				t.Errorf("an error of %d bytes", len(failure))
			}
		}
	})
}
