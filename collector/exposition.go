// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Write writes the scrape and what others gathers, with created lines where the
// format has them: the same bytes as a registry and expfmt would. The text formats,
// which are what Prometheus asks for by default, cost a small part of what they
// cost there, as most samples are not converted on their way. The first error
// tells what is not in it, the second that writing failed.
func (s Scrape) Write(w io.Writer, format expfmt.Format, others prometheus.Gatherer) (gathering, writing error) {
	isText := format.FormatType() == expfmt.TypeTextPlain || format.FormatType() == expfmt.TypeOpenMetrics
	samples, rest := s.split(isText)
	var errs prometheus.MultiError
	for name := range samples {
		var duplicates int
		samples[name], duplicates = sortByLabels(samples[name])
		if duplicates > 0 {
			errs.Append(fmt.Errorf("%s has %d samples with the same labels as others", name, duplicates))
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(unchecked(rest))
	families, err := prometheus.Gatherers{registry, others}.Gather()
	if err != nil {
		errs.Append(err)
	}
	return errs.MaybeUnwrap(), writeFamilies(w, format, samples, families)
}

// split returns the samples that can be written directly, if any may, by name, and
// the rest.
func (s Scrape) split(directly bool) (samples map[string][]*sample, rest []prometheus.Metric) {
	sizes := map[*metricFamily]int{}
	for metric := range s.samples {
		if one, ok := metric.(*sample); ok && directly {
			sizes[one.family]++
		} else {
			rest = append(rest, metric)
		}
	}
	families := make(map[*metricFamily]*[]*sample, len(sizes)) // a pointer is looked up faster than a name
	for family, size := range sizes {
		families[family] = new(make([]*sample, 0, size))
	}
	for metric := range s.samples {
		if one, ok := metric.(*sample); ok && directly {
			family := families[one.family]
			*family = append(*family, one)
		}
	}
	samples = make(map[string][]*sample, len(families))
	for family, ones := range families {
		if others := samples[family.name]; others != nil { // the name has the labels of several networks
			*ones = append(others, *ones...)
		}
		samples[family.name] = *ones
	}
	return samples, rest
}

// unchecked is a collector of metrics that are known already.
type unchecked []prometheus.Metric

// Describe implements prometheus.Collector.
func (unchecked) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (u unchecked) Collect(ch chan<- prometheus.Metric) {
	for _, metric := range u {
		ch <- metric
	}
}

// sortByLabels returns the samples of a metric without duplicates, and how many of
// these there were. Collectors of many samples send them in order.
func sortByLabels(samples []*sample) (sorted []*sample, duplicates int) {
	inOrder := true
	for i := 1; i < len(samples) && inOrder; i++ {
		inOrder = compareLabels(samples[i-1], samples[i]) < 0
	}
	if inOrder {
		return samples, 0
	}
	slices.SortStableFunc(samples, compareLabels)
	sorted = slices.CompactFunc(samples, func(a, b *sample) bool { return compareLabels(a, b) == 0 })
	return sorted, len(samples) - len(sorted)
}

// writeFamilies merges both by their names.
func writeFamilies(w io.Writer, format expfmt.Format, samples map[string][]*sample, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(w, format, expfmt.WithCreatedLines())
	text := textWriter{w: w, openMetrics: format.FormatType() == expfmt.TypeOpenMetrics}
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		for len(families) > 0 && families[0].GetName() < name {
			if err := encoder.Encode(families[0]); err != nil {
				return err
			}
			families = families[1:]
		}
		if err := text.write(samples[name]); err != nil {
			return err
		}
	}
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return encoder.(expfmt.Closer).Close() //nolint:forcetypeassert // each encoder of expfmt is a closer
}

// textBytes is how much text is written at once.
const textBytes = 32 << 10

// textWriter writes samples as expfmt.MetricFamilyToText and
// MetricFamilyToOpenMetrics do.
type textWriter struct {
	w           io.Writer
	openMetrics bool
	text        []byte
}

// write writes all samples of a metric.
func (t *textWriter) write(samples []*sample) error {
	t.header(samples[0].family)
	for _, s := range samples {
		t.line(s, s.family.name, s.value)
		if t.openMetrics && s.created != 0 {
			t.line(s, strings.TrimSuffix(s.family.name, "_total")+"_created", float64(s.created)/1e9)
		}
		if len(t.text) > textBytes {
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	return t.flush()
}

func (t *textWriter) flush() error {
	_, err := t.w.Write(t.text)
	t.text = t.text[:0]
	return err
}

// In help texts, OpenMetrics escapes quotes as well.
var (
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func (t *textWriter) header(f *metricFamily) {
	name, escaper, kind := f.name, helpEscaper, "gauge"
	if t.openMetrics {
		escaper = valueEscaper
	}
	if f.valueType == prometheus.CounterValue {
		kind = "counter"
		if t.openMetrics {
			name = strings.TrimSuffix(name, "_total")
		}
	}
	t.text = fmt.Appendf(t.text, "# HELP %s %s\n# TYPE %s %s\n", name, escaper.Replace(f.help), name, kind)
}

func (t *textWriter) line(s *sample, name string, value float64) {
	t.text = append(t.text, name...)
	if s.labels.names == s.family.labels {
		t.text = append(t.text, s.labels.text...)
	} else {
		t.text = s.family.labels.appendText(t.text, s.labels.values)
	}
	t.text = append(t.text, ' ')
	t.number(value)
	t.text = append(t.text, '\n')
}

func (l *labelNames) appendText(text []byte, values []string) []byte {
	for n, i := range l.order {
		text = append(text, l.before[n]...)
		value := values[i]
		if !isPlain(value) {
			value = valueEscaper.Replace(value)
		}
		text = append(text, value...)
	}
	if len(l.order) > 0 {
		text = append(text, `"}`...)
	}
	return text
}

// isPlain reports whether a label's value has nothing to be escaped.
func isPlain(label string) bool {
	for i := range len(label) {
		if b := label[i]; b == '\\' || b == '\n' || b == '"' {
			return false
		}
	}
	return true
}

func (t *textWriter) number(value float64) {
	switch {
	case math.IsInf(value, +1):
		t.text = append(t.text, "+Inf"...)
	case math.IsNaN(value), math.IsInf(value, -1):
		t.text = strconv.AppendFloat(t.text, value, 'g', -1, 64)
	case value == math.Trunc(value) && math.Abs(value) < 1e6: // as most are
		t.text = strconv.AppendInt(t.text, int64(value), 10) // never -0
		if t.openMetrics {
			t.text = append(t.text, ".0"...)
		}
	default:
		t.text = strconv.AppendFloat(t.text, value, 'g', -1, 64)
	}
}
