// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
	"hedera_exporter/internal/trace"
)

// maxDebugLines bounds the log lines and the requests of a debug page, each.
// 100 targets by their addresses are 100 requests.
const maxDebugLines = 200

// debugProbe gathers what a probe with debug=true shows. Its clients may be
// anyone: of an error it has the reason only, as its text may quote a mirror.
type debugProbe struct {
	mu       sync.Mutex
	log      bytes.Buffer
	lines    int
	requests []trace.Request
	more     int // requests that are not shown
}

func (d *debugProbe) request(r trace.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.requests) >= maxDebugLines {
		d.more++
		return
	}
	d.requests = append(d.requests, r)
}

// logger logs to next as before, and here at all levels.
func (d *debugProbe) logger(next log.Logger) log.Logger {
	here := log.With(log.NewLogfmtLogger(&d.log), "ts", log.DefaultTimestampUTC)
	return log.LoggerFunc(func(keyvals ...any) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.lines++; d.lines <= maxDebugLines {
			shown := slices.Clone(keyvals)
			for i, value := range shown {
				if err, ok := value.(error); ok {
					shown[i] = collector.Reason(err)
				}
			}
			here.Log(shown...)
		}
		return next.Log(keyvals...)
	})
}

// run probes the targets and writes the page.
func (d *debugProbe) run(ctx context.Context, w http.ResponseWriter, network collector.Network, targets []collector.Target) {
	network.Log = d.logger(network.Log)
	level.Debug(network.Log).Log("msg", "probe starts", "network", network.Name, "targets", len(targets))
	samples := prometheus.NewRegistry()
	samples.MustRegister(network.Probe(trace.With(ctx, d.request), targets))
	level.Debug(network.Log).Log("msg", "probe ended", "network", network.Name)

	var page bytes.Buffer
	d.write(&page)
	page.WriteString("\nSamples:\n")
	families, err := boundErrors(samples).Gather()
	if err != nil {
		level.Error(network.Log).Log("msg", "scrape not complete", "err", err)
	}
	if err := errors.Join(err, writeFamilies(&page, families)); err != nil {
		http.Error(w, "the samples cannot be encoded, see the exporter's log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = page.WriteTo(w)
}

func (d *debugProbe) write(w io.Writer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(w, "Log, with the reasons of errors only; the exporter's own has them in full:")
	_, _ = d.log.WriteTo(w)
	writeMore(w, d.lines-maxDebugLines)

	fmt.Fprintln(w, "\nRequests:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	slices.SortStableFunc(d.requests, func(a, b trace.Request) int { return a.Start.Compare(b.Start) })
	for _, r := range d.requests {
		writeRow(table, r.Start.UTC().Format("15:04:05.000"), r.Code, r.Duration.Round(10*time.Microsecond).String(), r.Server, r.Text)
	}
	_ = table.Flush()
	writeMore(w, d.more)
}

func writeMore(w io.Writer, more int) {
	if more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
}

// parseDebug reads the parameter debug, which may be missing.
func parseDebug(text string) (bool, error) {
	if text == "" {
		return false, nil
	}
	debug, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("debug %q must be true or false", cut(text))
	}
	return debug, nil
}
