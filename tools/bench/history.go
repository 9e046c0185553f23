// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package bench makes a history of watched accounts and runs a Prometheus on it.
package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
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

// network and exporter are where all of the history comes from.
const (
	network  = "mainnet"
	job      = "hedera"
	instance = "a"
)

// History is what Prometheus has stored of the accounts of one network.
type History struct {
	Accounts int           // that are watched
	Counted  int           // of them, those whose transactions are counted
	Low      int           // of them, those with less than their minimum
	Length   time.Duration // how long they have been watched
	Interval time.Duration // of scrapes
	Sparse   time.Duration // of those of accounts after the first hundred, if it is not the same
	Ahead    time.Duration // how long the history goes on after now: writing it takes time
	Scrape   string        // a file with a scrape, whose other series are there too
	// Reach is how far back each metric of accounts is read. What is older is left
	// out, and so is a metric that nothing reads; where it is nil, all is there.
	Reach map[string]time.Duration
}

// beforeReach is how much older than what is read the history is: longer than a
// chunk of 120 samples, whose beginning is read with the rest of it.
const beforeReach = time.Hour

// series is one of the history, with a sample each step.
type series struct {
	labels labels.Labels
	step   time.Duration
	begin  time.Time // of its samples; that of the history where it is zero
	value  func(time.Time) float64
	ref    storage.SeriesRef
}

func constant(v float64) func(time.Time) float64 {
	return func(time.Time) float64 { return v }
}

func unix(t time.Time) float64 { return float64(t.Unix()) }

// series are those of accounts: what the exporter shows, and of what the rules
// record, that which is read again later.
func (h History) series() []*series {
	var all []*series
	now := time.Now()
	add := func(step time.Duration, value func(time.Time) float64, pairs ...string) {
		s := &series{labels: labels.FromStrings(pairs...), step: step, value: value}
		if h.Reach != nil {
			reach, read := h.Reach[s.labels.Get(model.MetricNameLabel)]
			if !read {
				return
			}
			s.begin = now.Add(-min(h.Length, reach+beforeReach))
		}
		all = append(all, s)
	}
	for i := range h.Accounts {
		id, name := accountID(i), accountName(i)
		scraped := func(metric string, value func(time.Time) float64, pairs ...string) {
			add(h.every(i), value, append([]string{
				model.MetricNameLabel, metric, "network", network, "account_id", id, "name", name, "job", job, "instance", instance,
			}, pairs...)...)
		}
		recorded := func(metric string, step time.Duration, value func(time.Time) float64, pairs ...string) {
			add(step, value, append([]string{model.MetricNameLabel, metric, "network", network, "account_id", id, "name", name}, pairs...)...)
		}
		balance := constant(5000)
		if i < h.Low { // and falls
			balance = func(t time.Time) float64 { return 50 - float64(t.Unix()%(30*86400))/1e5 }
		} else if i%3 == 0 { // one in three pays something each five minutes
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
		if i < h.Counted {
			scraped("hedera_account_heartbeat_seconds", constant(86400))
			scraped("hedera_account_last_transaction_timestamp_seconds", func(t time.Time) float64 { return float64(t.Unix() - 5) })
			for _, kind := range []string{"CRYPTOTRANSFER", "CONTRACTCALL"} {
				scraped("hedera_account_transactions_total", func(t time.Time) float64 { return float64(t.Unix() % (90 * 86400) / 10) }, "type", kind, "result", "SUCCESS")
				scraped("hedera_account_transactions_total", constant(3), "type", kind, "result", "INSUFFICIENT_PAYER_BALANCE")
				recorded("account_type_result:hedera_account_transactions:rate15m", time.Minute, constant(0.1), "type", kind, "result", "SUCCESS")
				recorded("account_type_result:hedera_account_transactions:rate15m", time.Minute, constant(0), "type", kind, "result", "INSUFFICIENT_PAYER_BALANCE")
			}
			recorded("account:hedera_account_transactions:failure_ratio15m", time.Minute, constant(0))
			recorded("account:hedera_account_transactions:rate15m_every15m", 15*time.Minute, constant(0.1))
		}
		recorded("account:hedera_account_balance_hbar:max", h.every(i), balance)
		recorded("account:hedera_account_key_info:last_seen", 5*time.Minute, unix, key...)
		recorded("account:hedera_account_info:last_seen", 5*time.Minute, unix, stake...)
		if i < h.Low || i%3 == 0 {
			recorded("account:hedera_account_balance_hbar:moving", 5*time.Minute, balance)
		}
		if i%100 == 0 {
			recorded("account:hedera_account_balance_hbar:drop_ratio1h", 5*time.Minute, constant(0.3))
		}
	}
	add(h.Interval, func(t time.Time) float64 { return float64(t.Unix() - 5) },
		model.MetricNameLabel, "hedera_mirror_latest_block_timestamp_seconds", "network", network, "job", job, "instance", instance)
	return all
}

// templateAccount is the account of the scrape whose series each account gets.
// Those of what is counted go to counted accounts only.
const templateAccount = "0.0.1001"

var countedOnly = regexp.MustCompile(`transaction|transferred|fees|inactive|allowance|_token_`)

// scraped are the series of the scrape that are not in the history already:
// those of the template account for each account, and those of no account.
func (h History) scraped(already []*series) ([]*series, error) {
	content, err := os.ReadFile(h.Scrape)
	if err != nil {
		return nil, err
	}
	// The golden scrape says VOLATILE for what differs each time.
	families, err := readScrape(bytes.ReplaceAll(content, []byte(" VOLATILE"), []byte(" NaN")))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.Scrape, err)
	}
	made := map[string]bool{}
	for _, s := range already {
		made[s.labels.Get(model.MetricNameLabel)] = true
	}
	var all []*series
	for _, template := range families {
		name := template.labels.Get(model.MetricNameLabel)
		if made[name] {
			continue
		}
		if !template.labels.Has("account_id") {
			all = append(all, template.of(h.Interval, nil))
			continue
		}
		if template.labels.Get("account_id") != templateAccount {
			continue
		}
		accounts := h.Accounts
		if countedOnly.MatchString(name) {
			accounts = h.Counted
		}
		for i := range accounts {
			all = append(all, template.of(h.every(i), map[string]string{"account_id": accountID(i), "name": accountName(i)}))
		}
	}
	return append(all, h.others()...), nil
}

// others are what Prometheus and rules add to the scrape.
func (h History) others() (all []*series) {
	for name, value := range ofTarget {
		pairs := []string{model.MetricNameLabel, name, "job", job, "instance", instance}
		if name == "hedera_exporter_build_info" {
			pairs = append(pairs, "version", "1.0.0", "revision", "0123456789", "goversion", "go1.26")
		}
		all = append(all, &series{labels: labels.FromStrings(pairs...), step: h.Interval, value: value})
	}
	for name, value := range ofRelay {
		for _, method := range []string{"eth_chainId", "eth_blockNumber"} {
			all = append(all, &series{step: h.Interval, value: value, labels: labels.FromStrings(model.MetricNameLabel, name,
				"network", network, "relay", "hashio", "method", method, "job", "relay_"+method, "instance", "https://relay")})
		}
	}
	for i := range h.Low {
		all = append(all, &series{step: h.Interval, value: constant(1), labels: labels.FromStrings(
			model.MetricNameLabel, "ALERTS", "alertname", "HederaAccountBalanceLow", "alertstate", "firing", "severity", "warning",
			"subject", "account", "network", network, "account_id", accountID(i), "name", accountName(i))})
	}
	return all
}

// ofTarget are what Prometheus and the client library add to a scrape.
var ofTarget = map[string]func(time.Time) float64{
	"up":                                   constant(1),
	"scrape_duration_seconds":              constant(1),
	"scrape_samples_scraped":               constant(200_000),
	"hedera_exporter_build_info":           constant(1),
	"go_goroutines":                        constant(30),
	"go_memstats_heap_inuse_bytes":         constant(1 << 27),
	"process_resident_memory_bytes":        constant(1 << 28),
	"process_open_fds":                     constant(200),
	"process_max_fds":                      constant(1024),
	"process_start_time_seconds":           constant(1.7e9),
	"process_cpu_seconds_total":            func(t time.Time) float64 { return float64(t.Unix()%(90*86400)) / 20 },
	"promhttp_metric_handler_errors_total": constant(0),
}

// ofRelay are what blackbox_exporter shows of a relay.
var ofRelay = map[string]func(time.Time) float64{
	"probe_success":          constant(1),
	"probe_duration_seconds": constant(0.2),
	"probe_http_status_code": constant(200),
}

func readScrape(content []byte) ([]*series, error) {
	p := textparse.NewPromParser(content, labels.NewSymbolTable(), false)
	counters := map[string]bool{}
	var all []*series
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		switch entry { //nolint:exhaustive // the others say nothing
		case textparse.EntryType:
			name, kind := p.Type()
			counters[string(name)] = kind == model.MetricTypeCounter || kind == model.MetricTypeHistogram
		case textparse.EntrySeries:
			_, _, value := p.Series()
			var l labels.Labels
			p.Labels(&l)
			name := l.Get(model.MetricNameLabel)
			family := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
			all = append(all, &series{labels: l, value: alive(name, value, counters[name] || counters[family])})
		}
	}
}

// alive lets counters grow, and times that were the clock's stay so.
func alive(name string, value float64, counter bool) func(time.Time) float64 {
	const clock = 4070908800 // of the scrape, in 2099
	isTime := strings.HasSuffix(name, "_timestamp_seconds") || name == "process_start_time_seconds"
	if math.IsNaN(value) {
		value = 1
		if isTime {
			value = clock - 3600
		}
	}
	switch {
	case counter:
		return func(t time.Time) float64 { return value * (1 + float64(t.Unix()%(90*86400))/60) }
	case isTime && math.Abs(value-clock) < 86400:
		return func(t time.Time) float64 { return float64(t.Unix()) + min(value-clock, 0) }
	}
	return constant(value)
}

// of is the series of the history by that of the scrape.
func (s *series) of(step time.Duration, replaced map[string]string) *series {
	b := labels.NewBuilder(s.labels).Set("job", job).Set("instance", instance)
	if s.labels.Has("network") {
		b.Set("network", network)
	}
	for name, value := range replaced {
		b.Set(name, value)
	}
	return &series{labels: b.Labels(), step: step, value: s.value}
}

// every is how often the account is scraped.
func (h History) every(account int) time.Duration {
	if h.Sparse > 0 && account >= 100 {
		return h.Sparse
	}
	return h.Interval
}

func accountID(i int) string   { return fmt.Sprintf("0.0.%d", 1001+i) }
func accountName(i int) string { return fmt.Sprintf("account-%d", 1001+i) }

// Write writes blocks, and the last two hours as Prometheus has them: in its
// head. It returns how many samples there are.
func (h History) Write(ctx context.Context, directory string) (samples int, err error) {
	db, samples, err := h.Open(ctx, directory)
	if err != nil {
		return 0, err
	}
	return samples, db.Close()
}

// Open does what Write does, and leaves the database open for the caller.
func (h History) Open(ctx context.Context, directory string) (_ *tsdb.DB, samples int, err error) {
	all := h.series()
	if h.Scrape != "" {
		more, err := h.scraped(all)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, more...)
	}
	// From the beginning of a block that is compacted.
	block := blockLengths[1]
	if h.Length < 2*block {
		block = blockLengths[2]
	}
	begin := time.Unix(0, time.Now().Add(-h.Length).UnixNano()/int64(block)*int64(block))
	for begin.Before(time.Now().Add(-2 * time.Hour)) {
		end := begin.Add(blockLength(begin, time.Now()))
		n, err := h.writeBlock(ctx, directory, all, begin, end)
		if err != nil {
			return nil, 0, err
		}
		samples += n
		begin = end
	}
	db, err := tsdb.Open(directory, nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		return nil, 0, err
	}
	db.DisableCompactions()
	n, err := h.append(ctx, db, all, begin, time.Now().Add(blockLengths[0]))
	if err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return db, samples + n, nil
}

// writeBlock writes what there is from begin to end, or now.
func (h History) writeBlock(ctx context.Context, directory string, all []*series, begin, end time.Time) (samples int, err error) {
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

// append appends what there is from begin to end, or to now and what is ahead.
func (h History) append(ctx context.Context, to storage.Appendable, all []*series, begin, end time.Time) (samples int, err error) {
	for _, s := range all {
		s.ref = 0
	}
	for t := begin; t.Before(end) && !t.After(time.Now().Add(h.Ahead)); t = t.Add(h.Interval) {
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
