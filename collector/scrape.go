// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// scrape is one scrape of a Set as a prometheus.Collector.
type scrape struct {
	ctx context.Context //nolint:containedctx // prometheus.Collector takes no context
	set *Set
}

// Gatherer returns the gatherer of one scrape, bounded by ctx.
func (s *Set) Gatherer(ctx context.Context) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(scrape{ctx: ctx, set: s})
	return registry
}

// Describe sends nothing: which families a scrape has depends on the network.
func (scrape) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s scrape) Collect(ch chan<- prometheus.Metric) { s.set.Collect(s.ctx, ch) }
