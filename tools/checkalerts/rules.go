// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rule is a recording or an alerting rule.
type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// String names the rule: the severity tells two alerts of one name apart.
func (r rule) String() string {
	if r.Record != "" {
		return "recording rule " + r.Record
	}
	if severity := r.Labels["severity"]; severity != "" {
		return "alert " + r.Alert + " (" + severity + ")"
	}
	return "alert " + r.Alert
}

var (
	alertName  = regexp.MustCompile(`^Hedera[A-Z][A-Za-z0-9]+$`)
	recordName = regexp.MustCompile(`^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$`) // level:metric:operation

	severities = []string{"info", "warning", "critical"}
	required   = []string{"summary", "description", "runbook_url"}
)

func loadRules(glob string) ([]rule, error) {
	var rules []rule
	err := eachFile(glob, func(_ string, content []byte) error {
		var file struct {
			Groups []struct {
				Rules []rule `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal(content, &file); err != nil {
			return err
		}
		for _, group := range file.Groups {
			rules = append(rules, group.Rules...)
		}
		return nil
	})
	return rules, err
}

func eachFile(glob string, read func(path string, content []byte) error) error {
	matches, err := filepath.Glob(glob)
	if err != nil {
		return err
	}
	if len(matches) == 0 {
		return fmt.Errorf("no file matches %s", glob)
	}
	for _, path := range matches {
		content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs the check
		if err != nil {
			return err
		}
		if err := read(path, content); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func checkRules(rules []rule, known map[string]bool) []string {
	var problems []string
	for _, r := range rules {
		if r.Record != "" {
			problems = append(problems, checkRecording(r)...)
		} else {
			problems = append(problems, checkAlert(r)...)
		}
		problems = append(problems, unknownMetrics(r.String(), r.Expr, known)...)
	}
	return problems
}

func checkRecording(r rule) []string {
	if recordName.MatchString(r.Record) {
		return nil
	}
	return []string{fmt.Sprintf("%s: not named level:metric:operation", r)}
}

func checkAlert(r rule) []string {
	var problems []string
	complain := func(format string, args ...any) {
		problems = append(problems, r.String()+": "+fmt.Sprintf(format, args...))
	}
	if !alertName.MatchString(r.Alert) {
		complain("not named HederaCamelCase")
	}
	severity, static := r.Labels["severity"]
	switch {
	case static && !slices.Contains(severities, severity):
		complain("severity %q is none of %s", severity, strings.Join(severities, ", "))
	case !static && !strings.Contains(r.Expr, "severity"):
		complain("no severity, neither as a label nor from its expression")
	}
	for _, label := range []string{"team", "subject"} {
		if r.Labels[label] == "" {
			complain("no label %s", label)
		}
	}
	for _, annotation := range required {
		if r.Annotations[annotation] == "" {
			complain("no annotation %s", annotation)
		}
	}
	if url, page := r.Annotations["runbook_url"], "docs/runbooks/"+r.Alert+".md"; !isRunbook(url, page) {
		complain("runbook_url %s is not %s, nor that in a repository of github.com", url, page)
	}
	return problems
}

// isRunbook is of the page's path, or, after make rename, of a link to it.
func isRunbook(url, page string) bool {
	return url == page || strings.HasPrefix(url, "https://github.com/") && strings.HasSuffix(url, "/"+page)
}

// baseMetrics returns the exported metrics that the rule reads, through
// recording rules as well.
func baseMetrics(r rule, rules []rule) map[string]bool {
	records := map[string]rule{}
	for _, other := range rules {
		if other.Record != "" {
			records[other.Record] = other
		}
	}
	base := map[string]bool{}
	var follow func(query string)
	follow = func(query string) {
		names, err := queriedMetrics(query)
		if err != nil {
			return // checkRules has complained of it
		}
		for _, name := range names {
			if base[name] {
				continue
			}
			base[name] = true
			if record, ok := records[name]; ok {
				follow(record.Expr)
			}
		}
	}
	follow(r.Expr)
	return base
}
