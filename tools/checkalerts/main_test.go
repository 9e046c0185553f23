// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	scrape = `# HELP hedera_thing_up Whether the thing is up.
# TYPE hedera_thing_up gauge
hedera_thing_up{network="test"} 1
# TYPE hedera_wait_seconds histogram
`
	recording = `groups:
  - name: things.rules
    rules:
      - record: network:hedera_thing_up:max
        expr: max by (network) (hedera_thing_up)
`
	alerting = `groups:
  - name: things.alerts
    rules:
      - alert: HederaThingDown
        expr: network:hedera_thing_up:max == 0
        labels: {severity: warning, team: things, subject: thing}
        annotations:
          summary: down
          description: it is down
          runbook_url: docs/runbooks/HederaThingDown.md
`
	unitTests = `tests:
  - input_series:
      - {series: 'hedera_thing_up{network="test"}', values: 1 0}
    alert_rule_test:
      - {eval_time: 0m, alertname: HederaThingDown}
      - eval_time: 1m
        alertname: HederaThingDown
        exp_alerts:
          - exp_labels: {severity: warning, team: things, subject: thing, network: test}
            exp_annotations: {summary: down, description: it is down, runbook_url: docs/runbooks/HederaThingDown.md}
`
	readme  = "[HederaThingDown](runbook.md)\n\n```promql\nup == 0\n```\n"
	runbook = "# HederaThingDown\n\n## Meaning\n\nDown.\n\n## Impact\n\nBad.\n\n## Diagnosis\n\n```promql\n" +
		"hedera_thing_up == 0\n\nrate(hedera_wait_seconds_sum[5m])\n```\n\n## Mitigation\n\nStart it.\n"
)

func TestCheck(t *testing.T) {
	const (
		rulesFile   = "hedera.rules.yml"
		alertsFile  = "hedera.alerts.yml"
		testsFile   = "tests/things.yml"
		runbookFile = "runbooks/HederaThingDown.md"
		readmeFile  = "README.md"
	)
	for _, tc := range []struct {
		name          string
		file          string
		replace, with string
		want          []string
	}{
		{name: "sound"},
		{
			name: "unknown metric in a recording rule", file: rulesFile, replace: "(hedera_thing_up)", with: "(hedera_thing_upp)",
			want: []string{"recording rule network:hedera_thing_up:max: nothing exports or records hedera_thing_upp", "alert HederaThingDown (warning): no test in which it is silent"},
		},
		{
			name: "unknown metric in an alert", file: alertsFile, replace: "max == 0", with: "max == 0 and on (network) hedera_gone",
			want: []string{"alert HederaThingDown (warning): nothing exports or records hedera_gone"},
		},
		{
			name: "name of a recording rule", file: rulesFile, replace: recording,
			with: recording + "      - {record: things_up, expr: hedera_thing_up}\n",
			want: []string{"recording rule things_up: not named level:metric:operation", "recording rule things_up: no test reads it"},
		},
		{
			name: "severity", file: alertsFile, replace: "severity: warning", with: "severity: page",
			want: []string{`alert HederaThingDown (page): severity "page" is none of info, warning, critical`, "alert HederaThingDown (page): no test in which it fires, with labels and annotations"},
		},
		{
			name: "no severity", file: alertsFile, replace: "severity: warning, ", with: "",
			want: []string{"alert HederaThingDown: no severity, neither as a label nor from its expression"},
		},
		{
			name: "no team", file: alertsFile, replace: "team: things, ", with: "",
			want: []string{"alert HederaThingDown (warning): no label team"},
		},
		{
			name: "runbook of another alert", file: alertsFile, replace: "HederaThingDown.md", with: "HederaThing.md",
			want: []string{"alert HederaThingDown (warning): runbook_url docs/runbooks/HederaThing.md is not docs/runbooks/HederaThingDown.md, nor that in a repository of github.com"},
		},
		{
			name: "no firing test", file: testsFile, replace: "network: test}\n            exp_annotations", with: "network: test}\n            exp_other",
			want: []string{"alert HederaThingDown (warning): no test in which it fires, with labels and annotations"},
		},
		{
			name: "firing test of another severity", file: testsFile, replace: "severity: warning", with: "severity: info",
			want: []string{"alert HederaThingDown (warning): no test in which it fires, with labels and annotations"},
		},
		{
			name: "no silent test", file: testsFile, replace: "      - {eval_time: 0m, alertname: HederaThingDown}\n", with: "",
			want: []string{"alert HederaThingDown (warning): no test in which it is silent"},
		},
		{
			name: "silent for want of series", file: testsFile, replace: "'hedera_thing_up{", with: "'hedera_other_up{",
			want: []string{"alert HederaThingDown (warning): no test in which it is silent"},
		},
		{
			name: "untested recording rule", file: rulesFile, replace: recording,
			with: recording + "      - {record: 'network:hedera_thing_up:min', expr: min by (network) (hedera_thing_up)}\n",
			want: []string{"recording rule network:hedera_thing_up:min: no test reads it"},
		},
		{
			name: "empty section", file: runbookFile, replace: "Bad.", with: "",
			want: []string{"runbooks/HederaThingDown.md: no section Impact, or an empty one"},
		},
		{
			name: "no section", file: runbookFile, replace: "## Mitigation", with: "## Remedy",
			want: []string{"runbooks/HederaThingDown.md: no section Mitigation, or an empty one"},
		},
		{
			name: "title", file: runbookFile, replace: "# HederaThingDown\n", with: "# Down\n",
			want: []string{"runbooks/HederaThingDown.md: the title is not HederaThingDown"},
		},
		{
			name: "diagnosis without a query", file: runbookFile, replace: "```promql", with: "```sh",
			want: []string{"runbooks/HederaThingDown.md: no query in Diagnosis"},
		},
		{
			name: "unknown metric in a runbook", file: runbookFile, replace: "hedera_wait_seconds_sum", with: "hedera_wait_seconds",
			want: []string{"runbooks/HederaThingDown.md: nothing exports or records hedera_wait_seconds"},
		},
		{
			name: "alert that is not listed", file: readmeFile, replace: "[HederaThingDown]", with: "[HederaThing]",
			want: []string{"README.md: does not list alert HederaThingDown (warning)"},
		},
		{
			name: "query that does not parse", file: readmeFile, replace: "up == 0", with: "up ==",
			want: []string{`README.md: 2:1: parse error: unexpected end of input in "up ==\n"`},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string]string{
				"scrape.prom": scrape, rulesFile: recording, alertsFile: alerting, testsFile: unitTests,
				runbookFile: runbook, readmeFile: readme,
			}
			if !strings.Contains(files[tc.file], tc.replace) {
				t.Fatalf("%s has no %q to replace", tc.file, tc.replace)
			}
			files[tc.file] = strings.Replace(files[tc.file], tc.replace, tc.with, 1)
			wantProblems(t, files, tc.want...)
		})
	}
}

func TestMissingAndOrphanRunbook(t *testing.T) {
	wantProblems(t, map[string]string{
		"scrape.prom": scrape, "hedera.rules.yml": recording, "hedera.alerts.yml": alerting, "tests/things.yml": unitTests,
		"runbooks/HederaThing.md": runbook, "README.md": readme,
	}, "alert HederaThingDown: no runbook in runbooks", "runbooks/HederaThing.md: there is no alert HederaThing")
}

func TestNothingToCheck(t *testing.T) {
	inDirectory(t, map[string]string{"scrape.prom": scrape})
	if _, err := check(testPaths); err == nil || !strings.Contains(err.Error(), "no file matches") {
		t.Fatalf("got %v, want an error", err)
	}
}

var testPaths = paths{
	rules: "hedera.*.yml", tests: "tests/*.yml", runbooks: "runbooks", readme: "README.md", metrics: "scrape.prom",
}

func wantProblems(t *testing.T, files map[string]string, want ...string) {
	t.Helper()
	inDirectory(t, files)
	got, err := check(testPaths)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func inDirectory(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for path, content := range files {
		if path == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
