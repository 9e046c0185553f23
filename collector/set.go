// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
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
		Help:      "Whether the collector delivered its samples in this scrape.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "hedera_scrape_collector_success == 0",
	})
	scrapeDuration = newGauge(Metric{
		Collector: "self",
		Name:      "scrape_collector_duration_seconds",
		Help:      "How long the collector took in this scrape.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "topk(3, hedera_scrape_collector_duration_seconds)",
	})
	scrapeCollected = newGauge(Metric{
		Collector: "self",
		Name:      "scrape_collector_collected_timestamp_seconds",
		Help:      "When the collector's samples in this scrape were read from the network: older than the scrape by up to the collector's min_interval.",
		Labels:    []string{"network", "collector"},
		Source:    "the exporter",
		Example:   "time() - hedera_scrape_collector_collected_timestamp_seconds",
	})
)

// Set is the collectors of all configured networks.
type Set struct {
	networks []Network
	rounds   []*round
	log      Logger
}

func (s *Set) add(network string, r Registration, c Collector, options Options) {
	s.rounds = append(s.rounds, &round{network: network, name: r.Name, collector: c, minInterval: r.minInterval(options.MinInterval)})
}

// Collect runs all collectors at once and sends the samples of those that
// succeed within ctx, and of each whether it did. It returns those that failed.
func (s *Set) Collect(ctx context.Context, ch chan<- prometheus.Metric) []Failure {
	succeeded := make([]bool, len(s.rounds))
	var wg sync.WaitGroup
	for i, r := range s.rounds {
		wg.Go(func() { succeeded[i] = s.collect(ctx, r, ch) })
	}
	wg.Wait()
	var failed []Failure
	for i, r := range s.rounds {
		if !succeeded[i] {
			failed = append(failed, Failure{r.network, r.name})
		}
	}
	return failed
}

// Close closes the networks' connections. No Collect may be under way.
func (s *Set) Close() {
	for _, network := range s.networks {
		network.Close()
	}
}

func (s *Set) collect(ctx context.Context, r *round, ch chan<- prometheus.Metric) (success bool) {
	start := time.Now()
	result, err := r.run(ctx)
	duration := time.Since(start)

	ch <- scrapeSuccess.sample(boolValue(err == nil), r.network, r.name)
	ch <- scrapeDuration.sample(duration.Seconds(), r.network, r.name)
	if err != nil {
		level.Error(s.log).Log("msg", "collector failed", "network", r.network, "collector", r.name, "duration", duration, "err", err)
		return false
	}
	ch <- scrapeCollected.sample(unixSeconds(result.collected), r.network, r.name)
	for _, sample := range result.samples {
		ch <- sample
	}
	return true
}

// round runs one collector for all scrapes that want it at the same time and
// keeps its samples for minInterval.
type round struct {
	network     string
	name        string
	collector   Collector
	minInterval time.Duration

	shared shared[roundResult]

	mu   sync.Mutex
	kept roundResult
}

type roundResult struct {
	samples   []prometheus.Metric
	collected time.Time
}

func (r *round) run(ctx context.Context) (roundResult, error) {
	if kept := r.keptResult(); time.Since(kept.collected) < r.minInterval {
		return kept, nil
	}
	return r.shared.do(ctx, r.update)
}

func (r *round) keptResult() roundResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

func (r *round) update(ctx context.Context) (roundResult, error) {
	result := roundResult{collected: time.Now()}
	ch := make(chan prometheus.Metric)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sample := range ch {
			result.samples = append(result.samples, sample)
		}
	}()
	err := guard(func() error { return r.collector.Update(ctx, ch) })
	close(ch)
	<-done
	if err != nil {
		return roundResult{}, err
	}
	if r.minInterval > 0 {
		r.mu.Lock()
		r.kept = result
		r.mu.Unlock()
	}
	return result, nil
}

// guard turns a panic of a collector into its error: the process and the other
// collectors go on.
func guard(update func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.Join(err, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	return update()
}

// unixSeconds is t as Prometheus' timestamps are: seconds since the epoch.
func unixSeconds(t time.Time) float64 {
	return float64(t.UnixNano()) / float64(time.Second)
}
