// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"fmt"
	"math"
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
	labels    *labelNames
}

// labelNames are those of a family, or of several that have the same.
type labelNames struct {
	// order is that of an exposition, by name, as indexes into the declaration's;
	// before has what stands before the value of each.
	order  []int
	before []string
}

func newLabelNames(names []string) *labelNames {
	l := &labelNames{}
	for i := range names {
		l.order = append(l.order, i)
	}
	slices.SortFunc(l.order, func(a, b int) int { return cmp.Compare(names[a], names[b]) })
	before := "{"
	for _, i := range l.order {
		l.before = append(l.before, before+names[i]+`="`)
		before = `",`
	}
	return l
}

func newFamily(m Metric, valueType prometheus.ValueType, labels *labelNames) *metricFamily {
	return &metricFamily{prometheus.NewDesc(m.Name, m.Help, m.Labels, nil), valueType, m.Name, m.Help, labels}
}

// labelValues are those of a sample, or of several that have the same. Those of very
// many samples are kept, so they are few pieces of memory.
type labelValues struct {
	shared *labelValues // nil, or those that come first and that other samples have, too
	own    string       // in the declaration's order, with labelSeparator between them
	n      int          // own ones
}

// labelSeparator is in no value, as it is not UTF-8.
const labelSeparator = "\xff"

func newLabelValues(values []string) *labelValues {
	for i, value := range values {
		if !utf8.ValidString(value) {
			values = slices.Clone(values)
			values[i] = strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	return &labelValues{own: strings.Join(values, labelSeparator), n: len(values)}
}

// with returns the values followed by more.
func (l *labelValues) with(more ...string) *labelValues {
	v := newLabelValues(more)
	v.shared = l
	return v
}

func (l *labelValues) len() int {
	if l.shared == nil {
		return l.n
	}
	return l.shared.len() + l.n
}

func (l *labelValues) at(i int) string {
	if l.shared != nil {
		n := l.shared.len()
		if i < n {
			return l.shared.at(i)
		}
		i -= n
	}
	rest := l.own
	for ; i > 0; i-- {
		_, rest, _ = strings.Cut(rest, labelSeparator)
	}
	value, _, _ := strings.Cut(rest, labelSeparator)
	return value
}

func (l *labelValues) all() []string { return l.appendTo(make([]string, 0, l.len())) }

func (l *labelValues) appendTo(values []string) []string {
	if l.shared != nil {
		values = l.shared.appendTo(values)
	}
	rest := l.own
	for range l.n {
		var value string
		value, rest, _ = strings.Cut(rest, labelSeparator)
		values = append(values, value)
	}
	return values
}

// equals may be false for equal ones, of which not the same are shared.
func (l *labelValues) equals(other *labelValues) bool {
	return l == other || *l == *other
}

// newSample makes a sample. Created is when a counter was 0, in nanoseconds since
// the epoch.
func (f *metricFamily) newSample(value float64, created int64, labels *labelValues) *sample {
	if labels.len() != len(f.labels.order) {
		panic(fmt.Sprintf("%s has %d labels, not %q", f.name, len(f.labels.order), labels.all()))
	}
	return &sample{family: f, value: value, created: created, labels: labels}
}

// sample is a constant metric. Unlike those of client_golang it keeps what it was
// made of, which is all that a text exposition needs.
type sample struct {
	family  *metricFamily
	value   float64
	created int64
	labels  *labelValues
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.family.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	var (
		metric prometheus.Metric
		err    error
	)
	if s.created == 0 {
		metric, err = prometheus.NewConstMetric(s.family.desc, s.family.valueType, s.value, s.labels.all()...)
	} else {
		metric, err = prometheus.NewConstMetricWithCreatedTimestamp(s.family.desc, s.family.valueType, s.value, time.Unix(0, s.created), s.labels.all()...)
	}
	if err != nil {
		return err
	}
	return metric.Write(out)
}

// equals reports whether both are the same, but for their families.
func (s *sample) equals(other *sample) bool {
	return math.Float64bits(s.value) == math.Float64bits(other.value) && s.created == other.created && s.labels.equals(other.labels)
}

// compareLabels orders the samples of one metric as a registry does.
func compareLabels(a, b *sample) int {
	x, y := a.family.labels.order, b.family.labels.order
	if len(x) != len(y) {
		return cmp.Compare(len(x), len(y))
	}
	for n := range x {
		if c := strings.Compare(a.labels.at(x[n]), b.labels.at(y[n])); c != 0 {
			return c
		}
	}
	return 0
}
