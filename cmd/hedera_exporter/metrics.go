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

type metricsHandler struct {
	reloader *reloader
	registry *prometheus.Registry
	timeouts timeouts
	options  promhttp.HandlerOpts
}

func newMetricsHandler(rl *reloader, registry *prometheus.Registry, timeouts timeouts, logger log.Logger) http.Handler {
	return metricsHandler{
		reloader: rl,
		registry: registry,
		timeouts: timeouts,
		options: promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError,
			ErrorLog:      promhttpLogger{logger},
			Registry:      registry,

			// With created timestamps the first event of a series is an increase.
			EnableOpenMetrics:                   true,
			EnableOpenMetricsTextCreatedSamples: true,
		},
	}
}

func (h metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.reloader, func(ctx context.Context, rt *runtime) {
		// The exporter's own metrics come last, so that they count this scrape.
		gatherers := prometheus.Gatherers{rt.set.Gatherer(ctx), h.registry}
		promhttp.HandlerFor(gatherers, h.options).ServeHTTP(w, r)
	})
}

type promhttpLogger struct{ logger log.Logger }

func (l promhttpLogger) Println(v ...any) {
	level.Error(l.logger).Log("msg", "scrape not complete", "err", fmt.Sprint(v...))
}

const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// timeouts say how long a scrape may take.
type timeouts struct {
	fallback time.Duration // without a header
	offset   time.Duration // subtracted, for the response to arrive in time
}

// of returns the time for the scrape: the scrape timeout minus the offset, or
// all of it if it is shorter than the offset.
func (t timeouts) of(r *http.Request) (time.Duration, error) {
	timeout := t.fallback
	if value := r.Header.Get(scrapeTimeoutHeader); value != "" {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(time.Second) {
			return 0, fmt.Errorf("header %s: %q must be a number of seconds greater than 0", scrapeTimeoutHeader, value)
		}
		timeout = time.Duration(seconds * float64(time.Second))
	}
	if timeout > t.offset {
		timeout -= t.offset
	}
	return timeout, nil
}

// serve calls answer with the current runtime and a context that ends at the
// scrape's deadline.
func (t timeouts) serve(w http.ResponseWriter, r *http.Request, rl *reloader, answer func(context.Context, *runtime)) {
	timeout, err := t.of(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()

	rt, release := rl.acquire()
	defer release()
	if rt == nil {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	answer(ctx, rt)
}

// limitInFlight returns a wrapper for handlers. Together they answer at most
// limit requests at a time, and the others with 503; 0 is no limit.
func limitInFlight(limit int) func(http.Handler) http.Handler {
	if limit <= 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	slots := make(chan struct{}, limit)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				next.ServeHTTP(w, r)
			default:
				http.Error(w, fmt.Sprintf("%d scrapes are in progress, the maximum of --web.max-requests", limit), http.StatusServiceUnavailable)
			}
		})
	}
}
