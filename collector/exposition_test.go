// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

var (
	oddGauge = newConstMetric(Metric{
		Name: "odd_gauge", Help: "A \\ and a \"quote\"\nin two lines.", Labels: []string{"z", "a", "m"},
	}, prometheus.GaugeValue)
	plainGauge = newConstMetric(Metric{Name: "plain", Help: "No label."}, prometheus.GaugeValue)
	oddCounter = constCounter{newConstMetric(Metric{Name: "odd_total", Help: "A counter.", Labels: []string{"b"}}, prometheus.CounterValue)}
)

// registered is what a registry and expfmt write.
func registered(t *testing.T, format expfmt.Format, scrape Scrape, others prometheus.Gatherer) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(scrape)
	families, err := prometheus.Gatherers{registry, others}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	encoder := expfmt.NewEncoder(&text, format, expfmt.WithCreatedLines())
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			t.Fatal(err)
		}
	}
	if err := encoder.(expfmt.Closer).Close(); err != nil { //nolint:forcetypeassert // see there
		t.Fatal(err)
	}
	return text.String()
}

var formats = []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoText}

func TestTextIsThatOfARegistry(t *testing.T) {
	others := prometheus.NewRegistry()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "middle_seconds", Help: "A histogram.", Buckets: []float64{1, 2}})
	histogram.Observe(1.5)
	others.MustRegister(histogram, prometheus.NewGauge(prometheus.GaugeOpts{Name: "zz_last", Help: "Last."}))

	created := time.Date(2026, time.November, 1, 12, 0, 0, 123456789, time.UTC)
	var samples []prometheus.Metric
	for i, value := range []float64{0, math.Copysign(0, -1), 1, -1, 2, 1e6, 1234567890, 1e21, 1.5, 1e-9, -3.25, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64} {
		label := strings.Repeat("x", 20-i)
		samples = append(samples, oddGauge.sample(value, "z", label, "m"), oddCounter.sample(math.Abs(value), created, label))
	}
	samples = append(
		samples,
		oddGauge.sample(1, "line\nbreak", `back\slash`, `"quoted"`), oddGauge.sample(1, "", "", ""), oddGauge.sample(1, "ü", "語", "\uFFFD"),
		plainGauge.sample(7), prometheus.NewHistogram(prometheus.HistogramOpts{Name: "odd_seconds", Help: "Kept.", Buckets: []float64{1}}),
	)
	shared := newLabelValues([]string{"shared", `"odd" \`, "\n"})
	for _, labels := range [][]string{{"z", "a", "m"}, {"c", "a", "b"}} { // those of oddGauge, and others
		samples = append(samples, newConstMetric(Metric{Name: "shared_" + labels[0], Help: "Shared.", Labels: labels}, prometheus.GaugeValue).of(shared, 1))
	}
	samples = append(samples, oddGauge.of(shared, 5))
	scrape := Scrape{
		{network: "n", collector: "c", result: collectorResult{samples: samples, collected: created}},
		{network: "n", collector: "failed", err: errors.New("refused")},
	}
	for _, kind := range formats {
		format := expfmt.NewFormat(kind)
		var text bytes.Buffer
		if gathering, writing := scrape.Write(&text, format, others); gathering != nil || writing != nil {
			t.Fatal(gathering, writing)
		}
		compareGolden(t, string(format), registered(t, format, scrape, others), text.String(), "")
	}
}

func TestFullScrapeIsThatOfARegistry(t *testing.T) {
	scrape, self, _ := scrapeEverything(t)
	for _, kind := range formats {
		format := expfmt.NewFormat(kind)
		var text bytes.Buffer
		if gathering, writing := scrape.Write(&text, format, self); gathering != nil || writing != nil {
			t.Fatal(gathering, writing)
		}
		compareGolden(t, string(format), registered(t, format, scrape, self), text.String(), "")
	}
}

func TestTextWithoutItsDuplicates(t *testing.T) {
	scrape := Scrape{{result: collectorResult{samples: []prometheus.Metric{
		plainGauge.sample(1), plainGauge.sample(2), oddCounter.sample(3, time.Unix(1, 0), "b"), oddCounter.sample(4, time.Unix(1, 0), "a"),
	}}}}
	var text strings.Builder
	gathering, writing := scrape.Write(&text, expfmt.NewFormat(expfmt.TypeTextPlain), prometheus.NewRegistry())
	if writing != nil {
		t.Fatal(writing)
	}
	if gathering == nil || gathering.Error() != "plain has 1 samples with the same labels as others" {
		t.Errorf("gathering: %v", gathering)
	}
	wantLines(t, text.String(), "plain 1", `odd_total{b="a"} 4`, `odd_total{b="b"} 3`)
	if strings.Contains(text.String(), "plain 2") {
		t.Error("the second one is there too")
	}
}

func TestTextSaysWhatFailed(t *testing.T) {
	scrape := Scrape{{result: collectorResult{samples: []prometheus.Metric{plainGauge.sample(1), oddGauge.sample(1, "a", "b", "c")}}}}
	failing := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("no process") })
	if gathering, writing := scrape.Write(io.Discard, expfmt.NewFormat(expfmt.TypeTextPlain), failing); gathering == nil || writing != nil {
		t.Errorf("gathering: %v, writing: %v", gathering, writing)
	}
	if gathering, writing := scrape.Write(closedWriter{}, expfmt.NewFormat(expfmt.TypeTextPlain), prometheus.NewRegistry()); gathering != nil || !errors.Is(writing, io.ErrClosedPipe) {
		t.Errorf("gathering: %v, writing: %v", gathering, writing)
	}
}

func TestLabelsAreValid(t *testing.T) {
	labels := []string{"z\xff", "a", "m"}
	sample := oddGauge.sample(1, labels...).(*sample) //nolint:forcetypeassert // see there
	if sample.labels.at(0) != "z\uFFFD" || labels[0] != "z\xff" {
		t.Errorf("labels %q of %q", sample.labels.all(), labels)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a label that is missing")
		}
	}()
	oddGauge.sample(1, "z", "a")
}

func TestLabelValues(t *testing.T) {
	none := newLabelValues(nil)
	tests := []struct {
		labels *labelValues
		want   []string
	}{
		{none, []string{}},
		{newLabelValues([]string{""}), []string{""}},
		{newLabelValues([]string{"", "a", ""}), []string{"", "a", ""}},
		{newLabelValues([]string{"é", "a\xffb"}), []string{"é", "a\uFFFDb"}},
		{none.with("a"), []string{"a"}},
		{newLabelValues([]string{"a", "b"}).with("", "").with("c"), []string{"a", "b", "", "", "c"}},
		{newLabelValues([]string{"a"}).with(), []string{"a"}},
	}
	for _, tt := range tests {
		if got := tt.labels.all(); !slices.Equal(got, tt.want) || tt.labels.len() != len(tt.want) {
			t.Errorf("%d labels %q, want %q", tt.labels.len(), got, tt.want)
		}
		for _, other := range tests {
			if same := tt.labels == other.labels; tt.labels.equals(other.labels) != same {
				t.Errorf("%q equals %q: %t", tt.want, other.want, !same)
			}
		}
	}
	if shared := newLabelValues([]string{"a"}); !shared.with("b", "").equals(shared.with("b", "")) {
		t.Error("the same labels are not equal")
	}
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
