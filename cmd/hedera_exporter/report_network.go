// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// networkReport is what query network prints: the samples of its collectors as
// they are.
type networkReport struct {
	verdict
	Metrics []metricState `json:"metrics"`
}

type metricState struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"` // without network
	Value  *float64          `json:"value"`  // nil: not a finite number
}

// aliveMetrics are 0 when something is down.
var aliveMetrics = []string{"hedera_mirror_up", "hedera_mirror_grpc_up"}

func newNetworkReport(network string, samples []reading) report {
	problems := failedCollectors(samples)
	metrics := []metricState{}
	for _, s := range samples {
		if strings.HasPrefix(s.name, "hedera_scrape_collector_") {
			continue // of the exporter, not of the network
		}
		if s.value == 0 && slices.Contains(aliveMetrics, s.name) {
			problems = append(problems, fmt.Sprintf("network %s: %s is 0", network, s.name))
		}
		metrics = append(metrics, newMetricState(s))
	}
	return networkReport{verdict: newVerdict(network, problems), Metrics: metrics}
}

func newMetricState(s reading) metricState {
	state := metricState{Name: s.name, Labels: maps.Clone(s.labels)}
	delete(state.Labels, "network")
	if !math.IsNaN(s.value) && !math.IsInf(s.value, 0) {
		state.Value = &s.value
	}
	return state
}

func (r networkReport) writeTable(w io.Writer) {
	writeRow(w, "METRIC", "LABELS", "VALUE")
	for _, m := range r.Metrics {
		writeRow(w, m.Name, m.labelText(), m.valueText())
	}
}

func (m metricState) labelText() string {
	pairs := make([]string, 0, len(m.Labels))
	for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
		pairs = append(pairs, name+"="+m.Labels[name])
	}
	return strings.Join(pairs, " ")
}

func (m metricState) valueText() string {
	if m.Value == nil || !strings.HasSuffix(m.Name, "_timestamp_seconds") {
		return formatNumber(m.Value)
	}
	time := reading{value: *m.Value}.timestamp()
	return formatTime(&time)
}
