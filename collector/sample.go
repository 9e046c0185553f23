// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

// This file has what several collectors share.

const (
	tinybarPerHbar = 100_000_000
	maxExact       = 1 << 53 // float64 has all integers up to this one

	// Maximum lengths of label values, in characters.
	textLength        = 64
	descriptionLength = 100

	// maxOfAccount bounds the lists of an account, such as its tokens. A page of
	// 100 has one row more, which shows whether there are more.
	maxOfAccount = 99
)

var (
	networkLabel  = []string{"network"}
	accountLabels = []string{"network", "account_id", "name"}
)

const accountIDLabel = 1 // of accountLabels

// with returns labels followed by more, and leaves labels as they are.
func with(labels []string, more ...string) []string {
	return slices.Concat(labels, more)
}

// sample makes one sample; labels follow the declaration's order.
func (m constMetric) sample(value float64, labels ...string) prometheus.Metric {
	return m.newSample(value, 0, newLabelValues(labels))
}

// of makes one sample whose labels others have, too.
func (m constMetric) of(labels *labelValues, value float64) prometheus.Metric {
	return m.newSample(value, 0, labels)
}

// sent returns the samples that send sends.
func sent(send func(ch chan<- prometheus.Metric)) ([]prometheus.Metric, error) {
	ch := make(chan prometheus.Metric)
	failed := make(chan error, 1)
	go func() {
		defer close(ch)
		failed <- guard(func() error { send(ch); return nil })
	}()
	var samples []prometheus.Metric
	for metric := range ch {
		samples = append(samples, metric)
	}
	return samples, <-failed
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unixSeconds is t in seconds since the epoch.
func unixSeconds(t time.Time) float64 {
	// UnixNano ends in 2262; a certificate may be valid until 9999.
	return float64(t.Unix()) + float64(t.Nanosecond())/float64(time.Second)
}

// hbar converts an amount from tinybar: 1 hbar is 100,000,000 tinybar. Beyond
// 2^53 tinybar the result is rounded to the precision of a float64
// (docs/hedera.md 5), so differences must be taken before the conversion.
func hbar(tinybar int64) float64 {
	if -maxExact <= tinybar && tinybar <= maxExact {
		return float64(tinybar) / tinybarPerHbar
	}
	// Dividing a rounded numerator would round twice.
	return float64(tinybar/tinybarPerHbar) + float64(tinybar%tinybarPerHbar)/tinybarPerHbar
}

// wholeTokens converts an amount from the token's smallest unit to the nearest
// float64. Parsing it as a decimal rounds once, whatever the decimals.
func wholeTokens(units, decimals int64) float64 {
	whole, _ := strconv.ParseFloat(strconv.FormatInt(units, 10)+"e"+strconv.FormatInt(-decimals, 10), 64)
	return whole
}

// text bounds free text from the network, which may be missing, for use as a
// label value.
func text(field mirror.Field[string], max int) string {
	return consensus.Cut(field.Or(""), max)
}

// sendField sends the sample of a field, if it has a value.
func sendField[T any](ch chan<- prometheus.Metric, metric constMetric, field mirror.Field[T], convert func(T) float64, labels ...string) {
	sendFieldOf(ch, metric, field, convert, newLabelValues(labels))
}

func sendFieldOf[T any](ch chan<- prometheus.Metric, metric constMetric, field mirror.Field[T], convert func(T) float64, labels *labelValues) {
	if value, ok := field.Get(); ok {
		ch <- metric.of(labels, convert(value))
	}
}

// notNegative is a field without the negative number that the network has for "not
// known" (docs/hedera.md 1.3).
func notNegative(field mirror.Field[int64]) mirror.Field[int64] {
	if field.Or(0) < 0 {
		return mirror.Field[int64]{}
	}
	return field
}

// sendTime sends the sample of a time, if there is one and it ever comes.
func sendTime(ch chan<- prometheus.Metric, metric constMetric, field mirror.Field[mirror.Timestamp], labels ...string) {
	sendTimeOf(ch, metric, field, newLabelValues(labels))
}

func sendTimeOf(ch chan<- prometheus.Metric, metric constMetric, field mirror.Field[mirror.Timestamp], labels *labelValues) {
	if at, ok := field.Get(); ok && !at.Never() {
		ch <- metric.of(labels, at.Seconds())
	}
}

func count(n int64) float64 { return float64(n) }

func fraction(f float64) float64 { return f }

func length[T any](list []T) float64 { return float64(len(list)) }

// blockEnd is when the block ended, or began if it has not ended.
func blockEnd(block mirror.Block) time.Time {
	return block.End().Time()
}

// noop is the collector of a network without the source that it needs.
type noop struct{}

// Update implements Collector.
func (noop) Update(context.Context, chan<- prometheus.Metric) error { return nil }
