// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// The limits of what clients may cost. Flags set those that depend on the
// installation.
const (
	// readHeaderTimeout is for a request to arrive. A header of Prometheus is
	// one packet.
	readHeaderTimeout = 10 * time.Second
	// maxHeaderBytes is enough for a /probe of 100 aliases.
	maxHeaderBytes = 32 << 10
	// idleTimeout is longer than the usual scrape intervals, so that Prometheus
	// keeps its connection.
	idleTimeout = 2 * time.Minute
	// writeTimeout is for a client to read a response. It is short because the
	// response is complete by then: a scrape of 10,000 accounts is 2 MB in gzip.
	writeTimeout = 10 * time.Second
	// maxUnreadBytes bounds all responses together that clients have not read
	// yet: several scrapes of 10,000 accounts without compression.
	maxUnreadBytes = 64 << 20
	// maxReads is for /sd and /config together, and maxReloads for /-/reload. They
	// are rare, and with 10,000 accounts each takes some 50 MB while it is encoded.
	maxReads   = 2
	maxReloads = 2
	// slotTimeout is for the others of them to wait for their turn.
	slotTimeout = 2 * time.Second
	// maxWaiting bounds the requests that wait for their turn, of which HTTP/2
	// has many on a connection.
	maxWaiting = 200
	// maxScrapeTimeout bounds what the header of a scrape may ask for.
	maxScrapeTimeout = 10 * time.Minute
	// shutdownTimeout is for scrapes in progress to finish. Kubernetes kills
	// after 30 s.
	shutdownTimeout = 25 * time.Second
)

const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// timeouts say how long a scrape may take.
type timeouts struct {
	fallback time.Duration // without a header
	offset   time.Duration // subtracted, for the response to arrive in time
	// rendering is how long it may take to encode the scrape, as it took before, in
	// nanoseconds. It is subtracted too: encoding starts at the deadline.
	rendering *atomic.Int64
}

// of returns the scrape timeout, and the part of it that the collectors may use.
// The offset is ignored if the timeout is shorter; the encoding gets at most
// half of the time.
func (t timeouts) of(r *http.Request) (scrape, collect time.Duration, err error) {
	scrape = t.fallback
	if value := r.Header.Get(scrapeTimeoutHeader); value != "" {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds > 0) || math.IsInf(seconds, 0) {
			return 0, 0, fmt.Errorf("header %s: %q must be a number of seconds greater than 0", scrapeTimeoutHeader, cut(value))
		}
		scrape = time.Duration(min(seconds, maxScrapeTimeout.Seconds()) * float64(time.Second))
	}
	collect = scrape
	if collect > t.offset {
		collect -= t.offset
	}
	return scrape, collect - min(time.Duration(t.rendering.Load()), collect/2), nil
}

// serve calls collect with the current runtime, once there is a slot, and then
// the function that it returns. Collecting ends in time for the response to be
// encoded and to arrive before the scrape timeout.
func (t timeouts) serve(w http.ResponseWriter, r *http.Request, slots *slots, rl *reloader, collect func(context.Context, *runtime) (respond func(context.Context))) {
	timeout, forCollect, err := t.of(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	collecting, cancel := context.WithTimeout(response, forCollect)
	defer cancel()
	waiting, cancel := context.WithTimeout(response, forCollect/2)
	defer cancel()
	var respond func(context.Context)
	slots.serve(waiting, w, func() {
		rl.serve(w, func(rt *runtime) { respond = collect(collecting, rt) })
	})
	if respond != nil {
		respond(response)
	}
}

// slots limit the requests that are served at a time. Others wait for their
// turn, so that a client with many requests cannot keep out one with few.
type slots struct {
	limit   int
	flag    string
	taken   chan struct{}
	waiting atomic.Int64
}

// newSlots returns slots for as many requests; 0 is no limit.
func newSlots(limit int, flag string) *slots {
	return &slots{limit: limit, flag: flag, taken: make(chan struct{}, max(limit, 0))}
}

// serve calls respond when there is a slot, or answers 503 when ctx ends first.
func (s *slots) serve(ctx context.Context, w http.ResponseWriter, respond func()) {
	if s.limit <= 0 {
		respond()
		return
	}
	if !s.take(ctx) {
		http.Error(w, fmt.Sprintf("%d requests are in progress, the maximum%s", s.limit, s.flag), http.StatusServiceUnavailable)
		return
	}
	defer func() { <-s.taken }()
	respond()
}

func (s *slots) take(ctx context.Context) bool {
	if conn, ok := ctx.Value(connectionKey{}).(*connection); ok {
		conn.addServing(-1) // others may need the connection more
		defer conn.addServing(1)
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > maxWaiting {
		return false
	}
	select {
	case s.taken <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// handler has next wait for a slot for a while.
func (s *slots) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), slotTimeout)
		defer cancel()
		s.serve(ctx, w, func() { next.ServeHTTP(w, r) })
	})
}

// maxQuoted bounds what an error quotes from a request.
const maxQuoted = 100

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxQuoted {
		return string(runes[:maxQuoted]) + "…"
	}
	return text
}
