// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestNewBlock(t *testing.T) {
	block, next := newBlock(1, 100), newBlock(1, 101)
	if !reflect.DeepEqual(block, newBlock(1, 100)) {
		t.Error("the same block differs")
	}
	if next.PreviousHash != block.Hash {
		t.Errorf("block 101 follows %s, want %s", next.PreviousHash, block.Hash)
	}
	if gap := next.from.Sub(block.from); gap != blockPeriod {
		t.Errorf("blocks are %s apart, want %s", gap, blockPeriod)
	}
	if blockNumberAt(block.from) != 100 || blockNumberAt(block.to) != 100 || blockNumberAt(next.from) != 101 {
		t.Error("blockNumberAt contradicts the blocks' times")
	}
	if len(block.Hash) != len("0x")+96 {
		t.Errorf("hash %q is no SHA-384", block.Hash)
	}
}

func TestBlocks(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	latest := getJSON[blockList](t, s, "/api/v1/blocks?limit=1&order=desc").Blocks[0]
	if latest.Number != blockNumberAt(fixedNow())-1 || latest.Timestamp.To == nil {
		t.Fatalf("latest block is %+v", latest)
	}

	added := addBlock(s)
	if added.Number != latest.Number+1 || added.PreviousHash != latest.Hash {
		t.Errorf("block %d (after %s) was added to %d (%s)", added.Number, added.PreviousHash, latest.Number, latest.Hash)
	}
	newer := getJSON[blockList](t, s, "/api/v1/blocks?timestamp=gt:"+*latest.Timestamp.To)
	if len(newer.Blocks) != 1 || newer.Blocks[0].Number != added.Number {
		t.Errorf("after the latest end: got %+v", newer.Blocks)
	}

	oldest := added.Number - genesisBlocks
	window := fmt.Sprintf("/api/v1/blocks?order=asc&limit=2&block.number=gte:%d&block.number=lt:%d", oldest, oldest+3)
	page := getJSON[blockList](t, s, window)
	if len(page.Blocks) != 2 || page.Blocks[0].Number != oldest || page.Links.Next == nil {
		t.Fatalf("first page: got %+v", page)
	}
	rest := getJSON[blockList](t, s, *page.Links.Next)
	if len(rest.Blocks) != 1 || rest.Blocks[0].Number != oldest+2 || rest.Links.Next != nil {
		t.Errorf("second page: got %+v", rest)
	}

	if got := len(getJSON[blockList](t, s, "/api/v1/blocks?limit=1000").Blocks); got != 100 {
		t.Errorf("got %d blocks, want the cap of 100", got)
	}
	for _, query := range []string{"block.number=x", "timestamp=now", "limit=-1", "order=up"} {
		if got := send(t, s, http.MethodGet, "/api/v1/blocks?"+query, nil); got.status != 400 {
			t.Errorf("%q: got %d, want 400", query, got.status)
		}
	}
}

func TestOneBlock(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	want := addBlockWith(s, 1234, 5_000_000)
	for _, name := range []string{
		strconv.FormatInt(want.Number, 10), want.Hash, strings.TrimPrefix(want.Hash, "0x"),
		strings.ToUpper(want.Hash[2:]), want.Hash[:66],
	} {
		got := getJSON[Block](t, s, "/api/v1/blocks/"+name)
		if got.Hash != want.Hash || got.Count != 1234 || *got.GasUsed != 5_000_000 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	for name, want := range map[string]int{
		"1": 404, "0x" + strings.Repeat("0", 96): 404, "latest": 400, "-1": 400, "0x12": 400, want.Hash + "?limit=1": 400,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/blocks/"+name, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", name, got.status, want)
		}
	}
}

func TestBlockTotals(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	before := s.BlockTotals()
	addBlockWith(s, 0, 0)
	addBlockWith(s, 7, 1000)
	made := addBlock(s)
	after := s.BlockTotals()
	want := BlockTotals{before.Blocks + 3, before.Transactions + 7 + made.Count, before.GasUsed + 1000 + *made.GasUsed}
	if after != want || before.Blocks != genesisBlocks {
		t.Errorf("from %+v to %+v, want %+v", before, after, want)
	}
}

// A block has the transactions that were added in its time, if there are any.
func TestBlocksCountAddedTransactions(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	latest := addBlock(s)
	start := latest.from.Add(blockPeriod)
	addTransactions(t, s,
		Transaction{Consensus: latest.to, Payer: "0.0.2", GasUsed: 1}, // too late for its block
		Transaction{Consensus: start, Payer: "0.0.2", GasUsed: 10},
		Transaction{Consensus: start.Add(blockPeriod - 1), Payer: "0.0.2", GasUsed: 100},
		Transaction{Consensus: start.Add(blockPeriod), Payer: "0.0.2", GasUsed: 1000},
	)
	for _, want := range []struct{ count, gas int64 }{{2, 110}, {1, 1000}} {
		if got := addBlock(s); got.Count != want.count || *got.GasUsed != want.gas {
			t.Errorf("block has %d transactions and %d gas, want %+v", got.Count, *got.GasUsed, want)
		}
	}
	next := addBlock(s)
	if want := newBlock(1, next.Number); next.Count != want.Count || *next.GasUsed != *want.GasUsed {
		t.Errorf("block without transactions has %d, want %d", next.Count, want.Count)
	}
}

func TestSkipAndReset(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	addTransactions(t, s, Transaction{Payer: "0.0.1001"})
	before := addBlock(s)
	mustControl(t, s, "POST", "blocks/skip", `{"count":3}`)
	after := addBlock(s)
	if after.Number != before.Number+4 || !after.from.Equal(before.from.Add(blockPeriod)) {
		t.Errorf("block %d of %s follows %d of %s", after.Number, after.from, before.Number, before.from)
	}
	mustControl(t, s, "POST", "blocks/reset", "")
	list := getJSON[blockList](t, s, "/api/v1/blocks")
	if len(list.Blocks) != 1 || list.Blocks[0].Number != 0 || list.Blocks[0].Timestamp.From <= *after.Timestamp.To {
		t.Errorf("got %+v", list)
	}
	if next := addBlock(s); next.Number != 1 {
		t.Errorf("block %d follows block 0", next.Number)
	}
	if got := getJSON[transactionList](t, s, "/api/v1/transactions"); len(got.Transactions) != 0 {
		t.Errorf("got %+v", got)
	}
	if _, ok := s.Balance("0.0.1001"); !ok {
		t.Error("the account is gone")
	}
	for _, body := range []string{`{}`, `{"count":-1}`} {
		if got := control(t, s, "POST", "blocks/skip", body); got.status != 400 {
			t.Errorf("%s: got %d", body, got.status)
		}
	}
}

// A moving network that was reset goes on from there.
func TestResetOfAMovingNetwork(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 50, func() time.Time { return now })
	l.Reset()
	now = now.Add(5 * blockPeriod)
	l.tick()
	if got := l.latestBlock(); got.Number != 4 || got.to.After(now) || now.Sub(got.to) > blockPeriod {
		t.Errorf("latest block is %d until %s", got.Number, got.to)
	}
}
