// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"hedera_exporter/internal/mirror"
)

type transactionState struct {
	lock     *semaphore.Weighted
	accounts map[string]*accountCount // by account id
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

func (c cursor) notBefore(t time.Time) cursor {
	if at := mirror.TimestampOf(t); at > c.at {
		return cursor{at: at}
	}
	return c
}

// accountCount has the counters of one account.
type accountCount struct {
	id     string
	cursor cursor

	results      map[typeAndResult]float64
	in, out, fee hbarSum
	last         mirror.Timestamp // 0: unknown
	lookedUp     bool             // last was asked for
}

type typeAndResult struct{ typeName, result string }

// add counts the rows that are the account's and have not been counted yet.
func (a *accountCount) add(rows []mirror.Transaction, next cursor) {
	seen := map[transactionKey]mirror.Timestamp{}
	for _, row := range rows {
		key := keyOf(row)
		if at, twice := seen[key]; a.cursor.passed(row) || (twice && at == row.ConsensusTimestamp) {
			continue
		}
		seen[key] = row.ConsensusTimestamp
		a.count(row)
	}
	if next.at >= a.cursor.at { // not so for one that joined the batch later
		a.cursor = next
	}
}

func (a *accountCount) count(row mirror.Transaction) {
	involved := row.Payer() == a.id
	if involved {
		a.fee.add(row.ChargedTxFee.Or(0))
	}
	for _, transfer := range row.Transfers.Or(nil) {
		if transfer.Account != a.id {
			continue
		}
		involved = true
		if transfer.Amount > 0 {
			a.in.add(transfer.Amount)
		} else {
			a.out.add(-transfer.Amount)
		}
	}
	if !involved {
		return
	}
	a.results[typeAndResult{typeLabel(row.Name.Or("")), resultLabel(row.Result.Or(""))}]++
	a.last = max(a.last, row.ConsensusTimestamp)
}

func (a *accountCount) send(ch chan<- prometheus.Metric, labels []string) {
	for kind, count := range a.results {
		ch <- accountTransactions.sample(count, with(labels, kind.typeName, kind.result)...)
	}
	ch <- accountTransferred.sample(a.in.hbar(), with(labels, "in")...)
	ch <- accountTransferred.sample(a.out.hbar(), with(labels, "out")...)
	ch <- accountFees.sample(a.fee.hbar(), labels...)
	if a.last > 0 {
		ch <- accountLastTransaction.sample(a.last.Seconds(), labels...)
	}
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
