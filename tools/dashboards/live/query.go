// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Series is one line of a query's answer; an instant query has one point.
type Series struct {
	RefID  string
	Labels model.Metric
	Legend string
	Points []model.SamplePair
}

// Last is the latest value.
func (s Series) Last() float64 {
	return float64(s.Points[len(s.Points)-1].Value)
}

// Queries are the panel's targets, all of Prometheus.
func Queries(p dashboard.Panel) ([]prometheus.Dataquery, error) {
	queries := make([]prometheus.Dataquery, len(p.Targets))
	for i, target := range p.Targets {
		switch query := target.(type) {
		case prometheus.Dataquery:
			queries[i] = query
		case *prometheus.Dataquery:
			queries[i] = *query
		default:
			return nil, fmt.Errorf("target %d is %T, not a Prometheus query", i, target)
		}
	}
	return queries, nil
}

// Ask runs one query.
func Ask(ctx context.Context, api v1.API, query prometheus.Dataquery, values Values, w Window) ([]Series, error) {
	expression := w.variables().Expand(values.Expand(query.Expr))
	answer, err := ask(ctx, api, expression, query, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expression, err)
	}
	var all []Series
	add := func(labels model.Metric, points ...model.SamplePair) {
		all = append(all, Series{RefID: *query.RefId, Labels: labels, Legend: legend(*query.LegendFormat, labels), Points: points})
	}
	switch answer := answer.(type) {
	case model.Vector:
		for _, sample := range answer {
			add(sample.Metric, model.SamplePair{Timestamp: sample.Timestamp, Value: sample.Value})
		}
	case model.Matrix:
		for _, stream := range answer {
			add(stream.Metric, stream.Values...)
		}
	default:
		return nil, fmt.Errorf("%s: answer is a %s", expression, answer.Type())
	}
	return all, nil
}

func ask(ctx context.Context, api v1.API, expression string, query prometheus.Dataquery, w Window) (model.Value, error) {
	if query.Instant != nil && *query.Instant {
		answer, _, _, err := api.Query(ctx, expression, w.End)
		return answer, err
	}
	answer, _, _, err := api.QueryRange(ctx, expression, v1.Range{Start: w.Start, End: w.End, Step: w.Step})
	return answer, err
}

var legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// legend fills in labels; one that the series has not is empty.
func legend(format string, labels model.Metric) string {
	return strings.TrimSpace(legendLabel.ReplaceAllStringFunc(format, func(match string) string {
		return string(labels[model.LabelName(legendLabel.FindStringSubmatch(match)[1])])
	}))
}
