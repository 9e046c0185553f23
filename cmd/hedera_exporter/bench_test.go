// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"hedera_exporter/internal/processtest"
	"hedera_exporter/internal/simulator"
)

const (
	benchPage   = 100 // accounts in a request
	benchRounds = 5   // at least, of scrapes and bare requests
	benchSample = 50  // accounts that are asked for one by one
)

// BenchmarkExporter scrapes the built exporter as Prometheus does, with gzip.
// In turns with it come the bare requests, which are the floor: the same ones, as
// many at once, with nothing done to the answers. After them come clients that ask
// for one account at a time; their time is that of a sample, scaled.
func BenchmarkExporter(b *testing.B) {
	cases := []scrapeBench{
		{accounts: 100, concurrency: 10, latency: 50 * time.Millisecond},
		{accounts: 1_000, concurrency: 10, latency: 50 * time.Millisecond},
		{accounts: 10_000, concurrency: 10, latency: 50 * time.Millisecond},
		{accounts: 100_000, concurrency: 50, latency: 20 * time.Millisecond},
	}
	network, err := simulator.Start(simulator.Options{Static: true, Nodes: 1, Accounts: cases[len(cases)-1].accounts})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = network.Close() }()
	for _, c := range cases {
		b.Run(fmt.Sprintf("accounts=%d/latency=%s/concurrency=%d", c.accounts, c.latency, c.concurrency), func(b *testing.B) {
			mirror := httptest.NewServer(&standIn{network: network.URL(), latency: c.latency})
			defer mirror.Close()
			c.mirror = mirror.URL
			c.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: c.concurrency, DisableCompression: true}}
			defer c.client.CloseIdleConnections()
			c.run(b)
		})
	}
}

// scrapeBench is a number of accounts, and a mirror that takes latency for an
// answer and is asked concurrency times at once.
type scrapeBench struct {
	accounts, concurrency int
	latency               time.Duration

	mirror, exporter string // base URLs
	client           *http.Client
}

func (c scrapeBench) run(b *testing.B) {
	c.exporter = c.startExporter(b)
	// The first round opens connections, and has the stand-in learn its answers. An
	// exporter reads its own metrics before it writes a scrape, so what that takes is
	// in the metrics of the next one.
	c.scrape(b)
	c.bareRequests(b)
	before := c.scrape(b)
	c.bareRequests(b)
	after := before
	const cpu = "process_cpu_seconds_total"
	var scrapes, bare, resident []float64
	for b.Loop() {
		for range benchRounds {
			last := after
			if after = c.scrape(b); after.balances == last.balances {
				b.Fatal("the balances did not change")
			}
			scrapes = append(scrapes, after.seconds)
			resident = append(resident, after.process["process_resident_memory_bytes"])
			bare = append(bare, c.bareRequests(b))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(scrapes), "scrape-s")
	b.ReportMetric(median(bare), "bare-s")
	b.ReportMetric(median(scrapes)/median(bare), "scrape/bare")
	b.ReportMetric((after.process[cpu]-before.process[cpu])*1e6/float64(len(scrapes)*after.series), "cpu-µs/series")
	b.ReportMetric(median(resident), "resident-B")
	b.ReportMetric(c.oneByOne(b, c.sdkBalance), "sdk-s")
	b.ReportMetric(c.oneByOne(b, c.ethBalance), "eth-s")
}

func (c scrapeBench) startExporter(b *testing.B) (base string) {
	b.Helper()
	var config strings.Builder
	fmt.Fprintf(&config, "networks:\n  simulated:\n    mirror: {url: %q, rate_limit: 100000, max_concurrency: %d}\n    accounts:\n", c.mirror, c.concurrency)
	for i := range c.accounts {
		fmt.Fprintf(&config, "      - {id: %s, name: account-%d, thresholds: {warning: 100, critical: 10}}\n", benchAccount(i), i)
	}
	file := filepath.Join(b.TempDir(), "hedera_exporter.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	bin := os.Getenv("BIN")
	if bin == "" {
		b.Fatal("BIN is not set; run make bench")
	}
	exporter := processtest.Run(b, exec.CommandContext(b.Context(), filepath.Join(bin, "hedera_exporter"),
		"--config.file="+file, "--web.listen-address=127.0.0.1:0", "--web.max-requests=1"))
	ctx, cancel := context.WithTimeout(b.Context(), testDeadline)
	defer cancel()
	address, err := exporter.AwaitAddress(ctx)
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + address
}

func benchAccount(i int) string { return fmt.Sprintf("0.0.%d", 1001+i) }

// scraped is what a scrape takes, and what the exporter says of itself in it.
type scraped struct {
	seconds  float64
	series   int
	balances float64            // the sum
	process  map[string]float64 // by the name of the metric
}

func (c scrapeBench) scrape(b *testing.B) scraped {
	b.Helper()
	request := newRequest(b, http.MethodGet, c.exporter+"/metrics?collect[]=accounts", nil)
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	request.Header.Set(scrapeTimeoutHeader, "60")
	var compressed bytes.Buffer
	start := time.Now()
	_, err := exchange(c.client, request, &compressed)
	result := scraped{seconds: time.Since(start).Seconds(), process: map[string]float64{}}
	if err != nil {
		b.Fatal(err)
	}
	body, err := gzip.NewReader(&compressed)
	if err != nil {
		b.Fatal(err)
	}
	balances := 0
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case bytes.HasPrefix(line, []byte("#")):
			continue
		case bytes.HasPrefix(line, []byte("hedera_account_balance_hbar{")):
			balances++
			hbar, err := strconv.ParseFloat(string(line[bytes.LastIndexByte(line, ' ')+1:]), 64)
			if err != nil {
				b.Fatal(err)
			}
			result.balances += hbar
		case bytes.HasPrefix(line, []byte("process_")):
			name, value, _ := strings.Cut(string(line), " ")
			if result.process[name], err = strconv.ParseFloat(value, 64); err != nil {
				b.Fatal(err)
			}
		}
		result.series++
	}
	if lines.Err() != nil || balances != c.accounts {
		b.Fatalf("%d balances, want %d, %v", balances, c.accounts, lines.Err())
	}
	return result
}

// bareRequests returns the seconds that they take.
func (c scrapeBench) bareRequests(b *testing.B) float64 {
	b.Helper()
	start := time.Now()
	var group errgroup.Group
	group.SetLimit(c.concurrency)
	for first := 0; first < c.accounts; first += benchPage {
		query := url.Values{"balance": {"true"}, "limit": {strconv.Itoa(benchPage)}}
		for i := first; i < min(first+benchPage, c.accounts); i++ {
			query.Add("account.id", benchAccount(i))
		}
		request := newRequest(b, http.MethodGet, c.mirror+"/api/v1/accounts?"+query.Encode(), nil)
		group.Go(func() error {
			_, err := exchange(c.client, request, io.Discard)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start).Seconds()
}

// sdkBalance is the request of hiero-sdk-go's MirrorNodeAccountBalanceQuery
// (docs/hedera.md 2.1).
func (c scrapeBench) sdkBalance(b *testing.B, account string) (request *http.Request, answer any) {
	b.Helper()
	return newRequest(b, http.MethodGet, c.mirror+"/api/v1/balances?account.id="+account, nil), new(struct{ Balances []struct{ Balance int64 } })
}

// ethBalance is the request of ethpandaops/ethereum-address-metrics-exporter to a
// JSON-RPC relay.
func (c scrapeBench) ethBalance(b *testing.B, account string) (request *http.Request, answer any) {
	b.Helper()
	call := fmt.Sprintf(`{"id":1,"jsonrpc":"2.0","method":"eth_getBalance","params":["0x%040s","latest"]}`, strings.TrimPrefix(account, "0.0."))
	return newRequest(b, http.MethodPost, c.mirror+relayPath, strings.NewReader(call)), new(struct{ Result string })
}

// oneByOne returns the seconds for all accounts.
func (c scrapeBench) oneByOne(b *testing.B, balance func(b *testing.B, account string) (request *http.Request, answer any)) float64 {
	b.Helper()
	start := time.Now()
	for i := range benchSample {
		request, answer := balance(b, benchAccount(i))
		var body bytes.Buffer
		if _, err := exchange(c.client, request, &body); err != nil {
			b.Fatal(err)
		}
		if err := json.Unmarshal(body.Bytes(), answer); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start).Seconds() * float64(c.accounts) / benchSample
}

func newRequest(b *testing.B, method, address string, body io.Reader) *http.Request {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, address, body)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	return request
}

// exchange writes the body of the response as it came.
func exchange(client *http.Client, request *http.Request, body io.Writer) (http.Header, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", request.URL.Path, response.Status)
	}
	_, err = io.Copy(body, response.Body)
	return response.Header, err
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// standIn answers as the simulated mirror did when it was asked the same for the
// first time, after latency: the mirror takes next to none of the CPU time that
// the exporter needs. From one scrape to the next, every tenth account has another
// balance, as if a tenth of them had transactions.
type standIn struct {
	network string // base URL of the simulated mirror
	latency time.Duration
	answers sync.Map // of *knownAnswer, by path and query
}

type knownAnswer struct {
	header http.Header
	bodies [benchVariants][]byte // in turns
	turn   atomic.Uint32
}

// benchVariants is odd, as every other request is a bare one.
const benchVariants = 3

// changingBalance is that of every tenth account.
var changingBalance = regexp.MustCompile(`"account":"0\.0\.\d+0",[^{]*"balance":\{"balance":`)

func newKnownAnswer(header http.Header, body []byte) (*knownAnswer, error) {
	answer := &knownAnswer{header: header}
	plain, compress := body, header.Get("Content-Encoding") == "gzip"
	if compress {
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if plain, err = io.ReadAll(reader); err != nil {
			return nil, err
		}
		header.Del("Content-Length")
	}
	for i := range answer.bodies {
		changed := changingBalance.ReplaceAll(plain, fmt.Appendf(nil, "${0}%d", i+1))
		if !compress {
			answer.bodies[i] = changed
			continue
		}
		var compressed bytes.Buffer
		writer := gzip.NewWriter(&compressed)
		_, err := writer.Write(changed)
		if err := errors.Join(err, writer.Close()); err != nil {
			return nil, err
		}
		answer.bodies[i] = compressed.Bytes()
	}
	return answer, nil
}

// relayPath is where a JSON-RPC relay answers, which the simulator does not have.
const relayPath = "/api"

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	latency := time.After(s.latency)
	answer, err := s.answer(r)
	<-latency
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	maps.Copy(w.Header(), answer.header)
	_, _ = w.Write(answer.bodies[answer.turn.Add(1)%benchVariants]) // a client notices
}

func (s *standIn) answer(r *http.Request) (*knownAnswer, error) {
	if r.URL.Path == relayPath {
		_, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return nil, err
		}
		return newKnownAnswer(nil, []byte(`{"jsonrpc":"2.0","id":1,"result":"0x2f4f8ba2a36d40ac00"}`))
	}
	asked := r.URL.RequestURI()
	if known, ok := s.answers.Load(asked); ok {
		return known.(*knownAnswer), nil //nolint:forcetypeassert // there is nothing else
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.network+asked, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header = r.Header
	var body bytes.Buffer
	header, err := exchange(http.DefaultClient, request, &body)
	if err != nil {
		return nil, err
	}
	answer, err := newKnownAnswer(header, body.Bytes())
	if err != nil {
		return nil, err
	}
	s.answers.Store(asked, answer)
	return answer, nil
}
