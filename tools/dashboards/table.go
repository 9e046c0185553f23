// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// column is a column of a table: a label, or the values of a query.
type column struct {
	label   string // empty for the values of a query
	title   string
	unit    string
	colours steps
	values  []dashboard.ValueMapping
	width   float64
	link    string
	filled  bool // the background has the colour
}

// Columns that many tables have.
var (
	networkColumn = column{label: "network", title: "Network", width: 90}
	accountColumn = column{label: "account_id", title: "Account", width: 110, link: accountLink}
	nameColumn    = column{label: "name", title: "Name"}
	teamColumn    = column{label: "team", title: "Team", width: 90}
	nodeColumn    = column{label: "node_id", title: "Node", width: 70, link: nodeLink}
)

// Links keep the time and choose what the row is about. An account is searched
// for as well: only what is found can be chosen.
const (
	chosenNetwork = "?${datasource:queryparam}&var-network=${__data.fields.Network}&${__url_time_range}"
	accountLink   = "/d/hedera-accounts" + chosenNetwork + "&var-search=${__value.raw}&var-account=${__value.raw}"
	nodeLink      = "/d/hedera-nodes" + chosenNetwork + "&var-node=${__value.raw}"
	boardLink     = "/d/hedera-${__value.raw}" + chosenNetwork
)

var alertLink = runbookLink("${__value.raw}")

// arrange merges a table's queries by their labels and names and orders the columns.
func (p panel) arrange(built *dashboard.Panel) {
	titles, order := map[string]string{}, map[string]int{}
	place := func(field, title string) {
		titles[field] = title
		order[field] = len(order)
	}
	for _, c := range p.labels {
		place(c.label, c.title)
		built.FieldConfig.Overrides = append(built.FieldConfig.Overrides, c.override())
	}
	hidden := map[string]bool{"Time": true}
	for i, q := range p.queries {
		fields := []string{"Value #" + refID(i)}
		if len(p.queries) == 1 {
			fields = append(fields, "Value") // its name without a second query
		}
		for _, field := range fields {
			if q.column.title == "" {
				hidden[field] = true
				continue
			}
			place(field, q.column.title)
		}
		if q.column.title != "" {
			built.FieldConfig.Overrides = append(built.FieldConfig.Overrides, q.column.override())
		}
	}
	built.Transformations = []dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{
			"excludeByName": hidden, "renameByName": titles, "indexByName": order,
		}},
	}
}

// override is by the column's title, as overrides come after renaming.
func (c column) override() dashboard.DashboardFieldConfigSourceOverrides {
	var properties []dashboard.DynamicConfigValue
	set := func(id string, value any) {
		properties = append(properties, dashboard.DynamicConfigValue{Id: id, Value: value})
	}
	set("unit", c.unitOrText())
	if c.width > 0 {
		set("custom.width", c.width)
	}
	if c.colours != nil {
		set("thresholds", dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: c.colours})
	}
	if c.values != nil {
		set("mappings", c.values)
	}
	if c.colours != nil || c.values != nil {
		cell := "color-text"
		if c.filled {
			cell = "color-background"
		}
		set("custom.cellOptions", map[string]string{"type": cell})
	}
	if c.link != "" {
		set("links", []map[string]any{{"title": "Details", "url": c.link, "targetBlank": c.link == alertLink}})
	}
	return dashboard.DashboardFieldConfigSourceOverrides{
		Matcher:    dashboard.MatcherConfig{Id: "byName", Options: c.title},
		Properties: properties,
	}
}

func (c column) unitOrText() string {
	if c.unit == "" {
		return "string"
	}
	return c.unit
}
