// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
)

// newMemoryServer is newServer in a bubble; the client is to use the network's
// DialContext.
func newMemoryServer(t *testing.T, memory *memnet.Network, h http.HandlerFunc) *testServer {
	t.Helper()
	listener, err := memory.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{}
	s.Server = &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.requests.Add(1)
			h(w, r)
		}),
		ReadHeaderTimeout: time.Hour,
	}}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func TestHangingMirror(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the header": hang,
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"accounts":`)
			w.(http.Flusher).Flush()
			hang(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testHangingMirror(t, memory, handler) })
		})
	}
}

func testHangingMirror(t *testing.T, memory *memnet.Network, handler http.HandlerFunc) {
	const timeout, attempts = 5 * time.Second, 3
	srv := newMemoryServer(t, memory, handler)
	c, _, rec := newTestClient(t, srv.URL, func(o *Options) {
		o.Timeout, o.DialContext = timeout, memory.DialContext
	})
	c.maxAttempts = attempts
	start := time.Now()
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "mirror "+srv.URL+": ", "no answer within 5s", "attempt 3 of 3")
	if took := time.Since(start); took != attempts*timeout || srv.requests.Load() != attempts {
		t.Errorf("%d requests in %s, want %d in %s", srv.requests.Load(), took, attempts, attempts*timeout)
	}
	if want := slices.Repeat([]string{"/api/v1/accounts timeout"}, attempts); !slices.Equal(rec.seen(), want) {
		t.Errorf("observed %q, want %q", rec.seen(), want)
	}
}

func TestDeadlineOfTheCaller(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		srv := newMemoryServer(t, memory, hang)
		c, _, rec := newTestClient(t, srv.URL, func(o *Options) { o.DialContext = memory.DialContext })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := c.Accounts(ctx, []string{"0.0.2"}).Err()
		wantError(t, err, "no answer before the deadline: context deadline exceeded")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is not context.DeadlineExceeded", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
		if want := []string{"/api/v1/accounts timeout"}; !slices.Equal(rec.seen(), want) {
			t.Errorf("observed %q, want %q", rec.seen(), want)
		}
	})
}
