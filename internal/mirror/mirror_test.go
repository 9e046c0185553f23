// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) {
	leaktest.VerifyTestMain(m)
}

// fakeClock passes by exactly what is slept.
type fakeClock struct {
	mu    sync.Mutex
	t     time.Time
	slept []time.Duration
}

func (f *fakeClock) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.t
}

func (f *fakeClock) pause(ctx context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slept = append(f.slept, d)
	f.t = f.t.Add(d)
	return ctx.Err()
}

func (f *fakeClock) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t = f.t.Add(d)
}

func (f *fakeClock) sleeps() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slept
}

// recorder keeps what an Observer is told.
type recorder struct {
	mu       sync.Mutex
	requests []string
	waited   time.Duration
	failures []string
}

func (r *recorder) decodeFailure(route, field string, n int, first error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf("%s %s %d %s", route, field, n, first))
}

func (r *recorder) request(route, code string, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, route+" "+code)
}

func (r *recorder) rateLimitWait(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waited += d
}

func (r *recorder) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// testServer counts its requests.
type testServer struct {
	*httptest.Server
	requests atomic.Int64
}

func newServer(t *testing.T, h http.HandlerFunc) *testServer {
	t.Helper()
	s := &testServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// newTestClient has a fake clock and a backoff without randomness.
func newTestClient(t *testing.T, base string, change ...func(*Options)) (*Client, *fakeClock, *recorder) {
	t.Helper()
	rec := &recorder{}
	o := Options{Network: "testnet", URL: mustParse(t, base), Observer: Observer{Request: rec.request, RateLimitWait: rec.rateLimitWait, DecodeFailure: rec.decodeFailure}, UserAgent: "hedera_exporter/test"}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	clk := &fakeClock{t: time.Now()}
	c.clock = clock{now: clk.now, pause: clk.pause}
	c.limiter.clock, c.pageSize.clock = c.clock, c.clock
	c.jitter = func() float64 { return 1 }
	return c, clk, rec
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// wantRows returns the rows of a batch that has not failed.
func wantRows[T any](t *testing.T, b Batch[T]) map[string]T {
	t.Helper()
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return values(b.Rows)
}

func values[T any](pointers map[string]*T) map[string]T {
	values := make(map[string]T, len(pointers))
	for id, pointer := range pointers {
		values[id] = *pointer
	}
	return values
}

// decodeBody decodes an answer without a client, and returns which fields
// failed.
func decodeBody[T any](decode func(*response) (T, error), body string) (v T, failures []string, err error) {
	r := newResponse(strings.NewReader(body), request{rows: maxRepeated}, smallBytes, func() error { return nil }, func(field string, n int, err error) {
		failures = append(failures, slices.Repeat([]string{field + ": " + err.Error()}, n)...)
	})
	defer r.close()
	v, err = decode(r)
	return v, failures, r.end(err)
}

func accountIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("0.0.%d", 1000+i)
	}
	return ids
}

// serveAccounts answers with every account.id asked for, pageSize at most, as
// the mirror does: its next link repeats the query (docs/hedera.md 1.0).
func serveAccounts(pageSize int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ids := r.URL.Query()["account.id"]
		var next string
		if len(ids) >= pageSize {
			ids = ids[:pageSize]
			next = r.URL.RequestURI()
		}
		_, _ = io.WriteString(w, accountsBody(next, ids...))
	}
}

func accountsBody(next string, ids ...string) string {
	rows := make([]string, len(ids))
	for i, id := range ids {
		rows[i] = fmt.Sprintf(`{"account":%q,"balance":{"balance":9007199254740993,"timestamp":"1.000000002","tokens":[]}}`, id)
	}
	link := "null"
	if next != "" {
		link = fmt.Sprintf("%q", next)
	}
	return fmt.Sprintf(`{"accounts":[%s],"links":{"next":%s}}`, strings.Join(rows, ","), link)
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}
