// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

const tag = "hedera"

// board is one dashboard.
type board struct {
	uid, title, description string
	variables               []cog.Builder[dashboard.VariableModel] // besides the common ones
	rows                    []row
}

// row is a row of panels; without a title it has no heading.
type row struct {
	title  string
	panels []panel
}

func (b board) build() (dashboard.Dashboard, error) {
	builder := dashboard.NewDashboardBuilder(b.title).
		Uid(b.uid).Description(b.description).Tags([]string{tag, "generated"}).
		Time("now-6h", "now").Refresh("1m").Timezone("browser").Readonly().
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Variables(append(commonVariables(), b.variables...)).
		Annotations(annotations()).
		Link(dashboard.NewDashboardLinkBuilder("Hedera").
			Type(dashboard.DashboardLinkTypeDashboards).Icon("external link").
			Tags([]string{tag}).IncludeVars(true).KeepTime(true))
	for _, r := range b.rows {
		if r.title != "" {
			builder.WithRow(dashboard.NewRowBuilder(r.title))
		}
		for _, p := range r.panels {
			builder.WithPanel(p)
		}
	}
	built, err := builder.Build()
	if err != nil {
		return dashboard.Dashboard{}, err
	}
	numberPanels(built.Panels)
	return built, nil
}

// numberPanels gives each panel and row an id of its own.
func numberPanels(panels []dashboard.PanelOrRowPanel) {
	for i := range panels {
		id := uint32(i + 1)
		if panels[i].RowPanel != nil {
			panels[i].RowPanel.Id = id
			continue
		}
		panels[i].Panel.Id = &id
	}
}

func commonVariables() []cog.Builder[dashboard.VariableModel] {
	return []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"),
		choice("job", "Job", `label_values(hedera_exporter_build_info, job)`),
		choice("instance", "Instance", `label_values(hedera_exporter_build_info{job=~"$job"}, instance)`),
		choice("network", "Network", `label_values(hedera_scrape_collector_success{@exporter}, network)`).AllValue(".+"),
	}
}

// choice is a variable of any number of values, all of them at first. Without a
// value for all it is those in the list: up and process_* have other jobs too.
func choice(name, label, query string) *dashboard.QueryVariableBuilder {
	query = selectors.Replace(query)
	return dashboard.NewQueryVariableBuilder(name).Label(label).
		Query(dashboard.StringOrMap{String: &query}).Definition(query).
		Datasource(source).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortNaturalAsc).
		Multi(true).IncludeAll(true).
		Current(dashboard.VariableOption{
			Selected: new(true),
			Text:     dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}},
			Value:    dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
		})
}

// searchVariable is an account's id or a part of its name.
func searchVariable() cog.Builder[dashboard.VariableModel] {
	return dashboard.NewTextBoxVariableBuilder("search").Label("Search").
		DefaultValue(dashboard.StringOrMap{String: new("")})
}

// accountVariable selects by id, the group named value, and shows the name, the
// group named text. All is all of those that can be chosen.
func accountVariable() cog.Builder[dashboard.VariableModel] {
	return choice("account", "Account", `query_result(`+neediest+`)`).
		Sort(dashboard.VariableSortDisabled).
		Regex(`/[{,]name="(?<text>[^"]+)|account_id="(?<value>[^"]+)/g`)
}

func nodeVariable() cog.Builder[dashboard.VariableModel] {
	return choice("node", "Node", `label_values(hedera_node_info{@network}, node_id)`).AllValue(".+")
}

// annotation is an annotation with the texts that Grafana's Prometheus data
// source reads beside the fields that the SDK knows.
type annotation struct {
	name, colour, expr string
	title, text, tags  string
}

// sincePoint is how long an event is shown: longer than the minute that Grafana
// leaves between the points of annotations.
const sincePoint = `120`

var annotated = []annotation{
	{
		// One region as long as anything fires: one of each alert would hide the graph.
		name: "Alerts", colour: red,
		expr:  `group(ALERTS{alertstate="firing",severity=~"critical|warning",@alerts})`,
		title: "Alerts are firing", text: "The overview lists them.",
	},
	{
		name: "HAPI upgrades", colour: blue,
		// A version that was not there five minutes ago, where another one was.
		expr: `max by (network, version) (hedera_network_hapi_version_info{@network} unless on (network, version) hedera_network_hapi_version_info{@network} offset 5m)` +
			` and on (network) max by (network) (hedera_network_hapi_version_info{@network} offset 5m)`,
		title: "HAPI {{version}} on {{network}}", text: "The consensus nodes have been upgraded.", tags: "network",
	},
	{
		// As HederaNetworkFrozen.
		name: "Freezes", colour: "purple",
		expr:  `network:hedera_node_stake_hbar:frozen_ratio{@recorded} > on () group_left () (1 - max(hedera:threshold:stake_reachable_ratio))`,
		title: "{{network}} is frozen", text: "No transaction is accepted until it is over.", tags: "network",
	},
	{
		name: "Freeze transactions", colour: "purple",
		expr:  `time() - max by (network) (hedera_network_last_freeze_transaction_timestamp_seconds{@network}) < ` + sincePoint,
		title: "{{network}} was told to freeze", text: "At once or at a later time, or that was called off.", tags: "network",
	},
	{
		name: "Exporter restarts", colour: orange,
		expr:  `time() - max by (job, instance) (process_start_time_seconds{@exporter}) < ` + sincePoint,
		title: "{{instance}} started", text: "Counters begin at 0.", tags: "job",
	},
	{
		name: "Exporter reloads", colour: yellow,
		// Not the load at a start.
		expr: `time() - max by (job, instance) (hedera_exporter_config_last_reload_success_timestamp_seconds{@exporter}) < ` + sincePoint +
			` and max by (job, instance) (hedera_exporter_config_last_reload_success_timestamp_seconds{@exporter} - process_start_time_seconds{@exporter}) > 5`,
		title: "{{instance}} loaded its configuration", text: "What is watched may have changed.", tags: "job",
	},
}

func annotations() []cog.Builder[dashboard.AnnotationQuery] {
	list := make([]cog.Builder[dashboard.AnnotationQuery], len(annotated))
	for i, a := range annotated {
		expr := selectors.Replace(a.expr)
		list[i] = dashboard.NewAnnotationQueryBuilder().
			Name(a.name).Datasource(source).Enable(true).IconColor(a.colour).Expr(expr).
			Target(prometheus.NewDataqueryBuilder().Expr(expr).RefId("Anno").Range())
	}
	return list
}
