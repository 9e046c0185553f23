// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"reflect"
	"testing"
)

// fuzzDecoder checks that what a decoder accepts survives encoding and decoding
// again, which it does not when a number loses precision.
func fuzzDecoder[T any](f *testing.F, list string, decode func([]byte) (page[T], error), seeds ...string) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decode(body)
		if err != nil {
			return
		}
		again, err := json.Marshal(map[string]any{list: p.rows, "links": map[string]string{"next": p.next}})
		if err != nil {
			t.Fatal(err)
		}
		q, err := decode(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if !reflect.DeepEqual(p, q) {
			t.Errorf("%+v became %+v", p, q)
		}
	})
}

func FuzzDecodeAccounts(f *testing.F) {
	fuzzDecoder(f, "accounts", decodeAccounts,
		accountsBody("/api/v1/accounts?limit=1&account.id=gt:0.0.2", "0.0.2"),
		`{"accounts":[`+fullAccount+`,`+nullAccount+`],"links":{"next":null}}`,
		`{"accounts":[]}`, `{}`, `[]`, `null`, `{"accounts":[null]}`,
	)
}

func FuzzDecodeNodes(f *testing.F) {
	fuzzDecoder(f, "nodes", decodeNodes,
		`{"nodes":[`+fullNode+`,`+nullNode+`],"links":{"next":"/api/v1/network/nodes?limit=25&node.id=gt:1"}}`,
		`{"nodes":[{"node_id":9223372036854775807}],"links":{"next":null}}`,
		`{"nodes":[{"timestamp":{"from":"1.5","to":"9223372036.854775807"}}]}`,
	)
}

// fuzzObject does for a single object what fuzzDecoder does for lists.
func fuzzObject[T any](f *testing.F, decode func([]byte) (T, error), seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, `{}`, `null`, `[]`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := decode(body)
		if err != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		w, err := decode(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if !reflect.DeepEqual(v, w) {
			t.Errorf("%+v became %+v", v, w)
		}
	})
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

func FuzzDecodeFees(f *testing.F) { fuzzDecoder(f, "fees", decodeFees, fullFees, `{"fees":[]}`) }

func FuzzDecodeBalances(f *testing.F) {
	fuzzDecoder(f, "balances", decodeBalances,
		`{"timestamp":"1.0","balances":[{"account":"0.0.2","balance":9007199254740993,"tokens":[{"token_id":"0.0.5","balance":1}]}],"links":{"next":null}}`)
}

func FuzzDecodeBlocks(f *testing.F) {
	fuzzDecoder(f, "blocks", decodeBlocks, `{"blocks":[`+fullBlock+`,`+nullBlock+`],"links":{"next":"/api/v1/blocks?limit=2&block.number=lt:0"}}`)
}

func FuzzDecodeRegisteredNodes(f *testing.F) {
	fuzzDecoder(f, "registered_nodes", decodeRegisteredNodes, `{"registered_nodes":[`+fullRegister+`,`+nullRegister+`],"links":{"next":null}}`)
}

func FuzzDecodeTokenRelationships(f *testing.F) {
	fuzzDecoder(f, "tokens", decodeTokenRelationships, `{"tokens":[`+fullRelationship+`],"links":{"next":null}}`)
}

func FuzzDecodeTransactions(f *testing.F) {
	fuzzDecoder(f, "transactions", decodeTransactions, `{"transactions":[`+fullTransaction+`,`+nullTransaction+`],"links":{"next":null}}`)
}

func FuzzDecodeAllowances(f *testing.F) {
	fuzzDecoder(f, "allowances", decodeAllowances, `{"allowances":[`+fullAllowance+`],"links":{"next":null}}`)
}

func FuzzDecodeTopicMessages(f *testing.F) {
	fuzzDecoder(f, "messages", decodeTopicMessages, `{"messages":[`+fullMessage+`],"links":{"next":null}}`)
}

func FuzzDecodeContracts(f *testing.F) {
	fuzzDecoder(f, "contracts", decodeContracts, `{"contracts":[`+fullContract+`,`+nullContract+`],"links":{"next":null}}`)
}

func FuzzDecodeSchedules(f *testing.F) {
	fuzzDecoder(f, "schedules", decodeSchedules, `{"schedules":[`+fullSchedule+`,`+nullSchedule+`],"links":{"next":null}}`)
}

func FuzzErrorMessage(f *testing.F) {
	for _, s := range []string{`{"_status":{"messages":[{"message":"Not found","detail":"d"}]}}`, htmlPage, "plain\ntext", "\xff", `{"_status":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		text := []rune(excerpt(errorMessage(body)))
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
