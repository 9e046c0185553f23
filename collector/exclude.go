// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// unitSuffixes end the names of metrics.
var unitSuffixes = []string{"_total", "_seconds", "_usd_per_hbar", "_hbar", "_usd", "_bytes", "_ratio"}

// Excludable returns the collector's metrics by the names that its option exclude
// takes: the whole name, and the short one.
func (r Registration) Excludable() map[string]string {
	names := map[string]string{}
	for short, name := range shortNames(r.Name) {
		names[short], names[name] = name, name
	}
	return names
}

// shortNames returns the collector's metrics by what is left of their names
// without the words that all of them begin with, and without the unit.
func shortNames(collector string) map[string]string {
	withoutUnit := map[string]string{}
	var prefix []string
	for _, m := range Metrics() {
		if m.Collector != collector {
			continue
		}
		name := m.Name
		for _, suffix := range unitSuffixes {
			name = strings.TrimSuffix(name, suffix)
		}
		withoutUnit[m.Name] = name
		words := strings.SplitAfter(name, "_")
		prefix = commonPrefix(prefix, words[:len(words)-1])
	}
	short := map[string]string{}
	for name, rest := range withoutUnit {
		short[strings.TrimPrefix(rest, strings.Join(prefix, ""))] = name
	}
	return short
}

// commonPrefix is what both begin with; a nil prefix is not one yet.
func commonPrefix(prefix, words []string) []string {
	if prefix == nil {
		return words
	}
	n := 0
	for n < min(len(prefix), len(words)) && prefix[n] == words[n] {
		n++
	}
	return prefix[:n]
}

// Exclusion is the names of the metrics that are left out.
type Exclusion map[string]bool

// NewExclusion takes the names by collector. Some metrics have samples of other
// collectors, too.
func NewExclusion(metrics map[string][]string) Exclusion {
	e := Exclusion{}
	for _, names := range metrics {
		for _, name := range names {
			e[name] = true
		}
	}
	return e
}

// has reports whether a metric is one of them.
func (e Exclusion) has(metric prometheus.Metric) bool {
	switch m := metric.(type) {
	case *sample:
		return e[m.family.name]
	case histogram:
		return e[m.name]
	}
	return false
}

// filter sends to ch what send sends, without the samples that are left out.
func (e Exclusion) filter(ch chan<- prometheus.Metric, send func(chan<- prometheus.Metric)) {
	if len(e) == 0 {
		send(ch)
		return
	}
	all := make(chan prometheus.Metric)
	go func() {
		defer close(all)
		send(all)
	}()
	for sample := range all {
		if !e.has(sample) {
			ch <- sample
		}
	}
}
