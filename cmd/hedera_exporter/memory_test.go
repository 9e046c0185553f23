// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// memoryExporter is what serve puts behind its listeners, in a bubble.
type memoryExporter struct {
	handler http.Handler
	stderr  *lockedBuffer
}

func newMemoryExporter(t *testing.T, memory *memnet.Network, sim *simulator.Simulator, args ...string) memoryExporter {
	t.Helper()
	return startInMemory(t, memory, append(onSimulated(t, sim), args...)...)
}

func startInMemory(t *testing.T, memory *memnet.Network, args ...string) memoryExporter {
	t.Helper()
	flags := parseFlags(t, args...)
	e := memoryExporter{stderr: &lockedBuffer{}}
	logger := newLogger(e.stderr, *flags.logLevel, *flags.logFormat)
	registry := prometheus.NewRegistry()
	rl := &reloader{flags: flags, self: collector.NewSelf(registry), logger: logger, dial: memory.DialContext}
	if err := rl.reload(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rl.close)
	var err error
	if e.handler, err = newHandler(flags, rl, registry, new(atomic.Bool), logger); err != nil {
		t.Fatal(err)
	}
	return e
}

// startMirror is a mirror in memory, until the test ends.
func startMirror(t *testing.T, memory *memnet.Network, handler http.HandlerFunc) (url string) {
	t.Helper()
	listener, err := memory.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func (e memoryExporter) get(ctx context.Context, path string, header http.Header) (status int, body string) {
	return e.request(ctx, http.MethodGet, path, header)
}

func (e memoryExporter) request(ctx context.Context, method, path string, header http.Header) (status int, body string) {
	r := httptest.NewRequestWithContext(ctx, method, path, http.NoBody)
	for key, values := range header {
		r.Header[key] = values
	}
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
