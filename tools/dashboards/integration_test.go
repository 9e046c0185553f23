//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"hedera_exporter/tools/dashboards/live"
	"hedera_exporter/tools/dashboards/stack"
)

const (
	interval   = time.Second
	patience   = 5 * time.Minute // most of it is not used
	drained    = "0.0.98"
	stopped    = "4"
	firingRule = "groups: [{name: test, rules: [{alert: HederaTest, expr: 'vector(1)', labels: {network: simulated, severity: warning}}]}]\n"
)

// onTrouble are queries that return nothing while all is well, by dashboard, kind
// and title of the panel and refId, and why.
var onTrouble = map[string]string{
	"hedera-overview/table/Accounts below a minimum/A": "no account is below its minimum",
	"hedera-overview/table/Accounts below a minimum/B": "no account is below its minimum",
	"hedera-overview/table/Nodes down/A":               "every node answers",
	"hedera-overview/table/Nodes down/B":               "every node answers",
}

// withHistory are queries that compare with an hour ago. TestTenThousandAccounts
// asks them, of a history that is made.
var withHistory = []string{
	"hedera-accounts/stat/First one empty in/A",
	"hedera-accounts/table/Balances/H",
	"hedera-accounts/timeseries/Time until empty/A",
}

// optional is what needs options that the simulator's configuration has not set,
// freezes, which it does not make, a topic that has no message yet, or relays.
// TestTenThousandAccounts has most of it.
var optional = regexp.MustCompile(`hedera_(account|token|topic|contract)_labels|hedera_node_(own|exists|account_balance_hbar|reward_hbar)` +
	`|hedera_account_balance_maximum|hedera_account_token_balance_minimum|hedera_contract_balance_minimum|_nft_allowance_|_last_freeze_|hedera_topic_deleted|probe_|_mirror_other_|_mirror_web3_`)

// target is one query of one panel.
type target struct {
	name  string
	panel dashboard.Panel
	query prometheus.Dataquery
	board dashboard.Dashboard
}

func allTargets(t *testing.T) []target {
	t.Helper()
	var targets []target
	later := 0
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, p := range live.Panels(d) {
			queries, err := live.Queries(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range queries {
				name := *d.Uid + "/" + p.Type + "/" + *p.Title + "/" + *q.RefId
				if slices.Contains(withHistory, name) {
					later++
					continue
				}
				if optional.MatchString(q.Expr) {
					continue
				}
				targets = append(targets, target{name, p, q, d})
			}
		}
	})
	if later != len(withHistory) {
		t.Errorf("%d queries are listed as of an hour ago, and %d exist", len(withHistory), later)
	}
	return targets
}

func startStack(t *testing.T, o stack.Options) (*stack.Stack, v1.API) {
	t.Helper()
	o.Programs, o.Rules = programs(t), recordingRules(t)
	alerting := filepath.Join(t.TempDir(), "alert.yml")
	if err := os.WriteFile(alerting, []byte(firingRule), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Rules = append(o.Rules, alerting)
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := api.NewClient(api.Config{Address: s.PrometheusURL})
	if err != nil {
		t.Fatal(err)
	}
	return s, v1.NewAPI(client)
}

func programs(t *testing.T) stack.Programs {
	t.Helper()
	for _, variable := range []string{"BIN", "PROMETHEUS"} {
		if os.Getenv(variable) == "" {
			t.Fatalf("%s is not set; run make test-integration", variable)
		}
	}
	return stack.Programs{Bin: os.Getenv("BIN"), Prometheus: os.Getenv("PROMETHEUS")}
}

func recordingRules(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, name := range []string{"hedera.rules.yml", "hedera.thresholds.yml", "hedera.canary.yml"} {
		path, err := filepath.Abs(filepath.Join(root, "alerts", name))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func window(start time.Time) live.Window {
	return live.Window{Start: start, End: time.Now(), Scrape: 2 * interval}
}

// awaitData asks until every target has returned something, or until the
// deadline, and says which have not.
func awaitData(t *testing.T, api v1.API, start time.Time, targets []target) []string {
	t.Helper()
	missing := map[string]target{}
	for _, q := range targets {
		missing[q.name] = q
	}
	await(t, func() bool {
		w := window(start)
		for name, q := range missing {
			if returns(t, api, q, w) {
				delete(missing, name)
			}
		}
		return len(missing) == 0
	})
	return slices.Sorted(maps.Keys(missing))
}

func returns(t *testing.T, api v1.API, q target, w live.Window) bool {
	t.Helper()
	values, err := live.Resolve(t.Context(), api, q.board, w)
	if err != nil {
		return false // there may be nothing to choose from yet
	}
	series, err := live.Ask(t.Context(), api, q.query, values, w.Of(q.panel))
	if err != nil {
		t.Fatalf("%s: %v", q.name, err)
	}
	return len(series) > 0
}

// await asks until the condition is true, or until the deadline.
func await(t *testing.T, condition func() bool) bool {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			return false
		}
		select {
		case <-t.Context().Done():
			return false
		case <-time.After(interval):
		}
	}
	return true
}

func TestEveryQueryReturnsData(t *testing.T) {
	t.Parallel()
	s, api := startStack(t, stack.Options{
		Interval: interval, Simulator: []string{"--nodes=7", "--accounts=30", "--config.accounts=12"},
	})
	start := time.Now()
	var usual, troubled []target
	for _, q := range allTargets(t) {
		if onTrouble[q.name] != "" {
			troubled = append(troubled, q)
			continue
		}
		usual = append(usual, q)
	}
	if len(troubled) != len(onTrouble) {
		t.Errorf("%d queries are listed as empty while all is well, and %d exist", len(onTrouble), len(troubled))
	}
	if missing := awaitData(t, api, start, usual); len(missing) > 0 {
		t.Errorf("no data within %s: %q", patience, missing)
	}
	for _, q := range troubled {
		// A busy machine may be late for the probe of a node.
		if !await(t, func() bool { return !returns(t, api, q, window(start)) }) {
			t.Errorf("%s returns data though %s", q.name, onTrouble[q.name])
		}
	}

	annotationsReturn(t, s, api, start)

	makeTrouble(t, s)
	if missing := awaitData(t, api, start, troubled); len(missing) > 0 {
		t.Errorf("no data in trouble within %s: %q", patience, missing)
	}
	awaitRed(t, api, start)
}

// makeTrouble drains an account, stops a node and lets the mirror lag.
func makeTrouble(t *testing.T, s *stack.Stack) {
	t.Helper()
	for _, call := range [][3]string{
		{http.MethodPost, "/blocks/stop"},
		{http.MethodPost, "/nodes/" + stopped + "/stop"},
		{http.MethodPut, "/accounts/" + drained + "/balance", `{"tinybar":500000000}`},
	} {
		if err := s.Control(t.Context(), call[0], call[1], call[2]); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitRed waits until the overview's line of the network shows the troubles.
func awaitRed(t *testing.T, api v1.API, start time.Time) {
	t.Helper()
	d := decoded(t, overview())
	p := live.Panels(d)[0]
	queries, err := live.Queries(p)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]bool{"Warning": true, "Accounts too low": true, "Nodes not ready": true, "Stake ready": true, "Block age": true}
	columns := map[string]column{}
	for i, q := range overviewNetworks().queries {
		if good[q.column.title] {
			columns[refID(i)] = q.column
		}
	}
	if len(columns) != len(good) {
		t.Fatalf("columns found: %v", columns)
	}
	await(t, func() bool {
		w := window(start)
		values, err := live.Resolve(t.Context(), api, d, w)
		if err != nil {
			return false // nothing to choose from after a scrape that failed
		}
		for _, q := range queries {
			c, is := columns[*q.RefId]
			if !is {
				continue
			}
			series, err := live.Ask(t.Context(), api, q, values, w.Of(p))
			if err != nil {
				t.Fatal(err)
			}
			if len(series) == 1 && live.Colour(dashboard.ThresholdsConfig{Steps: c.colours}, series[0].Last()) != green {
				delete(good, c.title)
			}
		}
		return len(good) == 0
	})
	if len(good) > 0 {
		t.Errorf("still green: %q", slices.Sorted(maps.Keys(good)))
	}
}

func decoded(t *testing.T, b board) dashboard.Dashboard {
	t.Helper()
	content, err := encode(b)
	if err != nil {
		t.Fatal(err)
	}
	d, err := live.Decode(content)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Reloads and restarts are annotated; the network is well, and is not.
func annotationsReturn(t *testing.T, s *stack.Stack, api v1.API, start time.Time) {
	t.Helper()
	d := decoded(t, overview())
	missing := map[string]dashboard.AnnotationQuery{}
	for _, a := range d.Annotations.List {
		missing[a.Name] = a
	}
	// What else there is has tests of its metrics: the network neither freezes nor
	// is it upgraded.
	delete(missing, "Freezes")
	delete(missing, "Freeze transactions")
	delete(missing, "HAPI upgrades")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.ExporterURL+"/-/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("reload: %s, %v", response.Status, err)
	}
	await(t, func() bool {
		w := window(start)
		values, err := live.Resolve(t.Context(), api, d, w)
		if err != nil {
			return false
		}
		for name, a := range missing {
			// Of the last minute: the points of annotations are a minute apart.
			series, err := live.AskAnnotation(t.Context(), api, a, values, live.Window{Start: w.End, End: w.End, Scrape: w.Scrape})
			if err != nil {
				t.Fatal(err)
			}
			if len(series) > 0 {
				delete(missing, name)
			}
		}
		return len(missing) == 0
	})
	if len(missing) > 0 {
		t.Errorf("no annotation: %q", slices.Sorted(maps.Keys(missing)))
	}
}
