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
)

const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// timeouts say how long a scrape may take.
type timeouts struct {
	fallback time.Duration // where the scrape does not tell its own
	offset   time.Duration // left of it for the answer to arrive
}

// of is the time Prometheus gives the scrape less the offset, which is left out
// where it would leave nothing.
func (t timeouts) of(r *http.Request) (time.Duration, error) {
	timeout := t.fallback
	if value := r.Header.Get(scrapeTimeoutHeader); value != "" {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(time.Second) {
			return 0, fmt.Errorf("header %s: %q is not a number of seconds above 0", scrapeTimeoutHeader, value)
		}
		timeout = time.Duration(seconds * float64(time.Second))
	}
	if timeout > t.offset {
		timeout -= t.offset
	}
	return timeout, nil
}

// serve calls answer with the generation in force and with the time that the
// scrape has.
func (t timeouts) serve(w http.ResponseWriter, r *http.Request, current *generations, answer func(context.Context, *generation)) {
	timeout, err := t.of(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()

	generation, release := current.acquire()
	defer release()
	if generation == nil {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	answer(ctx, generation)
}

// limitInFlight returns a wrapper of handlers, all of which together answer 503
// to requests beyond limit; 0 is no limit.
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
				http.Error(w, fmt.Sprintf("%d scrapes are under way already; raise --web.max-requests", limit), http.StatusServiceUnavailable)
			}
		})
	}
}
