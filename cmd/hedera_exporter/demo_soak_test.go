//go:build integration && soak

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hedera_exporter/internal/processtest"
)

// TestDemoIsQuiet runs make demo's script under a real Prometheus with the rules
// as they are shipped, at their real speed, for QUIET (10m): no alert fires but
// the watchdog, and every collector of every scrape succeeds. It takes that long.
func TestDemoIsQuiet(t *testing.T) {
	duration := 10 * time.Minute
	if text := os.Getenv("QUIET"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	address := processtest.FreeAddress(t)
	cmd := exec.CommandContext(t.Context(), "../../deploy/demo/demo.sh", program(t, "BIN"))
	cmd.Env = append(os.Environ(), "DEMO_LISTEN_ADDRESS="+address, "DEMO_FREE_PORTS=1")
	demo := processtest.Run(t, cmd)
	if _, err := demo.AwaitOutput(withDeadline(t), regexp.MustCompile("Press Ctrl-C to stop")); err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs("../../alerts/hedera.*.yml")
	if err != nil {
		t.Fatal(err)
	}
	prometheus := startPrometheusOn(t, fmt.Sprintf(`
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: [%q]
scrape_configs:
  - job_name: hedera
    static_configs: [{targets: [%q]}]
`, rules, address))
	time.Sleep(duration)

	ask := func(expression string) []sample {
		t.Helper()
		return query(t, prometheus, strings.ReplaceAll(expression, "$d", fmt.Sprintf("%ds", int(duration.Seconds()))))
	}
	for _, alert := range ask(`max_over_time(ALERTS{alertstate="firing",alertname!="HederaWatchdog"}[$d])`) {
		t.Errorf("fired: %v", alert.Metric)
	}
	for _, failed := range ask(`min_over_time(up[$d]) < 1 or min_over_time(hedera_scrape_collector_success[$d]) < 1`) {
		t.Errorf("failed once: %v", failed.Metric)
	}
	// That the rules have been evaluated all the time, and have had data.
	want := duration.Seconds() / 15 * 0.9
	for _, expression := range []string{`count_over_time(ALERTS{alertname="HederaWatchdog",alertstate="firing"}[$d])`, `count_over_time(up{job="hedera"}[$d])`} {
		if got := ask(expression); len(got) != 1 || got[0].value(t) < want {
			t.Errorf("%s: %v, want one of %v at least", expression, got, want)
		}
	}
	if got := ask(`count(account:hedera_account_balance_hbar:max)`); len(got) != 1 || got[0].value(t) < 15 {
		t.Errorf("recorded balances: %v", got)
	}
	t.Logf("no alert in %s; %d alerting rules", duration, strings.Count(readRules(t), "- alert: "))
}

func readRules(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../../alerts/hedera.alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
