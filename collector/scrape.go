// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Scrape is the result of a scrape of a Set. As a prometheus.Collector it sends
// the samples of all collectors, and of each whether it read all that it was
// asked for.
type Scrape []scraped

// scraped is the result of one collector.
type scraped struct {
	network   string
	collector string
	duration  time.Duration
	result    collectorResult
	err       error
}

// Failure names a collector that failed in a scrape.
type Failure struct {
	Network   string
	Collector string
}

// Failed returns the collectors that failed.
func (s Scrape) Failed() []Failure {
	var failed []Failure
	for _, r := range s {
		if r.err != nil {
			failed = append(failed, Failure{r.network, r.collector})
		}
	}
	return failed
}

// Describe sends nothing: which families a scrape has depends on the network.
func (Scrape) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s Scrape) Collect(ch chan<- prometheus.Metric) {
	for sample := range s.samples {
		ch <- sample
	}
}

// samples are those of all collectors, in no order.
func (s Scrape) samples(yield func(prometheus.Metric) bool) {
	for _, r := range s {
		for _, sample := range r.own() {
			if !yield(sample) {
				return
			}
		}
		for sample := range r.result.all {
			if !yield(sample) {
				return
			}
		}
	}
}

// own are the samples about the collector.
func (r scraped) own() []prometheus.Metric {
	own := []prometheus.Metric{
		scrapeSuccess.sample(boolValue(r.err == nil), r.network, r.collector),
		scrapeDuration.sample(r.duration.Seconds(), r.network, r.collector),
		scrapeIncomplete.sample(float64(missing(r.err)), r.network, r.collector),
	}
	if !r.result.isEmpty() || r.err == nil {
		own = append(own, scrapeCollected.sample(unixSeconds(r.result.collected), r.network, r.collector))
	}
	return own
}

// Gatherer scrapes and returns a gatherer of the result.
func (s *Set) Gatherer(ctx context.Context) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.Scrape(ctx))
	return registry
}
