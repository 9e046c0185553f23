// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/collector"
	"hedera_exporter/internal/simulator"
)

// newMetricsOf returns a handler of scrapes that have the metrics of registry
// only, and the log.
func newMetricsOf(t *testing.T, registry *prometheus.Registry) (http.Handler, *strings.Builder) {
	t.Helper()
	set, err := collector.NewSet(nil, collector.Options{}, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	rl := &reloader{current: &runtime{set: set, users: 1}}
	limits := timeouts{fallback: 5 * time.Second, rendering: new(atomic.Int64)}
	return newMetricsHandler(rl, registry, limits, newSlots(0, ""), log.NewLogfmtLogger(&lines)), &lines
}

func getMetrics(t *testing.T, handler http.Handler, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	r.Header = header
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

func TestCompression(t *testing.T) {
	handler, _ := newMetricsOf(t, prometheus.NewRegistry())
	for accepted, want := range map[string]string{
		"": "", "identity": "", "br": "", "gzip;q=0": "", "gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip, zstd": "zstd", "zstd;q=0, gzip": "gzip",
	} {
		t.Run(accepted, func(t *testing.T) {
			response := getMetrics(t, handler, http.Header{"Accept-Encoding": {accepted}})
			defer response.Body.Close()
			if got := response.Header.Get("Content-Encoding"); got != want {
				t.Fatalf("encoding %q, want %q", got, want)
			}
			var body io.Reader = response.Body
			var err error
			switch want {
			case "gzip":
				body, err = gzip.NewReader(body)
			case "zstd":
				body, err = zstd.NewReader(body)
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(body)
			if err != nil || !strings.Contains(string(text), "promhttp_metric_handler_errors_total{cause=\"gathering\"} 0\n") {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

func TestFormatsOfAScrape(t *testing.T) {
	handler, _ := newMetricsOf(t, prometheus.NewRegistry())
	for _, kind := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		format := expfmt.NewFormat(kind)
		response := getMetrics(t, handler, http.Header{"Accept": {string(format)}})
		defer response.Body.Close()
		got := expfmt.ResponseFormat(response.Header)
		if got.FormatType() != kind || response.Header.Get("Vary") != "Accept, Accept-Encoding" {
			t.Errorf("asked for %s: %v", format, response.Header)
		}
		if kind == expfmt.TypeOpenMetrics {
			text, err := io.ReadAll(response.Body)
			if err != nil || !strings.HasSuffix(string(text), "\n# EOF\n") {
				t.Errorf("%v: %s", err, text)
			}
			continue
		}
		var family dto.MetricFamily
		if err := expfmt.NewDecoder(response.Body, got).Decode(&family); err != nil || family.GetName() != "promhttp_metric_handler_errors_total" {
			t.Errorf("%s: %v: %s", format, err, &family)
		}
	}
}

// failingCollector has errors, one for each metric.
type failingCollector struct{ errors int }

func (failingCollector) Describe(chan<- *prometheus.Desc) {}

func (c failingCollector) Collect(ch chan<- prometheus.Metric) {
	for range c.errors {
		ch <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(errors.New("invalid")), errors.New("invalid"))
	}
}

func TestErrorsOfAScrape(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(failingCollector{errors: 1000})
	handler, lines := newMetricsOf(t, registry)
	for range 2 {
		response := getMetrics(t, handler, nil)
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("status %s", response.Status)
		}
	}
	if text := lines.String(); strings.Count(text, "\n") != 2 || strings.Count(text, "cause=gathering") != 2 || !strings.Contains(text, "1000 errors, the first: ") {
		t.Errorf("log:\n%s", text)
	}
	response := getMetrics(t, handler, nil)
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(text), "promhttp_metric_handler_errors_total{cause=\"gathering\"} 2\n") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestSelectedCollectors(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))
	const balance, height, success = "hedera_account_balance_hbar{", "hedera_block_number{", `hedera_scrape_collector_success{collector="node_probe"`
	tests := []struct {
		query  string
		status int
		with   []string
		not    []string
	}{
		{"", 200, []string{balance, height, success, "go_goroutines "}, nil},
		{"?collect[]=accounts", 200, []string{balance, "go_goroutines "}, []string{height, success}},
		{"?collect[]=accounts&collect[]=blocks", 200, []string{balance, height}, []string{success}},
		{"?exclude[]=accounts", 200, []string{height, success}, []string{balance}},
		{"?collect[]=nothing", 400, []string{`collector "nothing" is unknown or disabled`}, []string{balance}},
		{"?exclude[]=nothing", 400, []string{`collector "nothing" is unknown or disabled`}, nil},
		{"?collect[]=accounts&exclude[]=blocks", 400, []string{"cannot be combined"}, nil},
		{"?other=accounts", 200, []string{balance, height}, nil},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			status, body := request(t, http.MethodGet, e.url+"/metrics"+test.query, nil)
			if status != test.status {
				t.Errorf("status %d: %.500s", status, body)
			}
			for _, text := range test.with {
				if !strings.Contains(body, text) {
					t.Errorf("without %s:\n%.2000s", text, body)
				}
			}
			for _, text := range test.not {
				if strings.Contains(body, text) {
					t.Errorf("with %s", text)
				}
			}
		})
	}
}

// TestSelectionsAreNotMixed has scrapes of different collectors wait for their
// encoding at the same time.
func TestSelectionsAreNotMixed(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			query := []string{"?collect[]=accounts", "?collect[]=blocks"}[i%2]
			status, body := request(t, http.MethodGet, e.url+"/metrics"+query, nil)
			if status != http.StatusOK || strings.Contains(body, "hedera_account_balance_hbar{") != (i%2 == 0) || strings.Contains(body, "hedera_block_number{") != (i%2 == 1) {
				t.Errorf("%s: status %d:\n%.2000s", query, status, body)
			}
		})
	}
	wg.Wait()
}

// TestExcludedMetricsAreNowhere leaves out a metric by a reload.
func TestExcludedMetricsAreNowhere(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	file := writeFile(t, "c.yml", string(sim.ExporterConfig()))
	e := startExporter(t, file)
	const metric = "hedera_account_key_info"
	paths := []string{"/metrics", "/probe?target=0.0.98"}
	for _, path := range paths {
		if _, body := get(t, e.url+path, nil); !strings.Contains(body, metric+"{") {
			t.Errorf("%s does not have %s", path, metric)
		}
	}
	if err := os.WriteFile(file, append([]byte("collectors: {accounts: {exclude: [key_info]}}\n"), sim.ExporterConfig()...), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, http.MethodPost, e.url+"/-/reload", nil); status != http.StatusOK {
		t.Fatalf("reload: %d %s", status, body)
	}
	for _, path := range paths {
		if _, body := get(t, e.url+path, nil); strings.Contains(body, metric+"{") || !strings.Contains(body, "hedera_account_balance_hbar") {
			t.Errorf("%s still has %s, or nothing else", path, metric)
		}
	}
	if _, body := get(t, e.url+"/config", nil); !strings.Contains(body, "- "+metric+"\n") {
		t.Errorf("/config does not show what is left out:\n%.300s", body)
	}
}
