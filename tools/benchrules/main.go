// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command benchrules measures the CPU time that the rule files cost. It writes a
// history of accounts as Prometheus stores it, evaluates each rule on it by
// Prometheus' own packages, and prints a table of the groups. Then a real
// Prometheus evaluates all groups at once on the same history.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	// processInterval is how often the real Prometheus evaluates each group.
	processInterval = 20 * time.Second
	// measured is how long it is watched: within the 5 minutes for which rules hold
	// the last value.
	measured = 80 * time.Second
)

type options struct {
	rules, prometheus, data string
	history                 history
}

func main() {
	var o options
	flag.StringVar(&o.rules, "rules", "alerts/hedera.*.yml", "glob of the rule files")
	flag.StringVar(&o.prometheus, "prometheus", "bin/prometheus", "the program; where empty, rules are evaluated in this process only")
	flag.StringVar(&o.data, "data", "", "directory for the blocks; a temporary one where empty")
	flag.IntVar(&o.history.accounts, "accounts", 10_000, "accounts that are watched")
	flag.IntVar(&o.history.counted, "transactions", 1_000, "accounts whose transactions are counted")
	flag.DurationVar(&o.history.length, "history", 26*time.Hour, "how long they have been watched")
	flag.DurationVar(&o.history.interval, "interval", 15*time.Second, "scrape interval")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "benchrules:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	directory := o.data
	if directory == "" {
		if directory, err = os.MkdirTemp("", "benchrules-*"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	}
	paths, err := ruleFiles(o.rules)
	if err != nil {
		return err
	}
	if o.history.reach, err = reach(paths); err != nil {
		return err
	}
	started := time.Now()
	db, samples, err := o.history.write(ctx, filepath.Join(directory, "data"))
	if err != nil {
		return err
	}
	fmt.Printf("%d accounts, %d with transactions, every %s for %s: %.0f M samples that rules read, written in %s\n\n",
		o.history.accounts, o.history.counted, o.history.interval, o.history.length, float64(samples)/1e6, time.Since(started).Round(time.Second))
	costs, err := evaluate(ctx, db, paths)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	report(costs)
	if o.prometheus == "" {
		return nil
	}
	return runPrometheus(ctx, o, directory, paths)
}

// runPrometheus prints the CPU time of a real Prometheus.
func runPrometheus(ctx context.Context, o options, directory string, paths []string) error {
	if err := writeConfig(paths, directory); err != nil {
		return err
	}
	p, err := start(ctx, o.prometheus, directory)
	if err != nil {
		return err
	}
	defer p.stop()
	before, err := p.awaitEvaluations(ctx)
	if err != nil {
		return err
	}
	if err := sleep(ctx, measured); err != nil {
		return err
	}
	after, err := p.metrics(ctx)
	if err != nil {
		return err
	}
	evaluations := slices.Max(slices.Collect(maps.Values(difference(before, after, "prometheus_rule_group_iterations_total"))))
	cpu := after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
	fmt.Printf("\nCPU of a real Prometheus for one evaluation of all groups: %.2f s (%.1f s in %.0f evaluations), %.0f MB resident\n",
		cpu/evaluations, cpu, evaluations, after["process_resident_memory_bytes"]/1e6)
	return nil
}

// writeConfig writes a configuration and copies of the rule files that are
// evaluated sooner.
func writeConfig(paths []string, directory string) error {
	for _, path := range paths {
		content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs it
		if err != nil {
			return err
		}
		var file map[string][]map[string]any
		if err := yaml.Unmarshal(content, &file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, group := range file["groups"] {
			group["interval"] = processInterval.String()
		}
		out, err := yaml.Marshal(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(directory, filepath.Base(path)), out, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(directory, "prometheus.yml"), []byte("rule_files: ['hedera.*.yml']\n"), 0o600)
}

type process struct {
	url string
	cmd *exec.Cmd
}

func start(ctx context.Context, program, directory string) (*process, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(directory, "prometheus.log")) //nolint:gosec // our own directory
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own descriptor
	// The blocks stay as they are: compaction would be measured with the rules.
	cmd := exec.CommandContext(ctx, program, "--config.file="+filepath.Join(directory, "prometheus.yml"), //nolint:gosec // the caller's own program
		"--storage.tsdb.path="+filepath.Join(directory, "data"), "--web.listen-address="+address,
		"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h", "--storage.tsdb.retention.time=30d")
	cmd.Stdout, cmd.Stderr = log, log
	return &process{url: "http://" + address, cmd: cmd}, cmd.Start()
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill() // it may have ended already
	_ = p.cmd.Wait()
}

// awaitEvaluations returns the metrics once each group was evaluated.
func (p *process) awaitEvaluations(ctx context.Context) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		metrics, err := p.metrics(ctx)
		if err == nil {
			counts := byGroup(metrics, "prometheus_rule_group_iterations_total")
			if len(counts) > 0 && slices.Min(slices.Collect(maps.Values(counts))) >= 1 {
				return metrics, nil
			}
		}
		if err := sleep(ctx, time.Second); err != nil {
			return nil, fmt.Errorf("waiting for the first evaluations: %w", err)
		}
	}
}

// metrics are Prometheus' own, by name and labels.
func (p *process) metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	metrics := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		i := strings.LastIndexByte(lines.Text(), ' ')
		if i < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if value, err := strconv.ParseFloat(lines.Text()[i+1:], 64); err == nil {
			metrics[lines.Text()[:i]] = value
		}
	}
	return metrics, lines.Err()
}

// byGroup are the values of a metric by rule group.
func byGroup(metrics map[string]float64, name string) map[string]float64 {
	values := map[string]float64{}
	for series, value := range metrics {
		if rest, found := strings.CutPrefix(series, name+`{rule_group="`); found {
			_, group, _ := strings.Cut(strings.TrimSuffix(rest, `"}`), ";")
			values[group] = value
		}
	}
	return values
}

func difference(before, after map[string]float64, name string) map[string]float64 {
	values := byGroup(after, name)
	for group, value := range byGroup(before, name) {
		values[group] -= value
	}
	return values
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
