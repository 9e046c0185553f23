// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"hedera_exporter/tools/dashboards/live"
)

// Stand-ins for Grafana's intervals, told apart after parsing.
const (
	rateInterval = "11m"
	rangeOfTime  = "13m"
)

var intervals = strings.NewReplacer("$__rate_interval", rateInterval, "$__range", rangeOfTime)

// fixedRanges are ranges that do not follow the dashboard's time, and why.
var fixedRanges = map[string]string{
	"1h":  "the title says an hour",
	"10m": "the description says ten minutes",
	"6h":  "the description says six hours",
	"5m":  "an alert holds the last value as long",
}

// withoutExporter tells why a metric has no job and instance to match.
func withoutExporter(metric string) string {
	switch {
	case strings.Contains(metric, ":"):
		return "recording rules drop job and instance, so that a pair of exporters counts once"
	case strings.HasPrefix(metric, "probe_"):
		return "blackbox_exporter probes relays in jobs of its own"
	case metric == "ALERTS":
		return "most alerts are of recorded series"
	}
	return ""
}

// lint is what is wrong with a query.
func lint(expression string, known metrics) []string {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(intervals.Replace(expression))
	if err != nil {
		return []string{err.Error()}
	}
	var findings []string
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			findings = append(findings, lintSelector(selector, path, known)...)
		}
		if call, ok := node.(*parser.Call); ok {
			findings = append(findings, lintCall(call)...)
		}
		return nil
	})
	return findings
}

func lintSelector(selector *parser.VectorSelector, path []parser.Node, known metrics) []string {
	var findings []string
	perNetwork, exists := known[selector.Name]
	if !exists {
		findings = append(findings, fmt.Sprintf("%q is neither exported nor recorded", selector.Name))
	}
	var wanted []string
	if withoutExporter(selector.Name) == "" {
		wanted = append(wanted, "job", "instance")
	}
	if perNetwork {
		wanted = append(wanted, "network")
	}
	for _, name := range wanted {
		if !matches(selector, name) {
			findings = append(findings, fmt.Sprintf(`%s has no matcher %s=~"$%s"`, selector.Name, name, name))
		}
	}
	if isCounter(selector.Name) && !within(path, "rate", "irate", "increase") {
		findings = append(findings, selector.Name+" is a counter outside of rate and increase")
	}
	return findings
}

func matches(selector *parser.VectorSelector, name string) bool {
	return slices.ContainsFunc(selector.LabelMatchers, func(m *labels.Matcher) bool {
		return m.Name == name && m.Type == labels.MatchRegexp && strings.TrimSuffix(m.Value, "|") == "$"+name
	})
}

func isCounter(metric string) bool {
	return slices.ContainsFunc([]string{"_total", "_bucket", "_sum", "_count"}, func(suffix string) bool {
		return strings.HasSuffix(metric, suffix)
	})
}

func within(path []parser.Node, functions ...string) bool {
	return slices.ContainsFunc(path, func(node parser.Node) bool {
		call, ok := node.(*parser.Call)
		return ok && slices.Contains(functions, call.Func.Name)
	})
}

func lintCall(call *parser.Call) []string {
	for _, argument := range call.Args {
		matrix, ok := argument.(*parser.MatrixSelector)
		if !ok {
			continue
		}
		length := model.Duration(matrix.Range).String()
		isRate := call.Func.Name == "rate" || call.Func.Name == "irate"
		switch {
		case length == rateInterval:
		case isRate:
			return []string{call.Func.Name + " is over " + length + ", want $__rate_interval"}
		case length != rangeOfTime && fixedRanges[length] == "":
			return []string{call.Func.Name + " is over " + length + ", which no reason is given for"}
		}
	}
	return nil
}

func TestLintFindsFaults(t *testing.T) {
	const exporterMatchers = `job=~"$job",instance=~"$instance"`
	all := known(t)
	for expression, want := range map[string]string{
		`up{` + exporterMatchers + `} +`:                                                     "unexpected end of input",
		`hedera_no_such_metric{` + exporterMatchers + `}`:                                    "neither exported nor recorded",
		`up{instance=~"$instance"}`:                                                          "no matcher job",
		`up{job="$job",instance=~"$instance"}`:                                               "no matcher job",
		`up{job=~"$job"}`:                                                                    "no matcher instance",
		`hedera_block_number{` + exporterMatchers + `}`:                                      "no matcher network",
		`network:hedera_node_endpoint_up:nodes`:                                              "no matcher network",
		`sum(process_cpu_seconds_total{` + exporterMatchers + `})`:                           "counter outside of rate",
		`rate(process_cpu_seconds_total{` + exporterMatchers + `}[5m])`:                      "want $__rate_interval",
		`rate(process_cpu_seconds_total{` + exporterMatchers + `}[$__range])`:                "want $__rate_interval",
		`increase(process_cpu_seconds_total{` + exporterMatchers + `}[7m])`:                  "no reason",
		`max_over_time(go_goroutines{` + exporterMatchers + `}[$__range]) > bool 1 and time`: "neither exported nor recorded",
	} {
		if findings := lint(expression, all); !slices.ContainsFunc(findings, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("%s: findings %q, want one of %q", expression, findings, want)
		}
	}
	for _, expression := range []string{
		`rate(process_cpu_seconds_total{` + exporterMatchers + `}[$__rate_interval])`,
		`increase(process_cpu_seconds_total{` + exporterMatchers + `}[1h])`,
		`network:hedera_node_endpoint_up:nodes{network=~"$network"}`,
	} {
		if findings := lint(expression, all); len(findings) > 0 {
			t.Errorf("%s: findings %q, want none", expression, findings)
		}
	}
}

// eachBoard decodes what is generated.
func eachBoard(t *testing.T, check func(t *testing.T, d dashboard.Dashboard)) {
	t.Helper()
	for _, b := range boards() {
		t.Run(b.uid, func(t *testing.T) {
			content, err := encode(b)
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := live.Decode(content)
			if err != nil {
				t.Fatal(err)
			}
			check(t, decoded)
		})
	}
}

func TestQueries(t *testing.T) {
	all := known(t)
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, p := range live.Panels(d) {
			queries, err := live.Queries(p)
			if err != nil {
				t.Fatalf("%s: %v", *p.Title, err)
			}
			if len(queries) == 0 {
				t.Errorf("%s has no query", *p.Title)
			}
			for _, q := range queries {
				for _, finding := range lint(q.Expr, all) {
					t.Errorf("%s: %s: %s", *p.Title, q.Expr, finding)
				}
			}
		}
		for _, a := range d.Annotations.List {
			for _, finding := range lint(*a.Expr, all) {
				t.Errorf("annotation %s: %s", a.Name, finding)
			}
		}
	})
}

func TestDecodingIsStrict(t *testing.T) {
	content, err := encode(overview())
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"title"`, `"expr"`, `"graphMode"`, `"gridPos"`} {
		if _, err := live.Decode([]byte(strings.Replace(string(content), field, `"x`+field[1:], 1))); err == nil {
			t.Errorf("a dashboard with a field x%s was decoded", field[1:])
		}
	}
}

func TestIdentifiers(t *testing.T) {
	uids, titles := map[string]bool{}, map[string]bool{}
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		if uids[*d.Uid] || titles[*d.Title] || len(*d.Uid) > 40 {
			t.Errorf("uid %s or title %s is there twice or too long", *d.Uid, *d.Title)
		}
		uids[*d.Uid], titles[*d.Title] = true, true
		ids := map[uint32]bool{}
		for _, item := range d.Panels {
			var id uint32
			if item.Panel != nil {
				id = *item.Panel.Id
			} else {
				id = item.RowPanel.Id
			}
			if id == 0 || ids[id] {
				t.Errorf("panel id %d is 0 or there twice", id)
			}
			ids[id] = true
		}
	})
}

func TestPanels(t *testing.T) {
	_, pages := rules(t)
	if len(pages) < 2 {
		t.Fatal("no alert has a runbook")
	}
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, p := range live.Panels(d) {
			for _, finding := range lintPanel(p, pages) {
				t.Errorf("%s: %s", *p.Title, finding)
			}
		}
	})
}

func lintPanel(p dashboard.Panel, pages map[string]bool) []string {
	var findings []string
	want := func(ok bool, what string) {
		if !ok {
			findings = append(findings, what)
		}
	}
	filled := func(text *string) bool { return text != nil && *text != "" }
	want(filled(p.Title), "no title")
	want(filled(p.Description), "no description")
	want(p.Datasource != nil && *p.Datasource.Uid == "${datasource}", "another data source than the variable")
	want(filled(p.FieldConfig.Defaults.Unit), "no unit")
	want(filled(p.FieldConfig.Defaults.NoValue), "no message for no data")
	queries, _ := live.Queries(p)
	for _, q := range queries {
		want(p.Type == "table" || filled(q.LegendFormat), "no legend: "+q.Expr)
	}
	_, link, linked := strings.Cut(*p.Description, runbooks)
	page := strings.TrimSuffix(link, ")")
	want(linked && pages[page] || p.Title != nil && strings.HasPrefix(*p.Title, "Alerts"), "no runbook, or of no alert: "+page)
	return findings
}

func TestVariables(t *testing.T) {
	all := known(t)
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
			if v.Label == nil || *v.Label == "" {
				t.Errorf("variable %s has no label", v.Name)
			}
			if v.Type != dashboard.VariableTypeQuery {
				continue
			}
			if *v.Datasource.Uid != "${datasource}" || !*v.Multi || !*v.IncludeAll {
				t.Errorf("variable %s is not of the chosen data source, or of one value", v.Name)
			}
			_, inner, _ := strings.Cut(*v.Query.String, "(")
			inner = strings.TrimSuffix(inner, ")")
			if strings.HasPrefix(*v.Query.String, "label_values") {
				inner = inner[:strings.LastIndex(inner, ",")]
			}
			for _, finding := range lint(inner, all) {
				if !asksForLater(finding, names) {
					t.Errorf("variable %s: %s", v.Name, finding)
				}
			}
		}
		if want := []string{"datasource", "job", "instance", "network"}; !slices.Equal(names[:4], want) {
			t.Errorf("variables %v, want %v first", names, want)
		}
	})
}

// asksForLater is whether the finding is the lack of a variable that is not
// chosen yet: each variable is chosen among what those before it leave.
func asksForLater(finding string, upToThis []string) bool {
	for _, name := range []string{"job", "instance", "network"} {
		if strings.HasSuffix(finding, "no matcher "+name+`=~"$`+name+`"`) {
			return !slices.Contains(upToThis[:len(upToThis)-1], name)
		}
	}
	return false
}

func TestLayout(t *testing.T) {
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		taken := map[[2]uint32]string{}
		for _, p := range live.Panels(d) {
			g := *p.GridPos
			if g.X+g.W > 24 {
				t.Errorf("%s is wider than the grid", *p.Title)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, is := taken[[2]uint32{x, y}]; is {
						t.Fatalf("%s lies on %s", *p.Title, other)
					}
					taken[[2]uint32{x, y}] = *p.Title
				}
			}
		}
		filled := map[uint32]int{}
		for at := range taken {
			filled[at[1]]++
		}
		for y, columns := range filled {
			if columns != 24 {
				t.Errorf("line %d of the grid has a hole: %d columns", y, columns)
			}
		}
	})
}

// unshown are metrics that no panel is for, and why.
var unshown = map[string]string{
	"hedera_account_key_info":           "changes of keys are for an alert, not for a picture",
	"hedera_node_admin_key_info":        "likewise",
	"hedera_account_transactions_total": "its rates are recorded, and shown by type and by result",
	"hedera_exporter_shard_ordinal":     "what is missing between shards is for the query of docs/scaling.md",
	"hedera_exporter_total_shards":      "as hedera_exporter_shard_ordinal",
}

func TestEveryMetricIsShown(t *testing.T) {
	var text strings.Builder
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, p := range live.Panels(d) {
			queries, err := live.Queries(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range queries {
				text.WriteString(q.Expr)
			}
		}
	})
	for _, name := range slices.Sorted(maps.Keys(exported(t))) {
		shown := strings.Contains(text.String(), name+"{")
		if shown == (unshown[name] != "") {
			t.Errorf("%s: shown is %v, and the reason not to is %q", name, shown, unshown[name])
		}
	}
}
