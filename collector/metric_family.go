// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// metricFamily is what the samples of a metric have in common.
type metricFamily struct {
	desc      *prometheus.Desc
	valueType prometheus.ValueType
	name      string
	help      string
	// order is that of the labels in an exposition, by name, as indexes into the
	// declaration's; before has what stands before the value of each.
	order  []int
	before []string
}

func newFamily(m Metric, valueType prometheus.ValueType) *metricFamily {
	f := &metricFamily{desc: prometheus.NewDesc(m.Name, m.Help, m.Labels, nil), valueType: valueType, name: m.Name, help: m.Help}
	for i := range m.Labels {
		f.order = append(f.order, i)
	}
	slices.SortFunc(f.order, func(a, b int) int { return cmp.Compare(m.Labels[a], m.Labels[b]) })
	before := "{"
	for _, i := range f.order {
		f.before = append(f.before, before+m.Labels[i]+`="`)
		before = `",`
	}
	return f
}

// newSample makes a sample; labels follow the declaration's order and may be
// shared with other samples. Created is when a counter was 0, in nanoseconds
// since the epoch.
func (f *metricFamily) newSample(value float64, created int64, labels []string) *sample {
	if len(labels) != len(f.order) {
		panic(fmt.Sprintf("%s has %d labels, not %q", f.name, len(f.order), labels))
	}
	for i, label := range labels {
		if !utf8.ValidString(label) {
			labels = slices.Clone(labels)
			labels[i] = strings.ToValidUTF8(label, "\uFFFD")
		}
	}
	return &sample{metricFamily: f, value: value, created: created, labels: labels}
}

// sample is a constant metric. Unlike those of client_golang it keeps what it was
// made of, which is all that a text exposition needs.
type sample struct {
	*metricFamily

	value   float64
	created int64
	labels  []string
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	var (
		metric prometheus.Metric
		err    error
	)
	if s.created == 0 {
		metric, err = prometheus.NewConstMetric(s.desc, s.valueType, s.value, s.labels...)
	} else {
		metric, err = prometheus.NewConstMetricWithCreatedTimestamp(s.desc, s.valueType, s.value, time.Unix(0, s.created), s.labels...)
	}
	if err != nil {
		return err
	}
	return metric.Write(out)
}

// compareLabels orders the samples of one metric as a registry does.
func compareLabels(a, b *sample) int {
	if len(a.labels) != len(b.labels) {
		return cmp.Compare(len(a.labels), len(b.labels))
	}
	for n, i := range a.order {
		if c := strings.Compare(a.labels[i], b.labels[b.order[n]]); c != 0 {
			return c
		}
	}
	return 0
}
