// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

const transactionsPath = "/api/v1/transactions"

// between is a proxy in front of a simulated mirror, which answers as it likes.
// It keeps the requests.
type between struct {
	answer func(w http.ResponseWriter, r *http.Request, mirror http.Handler)

	mu       sync.Mutex
	requests []*url.URL
}

// clientThrough returns a client of the simulated mirror through a proxy.
func clientThrough(t *testing.T, sim *simulator.Simulator, b *between) *mirror.Client {
	t.Helper()
	return clientThroughMemory(t, nil, sim, b)
}

// clientThroughMemory is clientThrough in a bubble, if there is a memory.
func clientThroughMemory(t *testing.T, memory *memnet.Network, sim *simulator.Simulator, b *between) *mirror.Client {
	t.Helper()
	target, err := url.Parse(sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	upstream := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.requests = append(b.requests, r.URL)
		b.mu.Unlock()
		if b.answer == nil {
			upstream.ServeHTTP(w, r)
			return
		}
		b.answer(w, r, upstream)
	}))
	var dial func(ctx context.Context, network, address string) (net.Conn, error)
	if memory != nil {
		transport := &http.Transport{DialContext: memory.DialContext}
		t.Cleanup(transport.CloseIdleConnections)
		upstream.Transport, dial = transport, memory.DialContext
		_ = server.Listener.Close()
		if server.Listener, err = memory.Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: base, DialContext: dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// sent are the requests for path since the last call.
func (b *between) sent(path string) []url.Values {
	b.mu.Lock()
	defer b.mu.Unlock()
	var queries []url.Values
	for _, u := range b.requests {
		if u.Path == path {
			queries = append(queries, u.Query())
		}
	}
	b.requests = nil
	return queries
}

// watching is a network of which the transactions of accounts are counted.
func watching(t *testing.T, sim *simulator.Simulator, accounts int) Network {
	t.Helper()
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	for i := range accounts {
		watched := account("0.0."+itoa(1001+i), itoa(i))
		watched.Transactions = true
		network.Accounts = append(network.Accounts, watched)
	}
	return network
}

func addTransaction(t *testing.T, sim *simulator.Simulator, transaction simulator.Transaction) {
	t.Helper()
	if err := sim.Update(func(l *simulator.Ledger) error { return l.AddTransaction(transaction) }); err != nil {
		t.Fatal(err)
	}
}

func accountLine(metric, id, name, value string) string {
	return fmt.Sprintf(`hedera_account_%s{account_id="%s",name="%s",network="simulated"} %s`, metric, id, name, value)
}

func timeValue(at time.Time) string { return sampleValue(mirror.TimestampOf(at).Seconds()) }

func TestTokenTransfersShowThatAnAccountIsNotSilent(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 3})
	network := watching(t, sim, 3)
	set := setOn(t, network, "transactions")
	start := blockEndOf(t, addBlock(sim))
	scrapeText(t, set, testDeadline)

	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(time.Second), Payer: "0.0.98", TokenTransfers: []simulator.TokenTransfer{{Account: "0.0.1001", Amount: 5, TokenID: "0.0.7"}}})
	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(2 * time.Second), Payer: "0.0.98", NFTTransfers: []simulator.NFTTransfer{{Sender: "0.0.1002", Receiver: "0.0.1003", Serial: 1, TokenID: "0.0.8"}}})
	want := []string{
		accountLine("last_transaction_timestamp_seconds", "0.0.1001", "0", timeValue(start.Add(time.Second))),
		accountLine("last_transaction_timestamp_seconds", "0.0.1002", "1", timeValue(start.Add(2*time.Second))),
		accountLine("last_transaction_timestamp_seconds", "0.0.1003", "2", timeValue(start.Add(2*time.Second))),
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, want...)
	wantNone(t, body, "hedera_account_transactions_total{")

	network.State = NewState() // a restart
	body = scrapeText(t, setOn(t, network, "transactions"), testDeadline)
	wantLines(t, body, want...)
}

// TestInactiveAccount is about the mirror's window of 60 days, and about mirrors
// that have none.
func TestInactiveAccount(t *testing.T) {
	for name, open := range map[string]bool{"window": false, "no window": true} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
			network := watching(t, sim, 2)
			through := &between{}
			network.Mirror = clientThrough(t, sim, through)
			set := setOn(t, network, "transactions")
			if err := sim.Update(func(l *simulator.Ledger) error { return l.SetMirror(simulator.MirrorSettings{OpenRange: open}) }); err != nil {
				t.Fatal(err)
			}
			start := blockEndOf(t, addBlock(sim))
			old := start.Add(-61 * 24 * time.Hour)
			addTransaction(t, sim, simulator.Transaction{Consensus: old, Payer: "0.0.1001"})
			body := scrapeText(t, set, testDeadline)
			wantLines(t, body, accountLine("inactive", "0.0.1002", "1", "1"))
			if open {
				wantLines(t, body, accountLine("inactive", "0.0.1001", "0", "0"), accountLine("last_transaction_timestamp_seconds", "0.0.1001", "0", timeValue(old)))
			} else {
				wantLines(t, body, accountLine("inactive", "0.0.1001", "0", "1"))
				wantNone(t, body, "hedera_account_last_transaction_timestamp_seconds{")
			}
			if sent := len(through.sent(transactionsPath)); sent != 3 { // does not walk back
				t.Errorf("%d requests, want one for new transactions and one look-up for each account", sent)
			}

			addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(time.Second), Payer: "0.0.1002"})
			body = scrapeText(t, set, testDeadline)
			wantLines(t, body, accountLine("inactive", "0.0.1002", "1", "0"), accountLine("last_transaction_timestamp_seconds", "0.0.1002", "1", timeValue(start.Add(time.Second))))
			if sent := len(through.sent(transactionsPath)); sent != 1 {
				t.Errorf("%d requests, want 1", sent)
			}
		})
	}
}

func TestFeeOfAScheduledTransaction(t *testing.T) {
	transfer := func(account string, amount int64) mirror.Transfer {
		return mirror.Transfer{Account: account, Amount: amount}
	}
	tests := map[string]struct {
		scheduled bool
		transfers []mirror.Transfer
		want      string
	}{
		"not scheduled":        {false, []mirror.Transfer{transfer("0.0.2", -100)}, "0.0.1"},
		"the creator pays":     {true, []mirror.Transfer{transfer("0.0.1", -100), transfer("0.0.2", -100)}, "0.0.1"},
		"another pays":         {true, []mirror.Transfer{transfer("0.0.1", -99), transfer("0.0.2", -100), transfer("0.0.98", 199)}, "0.0.2"},
		"in two transfers":     {true, []mirror.Transfer{transfer("0.0.2", -60), transfer("0.0.2", -40)}, "0.0.2"},
		"one of two others":    {true, []mirror.Transfer{transfer("0.0.2", -100), transfer("0.0.3", -500)}, ""},
		"nobody was debited":   {true, nil, ""},
		"debited and credited": {true, []mirror.Transfer{transfer("0.0.2", -100), transfer("0.0.2", 50)}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := feePayer(mirror.Transaction{
				ID: "0.0.1-1700000000-000000000", Scheduled: mirror.FieldOf(test.scheduled),
				ChargedTxFee: mirror.FieldOf(int64(100)), Transfers: mirror.FieldOf(test.transfers),
			})
			if got != test.want {
				t.Errorf("%q pays, want %q", got, test.want)
			}
		})
	}
}

func TestConsensusLatency(t *testing.T) {
	const start = mirror.Timestamp(1_700_000_000_000_000_000)
	own := mirror.Transaction{
		ID: "0.0.1-1700000000-000000000", ConsensusTimestamp: start.Add(2500 * time.Millisecond), ValidStart: mirror.FieldOf(start),
		Result: mirror.FieldOf("SUCCESS"), Nonce: mirror.FieldOf(int64(0)), Scheduled: mirror.FieldOf(false),
	}
	changed := func(change func(*mirror.Transaction)) mirror.Transaction {
		other := own
		change(&other)
		return other
	}
	tests := map[string]struct {
		transaction mirror.Transaction
		want        float64 // -1: not observed
	}{
		"own":                     {own, 2.5},
		"failed":                  {changed(func(t *mirror.Transaction) { t.Result = mirror.FieldOf("INVALID_SIGNATURE") }), 2.5},
		"scheduled":               {changed(func(t *mirror.Transaction) { t.Scheduled = mirror.FieldOf(true) }), -1},
		"caused by another":       {changed(func(t *mirror.Transaction) { t.Nonce = mirror.FieldOf(int64(1)) }), -1},
		"part of a batch":         {changed(func(t *mirror.Transaction) { t.ParentTimestamp = mirror.FieldOf(start) }), -1},
		"duplicate":               {changed(func(t *mirror.Transaction) { t.Result = mirror.FieldOf("DUPLICATE_TRANSACTION") }), -1},
		"no valid start":          {changed(func(t *mirror.Transaction) { t.ValidStart = mirror.Field[mirror.Timestamp]{} }), -1},
		"a valid start to come":   {changed(func(t *mirror.Transaction) { t.ValidStart = mirror.FieldOf(start.Add(3 * time.Second)) }), -1},
		"consensus at that time":  {changed(func(t *mirror.Transaction) { t.ConsensusTimestamp = start }), 0},
		"a valid start of nobody": {changed(func(t *mirror.Transaction) { t.ValidStart = mirror.FieldOf(mirror.Never) }), -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := consensusLatency(test.transaction)
			if !ok {
				got = -1
			}
			if got != test.want {
				t.Errorf("%g s, want %g", got, test.want)
			}
		})
	}
}

// TestLatencyIsObservedOnce is about a transaction of two watched accounts, in
// two batches, and about a reload.
func TestLatencyIsObservedOnce(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 101})
	network := watching(t, sim, 101)
	start := blockEndOf(t, addBlock(sim))
	body := scrapeText(t, setOn(t, network, "transactions"), testDeadline)
	wantLines(t, body, `hedera_transaction_consensus_latency_seconds_count{network="simulated"} 0`)

	transfers := map[string]int64{"0.0.1001": -1, "0.0.1101": 1}
	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(time.Second), ValidStart: start.Add(-10 * time.Second), Payer: "0.0.1001", Transfers: transfers})
	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(2 * time.Second), ValidStart: start, Payer: "0.0.98", Transfers: transfers}) // of a stranger
	for range 2 {
		body = scrapeText(t, setOn(t, network, "transactions"), testDeadline)
		wantLines(
			t, body,
			`hedera_transaction_consensus_latency_seconds_bucket{network="simulated",le="10"} 0`,
			`hedera_transaction_consensus_latency_seconds_bucket{network="simulated",le="12.5"} 1`,
			`hedera_transaction_consensus_latency_seconds_sum{network="simulated"} 11`,
			`hedera_transaction_consensus_latency_seconds_count{network="simulated"} 1`,
		)
	}
}

// TestLatencyIsANativeHistogram, too, for scrapers that ask for protobuf.
func TestLatencyIsANativeHistogram(t *testing.T) {
	histogram := transactionLatency.histogram("simulated")
	histogram.Observe(2.5)
	var sample dto.Metric
	if err := histogram.Write(&sample); err != nil {
		t.Fatal(err)
	}
	if sample.Histogram.Schema == nil || len(sample.Histogram.PositiveSpan) != 1 || len(sample.Histogram.Bucket) != len(latencyBuckets) {
		t.Errorf("not both classic and native: %v", sample.Histogram)
	}
}

func TestNoLatencyWithoutWatchedTransactions(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.1001", "1"))
	wantNone(t, scrapeText(t, setOn(t, network, "transactions"), testDeadline), "hedera_transaction_consensus_latency_seconds")
}

func TestLookUpThatFailsCostsItself(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 12})
	network := watching(t, sim, 12)
	network.Mirror = clientThrough(t, sim, &between{answer: func(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
		if r.URL.Query().Get("order") == "desc" && r.URL.Query().Get("account.id") == "0.0.1003" {
			http.Error(w, "always", http.StatusForbidden)
			return
		}
		upstream.ServeHTTP(w, r)
	}})
	set := setOn(t, network, "transactions")
	earlier := blockEndOf(t, addBlock(sim)).Add(-time.Hour)
	for i := range 12 {
		addTransaction(t, sim, simulator.Transaction{Consensus: earlier, Payer: "0.0." + itoa(1001+i)})
	}
	for _, known := range []int{4, 9, 11, 11} {
		body := scrapeText(t, set, testDeadline)
		if lines := linesWith(body, "hedera_account_last_transaction_timestamp_seconds{"); len(lines) != known {
			t.Errorf("%d last transactions, want %d", len(lines), known)
		}
		if lines := linesWith(body, "hedera_account_fees_hbar_total{"); len(lines) != 12 {
			t.Errorf("the counters of %d accounts, want all 12", len(lines))
		}
		wantLines(
			t, body,
			successLine("transactions", false),
			`hedera_scrape_collector_incomplete{collector="transactions",network="simulated"} 1`,
		)
	}
}

func TestBatchThatFailsCostsItsAccounts(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 150})
	network := watching(t, sim, 150)
	failing := true
	network.Mirror = clientThrough(t, sim, &between{answer: func(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
		ids := r.URL.Query()["account.id"]
		if failing && r.URL.Query().Get("order") == "asc" && slices.Contains(ids, "0.0.1001") {
			http.Error(w, "always", http.StatusForbidden)
			return
		}
		upstream.ServeHTTP(w, r)
	}})
	set := setOn(t, network, "transactions")
	start := blockEndOf(t, addBlock(sim))
	body := scrapeText(t, set, testDeadline)
	if lines := linesWith(body, "hedera_account_fees_hbar_total{"); len(lines) != 50 {
		t.Errorf("the counters of %d accounts, want 50", len(lines))
	}
	wantLines(t, body, `hedera_scrape_collector_incomplete{collector="transactions",network="simulated"} 100`)
	wantNone(t, body, accountLine("fees_hbar_total", "0.0.1001", "0", ""))

	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(time.Second), Payer: "0.0.1001", Fee: tinybarPerHbar})
	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(time.Second), Payer: "0.0.1150", Fee: tinybarPerHbar})
	wantLines(t, scrapeText(t, set, testDeadline), accountLine("fees_hbar_total", "0.0.1150", "149", "1"))
	failing = false
	wantLines(t, scrapeText(t, set, testDeadline), accountLine("fees_hbar_total", "0.0.1001", "0", "1"), successLine("transactions", true))
}

// TestBusyAccountDelaysNoOther has one account with more transactions than a
// scrape reads, and others in its batch with one each, after all of these.
func TestBusyAccountDelaysNoOther(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 5})
	network := watching(t, sim, 5)
	set := setOn(t, network, "transactions")
	start := blockEndOf(t, addBlock(sim))
	scrapeText(t, set, testDeadline)
	const rate = 1500 // a scrape
	at := start
	for scrape := range 4 {
		if err := sim.Update(func(l *simulator.Ledger) error {
			for range rate {
				at = at.Add(10 * time.Millisecond)
				if err := l.AddTransaction(simulator.Transaction{Consensus: at, Payer: "0.0.1001", Fee: 1}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second)
		for i := range 4 {
			addTransaction(t, sim, simulator.Transaction{Consensus: at, Payer: "0.0." + itoa(1002+i), Fee: tinybarPerHbar})
		}
		for blockEndOf(t, addBlock(sim)).Before(at) {
		}
		body := scrapeText(t, set, testDeadline)
		for i := range 4 {
			wantLines(t, body, accountLine("fees_hbar_total", "0.0."+itoa(1002+i), itoa(1+i), itoa(scrape+1)))
		}
		if backlog := linesWith(body, "hedera_transactions_backlog_seconds{"); len(backlog) != 1 || strings.HasSuffix(backlog[0], " 0") {
			t.Errorf("the backlog is %q", backlog)
		}
	}
	var body string
	awaitText(t, set, &body, `hedera_transactions_backlog_seconds{network="simulated"} 0`)
	wantLines(t, body, accountLine("fees_hbar_total", "0.0.1001", "0", sampleValue(hbar(4*rate))))
	if state := network.State.transactions.accounts["0.0.1001"]; state.busy {
		t.Error("the account is still asked for alone")
	}
}

func awaitText(t *testing.T, set *Set, body *string, line string) {
	t.Helper()
	for range 100 {
		if *body = scrapeText(t, set, testDeadline); strings.Contains(*body, line) {
			return
		}
	}
	t.Fatalf("there is no %s in\n%s", line, *body)
}

// TestCursorsMoveWithTheMirror has a mirror whose time is not ours: as ours was
// wrong for a while, or as it is behind by days.
func TestCursorsMoveWithTheMirror(t *testing.T) {
	for name, shift := range map[string]time.Duration{"as ours": 0, "behind by 3 days": -72 * time.Hour, "ahead by 3 days": 72 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1, Now: func() time.Time { return time.Now().Add(shift) }})
			network := watching(t, sim, 1)
			through := &between{}
			network.Mirror = clientThrough(t, sim, through)
			set := setOn(t, network, "transactions")
			var end time.Time
			for scrape := range 6 {
				for range 900 { // half an hour
					end = blockEndOf(t, addBlock(sim))
				}
				scrapeText(t, set, testDeadline)
				addTransaction(t, sim, simulator.Transaction{Consensus: end.Add(time.Second), Payer: "0.0.98"}) // of another
				queries := through.sent(transactionsPath)
				from, err := mirror.ParseTimestamp(strings.TrimPrefix(queries[0].Get("timestamp"), "gte:"))
				if err != nil {
					t.Fatal(err)
				}
				if age := end.Sub(from.Time()); scrape > maxHeads && (age < replicaLag || age > 3*time.Hour) {
					t.Errorf("scrape %d: the cursor is %s behind the mirror's latest block", scrape, age)
				}
			}
			addTransaction(t, sim, simulator.Transaction{Consensus: end.Add(time.Second), Payer: "0.0.1001", Fee: tinybarPerHbar})
			wantLines(t, scrapeText(t, set, testDeadline), accountLine("fees_hbar_total", "0.0.1001", "0", "1"))
		})
	}
}

func TestCursorAfterAPage(t *testing.T) {
	row := func(at mirror.Timestamp) mirror.Transaction {
		return mirror.Transaction{ID: "0.0.1-1-1", ConsensusTimestamp: at}
	}
	sameTime := []mirror.Transaction{row(10), {ID: "0.0.1-1-2", ConsensusTimestamp: 10}}
	const window = mirror.Timestamp(mirrorWindow)
	tests := map[string]struct {
		from     cursor
		rows     []mirror.Transaction
		more     bool
		settled  mirror.Timestamp
		want     mirror.Timestamp
		caughtUp bool
		err      error
	}{
		"no rows":                          {cursor{at: 10}, nil, false, 50, 50, true, nil},
		"no rows, later than settled":      {cursor{at: 70}, nil, false, 50, 70, true, nil},
		"settled unknown":                  {cursor{at: 10}, nil, false, 0, 10, true, nil},
		"rows":                             {cursor{at: 10}, []mirror.Transaction{row(20), row(60)}, false, 50, 60, true, nil},
		"a full page":                      {cursor{at: 10}, []mirror.Transaction{row(20), row(30)}, true, 50, 30, false, nil},
		"nothing in the window":            {cursor{at: 10}, nil, true, 50, 50, true, nil},
		"nothing in the window, long ago":  {cursor{at: 10}, nil, true, 3 * window, 10 + window, false, nil},
		"the row itself and nothing after": {cursor{at: 10}.after([]mirror.Transaction{row(10)}), []mirror.Transaction{row(10)}, true, 50, 50, true, nil},
		"a full page of one time":          {cursor{at: 10}.after(sameTime), sameTime, true, 50, 10, false, errOneTimestamp},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			next, caughtUp, err := test.from.next(mirror.Page[mirror.Transaction]{Rows: test.rows, More: test.more}, test.settled)
			if next.at != test.want || caughtUp != test.caughtUp || !errors.Is(err, test.err) {
				t.Errorf("%d, caught up: %v, %v, want %d, %v, %v", next.at, caughtUp, err, test.want, test.caughtUp, test.err)
			}
		})
	}
}

// TestEarlierConfigurationForgetsNoNewAccount has a scrape of the configuration
// before a reload that ends after one of the new configuration.
func TestEarlierConfigurationForgetsNoNewAccount(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 3})
	network := watching(t, sim, 3)
	on := func(accounts ...config.Account) *Set {
		n := network
		n.Accounts = accounts
		return setOn(t, n, "transactions")
	}
	old := on(network.Accounts[0], network.Accounts[2])
	start := blockEndOf(t, addBlock(sim))
	scrapeText(t, old, testDeadline)
	current := on(network.Accounts[:2]...)
	scrapeText(t, current, testDeadline)
	addTransaction(t, sim, simulator.Transaction{Consensus: start.Add(time.Second), Payer: "0.0.1002", Fee: tinybarPerHbar})
	scrapeText(t, current, testDeadline)
	scrapeText(t, old, testDeadline)
	wantLines(t, scrapeText(t, current, testDeadline), accountLine("fees_hbar_total", "0.0.1002", "1", "1"))
	if network.State.transactions.accounts["0.0.1003"] != nil {
		t.Error("an account that is no longer watched is still counted")
	}
	if scrapeText(t, on(), testDeadline); len(network.State.transactions.accounts) > 0 {
		t.Error("accounts are counted though none is watched")
	}
}

func TestStatesAreOfOneLedger(t *testing.T) {
	var states States
	first := states.Of("private", "http://one")
	if states.Of("private", "http://one") != first {
		t.Error("the state of a ledger is lost")
	}
	if states.Of("private", "http://two") == first || states.Of("other", "http://one") == first {
		t.Error("two ledgers have one state")
	}
}

// TestMirrorWithoutABlock is about a mirror before the first block, which is no
// failure; from then on everything is counted.
func TestMirrorWithoutABlock(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	starting := func(is bool) {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetMirror(simulator.MirrorSettings{Starting: is}) }); err != nil {
			t.Fatal(err)
		}
	}
	network := watching(t, sim, 1)
	set := setOn(t, network, "blocks", "mirror", "transactions")
	starting(true)
	for range 2 {
		body := scrapeText(t, set, testDeadline)
		wantLines(
			t, body,
			successLine("blocks", true), successLine("mirror", true), successLine("transactions", true),
			`hedera_mirror_up{network="simulated"} 1`,
			`hedera_mirror_starting{network="simulated"} 1`,
			`hedera_network_transactions_total{network="simulated"} 0`,
		)
		wantNone(t, body, "hedera_block_number{")
		wantNone(t, body, "hedera_mirror_latest_block_timestamp_seconds{")
	}
	addTransaction(t, sim, simulator.Transaction{Consensus: blockEndOf(t, addBlock(sim)), Payer: "0.0.1001", Fee: tinybarPerHbar})
	starting(false)
	body := scrapeText(t, set, testDeadline)
	wantLines(
		t, body,
		successLine("blocks", true), successLine("mirror", true), successLine("transactions", true),
		`hedera_mirror_starting{network="simulated"} 0`,
		fmt.Sprintf(`hedera_network_transactions_total{network="simulated"} %s`, sampleValue(float64(sim.BlockTotals().Transactions))),
		accountLine("fees_hbar_total", "0.0.1001", "0", "1"),
	)
}

// TestRowThatCannotBeRead is waited for, as it may be one bad answer, but not for
// ever.
func TestRowThatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		path, list, field, collector string
		lost                         bool // what cannot be read
	}{
		"the fee":         {transactionsPath, "transactions", "charged_tx_fee", "transactions", false},
		"the transaction": {transactionsPath, "transactions", "transaction_id", "transactions", true},
		"the count":       {blocksPath, "blocks", "count", "blocks", false},
		"the block":       {blocksPath, "blocks", "number", "blocks", true},
	} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
			network := watching(t, sim, 1)
			var odd bool
			network.Mirror = clientThrough(t, sim, &between{answer: func(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
				recorder := httptest.NewRecorder()
				r.Header.Del("Accept-Encoding")
				upstream.ServeHTTP(recorder, r)
				body := recorder.Body.Bytes()
				if odd && r.URL.Path == test.path && r.URL.Query().Get("order") == "asc" {
					body = withOddRow(t, body, test.list, test.field)
				}
				_, _ = w.Write(body)
			}})
			set := setOn(t, network, "blocks", "transactions")
			start := blockEndOf(t, addBlock(sim))
			scrapeText(t, set, testDeadline)
			add := func() {
				start = blockEndOf(t, addBlockWith(sim, 1, 0))
				addTransaction(t, sim, simulator.Transaction{Consensus: start, Payer: "0.0.1001", Fee: tinybarPerHbar})
			}
			counted := func(value string) []string {
				return []string{accountLine("fees_hbar_total", "0.0.1001", "0", value), `hedera_network_transactions_total{network="simulated"} ` + value}
			}
			add()
			wantLines(t, scrapeText(t, set, testDeadline), counted("1")...)
			add()
			add()
			odd = true
			for range 2 {
				wantLines(t, scrapeText(t, set, testDeadline), successLine(test.collector, false))
			}
			odd = false
			wantLines(t, scrapeText(t, set, testDeadline), append(counted("3"), successLine(test.collector, true))...)

			add()
			add()
			add()
			odd = true
			for range maxUnreadable / 2 { // two answers a scrape
				wantLines(t, scrapeText(t, set, testDeadline), successLine(test.collector, false))
			}
			body := scrapeText(t, set, testDeadline)
			wantLines(t, body, successLine(test.collector, true))
			if test.collector == "blocks" {
				wantLines(t, body, `hedera_network_transactions_total{network="simulated"} 5`, `hedera_network_blocks_skipped_total{network="simulated"} 1`)
			} else if counted := linesWith(body, "hedera_account_transactions_total{"); test.lost == strings.HasSuffix(counted[0], " 6") {
				t.Errorf("counted %q", counted)
			}
		})
	}
}

// withOddRow is an answer where the last row but one has a field of another type.
func withOddRow(t *testing.T, body []byte, list, field string) []byte {
	t.Helper()
	var answer map[string]json.RawMessage
	var rows []map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer[list], &rows) != nil || len(rows) < 2 {
		return body
	}
	rows[len(rows)-2][field] = json.RawMessage(`{"odd":[]}`)
	var err error
	if answer[list], err = json.Marshal(rows); err != nil {
		t.Error(err)
	}
	if body, err = json.Marshal(answer); err != nil {
		t.Error(err)
	}
	return body
}
