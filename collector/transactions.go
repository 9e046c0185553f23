// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const (
	transactionsSource = "mirror REST /api/v1/transactions"
	// accountsPerQuery and maxTransactionPages, of 100 transactions each, bound
	// what one scrape asks for.
	accountsPerQuery    = 100
	maxTransactionPages = 10
	// maxLookups is for how many accounts one scrape looks up the last transaction
	// before the start.
	maxLookups = 5
	// settled is the age at which a transaction has surely reached a mirror that
	// answers. A cursor is never older, as the mirror only searches 60 days.
	settled = 24 * time.Hour
)

var (
	accountTransactions = newCounter(Metric{
		Collector: "transactions",
		Name:      "account_transactions_total",
		Help:      "Transactions since the exporter's start that the account paid for or that transferred hbar to or from it. Result is SUCCESS, a frequent failure, or OTHER.",
		Labels:    with(accountLabels, "type", "result"),
		Source:    transactionsSource,
		Example:   "sum by (name) (rate(hedera_account_transactions_total{result!=\"SUCCESS\"}[15m]))",
	})
	accountTransferred = newCounter(Metric{
		Collector: "transactions",
		Name:      "account_transferred_hbar_total",
		Help:      "Hbar transferred to (in) and from (out) the account since the exporter's start, fees included.",
		Labels:    with(accountLabels, "direction"),
		Source:    transactionsSource,
		Example:   "increase(hedera_account_transferred_hbar_total{direction=\"out\"}[1h])",
	})
	accountFees = newCounter(Metric{
		Collector: "transactions",
		Name:      "account_fees_hbar_total",
		Help:      "Fees charged since the exporter's start for transactions that the account paid for.",
		Labels:    accountLabels,
		Source:    transactionsSource,
		Example:   "increase(hedera_account_fees_hbar_total[1d])",
	})
	accountLastTransaction = newGauge(Metric{
		Collector: "transactions",
		Name:      "account_last_transaction_timestamp_seconds",
		Help:      "Consensus time of the account's last transaction. Absent if it had none in 60 days, and until it has been looked up: 5 accounts per scrape.",
		Labels:    accountLabels,
		Source:    transactionsSource,
		Example:   "time() - hedera_account_last_transaction_timestamp_seconds > 3600",
	})
	transactionsBacklog = newGauge(Metric{
		Collector: "transactions",
		Name:      "transactions_backlog_seconds",
		Help:      "Age of the last transaction counted, at least 1, if there are more transactions than one scrape reads (1,000); otherwise 0.",
		Labels:    networkLabel,
		Source:    transactionsSource,
		Example:   "hedera_transactions_backlog_seconds > 300",
	})
)

func init() {
	register(Registration{
		Name:           "transactions",
		Help:           "counters of the transactions of accounts that have transactions: true",
		DefaultEnabled: true,
		Sharded:        true,
		factory:        newTransactions,
	})
}

type transactions struct {
	network  string
	accounts []config.Account // with Transactions
	mirror   *mirror.Client
	state    *transactionState
}

func newTransactions(n Network) (Collector, error) {
	c := transactions{network: n.Name, state: &n.State.transactions}
	for _, account := range n.Accounts {
		if account.Transactions {
			c.accounts = append(c.accounts, account)
		}
	}
	if n.Mirror == nil || len(c.accounts) == 0 {
		return noop{}, nil
	}
	c.mirror = n.Mirror
	return c, nil
}

// Update implements Collector. What was counted before an error stays counted
// and is not counted again.
func (c transactions) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	if err := c.state.lock.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.state.lock.Release(1)

	if err := c.begin(ctx); err != nil {
		return err
	}
	behind, err := c.countAll(ctx)
	if err != nil {
		return err
	}
	if err := c.lookUpLast(ctx); err != nil {
		return err
	}
	c.send(ch, behind)
	return nil
}

// begin forgets accounts that are no longer watched. The counting of new ones
// begins after the latest block.
func (c transactions) begin(ctx context.Context) error {
	watched := map[string]bool{}
	for _, account := range c.accounts {
		watched[account.ID.String()] = true
	}
	maps.DeleteFunc(c.state.accounts, func(id string, _ *accountCount) bool { return !watched[id] })
	if len(c.state.accounts) == len(watched) {
		return nil
	}
	latest, err := c.mirror.LatestBlock(ctx)
	if err != nil {
		return err
	}
	start := cursor{at: mirror.TimestampOf(blockEnd(latest)) + 1}
	for id := range watched {
		if c.state.accounts[id] == nil {
			c.state.accounts[id] = &accountCount{id: id, cursor: start, results: map[typeAndResult]float64{}}
		}
	}
	return nil
}

// countAll returns the time up to which all accounts are counted if there is a
// backlog, otherwise zero.
func (c transactions) countAll(ctx context.Context) (behind mirror.Timestamp, err error) {
	counts := slices.SortedFunc(maps.Values(c.state.accounts), func(a, b *accountCount) int {
		return cmp.Or(cmp.Compare(a.cursor.at, b.cursor.at), cmp.Compare(a.id, b.id))
	})
	for batch := range slices.Chunk(counts, accountsPerQuery) {
		reached, caughtUp, err := c.countBatch(ctx, batch)
		if err != nil {
			return 0, err
		}
		if !caughtUp && (behind == 0 || reached < behind) {
			behind = reached
		}
	}
	return behind, nil
}

// countBatch advances all accounts of the batch together, page by page.
func (c transactions) countBatch(ctx context.Context, batch []*accountCount) (reached mirror.Timestamp, caughtUp bool, err error) {
	ids := make([]string, 0, len(batch))
	for _, count := range batch {
		ids = append(ids, count.id)
	}
	at := batch[0].cursor // the earliest: the batch is sorted by cursor
	for range maxTransactionPages {
		page, err := c.mirror.Transactions(ctx, ids, at.at)
		if err != nil {
			return 0, false, err
		}
		next := at.after(page.Rows)
		if page.More && len(page.Rows) > 0 && next.equal(at) {
			return 0, false, errors.New("the mirror gives a full page of transactions with one consensus timestamp; it cannot be read past")
		}
		caughtUp = !page.More || len(page.Rows) == 0
		if caughtUp {
			next = next.notBefore(time.Now().Add(-settled))
		}
		for _, count := range batch {
			count.add(page.Rows, next)
		}
		at = next
		if caughtUp {
			return at.at, true, nil
		}
	}
	return at.at, false, nil
}

// lookUpLast finds the last transaction of accounts that had none since the start.
func (c transactions) lookUpLast(ctx context.Context) error {
	lookups := 0
	for _, account := range c.accounts {
		count := c.state.accounts[account.ID.String()]
		if count.last > 0 || count.lookedUp {
			continue
		}
		if lookups++; lookups > maxLookups {
			return nil
		}
		last, _, err := c.mirror.LatestTransaction(ctx, count.id)
		if err != nil {
			return err
		}
		count.last, count.lookedUp = last.ConsensusTimestamp, true
	}
	return nil
}

func (c transactions) send(ch chan<- prometheus.Metric, behind mirror.Timestamp) {
	backlog := 0.0
	if behind > 0 {
		backlog = max(1, time.Since(behind.Time()).Seconds())
	}
	ch <- transactionsBacklog.sample(backlog, c.network)
	for _, account := range c.accounts {
		labels := []string{c.network, account.ID.String(), account.Name}
		c.state.accounts[account.ID.String()].send(ch, labels)
	}
}
