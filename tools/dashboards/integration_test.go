//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
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
	patience   = 3 * time.Minute // most of it is not used
	drained    = "0.0.98"
	stopped    = "4"
	firingRule = "groups: [{name: test, rules: [{alert: HederaTest, expr: 'vector(1)', labels: {network: simulated}}]}]\n"
)

// onTrouble are queries that return nothing while all is well, by dashboard, kind
// and title of the panel and refId, and why.
var onTrouble = map[string]string{
	"hedera-overview/table/Accounts below a minimum/A": "no account is below its minimum",
	"hedera-overview/table/Accounts below a minimum/B": "no account is below its minimum",
	"hedera-overview/table/Accounts below a minimum/C": "no account is below its minimum",
	"hedera-overview/table/Nodes down/A":               "every node answers",
	"hedera-overview/table/Nodes down/B":               "every node answers",
}

// target is one query of one panel.
type target struct {
	name  string
	query prometheus.Dataquery
	board dashboard.Dashboard
}

func allTargets(t *testing.T) []target {
	t.Helper()
	var targets []target
	eachBoard(t, func(t *testing.T, d dashboard.Dashboard) {
		for _, p := range live.Panels(d) {
			queries, err := live.Queries(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range queries {
				targets = append(targets, target{*d.Uid + "/" + p.Type + "/" + *p.Title + "/" + *q.RefId, q, d})
			}
		}
	})
	return targets
}

func startStack(t *testing.T) (*stack.Stack, v1.API) {
	t.Helper()
	for _, variable := range []string{"BIN", "PROMETHEUS"} {
		if os.Getenv(variable) == "" {
			t.Fatalf("%s is not set; run make test-integration", variable)
		}
	}
	recording, err := filepath.Abs(root + "/alerts/hedera.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	alerting := filepath.Join(t.TempDir(), "alert.yml")
	if err := os.WriteFile(alerting, []byte(firingRule), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), stack.Options{
		Programs: stack.Programs{Bin: os.Getenv("BIN"), Prometheus: os.Getenv("PROMETHEUS")},
		Rules:    []string{recording, alerting}, Interval: interval,
		Simulator: []string{"--nodes=7", "--accounts=30", "--config.accounts=12"},
	})
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

func window(start time.Time) live.Window {
	return live.Window{Start: start, End: time.Now(), Step: 2 * interval, Rate: 10 * interval}
}

// awaitData asks until every target has returned something, or until the
// deadline, and says which have not.
func awaitData(t *testing.T, api v1.API, start time.Time, targets []target) []string {
	t.Helper()
	missing := map[string]target{}
	for _, q := range targets {
		missing[q.name] = q
	}
	deadline := time.Now().Add(patience)
	for len(missing) > 0 && time.Now().Before(deadline) {
		w := window(start)
		for name, q := range missing {
			if returns(t, api, q, w) {
				delete(missing, name)
			}
		}
		pause(t.Context())
	}
	return slices.Sorted(maps.Keys(missing))
}

func returns(t *testing.T, api v1.API, q target, w live.Window) bool {
	t.Helper()
	values, err := live.Resolve(t.Context(), api, q.board, w)
	if err != nil {
		return false // there may be nothing to choose from yet
	}
	series, err := live.Ask(t.Context(), api, q.query, values, w)
	if err != nil {
		t.Fatalf("%s: %v", q.name, err)
	}
	return len(series) > 0
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(interval):
	}
}

func TestEveryQueryReturnsData(t *testing.T) {
	s, api := startStack(t)
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
		if returns(t, api, q, window(start)) {
			t.Errorf("%s returns data though %s", q.name, onTrouble[q.name])
		}
	}

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

// awaitRed waits until the overview's stat panels for the three troubles are not green.
func awaitRed(t *testing.T, api v1.API, start time.Time) {
	t.Helper()
	content, err := encode(overview())
	if err != nil {
		t.Fatal(err)
	}
	d, err := live.Decode(content)
	if err != nil {
		t.Fatal(err)
	}
	green := map[string]dashboard.Panel{}
	for _, p := range live.Panels(d) {
		switch *p.Title {
		case "Accounts too low", "Nodes down", "Stake reachable", "Mirror lag":
			if p.Type == "stat" {
				green[*p.Title] = p
			}
		}
	}
	if len(green) != 4 {
		t.Fatalf("stat panels found: %v", slices.Sorted(maps.Keys(green)))
	}
	for deadline := time.Now().Add(patience); len(green) > 0 && time.Now().Before(deadline); pause(t.Context()) {
		w := window(start)
		values, err := live.Resolve(t.Context(), api, d, w)
		if err != nil {
			t.Fatal(err)
		}
		for title, p := range green {
			queries, err := live.Queries(p)
			if err != nil {
				t.Fatal(err)
			}
			series, err := live.Ask(t.Context(), api, queries[0], values, w)
			if err != nil {
				t.Fatal(err)
			}
			if len(series) == 1 && live.Colour(*p.FieldConfig.Defaults.Thresholds, series[0].Last()) != "green" {
				delete(green, title)
			}
		}
	}
	if len(green) > 0 {
		t.Errorf("still green: %q", slices.Sorted(maps.Keys(green)))
	}
}
