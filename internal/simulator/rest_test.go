// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"testing"
)

func TestCacheControl(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for path, want := range map[string]string{
		"/api/v1/accounts":        "public, max-age=10",
		"/api/v1/accounts/0.0.98": "public, max-age=2",
		"/api/v1/balances":        "public, max-age=1",
		"/api/v1/blocks":          "public, max-age=1",
		"/api/v1/network/nodes":   "public, max-age=60",
		"/api/v1/network/stake":   "public, max-age=60",
		"/api/v1/network/supply":  "public, max-age=60",

		"/api/v1/network/exchangerate":     "public, max-age=60",
		"/api/v1/network/fees":             "public, max-age=60",
		"/api/v1/network/registered-nodes": "public, max-age=60",
		"/api/v1/transactions":             "public, max-age=2",
		"/api/v1/tokens/" + usdToken:       "public, max-age=5",
		"/api/v1/topics/" + busyTopic:      "public, max-age=5",
		"/api/v1/contracts":                "public, max-age=10",
		"/api/v1/schedules":                "public, max-age=10",

		"/api/v1/topics/" + busyTopic + "/messages": "public, max-age=1",
	} {
		got := send(t, s, http.MethodGet, path, nil)
		if got.header.Get("Cache-Control") != want || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: headers are %v", path, got.header)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, tc := range []struct {
		path   string
		status int
		body   string
	}{
		{"/api/v1/accounts?foo=1", 400, `{"_status":{"messages":[{"message":"Unknown query parameter: foo"}]}}`},
		{"/api/v1/accounts?limit=0", 400, `{"_status":{"messages":[{"message":"Invalid parameter: limit"}]}}`},
		{"/api/v1/accounts/0.0.5000", 404, `{"_status":{"messages":[{"message":"Not found"}]}}`},
		{"/api/v1/nonsense", 404, `{"_status":{"messages":[{"message":"Not found"}]}}`},
		{"/", 404, `{"_status":{"messages":[{"message":"Not found"}]}}`},
	} {
		got := send(t, s, http.MethodGet, tc.path, nil)
		if got.status != tc.status || string(got.body) != tc.body {
			t.Errorf("%s: got %d %s", tc.path, got.status, got.body)
		}
	}
}

func TestGzip(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 20})
	plain := send(t, s, http.MethodGet, "/api/v1/accounts", nil)

	client := newHTTPClient(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/v1/accounts", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip") // by hand, so that the transport does not undo it
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers are %v", answer.Header)
	}
	reader, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(body, plain.body) {
		t.Errorf("the gzipped answer differs, %v", err)
	}
}

func TestETag(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	client := newHTTPClient(t)
	ask := func(tag string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/v1/accounts", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("If-None-Match", tag)
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("ETag")
	}
	_, tag := ask("")
	if status, _ := ask(tag); status != http.StatusNotModified {
		t.Errorf("unchanged: got %d", status)
	}
	if err := s.SetBalance("0.0.1001", 5); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(tag); status != http.StatusOK {
		t.Errorf("changed: got %d", status)
	}
}

func TestLinkHeader(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	full := send(t, s, http.MethodGet, "/api/v1/accounts?limit=2", nil)
	if got := full.header.Get("Link"); got != `</api/v1/accounts?limit=2&account.id=gt:0.0.98>; rel="next"` {
		t.Errorf("got %q", got)
	}
	last := send(t, s, http.MethodGet, "/api/v1/accounts", nil)
	if got := last.header.Get("Link"); got != "" {
		t.Errorf("the last page has %q", got)
	}
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, path := range []string{
		"/api/v1/accounts", "/api/v1/accounts/0.0.2", "/api/v1/accounts/0.0.98", "/api/v1/accounts?nope=1",
		"/api/v1/network/nodes", "/api/v1/unheard-of", "/simulator/requests",
		"/api/v1/tokens/0.0.1", "/api/v1/tokens/0.0.2/balances", "/api/v1/topics/0.0.1/messages", "/api/v1/blocks/1",
		"/api/v1/accounts/0.0.2/allowances/crypto", "/api/v1/schedules", "/api/v1/contracts/0.0.1",
	} {
		send(t, s, http.MethodGet, path, nil)
	}
	want := map[string]int{
		"GET /api/v1/accounts":      2,
		"GET /api/v1/accounts/{id}": 2,
		"GET /api/v1/network/nodes": 1,
		"GET unknown":               1,

		"GET /api/v1/tokens/{id}":                     1,
		"GET /api/v1/tokens/{id}/balances":            1,
		"GET /api/v1/topics/{id}/messages":            1,
		"GET /api/v1/blocks/{hashOrNumber}":           1,
		"GET /api/v1/accounts/{id}/allowances/crypto": 1,
		"GET /api/v1/schedules":                       1,
		"GET /api/v1/contracts/{id}":                  1,
	}
	got := s.Requests()
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for kind, count := range want {
		if got[kind] != count {
			t.Errorf("%s: got %d, want %d", kind, got[kind], count)
		}
	}
	s.ResetRequests()
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("after the reset: %v", got)
	}
}
