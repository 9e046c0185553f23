// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
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
	// maxQueries run at the same time, as many as the mirror client allows by
	// default.
	maxQueries = 4
	// maxLookups is for how many accounts one scrape looks up the last transaction
	// before the start.
	maxLookups = 5
	// An account with more than a busyShare of a page is asked for alone from then
	// on, until it has less than that in a scrape.
	busyShare = 0.25
	// replicaLag is how far one replica of a mirror may be behind another.
	replicaLag = 10 * time.Minute
	// mirrorWindow is how much time a list of transactions covers at most
	// (docs/hedera.md 1.0).
	mirrorWindow = 60 * 24 * time.Hour
)

var (
	accountTransactions = newCounter(Metric{
		Collector: "transactions",
		Name:      "account_transactions_total",
		Help:      "Transactions since the exporter's start with the account in their id or in their hbar transfers. Result is SUCCESS, a frequent failure, or OTHER. A series begins with the first transaction of its kind.",
		Labels:    with(accountLabels, "type", "result"),
		Source:    transactionsSource,
		Example:   "sum by (name) (rate(hedera_account_transactions_total{result!=\"SUCCESS\"}[15m]))",
	})
	accountFailedTransactions = newCounter(Metric{
		Collector: "transactions",
		Name:      "account_failed_transactions_total",
		Help:      "Those of hedera_account_transactions_total that failed, of all types and results. It exists from 0, so the first failure is an increase.",
		Labels:    accountLabels,
		Source:    transactionsSource,
		Example:   "increase(hedera_account_failed_transactions_total[15m]) > 0",
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
		Help:      "Fees charged since the exporter's start for transactions that the account paid for. The fee of a scheduled transaction counts for the account that was debited it.",
		Labels:    accountLabels,
		Source:    transactionsSource,
		Example:   "increase(hedera_account_fees_hbar_total[1d])",
	})
	accountLastTransaction = newGauge(Metric{
		Collector: "transactions",
		Name:      "account_last_transaction_timestamp_seconds",
		Help:      "Consensus time of the account's last transaction, token and NFT transfers included. Absent if hedera_account_inactive is 1, and until it has been looked up: 5 accounts per scrape.",
		Labels:    accountLabels,
		Source:    transactionsSource,
		Example:   "time() - hedera_account_last_transaction_timestamp_seconds > 3600",
	})
	accountInactive = newGauge(Metric{
		Collector: "transactions",
		Name:      "account_inactive",
		Help:      "Whether the mirror node has no transaction of the account: none in 60 days on the public mirrors, none ever on others. Absent until it has been looked up.",
		Labels:    accountLabels,
		Source:    transactionsSource,
		Example:   "hedera_account_inactive == 1",
	})
	transactionLatency = newHistogram(Metric{
		Collector: "transactions",
		Name:      "transaction_consensus_latency_seconds",
		Help:      "Time from the valid start to the consensus of the transactions since the exporter's start that have an account with transactions: true in their id. Without those that were scheduled, are caused by or part of another, or are duplicates. Clients choose the valid start: some SDKs date it back by some seconds.",
		Labels:    networkLabel,
		Source:    transactionsSource,
		Example:   "histogram_quantile(0.9, sum by (network, le) (rate(hedera_transaction_consensus_latency_seconds_bucket[1h])))",
	}, latencyBuckets)
	transactionsBacklog = newGauge(Metric{
		Collector: "transactions",
		Name:      "transactions_backlog_seconds",
		Help:      "Time from the last transaction counted to the mirror node's latest block, at least 1, of the accounts that have more transactions than one scrape reads (1,000 for each 100 accounts, and for each busy one); otherwise 0.",
		Labels:    networkLabel,
		Source:    transactionsSource,
		Example:   "hedera_transactions_backlog_seconds > 300",
	})
)

// latencyBuckets have consensus in some seconds, the 8 to 13 s that an SDK dates
// its transactions back (docs/hedera.md 4), and the 180 s after which the network
// refuses one (docs/hedera.md 1.4).
var latencyBuckets = []float64{1, 2, 3, 4, 5, 7.5, 10, 12.5, 15, 20, 30, 60, 120, 180}

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
	network    string
	accounts   []config.Account // with Transactions
	mirror     *mirror.Client
	state      *State
	generation uint64 // of the configuration
}

func newTransactions(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	c := transactions{network: n.Name, mirror: n.Mirror, state: n.State, generation: n.State.transactions.generation.Add(1)}
	for _, account := range n.Accounts {
		if account.Transactions {
			c.accounts = append(c.accounts, account)
		}
	}
	return c, nil
}

// Update implements Collector. What was counted before an error stays counted
// and is not counted again.
func (c transactions) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	state := &c.state.transactions
	if err := state.lock.Acquire(ctx, 1); err != nil {
		return err
	}
	defer state.lock.Release(1)

	c.forget()
	if len(c.accounts) == 0 {
		return nil
	}
	scrape := transactionScrape{transactions: c, ch: ch, counted: map[*accountCount]bool{}}
	if state.latency == nil {
		state.latency = transactionLatency.histogram(c.network)
	}
	scrape.begin(ctx)
	scrape.settled = state.settled()
	scrape.countAll(ctx)
	scrape.lookUpLast(ctx)
	return scrape.group.Wait()
}

// forget drops accounts that are no longer watched, but not in a scrape of an
// earlier configuration, which does not know all that are.
func (c transactions) forget() {
	state := &c.state.transactions
	if c.generation != state.generation.Load() {
		return
	}
	watched := map[string]bool{}
	for _, account := range c.accounts {
		watched[account.ID.String()] = true
	}
	maps.DeleteFunc(state.accounts, func(id string, _ *accountCount) bool { return !watched[id] })
}

// transactionScrape is one update.
type transactionScrape struct {
	transactions
	ch      chan<- prometheus.Metric
	settled mirror.Timestamp // older transactions are on all replicas; 0: unknown
	group   entityGroup

	mu      sync.Mutex
	busy    []*accountCount  // to be asked for alone
	behind  mirror.Timestamp // the earliest cursor with a backlog; 0: none
	counted map[*accountCount]bool
}

// latestBlock returns the newest block of the mirror. It takes half of the
// scrape's time at most: the counting of known accounts goes on without it.
func (s *transactionScrape) latestBlock(ctx context.Context) (mirror.Block, error) {
	ctx, cancel := withShare(ctx, 0.5)
	defer cancel()
	latest, err := s.mirror.LatestBlock(ctx)
	switch {
	case err != nil:
		return latest, err
	case blockEnd(latest).UnixNano() == 0:
		return latest, fmt.Errorf("timestamp of block %d: %w", latest.Number, errUnreadable)
	}
	s.state.transactions.sawHead(mirror.TimestampOf(blockEnd(latest)))
	newest, older := s.state.newest.observe(latest)
	if older {
		s.state.older.refuse(blocksPath)
	}
	return newest, nil
}

// begin begins the counting of new accounts after the mirror's latest block.
func (s *transactionScrape) begin(ctx context.Context) {
	state := &s.state.transactions
	latest, err := s.latestBlock(ctx)
	starting := errors.Is(err, mirror.ErrNoBlock)
	if starting && len(state.heads) == 0 {
		state.fromFirst = true // all that comes is new
	}
	for _, account := range s.accounts {
		id := account.ID.String()
		switch {
		case state.accounts[id] != nil || starting:
		case err != nil:
			s.group.miss(1, err)
		case state.fromFirst:
			state.accounts[id] = newAccountCount(id, cursor{}, state.latency)
		default:
			state.accounts[id] = newAccountCount(id, cursor{at: mirror.TimestampOf(blockEnd(latest)) + 1}, state.latency)
		}
	}
	if err == nil {
		state.fromFirst = false
	}
}

// known are the watched accounts that are counted, with their labels.
func (s *transactionScrape) known() iter.Seq2[*accountCount, []string] {
	return func(yield func(*accountCount, []string) bool) {
		for _, account := range s.accounts {
			count := s.state.transactions.accounts[account.ID.String()]
			if count != nil && !yield(count, []string{s.network, count.id, account.Name}) {
				return
			}
		}
	}
}

// countAll asks for 100 accounts at a time, those that are behind first, and for
// each busy account alone.
func (s *transactionScrape) countAll(ctx context.Context) {
	var together []*accountCount
	for count := range s.known() {
		if count.busy {
			s.busy = append(s.busy, count)
		} else {
			together = append(together, count)
		}
	}
	slices.SortFunc(together, byCursor)
	s.countEach(ctx, slices.Collect(slices.Chunk(together, accountsPerQuery)))
	slices.SortFunc(s.busy, byCursor) // with those that the batches have found
	s.countEach(ctx, slices.Collect(slices.Chunk(s.busy, 1)))

	if len(s.counted) > 0 {
		backlog := 0.0
		if s.behind > 0 {
			backlog = max(1, (s.state.transactions.newestHead() - s.behind).Seconds())
		}
		s.ch <- transactionsBacklog.sample(backlog, s.network)
		s.ch <- s.state.transactions.latency
	}
	for count, labels := range s.known() {
		if s.counted[count] {
			count.send(s.ch, labels)
		}
	}
}

func byCursor(a, b *accountCount) int {
	return cmp.Or(cmp.Compare(a.cursor.at, b.cursor.at), cmp.Compare(a.id, b.id))
}

// countEach counts batches in their order, a few at a time. A batch that fails
// costs its accounts only.
func (s *transactionScrape) countEach(ctx context.Context, batches [][]*accountCount) {
	slots := make(chan struct{}, maxQueries)
	var group sync.WaitGroup
	for _, batch := range batches {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			rest := batch
			if err := guard(func() (err error) { rest, err = s.countBatch(ctx, batch); return err }); err != nil {
				s.group.miss(len(rest), err)
			}
		})
	}
	group.Wait()
}

// countBatch advances all accounts of the batch together, page by page. It
// returns those that it has still to count when it fails.
func (s *transactionScrape) countBatch(ctx context.Context, batch []*accountCount) (rest []*accountCount, err error) {
	at := batch[0].cursor // the earliest: the batch is sorted by cursor
	for range maxTransactionPages {
		page, err := s.page(ctx, batch, at)
		if err != nil {
			return batch, err
		}
		next, caughtUp, err := at.next(page, s.settled)
		if err != nil {
			return batch, err
		}
		var busy []*accountCount
		for _, count := range batch {
			if rows := count.add(page.Rows, next); float64(rows) > busyShare*float64(len(page.Rows)) && !caughtUp {
				busy = append(busy, count)
			} else if caughtUp {
				count.busy = false
			}
		}
		at = next
		if caughtUp {
			s.done(batch, 0)
			return nil, nil
		}
		if batch = s.setApart(batch, busy); len(batch) == 0 {
			return nil, nil
		}
	}
	s.done(batch, at.at)
	return nil, nil
}

// page asks once more for what cannot be read, in case it was one bad answer.
func (s *transactionScrape) page(ctx context.Context, batch []*accountCount, at cursor) (page mirror.Page[mirror.Transaction], err error) {
	ids := make([]string, 0, len(batch))
	for _, count := range batch {
		ids = append(ids, count.id)
	}
	for range 2 {
		if page, err = s.mirror.Transactions(ctx, ids, at.at); err != nil {
			return page, err
		}
		if err = waitReadable(page, batch); err == nil {
			break
		}
	}
	return page, err
}

// setApart returns the batch without its busy accounts, unless it is one.
func (s *transactionScrape) setApart(batch, busy []*accountCount) []*accountCount {
	if len(batch) == 1 || len(busy) == 0 {
		return batch
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, count := range busy {
		count.busy = true
		s.busy = append(s.busy, count)
	}
	return slices.DeleteFunc(slices.Clone(batch), func(count *accountCount) bool { return count.busy })
}

// done says that the batch is counted, up to behind if not all of it is.
func (s *transactionScrape) done(batch []*accountCount, behind mirror.Timestamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, count := range batch {
		count.read = time.Now()
		s.counted[count] = true
	}
	if behind > 0 && (s.behind == 0 || behind < s.behind) {
		s.behind = behind
	}
}

// lookUpLast finds the last transaction of accounts that had none since the
// start. One that fails costs no other: it has its turn again after them, and
// later each time.
func (s *transactionScrape) lookUpLast(ctx context.Context) {
	labels := map[*accountCount][]string{}
	for count, own := range s.known() {
		if count.last == 0 && !count.lookedUp {
			labels[count] = own
		}
	}
	unknown := slices.SortedFunc(maps.Keys(labels), func(a, b *accountCount) int {
		return cmp.Or(a.nextLookup.Compare(b.nextLookup), cmp.Compare(a.id, b.id))
	})
	for i, count := range unknown {
		if i >= maxLookups || time.Now().Before(count.nextLookup) {
			if count.lookupErr != nil {
				s.group.miss(1, count.lookupErr)
			}
			continue
		}
		s.group.Go(func() error {
			if err := s.lookUp(ctx, count); err != nil {
				return err
			}
			count.sendLast(s.ch, labels[count])
			return nil
		})
	}
}

func (s *transactionScrape) lookUp(ctx context.Context, count *accountCount) error {
	last, _, err := s.mirror.LatestTransaction(ctx, count.id)
	if err != nil {
		count.failLookup(err)
		return err
	}
	count.last, count.lookedUp, count.lookupErr = last.ConsensusTimestamp, true, nil
	return nil
}
