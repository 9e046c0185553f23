// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"hedera_exporter/tools/dashboards/live"
)

// cell is a step of time and a power of two.
type cell struct {
	at     model.Time
	bucket int
}

func buckets(series []live.Series) (counts map[cell]int, low, high int) {
	counts = map[cell]int{}
	low, high = math.MaxInt, math.MinInt
	for _, s := range series {
		for _, p := range s.Points {
			bucket := int(math.Floor(math.Log2(float64(p.Value))))
			low, high = min(low, bucket), max(high, bucket)
			counts[cell{p.Timestamp, bucket}]++
		}
	}
	return counts, low, high
}

// heat is a colour between blue and red, by the stops of the Turbo scheme.
func heat(part float64) string {
	stops := [][3]float64{{48, 18, 59}, {70, 107, 227}, {40, 187, 235}, {49, 242, 153}, {162, 252, 60}, {237, 208, 58}, {251, 128, 34}, {210, 49, 5}}
	at := math.Sqrt(part) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	var colour [3]float64
	for c := range colour {
		colour[c] = stops[i][c] + (stops[i+1][c]-stops[i][c])*(at-float64(i))
	}
	return fmt.Sprintf("rgb(%.0f,%.0f,%.0f)", colour[0], colour[1], colour[2])
}

// bucketMap draws the buckets of a histogram, whose series have their upper
// bounds in the label le and hold what is below as well.
func bucketMap(v view) string {
	bound := func(s live.Series) float64 {
		le, err := strconv.ParseFloat(string(s.Labels["le"]), 64)
		if err != nil {
			return math.Inf(1)
		}
		return le
	}
	slices.SortFunc(v.series, func(a, b live.Series) int { return cmp.Compare(bound(a), bound(b)) })
	c := chart{box: box{62, 4, v.width - 70, v.height - 24}, window: v.window}
	height := c.box.height / float64(len(v.series))
	width := c.box.width / (v.window.End.Sub(v.window.Start).Seconds() / v.window.Step.Seconds())
	most := 1e-9
	below := map[model.Time]float64{}
	counts := make([]map[model.Time]float64, len(v.series))
	for i, s := range v.series {
		counts[i] = map[model.Time]float64{}
		for _, p := range s.Points {
			counts[i][p.Timestamp] = float64(p.Value) - below[p.Timestamp]
			below[p.Timestamp] = float64(p.Value)
			most = max(most, counts[i][p.Timestamp])
		}
	}
	var svg strings.Builder
	for i, s := range v.series {
		top := c.box.top + float64(len(v.series)-1-i)*height
		for at, n := range counts[i] {
			if n > 0 {
				fmt.Fprintf(&svg, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, c.x(at.Time()), top, max(width-1, 1), max(height-1, 1), heat(n/most))
			}
		}
		fmt.Fprintf(&svg, `<text x="56" y="%.1f" text-anchor="end">%s</text>`, top+height/2+4, html.EscapeString(s.Legend))
	}
	timeAxis(&svg, c)
	return fmt.Sprintf(`<svg width="%.0f" height="%.0f">%s</svg>`, v.width, v.height, svg.String())
}

func timeAxis(svg *strings.Builder, c chart) {
	count := max(2, int(c.box.width/90))
	for i := range count {
		at := c.window.Start.Add(c.window.End.Sub(c.window.Start) * time.Duration(i*2+1) / time.Duration(count*2))
		fmt.Fprintf(svg, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, c.x(at), c.box.top+c.box.height+16, at.UTC().Format("15:04:05"))
	}
}
