// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"hedera_exporter/tools/dashboards/live"
)

// The rules of Grafana's dashboard-linter for Prometheus, by their names there
// (docs/index.md in its repository), and its file of exclusions.

// breach is of a rule, in a dashboard and perhaps a panel and a target.
type breach struct {
	rule, dashboard, panel string
	target                 int // -1 if it is not of one
	what                   string
}

// exclusions are the file .lint beside the dashboards.
type exclusions struct {
	Exclusions map[string]struct {
		Reason  string
		Entries []exclusion
	}
}

type exclusion struct{ Dashboard, Panel, TargetIdx, Reason string }

// covers is whether all that the entry names is so: without an entry, all is.
func (e exclusion) covers(b breach) bool {
	return e.Dashboard == b.dashboard && (b.panel == "" || e.Panel == b.panel) &&
		(b.target < 0 || e.TargetIdx == "" || e.TargetIdx == strconv.Itoa(b.target))
}

func (e exclusions) cover(b breach, used map[string]bool) bool {
	rule, is := e.Exclusions[b.rule]
	if !is {
		return false
	}
	if len(rule.Entries) == 0 {
		used[b.rule] = true
		return true
	}
	for i, entry := range rule.Entries {
		if entry.covers(b) {
			used[fmt.Sprintf("%s: %s %s", b.rule, rule.Entries[i].Dashboard, rule.Entries[i].Panel)] = true
			return true
		}
	}
	return false
}

func TestDashboardLinter(t *testing.T) {
	var e exclusions
	readYAML(t, output+"/.lint", &e)
	used := map[string]bool{}
	for _, b := range boards() {
		content, err := encode(b)
		if err != nil {
			t.Fatal(err)
		}
		d, err := live.Decode(content)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range linted(t, d) {
			if !e.cover(found, used) {
				t.Errorf("%s: %s: %s %d: %s", found.rule, found.dashboard, found.panel, found.target, found.what)
			}
		}
	}
	for name, rule := range e.Exclusions {
		if rule.Reason == "" {
			t.Errorf("no reason to exclude %s", name)
		}
		if len(rule.Entries) == 0 && !used[name] {
			t.Errorf("%s is excluded, and is not broken", name)
		}
		for _, entry := range rule.Entries {
			if !used[fmt.Sprintf("%s: %s %s", name, entry.Dashboard, entry.Panel)] {
				t.Errorf("%s is excluded for %s, %s, and is not broken there", name, entry.Dashboard, entry.Panel)
			}
		}
	}
}

func linted(t *testing.T, d dashboard.Dashboard) []breach {
	t.Helper()
	var found []breach
	add := func(rule string, ok bool, what string) {
		if !ok {
			found = append(found, breach{rule, *d.Title, "", -1, what})
		}
	}
	add("uneditable-dashboard", d.Editable != nil && !*d.Editable, "it can be edited")
	sources, variables := 0, map[string]dashboard.VariableModel{}
	for _, v := range d.Templating.List {
		variables[v.Name] = v
		if v.Type == dashboard.VariableTypeDatasource {
			sources++
			add("template-datasource-rule", v.Name == "datasource" && *v.Label == "Data source", v.Name)
		}
		if v.Type == dashboard.VariableTypeQuery {
			add("template-on-time-change-reload-rule", *v.Refresh == dashboard.VariableRefreshOnTimeRangeChanged, v.Name)
			expression, isValues := strings.CutPrefix(*v.Query.String, "label_values(")
			if isValues {
				_, err := parsed(expression[:strings.LastIndex(expression, ",")])
				add("template-label-promql-rule", err == nil, fmt.Sprint(v.Name, ": ", err))
			}
		}
	}
	add("template-datasource-rule", sources == 1, "not one data source")
	for name, label := range map[string]string{"job": "Job", "instance": "Instance"} {
		rule, v := "template-"+name+"-rule", variables[name]
		add(rule, v.Type == dashboard.VariableTypeQuery && *v.Datasource.Uid == "${datasource}" && *v.Label == label && *v.Multi, "no such variable")
		add(rule, v.AllValue != nil && *v.AllValue == ".+", "the value for all is not .+")
	}
	for _, p := range live.Panels(d) {
		found = append(found, lintedPanel(t, *d.Title, p)...)
	}
	return found
}

// knownUnits are those of Grafana that are used here.
var knownUnits = []string{
	"none", "string", "short", "percentunit", "currencyUSD", "bytes", "s", "ops", "reqps", "dateTimeFromNow",
}

func lintedPanel(t *testing.T, title string, p dashboard.Panel) []breach {
	t.Helper()
	var found []breach
	add := func(rule string, ok bool, what string) {
		if !ok {
			found = append(found, breach{rule, title, *p.Title, -1, what})
		}
	}
	add("panel-datasource-rule", *p.Datasource.Uid == "${datasource}", *p.Datasource.Uid)
	add("panel-title-description-rule", *p.Title != "" && *p.Description != "", "no title or description")
	add("panel-no-targets-rule", len(p.Targets) > 0, "no query")
	if slices.Contains([]string{"stat", "table", "timeseries", "gauge"}, p.Type) {
		unit := *p.FieldConfig.Defaults.Unit
		add("panel-units-rule", slices.Contains(knownUnits, unit), unit)
	}
	queries, err := live.Queries(p)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		for rule, what := range lintedQuery(q.Expr) {
			found = append(found, breach{rule, title, *p.Title, i, what})
		}
	}
	return found
}

func parsed(expression string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(intervals.Replace(expression))
}

// lintedQuery is what is wrong, by rule.
func lintedQuery(expression string) map[string]string {
	found := map[string]string{}
	tree, err := parsed(expression)
	if err != nil {
		found["target-promql-rule"] = err.Error()
		return found
	}
	parser.Inspect(tree, func(node parser.Node, path []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			for _, name := range []string{"job", "instance"} {
				if !slices.ContainsFunc(n.LabelMatchers, func(m *labels.Matcher) bool {
					return m.Name == name && m.Type == labels.MatchRegexp && m.Value == "$"+name
				}) {
					found["target-"+name+"-rule"] = n.String()
				}
			}
			if strings.HasSuffix(n.Name, "_total") && !within(path, "rate", "irate", "increase") {
				found["target-counter-agg-rule"] = n.String()
			}
		case *parser.Call:
			for _, argument := range n.Args {
				matrix, is := argument.(*parser.MatrixSelector)
				if is && (n.Func.Name == "rate" || n.Func.Name == "irate") && !strings.HasPrefix(matrix.Range.String(), rateInterval) {
					found["target-rate-interval-rule"] = n.String()
				}
			}
		}
		return nil
	})
	return found
}

func TestLintedQuery(t *testing.T) {
	const of = `{job=~"$job",instance=~"$instance"}`
	for expression, want := range map[string][]string{
		`up` + of: nil,
		`rate(x_total` + of + `[$__rate_interval])`: nil,
		`increase(x_total` + of + `[1h])`:           nil,
		`up{job=~"$job"}`:                           {"target-instance-rule"},
		`up{instance=~"$instance"}`:                 {"target-job-rule"},
		`up{job="$job",instance=~"$instance"}`:      {"target-job-rule"},
		`sum(`:                                      {"target-promql-rule"},
		`sum(x_total` + of + `)`:                    {"target-counter-agg-rule"},
		`rate(x_total` + of + `[5m])`:               {"target-rate-interval-rule"},
		`level:x:max{network=~"$network"}`:          {"target-instance-rule", "target-job-rule"},
	} {
		if got := slices.Sorted(maps.Keys(lintedQuery(expression))); !slices.Equal(got, want) {
			t.Errorf("%s breaks %q, want %q", expression, got, want)
		}
	}
}
