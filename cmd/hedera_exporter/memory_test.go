// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

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
	flags := parseFlags(t, append(onSimulated(t, sim), args...)...)
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
