// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// chaos spoils a share of the answers.
type chaos struct {
	share float64

	mu      sync.Mutex
	random  *rand.Rand
	spoiled map[string]int
}

func (c *chaos) answer(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
	c.mu.Lock()
	spoil := c.random.Float64() < c.share
	kind := c.random.IntN(9)
	seed := c.random.Uint64()
	c.mu.Unlock()
	if !spoil {
		upstream.ServeHTTP(w, r)
		return
	}
	random := rand.New(rand.NewPCG(seed, 0))
	var name string
	switch kind {
	case 0:
		name = "status"
		w.WriteHeader([]int{400, 403, 404, 500, 502, 503}[random.IntN(6)])
	case 1:
		name = "delay"
		time.Sleep(time.Duration(random.IntN(int(20 * time.Millisecond))))
		upstream.ServeHTTP(w, r)
	default:
		r.Header.Del("Accept-Encoding")
		recorder := httptest.NewRecorder()
		upstream.ServeHTTP(recorder, r)
		var body string
		body, name = spoiltBody(random, kind, recorder.Body.String())
		w.WriteHeader(recorder.Code)
		_, _ = w.Write([]byte(body))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoiled[name]++
}

// countedFields are the fields that the counters need, by list.
var countedFields = map[string][]string{
	"blocks":       {"number", "count", "gas_used", "timestamp"},
	"transactions": {"consensus_timestamp", "transaction_id", "charged_tx_fee", "transfers", "token_transfers", "nft_transfers", "nonce", "scheduled", "valid_start_timestamp", "parent_consensus_timestamp"},
}

// spoiltBody cuts the body, makes it no JSON, or has a row twice or with a field
// that cannot be read.
func spoiltBody(random *rand.Rand, kind int, body string) (spoilt, name string) {
	switch {
	case body == "":
		return body, "none"
	case kind == 2:
		return body[:random.IntN(len(body))], "cut"
	case kind == 3:
		return "<html>" + body, "garbage"
	}
	var answer map[string]any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return body, "none"
	}
	name = "none" // there is no row
	for _, list := range []string{"blocks", "transactions"} {
		rows, ok := answer[list].([]any)
		if !ok || len(rows) == 0 {
			continue
		}
		row, ok := rows[random.IntN(len(rows))].(map[string]any)
		if !ok {
			continue
		}
		if kind == 4 {
			answer[list] = append(rows, row)
			name = "twice"
			continue
		}
		field := countedFields[list][random.IntN(len(countedFields[list]))]
		row[field] = []any{map[string]any{}, "odd", json.Number("99999999999999999999999")}[random.IntN(3)]
		name = "odd"
	}
	changed, err := json.Marshal(answer)
	if err != nil {
		return body, "none"
	}
	return string(changed), name
}

// TestCountersAreExactInChaos has one answer in ten spoilt, with replicas that
// are behind.
func TestCountersAreExactInChaos(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testCountersInChaos(t, memory, seed) })
		})
	}
}

func testCountersInChaos(t *testing.T, memory *memnet.Network, seed uint64) {
	const accounts, scrapes = 120, 60
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: accounts, Listen: memory.Listen})
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
	ids := make([]string, accounts)
	for i := range accounts {
		ids[i] = "0.0." + itoa(1001+i)
		watched := account(ids[i], ids[i])
		watched.Transactions = true
		network.Accounts = append(network.Accounts, watched)
	}
	honest := setOn(t, network, "blocks", "transactions")
	consensus := blockEndOf(t, addBlock(sim))
	scrapeText(t, honest, testDeadline) // counting begins here
	before := sim.BlockTotals()
	setReplicaLag(t, sim, 200)

	random := rand.New(rand.NewPCG(seed, 4))
	upstream := &chaos{share: 0.1, random: rand.New(rand.NewPCG(seed, 5)), spoiled: map[string]int{}}
	network.Mirror = clientThroughMemory(t, memory, sim, &between{answer: upstream.answer})
	spoilt := setOn(t, network, "blocks", "transactions")
	want := tallies{}
	shown := 0
	for range scrapes {
		for i := range random.IntN(30) {
			consensus = consensus.Add(time.Duration(1 + random.IntN(3)))
			want.add(t, sim, randomTransaction(random, consensus, int64(i), ids))
		}
		for range 1 + random.IntN(30) {
			consensus = blockEndOf(t, addBlockWith(sim, random.IntN(1000), random.Int64N(1e7)))
		}
		shown += len(linesWith(scrapeText(t, spoilt, testDeadline), "hedera_account_fees_hbar_total{", other))
	}
	t.Log("spoilt:", upstream.spoiled)
	if shown < accounts*scrapes*85/100 {
		t.Errorf("%d of %d accounts were shown", shown, accounts*scrapes)
	}
	if len(upstream.spoiled) < 4 {
		t.Errorf("only %v was spoilt", upstream.spoiled)
	}

	setReplicaLag(t, sim, 0)
	scrapeText(t, honest, testDeadline)
	body := scrapeText(t, honest, testDeadline)
	after := sim.BlockTotals()
	wantLines(
		t, body,
		successLine("blocks", true),
		`hedera_network_transactions_total{network="simulated"} `+sampleValue(float64(after.Transactions-before.Transactions)),
		`hedera_network_gas_used_total{network="simulated"} `+sampleValue(float64(after.GasUsed-before.GasUsed)),
		`hedera_network_blocks_skipped_total{network="simulated"} 0`,
	)
	for _, id := range ids {
		if want[id] != nil {
			want.check(t, body, id)
		}
	}
	want.checkLatencies(t, body, ids)
}
