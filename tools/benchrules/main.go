// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command benchrules measures what one evaluation of the rule files costs. It
// writes a history of accounts as blocks, runs a Prometheus on them that
// evaluates every group each 20 s, and prints a table.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
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
	evaluationInterval = 20 * time.Second
	// measured is how long evaluations are watched: within the 5 minutes for
	// which rules hold the last value.
	measured = 80 * time.Second
)

type options struct {
	rules, prometheus, data string
	history                 history
}

func main() {
	var o options
	flag.StringVar(&o.rules, "rules", "alerts/hedera.*.yml", "glob of the rule files")
	flag.StringVar(&o.prometheus, "prometheus", "bin/prometheus", "the program")
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
	started := time.Now()
	samples, err := o.history.write(ctx, filepath.Join(directory, "data"))
	if err != nil {
		return err
	}
	fmt.Printf("%d accounts, %d with transactions, every %s for %s: %.0f M samples, written in %s\n\n",
		o.history.accounts, o.history.counted, o.history.interval, o.history.length, float64(samples)/1e6, time.Since(started).Round(time.Second))

	intervals, err := writeConfig(o.rules, directory)
	if err != nil {
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
	report(before, after, intervals)
	return p.reportSlowest(ctx)
}

// writeConfig writes a configuration and copies of the rule files that are
// evaluated sooner. It returns the intervals by group.
func writeConfig(rules, directory string) (map[string]string, error) {
	paths, err := filepath.Glob(rules)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no file matches %s", rules)
	}
	intervals := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs it
		if err != nil {
			return nil, err
		}
		var file map[string][]map[string]any
		if err := yaml.Unmarshal(content, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, group := range file["groups"] {
			intervals[group["name"].(string)], _ = group["interval"].(string)
			group["interval"] = evaluationInterval.String()
		}
		out, err := yaml.Marshal(file)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(directory, filepath.Base(path)), out, 0o600); err != nil {
			return nil, err
		}
	}
	return intervals, os.WriteFile(filepath.Join(directory, "prometheus.yml"), []byte("rule_files: ['hedera.*.yml']\n"), 0o600)
}

type prometheus struct {
	url string
	cmd *exec.Cmd
}

func start(ctx context.Context, program, directory string) (*prometheus, error) {
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
	return &prometheus{url: "http://" + address, cmd: cmd}, cmd.Start()
}

func (p *prometheus) stop() {
	_ = p.cmd.Process.Kill() // it may have ended already
	_ = p.cmd.Wait()
}

// awaitEvaluations returns the metrics once each group was evaluated.
func (p *prometheus) awaitEvaluations(ctx context.Context) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
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
func (p *prometheus) metrics(ctx context.Context) (map[string]float64, error) {
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

// report prints the last evaluation of each group, and the CPU time of all that
// were watched.
func report(before, after map[string]float64, intervals map[string]string) {
	rules := byGroup(after, "prometheus_rule_group_rules")
	durations := byGroup(after, "prometheus_rule_group_last_duration_seconds")
	iterations := difference(before, after, "prometheus_rule_group_iterations_total")
	fmt.Println("| group | interval | rules | seconds an evaluation |")
	fmt.Println("| --- | --- | --- | --- |")
	var total, rounds float64
	for _, group := range slices.Sorted(maps.Keys(rules)) {
		seconds := durations[group]
		interval := intervals[group]
		if interval == "" {
			interval = "evaluation_interval"
		}
		fmt.Printf("| %s | %s | %.0f | %.3f |\n", group, interval, rules[group], seconds)
		total += seconds
		rounds = max(rounds, iterations[group])
	}
	fmt.Printf("| all | | | %.3f |\n\n", total)
	cpu := after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
	fmt.Printf("CPU of Prometheus for one evaluation of all groups: %.2f s (%.1f s in %.0f evaluations), %.0f MB resident\n",
		cpu/rounds, cpu, rounds, after["process_resident_memory_bytes"]/1e6)
}

// reportSlowest prints the rules that took longest.
func (p *prometheus) reportSlowest(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/rules", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	type rule struct {
		Name   string  `json:"name"`
		Time   float64 `json:"evaluationTime"`
		Alerts []any   `json:"alerts"`
	}
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []rule `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	var rules []rule
	for _, group := range answer.Data.Groups {
		rules = append(rules, group.Rules...)
	}
	slices.SortFunc(rules, func(a, b rule) int { return cmp.Compare(b.Time, a.Time) })
	fmt.Println("\n| slowest rules | seconds | active alerts |")
	fmt.Println("| --- | --- | --- |")
	for _, r := range rules[:min(15, len(rules))] {
		fmt.Printf("| %s | %.3f | %d |\n", r.Name, r.Time, len(r.Alerts))
	}
	return nil
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
