// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	rulesYAML = `# A comment above the groups.
groups:
  - name: things.rules
    rules:
      # Why it is recorded.
      - record: network:hedera_thing_up:max
        expr: max by (network) (hedera_thing_up)
`
	alertsYAML = `groups:
  - name: things.alerts
    rules:
      - alert: HederaThingDown
        expr: |
          network:hedera_thing_up:max
            == 0
        annotations:
          summary: 'Thing {{ $labels.name }} is down'
`
	want = `# Generated from alerts/hedera.*.yml by make prometheusrule; change those.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: hedera-exporter
  labels:
    app.kubernetes.io/name: hedera-exporter
spec:
  groups:
    - name: things.alerts
      rules:
        - alert: HederaThingDown
          expr: |
            network:hedera_thing_up:max
              == 0
          annotations:
            summary: 'Thing {{ $labels.name }} is down'
    - name: things.rules
      rules:
        # Why it is recorded.
        - record: network:hedera_thing_up:max
          expr: max by (network) (hedera_thing_up)
`
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hedera.rules.yml"), rulesYAML)
	write(t, filepath.Join(dir, "hedera.alerts.yml"), alertsYAML)
	rules, output := filepath.Join(dir, "hedera.*.yml"), filepath.Join(dir, "rule.yaml")

	if err := run(rules, output, false); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(output); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := run(rules, output, true); err != nil {
		t.Errorf("check of what was just written: %v", err)
	}
	write(t, filepath.Join(dir, "hedera.alerts.yml"), strings.Replace(alertsYAML, "== 0", "< 1", 1))
	if err := run(rules, output, true); err == nil || !strings.Contains(err.Error(), "make prometheusrule") {
		t.Errorf("check after a change: %v, want an error that says what to do", err)
	}
}

func TestRunWithoutRules(t *testing.T) {
	dir := t.TempDir()
	if err := run(filepath.Join(dir, "*.yml"), filepath.Join(dir, "rule.yaml"), false); err == nil {
		t.Error("no error without rule files")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
