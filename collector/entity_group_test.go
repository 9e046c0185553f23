// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
)

// collectorFunc is a collector of one function.
type collectorFunc func(context.Context, chan<- prometheus.Metric) error

func (f collectorFunc) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	return f(ctx, ch)
}

func TestEntitiesAreIndependent(t *testing.T) {
	refused := errors.New("refused")
	set := &Set{log: log.NewNopLogger(), collectors: []*cachedCollector{{network: "simulated", name: "accounts", collector: collectorFunc(func(_ context.Context, ch chan<- prometheus.Metric) error {
		var group entityGroup
		for _, name := range []string{"a", "b", "c", "d"} {
			group.Go(func() error {
				switch name {
				case "b":
					return refused
				case "c":
					panic("odd row")
				}
				ch <- accountExists.sample(1, "simulated", "0.0.1", name)
				return nil
			})
		}
		group.miss(100, refused)
		return group.Wait()
	})}}}

	body := scrapeText(t, set, testDeadline)
	wantLines(t, body,
		`hedera_account_exists{account_id="0.0.1",name="a",network="simulated"} 1`,
		`hedera_account_exists{account_id="0.0.1",name="d",network="simulated"} 1`,
		`hedera_scrape_collector_success{collector="accounts",network="simulated"} 0`,
		`hedera_scrape_collector_incomplete{collector="accounts",network="simulated"} 102`,
	)
}

// TestShortDeadlineGetsWhatIsThere has two scrapes that share an update: the one
// with the shorter deadline shows what has arrived and does not stop the other.
func TestShortDeadlineGetsWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := &Set{log: log.NewNopLogger(), collectors: []*cachedCollector{{network: "simulated", name: "accounts", collector: collectorFunc(func(ctx context.Context, ch chan<- prometheus.Metric) error {
			ch <- accountExists.sample(1, "simulated", "0.0.1", "early")
			select {
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
			ch <- accountExists.sample(1, "simulated", "0.0.2", "late")
			return nil
		})}}}

		long := make(chan string)
		go func() { long <- scrapeText(t, set, 10*time.Second) }()
		time.Sleep(time.Second)
		short := scrapeText(t, set, time.Second)
		wantLines(t, short,
			`hedera_account_exists{account_id="0.0.1",name="early",network="simulated"} 1`,
			`hedera_scrape_collector_success{collector="accounts",network="simulated"} 0`,
			`hedera_scrape_collector_incomplete{collector="accounts",network="simulated"} 1`)
		if strings.Contains(short, `name="late"`) {
			t.Error("the short scrape has what had not arrived yet")
		}
		wantLines(t, <-long,
			`hedera_account_exists{account_id="0.0.2",name="late",network="simulated"} 1`,
			`hedera_scrape_collector_success{collector="accounts",network="simulated"} 1`,
			`hedera_scrape_collector_incomplete{collector="accounts",network="simulated"} 0`)
	})
}
