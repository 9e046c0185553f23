// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"fmt"
	"html"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"hedera_exporter/tools/dashboards/live"
)

// The grid of Grafana at this width: 24 columns, and rows of 30 pixels with
// gaps of 8.
const (
	pageWidth = 1400
	margin    = 12
	gap       = 8
	rowHeight = 30 + gap
	titleRoom = 34
)

//go:embed page.css
var style string

// page is one dashboard as it is drawn.
type page struct {
	api    v1.API
	board  dashboard.Dashboard
	values live.Values
	window live.Window
	out    strings.Builder
	bottom float64
}

// draw is the whole page and its height.
func draw(ctx context.Context, api v1.API, d dashboard.Dashboard, w live.Window) (content string, height int, err error) {
	values, err := live.Resolve(ctx, api, d, w)
	if err != nil {
		return "", 0, err
	}
	p := &page{api: api, board: d, values: values, window: w}
	for _, item := range d.Panels {
		if item.RowPanel != nil {
			p.heading(values.Title(*item.RowPanel.Title), item.RowPanel.GridPos.Y)
			continue
		}
		if err := p.panel(ctx, *item.Panel, values); err != nil {
			return "", 0, err
		}
	}
	height = int(p.bottom) + 90
	return fmt.Sprintf(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>%s (preview)</title><style>%s</style></head><body>%s<main style="height:%.0fpx">%s</main></body></html>`,
		html.EscapeString(*d.Title), style, p.header(), p.bottom+margin, p.out.String()), height, nil
}

func (p *page) header() string {
	var out strings.Builder
	fmt.Fprintf(&out, `<header><h1>%s</h1><small>Preview: drawn from the dashboard's JSON and live queries, not by Grafana</small><p>`, html.EscapeString(*p.board.Title))
	for _, v := range p.board.Templating.List {
		shown := "All"
		if v.Type != dashboard.VariableTypeQuery {
			shown = p.values.Title("$" + v.Name)
		}
		fmt.Fprintf(&out, `<span class="variable"><i>%s</i>%s</span>`, html.EscapeString(*v.Label), html.EscapeString(shown))
	}
	fmt.Fprintf(&out, `<span class="variable time">%s to %s UTC</span></p></header>`, p.window.Start.UTC().Format("15:04:05"), p.window.End.UTC().Format("15:04:05"))
	return out.String()
}

func (p *page) heading(title string, y uint32) {
	top := margin + float64(y)*rowHeight
	fmt.Fprintf(&p.out, `<h2 style="top:%.0fpx">⌄ %s</h2>`, top, html.EscapeString(title))
}

func (p *page) panel(ctx context.Context, panel dashboard.Panel, values live.Values) error {
	queries, err := live.Queries(panel)
	if err != nil {
		return err
	}
	const column = (pageWidth - 2*margin + gap) / 24.0
	g := panel.GridPos
	left, top := margin+float64(g.X)*column, margin+float64(g.Y)*rowHeight
	width, height := float64(g.W)*column-gap, float64(g.H)*rowHeight-gap
	p.bottom = max(p.bottom, top+height)
	v := view{panel: panel, window: p.window.Of(panel), width: width - 18, height: height - titleRoom - 8}
	for _, query := range queries {
		series, err := live.Ask(ctx, p.api, query, values, v.window)
		if err != nil {
			return fmt.Errorf("%s: %w", *panel.Title, err)
		}
		v.series = append(v.series, series...)
	}
	fmt.Fprintf(&p.out, `<section title="%s" style="left:%.0fpx;top:%.0fpx;width:%.0fpx;height:%.0fpx"><h3>%s</h3>%s</section>`,
		html.EscapeString(*panel.Description), left, top, width, height, html.EscapeString(values.Title(*panel.Title)), v.draw())
	return nil
}
