// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command benchrules measures what one evaluation of the rule files costs. It
// writes a history of accounts as blocks, runs a Prometheus on them that
// evaluates every group each 20 s, and prints a table.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hedera_exporter/tools/bench"
)

const (
	evaluationInterval = 20 * time.Second
	// measured is how long evaluations are watched: within the 5 minutes for
	// which rules hold the last value.
	measured = 80 * time.Second
)

type options struct {
	rules, prometheus, data string
	history                 bench.History
}

func main() {
	var o options
	flag.StringVar(&o.rules, "rules", "alerts/hedera.*.yml", "glob of the rule files")
	flag.StringVar(&o.prometheus, "prometheus", "bin/prometheus", "the program")
	flag.StringVar(&o.data, "data", "", "directory for the blocks; a temporary one where empty")
	flag.IntVar(&o.history.Accounts, "accounts", 10_000, "accounts that are watched")
	flag.IntVar(&o.history.Counted, "transactions", 1_000, "accounts whose transactions are counted")
	flag.DurationVar(&o.history.Length, "history", 26*time.Hour, "how long they have been watched")
	flag.DurationVar(&o.history.Interval, "interval", 15*time.Second, "scrape interval")
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
	samples, err := o.history.Write(ctx, filepath.Join(directory, "data"))
	if err != nil {
		return err
	}
	fmt.Printf("%d accounts, %d with transactions, every %s for %s: %.0f M samples, written in %s\n\n",
		o.history.Accounts, o.history.Counted, o.history.Interval, o.history.Length, float64(samples)/1e6, time.Since(started).Round(time.Second))

	intervals, err := bench.WriteConfig(o.rules, directory, evaluationInterval)
	if err != nil {
		return err
	}
	p, err := bench.Start(ctx, o.prometheus, directory)
	if err != nil {
		return err
	}
	defer p.Stop()
	before, err := p.AwaitEvaluations(ctx, 1)
	if err != nil {
		return err
	}
	if err := bench.Sleep(ctx, measured); err != nil {
		return err
	}
	after, err := p.Metrics(ctx)
	if err != nil {
		return err
	}
	report(before, after, intervals)
	return reportSlowest(ctx, p)
}

// report prints the last evaluation of each group, and the CPU time of all that
// were watched.
func report(before, after map[string]float64, intervals map[string]string) {
	rules := bench.ByGroup(after, "prometheus_rule_group_rules")
	durations := bench.ByGroup(after, "prometheus_rule_group_last_duration_seconds")
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
func reportSlowest(ctx context.Context, p *bench.Prometheus) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v1/rules", nil)
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
	values := bench.ByGroup(after, name)
	for group, value := range bench.ByGroup(before, name) {
		values[group] -= value
	}
	return values
}
