// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/internal/mirror"
)

// BenchmarkWrite writes a scrape of 10,000 accounts, and prints beside it what a
// registry and expfmt take for the same bytes in the same run.
func BenchmarkWrite(b *testing.B) {
	scrape, samples := benchScrape(10_000), 0
	for range scrape.samples {
		samples++
	}
	format := expfmt.NewFormat(expfmt.TypeOpenMetrics)
	write := func(scrape Scrape) time.Duration {
		start := time.Now()
		if gathering, writing := scrape.Write(io.Discard, format, prometheus.NewRegistry()); gathering != nil || writing != nil {
			b.Fatal(gathering, writing)
		}
		return time.Since(start)
	}
	throughRegistry := func() time.Duration {
		start := time.Now()
		registry := prometheus.NewRegistry()
		registry.MustRegister(scrape)
		families, err := registry.Gather()
		if err != nil {
			b.Fatal(err)
		}
		if err := writeFamilies(io.Discard, format, nil, families); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	var own, registry time.Duration
	for b.Loop() {
		own += write(scrape)
		registry += throughRegistry()
	}
	perSample := float64(b.N) * float64(samples)
	b.ReportMetric(float64(own.Nanoseconds())/perSample, "ns/sample")
	b.ReportMetric(float64(registry.Nanoseconds())/perSample, "registry-ns/sample")
	b.ReportMetric(registry.Seconds()/own.Seconds(), "registry/own")
}

func benchScrape(accounts int) Scrape {
	at := mirror.FieldOf(mirror.TimestampOf(time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)))
	row := mirror.Account{
		EVMAddress: mirror.FieldOf("0x" + strings.Repeat("0", 40)), AutoRenewPeriod: mirror.FieldOf(int64(7776000)),
		Balance: mirror.FieldOf(mirror.AccountBalance{Balance: mirror.FieldOf(int64(123_456_789))}), CreatedTimestamp: at, ExpiryTimestamp: at,
		Deleted: mirror.FieldOf(false), EthereumNonce: mirror.FieldOf(int64(0)), PendingReward: mirror.FieldOf(int64(1)), Key: mirror.FieldOf(mirror.Key{Type: "ED25519", Key: "aabb"}),
	}
	c := mirrorAccounts{}
	var blocks []*block
	for first := range accounts / 100 {
		var entities []*blockEntity
		for i := range 100 {
			n := 100*first + i
			labels := newLabelValues([]string{"mainnet", fmt.Sprintf("0.0.%d", 10_001+n), fmt.Sprintf("account-%d", n)})
			entities = append(entities, c.makeAccount(mirror.AccountRow{Account: &row}, true, labels))
		}
		blocks = append(blocks, newBlock(entities, nil))
	}
	return Scrape{{network: "mainnet", collector: "accounts", result: collectorResult{blocks: blocks}}}
}
