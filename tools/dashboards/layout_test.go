// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"hedera_exporter/tools/dashboards/live"
)

// eachPanel checks every panel of every dashboard.
func eachPanel(t *testing.T, check func(t *testing.T, p dashboard.Panel)) {
	t.Helper()
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, p := range live.Panels(d) {
			t.Run(*p.Title, func(t *testing.T) { check(t, p) })
		}
	})
}

// options decodes the options of a panel's kind.
func options(t *testing.T, p dashboard.Panel, into any) {
	t.Helper()
	content, err := json.Marshal(p.Options)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// isTiles is whether the panel shows names and words, not figures.
func isTiles(t *testing.T, p dashboard.Panel) bool {
	t.Helper()
	var o struct{ TextMode string }
	if p.Type == "stat" {
		options(t, p, &o)
	}
	return strings.Contains(o.TextMode, "name")
}

// Grafana draws nothing but "Too many points" where a status history has more
// than half as many points as it is wide.
func TestTimelinesHaveRoomForTheirPoints(t *testing.T) {
	found := 0
	eachPanel(t, func(t *testing.T, p dashboard.Panel) {
		if p.Type == "status-history" {
			t.Error("a status history, want a state timeline, which merges equal values")
		}
		if p.Type != "state-timeline" {
			return
		}
		found++
		var o struct{ MergeValues bool }
		options(t, p, &o)
		if !o.MergeValues {
			t.Error("equal values are not merged")
		}
		if p.MaxDataPoints == nil || *p.MaxDataPoints > float64(p.GridPos.W)*1280/24/2 {
			t.Errorf("maxDataPoints is not at most half of the panel's pixels on a small screen")
		}
	})
	if found == 0 {
		t.Error("no timeline")
	}
}

// At 10,000 accounts a line, a row or an answer for each of them is too much.
func TestNothingGrowsWithTheAccounts(t *testing.T) {
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, item := range d.Panels {
			if item.RowPanel != nil && item.RowPanel.Repeat != nil || item.Panel != nil && item.Panel.Repeat != nil {
				t.Error("something is repeated for each value of a variable")
			}
		}
		for _, v := range d.Templating.List {
			if v.Name != "account" {
				continue
			}
			if v.AllValue != nil || !strings.Contains(*v.Query.String, "bottomk(50,") {
				t.Errorf("variable account: all is %v of %s, want all of the fifty in the list", v.AllValue, *v.Query.String)
			}
		}
	})
	byAccount := regexp.MustCompile(`by \([a-z_, ]*account_id[a-z_, ]*\)`)
	eachPanel(t, func(t *testing.T, p dashboard.Panel) {
		queries, err := live.Queries(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range queries {
			of := regexp.MustCompile(`(^|[^:])hedera_account_|account[a-z_]*:hedera_account_|ALERTS`).MatchString(q.Expr)
			chosen := strings.Contains(q.Expr, `account_id=~"$account"`)
			limited := regexp.MustCompile(`(top|bottom)k\(`).MatchString(q.Expr)
			if overTime := q.Instant == nil || !*q.Instant; of && overTime && !chosen {
				t.Errorf("%s: over time and of every account: %s", *q.RefId, q.Expr)
			}
			if strings.Contains(*q.LegendFormat, "{{name}}") && of && !limited {
				t.Errorf("%s: a line for each account: %s", *q.RefId, q.Expr)
			}
			total := regexp.MustCompile(`^(sum|count|min|max)( by \(network(, (type|result|kind))?\))? ?\(`).MatchString(q.Expr)
			if p.Type == "table" && of && byAccount.MatchString(q.Expr) && !chosen && !limited && !total {
				t.Errorf("%s: a row for each account: %s", *q.RefId, q.Expr)
			}
		}
	})
}

// The legends of eight networks must not be the same.
func TestLegendsNameTheNetwork(t *testing.T) {
	all := known(t)
	names := regexp.MustCompile(`[a-zA-Z_:]+\{`)
	eachPanel(t, func(t *testing.T, p dashboard.Panel) {
		queries, err := live.Queries(p)
		if err != nil {
			t.Fatal(err)
		}
		// Figures are of all chosen networks together; tables have a column.
		if p.Type == "table" || p.Type == "stat" && !isTiles(t, p) && (queries[0].Instant != nil && *queries[0].Instant || len(queries) == 1 && strings.HasPrefix(queries[0].Expr, "sum(")) {
			return
		}
		for _, q := range queries {
			perNetwork := slices.ContainsFunc(names.FindAllString(q.Expr, -1), func(name string) bool {
				return all[strings.TrimSuffix(name, "{")]
			})
			// A heat map has one distribution.
			if *q.LegendFormat == "{{le}}" && p.Type == "heatmap" {
				continue
			}
			if perNetwork && !strings.Contains(*q.LegendFormat, "{{network}}") {
				t.Errorf("%s: legend %q", *q.RefId, *q.LegendFormat)
			}
		}
	})
}

func TestOverviewBeginsWithALineForEachNetwork(t *testing.T) {
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		if *d.Uid != "hedera-overview" {
			return
		}
		p := live.Panels(d)[0]
		if p.Type != "table" || p.GridPos.Y != 0 || p.GridPos.W != 24 {
			t.Fatalf("the first panel is a %s at %+v", p.Type, *p.GridPos)
		}
		links := map[string]string{}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if property.Id == "links" {
					content, err := json.Marshal(property.Value)
					if err != nil {
						t.Fatal(err)
					}
					links[o.Matcher.Options.(string)] = string(content)
				}
			}
		}
		for column, board := range map[string]string{
			"Network": "overview", "Critical": "overview", "Warning": "overview", "Accounts too low": "accounts",
			"Nodes not ready": "nodes", "Stake ready": "nodes", "Block age": "network", "Collectors failing": "exporter", "Exporters": "exporter",
		} {
			if !strings.Contains(links[column], "/d/hedera-"+board+"?") || !strings.Contains(links[column], "var-network=${__data.fields.Network}") {
				t.Errorf("column %s links to %s, want dashboard %s of the row's network", column, links[column], board)
			}
		}
	})
}

// Up and down differ by more than red and green.
func TestStatesHaveAWordAndASign(t *testing.T) {
	eachPanel(t, func(t *testing.T, p dashboard.Panel) {
		if p.Type != "state-timeline" && !isTiles(t, p) {
			return
		}
		var o struct{ TextMode, ShowValue string }
		options(t, p, &o)
		if p.Type == "stat" && o.TextMode != "value_and_name" || p.Type == "state-timeline" && o.ShowValue != "auto" {
			t.Errorf("text mode %q, values shown %q: the words are not shown", o.TextMode, o.ShowValue)
		}
		words := map[string]bool{}
		for _, m := range p.FieldConfig.Defaults.Mappings {
			if m.ValueMap != nil {
				for _, result := range m.ValueMap.Options {
					words[*result.Text] = true
				}
			}
			if m.RangeMap != nil {
				words[*m.RangeMap.Options.Result.Text] = true
			}
		}
		if len(words) < len(p.FieldConfig.Defaults.Thresholds.Steps) {
			t.Errorf("words %v for %d colours", words, len(p.FieldConfig.Defaults.Thresholds.Steps))
		}
		for word := range words {
			if !strings.ContainsAny(word[:min(4, len(word))], "✓✗◐") {
				t.Errorf("%q has no sign", word)
			}
		}
	})
}

func TestAnnotations(t *testing.T) {
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		var names []string
		for _, a := range d.Annotations.List {
			names = append(names, a.Name)
			if a.Name == "Alerts" && !strings.HasPrefix(*a.Expr, "group(ALERTS{") {
				t.Errorf("alerts are %s, want one region while any fires", *a.Expr)
			}
		}
		for _, want := range []string{"Alerts", "HAPI upgrades", "Freezes", "Exporter restarts", "Exporter reloads"} {
			if !slices.Contains(names, want) {
				t.Errorf("annotations %q, want %s too", names, want)
			}
		}
	})
}

// The watchdog always fires.
func TestWatchdogIsNoAlert(t *testing.T) {
	for uid, content := range generated(t) {
		for _, selector := range regexp.MustCompile(`ALERTS\{[^}]*\}`).FindAllString(string(content), -1) {
			if !strings.Contains(selector, "HederaWatchdog") {
				t.Errorf("%s: %s has the watchdog", uid, selector)
			}
		}
	}
}

func generated(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAlertsLeadToRunbookAndDashboard(t *testing.T) {
	files := generated(t)
	content := string(files["hedera-overview.json"])
	for _, link := range []string{alertLink, "/d/hedera-${__value.raw}?", "/d/hedera-nodes?", "/d/hedera-accounts?"} {
		if !strings.Contains(content, link) {
			t.Errorf("no link %s", link)
		}
	}
	rules, err := os.ReadFile(filepath.Join(root, "alerts", "hedera.alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`\n +subject: (\w+)\n`).FindAllStringSubmatch(string(rules), -1)
	if len(lines) < 10 {
		t.Fatalf("%d alerts have a subject", len(lines))
	}
	for _, line := range lines {
		var board string
		for _, s := range subjects {
			if regexp.MustCompile("^(" + s.subject + ")$").MatchString(line[1]) {
				board = s.board
			}
		}
		if _, is := files["hedera-"+board+".json"]; !is {
			t.Errorf("alerts of subject %s lead to no dashboard: %q", line[1], board)
		}
	}
}
