// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// runbooks is where the alerts' runbook_url points too: a path in the
// repository, until make rename makes it a link.
const runbooks = "docs/runbooks/"

var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}

// panel is what all kinds of panels have in common; view is the rest.
type panel struct {
	view cog.Builder[dashboard.Panel]

	title       string
	description string // ends with what a bad value means
	runbook     string // an alert's name
	none        string // shown where there is no data

	width, height uint32
	unit          string
	decimals      *float64
	min, max      *float64
	colours       steps
	values        []dashboard.ValueMapping

	queries []query
	labels  []column // of a table, before the queries' columns
	recent  string   // looks back no further, as 5m
	points  float64  // of each series at most; 0 is as many as there are pixels
}

// Build implements the SDK's builder.
func (p panel) Build() (dashboard.Panel, error) {
	built, err := p.view.Build()
	if err != nil {
		return dashboard.Panel{}, err
	}
	built.Title = &p.title
	built.Description = new(p.text())
	built.Datasource = &source
	built.GridPos = &dashboard.GridPos{W: p.width, H: p.height}
	built.Targets = p.targets()
	if p.recent != "" {
		built.TimeFrom = &p.recent
		built.HideTimeOverride = new(true)
	}
	if p.points > 0 {
		built.MaxDataPoints = &p.points
	}
	p.configure(&built)
	if p.isTable() {
		p.arrange(&built)
	}
	return built, nil
}

func (p panel) text() string {
	if p.runbook == "" {
		return p.description
	}
	if link := runbookLink(p.runbook); link != "" {
		return p.description + "\n\n[Runbook " + p.runbook + "](" + link + ")"
	}
	return p.description + "\n\nRunbook: " + runbooks + p.runbook + ".md"
}

// runbookLink returns "" where there is nothing to link to.
func runbookLink(alert string) string {
	if !strings.HasPrefix(runbooks, "https://") {
		return ""
	}
	return runbooks + alert + ".md"
}

func (p panel) isTable() bool {
	return len(p.labels) > 0
}

func (p panel) configure(built *dashboard.Panel) {
	if built.FieldConfig == nil {
		built.FieldConfig = dashboard.NewFieldConfigSource()
	}
	defaults := &built.FieldConfig.Defaults
	defaults.Unit = &p.unit
	defaults.Decimals = p.decimals
	defaults.Min, defaults.Max = p.min, p.max
	defaults.NoValue = &p.none
	defaults.Mappings = p.values
	if p.colours != nil {
		defaults.Thresholds = &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: p.colours}
	}
}

func (p panel) targets() []variants.Dataquery {
	targets := make([]variants.Dataquery, len(p.queries))
	for i, q := range p.queries {
		target := prometheus.NewDataquery()
		target.Expr = selectors.Replace(q.expr)
		target.RefId = new(refID(i))
		target.EditorMode = new(prometheus.QueryEditorModeCode)
		target.Datasource = &source
		target.LegendFormat = &p.queries[i].legend
		target.Format = new(prometheus.PromQueryFormatTimeSeries)
		if p.isTable() {
			target.Format = new(prometheus.PromQueryFormatTable)
		}
		if q.buckets {
			target.Format = new(prometheus.PromQueryFormatHeatmap)
		}
		target.Instant = new(q.instant || p.isTable())
		target.Range = new(!*target.Instant)
		targets[i] = *target
	}
	return targets
}
