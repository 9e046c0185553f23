//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"hedera_exporter/tools/bench"
	"hedera_exporter/tools/dashboards/live"
	"hedera_exporter/tools/dashboards/stack"
)

// most is how many series a panel can show, by its kind: lines that can be told
// apart by their colours, pages of a timeline, tiles that can be read.
var most = map[string]int{
	"timeseries": 100, "bargauge": 40, "state-timeline": 260, "stat": 260, "table": 500, "heatmap": 260,
}

// checkPanels refreshes a dashboard and checks what each panel would show. It
// returns the names of the answers that were empty.
func checkPanels(t *testing.T, api v1.API, d dashboard.Dashboard, w live.Window) (empty []string) {
	t.Helper()
	legends := map[string]map[string]bool{}
	err := live.Refresh(t.Context(), api, d, w, func(a live.Answer) {
		if a.Panel == nil {
			return
		}
		title := *d.Uid + "/" + a.Panel.Type + "/" + *a.Panel.Title
		if len(a.Series) == 0 {
			empty = append(empty, *d.Uid+"/"+a.Name)
		}
		if len(a.Series) > most[a.Panel.Type] {
			t.Errorf("%s: %d series, want %d at most", title, len(a.Series), most[a.Panel.Type])
		}
		if a.Panel.Type == "table" {
			return
		}
		if legends[title] == nil {
			legends[title] = map[string]bool{}
		}
		for _, s := range a.Series {
			if legends[title][s.Legend] || s.Legend == "" {
				t.Errorf("%s: legend %q is empty or there twice", title, s.Legend)
			}
			legends[title][s.Legend] = true
		}
	})
	if err != nil {
		t.Errorf("%s: %v", *d.Uid, err)
	}
	return empty
}

// ofAllAccounts is a query that finds something only if the list of accounts has
// a cold one, and the fifty of eight networks that it has are nearer to a minimum.
const ofAllAccounts = "hedera-accounts/table/Properties/E"

func TestEightNetworks(t *testing.T) {
	t.Parallel()
	_, api := startStack(t, stack.Options{
		Interval: 5 * time.Second, Networks: 8, Simulator: []string{"--nodes=4", "--accounts=30", "--config.accounts=12"},
	})
	start := time.Now()
	var usual []target
	for _, q := range allTargets(t) {
		if onTrouble[q.name] == "" && q.name != ofAllAccounts {
			usual = append(usual, q)
		}
	}
	if missing := awaitData(t, api, start, usual); len(missing) > 0 {
		t.Errorf("no data within %s: %q", patience, missing)
	}
	d := decoded(t, overview())
	p := live.Panels(d)[0]
	queries, err := live.Queries(p)
	if err != nil {
		t.Fatal(err)
	}
	// All that follows is of one time, at which every network was scraped.
	var w live.Window
	cells := map[string]int{}
	if !await(t, func() bool {
		w = window(start)
		w.Scrape = 5 * time.Second
		values, err := live.Resolve(t.Context(), api, d, w)
		if err != nil {
			return false // nothing to choose from after a scrape that failed
		}
		all := true
		for i, q := range queries {
			lines, err := live.Ask(t.Context(), api, q, values, w.Of(p))
			if err != nil {
				t.Fatal(err)
			}
			cells[overviewNetworks().queries[i].column.title] = len(lines)
			all = all && len(lines) == 8
		}
		return all
	}) {
		t.Fatalf("the columns have %v cells, want one for each network", cells)
	}
	for _, b := range boards() {
		checkPanels(t, api, decoded(t, b), w)
	}
}

// The history is an hour long, of scrapes each minute: bench-dashboards has six,
// of scrapes each 15 seconds.
func TestTenThousandAccounts(t *testing.T) {
	t.Parallel()
	const (
		accounts = 10_000
		bytes    = 2_000_000
	)
	program := programs(t).Prometheus
	directory := t.TempDir()
	history := bench.History{
		Accounts: accounts, Counted: 200, Low: 60, Length: 70 * time.Minute,
		Interval: time.Minute, Sparse: 4 * time.Minute, Ahead: 20 * time.Minute, Scrape: root + "/collector/testdata/scrape.prom",
	}
	if _, err := history.Write(t.Context(), filepath.Join(directory, "data")); err != nil {
		t.Fatal(err)
	}
	rules, err := bench.RuleFiles(root + "/alerts/hedera.[rtc]*.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := bench.WriteConfig(rules, directory, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	p, err := bench.Start(t.Context(), program, directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	if _, err := p.AwaitEvaluations(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	now := time.Now() // for all that follows: what the rules have recorded gets stale without them
	if err := p.DropRules(t.Context(), directory); err != nil {
		t.Fatal(err)
	}
	counter := &bench.Counter{}
	client, err := api.NewClient(api.Config{Address: p.URL, RoundTripper: counter})
	if err != nil {
		t.Fatal(err)
	}
	w := live.Window{Start: now.Add(-time.Hour), End: now, Scrape: time.Minute}
	seconds := func() float64 {
		metrics, err := p.Metrics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return metrics["process_cpu_seconds_total"]
	}
	for _, b := range boards() {
		d := decoded(t, b)
		empty := checkPanels(t, v1.NewAPI(client), d, w)
		for _, name := range empty {
			for _, want := range []string{
				"hedera-accounts/First one empty in A", "hedera-accounts/Balances H", "hedera-accounts/Time until empty A", "hedera-overview/Accounts below a minimum A",
				"hedera-accounts/Fees of a day, of the budget A",
				"hedera-network/Relays A", "hedera-network/Time until relays answer A", "hedera-network/Answers of relays B",
			} {
				if name == want {
					t.Errorf("%s is empty", name)
				}
			}
		}
		counter.Store(0)
		before := seconds()
		const refreshes = 3
		for range refreshes {
			checkPanels(t, v1.NewAPI(client), d, w)
		}
		cost, size := (seconds()-before)/refreshes, counter.Load()/refreshes
		t.Logf("%s: %.2f s of CPU, %d kB", b.uid, cost, size/1000)
		if size > bytes {
			t.Errorf("%s: a refresh costs %d bytes, want %d at most", b.uid, size, bytes)
		}
	}
}
