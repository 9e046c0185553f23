// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/collector"
)

type metricsHandler struct {
	reloader *reloader
	timeouts timeouts
	slots    *slots
	encoder  *encoder
}

func newMetricsHandler(rl *reloader, registry *prometheus.Registry, timeouts timeouts, slots *slots, logger log.Logger) http.Handler {
	options := promhttpOptions(logger)
	options.Registry = registry
	options.OfferedCompressions = []promhttp.Compression{promhttp.Identity, promhttp.Gzip}
	return metricsHandler{reloader: rl, timeouts: timeouts, slots: slots, encoder: &encoder{
		registry: registry,
		options:  options,
		duration: timeouts.rendering,
		turn:     make(chan struct{}, 1),
		waiting:  map[encoding]*encoded{},
	}}
}

// ServeHTTP encodes only when all collectors have finished: until then there are
// no encoded samples in memory, and the time for it can be measured.
func (h metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.slots, h.reloader, func(ctx context.Context, rt *runtime) func(context.Context) {
		result := h.encoder.encode(rt.set.Scrape(ctx), negotiate(r))
		return func(ctx context.Context) {
			select {
			case <-result.done:
				result.response.copyTo(w)
			case <-ctx.Done():
				http.Error(w, "the scrape could not be encoded in time", http.StatusServiceUnavailable)
			}
		}
	})
}

// encoder encodes one scrape at a time. Requests whose scrapes wait for their
// turn at the same time share the newest one, so that many requests need neither
// more memory nor more time than one for each encoding.
type encoder struct {
	registry *prometheus.Registry // the exporter's own metrics
	options  promhttp.HandlerOpts
	duration *atomic.Int64 // of the last one, in nanoseconds

	turn chan struct{} // has room for one
	size int           // of the last response, in bytes; guarded by turn

	mu      sync.Mutex
	waiting map[encoding]*encoded
}

// encoding is what is negotiated with a client.
type encoding struct {
	format   expfmt.Format
	compress promhttp.Compression
}

func negotiate(r *http.Request) encoding {
	e := encoding{format: expfmt.NegotiateAccept(r.Header, expfmt.DefaultAcceptedFormats()...), compress: promhttp.Identity}
	for token := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if name, quality, _ := strings.Cut(strings.TrimSpace(token), ";"); name == string(promhttp.Gzip) && strings.TrimSpace(quality) != "q=0" {
			e.compress = promhttp.Gzip
		}
	}
	return e
}

// encoded is a scrape that waits to be encoded. The response is ready when done
// is closed.
type encoded struct {
	done     chan struct{}
	scrape   collector.Scrape
	response *responseBuffer
}

// encode returns the scrape, or one that is as complete, as it will be encoded.
func (e *encoder) encode(scrape collector.Scrape, as encoding) *encoded {
	e.mu.Lock()
	defer e.mu.Unlock()
	waiting := e.waiting[as]
	switch {
	case waiting == nil:
	case isSubset(scrape.Failed(), waiting.scrape.Failed()):
		waiting.scrape = scrape
		return waiting
	case isSubset(waiting.scrape.Failed(), scrape.Failed()):
		return waiting
	}
	result := &encoded{done: make(chan struct{}), scrape: scrape}
	if waiting == nil {
		e.waiting[as] = result
	}
	go e.run(result, as)
	return result
}

func isSubset(some, all []collector.Failure) bool {
	return !slices.ContainsFunc(some, func(f collector.Failure) bool { return !slices.Contains(all, f) })
}

func (e *encoder) run(result *encoded, as encoding) {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	defer close(result.done)

	e.mu.Lock()
	if e.waiting[as] == result {
		delete(e.waiting, as)
	}
	scrape := result.scrape
	result.scrape = nil
	e.mu.Unlock()

	start := time.Now()
	result.response = e.render(scrape, as)
	e.duration.Store(int64(time.Since(start)))
}

func (e *encoder) render(scrape collector.Scrape, as encoding) (response *responseBuffer) {
	response = &responseBuffer{header: http.Header{}}
	response.body.Grow(e.size)
	defer func() {
		e.size = response.body.Len()
		// A panic in this goroutine would end the process.
		if cause := recover(); cause != nil {
			e.options.ErrorLog.Println("panic: ", cause)
			response = &responseBuffer{header: http.Header{}}
			http.Error(response, "the scrape cannot be encoded, see the exporter's log", http.StatusInternalServerError)
		}
	}()
	registry := prometheus.NewRegistry()
	registry.MustRegister(scrape)
	r := &http.Request{Method: http.MethodGet, Header: http.Header{
		"Accept":          {string(as.format)},
		"Accept-Encoding": {string(as.compress)},
	}}
	// The exporter's own metrics come last, so that they count this scrape.
	promhttp.HandlerFor(boundErrors(prometheus.Gatherers{registry, e.registry}), e.options).ServeHTTP(response, r)
	return response
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
