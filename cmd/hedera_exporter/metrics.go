// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

type metricsHandler struct {
	current  *generations
	registry *prometheus.Registry
	timeout  time.Duration // where the scrape does not tell its own
	offset   time.Duration
	options  promhttp.HandlerOpts
}

func newMetricsHandler(flags *flagSet, current *generations, registry *prometheus.Registry, logger log.Logger) http.Handler {
	handler := metricsHandler{
		current:  current,
		registry: registry,
		timeout:  *flags.scrapeTimeout,
		offset:   *flags.timeoutOffset,
		options: promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError,
			ErrorLog:      promhttpLogger{logger},
			Registry:      registry,
		},
	}
	return limitInFlight(*flags.maxRequests, handler)
}

func (h metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	timeout, err := h.scrapeTimeout(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()

	generation, release := h.current.acquire()
	defer release()
	if generation == nil {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	// The exporter's own metrics come last, so that they count this scrape.
	gatherers := prometheus.Gatherers{generation.set.Gatherer(ctx), h.registry}
	promhttp.HandlerFor(gatherers, h.options).ServeHTTP(w, r)
}

// scrapeTimeout is the time Prometheus gives the scrape less the offset, which
// is left out where it would leave nothing.
func (h metricsHandler) scrapeTimeout(r *http.Request) (time.Duration, error) {
	timeout := h.timeout
	if value := r.Header.Get(scrapeTimeoutHeader); value != "" {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(time.Second) {
			return 0, fmt.Errorf("header %s: %q is not a number of seconds above 0", scrapeTimeoutHeader, value)
		}
		timeout = time.Duration(seconds * float64(time.Second))
	}
	if timeout > h.offset {
		timeout -= h.offset
	}
	return timeout, nil
}

// limitInFlight answers 503 to requests beyond limit; 0 is no limit.
func limitInFlight(limit int, next http.Handler) http.Handler {
	if limit <= 0 {
		return next
	}
	slots := make(chan struct{}, limit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			http.Error(w, fmt.Sprintf("%d scrapes are under way already; raise --web.max-requests", limit), http.StatusServiceUnavailable)
		}
	})
}

type promhttpLogger struct{ logger log.Logger }

func (l promhttpLogger) Println(v ...any) {
	level.Error(l.logger).Log("msg", "scrape not complete", "err", fmt.Sprint(v...))
}
