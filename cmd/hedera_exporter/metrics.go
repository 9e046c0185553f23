// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

type metricsHandler struct {
	reloader *reloader
	registry *prometheus.Registry
	timeouts timeouts
	slots    *slots
	options  promhttp.HandlerOpts
	renders  chan struct{}
}

func newMetricsHandler(rl *reloader, registry *prometheus.Registry, timeouts timeouts, slots *slots, logger log.Logger) http.Handler {
	options := promhttpOptions(logger)
	options.Registry = registry
	return metricsHandler{reloader: rl, registry: registry, timeouts: timeouts, slots: slots, options: options, renders: make(chan struct{}, maxRenders)}
}

// ServeHTTP encodes only when all collectors have finished: until then there are
// no encoded samples in memory, and the time for it can be measured.
func (h metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.slots, h.reloader, func(ctx scrapeContexts, rt *runtime) {
		scrape := prometheus.NewRegistry()
		scrape.MustRegister(rt.set.Scrape(ctx.collect))
		select {
		case h.renders <- struct{}{}:
			defer func() { <-h.renders }()
		case <-ctx.response.Done():
			http.Error(w, "too many scrapes are being encoded", http.StatusServiceUnavailable)
			return
		}
		start := time.Now()
		// The exporter's own metrics come last, so that they count this scrape.
		promhttp.HandlerFor(boundErrors(prometheus.Gatherers{scrape, h.registry}), h.options).ServeHTTP(w, r)
		h.timeouts.rendering.Store(int64(time.Since(start)))
	})
}

func promhttpOptions(logger log.Logger) promhttp.HandlerOpts {
	return promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, ErrorLog: promhttpLogger{logger}}
}

type promhttpLogger struct{ logger log.Logger }

func (l promhttpLogger) Println(v ...any) {
	level.Error(l.logger).Log("msg", "scrape not complete", "err", fmt.Sprint(v...))
}

// maxGatherErrors is the number of errors of a scrape that are logged. There may
// be one for each sample.
const maxGatherErrors = 3

// boundErrors counts the errors of a gatherer and keeps the first.
func boundErrors(g prometheus.Gatherer) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := g.Gather()
		var errs prometheus.MultiError
		if !errors.As(err, &errs) || len(errs) <= maxGatherErrors {
			return families, err
		}
		var first []string
		for _, err := range errs[:maxGatherErrors] {
			first = append(first, err.Error())
		}
		return families, fmt.Errorf("%d errors, the first: %s", len(errs), strings.Join(first, "; "))
	})
}
