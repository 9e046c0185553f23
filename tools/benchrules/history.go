// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const blockLength = 2 * time.Hour

// history is what Prometheus has stored of the accounts of one network.
type history struct {
	accounts, counted int
	length, interval  time.Duration
}

// series is one of the history, with a sample each step.
type series struct {
	labels labels.Labels
	step   time.Duration
	value  func(time.Time) float64
	ref    storage.SeriesRef
}

func constant(v float64) func(time.Time) float64 {
	return func(time.Time) float64 { return v }
}

// series are those that rules of accounts read: what the exporter shows, and of
// what the rules record, that which they read again later.
func (h history) series() []*series {
	var all []*series
	add := func(step time.Duration, value func(time.Time) float64, pairs ...string) {
		all = append(all, &series{labels: labels.FromStrings(pairs...), step: step, value: value})
	}
	for i := range h.accounts {
		id, name := fmt.Sprintf("0.0.%d", 1001+i), fmt.Sprintf("account-%d", 1001+i)
		scraped := func(metric string, value func(time.Time) float64, pairs ...string) {
			add(h.interval, value, append([]string{
				labels.MetricName, metric, "network", "mainnet", "account_id", id, "name", name, "job", "hedera", "instance", "a",
			}, pairs...)...)
		}
		recorded := func(metric string, step time.Duration, value func(time.Time) float64, pairs ...string) {
			add(step, value, append([]string{labels.MetricName, metric, "network", "mainnet", "account_id", id, "name", name}, pairs...)...)
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
		scraped("hedera_account_heartbeat_seconds", constant(86400))
		scraped("hedera_account_key_info", constant(1), key...)
		scraped("hedera_account_info", constant(1), append(stake, "evm_address", fmt.Sprintf("0x%040x", i), "key_type", "ED25519", "memo", "")...)
		if i < h.counted {
			scraped("hedera_account_last_transaction_timestamp_seconds", func(t time.Time) float64 { return float64(t.Unix() - 5) })
			for _, kind := range []string{"CRYPTOTRANSFER", "CONTRACTCALL"} {
				scraped("hedera_account_transactions_total", func(t time.Time) float64 { return float64(t.Unix() % (90 * 86400) / 10) }, "type", kind, "result", "SUCCESS")
				scraped("hedera_account_transactions_total", constant(3), "type", kind, "result", "INSUFFICIENT_PAYER_BALANCE")
			}
			recorded("account:hedera_account_transactions:rate15m_every5m", 5*time.Minute, constant(0.1))
		}
		recorded("account:hedera_account_exists:max", time.Minute, constant(1))
		recorded("account:hedera_account_balance_hbar:every5m", 5*time.Minute, balance)
		recorded("account:hedera_account_key_info:every5m", 5*time.Minute, constant(1), key...)
		recorded("account:hedera_account_info:every5m", 5*time.Minute, constant(1), stake...)
		if i%3 == 0 {
			recorded("account:hedera_account_balance_hbar:change_ratio1h", 5*time.Minute, constant(-0.001))
		}
	}
	add(h.interval, func(t time.Time) float64 { return float64(t.Unix() - 5) },
		labels.MetricName, "hedera_mirror_latest_block_timestamp_seconds", "network", "mainnet", "job", "hedera", "instance", "a")
	return all
}

// write writes blocks up to now, and returns how many samples there are.
func (h history) write(ctx context.Context, directory string) (samples int, err error) {
	all := h.series()
	from := time.Now().Add(-h.length).Truncate(h.interval)
	for begin := from; !begin.After(time.Now()); begin = begin.Truncate(blockLength).Add(blockLength) {
		n, err := h.writeBlock(ctx, directory, all, begin)
		if err != nil {
			return 0, err
		}
		samples += n
	}
	return samples, nil
}

// writeBlock writes what there is from begin to the end of its two hours, or now.
func (h history) writeBlock(ctx context.Context, directory string, all []*series, begin time.Time) (samples int, err error) {
	writer, err := tsdb.NewBlockWriter(slog.New(slog.NewTextHandler(io.Discard, nil)), directory, blockLength.Milliseconds())
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		s.ref = 0
	}
	end := begin.Truncate(blockLength).Add(blockLength)
	for t := begin.Truncate(h.interval); t.Before(end) && !t.After(time.Now()); t = t.Add(h.interval) {
		if t.Before(begin) {
			continue
		}
		appender := writer.Appender(ctx)
		for _, s := range all {
			if t.UnixNano()%int64(s.step) != 0 {
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
	if _, err := writer.Flush(ctx); err != nil {
		return 0, err
	}
	return samples, writer.Close()
}
