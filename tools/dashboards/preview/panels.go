// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"hedera_exporter/tools/dashboards/live"
)

// view is a panel, what its queries returned, and how large it is.
type view struct {
	panel         dashboard.Panel
	series        []live.Series
	window        live.Window
	width, height float64
}

var drawings = map[string]func(view) string{
	"timeseries":     timeSeries,
	"stat":           stats,
	"bargauge":       barGauge,
	"state-timeline": timeline,
	"heatmap":        heatMap,
	"table":          dataTable,
}

func (v view) draw() string {
	if len(v.series) == 0 {
		return `<div class="none">` + html.EscapeString(*v.panel.FieldConfig.Defaults.NoValue) + `</div>`
	}
	return drawings[v.panel.Type](v)
}

// options decodes the panel's options.
func (v view) options(into any) {
	content, err := json.Marshal(v.panel.Options)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		panic(err) // they have been decoded once already
	}
}

// custom is a string of the panel's own field configuration.
func (v view) custom(group, name string) string {
	content, err := json.Marshal(v.panel.FieldConfig.Defaults.Custom)
	if err != nil {
		return ""
	}
	var groups map[string]any
	if json.Unmarshal(content, &groups) != nil {
		return ""
	}
	fields, _ := groups[group].(map[string]any)
	text, _ := fields[name].(string)
	return text
}

func (v view) unit() string       { return *v.panel.FieldConfig.Defaults.Unit }
func (v view) decimals() *float64 { return v.panel.FieldConfig.Defaults.Decimals }

// shown is the text and the colour of a value.
func (v view) shown(value float64) (text, colour string) {
	defaults := v.panel.FieldConfig.Defaults
	colour = textColour
	if defaults.Thresholds != nil {
		colour = named[live.Colour(*defaults.Thresholds, value)]
	}
	if text, mapped, is := mapping(defaults.Mappings, value); is {
		return text, named[mapped]
	}
	return format(v.unit(), v.decimals(), value, v.window.End), colour
}

func mapping(mappings []dashboard.ValueMapping, value float64) (text, colour string, is bool) {
	for _, m := range mappings {
		if r := m.RangeMap; r != nil && value >= *r.Options.From && value <= *r.Options.To {
			return *r.Options.Result.Text, *r.Options.Result.Color, true
		}
		if m.ValueMap == nil {
			continue
		}
		if result, is := m.ValueMap.Options[fmt.Sprint(value)]; is {
			return *result.Text, *result.Color, true
		}
	}
	return "", "", false
}

// stats draws big values, or a grid of named tiles.
func stats(v view) string {
	var options struct{ ColorMode, TextMode, GraphMode string }
	v.options(&options)
	columns, rows := arrange(len(v.series), v.width, v.height)
	var out strings.Builder
	fmt.Fprintf(&out, `<div class="stats" style="grid-template-columns:repeat(%d,1fr)">`, columns)
	for _, s := range v.series {
		text, colour := v.shown(s.Last())
		if options.TextMode == "value_and_name" {
			text = s.Legend + " " + text
		}
		height := v.height/float64(rows) - 4
		fontSize := min(height*0.5, v.width/float64(columns)/max(float64(len([]rune(text))), 3)*1.35, 40)
		if options.TextMode == "value_and_name" {
			fontSize = min(fontSize, 13)
		}
		style := fmt.Sprintf("height:%.0fpx;font-size:%.0fpx;color:%s", height, fontSize, colour)
		if strings.HasPrefix(options.ColorMode, "background") {
			style = fmt.Sprintf("height:%.0fpx;font-size:%.0fpx;color:#fff;background:%s", height, fontSize, colour)
		}
		fmt.Fprintf(&out, `<div style="%s">%s<em>%s</em></div>`, style, spark(options.GraphMode, s, v.width/float64(columns), height, colour), html.EscapeString(text))
	}
	return out.String() + "</div>"
}

// arrange finds how many columns make the tiles least narrow.
func arrange(count int, width, height float64) (columns, rows int) {
	best := 0.0
	for c := 1; c <= count; c++ {
		r := (count + c - 1) / c
		if size := min(width/float64(c), height/float64(r)*2.6); size > best {
			best, columns, rows = size, c, r
		}
	}
	return columns, rows
}

// spark is the course of a value behind it.
func spark(mode string, s live.Series, width, height float64, colour string) string {
	if mode != "area" || len(s.Points) < 2 {
		return ""
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range s.Points {
		low, high = min(low, float64(p.Value)), max(high, float64(p.Value))
	}
	var points strings.Builder
	for i, p := range s.Points {
		y := height * 0.98
		if high > low {
			y = height * (0.98 - 0.3*(float64(p.Value)-low)/(high-low))
		}
		fmt.Fprintf(&points, "%.1f,%.1f ", width*float64(i)/float64(len(s.Points)-1), y)
	}
	return fmt.Sprintf(`<svg width="%.0f" height="%.0f"><polyline points="%s" fill="none" stroke="%s"/></svg>`, width, height, points.String(), colour)
}

func barGauge(v view) string {
	defaults := v.panel.FieldConfig.Defaults
	low, high := 0.0, math.Inf(-1)
	for _, s := range v.series {
		high = max(high, s.Last())
	}
	if defaults.Max != nil {
		high = *defaults.Max
	}
	height := min(v.height/float64(len(v.series)), 34)
	var out strings.Builder
	out.WriteString(`<div class="bars">`)
	for _, s := range v.series {
		text, colour := v.shown(s.Last())
		part := min(max((s.Last()-low)/(high-low), 0), 1) * 100
		fmt.Fprintf(&out, `<div style="height:%.1fpx;font-size:%.0fpx"><span>%s</span><b><i style="width:%.1f%%;background:%s"></i></b><em style="color:%s">%s</em></div>`,
			height, min(height*0.85, 13), html.EscapeString(s.Legend), part, colour, colour, html.EscapeString(text))
	}
	return out.String() + "</div>"
}

// timeline draws a row for each series, and in it a bar for as long as a value
// lasts, with its word where there is room.
func timeline(v view) string {
	longest := 0
	for _, s := range v.series {
		longest = max(longest, len([]rune(s.Legend)))
	}
	label := min(float64(longest)*7+16, v.width*0.6)
	height := min((v.height-22)/float64(len(v.series)), 40)
	width := (v.width - label) / (v.window.End.Sub(v.window.Start).Seconds() / v.window.Step.Seconds())
	c := chart{box: box{label, 0, v.width - label, height * float64(len(v.series))}, window: v.window}
	var svg strings.Builder
	for i, s := range v.series {
		top := float64(i) * height
		fmt.Fprintf(&svg, `<text x="%.0f" y="%.1f" text-anchor="end" style="font-size:%.0fpx">%s</text>`, label-8, top+height*0.7, min(height, 12), html.EscapeString(s.Legend))
		for first := 0; first < len(s.Points); {
			last := first
			for last+1 < len(s.Points) && s.Points[last+1].Value == s.Points[first].Value {
				last++
			}
			text, colour := v.shown(float64(s.Points[first].Value))
			left := c.x(s.Points[first].Timestamp.Time())
			right := min(c.x(s.Points[last].Timestamp.Time())+width, v.width)
			fmt.Fprintf(&svg, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="0.85"/>`,
				left, top+1, max(right-left-1, 1), max(height-2, 1), colour)
			if height >= 10 && right-left > float64(len([]rune(text)))*7 {
				fmt.Fprintf(&svg, `<text x="%.1f" y="%.1f" style="fill:#111;font-size:%.0fpx">%s</text>`, left+4, top+height*0.7, min(height*0.8, 12), html.EscapeString(text))
			}
			first = last + 1
		}
	}
	timeAxis(&svg, c)
	return fmt.Sprintf(`<svg width="%.0f" height="%.0f">%s</svg>`, v.width, v.height, svg.String())
}

// heatMap counts series in buckets by powers of two.
func heatMap(v view) string {
	var options struct{ Calculate bool }
	v.options(&options)
	if !options.Calculate {
		return bucketMap(v)
	}
	counts, low, high := buckets(v.series)
	c := chart{box: box{62, 4, v.width - 70, v.height - 24}, window: v.window}
	most := 1
	for _, n := range counts {
		most = max(most, n)
	}
	height := c.box.height / float64(high-low+1)
	width := c.box.width / (v.window.End.Sub(v.window.Start).Seconds() / v.window.Step.Seconds())
	var svg strings.Builder
	for cell, n := range counts {
		fmt.Fprintf(&svg, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`,
			c.x(cell.at.Time()), c.box.top+float64(high-cell.bucket)*height, max(width-1, 1), max(height-1, 1), heat(float64(n)/float64(most)))
	}
	for bucket := low; bucket <= high; bucket++ {
		fmt.Fprintf(&svg, `<text x="56" y="%.1f" text-anchor="end">%s</text>`, c.box.top+float64(high-bucket)*height+height/2+4,
			html.EscapeString(format(v.unit(), nil, math.Pow(2, float64(bucket)), v.window.End)))
	}
	timeAxis(&svg, c)
	return fmt.Sprintf(`<svg width="%.0f" height="%.0f">%s</svg>`, v.width, v.height, svg.String())
}
