// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/simulator"
)

func parseText(t *testing.T, text string) {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(families) == 0 {
		t.Fatal("no metrics")
	}
	for name, family := range families {
		if strings.Count(text, "# TYPE "+name+" ") != 1 || strings.Count(text, "# HELP "+name+" ") != 1 {
			t.Errorf("%s has not one TYPE and one HELP", name)
		}
		for _, metric := range family.GetMetric() {
			if metric.TimestampMs != nil {
				t.Errorf("%s has a timestamp, which node_exporter refuses", name)
			}
		}
	}
}

func TestTextfile(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	dir := t.TempDir()
	file := filepath.Join(dir, "hedera.prom")
	args := append(onSimulated(t, sim), "textfile", "--output.file="+file)
	read := func() string {
		t.Helper()
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("there are %v, %v", files, err)
		}
		return string(content)
	}

	runCommand(t.Context(), t, args...).want(t, 0)
	text := read()
	parseText(t, text)
	wantParts(t, text, `hedera_account_balance_hbar{account_id="0.0.98",name="fees",network="simulated"} 2.8412345e+07`,
		"hedera_node_endpoint_up{", "hedera_exporter_build_info{", `hedera_scrape_collector_success{collector="accounts",network="simulated"} 1`)
	if strings.Contains(text, "go_goroutines") {
		t.Error("the file has metrics of the command itself")
	}

	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	runCommand(t.Context(), t, args...).want(t, 1, "hedera_exporter: network simulated: collector accounts failed\n")
	text = read()
	parseText(t, text)
	wantParts(t, text, `hedera_scrape_collector_success{collector="accounts",network="simulated"} 0`, "hedera_node_endpoint_up{")
	if strings.Contains(text, "hedera_account_balance_hbar{") {
		t.Error("balances of the previous scrape are still there")
	}
}
