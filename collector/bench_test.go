// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/processtest"
)

// sequentialSample is how many accounts the baseline asks for one by one; for
// more its time is scaled, as 10,000 of them take more than eight minutes.
const sequentialSample = 100

// BenchmarkScrape scrapes N accounts from a simulated mirror that takes 50 ms
// for each answer, and prints beside it what the loop of one request an account
// takes in the same run, on the same mirror.
func BenchmarkScrape(b *testing.B) {
	const mostAccounts = 10_000
	base := startBenchSimulator(b, "--latency=50ms", fmt.Sprintf("--accounts=%d", mostAccounts))
	for _, accounts := range []int{100, 1_000, mostAccounts} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) { benchmarkScrape(b, base, accounts) })
	}
}

func benchmarkScrape(b *testing.B, base *url.URL, accounts int) {
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: base})
	if err != nil {
		b.Fatal(err)
	}
	network := Network{
		Name: "simulated", Mirror: client, Log: log.NewNopLogger(), State: NewState(),
		AddressBook: NewAddressBook(StaticBook(nil), 0),
		Prober:      consensus.NewProber(consensus.ProberOptions{}),
	}
	for i := range accounts {
		network.Accounts = append(network.Accounts, account(fmt.Sprintf("0.0.%d", 1001+i), fmt.Sprintf("account-%d", i)))
	}
	set := setOn(b, network, "accounts")

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rounds := 0
	for b.Loop() {
		rounds++
		mustGather(b, set, accounts)
	}
	runtime.ReadMemStats(&after)

	perScrape := b.Elapsed() / time.Duration(rounds)
	sequential := sequentialBalances(b, base, min(accounts, sequentialSample)) * time.Duration(accounts) / time.Duration(min(accounts, sequentialSample))
	perAccount := float64(rounds * accounts)
	b.ReportMetric(sequential.Seconds(), "sequential-s")
	b.ReportMetric(perScrape.Seconds(), "scrape-s")
	b.ReportMetric(sequential.Seconds()/perScrape.Seconds(), "sequential/scrape")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/perAccount, "allocs/account")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/perAccount, "B/account")
}

func mustGather(b *testing.B, set *Set, accounts int) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	families, err := set.Gatherer(ctx).Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "hedera_account_balance_hbar" && len(family.GetMetric()) == accounts {
			return
		}
	}
	b.Fatalf("the scrape has not %d balances", accounts)
}

// sequentialBalances asks for one account after the other, with the request of
// hiero-sdk-go's MirrorNodeAccountBalanceQuery (docs/hedera.md 2.1).
func sequentialBalances(b *testing.B, base *url.URL, accounts int) time.Duration {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	start := time.Now()
	for i := range accounts {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, fmt.Sprintf("%s/api/v1/balances?account.id=0.0.%d", base, 1001+i), http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		var answer struct{ Balances []struct{ Balance int64 } }
		err = json.NewDecoder(response.Body).Decode(&answer)
		_, _ = io.Copy(io.Discard, response.Body) // so that the connection is reused
		response.Body.Close()
		if err != nil || len(answer.Balances) != 1 {
			b.Fatalf("%d balances, %v", len(answer.Balances), err)
		}
	}
	return time.Since(start)
}

// startBenchSimulator starts the simulator as a process of its own, so that
// its allocations are not counted.
func startBenchSimulator(b *testing.B, args ...string) *url.URL {
	bin := os.Getenv("BIN")
	if bin == "" {
		b.Fatal("BIN is not set; run make bench")
	}
	args = append(args, "--static", "--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0")
	simulator := processtest.Run(b, exec.CommandContext(b.Context(), filepath.Join(bin, "hedera_simulator"), args...))
	ctx, cancel := context.WithTimeout(b.Context(), testDeadline)
	defer cancel()
	address, err := simulator.AwaitSimulator(ctx)
	if err != nil {
		b.Fatal(err)
	}
	base, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	return base
}

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
	var samples []prometheus.Metric
	at := mirror.FieldOf(mirror.TimestampOf(time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)))
	row := mirror.Account{
		EVMAddress: mirror.FieldOf("0x" + strings.Repeat("0", 40)), AutoRenewPeriod: mirror.FieldOf(int64(7776000)),
		Balance: mirror.FieldOf(mirror.AccountBalance{Balance: mirror.FieldOf(int64(123_456_789))}), CreatedTimestamp: at, ExpiryTimestamp: at,
		Deleted: mirror.FieldOf(false), EthereumNonce: mirror.FieldOf(int64(0)), PendingReward: mirror.FieldOf(int64(1)), Key: mirror.FieldOf(mirror.Key{Type: "ED25519", Key: "aabb"}),
	}
	ch := make(chan prometheus.Metric)
	go func() {
		defer close(ch)
		for i := range accounts {
			labels := []string{"mainnet", fmt.Sprintf("0.0.%d", 1001+i), fmt.Sprintf("account-%d", i)}
			ch <- accountExists.sample(1, labels...)
			sendAccount(ch, row, labels)
		}
	}()
	for sample := range ch {
		samples = append(samples, sample)
	}
	return Scrape{{network: "mainnet", collector: "accounts", result: collectorResult{samples: samples}}}
}
