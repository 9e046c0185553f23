// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"hedera_exporter/collector"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

func TestScrapeTimeout(t *testing.T) {
	tests := []struct {
		header    string
		rendering time.Duration
		scrape    time.Duration // 0: refused
		collect   time.Duration
	}{
		{"", 0, 10 * time.Second, 9500 * time.Millisecond},
		{"5", 0, 5 * time.Second, 4500 * time.Millisecond},
		{"2.5", 0, 2500 * time.Millisecond, 2 * time.Second},
		{"0.3", 0, 300 * time.Millisecond, 300 * time.Millisecond},
		{"5", time.Second, 5 * time.Second, 3500 * time.Millisecond},
		{"5", time.Minute, 5 * time.Second, 2250 * time.Millisecond},
		{"601", 0, 10 * time.Minute, 10*time.Minute - 500*time.Millisecond},
		{"9e9", 0, 10 * time.Minute, 10*time.Minute - 500*time.Millisecond},
		{"1e300", 0, 10 * time.Minute, 10*time.Minute - 500*time.Millisecond},
		{"0", 0, 0, 0},
		{"-1", 0, 0, 0},
		{"NaN", 0, 0, 0},
		{"Inf", 0, 0, 0},
		{"soon", 0, 0, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.header, " ", test.rendering), func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
			r.Header.Set(scrapeTimeoutHeader, test.header)
			limits := timeouts{fallback: 10 * time.Second, offset: 500 * time.Millisecond, rendering: new(atomic.Int64)}
			limits.rendering.Store(int64(test.rendering))
			scrape, collect, err := limits.of(r)
			if scrape != test.scrape || collect != test.collect || (err != nil) != (test.scrape == 0) {
				t.Errorf("%s, %s, %v; want %s, %s", scrape, collect, err, test.scrape, test.collect)
			}
			if err != nil && !strings.Contains(err.Error(), test.header) {
				t.Errorf("the error does not name the value: %v", err)
			}
		})
	}
}

// slowCollector takes a second to encode.
type slowCollector struct{ encodings *atomic.Int64 }

func (slowCollector) Describe(chan<- *prometheus.Desc) {}

func (c slowCollector) Collect(chan<- prometheus.Metric) {
	c.encodings.Add(1)
	time.Sleep(time.Second)
}

// newSlowMetrics returns a handler of scrapes that take a second to encode, and
// the number of encodings.
func newSlowMetrics(t *testing.T, limits timeouts) (http.Handler, *atomic.Int64) {
	t.Helper()
	set, err := collector.NewSet(nil, collector.Options{}, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	encodings := new(atomic.Int64)
	registry := prometheus.NewRegistry()
	registry.MustRegister(slowCollector{encodings})
	rl := &reloader{current: &runtime{set: set, users: 1}}
	return newMetricsHandler(rl, registry, limits, newSlots(0, ""), log.NewNopLogger()), encodings
}

// TestEncodingIsPartOfTheScrapeTimeout has the collectors stop earlier by the
// time that the encoding of the previous scrape took.
func TestEncodingIsPartOfTheScrapeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := timeouts{fallback: 5 * time.Second, offset: time.Second, rendering: new(atomic.Int64)}
		handler, _ := newSlowMetrics(t, limits)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
		for _, want := range []time.Duration{4 * time.Second, 3 * time.Second, 3 * time.Second} {
			if _, collect, err := limits.of(r); collect != want || err != nil {
				t.Errorf("collectors have %s, %v; want %s", collect, err, want)
			}
			recorder := httptest.NewRecorder()
			if handler.ServeHTTP(recorder, r); recorder.Code != http.StatusOK {
				t.Errorf("status %d: %s", recorder.Code, recorder.Body)
			}
		}
	})
}

func TestTimeOfAnEncodingIsForgottenSlowly(t *testing.T) {
	e := encoder{duration: new(atomic.Int64)}
	for i, took := range []time.Duration{time.Second, 0, 850 * time.Millisecond, 2 * time.Second} {
		e.took(took)
		want := []time.Duration{time.Second, 900 * time.Millisecond, 850 * time.Millisecond, 2 * time.Second}[i]
		if got := time.Duration(e.duration.Load()); got != want {
			t.Errorf("after one that took %s the next may take %s, want %s", took, got, want)
		}
	}
}

// TestScrapesShareTheirEncoding has many scrapes at a time take as long as a few.
func TestScrapesShareTheirEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, encodings := newSlowMetrics(t, timeouts{fallback: 10 * time.Second, rendering: new(atomic.Int64)})
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
				if i%2 == 0 {
					r.Header.Set("Accept-Encoding", fmt.Sprintf("gzip;q=0.%d, br", i))
				}
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, r)
				compressed := recorder.Header().Get("Content-Encoding") == "gzip"
				if recorder.Code != http.StatusOK || compressed != (i%2 == 0) {
					t.Errorf("status %d, compressed: %v", recorder.Code, compressed)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 3*time.Second || encodings.Load() > 3 {
			t.Errorf("%d encodings took %s", encodings.Load(), took)
		}
	})
}

func TestEncodingThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := newSlowMetrics(t, timeouts{fallback: 500 * time.Millisecond, rendering: new(atomic.Int64)})
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
		if recorder.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d", recorder.Code)
		}
		time.Sleep(time.Second) // the encoding ends
	})
}

// TestIncompleteScrapesAreNotShared has a client with a short timeout get its own
// failures only.
func TestIncompleteScrapesAreNotShared(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
		if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultLatency, Latency: time.Second}); err != nil {
			t.Fatal(err)
		}
		e := newMemoryExporter(t, memory, sim)
		var wg sync.WaitGroup
		for i := range 20 {
			timeout := []string{"0.01", "5"}[i%2]
			wg.Go(func() {
				_, body := e.get(t.Context(), "/metrics", http.Header{scrapeTimeoutHeader: {timeout}})
				if complete := strings.Contains(body, "hedera_account_balance_hbar{"); complete != (timeout == "5") {
					t.Errorf("with %s s the scrape is complete: %v", timeout, complete)
				}
			})
		}
		wg.Wait()
	})
}

func TestFormats(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))
	for accept, want := range map[string]string{
		"":           "text/plain; version=0.0.4",
		"text/plain": "text/plain; version=0.0.4",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
		strings.Repeat("x", 1000): "text/plain; version=0.0.4",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+"/metrics", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("%.40s: status %d, %s", accept, response.StatusCode, got)
		}
	}
}

// TestMaxRequests has probes take nothing from scrapes, nor the other way round.
func TestMaxRequests(t *testing.T) {
	paths := map[string]string{"/metrics": "--web.max-requests", "/probe?target=0.0.98": "--probe.max-requests"}
	for path, flag := range paths {
		t.Run(path, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testMaxRequests(t, memory, path, flag, paths) })
		})
	}
}

func testMaxRequests(t *testing.T, memory *memnet.Network, first, flag string, paths map[string]string) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
	e := newMemoryExporter(t, memory, sim, "--web.max-requests=1", "--probe.max-requests=1")
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultHang}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int)
	go func() {
		status, _ := e.get(t.Context(), first, http.Header{scrapeTimeoutHeader: {"60"}})
		ended <- status
	}()
	synctest.Wait()
	if sim.Requests()["GET /api/v1/accounts"] == 0 {
		t.Error("the first request did not reach the mirror")
	}
	for path := range paths {
		status, body := e.get(t.Context(), path, http.Header{scrapeTimeoutHeader: {"1"}})
		switch {
		case path == first && (status != http.StatusServiceUnavailable || !strings.Contains(body, flag)):
			t.Errorf("%s: status %d, body %s; want 503 with the flag", path, status, body)
		case path != first && status != http.StatusOK:
			t.Errorf("%s: status %d, body %s; want 200", path, status, body)
		}
	}
	if status, _ := e.get(t.Context(), "/-/healthy", nil); status != http.StatusOK {
		t.Errorf("liveness: status %d", status)
	}
	if status := <-ended; status != http.StatusOK {
		t.Errorf("the first request got %d", status)
	}
	sim.ClearFaults()
	if status, _ := e.get(t.Context(), first, nil); status != http.StatusOK {
		t.Errorf("status %d after the first request has ended", status)
	}
}

// TestWaitingForASlot has a client with many requests not keep out another.
func TestWaitingForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := newSlots(2, "")
		serve := func(timeout time.Duration) int {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			recorder := httptest.NewRecorder()
			slots.serve(ctx, recorder, func() { time.Sleep(time.Second) })
			return recorder.Code
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 4 { // connections, each of which always has a request
			wg.Go(func() {
				for ctx.Err() == nil {
					serve(time.Minute)
				}
			})
		}
		time.Sleep(10500 * time.Millisecond)
		start := time.Now()
		if code := serve(5 * time.Second); code != http.StatusOK {
			t.Errorf("status %d", code)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("the request took %s", took)
		}
		start = time.Now()
		if code := serve(time.Millisecond); code != http.StatusServiceUnavailable {
			t.Errorf("without time to wait: status %d", code)
		}
		if took := time.Since(start); took != time.Millisecond {
			t.Errorf("it took %s", took)
		}
		stop()
		wg.Wait()
	})
}

func TestTooManyRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := newSlots(1, " (--flag)")
		codes := make(chan int, 2*maxWaiting)
		for range cap(codes) {
			go func() {
				recorder := httptest.NewRecorder()
				slots.serve(t.Context(), recorder, func() { time.Sleep(time.Second) })
				codes <- recorder.Code
			}()
		}
		count := map[int]int{}
		for range cap(codes) {
			count[<-codes]++
		}
		if served := 1 + maxWaiting; count[http.StatusOK] != served || count[http.StatusServiceUnavailable] != cap(codes)-served {
			t.Errorf("statuses %v", count)
		}
	})
}

func TestGatherErrorsAreCounted(t *testing.T) {
	var errs prometheus.MultiError
	for i := range 10000 {
		errs.Append(fmt.Errorf("error %d", i))
	}
	_, err := boundErrors(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errs })).Gather()
	if want := "10000 errors, the first: error 0; error 1; error 2"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	only := errors.New("one")
	if _, err := boundErrors(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, only })).Gather(); !errors.Is(err, only) {
		t.Errorf("got %v, want %v", err, only)
	}
}

func TestLogLinesAreBounded(t *testing.T) {
	for _, format := range []string{"logfmt", "json"} {
		var b strings.Builder
		logger := newLogger(&b, "info", format)
		long := strings.Repeat("é", 1<<20)
		if err := logger.Log("msg", "x", "err", errors.New(long), "text", long, "n", 7, "none", nil); err != nil {
			t.Fatal(err)
		}
		if line := b.String(); len(line) > 3*maxLogValue || !strings.Contains(line, "(2097152 bytes)") || strings.Count(line, "\n") != 1 {
			t.Errorf("%s: a line of %d bytes: %.100s", format, len(line), line)
		}
	}
}

func TestShutdownIsBounded(t *testing.T) {
	started, ended := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(ended)
	}))
	defer server.Close()
	go get(t, server.URL, nil)
	<-started
	var logged strings.Builder
	if err := shutdown(server.Config, 50*time.Millisecond, log.NewLogfmtLogger(&logged)); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(testDeadline):
		t.Fatal("the request goes on")
	}
	if !strings.Contains(logged.String(), "did not finish in time") {
		t.Errorf("log: %s", logged.String())
	}
	if err := server.Config.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// blockedWriter is the response of a request that does not end.
type blockedWriter struct {
	*httptest.ResponseRecorder
	gate chan struct{}
}

func (w blockedWriter) Write(p []byte) (int, error) {
	<-w.gate
	return w.ResponseRecorder.Write(p)
}

// TestReadsAndReloadsAreBounded has as many requests as may be served at a time,
// and another one.
func TestReadsAndReloadsAreBounded(t *testing.T) {
	tests := map[string]struct {
		method      string
		paths       []string
		limit       int
		one         string
		another     string
		anotherCode int
	}{
		"discovery and configuration": {http.MethodGet, []string{"/config", "/sd"}, maxReads, "/sd", "/-/healthy", http.StatusOK},
		"reload":                      {http.MethodPost, []string{"/-/reload", "/-/reload"}, maxReloads, "/-/reload", "/config", http.StatusMethodNotAllowed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				flags := parseFlags(t, "--account=0.0.98")
				registry := newRegistry()
				rl := &reloader{flags: flags, self: collector.NewSelf(registry), logger: log.NewNopLogger()}
				if err := rl.reload(); err != nil {
					t.Fatal(err)
				}
				defer rl.close()
				handler, err := newHandler(flags, rl, registry, new(atomic.Bool), log.NewNopLogger())
				if err != nil {
					t.Fatal(err)
				}
				serve := func(w http.ResponseWriter, path string) {
					handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), test.method, path, http.NoBody))
				}
				gate := make(chan struct{})
				var blocked sync.WaitGroup
				for i := range test.limit {
					blocked.Go(func() {
						serve(blockedWriter{httptest.NewRecorder(), gate}, test.paths[i%len(test.paths)])
					})
				}
				synctest.Wait()
				for path, want := range map[string]int{test.one: http.StatusServiceUnavailable, test.another: test.anotherCode} {
					recorder := httptest.NewRecorder()
					if serve(recorder, path); recorder.Code != want {
						t.Errorf("%s: status %d, want %d: %s", path, recorder.Code, want, recorder.Body)
					}
				}
				close(gate)
				blocked.Wait()
				recorder := httptest.NewRecorder()
				if serve(recorder, test.one); recorder.Code != http.StatusOK {
					t.Errorf("%s: status %d after the others: %s", test.one, recorder.Code, recorder.Body)
				}
			})
		})
	}
}
