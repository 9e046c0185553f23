// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "hedera"

// Metric is a metric family as the code declares it and docs/metrics.md lists it.
type Metric struct {
	Collector string
	Name      string
	Type      string // gauge, counter or histogram
	Help      string
	Labels    []string // including network
	Source    string   // where the value comes from
	Example   string   // a PromQL query
}

var metrics []Metric

// Metrics returns all declared families, sorted by collector and name.
func Metrics() []Metric {
	return slices.SortedFunc(slices.Values(metrics), func(a, b Metric) int {
		return cmp.Or(cmp.Compare(a.Collector, b.Collector), cmp.Compare(a.Name, b.Name))
	})
}

// constMetric is a family whose samples are made on each scrape.
type constMetric struct{ *metricFamily }

// newGauge declares a gauge; m.Name is without the namespace.
func newGauge(m Metric) constMetric {
	return newConstMetric(declare(m, "gauge"), prometheus.GaugeValue)
}

// constCounter is a family of counters, of which the collector keeps the values.
type constCounter struct{ constMetric }

// newCounter declares a counter; m.Name is without the namespace.
func newCounter(m Metric) constCounter {
	return constCounter{newConstMetric(declare(m, "counter"), prometheus.CounterValue)}
}

// sample makes one sample. The counter was 0 at the time created, so that what
// is counted before the first scrape counts as an increase.
func (m constCounter) sample(value float64, created time.Time, labels ...string) prometheus.Metric {
	return m.newSample(value, created.UnixNano(), newLabelValues(labels))
}

// histogramFamily is a family of histograms that the collector keeps from scrape
// to scrape, as a constant one cannot be both classic and native.
type histogramFamily struct {
	metric  Metric
	buckets []float64
}

// newHistogram declares a histogram; m.Name is without the namespace.
func newHistogram(m Metric, buckets []float64) histogramFamily {
	declare(m, "histogram")
	return histogramFamily{m, buckets}
}

// histogram is one of a family.
type histogram struct {
	prometheus.Histogram

	name string
}

// histogram makes the histogram of the labels' values, which follow the
// declaration's order.
func (f histogramFamily) histogram(labels ...string) prometheus.Histogram {
	o := histogramOpts(f.metric)
	o.Buckets, o.ConstLabels = f.buckets, prometheus.Labels{}
	for i, value := range labels {
		o.ConstLabels[f.metric.Labels[i]] = value
	}
	return histogram{prometheus.NewHistogram(o), namespace + "_" + f.metric.Name}
}

func newConstMetric(m Metric, valueType prometheus.ValueType) constMetric {
	key := strings.Join(m.Labels, ",")
	if declaredLabels[key] == nil {
		declaredLabels[key] = newLabelNames(m.Labels)
	}
	return constMetric{newFamily(m, valueType, declaredLabels[key])}
}

var declaredLabels = map[string]*labelNames{}

// declare completes m and lists it for the documentation.
func declare(m Metric, typeName string) Metric {
	m.Name = namespace + "_" + m.Name
	m.Type = typeName
	metrics = append(metrics, m)
	return m
}
