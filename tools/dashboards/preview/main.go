// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command preview draws the dashboards from their JSON and from what a
// Prometheus answers that has scraped the exporter on the simulated network,
// with a drained account, a stopped node and a lagging mirror. It stands in for
// Grafana where there is none.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"hedera_exporter/tools/dashboards/live"
	"hedera_exporter/tools/dashboards/stack"
)

const interval = 5 * time.Second

// settings are the command line.
type settings struct {
	stack.Programs
	rules, dashboards, output, images, chromium string
	healthy, troubled                           time.Duration
	longest                                     int
}

func main() {
	var s settings
	flag.StringVar(&s.Bin, "bin", "bin", "directory of the exporter and the simulator")
	flag.StringVar(&s.Prometheus, "prometheus", "prometheus", "Prometheus' program")
	flag.StringVar(&s.rules, "rules", "alerts", "directory of the rule files")
	flag.StringVar(&s.dashboards, "dashboards", "dashboards", "directory of the dashboards")
	flag.StringVar(&s.output, "output", "preview", "directory of the pages")
	flag.StringVar(&s.images, "images", "", "directory of the screenshots, if any are wanted")
	flag.StringVar(&s.chromium, "chromium", "chromium", "the browser that makes the screenshots")
	flag.DurationVar(&s.healthy, "healthy", 2*time.Minute, "how long all is well")
	flag.DurationVar(&s.troubled, "troubled", 3*time.Minute, "how long there is trouble before the pages are drawn")
	flag.IntVar(&s.longest, "longest", 2400, "pixels after which screenshots are cut off")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "preview:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	rules, err := ruleFiles(s.rules)
	if err != nil {
		return err
	}
	st, err := stack.Start(ctx, stack.Options{
		Programs: s.Programs, Rules: rules, Interval: interval,
		Simulator: []string{"--config.accounts=12"},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	start := time.Now()
	if err := unfold(ctx, st, s); err != nil {
		return err
	}
	client, err := api.NewClient(api.Config{Address: st.PrometheusURL})
	if err != nil {
		return err
	}
	end := time.Now()
	w := live.Window{Start: start, End: end, Scrape: interval}
	return drawAll(ctx, v1.NewAPI(client), s, w)
}

// ruleFiles are the recording and alerting rules, by paths that do not depend
// on Prometheus' own directory.
func ruleFiles(directory string) ([]string, error) {
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(absolute, "hedera.*.yml"))
}

// unfold lets the network be well for a while and then breaks it.
func unfold(ctx context.Context, st *stack.Stack, s settings) error {
	if err := wait(ctx, s.healthy); err != nil {
		return err
	}
	for _, call := range [][3]string{
		{http.MethodPost, "/blocks/stop"},
		{http.MethodPost, "/nodes/4/stop"},
		{http.MethodPut, "/accounts/0.0.1002/balance", `{"tinybar":4200000000}`},
	} {
		if err := st.Control(ctx, call[0], call[1], call[2]); err != nil {
			return err
		}
	}
	return wait(ctx, s.troubled)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func drawAll(ctx context.Context, prometheus v1.API, s settings, w live.Window) error {
	paths, err := filepath.Glob(filepath.Join(s.dashboards, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := drawOne(ctx, prometheus, s, w, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func drawOne(ctx context.Context, prometheus v1.API, s settings, w live.Window, path string) error {
	content, err := os.ReadFile(path) //nolint:gosec // the caller names the directory
	if err != nil {
		return err
	}
	d, err := live.Decode(content)
	if err != nil {
		return err
	}
	drawn, height, err := draw(ctx, prometheus, d, w)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	if err := os.MkdirAll(s.output, 0o750); err != nil {
		return err
	}
	file := filepath.Join(s.output, name+".html")
	if err := os.WriteFile(file, []byte(drawn), 0o600); err != nil { //nolint:gosec // the caller names the directory
		return err
	}
	if s.images == "" {
		return nil
	}
	return screenshot(ctx, s.chromium, file, filepath.Join(s.images, name+".png"), min(height, s.longest))
}
