// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// notInScrape are the metrics that rules and runbooks may read although the
// golden scrape has none of them: those of the Go runtime and the build, which
// differ from one machine to the next, that of /probe, and those that
// Prometheus adds itself.
var notInScrape = []string{
	"hedera_exporter_build_info",
	"process_start_time_seconds",
	"process_resident_memory_bytes",
	"process_cpu_seconds_total",
	"go_goroutines",
	"probe_success",
	"up",
	"scrape_duration_seconds",
	"scrape_timeout_seconds",
	"ALERTS",
}

// announced are metrics that rules read already and the exporter will show.
// Until then the rules are silent. What is in the scrape must not be here.
var announced = []string{}

// exportedMetrics reads the names of the families of a scrape, and adds those
// of notInScrape.
func exportedMetrics(path string) (map[string]bool, error) {
	content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs the check
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[1] != "TYPE" {
			continue
		}
		for _, name := range seriesNames(fields[2], fields[3]) {
			known[name] = true
		}
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("%s has no # TYPE line", path)
	}
	for _, name := range announced {
		if known[name] {
			return nil, fmt.Errorf("%s has %s: it is no longer only announced, take it out of the list in metrics.go", path, name)
		}
		known[name] = true
	}
	for _, name := range notInScrape {
		known[name] = true
	}
	return known, nil
}

func seriesNames(family, kind string) []string {
	if kind == "histogram" {
		return []string{family + "_bucket", family + "_sum", family + "_count"}
	}
	return []string{family}
}

// queriedMetrics returns the names of the metrics that a PromQL query reads.
func queriedMetrics(query string) ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, selectors := range parser.ExtractSelectors(expr) {
		name, err := metricName(selectors)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func metricName(matchers []*labels.Matcher) (string, error) {
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value, nil
		}
	}
	return "", fmt.Errorf("a selector without a metric name: %v", matchers)
}

// unknownMetrics returns a problem for each metric of a query that is not known.
func unknownMetrics(where, query string, known map[string]bool) []string {
	names, err := queriedMetrics(query)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v in %q", where, err, query)}
	}
	var problems []string
	for _, name := range names {
		if !known[name] {
			problems = append(problems, fmt.Sprintf("%s: nothing exports or records %s", where, name))
		}
	}
	return problems
}
