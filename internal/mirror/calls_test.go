// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// callTest is one call that leads to one request.
type callTest struct {
	name string
	call func(context.Context, *Client) (any, error)
	// uri is what the mirror is asked, java whether on its second base.
	uri   string
	java  bool
	route string
	body  string
	want  any
	// empty is a response without what was asked for, and emptyErr what that
	// leads to.
	empty, emptyErr string
}

// optional makes one value of what a call returns beside an error.
type optional[T any] struct {
	value T
	ok    bool
}

func maybe[T any](v T, ok bool, err error) (any, error) { return optional[T]{v, ok}, err }

func plain[T any](v T, err error) (any, error) { return v, err }

func batch[T any](b Batch[T]) (any, error) { return values(b.Rows), b.Err() }

func runCalls(t *testing.T, tests []callTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Run("ok", func(t *testing.T) { testCall(t, tt) })
			t.Run("empty", func(t *testing.T) { testEmptyCall(t, tt) })
			t.Run("not found", func(t *testing.T) { testCallNotFound(t, tt) })
		})
	}
}

func testCall(t *testing.T, tt callTest) {
	t.Helper()
	var uri atomic.Value
	ask := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		uri.Store(r.URL.RequestURI())
		answer(200, tt.body)(w, r)
	})
	idle := newServer(t, answer(500, ""))
	rest, java := ask.URL, idle.URL
	if tt.java {
		rest, java = java, rest
	}
	c, _, rec := newTestClient(t, rest, func(o *Options) { o.JavaURL = mustParse(t, java) })
	got, err := tt.call(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, tt.want) {
		t.Errorf("got  %+v\nwant %+v", got, tt.want)
	}
	if uri.Load() != tt.uri {
		t.Errorf("asked for %s, want %s", uri.Load(), tt.uri)
	}
	if seen := rec.seen(); len(seen) != 1 || seen[0] != tt.route+" 200" {
		t.Errorf("observed %q, want %q once", seen, tt.route+" 200")
	}
}

func testEmptyCall(t *testing.T, tt callTest) {
	t.Helper()
	srv := newServer(t, answer(200, tt.empty))
	c, _, _ := newTestClient(t, srv.URL)
	_, err := tt.call(t.Context(), c)
	wantError(t, err, "unexpected response: "+tt.emptyErr)
	if srv.requests.Load() != 1 {
		t.Errorf("%d requests, want no retry", srv.requests.Load())
	}
}

func testCallNotFound(t *testing.T, tt callTest) {
	t.Helper()
	srv := newServer(t, answer(404, `{"_status":{"messages":[{"message":"Not found"}]}}`))
	c, _, _ := newTestClient(t, srv.URL)
	_, err := tt.call(t.Context(), c)
	path, _, _ := strings.Cut(tt.uri, "?")
	wantError(t, err, "mirror "+srv.URL+": GET "+path, "404 Not Found: Not found")
	if !IsNotFound(err) {
		t.Errorf("%v is not IsNotFound", err)
	}
}

// TestPathsAreSafe has ids that would lead to another route.
func TestPathsAreSafe(t *testing.T) {
	calls := map[string]func(c *Client, id string) error{
		"Account":            func(c *Client, id string) error { _, err := c.Account(t.Context(), id); return err },
		"Token":              func(c *Client, id string) error { _, err := c.Token(t.Context(), id); return err },
		"Topic":              func(c *Client, id string) error { _, err := c.Topic(t.Context(), id); return err },
		"AccountTokens":      func(c *Client, id string) error { _, _, err := c.AccountTokens(t.Context(), id, 1); return err },
		"AccountToken":       func(c *Client, id string) error { _, _, err := c.AccountToken(t.Context(), id, "0.0.9"); return err },
		"CryptoAllowances":   func(c *Client, id string) error { _, _, err := c.CryptoAllowances(t.Context(), id, 1); return err },
		"TokenAllowances":    func(c *Client, id string) error { _, _, err := c.TokenAllowances(t.Context(), id, 1); return err },
		"TopicMessage":       func(c *Client, id string) error { _, _, err := c.TopicMessage(t.Context(), id, 1); return err },
		"LatestTopicMessage": func(c *Client, id string) error { _, _, err := c.LatestTopicMessage(t.Context(), id); return err },
	}
	srv := newServer(t, answer(200, "{}"))
	c, _, _ := newTestClient(t, srv.URL)
	for name, call := range calls {
		for _, id := range []string{"", ".", "..", "../tokens", "0.0.2/tokens", "0.0.2?x=1", "0.0.2%2f", "0..2", "0.0.2#", "0.0.2\n", "0.0.2-vfmkw"} {
			err := call(c, id)
			wantError(t, err, "is not an id, an alias or an EVM address")
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q is not one line", name, err)
			}
		}
	}
	if srv.requests.Load() != 0 {
		t.Errorf("%d requests were sent", srv.requests.Load())
	}
}
