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
	accounts, err := c.Accounts(t.Context(), append(ids, ids[:50]...))
	if err != nil {
		t.Fatal(err)
	}
	if got := srv.requests.Load(); got != 100 {
		t.Errorf("%d requests for 10,000 ids, want 100", got)
	}
	if len(asked) != len(ids) {
		t.Errorf("asked for %d ids, want %d", len(asked), len(ids))
	}
	if got := idsOf(accounts); !slices.Equal(got, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%d accounts, want %d", len(got), len(ids))
	}
	if got := *accounts["0.0.1000"].Balance.Balance; got != 1<<53+1 {
		t.Errorf("balance %d lost precision", got)
	}
	if got := rec.seen(); len(got) != 100 || got[0] != "/api/v1/accounts 200" {
		t.Errorf("observed %d requests, the first as %q", len(got), got[0])
	}
}

func TestAccountsAreThoseAskedFor(t *testing.T) {
	srv := newServer(t, answer(200, accountsBody("", "0.0.2", "0.0.3", "0.0.77")))
	c, _, _ := newTestClient(t, srv.URL)
	accounts, err := c.Accounts(t.Context(), []string{"0.0.3", "0.0.404", "0.0.2", "0.0.3"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := idsOf(accounts), []string{"0.0.2", "0.0.3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: without the unknown and those not asked for", got, want)
	}
}

func TestAccountsWithoutIDs(t *testing.T) {
	srv := newServer(t, answer(500, ""))
	c, _, _ := newTestClient(t, srv.URL)
	accounts, err := c.Accounts(t.Context(), nil)
	if err != nil || len(accounts) != 0 || srv.requests.Load() != 0 {
		t.Errorf("got %v, %v with %d requests, want nothing with none", accounts, err, srv.requests.Load())
	}
}

func TestAccountsPages(t *testing.T) {
	tests := []struct {
		name         string
		ids, perPage int
		requests     int64
	}{
		{name: "full page links to a next one that is not needed", ids: 100, perPage: 100, requests: 1},
		{name: "mirror gives shorter pages", ids: 100, perPage: 40, requests: 3},
		{name: "mirror gives shorter pages, the last one full", ids: 100, perPage: 25, requests: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t, serveAccounts(tt.perPage))
			c, _, _ := newTestClient(t, srv.URL)
			ids := accountIDs(tt.ids)
			accounts, err := c.Accounts(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(idsOf(accounts), slices.Sorted(slices.Values(ids))) {
				t.Errorf("got %d accounts of %d", len(accounts), len(ids))
			}
			if got := srv.requests.Load(); got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
		})
	}
}

func TestAccountsFailTogether(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(r.URL.Query()["account.id"], "0.0.1150") {
			answer(400, `{"_status":{"messages":[{"message":"Invalid parameter: account.id"}]}}`)(w, r)
			return
		}
		serveAccounts(100)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	accounts, err := c.Accounts(t.Context(), accountIDs(300))
	wantError(t, err, "mirror "+srv.URL+": GET /api/v1/accounts (100 accounts): 400 Bad Request: Invalid parameter: account.id")
	if accounts != nil {
		t.Errorf("got %d accounts along with the error", len(accounts))
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
  "expiry_timestamp": "9223372036.854775807",
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
	p, err := decodeAccounts([]byte(`{"accounts":[` + fullAccount + `,` + nullAccount + `],"links":{"next":"/api/v1/accounts?limit=2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Account{
		ID:              "0.0.8",
		EVMAddress:      new("0xac384c53f03855fa1b3616052f8ba32c6c2a2fec"),
		AutoRenewPeriod: new(int64(7776000)),
		Balance: &AccountBalance{
			Balance: new(int64(80)),
			Tokens:  []TokenAmount{{TokenID: "0.0.200001", Balance: 9223372036854775807}},
		},
		CreatedTimestamp: new(Timestamp(1562591528000123456)),
		Deleted:          new(false),
		EthereumNonce:    new(int64(10)),
		ExpiryTimestamp:  new(Timestamp(9223372036854775807)),
		Key:              &Key{Type: "ED25519", Key: "15706b22"},
		Memo:             new("entity memo"),
		PendingReward:    9007199254740993,
		StakedAccountID:  new("0.0.7"),
		StakedNodeID:     new(int64(3)),
	}
	if !reflect.DeepEqual(p.rows[0], want) {
		t.Errorf("got %+v, want %+v", p.rows[0], want)
	}
	if !reflect.DeepEqual(p.rows[1], Account{ID: "0.0.9"}) {
		t.Errorf("nulls became %+v", p.rows[1])
	}
	if p.next != "/api/v1/accounts?limit=2" {
		t.Errorf("next is %q", p.next)
	}
}

func TestDecodeAccountsRejects(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"no list", `{}`, "no list of accounts"},
		{"null list", `{"accounts":null}`, "no list of accounts"},
		{"other shape", `[]`, "cannot unmarshal array"},
		{"fractional balance", `{"accounts":[{"balance":{"balance":1.5}}]}`, "balance"},
		{"balance beyond int64", `{"accounts":[{"balance":{"balance":9223372036854775808}}]}`, "balance"},
		{"timestamp", `{"accounts":[{"created_timestamp":"yesterday"}]}`, `"yesterday"`},
		{"timestamp as fraction", `{"accounts":[{"created_timestamp":1.2}]}`, "1.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decodeAccounts([]byte(tt.body))
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
		if _, err := c.Accounts(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
	}
	if urls[0] != urls[1] || !strings.Contains(urls[0], "account.id=0.0.2&account.id=0.0.3") {
		t.Errorf("a mirror's cache is keyed by URL, but they are %q", urls)
	}
}

func idsOf(accounts map[string]Account) []string {
	return slices.Sorted(maps.Keys(accounts))
}
