// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	sections    = []string{"Meaning", "Impact", "Diagnosis", "Mitigation"}
	promqlBlock = regexp.MustCompile("(?s)```promql\n(.*?)```")
)

// checkRunbooks wants a runbook for each alert, with its four sections, and an
// alert for each runbook.
func checkRunbooks(rules []rule, dir string, known map[string]bool) ([]string, error) {
	entries, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return nil, err
	}
	orphans := map[string]bool{}
	for _, path := range entries {
		orphans[strings.TrimSuffix(filepath.Base(path), ".md")] = true
	}
	var problems []string
	checked := map[string]bool{}
	for _, r := range rules {
		if r.Alert == "" || checked[r.Alert] {
			continue
		}
		checked[r.Alert] = true
		if !orphans[r.Alert] {
			problems = append(problems, fmt.Sprintf("alert %s: no runbook in %s", r.Alert, dir))
			continue
		}
		delete(orphans, r.Alert)
		found, err := checkRunbook(filepath.Join(dir, r.Alert+".md"), r.Alert, known)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	for _, name := range slices.Sorted(maps.Keys(orphans)) {
		problems = append(problems, fmt.Sprintf("%s: there is no alert %s", filepath.Join(dir, name+".md"), name))
	}
	return problems, nil
}

func checkRunbook(path, alert string, known map[string]bool) ([]string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs the check
	if err != nil {
		return nil, err
	}
	text := string(content)
	var problems []string
	if !strings.HasPrefix(text, "# "+alert+"\n") {
		problems = append(problems, fmt.Sprintf("%s: the title is not %s", path, alert))
	}
	for _, name := range sections {
		if strings.TrimSpace(section(text, name)) == "" {
			problems = append(problems, fmt.Sprintf("%s: no section %s, or an empty one", path, name))
		}
	}
	if !promqlBlock.MatchString(section(text, "Diagnosis")) {
		problems = append(problems, fmt.Sprintf("%s: no query in Diagnosis", path))
	}
	return append(problems, checkQueries(path, text, known)...), nil
}

// section returns what is below a heading, up to the next one.
func section(text, name string) string {
	_, rest, found := strings.Cut(text, "\n## "+name+"\n")
	if !found {
		return ""
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

// checkReadme wants every alert in the document and checks its queries.
func checkReadme(rules []rule, path string, known map[string]bool) ([]string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs the check
	if err != nil {
		return nil, err
	}
	text := string(content)
	var problems []string
	for _, r := range rules {
		if r.Alert != "" && !strings.Contains(text, "["+r.Alert+"](") {
			problems = append(problems, fmt.Sprintf("%s: does not list %s", path, r))
		}
	}
	return append(problems, checkQueries(path, text, known)...), nil
}

// checkQueries checks the queries in code blocks, which an empty line separates.
func checkQueries(path, text string, known map[string]bool) []string {
	var problems []string
	for _, block := range promqlBlock.FindAllStringSubmatch(text, -1) {
		for query := range strings.SplitSeq(block[1], "\n\n") {
			if strings.TrimSpace(query) != "" {
				problems = append(problems, unknownMetrics(path, query, known)...)
			}
		}
	}
	return problems
}
