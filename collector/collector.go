// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector reads Hedera networks and makes Prometheus samples. Each
// collector has one file, which declares its metrics at the top.
package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector reads one part of one network.
type Collector interface {
	// Update sends the samples of one scrape and returns when ctx ends. The
	// samples of one entity are sent together, once all of it is read. If Update
	// returns an error, what it has sent is shown, and the entities that are
	// missing are counted (see entityGroup).
	Update(ctx context.Context, ch chan<- prometheus.Metric) error
}

// Registration describes a collector for flags and documentation.
type Registration struct {
	Name           string
	Help           string
	DefaultEnabled bool
	// MaxMinInterval is how long samples may be kept: the max-age of what the
	// collector reads from the mirror (docs/hedera.md 1.0). Zero: not at all.
	MaxMinInterval time.Duration
	// Sharded collectors run on every shard, for its accounts; the others only on
	// the first shard, so that nothing is exported twice.
	Sharded bool
	// NetworkOnly collectors do not depend on the configured accounts and
	// entities: their kept samples survive a reload that changes these.
	NetworkOnly bool

	factory func(Network) (Collector, error)
}

// minInterval is how long the collector's samples are kept, given the configured
// intervals by collector.
func (r Registration) minInterval(configured map[string]time.Duration) time.Duration {
	if interval, ok := configured[r.Name]; ok {
		return interval
	}
	return r.MaxMinInterval
}

var registrations []Registration

// register adds a collector; its file calls it from init.
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
	// MinInterval is how long a collector's samples are kept, if it differs from
	// its MaxMinInterval.
	MinInterval map[string]time.Duration
	Shard       Shard
	// Previous is nil, or the Set that this one replaces. Collectors whose
	// configuration and clients are the same keep their samples.
	Previous *Set
}

// onceFor returns compare with the first answer for all others: it takes its time
// where accounts are many.
func onceFor(compare func(Network) bool) func(Network) bool {
	var once sync.Once
	var same bool
	return func(n Network) bool {
		once.Do(func() { same = compare(n) })
		return same
	}
}

// NewSet returns the enabled collectors of networks.
func NewSet(networks []Network, options Options, log Logger) (*Set, error) {
	set := &Set{log: log}
	for _, network := range networks {
		network = options.Shard.of(network)
		sameEntities := onceFor(network.sameEntities) // the previous set's collectors have the same ones
		for _, r := range Registrations() {
			if !options.Enabled(r.Name) || network.accountsOnly && !r.Sharded {
				continue
			}
			if c := options.Previous.find(r, network, r.minInterval(options.MinInterval), sameEntities); c != nil {
				set.collectors = append(set.collectors, c)
				continue
			}
			c, err := r.factory(network)
			if err != nil {
				return nil, fmt.Errorf("network %s: collector %s: %w", network.Name, r.Name, err)
			}
			set.add(network, r, c, options)
		}
	}
	return set, nil
}
