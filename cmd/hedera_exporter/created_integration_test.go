//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestFirstFailureIsAnIncrease has a real Prometheus scrape the first failed
// transaction of an account: classic, where a series has to exist before, and
// with created timestamps.
func TestFirstFailureIsAnIncrease(t *testing.T) {
	const account = `account_id="0.0.1001"`
	for name, test := range map[string]struct {
		program string // the variable that names it: created timestamps need Prometheus 3
		args    []string
		metrics []string
	}{
		"classic": {"PROMETHEUS", nil, []string{`hedera_account_failed_transactions_total{` + account + `}`}},
		"created timestamps": {
			"PROMETHEUS3",
			[]string{"--enable-feature=created-timestamp-zero-ingestion"},
			[]string{`hedera_account_failed_transactions_total{` + account + `}`, `hedera_account_transactions_total{` + account + `,result="INVALID_SIGNATURE"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulatorProcess(t, "--static", "--nodes=1", "--accounts=3")
			_, exporter := startExporterProcess(t, sim.config)
			prometheus := startPrometheusProgram(t, program(t, test.program), fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: hedera
    static_configs: [{targets: ["%s"]}]
`, strings.TrimPrefix(exporter, "http://")), test.args...)
			awaitTrue(t, "three scrapes", func() bool {
				counted := query(t, prometheus, `count_over_time(hedera_account_failed_transactions_total{`+account+`}[1m]) >= 3`)
				return len(counted) == 1
			})
			sim.control(t, "POST", "/transactions", `{"payer":"0.0.1001","result":"INVALID_SIGNATURE"}`)
			for _, metric := range test.metrics {
				// What is extrapolated at the ends of the window is less than 1/2, in the end.
				expression := "round(increase(" + metric + "[1m]))"
				awaitTrue(t, expression+" is 1", func() bool {
					increase := query(t, prometheus, expression)
					return len(increase) == 1 && increase[0].value(t) == 1
				})
			}
		})
	}
}
