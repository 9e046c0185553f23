// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

type updateFunc func(context.Context, chan<- prometheus.Metric) error

func (f updateFunc) Update(ctx context.Context, ch chan<- prometheus.Metric) error { return f(ctx, ch) }

func sendOne(_ context.Context, ch chan<- prometheus.Metric) error {
	ch <- bookNodes.sample(1, "test")
	return nil
}

func newTestSet(collectors ...*cachedCollector) *Set {
	for i, c := range collectors {
		c.network = "test"
		if c.name == "" {
			c.name = fmt.Sprintf("c%d", i)
		}
	}
	return &Set{collectors: collectors, log: log.NewNopLogger()}
}

// TestFailingCollector shows what it sent before it failed.
func TestFailingCollector(t *testing.T) {
	const sent = `
# HELP hedera_address_book_fetched_timestamp_seconds When the address book was last read.
# TYPE hedera_address_book_fetched_timestamp_seconds gauge
hedera_address_book_fetched_timestamp_seconds{network="test"} 1
`
	failures := map[string]updateFunc{
		"error": func(_ context.Context, ch chan<- prometheus.Metric) error {
			ch <- bookFetched.sample(1, "test")
			return errors.New("no")
		},
		"panic": func(_ context.Context, ch chan<- prometheus.Metric) error {
			ch <- bookFetched.sample(1, "test")
			panic("no")
		},
		"hang": func(ctx context.Context, ch chan<- prometheus.Metric) error {
			ch <- bookFetched.sample(1, "test")
			<-ctx.Done()
			return ctx.Err()
		},
		"hang that ignores its context": func(context.Context, chan<- prometheus.Metric) error {
			time.Sleep(time.Hour)
			return nil
		},
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := newTestSet(&cachedCollector{name: "bad", collector: fail}, &cachedCollector{name: "good", collector: updateFunc(sendOne)})
				ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
				defer cancel()
				sent := sent
				if strings.HasSuffix(name, "ignores its context") {
					sent = ""
				}
				err := testutil.GatherAndCompare(set.Gatherer(ctx), strings.NewReader(sent+`
# HELP hedera_address_book_nodes Number of nodes in the address book.
# TYPE hedera_address_book_nodes gauge
hedera_address_book_nodes{network="test"} 1
# HELP hedera_scrape_collector_incomplete Number of the collector's entities (accounts, tokens, nodes, ...) that are missing from this scrape because they could not be read; 1 if the whole collector failed.
# TYPE hedera_scrape_collector_incomplete gauge
hedera_scrape_collector_incomplete{collector="bad",network="test"} 1
hedera_scrape_collector_incomplete{collector="good",network="test"} 0
# HELP hedera_scrape_collector_success Whether the collector succeeded in this scrape.
# TYPE hedera_scrape_collector_success gauge
hedera_scrape_collector_success{collector="bad",network="test"} 0
hedera_scrape_collector_success{collector="good",network="test"} 1
`), "hedera_address_book_nodes", "hedera_address_book_fetched_timestamp_seconds", "hedera_scrape_collector_success", "hedera_scrape_collector_incomplete")
				if err != nil {
					t.Error(err)
				}
				time.Sleep(time.Hour) // for the collector that goes on by itself
			})
		})
	}
}

func TestSamplesAreKeptForTheMinInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		var failure error
		c := &cachedCollector{minInterval: time.Minute, collector: updateFunc(func(_ context.Context, ch chan<- prometheus.Metric) error {
			calls++
			ch <- bookNodes.sample(float64(calls), "test")
			return failure
		})}
		newTestSet(c)
		first, err := c.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		kept, err := c.run(t.Context())
		if err != nil || calls != 1 || !kept.collected.Equal(first.collected) {
			t.Errorf("within the interval: %d calls, collected %s, error %v", calls, kept.collected, err)
		}
		time.Sleep(time.Second)
		if _, err := c.run(t.Context()); err != nil || calls != 2 {
			t.Errorf("after the interval: %d calls, error %v", calls, err)
		}
		time.Sleep(time.Minute)
		failure = errors.New("no")
		if result, err := c.run(t.Context()); err == nil || len(result.samples) != 1 || gaugeValue(t, result.samples[0]) != 3 {
			t.Errorf("a failed update did not give its own sample, but %v, %v", result.samples, err)
		}
		if kept, err := c.run(t.Context()); err == nil || calls != 4 || gaugeValue(t, kept.samples[0]) != 4 {
			t.Error("the samples of a failed update were kept")
		}
	})
}

func gaugeValue(t *testing.T, sample prometheus.Metric) float64 {
	t.Helper()
	var metric dto.Metric
	if err := sample.Write(&metric); err != nil {
		t.Fatal(err)
	}
	return metric.GetGauge().GetValue()
}

// TestWhatWasReadBeforeTheDeadline has two scrapes at once of a collector that
// sends what it has read only when its context ends, as all do that ask for 100
// entities at a time.
func TestWhatWasReadBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newTestSet(&cachedCollector{collector: updateFunc(func(ctx context.Context, ch chan<- prometheus.Metric) error {
			<-ctx.Done()
			_ = sendOne(ctx, ch)
			return ctx.Err()
		})})
		var wg sync.WaitGroup
		for _, timeout := range []time.Duration{9 * time.Second, 8 * time.Second, 9 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			wg.Go(func() {
				scrape := set.Scrape(ctx)
				if got := len(scrape[0].result.samples); timeout == 9*time.Second && got != 1 {
					t.Errorf("%d samples, want the one that was read", got)
				}
				if scrape[0].duration > timeout {
					t.Errorf("the scrape took %s of %s", scrape[0].duration, timeout)
				}
			})
		}
		wg.Wait()
	})
}

// TestSharedFailureIsLoggedOnce has scrapes at the same time, the last of which
// has the longest deadline.
func TestSharedFailureIsLoggedOnce(t *testing.T) {
	fail := updateFunc(func(context.Context, chan<- prometheus.Metric) error {
		time.Sleep(time.Second)
		return errors.New("503 of the mirror")
	})
	tests := []struct {
		name      string
		collector updateFunc
		deadlines []time.Duration
		err       string
	}{
		{"error", fail, []time.Duration{9 * time.Second, 9 * time.Second}, "503 of the mirror"},
		{"one scrape leaves", fail, []time.Duration{time.Millisecond, 9 * time.Second}, "503 of the mirror"},
		{"deadline of all", func(ctx context.Context, _ chan<- prometheus.Metric) error {
			<-ctx.Done()
			return errors.New("no answer in time")
		}, []time.Duration{9 * time.Second, 9 * time.Second, 9 * time.Second}, "no answer in time"},
		{"collector that does not end", func(context.Context, chan<- prometheus.Metric) error {
			time.Sleep(time.Hour)
			return nil
		}, []time.Duration{9 * time.Second, 9 * time.Second}, "context deadline exceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				set := newTestSet(&cachedCollector{collector: test.collector})
				set.log = level.NewFilter(log.NewSyncLogger(log.NewLogfmtLogger(&logged)), level.AllowInfo())
				for round := range 2 {
					logged.Reset()
					var scrapes sync.WaitGroup
					for _, deadline := range test.deadlines {
						ctx, cancel := context.WithTimeout(t.Context(), deadline)
						defer cancel()
						scrapes.Go(func() {
							if failed := set.Scrape(ctx).Failed(); len(failed) != 1 {
								t.Errorf("failed: %v", failed)
							}
						})
					}
					scrapes.Wait()
					if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, test.err) {
						t.Errorf("round %d logged, want one line with %q:\n%s", round, test.err, text)
					}
					time.Sleep(time.Hour)
				}
			})
		})
	}
}

func TestCollectorsRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := updateFunc(func(context.Context, chan<- prometheus.Metric) error {
			time.Sleep(time.Second)
			return nil
		})
		set := newTestSet(&cachedCollector{collector: slow}, &cachedCollector{collector: slow}, &cachedCollector{collector: slow})
		start := time.Now()
		if _, err := set.Gatherer(t.Context()).Gather(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("three collectors of a second each took %s", took)
		}
	})
}
