// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// serveBlocks is a mirror with blocks up to last.
func serveBlocks(t *testing.T, last int64) http.HandlerFunc {
	const perPage = 100
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/api/v1/blocks" || q.Get("order") != "asc" || q.Get("limit") != "100" {
			t.Errorf("unexpected request %s", r.URL)
		}
		after, err := strconv.ParseInt(strings.TrimPrefix(q.Get("block.number"), "gt:"), 10, 64)
		if err != nil {
			t.Error(err)
		}
		var rows []string
		for n := after + 1; n <= last && len(rows) < perPage; n++ {
			rows = append(rows, fmt.Sprintf(`{"number":%d,"timestamp":{"from":"%d.0","to":"%d.1"}}`, n, n, n))
		}
		next := "null"
		if len(rows) == perPage {
			next = fmt.Sprintf(`"/api/v1/blocks?order=asc&limit=100&block.number=gt:%d"`, after+perPage)
		}
		_, _ = fmt.Fprintf(w, `{"blocks":[%s],"links":{"next":%s}}`, strings.Join(rows, ","), next)
	}
}

func TestBlocksAreAskedForPageByPage(t *testing.T) {
	srv := newServer(t, serveBlocks(t, 250))
	c, _, _ := newTestClient(t, srv.URL)
	var want int64 = 10
	var requests int64
	for p, err := range c.Blocks(t.Context(), want) {
		if err != nil {
			t.Fatal(err)
		}
		requests++
		if srv.requests.Load() != requests {
			t.Errorf("%d requests at page %d", srv.requests.Load(), requests)
		}
		for _, b := range p.Rows {
			if want++; b.Number != want {
				t.Errorf("block %d, want %d", b.Number, want)
			}
		}
		if p.More != (requests < 3) {
			t.Errorf("page %d has More %t", requests, p.More)
		}
	}
	if want != 250 || requests != 3 {
		t.Errorf("ended at block %d after %d requests, want 250 after 3", want, requests)
	}
}

func TestBlocksStopWithTheLoop(t *testing.T) {
	srv := newServer(t, serveBlocks(t, 1000))
	c, _, _ := newTestClient(t, srv.URL)
	for p, err := range c.Blocks(t.Context(), 0) {
		if err != nil || len(p.Rows) != 100 || !p.More {
			t.Errorf("got %d rows, more %t, %v", len(p.Rows), p.More, err)
		}
		break
	}
	if srv.requests.Load() != 1 {
		t.Errorf("%d requests, want 1", srv.requests.Load())
	}
}

func TestBlocksKeepWhatCameBeforeAnError(t *testing.T) {
	var srv *testServer
	srv = newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if srv.requests.Load() > 2 {
			answer(500, "")(w, r)
			return
		}
		serveBlocks(t, 1000)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	var blocks, errs int
	for p, err := range c.Blocks(t.Context(), 0) {
		blocks += len(p.Rows)
		if err != nil {
			wantError(t, err, "GET /api/v1/blocks: 500")
			errs++
		}
	}
	if blocks != 200 || errs != 1 {
		t.Errorf("%d blocks and %d errors, want 200 and 1", blocks, errs)
	}
}

func TestStreamsCanBeReadAgain(t *testing.T) {
	srv := newServer(t, serveBlocks(t, 150))
	c, _, _ := newTestClient(t, srv.URL)
	stream := c.Blocks(t.Context(), 0)
	first, second := readAll(t, stream), readAll(t, stream)
	if len(first) != 150 || !reflect.DeepEqual(first, second) {
		t.Errorf("%d blocks, then %d", len(first), len(second))
	}
}

func readAll[T any](t *testing.T, stream iter.Seq2[Page[T], error]) []T {
	t.Helper()
	var rows []T
	for p, err := range stream {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, p.Rows...)
	}
	return rows
}

func TestTransactions(t *testing.T) {
	for next, more := range map[string]bool{`"/api/v1/transactions?page=2"`: true, "null": false} {
		t.Run(next, func(t *testing.T) {
			var uri string
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				uri = r.URL.RequestURI()
				answer(200, `{"transactions":[`+fullTransaction+`,`+nullTransaction+`],"links":{"next":`+next+`}}`)(w, r)
			})
			c, _, rec := newTestClient(t, srv.URL)
			got, err := c.Transactions(t.Context(), []string{"0.0.8", "0.0.9"}, 1234567890_000000001)
			if err != nil {
				t.Fatal(err)
			}
			want := Page[Transaction]{More: more, Rows: []Transaction{{
				ConsensusTimestamp: 1234567890_000000007, ID: "0.0.8-1234567890-000000006", Name: FieldOf("CRYPTOTRANSFER"), Result: FieldOf("SUCCESS"), ChargedTxFee: FieldOf(int64(9007199254740993)),
				Transfers:      FieldOf([]Transfer{{Account: "0.0.8", Amount: -9007199254740993}, {Account: "0.0.98", Amount: 1}}),
				TokenTransfers: FieldOf([]TokenTransfer{}), NFTTransfers: FieldOf([]NFTTransfer{}),
				Nonce: FieldOf(int64(1)), Scheduled: FieldOf(true), ValidStart: FieldOf(Timestamp(1234567890_000000006)), ParentTimestamp: FieldOf(Timestamp(1234567890_000000006)),
			}, {
				ConsensusTimestamp: 1234567891_000000007, ID: "0.0.9-1-0", Result: FieldOf("INVALID_SIGNATURE"), Transfers: FieldOf([]Transfer{}), ChargedTxFee: FieldOf(int64(0)), Nonce: FieldOf(int64(0)), Scheduled: FieldOf(false),
			}}}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if got.Rows[0].Payer() != "0.0.8" {
				t.Errorf("payer is %q", got.Rows[0].Payer())
			}
			if want := "/api/v1/transactions?account.id=0.0.8&account.id=0.0.9&limit=100&order=asc&timestamp=gte%3A1234567890.000000001"; uri != want {
				t.Errorf("asked for %s, want %s", uri, want)
			}
			if want := []string{"/api/v1/transactions 200"}; !slices.Equal(rec.seen(), want) {
				t.Errorf("observed %q", rec.seen())
			}
		})
	}
}

func TestLatestTransaction(t *testing.T) {
	tests := map[string]struct {
		rows string
		want string
		ok   bool
	}{
		"one":  {fullTransaction, "0.0.8-1234567890-000000006", true},
		"none": {"", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if want := "/api/v1/transactions?account.id=0.0.8&limit=1&order=desc"; r.URL.RequestURI() != want {
					t.Errorf("asked for %s, want %s", r.URL, want)
				}
				answer(200, `{"transactions":[`+tt.rows+`],"links":{"next":null}}`)(w, r)
			})
			c, _, _ := newTestClient(t, srv.URL)
			got, ok, err := c.LatestTransaction(t.Context(), "0.0.8")
			if err != nil || ok != tt.ok || got.ID != tt.want {
				t.Errorf("got %q, %t, %v; want %q, %t", got.ID, ok, err, tt.want, tt.ok)
			}
		})
	}
}

func TestDebits(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if want := "/api/v1/transactions?account.id=0.0.801&limit=100&order=asc&timestamp=gte%3A1234567890.000000000&timestamp=lt%3A1234567890.000000008&type=debit"; r.URL.RequestURI() != want {
			t.Errorf("asked for %s, want %s", r.URL, want)
		}
		answer(200, `{"transactions":[`+fullTransaction+`],"links":{"next":"/api/v1/transactions?timestamp=gt:1"}}`)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	got, err := c.Debits(t.Context(), "0.0.801", 1234567890_000000000, 1234567890_000000008)
	if err != nil || len(got) != 1 || got[0].ConsensusTimestamp != 1234567890_000000007 || srv.requests.Load() != 1 {
		t.Errorf("got %+v, %v; want one, after one request", got, err)
	}
}

func TestLatestFreeze(t *testing.T) {
	rows := fullTransaction
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if want := "/api/v1/transactions?limit=1&order=desc&result=success&transactiontype=FREEZE"; r.URL.RequestURI() != want {
			t.Errorf("asked for %s, want %s", r.URL, want)
		}
		answer(200, `{"transactions":[`+rows+`],"links":{"next":"/api/v1/transactions?timestamp=lt:1"}}`)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	if got, ok, err := c.LatestFreeze(t.Context()); err != nil || !ok || got.ConsensusTimestamp != 1234567890_000000007 {
		t.Errorf("got %+v, %t, %v", got, ok, err)
	}
	rows = ""
	if got, ok, err := c.LatestFreeze(t.Context()); err != nil || ok || got.ConsensusTimestamp != 0 || srv.requests.Load() != 2 {
		t.Errorf("got %+v, %t, %v; want none, after one request", got, ok, err)
	}
}

func TestSchedules(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if want := "/api/v1/schedules?account.id=0.0.1024&limit=100&order=desc"; r.URL.RequestURI() != want {
			t.Errorf("asked for %s, want %s", r.URL, want)
		}
		answer(200, `{"schedules":[`+fullSchedule+`,`+nullSchedule+`],"links":{"next":null}}`)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	page, err := c.Schedules(t.Context(), "0.0.1024")
	if err != nil {
		t.Fatal(err)
	}
	got := page.Rows
	want := []Schedule{{
		ID:                 "0.0.1026",
		ConsensusTimestamp: FieldOf(Timestamp(1586567700_453054000)), ExpirationTime: FieldOf(Timestamp(1586567800_453054000)), ExecutedTimestamp: FieldOf(Timestamp(1586567701_000000000)),
		Signatures: FieldOf(make([]struct{}, 1)), Deleted: FieldOf(false),
	}, {
		ID: "0.0.1027", ConsensusTimestamp: FieldOf(Timestamp(1_000000000)), Signatures: FieldOf([]struct{}{}), Deleted: FieldOf(false),
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got[0].Pending() || !got[1].Pending() || (Schedule{Deleted: FieldOf(true)}).Pending() {
		t.Error("Pending is wrong")
	}
}

func TestStreamErrors(t *testing.T) {
	srv := newServer(t, answer(404, ""))
	c, _, _ := newTestClient(t, srv.URL)
	_, err := c.Transactions(t.Context(), []string{"0.0.8"}, 0)
	wantError(t, err, "GET /api/v1/transactions (1 accounts): 404")
	_, _, err = c.LatestTransaction(t.Context(), "0.0.8")
	wantError(t, err, "GET /api/v1/transactions (account 0.0.8): 404")
	_, err = c.Debits(t.Context(), "0.0.801", 0, 1)
	wantError(t, err, "GET /api/v1/transactions (debits of 0.0.801): 404")
	_, err = c.Schedules(t.Context(), "0.0.8")
	wantError(t, err, "GET /api/v1/schedules (creator 0.0.8): 404")
	_, _, err = c.LatestFreeze(t.Context())
	wantError(t, err, "GET /api/v1/transactions (last FREEZE): 404")
	if srv.requests.Load() != 5 {
		t.Errorf("%d requests, want 5", srv.requests.Load())
	}
}

// serveTokens is a mirror on which an account has a number of tokens.
func serveTokens(total int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		from, _ := strconv.Atoi(r.URL.Query().Get("from"))
		var rows []string
		for n := from; n < total && len(rows) < limit; n++ {
			rows = append(rows, fmt.Sprintf(`{"token_id":"0.0.%d"}`, n))
		}
		next := "null"
		if len(rows) == limit {
			next = fmt.Sprintf(`"%s?limit=%d&from=%d"`, r.URL.Path, limit, from+limit)
		}
		_, _ = fmt.Fprintf(w, `{"tokens":[%s],"links":{"next":%s}}`, strings.Join(rows, ","), next)
	}
}

func TestBoundedLists(t *testing.T) {
	tests := []struct {
		total, limit   int
		rows, requests int
		more           bool
	}{
		{total: 0, limit: 10, rows: 0, requests: 1},
		{total: 9, limit: 10, rows: 9, requests: 1},
		{total: 10, limit: 10, rows: 10, requests: 1},
		{total: 11, limit: 10, rows: 10, requests: 1, more: true},
		{total: 100, limit: 100, rows: 100, requests: 2},
		{total: 101, limit: 100, rows: 100, requests: 2, more: true},
		{total: 1000, limit: 250, rows: 250, requests: 3, more: true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d of %d", tt.limit, tt.total), func(t *testing.T) {
			srv := newServer(t, serveTokens(tt.total))
			c, _, _ := newTestClient(t, srv.URL)
			rows, more, err := c.AccountTokens(t.Context(), "0.0.2", tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != tt.rows || more != tt.more || int(srv.requests.Load()) != tt.requests {
				t.Errorf("got %d rows, more %t in %d requests, want %d, %t in %d", len(rows), more, srv.requests.Load(), tt.rows, tt.more, tt.requests)
			}
			for i, row := range rows {
				if row.TokenID != fmt.Sprintf("0.0.%d", i) {
					t.Errorf("token %s at %d", row.TokenID, i)
				}
			}
		})
	}
}

func TestBlockWithoutAnEnd(t *testing.T) {
	if got := (Block{Timestamp: FieldOf(TimestampRange{From: FieldOf(Timestamp(5))})}).End(); got != 5 {
		t.Errorf("a block without an end ends at %d, want its beginning", got)
	}
}
