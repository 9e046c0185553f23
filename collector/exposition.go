// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/internal/piecewise"
)

// Write writes the scrape and what others gathers, with created lines where the
// format has them: the same bytes as a registry and expfmt would, but that blocks
// are mixed neither with those of another network nor with other samples. The text
// formats, which are what Prometheus asks for by default, cost a small part of what
// they cost there, as most samples are not converted on their way, and a
// [piecewise.Writer] gets the text of blocks as it was compressed before. The first
// error tells what is not in it, the second that writing failed.
func (s Scrape) Write(w io.Writer, format expfmt.Format, others prometheus.Gatherer) (gathering, writing error) {
	var (
		direct map[string]*directSamples
		rest   []prometheus.Metric
	)
	switch format.FormatType() {
	case expfmt.TypeTextPlain, expfmt.TypeOpenMetrics:
		direct, rest = s.split()
	default:
		rest = slices.Collect(s.samples)
	}
	var errs prometheus.MultiError
	for name, samples := range direct {
		if duplicates := samples.sort(); duplicates > 0 {
			errs.Append(fmt.Errorf("%s has %d samples with the same labels as others", name, duplicates))
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(unchecked(rest))
	families, err := prometheus.Gatherers{registry, others}.Gather()
	if err != nil {
		errs.Append(err)
	}
	return errs.MaybeUnwrap(), writeFamilies(w, format, direct, families)
}

// directSamples are those of a metric that are written without a registry, first
// those that are in no block.
type directSamples struct {
	samples []*sample
	blocks  []directBlock
}

// directBlock is a block in the result of a collector, of which there may be several
// with the same metric.
type directBlock struct {
	*blockFamily

	result int
}

// split returns the samples that can be written directly, by name, and the rest.
func (s Scrape) split() (direct map[string]*directSamples, rest []prometheus.Metric) {
	direct = map[string]*directSamples{}
	named := func(family *metricFamily) *directSamples {
		if direct[family.name] == nil {
			direct[family.name] = &directSamples{}
		}
		return direct[family.name]
	}
	for i, r := range s {
		for _, metrics := range [][]prometheus.Metric{r.own(), r.result.samples} {
			for _, metric := range metrics {
				if one, ok := metric.(*sample); ok {
					of := named(one.family)
					of.samples = append(of.samples, one)
				} else {
					rest = append(rest, metric)
				}
			}
		}
		for _, block := range r.result.blocks {
			for _, family := range block.families {
				of := named(family.metricFamily)
				of.blocks = append(of.blocks, directBlock{family, i})
			}
		}
	}
	return direct, rest
}

// sort puts the samples in the order of an exposition, without duplicates, and
// returns how many of these there were. Blocks stay as they are.
func (d *directSamples) sort() (duplicates int) {
	slices.SortFunc(d.blocks, func(a, b directBlock) int {
		return cmp.Or(cmp.Compare(a.result, b.result), compareLabels(a.first, b.first))
	})
	if !d.blocksAreInOrder() { // which is not expected of any collector
		for _, block := range d.blocks {
			d.samples = slices.AppendSeq(d.samples, block.samples)
		}
		d.blocks = nil
	}
	d.samples, duplicates = sortByLabels(d.samples)
	return duplicates
}

func (d *directSamples) blocksAreInOrder() bool {
	for i, block := range d.blocks {
		if !block.inOrder {
			return false
		}
		if i > 0 && block.result == d.blocks[i-1].result && compareLabels(d.blocks[i-1].last, block.first) >= 0 {
			return false
		}
	}
	return true
}

func (d *directSamples) family() *metricFamily {
	if len(d.blocks) > 0 {
		return d.blocks[0].metricFamily
	}
	return d.samples[0].family
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
func writeFamilies(w io.Writer, format expfmt.Format, direct map[string]*directSamples, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(w, format, expfmt.WithCreatedLines())
	text := textWriter{w: w, openMetrics: format.FormatType() == expfmt.TypeOpenMetrics}
	for _, name := range slices.Sorted(maps.Keys(direct)) {
		for len(families) > 0 && families[0].GetName() < name {
			if err := encoder.Encode(families[0]); err != nil {
				return err
			}
			families = families[1:]
		}
		if err := text.write(direct[name]); err != nil {
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
	values      []string // of the labels of a sample
}

// write writes all samples of a metric.
func (t *textWriter) write(direct *directSamples) error {
	t.header(direct.family())
	if err := t.samples(slices.Values(direct.samples)); err != nil {
		return err
	}
	for _, block := range direct.blocks {
		if err := t.block(block.blockFamily); err != nil {
			return err
		}
	}
	return t.flush()
}

func (t *textWriter) block(block *blockFamily) error {
	if compressed, ok := t.w.(*piecewise.Writer); ok {
		if err := t.flush(); err != nil {
			return err
		}
		return compressed.WritePiece(block.piece(t.openMetrics))
	}
	return t.samples(block.samples)
}

func (t *textWriter) samples(samples iter.Seq[*sample]) error {
	for sample := range samples {
		t.sample(sample)
		if err := t.flushLong(); err != nil {
			return err
		}
	}
	return nil
}

func (t *textWriter) sample(s *sample) {
	t.line(s, s.family.name, s.value)
	if t.openMetrics && s.created != 0 {
		t.line(s, strings.TrimSuffix(s.family.name, "_total")+"_created", float64(s.created)/1e9)
	}
}

func (t *textWriter) flushLong() error {
	if len(t.text) < textBytes {
		return nil
	}
	return t.flush()
}

func (t *textWriter) flush() error {
	if len(t.text) == 0 {
		return nil
	}
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
	t.labels(s.family.labels, s.labels)
	t.text = append(t.text, ' ')
	t.number(value)
	t.text = append(t.text, '\n')
}

func (t *textWriter) labels(names *labelNames, values *labelValues) {
	t.values = values.appendTo(t.values[:0])
	for n, i := range names.order {
		t.text = append(t.text, names.before[n]...)
		value := t.values[i]
		if !isPlain(value) {
			value = valueEscaper.Replace(value)
		}
		t.text = append(t.text, value...)
	}
	if len(names.order) > 0 {
		t.text = append(t.text, `"}`...)
	}
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
