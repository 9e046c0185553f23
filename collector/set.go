// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
)

// Logger is go-kit/log's.
type Logger = log.Logger

var (
	scrapeSuccess = newGauge(Metric{
		Collector: "self",
		Name:      "scrape_collector_success",
		Help:      "Whether the collector succeeded in this scrape.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "hedera_scrape_collector_success == 0",
	})
	scrapeIncomplete = newGauge(Metric{
		Collector: "self",
		Name:      "scrape_collector_incomplete",
		Help:      "Number of the collector's entities (accounts, tokens, nodes, ...) that are missing from this scrape because they could not be read; 1 if the whole collector failed.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "hedera_scrape_collector_incomplete > 0",
	})
	scrapeDuration = newGauge(Metric{
		Collector: "self",
		Name:      "scrape_collector_duration_seconds",
		Help:      "Duration of the collector in this scrape.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "topk(3, hedera_scrape_collector_duration_seconds)",
	})
	scrapeCollected = newGauge(Metric{
		Collector: "self",
		Name:      "scrape_collector_collected_timestamp_seconds",
		Help:      "When the collector read its samples from the network: up to the collector's min_interval before the scrape.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "time() - hedera_scrape_collector_collected_timestamp_seconds",
	})
)

// Set is the collectors of all configured networks.
type Set struct {
	collectors []*cachedCollector
	log        Logger
}

func (s *Set) add(network Network, r Registration, c Collector, options Options) {
	if r.NetworkOnly {
		network.Canary = nil // it has a key, which is not to be kept for longer than it is used
	}
	s.collectors = append(s.collectors, &cachedCollector{
		inputs: network, network: network.Name, name: r.Name, collector: c, minInterval: r.minInterval(options.MinInterval),
	})
}

// Canaries are the canaries of the set, to be run.
func (s *Set) Canaries() []*Canary {
	var canaries []*Canary
	for _, c := range s.collectors {
		if shown, ok := c.collector.(canaryCollector); ok {
			canaries = append(canaries, shown.canary)
		}
	}
	return canaries
}

// find returns the collector if it would be the same for the network; else, or
// without a set, nil. SameEntities compares with the network.
func (s *Set) find(r Registration, network Network, minInterval time.Duration, sameEntities func(Network) bool) *cachedCollector {
	if s == nil {
		return nil
	}
	for _, c := range s.collectors {
		if c.name == r.Name && c.minInterval == minInterval && c.inputs.sameClients(network) &&
			maps.Equal(c.inputs.Exclude, network.Exclude) && (r.NetworkOnly || sameEntities(c.inputs)) {
			return c
		}
	}
	return nil
}

// Select returns the set of the collectors in collect or, if that is empty, of all
// but those in exclude.
func (s *Set) Select(collect, exclude []string) (*Set, error) {
	if len(collect) > 0 && len(exclude) > 0 {
		return nil, errors.New("collect[] and exclude[] cannot be combined")
	}
	for _, name := range slices.Concat(collect, exclude) {
		if !slices.ContainsFunc(s.collectors, func(c *cachedCollector) bool { return c.name == name }) {
			return nil, fmt.Errorf("collector %.40q is unknown or disabled", name)
		}
	}
	selected := &Set{log: s.log}
	for _, c := range s.collectors {
		if slices.Contains(collect, c.name) || len(collect) == 0 && !slices.Contains(exclude, c.name) {
			selected.collectors = append(selected.collectors, c)
		}
	}
	return selected, nil
}

// Scrape runs all collectors at once, within ctx.
func (s *Set) Scrape(ctx context.Context) Scrape {
	ctx = withRound(ctx)
	scrape := make(Scrape, len(s.collectors))
	var wg sync.WaitGroup
	for i, c := range s.collectors {
		wg.Go(func() { scrape[i] = s.run(ctx, c) })
	}
	wg.Wait()
	return scrape
}

func (s *Set) run(ctx context.Context, c *cachedCollector) scraped {
	start := time.Now()
	result, err := c.run(ctx)
	r := scraped{network: c.network, collector: c.name, duration: time.Since(start), result: result, err: err}
	switch {
	case errors.Is(err, errLeft):
		level.Debug(s.log).Log("msg", "scrape ended before a collector", "network", c.network, "collector", c.name, "duration", r.duration, "err", err)
	case err != nil && result.toldFirst():
		c.failures.failed(s.log, "collector", err, "missing", missing(err), "network", c.network, "collector", c.name, "duration", r.duration)
	case err == nil:
		c.failures.succeeded(s.log, "collector", "network", c.network, "collector", c.name)
	}
	return r
}

// cachedCollector runs one collector once for all scrapes that need it at the
// same time, and keeps its samples for minInterval.
type cachedCollector struct {
	inputs      Network // of collector
	network     string
	name        string
	collector   Collector
	minInterval time.Duration

	size     atomic.Int64 // of the latest update, in samples
	shared   shared[collectorResult]
	failures failureLog

	mu      sync.Mutex
	kept    collectorResult
	current *gathered // by the update in progress
}

type collectorResult struct {
	samples   []prometheus.Metric
	blocks    []*block
	collected time.Time
	told      *atomic.Bool // of the update
}

func (r collectorResult) isEmpty() bool { return len(r.samples) == 0 && len(r.blocks) == 0 }

// all are the samples, whether they are in blocks or not.
func (r collectorResult) all(yield func(prometheus.Metric) bool) {
	for _, sample := range r.samples {
		if !yield(sample) {
			return
		}
	}
	for _, block := range r.blocks {
		for sample := range block.samples {
			if !yield(sample) {
				return
			}
		}
	}
}

// toldFirst reports whether the caller is the first of the update's to ask, so
// that a failure is logged once for all of them.
func (r collectorResult) toldFirst() bool { return r.told == nil || !r.told.Swap(true) }

func (c *cachedCollector) run(ctx context.Context) (collectorResult, error) {
	if kept := c.keptResult(); time.Since(kept.collected) < c.minInterval {
		return kept, nil
	}
	result, err := c.shared.do(ctx, c.update)
	if err != nil && result.collected.IsZero() {
		return c.partialResult(), err
	}
	return result, err
}

// partialResult has what the update in progress has read so far, for a scrape
// that cannot wait for the rest.
func (c *cachedCollector) partialResult() collectorResult {
	c.mu.Lock()
	current := c.current
	c.mu.Unlock()
	if current == nil {
		return collectorResult{}
	}
	return current.result()
}

func (c *cachedCollector) keptResult() collectorResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept
}

// sampleBuffer saves a collector from waiting for each of its samples to be kept.
const sampleBuffer = 256

// update returns the samples that the collector sent, also if it failed.
func (c *cachedCollector) update(ctx context.Context) (collectorResult, error) {
	current := &gathered{collected: time.Now(), samples: make([]prometheus.Metric, 0, c.size.Load())}
	c.mu.Lock()
	c.current = current
	c.mu.Unlock()

	ctx, cancel := withMargin(ctx)
	defer cancel()
	var err error
	if many, ok := c.collector.(blockCollector); ok {
		err = guard(func() error { return many.updateBlocks(ctx, current.addBlock) })
	} else {
		err = c.updateSamples(ctx, current)
	}
	result := current.result()
	c.size.Store(int64(len(result.samples)))
	if err == nil && c.minInterval > 0 {
		c.mu.Lock()
		c.kept = result
		c.mu.Unlock()
	}
	return result, err
}

func (c *cachedCollector) updateSamples(ctx context.Context, current *gathered) error {
	ch := make(chan prometheus.Metric, sampleBuffer)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sample := range ch {
			if !c.inputs.Exclude.has(sample) {
				current.add(sample)
			}
		}
	}()
	err := guard(func() error { return c.collector.Update(ctx, ch) })
	close(ch)
	<-done
	return err
}

// earlyContext ends a margin before its parent's deadline, which may move.
type earlyContext struct {
	context.Context                 //nolint:containedctx // it is a context itself
	parent          context.Context //nolint:containedctx // for its deadline
	margin          time.Duration
}

// withMargin leaves a collector time to send what it has read before the scrape
// ends.
func withMargin(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	deadline, ok := parent.Deadline()
	if !ok {
		return ctx, cancel
	}
	early := earlyContext{Context: ctx, parent: parent, margin: min(cancelGrace, time.Until(deadline)/10)}
	go func() {
		for {
			deadline, _ := early.Deadline()
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(deadline)):
			}
			if later, _ := early.Deadline(); !later.After(deadline) {
				cancel()
				return
			}
		}
	}()
	return early, cancel
}

// Deadline implements [context.Context].
func (c earlyContext) Deadline() (time.Time, bool) {
	deadline, ok := c.parent.Deadline()
	return deadline.Add(-c.margin), ok
}

// gathered are the samples of an update in progress.
type gathered struct {
	collected time.Time
	told      atomic.Bool // its failure has been logged

	mu      sync.Mutex
	samples []prometheus.Metric
	blocks  []*block
}

func (g *gathered) add(sample prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.samples = append(g.samples, sample)
}

func (g *gathered) addBlock(b *block) {
	if len(b.families) == 0 { // all samples are excluded
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blocks = append(g.blocks, b)
}

func (g *gathered) result() collectorResult {
	g.mu.Lock()
	defer g.mu.Unlock()
	return collectorResult{samples: slices.Clip(g.samples), blocks: sortedBlocks(g.blocks), collected: g.collected, told: &g.told}
}

// guard turns a panic of a collector into an error, so that the process and the
// other collectors continue.
func guard(update func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.Join(err, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	return update()
}
