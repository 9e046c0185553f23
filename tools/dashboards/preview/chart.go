// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"hedera_exporter/tools/dashboards/live"
)

// Grafana's dark theme.
const (
	textColour = "#ccccdc"
	dimColour  = "#8e8e9c"
	lineColour = "#2a2d33"
)

var named = map[string]string{
	"green": "#73bf69", "red": "#e02f44", "orange": "#ff9830", "yellow": "#fade2a", "purple": "#b877d9", "blue": "#5794f2", "text": textColour,
}

var palette = []string{
	"#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#3274d9",
	"#37872d", "#ffa6b0", "#a352cc", "#96d98d", "#e0b400", "#c4162a", "#6ed0e0", "#ba43a9",
}

// chart is a plot of lines.
type chart struct {
	box           box
	low, high     float64
	window        live.Window
	unit          string
	decimals      *float64
	stack, dashes bool
	kind          string // of the axis: linear, log or symlog
}

type box struct{ left, top, width, height float64 }

func (c chart) x(t time.Time) float64 {
	return c.box.left + c.box.width*t.Sub(c.window.Start).Seconds()/c.window.End.Sub(c.window.Start).Seconds()
}

func (c chart) y(value float64) float64 {
	part := (c.scaled(value) - c.scaled(c.low)) / (c.scaled(c.high) - c.scaled(c.low))
	return c.box.top + c.box.height*(1-min(max(part, 0), 1))
}

// scaled is linear up to 1 and logarithmic beyond on a symlog axis.
func (c chart) scaled(value float64) float64 {
	switch c.kind {
	case "log":
		return math.Log10(max(value, math.SmallestNonzeroFloat64))
	case "symlog":
		return math.Copysign(math.Log10(1+math.Abs(value)), value)
	}
	return value
}

// timeSeries draws a panel of type timeseries.
func timeSeries(v view) string {
	var options struct {
		Legend struct{ Placement string }
	}
	v.options(&options)
	c := chart{window: v.window, unit: v.unit(), decimals: v.decimals(), stack: v.custom("stacking", "mode") == "normal", dashes: v.custom("thresholdsStyle", "mode") == "dashed", kind: v.custom("scaleDistribution", "type")}
	series := v.series
	if c.stack {
		series = stackUp(series)
	}
	c.scale(v, series)
	legend, width, height := legendOf(v, options.Legend.Placement == "right")
	c.box = box{62, 6, width - 70, height - 26}
	var svg strings.Builder
	c.axes(&svg)
	if c.dashes {
		c.thresholds(&svg, v)
	}
	for i := len(series) - 1; i >= 0; i-- {
		c.line(&svg, series[i], palette[i%len(palette)])
	}
	return fmt.Sprintf(`<div class="chart"><svg width="%.0f" height="%.0f">%s</svg>%s</div>`, width, height, svg.String(), legend)
}

// stackUp adds each series to those before it.
func stackUp(series []live.Series) []live.Series {
	total := map[int64]float64{}
	stacked := make([]live.Series, len(series))
	for i, s := range series {
		stacked[i] = s
		stacked[i].Points = slices.Clone(s.Points)
		for j, p := range s.Points {
			total[int64(p.Timestamp)] += float64(p.Value)
			stacked[i].Points[j].Value = model.SampleValue(total[int64(p.Timestamp)])
		}
	}
	return stacked
}

func (c *chart) scale(v view, series []live.Series) {
	c.low, c.high = math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, p := range s.Points {
			if value := float64(p.Value); !math.IsNaN(value) && !math.IsInf(value, 0) {
				c.low, c.high = min(c.low, value), max(c.high, value)
			}
		}
	}
	if bound := v.panel.FieldConfig.Defaults.Min; bound != nil {
		c.low = *bound
	}
	if bound := v.panel.FieldConfig.Defaults.Max; bound != nil {
		c.high = *bound
	}
	if c.high <= c.low {
		c.high = c.low + max(math.Abs(c.low)*0.1, 1)
		if c.low != 0 {
			c.low -= math.Abs(c.low) * 0.1
		}
	}
	if c.kind == "log" && c.low > 0 { // whole decades
		c.low, c.high = math.Pow(10, math.Floor(math.Log10(c.low))), math.Pow(10, math.Ceil(math.Log10(c.high)))
		return
	}
	c.high += (c.high - c.low) * 0.05
}

func (c chart) axes(svg *strings.Builder) {
	for _, tick := range c.ticks() {
		fmt.Fprintf(svg, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>`, c.box.left, c.box.left+c.box.width, c.y(tick), c.y(tick), lineColour)
		fmt.Fprintf(svg, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, c.box.left-6, c.y(tick)+4, html.EscapeString(format(c.unit, c.decimals, tick, c.window.End)))
	}
	timeAxis(svg, c)
}

func (c chart) ticks() []float64 {
	first, factor := 1.0, 100.0
	switch c.kind {
	case "log":
		first, factor = c.low, 10
	case "symlog":
	default:
		return ticks(c.low, c.high, max(2, int(c.box.height/35)))
	}
	var all []float64
	for tick := first; tick <= c.high*1.01; tick *= factor {
		if tick >= c.low {
			all = append(all, tick)
		}
	}
	return all
}

// ticks are round numbers between low and high.
func ticks(low, high float64, count int) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(count))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*factor) <= float64(count) {
			step *= factor
			break
		}
	}
	var all []float64
	for tick := math.Ceil(low/step) * step; tick <= high; tick += step {
		all = append(all, math.Round(tick/step)*step)
	}
	return all
}

func (c chart) thresholds(svg *strings.Builder, v view) {
	for _, step := range v.panel.FieldConfig.Defaults.Thresholds.Steps {
		if step.Value == nil || *step.Value < c.low || *step.Value > c.high {
			continue
		}
		fmt.Fprintf(svg, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-dasharray="8 5"/>`,
			c.box.left, c.box.left+c.box.width, c.y(*step.Value), c.y(*step.Value), named[step.Color])
	}
}

func (c chart) line(svg *strings.Builder, s live.Series, colour string) {
	var points []string
	for _, p := range s.Points {
		if value := float64(p.Value); !math.IsNaN(value) {
			points = append(points, fmt.Sprintf("%.1f,%.1f", c.x(p.Timestamp.Time()), c.y(value)))
		}
	}
	if len(points) == 0 {
		return
	}
	if len(points) == 1 {
		at := strings.Split(points[0], ",")
		fmt.Fprintf(svg, `<circle cx="%s" cy="%s" r="2.5" fill="%s"/>`, at[0], at[1], colour)
		return
	}
	if c.stack {
		first, last := strings.Split(points[0], ",")[0], strings.Split(points[len(points)-1], ",")[0]
		fmt.Fprintf(svg, `<polygon points="%s,%.1f %s %s,%.1f" fill="%s" fill-opacity="0.45"/>`,
			first, c.y(c.low), strings.Join(points, " "), last, c.y(c.low), colour)
	}
	fmt.Fprintf(svg, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.4"/>`, strings.Join(points, " "), colour)
}

// legendOf is the legend and what it leaves of the panel.
func legendOf(v view, right bool) (legend string, width, height float64) {
	var items strings.Builder
	for i, s := range v.series {
		last := ""
		if right {
			last = "<i>" + html.EscapeString(format(v.unit(), v.decimals(), s.Last(), v.window.End)) + "</i>"
		}
		fmt.Fprintf(&items, `<span><b style="background:%s"></b>%s%s</span>`, palette[i%len(palette)], html.EscapeString(s.Legend), last)
	}
	if right {
		return `<div class="legend right">` + items.String() + `</div>`, v.width - 280, v.height
	}
	length := 0
	for _, s := range v.series {
		length += len(s.Legend)*8 + 30
	}
	rows := min(3, 1+length/int(v.width))
	return `<div class="legend">` + items.String() + `</div>`, v.width, v.height - float64(rows)*20 - 4
}
