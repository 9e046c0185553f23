// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"hedera_exporter/internal/mirror"
)

type transactionState struct {
	lock       *semaphore.Weighted
	accounts   map[string]*accountCount // by account id
	heads      []mirror.Timestamp       // ends of the mirror's latest blocks as last read
	fromFirst  bool                     // the mirror had no block yet
	latency    prometheus.Histogram     // of all accounts; nil before the first scrape
	generation atomic.Uint64            // of the newest configuration
}

// maxHeads is how many of the last answers with the latest block have to agree.
const maxHeads = 3

// sawHead is told where the mirror's latest block ended. A cursor far beyond all
// of the last answers came from a wrong one, and begins again.
func (s *transactionState) sawHead(end mirror.Timestamp) {
	s.heads = append(s.heads, end)
	s.heads = s.heads[max(0, len(s.heads)-maxHeads):]
	if len(s.heads) < maxHeads {
		return
	}
	newest := s.newestHead()
	for _, count := range s.accounts {
		if count.cursor.at > newest.Add(farOlder) {
			count.cursor = cursor{at: newest + 1}
		}
	}
}

func (s *transactionState) newestHead() mirror.Timestamp {
	if len(s.heads) == 0 {
		return 0
	}
	return slices.Max(s.heads)
}

// settled is the time up to which every replica has all transactions: somewhat
// before the oldest of the last heads, by the network's time and not by ours. It
// is 0 as long as there are too few heads to rely on.
func (s *transactionState) settled() mirror.Timestamp {
	if len(s.heads) < maxHeads {
		return 0
	}
	return slices.Min(s.heads) - mirror.Timestamp(replicaLag)
}

// cursor is a position in the transactions in consensus order: all before at
// are counted, and of those at that time the ones in done.
type cursor struct {
	at   mirror.Timestamp
	done map[transactionKey]bool // read-only
}

// transactionKey distinguishes transactions with the same consensus timestamp.
type transactionKey struct {
	id        string
	nonce     int64
	scheduled bool
}

func keyOf(t mirror.Transaction) transactionKey {
	return transactionKey{id: t.ID, nonce: t.Nonce.Or(0), scheduled: t.Scheduled.Or(false)}
}

func (c cursor) passed(t mirror.Transaction) bool {
	return t.ConsensusTimestamp < c.at || (t.ConsensusTimestamp == c.at && c.done[keyOf(t)])
}

// after is the cursor once rows, which begin at it and are in consensus order,
// are counted.
func (c cursor) after(rows []mirror.Transaction) cursor {
	if len(rows) == 0 {
		return c
	}
	next := cursor{at: rows[len(rows)-1].ConsensusTimestamp, done: map[transactionKey]bool{}}
	for _, row := range rows {
		if row.ConsensusTimestamp == next.at {
			next.done[keyOf(row)] = true
		}
	}
	return next
}

func (c cursor) equal(other cursor) bool {
	return c.at == other.at && len(c.done) == len(other.done)
}

// notBefore is the cursor at t, if that is later.
func (c cursor) notBefore(t mirror.Timestamp) cursor {
	if t > c.at {
		return cursor{at: t}
	}
	return c
}

var errOneTimestamp = errors.New("the mirror gives a full page of transactions with one consensus timestamp; it cannot be read past")

// next is the cursor after a page that begins at it, and whether that is the last
// one for now. After the last one it is at settled at least: for accounts without
// transactions, an old cursor is dear to the mirror (docs/hedera.md 1.5). A page
// without new rows that links to a next one is where the mirror's window ends.
func (c cursor) next(page mirror.Page[mirror.Transaction], settled mirror.Timestamp) (next cursor, caughtUp bool, err error) {
	next = c.after(page.Rows)
	switch {
	case !page.More:
		return next.notBefore(settled), true, nil
	case !next.equal(c):
		return next, false, nil
	case len(page.Rows) > 1:
		return c, false, errOneTimestamp
	}
	windowEnd := c.at.Add(mirrorWindow)
	return c.notBefore(min(settled, windowEnd)), settled <= windowEnd, nil
}

// accountCount has the counters of one account.
type accountCount struct {
	id      string
	cursor  cursor
	created time.Time // the counters were 0
	read    time.Time // all transactions up to then are counted, but for a backlog
	busy    bool      // is asked for alone

	kinds      map[typeAndResult]*kindCount
	failed     float64
	in, out    hbarSum
	fees       map[string]*feeSum // by type
	unreadable int                // answers in a row that stopped the counting
	last       mirror.Timestamp   // 0: unknown
	latency    prometheus.Observer

	lookedUp   bool // last was asked for
	lookups    int  // that failed
	lookupErr  error
	nextLookup time.Time
}

type typeAndResult struct{ typeName, result string }

type kindCount struct {
	created time.Time // it was 0
	count   float64
}

type feeSum struct {
	created time.Time // it was 0
	hbarSum
}

func newAccountCount(id string, start cursor, latency prometheus.Observer) *accountCount {
	now := time.Now()
	return &accountCount{
		id: id, cursor: start, created: now, read: now, latency: latency, kinds: map[typeAndResult]*kindCount{},
		fees: map[string]*feeSum{other: {created: now}},
	}
}

// waitReadable is an error if the page has what cannot be read, as that may be
// one bad answer; but not for ever.
func waitReadable(page mirror.Page[mirror.Transaction], batch []*accountCount) error {
	if page.Dropped == 0 && !slices.ContainsFunc(page.Rows, func(t mirror.Transaction) bool { return !readable(t) }) {
		for _, count := range batch {
			count.unreadable = 0
		}
		return nil
	}
	if batch[0].unreadable >= maxUnreadable {
		return nil
	}
	for _, count := range batch {
		count.unreadable++
	}
	return fmt.Errorf("transactions of %d accounts from %s: %w", len(batch), batch[0].cursor.at, errUnreadable)
}

// readable reports whether all that is counted could be read.
func readable(t mirror.Transaction) bool {
	return !slices.Contains([]bool{
		t.Name.Unreadable(), t.Result.Unreadable(), t.ChargedTxFee.Unreadable(), t.Transfers.Unreadable(), t.TokenTransfers.Unreadable(),
		t.NFTTransfers.Unreadable(), t.Nonce.Unreadable(), t.Scheduled.Unreadable(), t.ValidStart.Unreadable(), t.ParentTimestamp.Unreadable(),
	}, true)
}

// add counts the rows that are the account's and have not been counted yet, and
// returns how many of all rows are the account's.
func (a *accountCount) add(rows []mirror.Transaction, next cursor) (own int) {
	seen := map[transactionKey]mirror.Timestamp{}
	for _, row := range rows {
		involved, moved := a.involvement(row)
		if !moved {
			continue
		}
		own++
		key := keyOf(row)
		if at, twice := seen[key]; a.cursor.passed(row) || (twice && at == row.ConsensusTimestamp) {
			continue
		}
		seen[key] = row.ConsensusTimestamp
		a.last = max(a.last, row.ConsensusTimestamp)
		if involved {
			a.count(row)
		}
	}
	if next.at >= a.cursor.at { // not so for one that joined the batch later
		a.cursor = next
	}
	return own
}

// involvement reports whether a transaction counts for the account: it is in its
// id or its hbar transfers. One that only moves its tokens or NFTs is listed for
// it, too, and shows that it is not silent.
func (a *accountCount) involvement(t mirror.Transaction) (counts, listed bool) {
	counts = t.Payer() == a.id ||
		slices.ContainsFunc(t.Transfers.Or(nil), func(moved mirror.Transfer) bool { return moved.Account == a.id })
	listed = counts ||
		slices.ContainsFunc(t.TokenTransfers.Or(nil), func(moved mirror.TokenTransfer) bool { return moved.Account == a.id }) ||
		slices.ContainsFunc(t.NFTTransfers.Or(nil), func(moved mirror.NFTTransfer) bool {
			return moved.Receiver == a.id || moved.Sender == a.id
		})
	return counts, listed
}

func (a *accountCount) count(row mirror.Transaction) {
	if feePayer(row) == a.id {
		a.addFee(typeLabel(row.Name.Or("")), row.ChargedTxFee.Or(0))
	}
	for _, transfer := range row.Transfers.Or(nil) {
		switch {
		case transfer.Account != a.id:
		case transfer.Amount > 0:
			a.in.add(transfer.Amount)
		default:
			a.out.add(-transfer.Amount)
		}
	}
	if latency, ok := consensusLatency(row); ok && row.Payer() == a.id { // the id has one account: it is observed once
		a.latency.Observe(latency)
	}
	kind := typeAndResult{typeLabel(row.Name.Or("")), resultLabel(row.Result.Or(""))}
	if a.kinds[kind] == nil {
		a.kinds[kind] = &kindCount{created: a.read}
	}
	a.kinds[kind].count++
	if !succeeded(kind.result) {
		a.failed++
	}
}

// addFee has no series for what was free.
func (a *accountCount) addFee(typeName string, tinybar int64) {
	switch {
	case tinybar == 0:
		return
	case a.fees[typeName] == nil:
		a.fees[typeName] = &feeSum{created: a.read}
	}
	a.fees[typeName].add(tinybar)
}

// consensusLatency is the time from a transaction's valid start to its consensus,
// in seconds, if that tells how long it was under way. Scheduled ones and those
// that another caused have the valid start of another, those of a batch wait for
// it, and a duplicate is late because the first was not (docs/hedera.md 1.4).
func consensusLatency(t mirror.Transaction) (seconds float64, ok bool) {
	start, known := t.ValidStart.Get()
	_, hasParent := t.ParentTimestamp.Get()
	if !known || hasParent || t.Scheduled.Or(false) || t.Nonce.Or(0) != 0 || t.Result.Or("") == duplicate {
		return 0, false
	}
	latency := t.ConsensusTimestamp - start
	return latency.Seconds(), latency >= 0
}

// feePayer is the account that was charged the fee, if that can be told: the one
// in the transaction's id. A scheduled transaction may have another payer, which
// is no field of it: then it is the only account that was debited the fee
// (docs/hedera.md 1.4).
func feePayer(t mirror.Transaction) string {
	if !t.Scheduled.Or(false) {
		return t.Payer()
	}
	amounts := map[string]int64{}
	for _, transfer := range t.Transfers.Or(nil) {
		amounts[transfer.Account] += transfer.Amount
	}
	fee := t.ChargedTxFee.Or(0)
	maps.DeleteFunc(amounts, func(_ string, amount int64) bool { return amount > -fee })
	if _, debited := amounts[t.Payer()]; debited {
		return t.Payer()
	}
	payers := slices.Collect(maps.Keys(amounts))
	if len(payers) != 1 {
		return ""
	}
	return payers[0]
}

func (a *accountCount) send(ch chan<- prometheus.Metric, labels []string) {
	for kind, counted := range a.kinds {
		ch <- accountTransactions.sample(counted.count, counted.created, with(labels, kind.typeName, kind.result)...)
	}
	ch <- accountFailedTransactions.sample(a.failed, a.created, labels...)
	ch <- accountTransferred.sample(a.in.hbar(), a.created, with(labels, "in")...)
	ch <- accountTransferred.sample(a.out.hbar(), a.created, with(labels, "out")...)
	for typeName, fees := range a.fees {
		ch <- accountFees.sample(fees.hbar(), fees.created, with(labels, typeName)...)
	}
	if a.last > 0 || a.lookedUp {
		a.sendLast(ch, labels)
	}
}

func (a *accountCount) sendLast(ch chan<- prometheus.Metric, labels []string) {
	ch <- accountInactive.sample(boolValue(a.last == 0), labels...)
	if a.last > 0 {
		ch <- accountLastTransaction.sample(a.last.Seconds(), labels...)
	}
}

// lookupPause is for one failed look-up.
const lookupPause = 30 * time.Second

// failLookup puts the next look-up off, longer each time.
func (a *accountCount) failLookup(err error) {
	a.lookupErr = err
	a.nextLookup = time.Now().Add(min(lookupPause<<min(a.lookups, 10), time.Hour))
	a.lookups++
}

// hbarSum adds up tinybar exactly, also beyond the range of an int64, which
// twice the supply would overflow.
type hbarSum struct{ whole, tinybar int64 }

func (s *hbarSum) add(tinybar int64) {
	s.tinybar += tinybar % tinybarPerHbar
	s.whole += tinybar/tinybarPerHbar + s.tinybar/tinybarPerHbar
	s.tinybar %= tinybarPerHbar
}

func (s hbarSum) hbar() float64 {
	if s.whole < maxExact/tinybarPerHbar {
		return hbar(s.whole*tinybarPerHbar + s.tinybar)
	}
	return float64(s.whole) + float64(s.tinybar)/tinybarPerHbar
}
