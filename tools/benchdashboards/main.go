// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command benchdashboards measures what a refresh of each dashboard costs. It
// writes a history of accounts as blocks, runs a Prometheus on them, asks what
// Grafana would ask for six hours with everything chosen that is chosen at
// first, and prints a table.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"hedera_exporter/tools/bench"
	"hedera_exporter/tools/dashboards/live"
)

const (
	shown = 6 * time.Hour // the dashboards' own time
	ahead = 15 * time.Minute
	// evaluated is how often rules are, until all have read one another.
	evaluated          = 3
	evaluationInterval = 15 * time.Second
)

type options struct {
	dashboards, rules, prometheus string
	refreshes, slowest            int
	history                       bench.History
}

func main() {
	var o options
	flag.StringVar(&o.dashboards, "dashboards", "dashboards/*.json", "glob of the dashboards")
	flag.StringVar(&o.rules, "rules", "alerts/hedera.[rtc]*.yml", "glob of the files of recording rules")
	flag.StringVar(&o.prometheus, "prometheus", "bin/prometheus", "the program")
	flag.IntVar(&o.refreshes, "refreshes", 5, "of each dashboard, of which the mean is taken")
	flag.IntVar(&o.slowest, "slowest", 15, "queries to list")
	flag.StringVar(&o.history.Scrape, "scrape", "collector/testdata/scrape.prom", "a scrape, whose series there are beside those of accounts")
	flag.IntVar(&o.history.Accounts, "accounts", 10_000, "accounts that are watched")
	flag.IntVar(&o.history.Counted, "transactions", 1_000, "accounts whose transactions are counted")
	flag.IntVar(&o.history.Low, "low", 100, "accounts that are below their minimum")
	flag.DurationVar(&o.history.Length, "history", shown+10*time.Minute, "how long they have been watched")
	flag.DurationVar(&o.history.Interval, "interval", 15*time.Second, "scrape interval")
	flag.DurationVar(&o.history.Sparse, "sparse", 4*time.Minute, "that of the accounts after the first hundred, which no query over time reads: for less to write")
	flag.Parse()
	o.history.Ahead = ahead
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "benchdashboards:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	paths, err := filepath.Glob(o.dashboards)
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no file matches %s (%w)", o.dashboards, err)
	}
	directory, err := os.MkdirTemp("", "benchdashboards-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	started := time.Now()
	samples, err := o.history.Write(ctx, filepath.Join(directory, "data"))
	if err != nil {
		return err
	}
	fmt.Printf("%d accounts, %d with transactions, every %s for %s: %.0f M samples, written in %s\n\n",
		o.history.Accounts, o.history.Counted, o.history.Interval, o.history.Length, float64(samples)/1e6, time.Since(started).Round(time.Second))

	p, err := startPrometheus(ctx, o, directory)
	if err != nil {
		return err
	}
	defer p.Stop()
	if _, err := p.AwaitEvaluations(ctx, evaluated); err != nil {
		return err
	}
	m, err := newMeter(p, o.history.Interval)
	if err != nil {
		return err
	}
	err = p.DropRules(ctx, directory)
	if err != nil {
		return err
	}
	fmt.Println("| dashboard | queries | seconds of CPU | MB of answers |")
	fmt.Println("| --- | --- | --- | --- |")
	for _, path := range paths {
		if err := m.dashboard(ctx, path, o.refreshes); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	m.report(o.slowest)
	return nil
}

func startPrometheus(ctx context.Context, o options, directory string) (*bench.Prometheus, error) {
	rules, err := bench.RuleFiles(o.rules)
	if err != nil {
		return nil, err
	}
	if err := bench.WriteConfig(rules, directory, evaluationInterval); err != nil {
		return nil, err
	}
	return bench.Start(ctx, o.prometheus, directory)
}

// meter asks and measures.
type meter struct {
	prometheus *bench.Prometheus
	api        v1.API
	bytes      *bench.Counter
	window     live.Window
	costs      []cost
}

// cost is that of one query: how long it took, and the size of its answer.
type cost struct {
	name  string
	took  time.Duration
	bytes int64
}

func newMeter(p *bench.Prometheus, interval time.Duration) (*meter, error) {
	bytes := &bench.Counter{}
	client, err := api.NewClient(api.Config{Address: p.URL, RoundTripper: bytes})
	if err != nil {
		return nil, err
	}
	// It does not move on: what the rules have recorded gets stale without them.
	now := time.Now()
	return &meter{
		prometheus: p, api: v1.NewAPI(client), bytes: bytes,
		window: live.Window{Start: now.Add(-shown), End: now, Scrape: interval},
	}, nil
}

// dashboard prints a line of the table. The first refresh is not measured.
func (m *meter) dashboard(ctx context.Context, path string, refreshes int) error {
	content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs it
	if err != nil {
		return err
	}
	d, err := live.Decode(content)
	if err != nil {
		return err
	}
	if _, err := m.refresh(ctx, d, true); err != nil {
		return err
	}
	before, err := m.cpu(ctx)
	if err != nil {
		return err
	}
	m.bytes.Store(0)
	queries := 0
	for range refreshes {
		if queries, err = m.refresh(ctx, d, false); err != nil {
			return err
		}
	}
	bytes := m.bytes.Load()
	after, err := m.cpu(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %d | %.2f | %.2f |\n", *d.Uid, queries, (after-before)/float64(refreshes), float64(bytes)/float64(refreshes)/1e6)
	return nil
}

func (m *meter) cpu(ctx context.Context) (float64, error) {
	metrics, err := m.prometheus.Metrics(ctx)
	return metrics["process_cpu_seconds_total"], err
}

// refresh asks once, and notes what each query took if asked to.
func (m *meter) refresh(ctx context.Context, d dashboard.Dashboard, noted bool) (queries int, err error) {
	began, already := time.Now(), m.bytes.Load()
	err = live.Refresh(ctx, m.api, d, m.window, func(a live.Answer) {
		if noted {
			m.costs = append(m.costs, cost{*d.Uid + ": " + a.Name, time.Since(began), m.bytes.Load() - already})
		}
		queries++
		began, already = time.Now(), m.bytes.Load()
	})
	return queries, err
}

// report prints the queries that took longest.
func (m *meter) report(most int) {
	slices.SortFunc(m.costs, func(a, b cost) int { return cmp.Compare(b.took, a.took) })
	fmt.Println("\n| slowest queries, the first time | seconds | MB |")
	fmt.Println("| --- | --- | --- |")
	for _, c := range m.costs[:min(most, len(m.costs))] {
		fmt.Printf("| %s | %.3f | %.3f |\n", c.name, c.took.Seconds(), float64(c.bytes)/1e6)
	}
}
