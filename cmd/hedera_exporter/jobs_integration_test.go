//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"
)

const collectorsExample = "../../deploy/prometheus/prometheus-collectors.yml"

// TestTwoJobsOfOneExporter has Prometheus scrape an exporter by the example's two
// jobs, which together have every series, and none twice.
func TestTwoJobsOfOneExporter(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--nodes=2", "--accounts=10", "--config.accounts=10")
	config, err := os.ReadFile(sim.config)
	if err != nil {
		t.Fatal(err)
	}
	own := replaced(t, string(config), "    consensus:\n", "    consensus:\n      own_nodes: [0]\n", 1)
	_, exporter := startExporterProcess(t, writeFile(t, "own.yml", own))
	_, body := get(t, exporter+"/metrics", nil)

	example, err := os.ReadFile(collectorsExample)
	if err != nil {
		t.Fatal(err)
	}
	jobs := replaced(t, string(example), `"localhost:10102"`, `"`+strings.TrimPrefix(exporter, "http://")+`"`, 2)
	jobs = replaced(t, jobs, "scrape_interval: 30s\n  scrape_timeout: 10s", "scrape_interval: 3s\n  scrape_timeout: 3s", 1)
	jobs = replaced(t, jobs, "scrape_interval: 2m\n    scrape_timeout: 1m", "scrape_interval: 3s\n    scrape_timeout: 3s", 1)
	prometheus := startPrometheusOn(t, jobs)

	var missing []string
	defer func() {
		if t.Failed() {
			t.Logf("in no job: %s", missing)
		}
	}()
	// A busy machine may be late for a part of a scrape.
	awaitTrue(t, "both jobs were scraped, and have all metrics", func() bool {
		stored := map[string]bool{}
		for _, s := range query(t, prometheus, `group by (__name__) (last_over_time({__name__!=""}[5m]))`) {
			stored[s.Metric["__name__"]] = true
		}
		missing = nil
		for line := range strings.Lines(body) {
			if name := line[:strings.IndexAny(line, "{ ")]; name != "#" && !stored[name] {
				missing = append(missing, name)
				stored[name] = true // once is enough
			}
		}
		return len(missing) == 0 && len(query(t, prometheus, "up == 1")) == 2
	})
	// Alerts take from build_info, in each job, that its target is an exporter.
	for _, s := range query(t, prometheus, `count without (job) (label_replace(last_over_time({__name__=~"(hedera|go|process|promhttp)_.+"}[5m]), "metric", "$1", "__name__", "(.+)")) > 1`) {
		if s.Metric["metric"] != "hedera_exporter_build_info" {
			t.Errorf("in both jobs: %v", s.Metric)
		}
	}
	if both := query(t, prometheus, "last_over_time(hedera_exporter_build_info[5m])"); len(both) != 2 {
		t.Errorf("hedera_exporter_build_info is in %d jobs, want 2", len(both))
	}
}
