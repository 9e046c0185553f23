// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"hedera_exporter/internal/mirror"
)

const (
	// What a transaction of the canary costs, in USD (docs/hedera.md 2.5), and how
	// many times that is offered.
	transferUSD = 0.0001
	messageUSD  = 0.0008
	feeMargin   = 2
	// maxFeeLimit keeps a price of next to nothing from passing int64.
	maxFeeLimit = 1e17

	// A fee that does not do and a clock that is ahead are tried again after that:
	// a node that refuses a transaction charges nothing.
	feePause   = time.Hour
	startPause = 10 * time.Minute

	// daysOfBudget in the payer's balance are more than a canary needs.
	daysOfBudget = 100
)

// canaryPause is why nothing is submitted. The zero value is no pause.
type canaryPause struct {
	reason string
	until  time.Time // of reasons that time ends
	fee    int64     // tinybar: what would have done
}

// pauseFor pauses if the network's code is a reason to. Fee is what would have
// done, 0 if that is unknown.
func (s *canaryState) pauseFor(code string, fee uint64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch code {
	case pauseFee:
		s.pause = canaryPause{reason: code, until: now.Add(feePause), fee: int64(min(fee, math.MaxInt64))}
	case pauseStart:
		s.pause = canaryPause{reason: code, until: now.Add(startPause)}
	case pausePayerBalance:
		s.pause = canaryPause{reason: code, fee: int64(min(fee, math.MaxInt64))}
	}
}

// holds tells whether the network's reason for the pause still holds.
func (s *canaryState) holds(now time.Time) bool {
	switch p := s.pause; p.reason {
	case pauseFee:
		return now.Before(p.until) && (p.fee == 0 || s.feeLimit < p.fee)
	case pauseStart:
		return now.Before(p.until)
	case pausePayerBalance:
		return s.balance == nil || *s.balance <= max(p.fee, s.feeLimit)
	}
	return false
}

// pause tells why nothing can be submitted now, if that is so.
func (c *Canary) pause(nodes int) (reason string) {
	now := time.Now()
	s := c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.spending.spent(now)
	switch {
	case s.holds(now):
		reason = s.pause.reason
	case !known || s.feeLimit == 0:
		reason = pauseUnknownSpent
	case nodes == 0:
		reason = pauseNode
	case s.balance != nil && *s.balance <= c.options.Config.MinBalance.Units:
		reason = pauseMinBalance
	case !s.spending.fits(s.feeLimit, c.options.Config.Budget.Units, c.interval(), now):
		reason = pauseBudget
	}
	if before := s.pause.reason; reason != before {
		s.pause = canaryPause{reason: reason}
		c.logPause(before, reason)
	}
	return reason
}

func (c *Canary) logPause(before, reason string) {
	if reason == "" {
		level.Info(c.options.Log).Log("msg", "canary resumes", "network", c.options.Network, "reason", before)
		return
	}
	level.Warn(c.options.Log).Log("msg", "canary pauses", "network", c.options.Network, "reason", reason)
}

// read reads what the canary has to know before a transaction. What cannot be
// read stays as it was.
func (c *Canary) read(ctx context.Context) error {
	var (
		group sync.WaitGroup
		errs  [3]error
	)
	for i, read := range []func(context.Context) error{c.readSpending, c.readBalance, c.readPrice} {
		group.Go(func() { errs[i] = guard(func() error { return read(ctx) }) })
	}
	group.Wait()
	return errors.Join(errs[:]...)
}

// readBalance reads the payer's balance, and warns once of one that is too much
// for a key on this host.
func (c *Canary) readBalance(ctx context.Context) error {
	row, known, err := c.options.Mirror.Accounts(ctx, []string{c.payer()}).Get(c.payer())
	if err != nil {
		return err
	}
	balance := row.Balance.Or(mirror.AccountBalance{}).Balance.Pointer()
	if !known || row.Deleted.Or(false) || balance == nil {
		return fmt.Errorf("canary.operator_id: account %s: the mirror has no balance of it", c.payer())
	}
	c.state.mu.Lock()
	c.state.balance = balance
	c.state.mu.Unlock()
	budget := c.options.Config.Budget
	if days := *balance / budget.Units; days > daysOfBudget && !c.warned {
		c.warned = true
		level.Warn(c.options.Log).Log("msg", "the canary's payer has more than it needs; move what is more than 100 days' budget to an account whose key is not on this host",
			"network", c.options.Network, "account_id", c.payer(), "balance", hbar(*balance), "budget", budget)
	}
	return nil
}

// readPrice sets the maximum fee: fees are in USD, and offered in hbar at the
// lower one of this hour's and the next hour's price.
func (c *Canary) readPrice(ctx context.Context) error {
	rates, err := c.options.Mirror.ExchangeRates(ctx)
	if err != nil {
		return err
	}
	price, known := rates.Current.Or(mirror.ExchangeRate{}).USDPerHbar()
	if next, ok := rates.Next.Or(mirror.ExchangeRate{}).USDPerHbar(); ok && (!known || next < price) {
		price, known = next, true
	}
	if !known || price <= 0 {
		return fmt.Errorf("exchange rate: %w", errUnreadable)
	}
	usd := transferUSD
	if !c.options.Config.Topic.IsZero() {
		usd = messageUSD
	}
	limit := int64(min(math.Ceil(usd*feeMargin/price*tinybarPerHbar), maxFeeLimit))
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.state.feeLimit = limit
	return nil
}
