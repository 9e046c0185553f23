// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hedera_exporter/internal/processtest"
)

const (
	benchConcurrency = 10
	benchLatency     = 50 * time.Millisecond
	benchPage        = 100 // accounts in a request
	benchScrapes     = 5   // of which the median counts
)

// BenchmarkExporter scrapes the built exporter as Prometheus does, compressed,
// with accounts of a simulated mirror that takes 50 ms for an answer. Beside it is
// the floor: the same requests to the mirror, as many at a time, with nothing done
// to the answers.
func BenchmarkExporter(b *testing.B) {
	const most = 10_000
	mirror := startBench(b, "hedera_simulator", "--static", "--nodes=1", fmt.Sprintf("--accounts=%d", most), "--latency="+benchLatency.String(),
		"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0")
	ctx, cancel := context.WithTimeout(b.Context(), testDeadline)
	defer cancel()
	base, err := mirror.AwaitSimulator(ctx)
	if err != nil {
		b.Fatal(err)
	}
	small := 0.0 // resident bytes of the exporter with few accounts
	for _, accounts := range []int{100, 1_000, most} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			exporter := startBench(b, "hedera_exporter", "--config.file="+benchConfig(b, base, accounts), "--web.listen-address=127.0.0.1:0", "--web.max-requests=1")
			ctx, cancel := context.WithTimeout(b.Context(), testDeadline)
			defer cancel()
			address, err := exporter.AwaitAddress(ctx)
			if err != nil {
				b.Fatal(err)
			}
			metrics := "http://" + address + "/metrics?collect[]=accounts"
			before := scrapeBench(b, metrics, accounts) // has the connections opened
			var scrapes, bare []time.Duration
			after := before
			for b.Loop() {
				for range benchScrapes {
					start := time.Now()
					after = scrapeBench(b, metrics, accounts)
					scrapes = append(scrapes, time.Since(start))
					start = time.Now()
					bareRequests(b, base, accounts)
					bare = append(bare, time.Since(start))
				}
			}
			series := float64(len(scrapes) * after.series)
			b.ReportMetric(median(scrapes).Seconds(), "scrape-s")
			b.ReportMetric(median(bare).Seconds(), "bare-s")
			b.ReportMetric(median(scrapes).Seconds()/median(bare).Seconds(), "scrape/bare")
			b.ReportMetric((after.cpuSeconds-before.cpuSeconds)*1e6/series, "cpu-µs/series")
			if small == 0 {
				small = after.residentBytes
			} else {
				b.ReportMetric((after.residentBytes-small)/float64(accounts), "resident-B/account")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func startBench(b *testing.B, program string, args ...string) *processtest.Process {
	b.Helper()
	bin := os.Getenv("BIN")
	if bin == "" {
		b.Fatal("BIN is not set; run make bench")
	}
	return processtest.Run(b, exec.CommandContext(b.Context(), filepath.Join(bin, program), args...))
}

func benchConfig(b *testing.B, base string, accounts int) string {
	b.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "networks:\n  simulated:\n    mirror: {url: %q, rate_limit: 100000, max_concurrency: %d}\n    accounts:\n", base, benchConcurrency)
	for i := range accounts {
		fmt.Fprintf(&text, "      - {id: 0.0.%d, name: account-%d, thresholds: {warning: 100, critical: 10}}\n", 1001+i, i)
	}
	path := filepath.Join(b.TempDir(), "hedera_exporter.yml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// benchResult is what a scrape says of itself.
type benchResult struct {
	series                    int
	cpuSeconds, residentBytes float64
}

var processValue = regexp.MustCompile(`(?m)^(process_cpu_seconds_total|process_resident_memory_bytes) (\S+)$`)

func scrapeBench(b *testing.B, address string, accounts int) benchResult {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set(scrapeTimeoutHeader, "60")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := gzip.NewReader(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		b.Fatal(err)
	}
	text := string(content)
	if n := strings.Count(text, "\nhedera_account_balance_hbar{"); n != accounts {
		b.Fatalf("%d balances, want %d", n, accounts)
	}
	result := benchResult{series: strings.Count(text, "\n") - strings.Count(text, "\n#")}
	for _, match := range processValue.FindAllStringSubmatch(text, -1) {
		value, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			b.Fatal(err)
		}
		if match[1] == "process_cpu_seconds_total" {
			result.cpuSeconds = value
		} else {
			result.residentBytes = value
		}
	}
	return result
}

func bareRequests(b *testing.B, base string, accounts int) {
	b.Helper()
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(benchConcurrency)
	for first := 0; first < accounts; first += benchPage {
		query := url.Values{"balance": {"true"}, "limit": {strconv.Itoa(benchPage)}}
		for i := first; i < min(first+benchPage, accounts); i++ {
			query.Add("account.id", fmt.Sprintf("0.0.%d", 1001+i))
		}
		group.Go(func() error { return discard(ctx, base+"/api/v1/accounts?"+query.Encode()) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// benchClient keeps as many connections as the exporter does.
var benchClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchConcurrency, DisableCompression: true}}

func discard(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := benchClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address[:80], response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func median(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[len(sorted)/2]
}
