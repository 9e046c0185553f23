// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"slices"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/common/model"
)

func TestExpand(t *testing.T) {
	values := Values{
		"one":     {Options: []Option{{"fees", "0.0.98"}}},
		"two":     {Options: []Option{{"fees", "0.0.98"}, {"treasury", "0.0.2"}}},
		"all":     {Options: []Option{{"a", "a"}, {"b", "b"}}, Raw: ".+"},
		"__range": {Raw: "6h"},
	}
	for text, want := range map[string]string{
		`x{a=~"$one"}`:         `x{a=~"0\\.0\\.98"}`,
		`x{a=~"$two|"}`:        `x{a=~"(0\\.0\\.98|0\\.0\\.2)|"}`,
		`x{a=~"${two:regex}"}`: `x{a=~"(0\\.0\\.98|0\\.0\\.2)"}`,
		`x{a=~"$all"}`:         `x{a=~".+"}`,
		`x[$__range]`:          `x[6h]`,
		`x{a="$unknown"}`:      `x{a="$unknown"}`,
	} {
		if got := values.Expand(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
	if got, want := values.Title("Account $two"), "Account fees + treasury"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	if got, want := values.With("two", Option{"fees", "0.0.98"}).Title("$two"), "fees"; got != want {
		t.Errorf("title of a repeated row %q, want %q", got, want)
	}
	if got, want := values.Title("$two"), "fees + treasury"; got != want {
		t.Errorf("With has changed its receiver: %q, want %q", got, want)
	}
}

func TestCaptured(t *testing.T) {
	sample := func(id, name string) *model.Sample {
		return &model.Sample{Metric: model.Metric{"account_id": model.LabelValue(id), "name": model.LabelValue(name)}, Value: 1}
	}
	got, err := captured(model.Vector{sample("0.0.98", "fees"), sample("0.0.2", "a treasury"), sample("0.0.98", "fees")},
		`/[{,]name="(?<text>[^"]+)|account_id="(?<value>[^"]+)/g`)
	if want := []Option{{"a treasury", "0.0.2"}, {"fees", "0.0.98"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("options %v (%v), want %v", got, err, want)
	}
}

func TestRecent(t *testing.T) {
	end := time.Unix(1_000_000, 0)
	w := Window{Start: end.Add(-time.Hour), End: end}
	for from, want := range map[string]time.Duration{"5m": 5 * time.Minute, "6h": time.Hour} {
		if got := w.Recent(dashboard.Panel{TimeFrom: &from}); end.Sub(got.Start) != want {
			t.Errorf("the last %s of an hour: %s, want %s", from, end.Sub(got.Start), want)
		}
	}
	if got := w.Recent(dashboard.Panel{}); got != w {
		t.Errorf("without a time of its own a panel shows %v, want %v", got, w)
	}
}

func TestColour(t *testing.T) {
	thresholds := dashboard.ThresholdsConfig{Steps: []dashboard.Threshold{
		{Color: "green"}, {Color: "orange", Value: new(30.0)}, {Color: "red", Value: new(120.0)},
	}}
	for value, want := range map[float64]string{-1: "green", 29.9: "green", 30: "orange", 500: "red"} {
		if got := Colour(thresholds, value); got != want {
			t.Errorf("colour of %v is %s, want %s", value, got, want)
		}
	}
}
