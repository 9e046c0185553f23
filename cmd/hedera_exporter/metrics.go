// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type metricsHandler struct {
	current  *generations
	registry *prometheus.Registry
	timeouts timeouts
	options  promhttp.HandlerOpts
}

func newMetricsHandler(current *generations, registry *prometheus.Registry, timeouts timeouts, logger log.Logger) http.Handler {
	return metricsHandler{
		current:  current,
		registry: registry,
		timeouts: timeouts,
		options: promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError,
			ErrorLog:      promhttpLogger{logger},
			Registry:      registry,
		},
	}
}

func (h metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.current, func(ctx context.Context, generation *generation) {
		// The exporter's own metrics come last, so that they count this scrape.
		gatherers := prometheus.Gatherers{generation.set.Gatherer(ctx), h.registry}
		promhttp.HandlerFor(gatherers, h.options).ServeHTTP(w, r)
	})
}

type promhttpLogger struct{ logger log.Logger }

func (l promhttpLogger) Println(v ...any) {
	level.Error(l.logger).Log("msg", "scrape not complete", "err", fmt.Sprint(v...))
}
