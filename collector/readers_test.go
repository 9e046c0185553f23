// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rule is one of the files in alerts/.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// reader is what reads a metric.
type reader struct {
	alerts     map[string]bool // also by way of recording rules
	recordings map[string]bool // themselves
}

// identifiers are words of PromQL, names of metrics among them.
var identifiers = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

// readers returns what reads each metric.
func readers(t *testing.T) map[string]reader {
	t.Helper()
	rules := rulesOf(t)
	read := map[string]reader{}
	for _, m := range Metrics() {
		r := reader{alerts: map[string]bool{}, recordings: map[string]bool{}}
		names := []string{m.Name}
		if m.Type == "histogram" {
			names = append(names, m.Name+"_bucket", m.Name+"_sum", m.Name+"_count")
		}
		for i := 0; i < len(names); i++ {
			for _, rule := range rules[names[i]] {
				switch {
				case rule.Alert != "":
					r.alerts[rule.Alert] = true
				case !slices.Contains(names, rule.Record):
					names = append(names, rule.Record)
				}
				if rule.Record != "" && strings.HasPrefix(names[i], m.Name) {
					r.recordings[rule.Record] = true
				}
			}
		}
		read[m.Name] = r
	}
	return read
}

// rulesOf returns the rules of alerts/ by the words in them.
func rulesOf(t *testing.T) map[string][]rule {
	t.Helper()
	files, err := filepath.Glob("../alerts/hedera.*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("files of rules: %v, %v", files, err)
	}
	rules := map[string][]rule{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups struct{ Groups []struct{ Rules []rule } }
		if err := yaml.Unmarshal(content, &groups); err != nil {
			t.Fatal(err)
		}
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				text := rule.Expr + " " + strings.Join(slices.Concat(slices.Collect(maps.Values(rule.Labels)), slices.Collect(maps.Values(rule.Annotations))), " ")
				for word := range maps.Keys(set(identifiers.FindAllString(text, -1))) {
					rules[word] = append(rules[word], rule)
				}
			}
		}
	}
	return rules
}

func set(words []string) map[string]bool {
	all := make(map[string]bool, len(words))
	for _, word := range words {
		all[word] = true
	}
	return all
}

// unread are the metrics of a collector that no rule reads, sorted.
func unread(t *testing.T, collector string) []string {
	t.Helper()
	var names []string
	read := readers(t)
	for _, m := range Metrics() {
		if r := read[m.Name]; m.Collector == collector && len(r.alerts)+len(r.recordings) == 0 {
			names = append(names, m.Name)
		}
	}
	return names
}

// readersReference says what leaving out a metric would silence.
func readersReference(t *testing.T) string {
	t.Helper()
	read := readers(t)
	var b strings.Builder
	b.WriteString("\n## What reads a metric\n\n" +
		"A metric that the configuration leaves out (`collectors.NAME.exclude`, which takes the whole name or that of the first column) " +
		"silences the alerts in its row: they do not fire, and do not say that they cannot. " +
		"An alert that reads several metrics may lose a condition instead, and fire more often. " +
		"Alerts also read metrics through recording rules; the last column has the rules that read the metric themselves. " +
		"Panels of the dashboards that show the metric are empty.\n")
	for _, r := range Registrations() {
		fmt.Fprintf(&b, "\n`collectors.%s.exclude`:\n\n| name | metric | alerts | recording rules |\n| --- | --- | --- | --- |\n", r.Name)
		short := shortNames(r.Name)
		for _, name := range slices.Sorted(maps.Keys(short)) {
			by := read[short[name]]
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", name, short[name], listed(by.alerts, ""), listed(by.recordings, "`"))
		}
	}
	return b.String() + "\n"
}

func listed(names map[string]bool, quote string) string {
	if len(names) == 0 {
		return "none"
	}
	return quote + strings.Join(slices.Sorted(maps.Keys(names)), quote+", "+quote) + quote
}

// TestReaders knows some by heart.
func TestReaders(t *testing.T) {
	read := readers(t)
	for _, tc := range []struct{ metric, alert string }{
		{"hedera_account_balance_hbar", "HederaAccountBalanceLow"},
		{"hedera_account_expiry_timestamp_seconds", "HederaAccountExpiring"}, // through a recording rule
		{"hedera_account_labels", "HederaAccountBalanceLow"},
	} {
		if !read[tc.metric].alerts[tc.alert] {
			t.Errorf("%s is read by %v", tc.metric, slices.Sorted(maps.Keys(read[tc.metric].alerts)))
		}
	}
	if got, want := strings.Join(unread(t, "accounts"), " "), "hedera_account_auto_renew_period_seconds hedera_account_created_timestamp_seconds hedera_account_ethereum_nonce"; got != want {
		t.Errorf("of accounts, nothing reads %s, want %s", got, want)
	}
}
