// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// testGroup is a group of cases of `promtool test rules` with the series that
// all of them see.
type testGroup struct {
	InputSeries []struct {
		Series string `yaml:"series"`
	} `yaml:"input_series"`
	AlertTests []alertTest `yaml:"alert_rule_test"`
	QueryTests []struct {
		Expr string `yaml:"expr"`
	} `yaml:"promql_expr_test"`
}

type alertTest struct {
	Alert    string          `yaml:"alertname"`
	Expected []expectedAlert `yaml:"exp_alerts"`
}

type expectedAlert struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

func loadTests(glob string) ([]testGroup, error) {
	var groups []testGroup
	err := eachFile(glob, func(_ string, content []byte) error {
		var file struct {
			Tests []testGroup `yaml:"tests"`
		}
		err := yaml.Unmarshal(content, &file)
		groups = append(groups, file.Tests...)
		return err
	})
	return groups, err
}

// checkTests wants for each alert a case in which it fires and one in which it
// is silent although there are series that it reads. A recording rule is tested
// by itself or by an alert that reads it.
func checkTests(rules []rule, tests []testGroup) []string {
	tested := queriedInTests(tests)
	for _, r := range rules {
		if r.Alert == "" {
			continue
		}
		for name := range baseMetrics(r, rules) {
			tested[name] = true
		}
	}
	var problems []string
	for _, r := range rules {
		if r.Record != "" {
			if !tested[r.Record] {
				problems = append(problems, fmt.Sprintf("%s: no test reads it", r))
			}
			continue
		}
		if !anyCase(tests, r.Alert, func(_ testGroup, c alertTest) bool { return fires(r, c) }) {
			problems = append(problems, fmt.Sprintf("%s: no test in which it fires, with labels and annotations", r))
		}
		base := baseMetrics(r, rules)
		if len(base) == 0 {
			continue // a dead man's switch always fires
		}
		if !anyCase(tests, r.Alert, func(g testGroup, c alertTest) bool { return !expects(r, c) && feeds(g, base) }) {
			problems = append(problems, fmt.Sprintf("%s: no test in which it is silent", r))
		}
	}
	return problems
}

func queriedInTests(tests []testGroup) map[string]bool {
	queried := map[string]bool{}
	for _, group := range tests {
		for _, test := range group.QueryTests {
			names, err := queriedMetrics(test.Expr)
			if err != nil {
				continue // promtool complains of it
			}
			for _, name := range names {
				queried[name] = true
			}
		}
	}
	return queried
}

func anyCase(tests []testGroup, alert string, is func(testGroup, alertTest) bool) bool {
	for _, group := range tests {
		for _, test := range group.AlertTests {
			if test.Alert == alert && is(group, test) {
				return true
			}
		}
	}
	return false
}

// fires tells whether the case expects the alert with all its annotations;
// promtool has compared them.
func fires(r rule, test alertTest) bool {
	for _, expected := range test.Expected {
		if isOf(r, expected) && len(expected.Annotations) == len(r.Annotations) {
			return true
		}
	}
	return false
}

func expects(r rule, test alertTest) bool {
	for _, expected := range test.Expected {
		if isOf(r, expected) {
			return true
		}
	}
	return false
}

// isOf tells whether an expected alert has all labels that the rule sets, those
// that are templates with any value.
func isOf(r rule, expected expectedAlert) bool {
	for name, value := range r.Labels {
		if strings.Contains(value, "{{") {
			if expected.Labels[name] == "" {
				return false
			}
			continue
		}
		if expected.Labels[name] != value {
			return false
		}
	}
	return true
}

func feeds(group testGroup, base map[string]bool) bool {
	for _, series := range group.InputSeries {
		name, _, _ := strings.Cut(series.Series, "{")
		if base[name] {
			return true
		}
	}
	return false
}
