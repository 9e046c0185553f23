// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hedera_exporter/internal/memnet"
)

func TestTrafficMovesBalances(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 50, func() time.Time { return now })
	before := balances(l)
	blocks := len(l.blocks)
	now = now.Add(100 * blockPeriod)
	l.tick()

	names, results := map[string]bool{}, map[string]bool{}
	for _, r := range l.transactions {
		names[r.Name], results[r.Result] = true, true
		for _, moved := range r.transfers {
			before[moved.account.String()] += moved.amount
		}
	}
	for id, tinybar := range balances(l) {
		if tinybar != before[id] || tinybar < 0 {
			t.Errorf("%s has %d, its transactions say %d", id, tinybar, before[id])
		}
	}
	if len(names) != 3 || !results["CONTRACT_REVERT_EXECUTED"] || !results["INSUFFICIENT_PAYER_BALANCE"] {
		t.Errorf("there are only %v with %v", names, results)
	}
	if !slices.IsSortedFunc(l.transactions, func(a, b *record) int { return a.Consensus.Compare(b.Consensus) }) {
		t.Error("transactions are out of order")
	}
	for _, block := range l.blocks[blocks:] {
		listed := l.firstAfter(block.to) - l.firstAfter(block.from.Add(-1))
		if int64(listed) > block.Count {
			t.Errorf("block %d has %d transactions, but counts %d", block.Number, listed, block.Count)
		}
	}
	if topic := l.topics[mustEntity(t, busyTopic)]; topic.sequence <= 30 || len(topic.messages) != int(topic.sequence) {
		t.Errorf("the busy topic has %d messages, the last is %d", len(topic.messages), topic.sequence)
	}
	var contracts int64
	for id := range l.contracts {
		contracts += l.accounts[id].tinybar()
	}
	if contracts == 0 {
		t.Error("no contract was called with hbar")
	}
}

// TestTrafficLeavesTheColdAccount verifies that the demo's own traffic does not
// set off the alert for an account that must not move.
func TestTrafficLeavesTheColdAccount(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 5, func() time.Time { return now })
	before := balances(l)[coldAccount]
	now = now.Add(500 * blockPeriod)
	l.tick()
	if got := balances(l)[coldAccount]; got != before {
		t.Errorf("the balance of %s has moved by %d tinybar", coldAccount, got-before)
	}
}

func mustEntity(t *testing.T, id string) entityID {
	t.Helper()
	parsed, err := parseEntityID(id)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// The blocks of a moving network count what was added, and what it made up in
// the same time.
func TestTrafficBesideAddedTransactions(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 50, func() time.Time { return now })
	next := l.nextBlock()
	if err := l.AddTransaction(Transaction{Consensus: next.from, Payer: "0.0.2"}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(blockPeriod)
	l.tick()
	block := l.latestBlock()
	if block.Number != next.Number || block.Count != int64(len(l.transactions)) {
		t.Errorf("block %d counts %d of %d transactions", block.Number, block.Count, len(l.transactions))
	}
}

func TestStoppedBlocks(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 50, func() time.Time { return now })
	before, last := balances(l), l.latestBlock().Number
	l.StopBlocks()
	now = now.Add(10 * blockPeriod)
	l.tick()
	if got := l.latestBlock().Number; got != last || len(l.transactions) != 0 {
		t.Errorf("latest block went from %d to %d with %d transactions", last, got, len(l.transactions))
	}
	l.StartBlocks()
	l.tick()
	if got := l.latestBlock().Number; got != last+10 || len(l.transactions) == 0 {
		t.Errorf("after the start: latest block is %d, want %d", got, last+10)
	}
	if after := balances(l); after["0.0.802"] == before["0.0.802"] {
		t.Error("nobody paid a fee")
	}
}

func TestTransactionsAreBounded(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 0, func() time.Time { return now })
	l.transactions = make([]*record, maxTransactions+5)
	for i := range l.transactions {
		l.transactions[i] = &record{Transaction: Transaction{Consensus: now.Add(time.Duration(i - maxTransactions - 5))}}
	}
	l.makeTraffic(l.nextBlock())
	if len(l.transactions) != maxTransactions {
		t.Errorf("%d transactions are kept, want %d", len(l.transactions), maxTransactions)
	}
}

func TestStopBlocksFreezesTheMirror(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		s := startNetwork(t, Options{Nodes: 1, Accounts: 5, Listen: memory.Listen})
		client := newMemoryHTTPClient(t, memory)
		_ = s.Update(func(l *Ledger) error { l.StopBlocks(); return nil })
		frozen := latestBlock(t, client, s)
		time.Sleep(3 * blockPeriod)
		synctest.Wait() // a block would be due at this moment
		if got := latestBlock(t, client, s); got != frozen {
			t.Errorf("latest block went from %d to %d", frozen, got)
		}
		_ = s.Update(func(l *Ledger) error { l.StartBlocks(); return nil })
		time.Sleep(blockPeriod)
		synctest.Wait()
		if got := latestBlock(t, client, s); got != frozen+4 {
			t.Errorf("latest block went from %d to %d, want %d", frozen, got, frozen+4)
		}
		if got, err := trySend(t, client, s, http.MethodGet, "/api/v1/transactions?limit=1", nil); err != nil || got.status != 200 {
			t.Errorf("got %d, %v", got.status, err)
		}
	})
}
