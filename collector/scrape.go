// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// Scrape is one scrape of a Set, as a prometheus.Collector.
type Scrape struct {
	ctx    context.Context //nolint:containedctx // prometheus.Collector takes no context
	set    *Set
	failed []Failure
}

// Failure names a collector that failed in a scrape.
type Failure struct {
	Network   string
	Collector string
}

// Scrape returns a scrape that is bounded by ctx.
func (s *Set) Scrape(ctx context.Context) *Scrape {
	return &Scrape{ctx: ctx, set: s}
}

// Gatherer returns the gatherer of one scrape, bounded by ctx.
func (s *Set) Gatherer(ctx context.Context) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.Scrape(ctx))
	return registry
}

// Describe sends nothing: which families a scrape has depends on the network.
func (*Scrape) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *Scrape) Collect(ch chan<- prometheus.Metric) { s.failed = s.set.Collect(s.ctx, ch) }

// Failed returns the collectors that failed, once Collect has returned.
func (s *Scrape) Failed() []Failure { return s.failed }
