// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command checkalerts checks what promtool does not: that every alert has a
// test in which it fires, one in which it is silent and a runbook, and that no
// query reads a metric which nothing exports.
//
// It is run in the repository's root, prints what is wrong and exits with 1.
package main

import (
	"flag"
	"fmt"
	"os"
)

// paths are where the checked files are.
type paths struct {
	rules    string // glob
	tests    string // glob
	runbooks string // directory
	readme   string
	metrics  string // a scrape in the text format
}

func main() {
	var p paths
	flag.StringVar(&p.rules, "rules", "alerts/hedera.*.yml", "glob of the rule files")
	flag.StringVar(&p.tests, "tests", "alerts/tests/*.yml", "glob of the rules' unit tests")
	flag.StringVar(&p.runbooks, "runbooks", "docs/runbooks", "directory of the runbooks")
	flag.StringVar(&p.readme, "readme", "alerts/README.md", "document that lists the alerts")
	flag.StringVar(&p.metrics, "metrics", "collector/testdata/scrape.prom", "scrape that has all exported families")
	flag.Parse()

	problems, err := check(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "checkalerts:", err)
		os.Exit(2)
	}
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// check returns what is wrong, one line each, or an error where it cannot tell.
func check(p paths) ([]string, error) {
	rules, err := loadRules(p.rules)
	if err != nil {
		return nil, err
	}
	tests, err := loadTests(p.tests)
	if err != nil {
		return nil, err
	}
	known, err := exportedMetrics(p.metrics)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if r.Record != "" {
			known[r.Record] = true
		}
	}
	problems := checkRules(rules, known)
	problems = append(problems, checkTests(rules, tests)...)
	runbookProblems, err := checkRunbooks(rules, p.runbooks, known)
	if err != nil {
		return nil, err
	}
	problems = append(problems, runbookProblems...)
	readmeProblems, err := checkReadme(rules, p.readme, known)
	return append(problems, readmeProblems...), err
}
