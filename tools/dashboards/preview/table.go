// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/common/model"

	"hedera_exporter/tools/dashboards/live"
)

// tableRow has the values of each query by their names, and the labels.
type tableRow struct {
	labels model.Metric
	values map[string]float64
}

// field is a column by its title.
type field struct {
	name, title string
	unit        string
	width       float64
	filled      bool // the background has the colour
	thresholds  *dashboard.ThresholdsConfig
	mappings    []dashboard.ValueMapping
}

// dataTable merges the queries by the labels that all of them have, and names
// and orders columns, as the transformations merge and organize do.
func dataTable(v view) string {
	rows, fields := merge(v), organize(v)
	sortRows(v, rows, fields)
	var out strings.Builder
	out.WriteString("<table><tr>")
	for _, f := range fields {
		style := ""
		if f.width > 0 {
			style = fmt.Sprintf(` style="width:%.0fpx"`, f.width)
		}
		fmt.Fprintf(&out, "<th%s>%s</th>", style, html.EscapeString(f.title))
	}
	out.WriteString("</tr>")
	for _, row := range rows[:min(len(rows), int(v.height/28)-1)] {
		out.WriteString("<tr>")
		for _, f := range fields {
			out.WriteString(f.cell(row, v))
		}
		out.WriteString("</tr>")
	}
	return out.String() + "</table>"
}

func (f field) cell(row tableRow, v view) string {
	if !strings.HasPrefix(f.name, "Value") {
		return "<td>" + html.EscapeString(string(row.labels[model.LabelName(f.name)])) + "</td>"
	}
	value, is := row.values[f.name]
	if !is {
		return "<td></td>"
	}
	text, colour := format(f.unit, nil, value, v.window.End), textColour
	if f.thresholds != nil {
		colour = named[live.Colour(*f.thresholds, value)]
	}
	if mapped, name, is := mapping(f.mappings, value); is {
		text, colour = mapped, named[name]
	}
	style := "color:" + colour
	if f.filled {
		style = "color:#fff;background:" + colour
	}
	return fmt.Sprintf(`<td class="number" style="%s">%s</td>`, style, html.EscapeString(text))
}

func merge(v view) []tableRow {
	keys := common(v.series)
	var rows []tableRow
	index := map[model.Fingerprint]int{}
	for _, s := range v.series {
		key := model.Metric{}
		for _, name := range keys {
			key[name] = s.Labels[name]
		}
		at, is := index[key.Fingerprint()]
		if !is {
			at = len(rows)
			index[key.Fingerprint()] = at
			rows = append(rows, tableRow{labels: model.Metric{}, values: map[string]float64{}})
		}
		for name, value := range s.Labels {
			rows[at].labels[name] = value
		}
		rows[at].values["Value #"+s.RefID] = s.Last()
	}
	return rows
}

// common are the labels that some series of every query has.
func common(series []live.Series) []model.LabelName {
	queries, having := map[string]bool{}, map[model.LabelName]map[string]bool{}
	for _, s := range series {
		queries[s.RefID] = true
		for name := range s.Labels {
			if having[name] == nil {
				having[name] = map[string]bool{}
			}
			having[name][s.RefID] = true
		}
	}
	var names []model.LabelName
	for name, refs := range having {
		if len(refs) == len(queries) {
			names = append(names, name)
		}
	}
	return names
}

func organize(v view) []field {
	var options struct {
		RenameByName map[string]string
		IndexByName  map[string]int
	}
	for _, transformation := range v.panel.Transformations {
		if transformation.Id == "organize" {
			reread(transformation.Options, &options)
		}
	}
	var fields []field
	for name, title := range options.RenameByName {
		if name == "Value" { // the name of Value #A where it is the only query
			continue
		}
		f := field{name: name, title: title}
		for _, override := range v.panel.FieldConfig.Overrides {
			if override.Matcher.Options == title {
				f.configure(override.Properties)
			}
		}
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b field) int {
		return cmp.Compare(options.IndexByName[a.name], options.IndexByName[b.name])
	})
	return fields
}

func (f *field) configure(properties []dashboard.DynamicConfigValue) {
	for _, property := range properties {
		switch property.Id {
		case "unit":
			reread(property.Value, &f.unit)
		case "custom.width":
			reread(property.Value, &f.width)
		case "custom.cellOptions":
			var cell struct{ Type string }
			reread(property.Value, &cell)
			f.filled = cell.Type == "color-background"
		case "thresholds":
			reread(property.Value, &f.thresholds)
		case "mappings":
			reread(property.Value, &f.mappings)
		}
	}
}

// reread decodes what has been decoded without a type.
func reread(value, into any) {
	content, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		panic(err) // the generator has written it by the same type
	}
}

func sortRows(v view, rows []tableRow, fields []field) {
	var options struct {
		SortBy []struct {
			DisplayName string
			Desc        bool
		}
	}
	v.options(&options)
	for _, by := range options.SortBy {
		at := slices.IndexFunc(fields, func(f field) bool { return f.title == by.DisplayName })
		if at < 0 {
			continue
		}
		slices.SortStableFunc(rows, func(a, b tableRow) int {
			return compare(a, b, fields[at].name, by.Desc)
		})
	}
}

// compare puts rows without the value last.
func compare(a, b tableRow, name string, descending bool) int {
	first, isFirst := a.values[name]
	second, isSecond := b.values[name]
	switch {
	case isFirst && isSecond && descending:
		return cmp.Compare(second, first)
	case isFirst && isSecond:
		return cmp.Compare(first, second)
	case isFirst:
		return -1
	case isSecond:
		return 1
	}
	return cmp.Compare(a.labels[model.LabelName(name)], b.labels[model.LabelName(name)])
}
