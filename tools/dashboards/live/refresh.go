// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// Answer is that to one query of a dashboard.
type Answer struct {
	Name   string           // the panel's title and the query's refId, or the annotation's name
	Panel  *dashboard.Panel // nil for an annotation
	Series []Series
}

// Refresh asks for all that a dashboard asks for: values of variables,
// annotations and panels. It calls answered after each; first for the variables,
// without an answer.
func Refresh(ctx context.Context, api v1.API, d dashboard.Dashboard, w Window, answered func(Answer)) error {
	values, err := Resolve(ctx, api, d, w)
	if err != nil {
		return err
	}
	answered(Answer{Name: "variables"})
	for _, a := range d.Annotations.List {
		series, err := AskAnnotation(ctx, api, a, values, w)
		if err != nil {
			return fmt.Errorf("annotation %s: %w", a.Name, err)
		}
		answered(Answer{Name: a.Name, Series: series})
	}
	for _, p := range Panels(d) {
		queries, err := Queries(p)
		if err != nil {
			return err
		}
		for _, query := range queries {
			series, err := Ask(ctx, api, query, values, w.Of(p))
			if err != nil {
				return fmt.Errorf("%s: %w", *p.Title, err)
			}
			answered(Answer{*p.Title + " " + *query.RefId, &p, series})
		}
	}
	return nil
}

// AskAnnotation runs the query of an annotation.
func AskAnnotation(ctx context.Context, api v1.API, a dashboard.AnnotationQuery, values Values, w Window) ([]Series, error) {
	query := prometheus.Dataquery{Expr: *a.Expr, RefId: new("Anno"), LegendFormat: new("")}
	return Ask(ctx, api, query, values, w.Annotations())
}
