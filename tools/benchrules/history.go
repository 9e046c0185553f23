// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// blockLengths are those of Prometheus' compaction, largest first.
var blockLengths = []time.Duration{18 * time.Hour, 6 * time.Hour, 2 * time.Hour}

// blockLength is how long the block is that begins then.
func blockLength(begin, now time.Time) time.Duration {
	for _, length := range blockLengths {
		if begin.UnixNano()%int64(length) == 0 && begin.Add(length+2*time.Hour).Before(now) {
			return length
		}
	}
	return blockLengths[len(blockLengths)-1]
}

// history is what Prometheus has stored of the accounts of one network.
type history struct {
	accounts, counted int
	length, interval  time.Duration
	// reach is how far back a rule reads a metric. What is older is left out, and
	// so is a metric that no rule reads.
	reach map[string]time.Duration
}

// beforeReach is how much older than what is read the history is: longer than a
// chunk of 120 samples, whose beginning is read with the rest of it.
const beforeReach = time.Hour

// series is one of the history, with a sample each step.
type series struct {
	labels labels.Labels
	step   time.Duration
	begin  time.Time
	value  func(time.Time) float64
	ref    storage.SeriesRef
}

func constant(v float64) func(time.Time) float64 {
	return func(time.Time) float64 { return v }
}

func unix(t time.Time) float64 { return float64(t.Unix()) }

// series are those that rules of accounts read: what the exporter shows, and of
// what the rules record, that which they read again later.
func (h history) series() []*series {
	var all []*series
	now := time.Now()
	add := func(step time.Duration, value func(time.Time) float64, pairs ...string) {
		s := &series{labels: labels.FromStrings(pairs...), step: step, value: value}
		if reach, read := h.reach[s.labels.Get(model.MetricNameLabel)]; read {
			s.begin = now.Add(-min(h.length, reach+beforeReach))
			all = append(all, s)
		}
	}
	for i := range h.accounts {
		id, name := fmt.Sprintf("0.0.%d", 1001+i), fmt.Sprintf("account-%d", 1001+i)
		scraped := func(metric string, value func(time.Time) float64, pairs ...string) {
			add(h.interval, value, append([]string{
				model.MetricNameLabel, metric, "network", "mainnet", "account_id", id, "name", name, "job", "hedera", "instance", "a",
			}, pairs...)...)
		}
		recorded := func(metric string, step time.Duration, value func(time.Time) float64, pairs ...string) {
			add(step, value, append([]string{model.MetricNameLabel, metric, "network", "mainnet", "account_id", id, "name", name}, pairs...)...)
		}
		balance := constant(5000)
		if i%3 == 0 { // one in three pays something each five minutes
			balance = func(t time.Time) float64 { return 1e6 - float64(t.Unix()%(30*86400)/300) }
		}
		key := []string{"key_type", "ED25519", "key_fingerprint", fmt.Sprintf("%016x", i)}
		stake := []string{"staked_node_id", "3", "staked_account_id", ""}

		scraped("hedera_account_balance_hbar", balance)
		scraped("hedera_account_balance_minimum_hbar", constant(100), "severity", "warning")
		scraped("hedera_account_balance_minimum_hbar", constant(10), "severity", "critical")
		scraped("hedera_account_exists", constant(1))
		scraped("hedera_account_deleted", constant(0))
		scraped("hedera_account_expiry_timestamp_seconds", constant(4e9))
		scraped("hedera_account_pending_reward_hbar", constant(float64(i%2)))
		scraped("hedera_account_key_info", constant(1), key...)
		scraped("hedera_account_info", constant(1), append(stake, "evm_address", fmt.Sprintf("0x%040x", i), "key_type", "ED25519", "memo", "")...)
		if i < h.counted {
			scraped("hedera_account_heartbeat_seconds", constant(86400))
			scraped("hedera_account_last_transaction_timestamp_seconds", func(t time.Time) float64 { return float64(t.Unix() - 5) })
			for _, kind := range []string{"CRYPTOTRANSFER", "CONTRACTCALL"} {
				scraped("hedera_account_transactions_total", func(t time.Time) float64 { return float64(t.Unix() % (90 * 86400) / 10) }, "type", kind, "result", "SUCCESS")
				scraped("hedera_account_transactions_total", constant(3), "type", kind, "result", "INSUFFICIENT_PAYER_BALANCE")
			}
			recorded("account:hedera_account_transactions:rate15m_every15m", 15*time.Minute, constant(0.1))
		}
		recorded("account:hedera_account_balance_hbar:max", h.interval, balance)
		recorded("account:hedera_account_key_info:last_seen", 5*time.Minute, unix, key...)
		recorded("account:hedera_account_info:last_seen", 5*time.Minute, unix, stake...)
		if i%3 == 0 {
			recorded("account:hedera_account_balance_hbar:moving", 5*time.Minute, balance)
		}
		if i%100 == 0 {
			recorded("account:hedera_account_balance_hbar:drop_ratio1h", 5*time.Minute, constant(0.3))
		}
	}
	add(h.interval, func(t time.Time) float64 { return float64(t.Unix() - 5) },
		model.MetricNameLabel, "hedera_mirror_latest_block_timestamp_seconds", "network", "mainnet", "job", "hedera", "instance", "a")
	return all
}

// write writes blocks, and the last two hours as Prometheus has them: in its
// head. It returns how many samples there are.
func (h history) write(ctx context.Context, directory string) (db *tsdb.DB, samples int, err error) {
	all := h.series()
	// From the beginning of a block that is compacted.
	begin := time.Unix(0, time.Now().Add(-h.length).UnixNano()/int64(6*time.Hour)*int64(6*time.Hour))
	for begin.Before(time.Now().Add(-2 * time.Hour)) {
		end := begin.Add(blockLength(begin, time.Now()))
		n, err := h.writeBlock(ctx, directory, all, begin, end)
		if err != nil {
			return nil, 0, err
		}
		samples += n
		begin = end
	}
	if db, err = tsdb.Open(directory, nil, nil, tsdb.DefaultOptions(), nil); err != nil {
		return nil, 0, err
	}
	db.DisableCompactions()
	n, err := h.append(ctx, db, all, begin, time.Now().Add(blockLengths[0]))
	return db, samples + n, err
}

// writeBlock writes what there is from begin to end, or now.
func (h history) writeBlock(ctx context.Context, directory string, all []*series, begin, end time.Time) (samples int, err error) {
	writer, err := tsdb.NewBlockWriter(slog.New(slog.NewTextHandler(io.Discard, nil)), directory, end.Sub(begin).Milliseconds())
	if err != nil {
		return 0, err
	}
	if samples, err = h.append(ctx, writer, all, begin, end); err != nil {
		return 0, err
	}
	if _, err := writer.Flush(ctx); err != nil {
		return 0, err
	}
	return samples, writer.Close()
}

// append appends what there is from begin to end, or now.
func (h history) append(ctx context.Context, to storage.Appendable, all []*series, begin, end time.Time) (samples int, err error) {
	for _, s := range all {
		s.ref = 0
	}
	for t := begin; t.Before(end) && !t.After(time.Now()); t = t.Add(h.interval) {
		appender := to.Appender(ctx)
		for _, s := range all {
			if t.Before(s.begin) || t.UnixNano()%int64(s.step) != 0 {
				continue
			}
			if s.ref, err = appender.Append(s.ref, s.labels, t.UnixMilli(), s.value(t)); err != nil {
				return 0, fmt.Errorf("%s: %w", s.labels, err)
			}
			samples++
		}
		if err := appender.Commit(); err != nil {
			return 0, err
		}
	}
	return samples, nil
}
