// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheck(t *testing.T) {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	hung := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name    string
		start   func(http.Handler) *httptest.Server
		handler http.HandlerFunc
		args    string
		status  int
		stderr  string
	}{
		{"well", httptest.NewServer, answer(http.StatusOK), "", statusOK, ""},
		{"password", httptest.NewServer, answer(http.StatusUnauthorized), "", statusOK, ""},
		{"not well", httptest.NewServer, answer(http.StatusServiceUnavailable), "", statusFailure, "503 Service Unavailable"},
		{"hung", httptest.NewServer, hung, "--timeout=100ms", statusFailure, "deadline exceeded"},
		{"unknown certificate", httptest.NewTLSServer, answer(http.StatusOK), "", statusFailure, "certificate"},
		{"any certificate", httptest.NewTLSServer, answer(http.StatusOK), "--insecure-skip-verify", statusOK, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := test.start(test.handler)
			t.Cleanup(server.Close)
			var stderr bytes.Buffer
			args := append([]string{"healthcheck", "--url=" + server.URL}, strings.Fields(test.args)...)
			if status := run(t.Context(), args, io.Discard, &stderr); status != test.status || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("status %d, want %d; stderr without %q: %s", status, test.status, test.stderr, &stderr)
			}
		})
	}
}

func TestHealthcheckOfNothing(t *testing.T) {
	var stderr bytes.Buffer
	if status := run(t.Context(), []string{"healthcheck", "--url=http://127.0.0.1:1"}, io.Discard, &stderr); status != statusFailure {
		t.Errorf("status %d: %s", status, &stderr)
	}
}
