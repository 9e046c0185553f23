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
		"one":  {Options: []Option{{"fees", "0.0.98"}}},
		"two":  {Options: []Option{{"fees", "0.0.98"}, {"treasury", "0.0.2"}}},
		"none": {Options: []Option{{"", ""}}},
		"all":  {Options: []Option{{"a", "a"}, {"b", "b"}}, Raw: ".+"},
	}
	for text, want := range map[string]string{
		`x{a=~"$one"}`:         `x{a=~"0\\.0\\.98"}`,
		`x{a=~"$two|"}`:        `x{a=~"(0\\.0\\.98|0\\.0\\.2)|"}`,
		`x{a=~"${two:regex}"}`: `x{a=~"(0\\.0\\.98|0\\.0\\.2)"}`,
		`x{a=~"$all"}`:         `x{a=~".+"}`,
		`x{a=~".*$none.*"}`:    `x{a=~".*.*"}`,
		`x{a="$unknown"}`:      `x{a="$unknown"}`,
	} {
		if got := values.Expand(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
	if got, want := values.Title("Account $two"), "Account fees + treasury"; got != want {
		t.Errorf("title %q, want %q", got, want)
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

func TestWindowOfAPanel(t *testing.T) {
	end := time.Unix(1_000_000, 0)
	w := Window{Start: end.Add(-6 * time.Hour), End: end, Scrape: 15 * time.Second}
	wide, half := &dashboard.GridPos{W: 24}, &dashboard.GridPos{W: 12}
	for name, c := range map[string]struct {
		panel              dashboard.Panel
		length, step, rate time.Duration
	}{
		"a point a pixel":      {dashboard.Panel{GridPos: half}, 6 * time.Hour, 20 * time.Second, time.Minute},
		"no more than scrapes": {dashboard.Panel{GridPos: wide}, 6 * time.Hour, 15 * time.Second, time.Minute},
		"fewer points":         {dashboard.Panel{GridPos: wide, MaxDataPoints: new(100.0)}, 6 * time.Hour, 5 * time.Minute, 5*time.Minute + 15*time.Second},
		"a shorter time":       {dashboard.Panel{GridPos: half, TimeFrom: new("5m")}, 5 * time.Minute, 15 * time.Second, time.Minute},
		"a longer time":        {dashboard.Panel{GridPos: half, TimeFrom: new("2d")}, 6 * time.Hour, 20 * time.Second, time.Minute},
	} {
		got := w.Of(c.panel)
		if got.End.Sub(got.Start) != c.length || got.Step != c.step || got.Rate != c.rate {
			t.Errorf("%s: %s in steps of %s, rates over %s, want %s, %s and %s", name, got.End.Sub(got.Start), got.Step, got.Rate, c.length, c.step, c.rate)
		}
	}
}

func TestLegend(t *testing.T) {
	labels := model.Metric{"network": "mainnet", "name": "fees"}
	for format, want := range map[string]string{"{{network}} {{ name }}": "mainnet fees", "{{network}} {{none}}": "mainnet", "all": "all"} {
		if got := legend(format, labels); got != want {
			t.Errorf("%s becomes %q, want %q", format, got, want)
		}
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
