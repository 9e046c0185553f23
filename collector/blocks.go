// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"hedera_exporter/internal/mirror"
)

const (
	blocksSource = "mirror REST /api/v1/blocks"
	// maxBlockPages of 100 blocks are read in one scrape: more than half an hour
	// of blocks, which come every 2 s (docs/hedera.md 5).
	maxBlockPages = 10
	// maxUnreadable is how often in a row what cannot be read stops the counting,
	// in case it is one bad answer: it is asked for twice in a scrape. After that
	// it is left out.
	maxUnreadable = 6
	// versionLength bounds a HAPI version as a label value.
	versionLength = 32
)

var (
	blockNumber = newGauge(Metric{
		Collector: "blocks",
		Name:      "block_number",
		Help:      "Number of the latest block. Absent while the mirror node is starting, see hedera_mirror_starting.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "delta(hedera_block_number[5m]) == 0",
	})
	blockTransactions = newGauge(Metric{
		Collector: "blocks",
		Name:      "block_transactions",
		Help:      "Number of transactions in the latest block.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_block_transactions",
	})
	blockGasUsed = newGauge(Metric{
		Collector: "blocks",
		Name:      "block_gas_used",
		Help:      "Gas used in the latest block.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_block_gas_used",
	})
	blockSize = newGauge(Metric{
		Collector: "blocks",
		Name:      "block_size_bytes",
		Help:      "Size of the latest block.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_block_size_bytes",
	})
	hapiVersion = newGauge(Metric{
		Collector: "blocks",
		Name:      "network_hapi_version_info",
		Help:      "Version of the Hedera API (HAPI) in the latest block; the value is always 1.",
		Labels:    []string{"network", "version"},
		Source:    blocksSource,
		Example:   "count by (network) (count by (network, version) (last_over_time(hedera_network_hapi_version_info[1h]))) > 1",
	})
	networkTransactions = newCounter(Metric{
		Collector: "blocks",
		Name:      "network_transactions_total",
		Help:      "Transactions in all blocks since the exporter's start.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "rate(hedera_network_transactions_total[5m])",
	})
	networkGasUsed = newCounter(Metric{
		Collector: "blocks",
		Name:      "network_gas_used_total",
		Help:      "Gas used in all blocks since the exporter's start.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "rate(hedera_network_gas_used_total[5m])",
	})
	blocksSkipped = newCounter(Metric{
		Collector: "blocks",
		Name:      "network_blocks_skipped_total",
		Help:      "Blocks left out of the counters: blocks that the mirror node does not have or whose count of transactions cannot be read, and blocks beyond the 1,000 that one scrape reads.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "increase(hedera_network_blocks_skipped_total[1h]) > 0",
	})
)

func init() {
	register(Registration{
		Name:           "blocks",
		Help:           "the latest block, and counters of the network's transactions and gas",
		DefaultEnabled: true,
		factory:        newBlocks,
	})
}

type blockState struct {
	lock *semaphore.Weighted

	started      bool
	created      time.Time  // the counters were 0
	last         blockOrder // the latest block counted, or seen at the start
	unreadable   int        // answers in a row that stopped the counting
	transactions float64
	gas          float64
	skipped      float64
}

// noBlock is before the first block of a ledger.
const noBlock = -1

type blocks struct {
	network string
	mirror  *mirror.Client
	state   *blockState
	older   *olderAnswers
}

func newBlocks(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	return blocks{network: n.Name, mirror: n.Mirror, state: &n.State.blocks, older: &n.State.older}, nil
}

// Update implements Collector. What was counted before an error stays counted.
func (c blocks) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	if err := c.state.lock.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.state.lock.Release(1)

	err := c.advance(ctx)
	if err == nil || errors.Is(err, errUnreadable) {
		c.send(ch)
	}
	return err
}

func (c blocks) advance(ctx context.Context) error {
	if !c.state.started {
		return c.begin(ctx)
	}
	before := c.state.last.block.Number
	more, err := c.countPages(ctx)
	if errors.Is(err, errUnreadable) {
		more, err = c.countPages(ctx)
	}
	switch {
	case err != nil:
		return err
	case more:
		return c.skipToLatest(ctx)
	case before == c.state.last.block.Number:
		return c.noticeReset(ctx)
	}
	return nil
}

// begin counts from the latest block, or from the first one of a mirror that is
// starting.
func (c blocks) begin(ctx context.Context) error {
	latest, err := c.mirror.LatestBlock(ctx)
	if errors.Is(err, mirror.ErrNoBlock) {
		latest, err = mirror.Block{Number: noBlock}, nil
	}
	if err != nil {
		return err
	}
	c.state.last.block, c.state.started, c.state.created = latest, true, time.Now()
	return nil
}

// countPages counts the blocks after the last one and reports whether there may
// be more than one scrape reads.
func (c blocks) countPages(ctx context.Context) (more bool, err error) {
	pages := 0
	for page, err := range c.mirror.Blocks(ctx, c.state.last.block.Number) {
		if err != nil {
			return false, err
		}
		if newer, err := c.countPage(page); err != nil || !newer {
			return false, err
		}
		if pages++; pages == maxBlockPages {
			return page.More, nil
		}
	}
	return false, nil
}

// errUnreadable is for rows that stop the counting.
var errUnreadable = errors.New("it has rows that cannot be read; they are left out if that does not change")

// countPage reports whether all blocks are newer than the last one. Those after one
// that is not must wait for it, also on the next page.
func (c blocks) countPage(page mirror.Page[mirror.Block]) (newer bool, err error) {
	wait := c.state.unreadable < maxUnreadable
	if page.Dropped > 0 && wait {
		c.state.unreadable++
		return false, fmt.Errorf("blocks after %d: %w", c.state.last.block.Number, errUnreadable)
	}
	for _, block := range page.Rows {
		if block.Number <= c.state.last.block.Number {
			continue
		}
		if !countable(block) && wait {
			c.state.unreadable++
			return false, fmt.Errorf("block %d: %w", block.Number, errUnreadable)
		}
		if !c.count(block) {
			return false, nil
		}
	}
	c.state.unreadable = 0
	return true, nil
}

func countable(block mirror.Block) bool {
	_, ok := block.Count.Get()
	return ok && !block.GasUsed.Unreadable()
}

// count reports whether the block is newer than the last one.
func (c blocks) count(block mirror.Block) bool {
	gap := block.Number - c.state.last.block.Number - 1
	if !c.state.last.accept(block) {
		c.older.refuse(blocksPath)
		return false
	}
	c.state.skipped += float64(gap)
	if !countable(block) {
		c.state.skipped++
	}
	c.state.transactions += float64(block.Count.Or(0))
	c.state.gas += float64(notNegative(block.GasUsed).Or(0))
	return true
}

func (c blocks) skipToLatest(ctx context.Context) error {
	latest, err := c.mirror.LatestBlock(ctx)
	if err == nil && latest.Number > c.state.last.block.Number {
		c.count(latest)
	}
	return err
}

// noticeReset starts again at the latest block of a network that was reset, as
// happens to testnet (docs/hedera.md 5): it has a lower number and a later time.
// With an earlier time it is an older replica's.
func (c blocks) noticeReset(ctx context.Context) error {
	latest, err := c.mirror.LatestBlock(ctx)
	if errors.Is(err, mirror.ErrNoBlock) {
		return nil
	}
	if err == nil && latest.Number < c.state.last.block.Number && !c.state.last.accept(latest) {
		c.older.refuse(blocksPath)
	}
	return err
}

func (c blocks) send(ch chan<- prometheus.Metric) {
	last := c.state.last.block
	if last.Number != noBlock {
		ch <- blockNumber.sample(float64(last.Number), c.network)
	}
	sendField(ch, blockTransactions, last.Count, count, c.network)
	sendField(ch, blockGasUsed, notNegative(last.GasUsed), count, c.network)
	sendField(ch, blockSize, last.Size, count, c.network)
	if _, ok := last.HAPIVersion.Get(); ok {
		ch <- hapiVersion.sample(1, c.network, text(last.HAPIVersion, versionLength))
	}
	ch <- networkTransactions.sample(c.state.transactions, c.state.created, c.network)
	ch <- networkGasUsed.sample(c.state.gas, c.state.created, c.network)
	ch <- blocksSkipped.sample(c.state.skipped, c.state.created, c.network)
}
