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

func TestFailingCollectorCostsItsOwnSamplesOnly(t *testing.T) {
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
				err := testutil.GatherAndCompare(set.Gatherer(ctx), strings.NewReader(`
# HELP hedera_address_book_nodes Number of nodes in the address book.
# TYPE hedera_address_book_nodes gauge
hedera_address_book_nodes{network="test"} 1
# HELP hedera_scrape_collector_success Whether the collector succeeded in this scrape.
# TYPE hedera_scrape_collector_success gauge
hedera_scrape_collector_success{collector="bad",network="test"} 0
hedera_scrape_collector_success{collector="good",network="test"} 1
`), "hedera_address_book_nodes", "hedera_address_book_fetched_timestamp_seconds", "hedera_scrape_collector_success")
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
		if result, err := c.run(t.Context()); err == nil || result.samples != nil {
			t.Error("a failed update gave the samples of an earlier one")
		}
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
