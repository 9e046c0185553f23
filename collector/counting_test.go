// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

const histories = 12 // random ones a run of each property test; each has its seed

// flaky forwards requests to a mirror node, and fails at random instead.
type flaky struct {
	mirror  http.Handler
	mu      sync.Mutex
	random  *rand.Rand
	failing bool
}

// newFlaky returns a client of the simulated mirror node through a flaky proxy.
func newFlaky(t *testing.T, sim *simulator.Simulator, seed, stream uint64) (*mirror.Client, *flaky) {
	t.Helper()
	target, err := url.Parse(sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{mirror: httputil.NewSingleHostReverseProxy(target), random: rand.New(rand.NewPCG(seed, stream))}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, f
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.fails() {
		http.Error(w, "flaky", http.StatusForbidden) // not retried
		return
	}
	f.mirror.ServeHTTP(w, r)
}

func (f *flaky) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failing && f.random.IntN(4) == 0
}

func (f *flaky) setFailing(failing bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing = failing
}

// scrapeAtOnce runs c several times at the same time; whether it fails is not
// looked at.
func scrapeAtOnce(t *testing.T, c Collector, times int) {
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() { _, _ = samplesFrom(t, c) })
	}
	wg.Wait()
}

// samplesFrom is one update of c as text.
func samplesFrom(t *testing.T, c Collector) (string, error) {
	cached := &cachedCollector{network: "simulated", name: "c", collector: c}
	ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
	defer cancel()
	result, err := cached.run(ctx)
	if err != nil {
		return "", err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(constSamples(result.samples))
	return samplesOf(gather(t, registry)), nil
}

// constSamples is a prometheus.Collector of samples that are there already.
type constSamples []prometheus.Metric

func (constSamples) Describe(chan<- *prometheus.Desc) {}

func (c constSamples) Collect(ch chan<- prometheus.Metric) {
	for _, sample := range c {
		ch <- sample
	}
}

// TestTransactionsAreCountedExactlyOnce drives random histories (bursts over
// page borders, equal timestamps, failures between pages, scrapes at the same
// time, a reload) and compares the counters with the simulator's own totals.
func TestTransactionsAreCountedExactlyOnce(t *testing.T) {
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { testTransactionHistory(t, seed) })
	}
}

func testTransactionHistory(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 5})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	ids := []string{"0.0.1001", "0.0.1002", "0.0.1003"}
	for _, id := range ids {
		watched := account(id, id)
		watched.Transactions = true
		network.Accounts = append(network.Accounts, watched)
	}
	client, upstream := newFlaky(t, sim, seed, 1)
	collectorOn := func(accounts ...config.Account) transactions {
		return transactions{network: "simulated", accounts: accounts, mirror: client, state: network.State}
	}
	c := collectorOn(network.Accounts...)

	start := addBlock(sim)
	for _, earlier := range []time.Duration{time.Minute, 0} { // before the start, the last of them by nothing
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.AddTransaction(simulator.Transaction{Consensus: blockEndOf(t, start).Add(-earlier), Payer: ids[0], Fee: 7})
		}); err != nil {
			t.Fatal(err)
		}
	}
	want := tallies{}
	if _, err := samplesFrom(t, c); err != nil {
		t.Fatal(err)
	}
	setReplicaLag(t, sim, 250) // 500 s

	upstream.setFailing(true)
	consensus := blockEndOf(t, start)
	for range 12 {
		burst := []int{0, 1, 2, 99, 100, 101, 250}[random.IntN(7)]
		for i := range burst {
			if random.IntN(3) > 0 || i%90 == 0 { // never a page full of one timestamp
				consensus = consensus.Add(time.Duration(1 + random.IntN(3)))
			}
			want.add(t, sim, randomTransaction(random, consensus, int64(i), ids))
		}
		for range random.IntN(200) {
			consensus = blockEndOf(t, addBlock(sim))
		}
		scrapeAtOnce(t, c, 1+random.IntN(2))
		if random.IntN(4) == 0 { // a reload
			c = collectorOn(network.Accounts...)
		}
	}

	upstream.setFailing(false)
	setReplicaLag(t, sim, 0)
	var body string
	awaitSamples(t, c, &body, `hedera_transactions_backlog_seconds{network="simulated"} 0`)
	for _, id := range ids {
		want.check(t, body, id)
	}
	want.checkLatencies(t, body, ids)
}

func setReplicaLag(t *testing.T, sim *simulator.Simulator, blocks int) {
	t.Helper()
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetReplicaLag(blocks) }); err != nil {
		t.Fatal(err)
	}
}

func blockEndOf(t *testing.T, block simulator.Block) time.Time {
	t.Helper()
	end, err := mirror.ParseTimestamp(*block.Timestamp.To)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, int64(end))
}

func awaitSamples(t *testing.T, c Collector, body *string, line string) {
	t.Helper()
	for range 100 {
		var err error
		if *body, err = samplesFrom(t, c); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(*body, line) {
			return
		}
	}
	t.Fatalf("there is no %s in\n%s", line, *body)
}

func randomTransaction(random *rand.Rand, consensus time.Time, nonce int64, ids []string) simulator.Transaction {
	others := append([]string{"0.0.98", "0.0.1004"}, ids...)
	pick := func() string { return others[random.IntN(len(others))] }
	from, to, amount := pick(), pick(), random.Int64N(1e15)
	transaction := simulator.Transaction{
		Consensus: consensus,
		Payer:     pick(),
		Name:      []string{"CRYPTOTRANSFER", "CONTRACTCALL", "TOKENMINT"}[random.IntN(3)],
		Result:    []string{"SUCCESS", "CONTRACT_REVERT_EXECUTED", "KEY_REQUIRED"}[random.IntN(3)],
		Fee:       random.Int64N(1e9),
		Nonce:     nonce,
		Transfers: map[string]int64{},
	}
	if random.IntN(2) == 0 { // its own, and not caused by another: the valid start tells it from the others
		transaction.Nonce, transaction.ValidStart = 0, consensus.Add(-time.Duration(1+nonce)*time.Millisecond)
	}
	switch kind := random.IntN(5); {
	case kind == 0:
		transaction.TokenTransfers = []simulator.TokenTransfer{{Account: from, Amount: -1, TokenID: "0.0.7"}, {Account: to, Amount: 1, TokenID: "0.0.7"}}
	case kind == 1:
		transaction.NFTTransfers = []simulator.NFTTransfer{{Sender: from, Receiver: to, Serial: 1, TokenID: "0.0.8"}}
	case kind == 2:
		transaction.Scheduled, transaction.Creator = true, pick()
		if transaction.Creator == transaction.Payer { // otherwise AddTransaction adds it
			transaction.Transfers[transaction.Payer] = -transaction.Fee
		}
	case from != to:
		transaction.Transfers[from], transaction.Transfers[to] = -amount, amount
	}
	return transaction
}

// tallies are what the counters of accounts should be: they know of each
// transaction who paid for it.
type tallies map[string]*tally

type tally struct {
	in, out, failed int64
	fees            map[string]int64 // by type
	last            time.Time
	latencies       int // observed
	kinds           map[[2]string]int
}

// add adds a transaction to the ledger.
func (all tallies) add(t *testing.T, sim *simulator.Simulator, transaction simulator.Transaction) {
	t.Helper()
	if err := sim.Update(func(l *simulator.Ledger) error { return l.AddTransaction(transaction) }); err != nil {
		t.Fatal(err)
	}
	of := func(id string) *tally {
		if all[id] == nil {
			all[id] = &tally{kinds: map[[2]string]int{}, fees: map[string]int64{other: 0}}
		}
		all[id].last = transaction.Consensus
		return all[id]
	}
	of(transaction.Payer).fees[cmp.Or(transaction.Name, "CRYPTOTRANSFER")] += transaction.Fee
	if !transaction.Scheduled && transaction.Nonce == 0 {
		of(transaction.Payer).latencies++
	}
	involved := map[string]bool{cmp.Or(transaction.Creator, transaction.Payer): true}
	transfers := maps.Clone(transaction.Transfers)
	if transaction.Scheduled && transaction.Creator != transaction.Payer { // as AddTransaction has it
		transfers[transaction.Payer] -= transaction.Fee
	}
	for id, amount := range transfers {
		involved[id] = true
		of(id).in += max(0, amount)
		of(id).out += max(0, -amount)
	}
	for id := range involved {
		of(id).kinds[[2]string{cmp.Or(transaction.Name, "CRYPTOTRANSFER"), cmp.Or(transaction.Result, "SUCCESS")}]++
		if cmp.Or(transaction.Result, "SUCCESS") != "SUCCESS" {
			of(id).failed++
		}
	}
	for _, moved := range transaction.TokenTransfers {
		of(moved.Account)
	}
	for _, moved := range transaction.NFTTransfers {
		of(moved.Sender)
		of(moved.Receiver)
	}
}

// checkLatencies is told of all watched accounts.
func (all tallies) checkLatencies(t *testing.T, body string, ids []string) {
	t.Helper()
	observed := 0
	for _, id := range ids {
		if all[id] != nil {
			observed += all[id].latencies
		}
	}
	if observed == 0 {
		t.Error("no latency to observe")
	}
	wantLines(t, body, fmt.Sprintf(`hedera_transaction_consensus_latency_seconds_count{network="simulated"} %d`, observed))
}

func (all tallies) check(t *testing.T, body, id string) {
	t.Helper()
	want := all[id]
	if want == nil {
		t.Fatalf("no transaction of %s", id)
	}
	labels := fmt.Sprintf(`account_id="%s",`, id)
	tail := fmt.Sprintf(`name="%s",network="simulated"`, id)
	wantLines(
		t, body,
		fmt.Sprintf(`hedera_account_transferred_hbar_total{%sdirection="in",%s} %s`, labels, tail, sampleValue(hbar(want.in))),
		fmt.Sprintf(`hedera_account_transferred_hbar_total{%sdirection="out",%s} %s`, labels, tail, sampleValue(hbar(want.out))),
		fmt.Sprintf(`hedera_account_failed_transactions_total{%s%s} %d`, labels, tail, want.failed),
		fmt.Sprintf(`hedera_account_last_transaction_timestamp_seconds{%s%s} %s`, labels, tail, sampleValue(mirror.TimestampOf(want.last).Seconds())),
		fmt.Sprintf(`hedera_account_inactive{%s%s} 0`, labels, tail),
	)
	for kind, count := range want.kinds {
		result := strings.Replace(kind[1], "KEY_REQUIRED", other, 1) // has no label value of its own
		wantLines(t, body, fmt.Sprintf(`hedera_account_transactions_total{%s%s,result="%s",type="%s"} %d`, labels, tail, result, kind[0], count))
	}
	for typeName, tinybar := range want.fees {
		wantLines(t, body, fmt.Sprintf(`hedera_account_fees_hbar_total{%s%s,type="%s"} %s`, labels, tail, typeName, sampleValue(hbar(tinybar))))
	}
	if shown := len(linesWith(body, "hedera_account_transactions_total{", labels)); shown != len(want.kinds) {
		t.Errorf("%d series count transactions of %s, want %d", shown, id, len(want.kinds))
	}
}

// sampleValue is a value as the text format writes it.
func sampleValue(value float64) string {
	return strings.TrimSpace(strings.TrimPrefix(fmt.Sprintln(value), "+"))
}

// TestBlocksAreCountedExactlyOnce is the same for blocks.
func TestBlocksAreCountedExactlyOnce(t *testing.T) {
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { testBlockHistory(t, seed) })
	}
}

func testBlockHistory(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	client, upstream := newFlaky(t, sim, seed, 3)
	c := blocks{network: "simulated", mirror: client, state: &network.State.blocks, older: &network.State.older}

	before := sim.BlockTotals()
	if _, err := samplesFrom(t, c); err != nil {
		t.Fatal(err)
	}
	setReplicaLag(t, sim, 120)
	upstream.setFailing(true)
	for range 9 { // even if all of them fail, no more blocks than a scrape reads
		for range []int{0, 1, 7, 99, 100, 101}[random.IntN(6)] {
			addBlockWith(sim, random.IntN(1000), random.Int64N(1e7))
		}
		scrapeAtOnce(t, c, 1+random.IntN(2))
	}
	upstream.setFailing(false)
	setReplicaLag(t, sim, 0)
	last := addBlockWith(sim, 3, 5)
	body, err := samplesFrom(t, c)
	if err != nil {
		t.Fatal(err)
	}
	after := sim.BlockTotals()
	wantLines(
		t, body,
		`hedera_network_transactions_total{network="simulated"} `+sampleValue(float64(after.Transactions-before.Transactions)),
		`hedera_network_gas_used_total{network="simulated"} `+sampleValue(float64(after.GasUsed-before.GasUsed)),
		`hedera_block_number{network="simulated"} `+sampleValue(float64(last.Number)),
		`hedera_block_transactions{network="simulated"} 3`,
		`hedera_block_gas_used{network="simulated"} 5`,
		`hedera_network_blocks_skipped_total{network="simulated"} 0`,
	)
}

func newBlocksOn(t *testing.T, sim *simulator.Simulator) blocks {
	t.Helper()
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	return blocks{network: "simulated", mirror: network.Mirror, state: &network.State.blocks, older: &network.State.older}
}

func TestBlocksBeyondTheBoundAreSkippedAndCounted(t *testing.T) {
	tests := map[string]struct{ added, transactions, skipped int }{
		"up to the bound":  {1000, 1000, 0},
		"beyond the bound": {1501, 1001, 500}, // the latest is counted
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1})
			c := newBlocksOn(t, sim)
			if _, err := samplesFrom(t, c); err != nil {
				t.Fatal(err)
			}
			for range test.added {
				addBlockWith(sim, 1, 0)
			}
			for range 2 { // the second finds nothing new
				body, err := samplesFrom(t, c)
				if err != nil {
					t.Fatal(err)
				}
				wantLines(
					t, body,
					fmt.Sprintf(`hedera_network_transactions_total{network="simulated"} %s`, sampleValue(float64(test.transactions))),
					fmt.Sprintf(`hedera_network_blocks_skipped_total{network="simulated"} %d`, test.skipped),
				)
			}
		})
	}
}

// TestBlockWithoutATimeIsAskedForAgain has it be the first of two pages of blocks:
// those after it have to wait as well.
func TestBlockWithoutATimeIsAskedForAgain(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	c := newBlocksOn(t, sim)
	if _, err := samplesFrom(t, c); err != nil {
		t.Fatal(err)
	}
	for range 150 {
		addBlockWith(sim, 1, 0)
	}
	if _, err := sim.InjectFault(simulator.Fault{Path: blocksPath, Kind: simulator.FaultSet, Field: "timestamp", Value: []byte("null"), Count: 1}); err != nil {
		t.Fatal(err)
	}
	for _, transactions := range []int{0, 150} {
		body, err := samplesFrom(t, c)
		if err != nil {
			t.Fatal(err)
		}
		wantLines(
			t, body,
			fmt.Sprintf(`hedera_network_transactions_total{network="simulated"} %d`, transactions),
			`hedera_network_blocks_skipped_total{network="simulated"} 0`,
		)
	}
}

func TestTransactionsBeyondTheBoundAreABacklog(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	watched := account("0.0.1001", "busy")
	c := transactions{network: "simulated", accounts: []config.Account{watched}, mirror: network.Mirror, state: network.State}
	start := blockEndOf(t, addBlock(sim))
	if _, err := samplesFrom(t, c); err != nil {
		t.Fatal(err)
	}
	const added = 1500
	for i := range added {
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.AddTransaction(simulator.Transaction{Consensus: start.Add(time.Duration(i + 1)), Payer: "0.0.1001", Fee: 1})
		}); err != nil {
			t.Fatal(err)
		}
	}
	counted := func(body string) string {
		return strings.Join(linesWith(body, "hedera_account_transactions_total{"), "\n")
	}
	body, err := samplesFrom(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if backlog := linesWith(body, "hedera_transactions_backlog_seconds{"); len(backlog) != 1 || strings.HasSuffix(backlog[0], " 0") {
		t.Errorf("with %d transactions to count the backlog is %q", added, backlog)
	}
	if !strings.HasSuffix(counted(body), " 991") { // each page begins with the row that ended the one before
		t.Errorf("the first scrape counted %s", counted(body))
	}
	if body, err = samplesFrom(t, c); err != nil {
		t.Fatal(err)
	}
	wantLines(t, body, `hedera_transactions_backlog_seconds{network="simulated"} 0`)
	if !strings.HasSuffix(counted(body), " 1500") {
		t.Errorf("two scrapes counted %s", counted(body))
	}
}

func TestFullPageOfOneTimestampIsAnError(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	c := transactions{network: "simulated", accounts: []config.Account{account("0.0.1001", "a")}, mirror: network.Mirror, state: network.State}
	at := blockEndOf(t, addBlock(sim)).Add(time.Second)
	if _, err := samplesFrom(t, c); err != nil {
		t.Fatal(err)
	}
	for i := range int64(101) {
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.AddTransaction(simulator.Transaction{Consensus: at, Payer: "0.0.1001", Nonce: i})
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := samplesFrom(t, c); err == nil || !strings.Contains(err.Error(), "one consensus timestamp") {
		t.Errorf("error %v", err)
	}
}

func TestQuietAccount(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 15})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	c := transactions{network: "simulated", mirror: network.Mirror, state: network.State}
	earlier := blockEndOf(t, addBlock(sim)).Add(-59 * 24 * time.Hour)
	for i := range 15 {
		c.accounts = append(c.accounts, account("0.0."+itoa(1001+i), itoa(i)))
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.AddTransaction(simulator.Transaction{Consensus: earlier, Payer: "0.0." + itoa(1001+i)})
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, known := range []int{5, 10, 15, 15} { // 5 are looked up in a scrape
		sim.ResetRequests()
		body, err := samplesFrom(t, c)
		if err != nil {
			t.Fatal(err)
		}
		lines := linesWith(body, "hedera_account_last_transaction_timestamp_seconds{")
		if len(lines) != known || !strings.HasSuffix(lines[0], " "+sampleValue(mirror.TimestampOf(earlier).Seconds())) {
			t.Errorf("%d last transactions, want %d: %q", len(lines), known, lines)
		}
	}
	if requests := sim.Requests(); requests["GET /api/v1/transactions"] != 1 || requests["GET /api/v1/blocks"] != 1 || len(requests) != 2 {
		t.Errorf("a scrape of 15 quiet accounts made the requests %v, want one for them and one for the latest block", requests)
	}
}

func TestHbarSumDoesNotOverflow(t *testing.T) {
	var sum hbarSum
	const supply = int64(5e18) // all there is, in tinybar
	for range 4 {
		sum.add(supply + 99_999_999)
	}
	if want := 4 * (5e10 + 0.99999999); sum.hbar() != want {
		t.Errorf("%v, want %v", sum.hbar(), want)
	}
	small := hbarSum{}
	small.add(1)
	small.add(99_999_999)
	small.add(12)
	if small.hbar() != 1.00000012 {
		t.Errorf("%v, want 1.00000012", small.hbar())
	}
}
