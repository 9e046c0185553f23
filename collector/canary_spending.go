// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hedera_exporter/internal/mirror"
)

const (
	canaryValidDuration = 30 * time.Second // of a transaction
	canaryBackdated     = 2 * time.Second  // its start of validity, for clocks that are ahead
	// canaryClockSkew is by how much the exporter's clock can be ahead of the
	// network's: with more, nodes refuse its transactions.
	canaryClockSkew = 5 * time.Second
	// canarySendTime is how long a run takes at most from its check of the budget
	// to its transaction.
	canarySendTime = 15 * time.Second
	// maxSpendingPages, of 100 transactions each, are read at once.
	maxSpendingPages = 50
	// maxSpendingRows bounds what is remembered of a day: two canaries at the
	// shortest interval have fewer.
	maxSpendingRows = 20_000
)

// canarySpending is what the payer pays in fees in a day (UTC). The mirror node
// tells, so that restarts and other exporters with the same payer count; what it
// does not show yet is assumed at its maximum.
type canarySpending struct {
	payer   string
	since   time.Time                  // before, an earlier process may have submitted
	charged map[mirror.Timestamp]int64 // tinybar, by consensus time
	read    mirror.Timestamp           // the last transaction read; 0: none
	through time.Time                  // the mirror has shown what had consensus until then
	pending map[string]pendingFee      // own transactions that it has not shown, by id
}

// pendingFee is the most that a transaction costs that can have consensus until
// then.
type pendingFee struct {
	max   int64 // tinybar
	until time.Time
}

// begin is for a process, or a configuration, with this payer.
func (s *canarySpending) begin(payer string, now time.Time) {
	if s.payer != payer {
		*s = canarySpending{payer: payer, since: now, charged: map[mirror.Timestamp]int64{}, pending: map[string]pendingFee{}}
	}
}

// canaryDay is the start of the day whose budget counts. A day begins late, as
// what is submitted at its beginning may still be part of the day before.
func canaryDay(now time.Time) time.Time {
	return now.UTC().Add(-canaryClockSkew).Truncate(24 * time.Hour)
}

// spent is what the day has cost, in tinybar, if that is known.
func (s *canarySpending) spent(now time.Time) (tinybar int64, known bool) {
	day := canaryDay(now)
	for at, fee := range s.charged {
		if at >= mirror.TimestampOf(day) {
			tinybar += fee
		}
	}
	for _, fee := range s.pending {
		if !fee.until.Before(day) {
			tinybar += fee.max
		}
	}
	return tinybar, !s.through.IsZero()
}

// fits tells whether another transaction with this maximum fee is within the
// budget, whatever an earlier process and one other exporter with the same
// configuration have submitted that the mirror does not show: at most one
// transaction in each interval.
//
// The last of all submissions of a day was checked against all others, so none
// passes the budget.
func (s *canarySpending) fits(maxFee, budget int64, interval time.Duration, now time.Time) bool {
	spent, known := s.spent(now)
	unseen := s.through.Add(-canaryValidDuration)
	count := atMost(now.Add(canarySendTime).Sub(unseen), interval) + atMost(s.since.Sub(unseen), interval)
	return known && maxFee <= (budget-spent)/(count+1)
}

// atMost is how many things happen in a time that are an interval apart.
func atMost(d, interval time.Duration) int64 {
	if d < 0 {
		return 0
	}
	return int64(d/interval) + 1
}

// reserve counts a transaction with its maximum fee until the mirror shows it.
func (s *canarySpending) reserve(id string, maxFee int64, until time.Time) {
	s.pending[id] = pendingFee{maxFee, until}
}

// release is for a transaction that a node has refused.
func (s *canarySpending) release(id string) { delete(s.pending, id) }

var errSpendingRows = fmt.Errorf("the payer has more than %d transactions in a day: use an account that does nothing else", maxSpendingRows)

// add counts a transaction that the mirror has. It returns the fee of one that
// was pending.
func (s *canarySpending) add(row mirror.Transaction, now time.Time) (settled int64, err error) {
	if row.Payer() != s.payer {
		return 0, nil
	}
	fee, ok := row.ChargedTxFee.Get()
	if !ok || fee < 0 {
		return 0, fmt.Errorf("transaction %s at %s: charged_tx_fee: %w", row.ID, row.ConsensusTimestamp, errUnreadable)
	}
	if _, pending := s.pending[row.ID]; pending && row.Nonce.Or(0) == 0 && !row.Scheduled.Or(false) {
		delete(s.pending, row.ID)
		settled = fee
	}
	if row.ConsensusTimestamp >= mirror.TimestampOf(canaryDay(now)) {
		s.charged[row.ConsensusTimestamp] = fee
	}
	if len(s.charged) > maxSpendingRows {
		return settled, errSpendingRows
	}
	return settled, nil
}

// forget drops what no longer counts: other days, and transactions that would
// have been shown if the network had ordered them.
func (s *canarySpending) forget(now time.Time) {
	day := mirror.TimestampOf(canaryDay(now))
	for at := range s.charged {
		if at < day {
			delete(s.charged, at)
		}
	}
	for id, fee := range s.pending {
		if fee.until.Add(replicaLag).Before(s.through) {
			delete(s.pending, id)
		}
	}
}

// from is where to read on. A replica of the mirror may lag behind another, so
// the last transactions are read again.
func (s *canarySpending) from(now time.Time) mirror.Timestamp {
	if s.read == 0 {
		return mirror.TimestampOf(canaryDay(now))
	}
	return s.read.Add(-replicaLag)
}

// readSpending reads the payer's transactions. What was read before an error
// counts.
func (c *Canary) readSpending(ctx context.Context) error {
	latest, err := c.options.Mirror.LatestBlock(ctx)
	switch {
	case err != nil:
		return err
	case latest.End() == 0:
		return fmt.Errorf("timestamp of block %d: %w", latest.Number, errUnreadable)
	}
	now := time.Now()
	c.state.mu.Lock()
	from := c.state.spending.from(now)
	c.state.mu.Unlock()
	for range maxSpendingPages {
		page, err := c.options.Mirror.Transactions(ctx, []string{c.payer()}, from)
		if err != nil {
			return err
		}
		if page.Dropped > 0 {
			return fmt.Errorf("%d transactions of %s: %w", page.Dropped, c.payer(), errUnreadable)
		}
		if err := c.count(page.Rows, now); err != nil {
			return err
		}
		if !page.More {
			c.readThrough(blockEnd(latest), now)
			return nil
		}
		last := page.Rows[len(page.Rows)-1].ConsensusTimestamp
		if last <= from {
			break
		}
		from = last
	}
	return errors.New("the payer has too many transactions; reading goes on with the next run")
}

// count adds transactions to what was spent.
func (c *Canary) count(rows []mirror.Transaction, now time.Time) error {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	spending := &c.state.spending
	for _, row := range rows {
		settled, err := spending.add(row, now)
		if err != nil {
			return err
		}
		c.state.fees += settled
		spending.read = max(spending.read, row.ConsensusTimestamp)
	}
	return nil
}

// readThrough says that all is read that had consensus until then.
func (c *Canary) readThrough(end, now time.Time) {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	spending := &c.state.spending
	if end.After(now) {
		end = now
	}
	if end.After(spending.through) {
		spending.through = end
	}
	if spending.read == 0 { // a payer without transactions
		spending.read = mirror.TimestampOf(end)
	}
	spending.forget(now)
}
