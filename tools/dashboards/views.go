// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

type view = cog.Builder[dashboard.Panel]

var (
	lastValue   = common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})
	byThreshold = dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)
	byName      = dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassicByName)
	hidden      = common.NewVizLegendOptionsBuilder().ShowLegend(false).
			DisplayMode(common.LegendDisplayModeHidden).Placement(common.LegendPlacementBottom)
)

// statPanel is one value with its course behind it.
func statPanel() view {
	return stat.NewPanelBuilder().
		ReduceOptions(lastValue).ColorScheme(byThreshold).
		ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeArea)
}

// colouredStatPanel is one value whose background says whether it is good.
func colouredStatPanel() view {
	return stat.NewPanelBuilder().
		ReduceOptions(lastValue).ColorScheme(byThreshold).
		ColorMode(common.BigValueColorModeBackgroundSolid).GraphMode(common.BigValueGraphModeNone)
}

// tiles are names, each with a word and a background that say whether it is
// good. Its query is one over time, as only then Prometheus sorts the answer.
func tiles() view {
	return stat.NewPanelBuilder().
		ReduceOptions(lastValue).ColorScheme(byThreshold).
		ColorMode(common.BigValueColorModeBackgroundSolid).GraphMode(common.BigValueGraphModeNone).
		TextMode(common.BigValueTextModeValueAndName).JustifyMode(common.BigValueJustifyModeCenter).
		Text(common.NewVizTextDisplayOptionsBuilder().TitleSize(12).ValueSize(13))
}

func graph() *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().
		ColorScheme(byName).LineWidth(1).FillOpacity(8).ShowPoints(common.VisibilityModeNever).
		Tooltip(common.NewVizTooltipOptionsBuilder().
			Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
}

func legendWith(calculations ...string) *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().ShowLegend(true).
		DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).Calcs(append([]string{}, calculations...))
}

func lines() view {
	return graph().Legend(legendWith())
}

// wideRange shows small values beside large ones, and 0.
func wideRange() view {
	return graph().Legend(legendWith()).ScaleDistribution(
		common.NewScaleDistributionConfigBuilder().Type(common.ScaleDistributionSymlog).Log(10).LinearThreshold(1))
}

// logarithmic shows values of different orders, all of them above 0.
func logarithmic() view {
	return graph().Legend(legendWith()).ScaleDistribution(
		common.NewScaleDistributionConfigBuilder().Type(common.ScaleDistributionLog).Log(10))
}

// linesWithLast has the last value in its legend.
func linesWithLast() view {
	return graph().Legend(legendWith("lastNotNull").
		DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementRight))
}

// guarded draws the thresholds that the line should stay clear of.
func guarded() view {
	return graph().Legend(legendWith()).ThresholdsStyle(
		common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

func stacked() view {
	return graph().Legend(legendWith()).FillOpacity(40).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

func bars() view {
	return bargauge.NewPanelBuilder().
		ReduceOptions(lastValue).ColorScheme(byThreshold).
		Orientation(common.VizOrientationHorizontal).DisplayMode(common.BarGaugeDisplayModeBasic).
		ShowUnfilled(true).Legend(hidden)
}

// timelinePoints is how many points a timeline asks for at most: each is a few
// pixels wide on the narrowest one.
const timelinePoints = 150

// timeline has a line for each series, and a bar for as long as a value lasts.
// Its text says what the colour says. Queries take the worst value of a step.
func timeline() view {
	return statetimeline.NewPanelBuilder().
		ColorScheme(byThreshold).ShowValue(common.VisibilityModeAuto).AlignValue(common.TimelineValueAlignmentLeft).
		MergeValues(true).MaxDataPoints(timelinePoints).
		RowHeight(0.9).FillOpacity(85).LineWidth(0).Legend(hidden)
}

// heat counts series by their value.
func heat(unit string) view {
	return heatmap.NewPanelBuilder().
		Calculate(true).
		Calculation(common.NewHeatmapCalculationOptionsBuilder().YBuckets(
			common.NewHeatmapCalculationBucketConfigBuilder().
				Mode(common.HeatmapCalculationModeSize).
				Scale(common.NewScaleDistributionConfigBuilder().Type(common.ScaleDistributionLog).Log(2)))).
		Color(heatmap.NewHeatmapColorOptionsBuilder().
			Mode(heatmap.HeatmapColorModeScheme).Scheme("Turbo").Steps(64).Exponent(0.5)).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(unit).AxisPlacement(common.AxisPlacementLeft)).
		CellGap(1).ShowLegend()
}

// bucketHeat shows the buckets of a histogram.
func bucketHeat(unit string) view {
	return heatmap.NewPanelBuilder().
		Calculate(false).
		Color(heatmap.NewHeatmapColorOptionsBuilder().
			Mode(heatmap.HeatmapColorModeScheme).Scheme("Turbo").Steps(64).Exponent(0.5)).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(unit).AxisPlacement(common.AxisPlacementLeft)).
		CellGap(1).ShowLegend()
}

func tablePanel(sort string, descending bool) view {
	builder := table.NewPanelBuilder().
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{})).
		ShowHeader(true).CellHeight(common.TableCellHeightSm).Filterable(true).ColorScheme(byThreshold)
	if sort != "" {
		builder.SortBy([]cog.Builder[common.TableSortByFieldState]{
			common.NewTableSortByFieldStateBuilder().DisplayName(sort).Desc(descending),
		})
	}
	return builder
}
