// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector turns what a Hedera network tells into Prometheus samples:
// one file a collector, its metrics declared at the top of that file.
package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector gathers the samples of one subject of one network.
type Collector interface {
	// Update sends the samples of one scrape. When it returns an error, what it
	// has sent is discarded. It ends with ctx.
	Update(ctx context.Context, ch chan<- prometheus.Metric) error
}

// Registration describes a collector to the command line and the documentation.
type Registration struct {
	Name           string
	Help           string
	DefaultEnabled bool
	// MaxMinInterval is the mirror's own cache age of what the collector reads
	// (FACTS.md 1.0): samples may be kept that long. Zero: always fresh.
	MaxMinInterval time.Duration
	// Sharded collectors run on every shard, for its accounts; the others on the
	// first shard only, so that nothing is exported twice.
	Sharded bool

	factory func(Network) (Collector, error)
}

// minInterval is for how long the collector's samples are kept, given the
// configured intervals by collector.
func (r Registration) minInterval(configured map[string]time.Duration) time.Duration {
	if interval, ok := configured[r.Name]; ok {
		return interval
	}
	return r.MaxMinInterval
}

var registrations []Registration

// register makes a collector known; its file calls it from init.
func register(r Registration) {
	registrations = append(registrations, r)
}

// Registrations returns all collectors, sorted by name.
func Registrations() []Registration {
	return slices.SortedFunc(slices.Values(registrations), func(a, b Registration) int {
		return cmp.Compare(a.Name, b.Name)
	})
}

// Options choose the collectors of a Set.
type Options struct {
	Enabled func(name string) bool
	// MinInterval is for how long a collector's samples are kept; a collector
	// that is not in it keeps them for its MaxMinInterval.
	MinInterval map[string]time.Duration
	Shard       Shard
}

// NewSet returns the enabled collectors of networks. It owns the networks from
// then on: Close closes them.
func NewSet(networks []Network, options Options, log Logger) (*Set, error) {
	set := &Set{networks: networks, log: log}
	for _, network := range networks {
		network = options.Shard.of(network)
		for _, r := range Registrations() {
			if !options.Enabled(r.Name) || network.accountsOnly && !r.Sharded {
				continue
			}
			c, err := r.factory(network)
			if err != nil {
				return nil, fmt.Errorf("network %s: collector %s: %w", network.Name, r.Name, err)
			}
			set.add(network.Name, r, c, options)
		}
	}
	return set, nil
}
