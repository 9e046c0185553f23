// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// scraped is what one scrape has gathered.
type scraped struct {
	text    []byte // in Prometheus' text format
	samples []reading
}

// reading is one sample of a gauge or counter.
type reading struct {
	name   string
	labels map[string]string
	value  float64
}

func scrapeOnce(gatherer prometheus.Gatherer) (scraped, error) {
	families, err := gatherer.Gather()
	if err != nil {
		return scraped{}, err
	}
	var (
		text   bytes.Buffer
		result scraped
	)
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return scraped{}, err
		}
		for _, metric := range family.GetMetric() {
			if metric.GetGauge() == nil && metric.GetCounter() == nil {
				continue
			}
			labels := make(map[string]string, len(metric.GetLabel()))
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			// The one of the two that it is not has no value: 0.
			value := metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			result.samples = append(result.samples, reading{name: family.GetName(), labels: labels, value: value})
		}
	}
	result.text = text.Bytes()
	return result, nil
}

// failedCollectors are problems, as all reports have them.
func failedCollectors(samples []reading) []string {
	var problems []string
	for _, s := range samples {
		if s.name == "hedera_scrape_collector_success" && s.value == 0 {
			problems = append(problems, fmt.Sprintf("network %s: collector %s failed", s.labels["network"], s.labels["collector"]))
		}
	}
	return problems
}

// timestamp is the time that a sample of a _timestamp_seconds family has.
func (s reading) timestamp() time.Time {
	seconds, fraction := math.Modf(s.value)
	return time.Unix(int64(seconds), int64(fraction*float64(time.Second))).UTC()
}
