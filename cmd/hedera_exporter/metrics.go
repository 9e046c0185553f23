// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/collector"
	"hedera_exporter/internal/piecewise"
)

type metricsHandler struct {
	reloader *reloader
	timeouts timeouts
	slots    *slots
	encoder  *encoder
}

func newMetricsHandler(rl *reloader, registry *prometheus.Registry, timeouts timeouts, slots *slots, logger log.Logger) http.Handler {
	return metricsHandler{reloader: rl, timeouts: timeouts, slots: slots, encoder: &encoder{
		registry: registry,
		log:      logger,
		errors:   newHandlerErrors(registry),
		duration: timeouts.rendering,
		turn:     make(chan struct{}, 1),
		gzip:     piecewise.NewWriter(),
		waiting:  map[encoding]*encoded{},
	}}
}

// ServeHTTP encodes only when all collectors have finished: until then there are
// no encoded samples in memory, and the time for it can be measured.
func (h metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.slots, h.reloader, func(ctx context.Context, rt *runtime) func(context.Context) {
		query := r.URL.Query()
		set, err := rt.set.Select(query["collect[]"], query["exclude[]"])
		if err != nil {
			return func(context.Context) { http.Error(w, err.Error(), http.StatusBadRequest) }
		}
		as := negotiate(r)
		as.collectors = fmt.Sprint(query["collect[]"], query["exclude[]"])
		result := h.encoder.encode(set.Scrape(ctx), as)
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
	log      log.Logger
	errors   *prometheus.CounterVec
	duration *atomic.Int64 // that the next one may take, in nanoseconds

	turn chan struct{}     // has room for one
	size int               // of the last response, in bytes; guarded by turn
	gzip *piecewise.Writer // for one response after another, as its tables have 1 MB; guarded by turn

	mu      sync.Mutex
	waiting map[encoding]*encoded
}

// encoding is what is negotiated with a client.
type encoding struct {
	format     expfmt.Format
	compress   promhttp.Compression
	collectors string // that were asked for
}

func negotiate(r *http.Request) encoding {
	e := encoding{format: expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...), compress: promhttp.Identity}
	for token := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(token), ";")
		if strings.TrimSpace(quality) == "q=0" {
			continue
		}
		switch name {
		case string(promhttp.Zstd):
			e.compress = promhttp.Zstd
			return e
		case string(promhttp.Gzip):
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
	e.took(time.Since(start))
}

// took sets the time that the next encoding may take: as long as this one, or not
// much less than those before. Where the text of most samples is kept, it takes a
// small part of the time that it takes where all is new.
func (e *encoder) took(duration time.Duration) {
	e.duration.Store(max(int64(duration), e.duration.Load()*9/10))
}

func (e *encoder) render(scrape collector.Scrape, as encoding) (response *responseBuffer) {
	response = &responseBuffer{header: http.Header{}}
	response.body.Grow(e.size + e.size/16) // the next one is seldom much longer
	defer func() {
		e.size = response.body.Len()
		// A panic in this goroutine would end the process.
		if cause := recover(); cause != nil {
			e.failed("encoding", fmt.Errorf("panic: %v", cause))
			response = &responseBuffer{header: http.Header{}}
			http.Error(response, "the scrape cannot be encoded, see the exporter's log", http.StatusInternalServerError)
		}
	}()
	response.header.Set("Content-Type", string(as.format))
	response.header.Set("Vary", "Accept, Accept-Encoding")
	if as.compress != promhttp.Identity {
		response.header.Set("Content-Encoding", string(as.compress))
	}
	body, err := e.compressor(response, as.compress)
	if err != nil {
		panic(err) // not with these options
	}
	// The exporter's own metrics are read last, so that they count this scrape.
	defer e.gzip.Reset(io.Discard) // it would keep the response
	gathering, writing := scrape.Write(body, as.format, e.registry)
	e.failed("gathering", boundError(gathering))
	e.failed("encoding", errors.Join(writing, body.Close()))
	return response
}

// failed logs and counts an error, if it is one. The scrape has what there is.
func (e *encoder) failed(cause string, err error) {
	if err != nil {
		e.errors.WithLabelValues(cause).Inc()
		level.Error(e.log).Log("msg", "scrape not complete", "cause", cause, "err", err)
	}
}

// newHandlerErrors registers the counter under promhttp's name, so that what
// reads the one of other exporters reads this one.
func newHandlerErrors(registry prometheus.Registerer) *prometheus.CounterVec {
	errors := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "promhttp_metric_handler_errors_total",
		Help: "Total number of internal errors encountered by the promhttp metric handler.",
	}, []string{"cause"})
	registry.MustRegister(errors)
	errors.WithLabelValues("gathering")
	errors.WithLabelValues("encoding")
	return errors
}

// compressor returns a writer that compresses what is written to it.
func (e *encoder) compressor(w io.Writer, as promhttp.Compression) (io.WriteCloser, error) {
	switch as {
	case promhttp.Gzip:
		e.gzip.Reset(w)
		return e.gzip, nil
	case promhttp.Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	default:
		return identity{w}, nil
	}
}

type identity struct{ io.Writer }

func (identity) Close() error { return nil }

func promhttpOptions(logger log.Logger) promhttp.HandlerOpts {
	return promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      promhttpLogger{logger},
		// With created timestamps the first event of a series is an increase.
		EnableOpenMetrics:                   true,
		EnableOpenMetricsTextCreatedSamples: true,
	}
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
		return families, boundError(err)
	})
}

func boundError(err error) error {
	var errs prometheus.MultiError
	if !errors.As(err, &errs) || len(errs) <= maxGatherErrors {
		return err
	}
	var first []string
	for _, err := range errs[:maxGatherErrors] {
		first = append(first, err.Error())
	}
	return fmt.Errorf("%d errors, the first: %s", len(errs), strings.Join(first, "; "))
}
