// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
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

func timeAxis(svg *strings.Builder, c chart) {
	count := max(2, int(c.box.width/90))
	for i := range count {
		at := c.window.Start.Add(c.window.End.Sub(c.window.Start) * time.Duration(i*2+1) / time.Duration(count*2))
		fmt.Fprintf(svg, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, c.x(at), c.box.top+c.box.height+16, at.UTC().Format("15:04:05"))
	}
}
