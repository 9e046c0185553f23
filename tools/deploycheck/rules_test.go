// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

func ruleGroups(t *testing.T, rule values) ([]monitoringv1.RuleGroup, error) {
	t.Helper()
	rule["enabled"] = true
	manifest, err := render(t, values{"prometheusRule": rule})
	if err != nil {
		return nil, err
	}
	return one[*monitoringv1.PrometheusRule](t, decode(t, manifest)).Spec.Groups, nil
}

// TestPrometheusRuleHoldsEveryRule compares the groups with the rule files.
func TestPrometheusRuleHoldsEveryRule(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(rulesDir, "hedera.*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d rule files, %v", len(files), err)
	}
	var want []monitoringv1.RuleGroup
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var spec monitoringv1.PrometheusRuleSpec
		if err := yaml.UnmarshalStrict(content, &spec); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want = append(want, spec.Groups...)
	}
	got, err := ruleGroups(t, values{})
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d groups, want %d; %v", len(got), len(want), err)
	}
	for i, group := range want {
		if group.Name == "" || len(group.Rules) == 0 {
			t.Errorf("group %d of the rule files is empty", i)
		}
		if !reflect.DeepEqual(got[i], group) {
			t.Errorf("group %s differs from the rule file:\n%+v\nwant\n%+v", group.Name, got[i], group)
		}
	}
}

// TestPrometheusRuleTakesThresholds has a threshold with severities, and one
// without, changed, and all others kept.
func TestPrometheusRuleTakesThresholds(t *testing.T) {
	of := func(thresholds values) (map[string]string, error) {
		groups, err := ruleGroups(t, values{"thresholds": thresholds})
		found := map[string]string{}
		for _, group := range groups {
			for _, rule := range group.Rules {
				if name, is := strings.CutPrefix(rule.Record, "hedera:threshold:"); is {
					found[name+rule.Labels["severity"]] = rule.Expr.String()
				}
			}
		}
		return found, err
	}
	want, err := of(values{})
	if err != nil || len(want) < 10 {
		t.Fatalf("%d thresholds, %v", len(want), err)
	}
	want["mirror_lag_secondswarning"], want["mirror_latency_seconds"], want["supply_move_hbar"] = "vector(15)", "vector(0.5)", "vector(2 / 3)"
	got, err := of(values{"mirror_lag_seconds": values{"warning": 15}, "mirror_latency_seconds": 0.5, "supply_move_hbar": "2 / 3"})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for name, thresholds := range map[string]values{
		"unknown":          {"mirror_lag": 15},
		"unknown, of 0":    {"mirror_lag": 0},
		"severity missing": {"mirror_lag_seconds": 15},
		"unknown severity": {"mirror_lag_seconds": values{"warning": 15, "info": 10}},
		"without severity": {"mirror_latency_seconds": values{"warning": 1}},
		"not a number":     {"mirror_latency_seconds": "fast"},
		"a query":          {"mirror_latency_seconds": "1) or vector(2"},
	} {
		if _, err := of(thresholds); err == nil || !strings.Contains(err.Error(), "thresholds") {
			t.Errorf("%s: %v, want an error of the threshold", name, err)
		}
	}
}

// TestPrometheusRuleSwitches leaves out a group and an alert, and nothing else.
func TestPrometheusRuleSwitches(t *testing.T) {
	before, err := ruleGroups(t, values{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := ruleGroups(t, values{
		"groups": values{"hedera-entities.alerts": false, "hedera-nodes.alerts": true},
		"alerts": values{"HederaNodeDown": false, "HederaNodeLeft": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []monitoringv1.RuleGroup
	for _, group := range before {
		if group.Name == "hedera-entities.alerts" {
			continue
		}
		var rules []monitoringv1.Rule
		for _, rule := range group.Rules {
			if rule.Alert != "HederaNodeDown" {
				rules = append(rules, rule)
			}
		}
		group.Rules = rules
		want = append(want, group)
	}
	if len(want) != len(before)-1 || !reflect.DeepEqual(after, want) {
		t.Errorf("%d groups of %d, want %d: or a rule too many or too few", len(after), len(before), len(want))
	}
	for name, rule := range map[string]values{
		"groups":     {"groups": values{"hedera-entities": false}},
		"alerts":     {"alerts": values{"HederaNodeUp": false}},
		"severities": {"severities": values{"HederaNodeUp": "info"}},
	} {
		if _, err := ruleGroups(t, rule); err == nil || !strings.Contains(err.Error(), "prometheusRule."+name) {
			t.Errorf("%s: %v, want an error that names it", name, err)
		}
	}
}

// TestPrometheusRuleSeverities changes severities by severity and by alert, and
// those that an alert takes from its series.
func TestPrometheusRuleSeverities(t *testing.T) {
	before, err := ruleGroups(t, values{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := ruleGroups(t, values{
		"alertLabels": values{"cluster": "a"},
		"severities": values{
			"critical":                 "page",
			"HederaMirrorLagging":      values{"warning": "info"},
			"HederaNodeVanished":       "none",
			"HederaAccountBalanceHigh": values{"warning": "info"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, group := range before {
		for j, rule := range group.Rules {
			got := after[i].Rules[j]
			if rule.Record != "" {
				if !reflect.DeepEqual(got, rule) {
					t.Errorf("recording rule %s has changed: %v", rule.Record, got)
				}
				continue
			}
			severity, want := rule.Labels["severity"], rule.Labels["severity"]
			switch {
			case rule.Alert == "HederaNodeVanished":
				want = "none"
			case rule.Alert == "HederaMirrorLagging" && severity == "warning":
				want = "info"
			case rule.Alert == "HederaAccountBalanceHigh":
				want = `{{ if eq $labels.severity "critical" }}page{{ else }}{{ if eq $labels.severity "warning" }}info{{ else }}{{ $labels.severity }}{{ end }}{{ end }}`
			case severity == "":
				want = `{{ if eq $labels.severity "critical" }}page{{ else }}{{ $labels.severity }}{{ end }}`
			case severity == "critical":
				want = "page"
			}
			seen[rule.Alert+severity] = true
			if got.Labels["severity"] != want || got.Labels["cluster"] != "a" || got.Labels["team"] != rule.Labels["team"] {
				t.Errorf("%s: labels %v, want severity %s", rule.Alert, got.Labels, want)
			}
			if got.Expr != rule.Expr {
				t.Errorf("%s: the query has changed", rule.Alert)
			}
		}
	}
	for _, alert := range []string{"HederaMirrorLaggingwarning", "HederaMirrorLaggingcritical", "HederaAccountBalanceHigh", "HederaAccountBalanceLow"} {
		if !seen[alert] {
			t.Errorf("no %s", alert)
		}
	}
}
