// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Block is one entry of GET /api/v1/blocks (docs/hedera.md 1.4). Size is bytes.
type Block struct {
	Count        int64          `json:"count"`
	GasUsed      *int64         `json:"gas_used"`
	HapiVersion  *string        `json:"hapi_version"`
	Hash         string         `json:"hash"`
	LogsBloom    *string        `json:"logs_bloom"`
	Name         string         `json:"name"`
	Number       int64          `json:"number"`
	PreviousHash string         `json:"previous_hash"`
	Size         *int64         `json:"size"`
	Timestamp    TimestampRange `json:"timestamp"`

	from, to time.Time
	period   int64 // of streamStart's, which is its number before any reset
}

// TimestampRange is a range of consensus timestamps; a nil To is open.
type TimestampRange struct {
	From string  `json:"from"`
	To   *string `json:"to"`
}

const (
	blockPeriod   = 2 * time.Second
	genesisBlocks = 150
	maxBlocks     = 50_000
	hapiVersion   = "0.77.5"
)

// streamStart is when mainnet opened. Block numbers count from there, so they
// go on growing when the simulator is started again.
var streamStart = time.Date(2019, time.September, 13, 22, 0, 0, 0, time.UTC)

// blockNumberAt returns the number of the block that holds t.
func blockNumberAt(t time.Time) int64 {
	return int64(t.Sub(streamStart) / blockPeriod)
}

// newBlock derives the whole block from the seed and its number.
func newBlock(seed, number int64) Block {
	from := streamStart.Add(time.Duration(number) * blockPeriod)
	to := from.Add(blockPeriod - time.Nanosecond)
	rng := blockRand(seed, number)
	count := rng.Int64N(60)
	bloom := "0x" + hex.EncodeToString(make([]byte, 256))
	block := Block{
		HapiVersion:  new(hapiVersion),
		Hash:         blockHash(seed, number),
		LogsBloom:    &bloom,
		Name:         from.Format("2006-01-02T15_04_05.000000000Z") + ".rcd",
		Number:       number,
		PreviousHash: blockHash(seed, number-1),
		Timestamp:    TimestampRange{From: formatTimestamp(from), To: new(formatTimestamp(to))},
		from:         from,
		to:           to,
		period:       number,
	}
	block.fill(count, count*21_000)
	return block
}

// fill says how many transactions are in the block, and the gas they used.
func (b *Block) fill(count, gasUsed int64) {
	b.Count = count
	b.GasUsed = &gasUsed
	b.Size = new(800 + count*350)
}

func blockHash(seed, number int64) string {
	rng := blockRand(^seed, number)
	return "0x" + randomHex(rng, 48)
}

func blockRand(seed, number int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), uint64(number))) //nolint:gosec // reproducible on purpose
}

// nextBlock makes the block after the latest one.
func (l *Ledger) nextBlock() Block {
	block := newBlock(l.seed, l.lastPeriod+1)
	block.Number -= l.renumbered
	return block
}

// counted counts the transactions of the block where some were added by
// AddTransaction.
func (l *Ledger) counted(block Block) Block {
	inside := l.transactions[l.firstAfter(block.from.Add(-1)):l.firstAfter(block.to)]
	if !slices.ContainsFunc(inside, func(r *record) bool { return r.explicit }) {
		return block
	}
	var gasUsed int64
	for _, r := range inside {
		gasUsed += r.GasUsed
	}
	block.fill(int64(len(inside)), gasUsed)
	return block
}

// latestNumber is the newest block's, -1 without any.
func (l *Ledger) latestNumber() int64 {
	if len(l.blocks) == 0 {
		return -1
	}
	return l.blocks[len(l.blocks)-1].Number
}

func (l *Ledger) publish(block Block) {
	defer l.renewReplica()
	l.blocks = append(l.blocks, block)
	l.lastPeriod = block.period
	if len(l.blocks) > maxBlocks {
		l.blocks = slices.Delete(l.blocks, 0, len(l.blocks)-maxBlocks)
	}
}

// SkipBlocks leaves out numbers: the mirror misses so many blocks.
func (l *Ledger) SkipBlocks(count int) error {
	if count < 0 {
		return fmt.Errorf("skip: %d blocks is negative", count)
	}
	l.renumbered -= int64(count)
	return nil
}

// Reset makes the network begin again, as testnet does: the mirror forgets
// blocks and transactions, and a block of number 0 is the next one, which is
// there at once. Entities stay.
func (l *Ledger) Reset() {
	l.show(func(*submission) bool { return true }) // their money has moved
	l.blocks, l.transactions = nil, nil
	l.renumbered = l.lastPeriod + 1
	l.publish(l.nextBlock())
	if l.replica != nil {
		l.replica = l.copy()
	}
}

// BlockTotals is what all blocks that the mirror has add up to.
type BlockTotals struct {
	Blocks       int64
	Transactions int64
	GasUsed      int64
}

// AddBlock adds the block after the latest one and returns it.
func (l *Ledger) AddBlock() Block {
	block := l.counted(l.nextBlock())
	l.publish(block)
	return block
}

// AddBlockWith adds the next block with a number of transactions and the gas
// they used, whatever transactions there are, and returns it.
func (l *Ledger) AddBlockWith(count int, gasUsed int64) Block {
	block := l.nextBlock()
	block.fill(int64(count), gasUsed)
	l.publish(block)
	return block
}

// StopBlocks makes the mirror lag: no block, transaction or balance reaches it
// by itself until StartBlocks.
func (l *Ledger) StopBlocks() { l.blocksStopped = true }

// StartBlocks ends StopBlocks. The mirror catches up with the next block. A
// Static network has no blocks to start, but shows the transactions it held.
func (l *Ledger) StartBlocks() {
	l.blocksStopped = false
	l.showOverdue()
}

// BlockTotals sums up the blocks that the mirror has. It begins with those
// before the start, so only differences are of use.
func (s *Simulator) BlockTotals() BlockTotals { return view(s, (*Ledger).blockTotals) }

func (l *Ledger) blockTotals() BlockTotals {
	totals := BlockTotals{Blocks: int64(len(l.blocks))}
	for _, block := range l.blocks {
		totals.Transactions += block.Count
		totals.GasUsed += *block.GasUsed
	}
	return totals
}

func blockControls() map[string]controlCall {
	type body struct {
		Count   *int  `json:"count"`
		GasUsed int64 `json:"gas_used"`
	}
	return map[string]controlCall{
		"POST /simulator/blocks": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			if b.Count == nil {
				return l.AddBlock(), nil
			}
			if *b.Count < 0 || b.GasUsed < 0 {
				return nil, errors.New("count and gas_used must not be negative")
			}
			return l.AddBlockWith(*b.Count, b.GasUsed), nil
		}),
		"POST /simulator/blocks/reset": updating(func(l *Ledger, _ *http.Request, _ struct{}) (any, error) {
			l.Reset()
			return nil, nil
		}),
		"POST /simulator/blocks/skip": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			if b.Count == nil {
				return nil, missing("count", "N")
			}
			return nil, l.SkipBlocks(*b.Count)
		}),
		"POST /simulator/blocks/stop": updating(func(l *Ledger, _ *http.Request, _ struct{}) (any, error) {
			l.StopBlocks()
			return nil, nil
		}),
		"POST /simulator/blocks/start": updating(func(l *Ledger, _ *http.Request, _ struct{}) (any, error) {
			l.StartBlocks()
			return nil, nil
		}),
	}
}

type blockList struct {
	Blocks []Block `json:"blocks"`
	listLinks
}

func blockRoutes() []route {
	return []route{
		{
			path:   "/api/v1/blocks",
			maxAge: time.Second,
			params: []string{"block.number", "limit", "order", "timestamp"},
			answer: (*Ledger).answerBlocks,
		},
		{
			path:   "/api/v1/blocks/{hashOrNumber}",
			maxAge: 10 * time.Minute,
			answer: (*Ledger).answerBlock,
		},
	}
}

// answerBlocks lists blocks, newest first. The timestamp filter is about the
// end of a block.
func (l *Ledger) answerBlocks(_ *http.Request, q query) (any, error) {
	numbers, err := q.filters("block.number", parseNumber)
	if err != nil {
		return nil, err
	}
	timestamps, err := q.filters("timestamp", parseTimestamp)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	list := blockList{Blocks: selectRows(page, l.blocks, func(b Block) bool {
		return numbers.matchAll(b.Number) && timestamps.matchAll(b.to.UnixNano())
	})}
	list.Links.Next = nextRows(q, page, list.Blocks, "block.number", func(b Block) string { return strconv.FormatInt(b.Number, 10) })
	return list, nil
}

// blockHashPattern is a whole hash, or the 32 bytes that Ethereum tools know.
var blockHashPattern = regexp.MustCompile(`^(0x)?([0-9A-Fa-f]{64}|[0-9A-Fa-f]{96})$`)

func (l *Ledger) answerBlock(r *http.Request, _ query) (any, error) {
	name := r.PathValue("hashOrNumber")
	number, err := parseNumber(name)
	isHash := blockHashPattern.MatchString(name)
	if err != nil && !isHash {
		return nil, badRequest(msgInvalidParameter, "hashOrNumber")
	}
	hash := "0x" + strings.ToLower(strings.TrimPrefix(name, "0x"))
	for _, block := range slices.Backward(l.blocks) {
		if isHash && strings.HasPrefix(block.Hash, hash) || !isHash && block.Number == number {
			return block, nil
		}
	}
	return nil, notFound()
}
