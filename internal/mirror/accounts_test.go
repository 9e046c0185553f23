// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestAccountsMakesOneRequestPerHundred(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if len(q["account.id"]) != 100 || q.Get("limit") != "100" || q.Get("balance") != "true" || r.URL.Path != "/api/v1/accounts" {
			t.Errorf("unexpected request %s", r.URL)
		}
		mu.Lock()
		for _, id := range q["account.id"] {
			asked[id]++
		}
		mu.Unlock()
		serveAccounts(100)(w, r)
	})
	c, _, rec := newTestClient(t, srv.URL)

	ids := accountIDs(10_000)
	accounts := wantRows(t, c.Accounts(t.Context(), append(ids, ids[:50]...)))
	if got := srv.requests.Load(); got != 100 {
		t.Errorf("%d requests for 10,000 ids, want 100", got)
	}
	if len(asked) != len(ids) {
		t.Errorf("asked for %d ids, want %d", len(asked), len(ids))
	}
	if got := idsOf(accounts); !slices.Equal(got, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%d accounts, want %d", len(got), len(ids))
	}
	if got, _ := accounts["0.0.1000"].Balance.Or(AccountBalance{}).Balance.Get(); got != 1<<53+1 {
		t.Errorf("balance %d lost precision", got)
	}
	if got := rec.seen(); len(got) != 100 || got[0] != "/api/v1/accounts 200" {
		t.Errorf("observed %d requests, the first as %q", len(got), got[0])
	}
}

func TestAccountsAreThoseAskedFor(t *testing.T) {
	srv := newServer(t, answer(200, accountsBody("", "0.0.2", "0.0.3", "0.0.77")))
	c, _, _ := newTestClient(t, srv.URL)
	accounts := wantRows(t, c.Accounts(t.Context(), []string{"0.0.3", "0.0.404", "0.0.2", "0.0.3"}))
	if got, want := idsOf(accounts), []string{"0.0.2", "0.0.3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: without the unknown and those not asked for", got, want)
	}
}

func TestAccountsWithoutIDs(t *testing.T) {
	srv := newServer(t, answer(500, ""))
	c, _, _ := newTestClient(t, srv.URL)
	accounts := wantRows(t, c.Accounts(t.Context(), nil))
	if len(accounts) != 0 || srv.requests.Load() != 0 {
		t.Errorf("got %v with %d requests, want nothing with none", accounts, srv.requests.Load())
	}
}

// fullAccount is in the shape of the OpenAPI's example.
const fullAccount = `{
  "account": "0.0.8",
  "alias": "HIQQEXWKW53RKN4W6XXC4Q232SYNZ3SZANVZZSUME5B5PRGXL663UAQA",
  "auto_renew_period": 7776000,
  "balance": {"timestamp": "0.000002345", "balance": 80, "tokens": [{"token_id": "0.0.200001", "balance": 9223372036854775807}]},
  "created_timestamp": "1562591528.000123456",
  "decline_reward": true,
  "deleted": false,
  "ethereum_nonce": 10,
  "evm_address": "0xac384c53f03855fa1b3616052f8ba32c6c2a2fec",
  "expiry_timestamp": "9223372036.854775806",
  "key": {"_type": "ED25519", "key": "15706b22"},
  "max_automatic_token_associations": -1,
  "memo": "entity memo",
  "pending_reward": 9007199254740993,
  "receiver_sig_required": false,
  "staked_account_id": "0.0.7",
  "staked_node_id": 3,
  "stake_period_start": "172800000.000000000",
  "delegation_address": null
}`

const nullAccount = `{
  "account": "0.0.9", "alias": null, "auto_renew_period": null, "balance": null, "created_timestamp": null,
  "decline_reward": null, "deleted": null, "ethereum_nonce": null, "evm_address": null, "expiry_timestamp": null,
  "key": null, "max_automatic_token_associations": null, "memo": null, "pending_reward": 0,
  "receiver_sig_required": null, "staked_account_id": null, "staked_node_id": null, "stake_period_start": null
}`

func TestDecodeAccounts(t *testing.T) {
	p, failures, err := decodeBody(decodeAccounts, `{"accounts":[`+fullAccount+`,`+nullAccount+`],"links":{"next":"/api/v1/accounts?limit=2"}}`)
	if err != nil || len(failures) > 0 {
		t.Fatal(err, failures)
	}
	want := []Account{{
		ID:              "0.0.8",
		EVMAddress:      FieldOf("0xac384c53f03855fa1b3616052f8ba32c6c2a2fec"),
		AutoRenewPeriod: FieldOf(int64(7776000)),
		Balance: FieldOf(AccountBalance{
			Balance: FieldOf(int64(80)),
			Tokens:  FieldOf([]TokenAmount{{TokenID: "0.0.200001", Balance: FieldOf(int64(9223372036854775807))}}),
		}),
		CreatedTimestamp: FieldOf(Timestamp(1562591528000123456)),
		Deleted:          FieldOf(false),
		EthereumNonce:    FieldOf(int64(10)),
		ExpiryTimestamp:  FieldOf(Timestamp(9223372036_854775806)),
		Key:              FieldOf(Key{Type: "ED25519", Key: "15706b22"}),
		Memo:             FieldOf("entity memo"),
		PendingReward:    FieldOf(int64(9007199254740993)),
		StakedAccountID:  FieldOf("0.0.7"),
		StakedNodeID:     FieldOf(int64(3)),
	}, {ID: "0.0.9", PendingReward: FieldOf(int64(0))}}
	if !reflect.DeepEqual(p.rows, want) {
		t.Errorf("got  %+v\nwant %+v", p.rows, want)
	}
	if p.next != "/api/v1/accounts?limit=2" {
		t.Errorf("next is %q", p.next)
	}
}

func TestDecodeAccountsRejects(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"no list", `{}`, "no list of accounts"},
		{"null list", `{"accounts":null}`, "no list of accounts"},
		{"other list", `{"accounts":{}}`, "its accounts are not a list"},
		{"other shape", `[]`, "it is not an object"},
		{"two values", `{"accounts":[]}{"accounts":[]}`, "more than one value"},
		{"other links", `{"accounts":[],"links":[]}`, "not of the right type: []"},
		{"no readable row", `{"accounts":[{},5,null]}`, "none of its accounts can be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := decodeBody(decodeAccounts, tt.body)
			wantError(t, err, tt.want)
		})
	}
}

func TestAccountsBatchURLsAreStable(t *testing.T) {
	var mu sync.Mutex
	var urls []string
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		urls = append(urls, r.URL.String())
		mu.Unlock()
		_, _ = io.WriteString(w, accountsBody("", "0.0.3", "0.0.2"))
	})
	c, _, _ := newTestClient(t, srv.URL)
	for _, ids := range [][]string{{"0.0.3", "0.0.2"}, {"0.0.2", "0.0.3"}} {
		wantRows(t, c.Accounts(t.Context(), ids))
	}
	if urls[0] != urls[1] || !strings.Contains(urls[0], "account.id=0.0.2&account.id=0.0.3") {
		t.Errorf("a mirror's cache is keyed by URL, but they are %q", urls)
	}
}

func idsOf(accounts map[string]Account) []string {
	return slices.Sorted(maps.Keys(accounts))
}
