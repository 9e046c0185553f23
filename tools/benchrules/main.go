// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command benchrules measures the CPU time that the rule files cost. It writes a
// history of accounts as Prometheus stores it, evaluates each rule on it by
// Prometheus' own packages, and prints a table of the groups. Then a real
// Prometheus evaluates all groups at once on the same history.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hedera_exporter/tools/bench"
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
	history                 bench.History
}

func main() {
	var o options
	flag.StringVar(&o.rules, "rules", "alerts/hedera.*.yml", "glob of the rule files")
	flag.StringVar(&o.prometheus, "prometheus", "bin/prometheus", "the program; where empty, rules are evaluated in this process only")
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
	paths, err := bench.RuleFiles(o.rules)
	if err != nil {
		return err
	}
	if o.history.Reach, err = reach(paths); err != nil {
		return err
	}
	started := time.Now()
	db, samples, err := o.history.Open(ctx, filepath.Join(directory, "data"))
	if err != nil {
		return err
	}
	fmt.Printf("%d accounts, %d with transactions, every %s for %s: %.0f M samples that rules read, written in %s\n\n",
		o.history.Accounts, o.history.Counted, o.history.Interval, o.history.Length, float64(samples)/1e6, time.Since(started).Round(time.Second))
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
	if err := bench.WriteConfig(paths, directory, processInterval); err != nil {
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
	evaluations := slices.Max(slices.Collect(maps.Values(difference(before, after, "prometheus_rule_group_iterations_total"))))
	cpu := after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
	fmt.Printf("\nCPU of a real Prometheus for one evaluation of all groups: %.2f s (%.1f s in %.0f evaluations), %.0f MB resident\n",
		cpu/evaluations, cpu, evaluations, after["process_resident_memory_bytes"]/1e6)
	return nil
}

func difference(before, after map[string]float64, name string) map[string]float64 {
	values := bench.ByGroup(after, name)
	for group, value := range bench.ByGroup(before, name) {
		values[group] -= value
	}
	return values
}
