// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFailedRequestFailsItsOwnIDs(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(r.URL.Query()["account.id"], "0.0.1150") {
			answer(400, `{"_status":{"messages":[{"message":"Invalid parameter: account.id"}]}}`)(w, r)
			return
		}
		serveAccounts(100)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	batch := c.Accounts(t.Context(), accountIDs(300))
	wantError(t, batch.Err(), "100 of 300 ids failed, such as 0.0.1100: mirror "+srv.URL+": GET /api/v1/accounts (100 accounts): 400 Bad Request: Invalid parameter: account.id")
	if len(batch.Rows) != 200 || len(batch.Failed) != 100 {
		t.Errorf("%d rows and %d failed, want 200 and 100", len(batch.Rows), len(batch.Failed))
	}
	if _, known, err := batch.Get("0.0.1000"); !known || err != nil {
		t.Errorf("0.0.1000 is known %t, %v", known, err)
	}
	if _, known, err := batch.Get("0.0.1199"); known || err == nil {
		t.Errorf("0.0.1199 is known %t, %v", known, err)
	}
}

func TestUnknownIsNotFailed(t *testing.T) {
	srv := newServer(t, answer(200, accountsBody("", "0.0.2")))
	c, _, _ := newTestClient(t, srv.URL)
	batch := c.Accounts(t.Context(), []string{"0.0.2", "0.0.3"})
	if _, known, err := batch.Get("0.0.3"); known || err != nil || batch.Err() != nil {
		t.Errorf("0.0.3 is known %t, %v", known, err)
	}
}

// TestUnreadableRowIsNotUnknown has a mirror that knows both accounts.
func TestUnreadableRowIsNotUnknown(t *testing.T) {
	srv := newServer(t, answer(200, `{"accounts":[{"account":"0.0.2"},{"account":7}],"links":{"next":null}}`))
	c, _, rec := newTestClient(t, srv.URL)
	batch := c.Accounts(t.Context(), []string{"0.0.2", "0.0.7"})
	if _, known, err := batch.Get("0.0.7"); known || err == nil {
		t.Errorf("0.0.7 is known %t, %v", known, err)
	}
	if _, known, err := batch.Get("0.0.2"); !known || err != nil {
		t.Errorf("0.0.2 is known %t, %v", known, err)
	}
	if len(rec.failures) != 1 || !strings.HasPrefix(rec.failures[0], "/api/v1/accounts account 1 row is left out: no readable account") {
		t.Errorf("observed %q", rec.failures)
	}
}

// limitedMirror gives pages rows at once and accepts values of a parameter. It
// knows the accounts with an even number.
func limitedMirror(pages, values int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ids := r.URL.Query()["account.id"]
		if len(ids) > values {
			answer(400, fmt.Sprintf(`{"_status":{"messages":[{"message":"Array limit exceeded. Only %d elements allowed in an array."}]}}`, values))(w, r)
			return
		}
		known := slices.DeleteFunc(ids, func(id string) bool { return !strings.ContainsAny(id[len(id)-1:], "02468") })
		var next string
		if len(known) >= pages {
			known, next = known[:pages], r.URL.RequestURI()
		}
		answer(200, accountsBody(next, known...))(w, r)
	}
}

func TestPageSizeOfTheMirror(t *testing.T) {
	tests := []struct {
		pages, values, ids int
		requests           int64 // of the first batch
		next               int64 // of the second, when the size is known
	}{
		{pages: 100, values: 100, ids: 300, requests: 3, next: 3},
		{pages: 25, values: 100, ids: 100, requests: 4, next: 4},
		{pages: 25, values: 100, ids: 50, requests: 2, next: 2},
		{pages: 1, values: 100, ids: 4, requests: 4, next: 4},
		{pages: 100, values: 50, ids: 100, requests: 3, next: 2},
		{pages: 25, values: 50, ids: 100, requests: 5, next: 4},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d rows and %d values", tt.pages, tt.values), func(t *testing.T) {
			srv := newServer(t, limitedMirror(tt.pages, tt.values))
			c, clk, _ := newTestClient(t, srv.URL, func(o *Options) { o.MaxConcurrency = 1 })
			batch := c.Accounts(t.Context(), accountIDs(tt.ids))
			if err := batch.Err(); err != nil || len(batch.Rows) != tt.ids/2 {
				t.Errorf("%d rows, %v, want %d", len(batch.Rows), err, tt.ids/2)
			}
			first := srv.requests.Load()
			if first != tt.requests {
				t.Errorf("%d requests, want %d", first, tt.requests)
			}
			again := c.Accounts(t.Context(), accountIDs(tt.ids))
			if !maps.Equal(keys(again.Rows), keys(batch.Rows)) || again.Err() != nil {
				t.Errorf("%d rows, %v the second time", len(again.Rows), again.Err())
			}
			if got := srv.requests.Load() - first; got != tt.next {
				t.Errorf("%d requests the second time, want %d", got, tt.next)
			}
			clk.advance(pageSizeAge + time.Second)
			if got := c.pageSize.get(); got != maxRepeated {
				t.Errorf("after a while the page size is %d", got)
			}
		})
	}
}

func keys[T any](rows map[string]T) map[string]bool {
	out := map[string]bool{}
	for id := range rows {
		out[id] = true
	}
	return out
}

// TestEndlessPagesEnd has mirrors whose answers lead nowhere.
func TestEndlessPagesEnd(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"none of the rows": func(w http.ResponseWriter, r *http.Request) {
			answer(200, accountsBody(r.URL.RequestURI(), "0.0.77"))(w, r)
		},
		"no rows": func(w http.ResponseWriter, r *http.Request) { answer(200, accountsBody(r.URL.RequestURI()))(w, r) },
		"an array limit of what it was asked": func(w http.ResponseWriter, r *http.Request) {
			n := len(r.URL.Query()["account.id"])
			answer(400, fmt.Sprintf(`{"_status":{"messages":[{"message":"Array limit exceeded. Only %d elements allowed in an array."}]}}`, n))(w, r)
		},
		"an array limit of 0": answer(400, `{"_status":{"messages":[{"message":"Array limit exceeded. Only 0 elements allowed in an array."}]}}`),
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, h)
			c, _, _ := newTestClient(t, srv.URL)
			batch := c.Accounts(t.Context(), accountIDs(100))
			if len(batch.Failed) != 100 || len(batch.Rows) != 0 || srv.requests.Load() != 1 {
				t.Errorf("%d failed and %d rows in %d requests, want 100 and none in 1", len(batch.Failed), len(batch.Rows), srv.requests.Load())
			}
		})
	}
}

func TestPanicIsThatRequestsError(t *testing.T) {
	srv := newServer(t, serveAccounts(100))
	var once sync.Once
	c, _, _ := newTestClient(t, srv.URL, func(o *Options) {
		o.MaxConcurrency = 1
		o.Observer.Request = func(string, string, time.Duration) { once.Do(func() { panic("a\nb") }) }
	})
	batch := c.Accounts(t.Context(), accountIDs(200))
	wantError(t, batch.Err(), "100 of 200 ids failed", "GET /api/v1/accounts", "panic: a b")
	if len(batch.Rows) != 100 {
		t.Errorf("%d rows, want those of the other request", len(batch.Rows))
	}
	if err := c.Accounts(t.Context(), accountIDs(1)).Err(); err != nil {
		t.Errorf("the slot is lost: %v", err)
	}
}
