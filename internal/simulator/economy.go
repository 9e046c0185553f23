// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"time"
)

// supply is in tinybar.
type supply struct{ released, total int64 }

// treasuryAccount holds the hbar that are not released.
const treasuryAccount = "0.0.2"

// ExchangeRate says that Hbar are worth Cents, US cents, until Expiration
// (FACTS.md 1.3). A zero Expiration is the end of the hour.
type ExchangeRate struct {
	Cents      int32
	Hbar       int32
	Expiration time.Time
}

type exchangeRates struct{ current, next ExchangeRate }

func genesisRates() exchangeRates {
	return exchangeRates{
		current: ExchangeRate{Cents: 596_987, Hbar: 30_000},
		next:    ExchangeRate{Cents: 594_920, Hbar: 30_000},
	}
}

// currentSupply is what SetSupply has said, else the whole supply without the
// treasury.
func (l *ledger) currentSupply() supply {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.supply != nil {
		return *l.supply
	}
	released := int64(totalSupplyTinybar)
	if id, err := parseEntityID(treasuryAccount); err == nil && l.accounts[id] != nil {
		released -= l.accounts[id].tinybar()
	}
	return supply{released: released, total: totalSupplyTinybar}
}

func (l *ledger) setSupply(s supply) error {
	if s.released < 0 || s.total < s.released {
		return fmt.Errorf("supply: released %d, total %d: want 0 <= released <= total", s.released, s.total)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.supply = &s
	return nil
}

// currentRates completes missing expirations: rates change every hour.
func (l *ledger) currentRates() exchangeRates {
	l.mu.RLock()
	rates := genesisRates()
	if l.rates != nil {
		rates = *l.rates
	}
	l.mu.RUnlock()
	hour := l.now().UTC().Truncate(time.Hour)
	if rates.current.Expiration.IsZero() {
		rates.current.Expiration = hour.Add(time.Hour)
	}
	if rates.next.Expiration.IsZero() {
		rates.next.Expiration = hour.Add(2 * time.Hour)
	}
	return rates
}

func (l *ledger) setRates(rates exchangeRates) error {
	for _, rate := range []ExchangeRate{rates.current, rates.next} {
		if rate.Cents <= 0 || rate.Hbar <= 0 {
			return errors.New("exchange rate: cents and hbar must be positive")
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rates = &rates
	return nil
}

// latestBlock is the newest block; there always is one.
func (l *ledger) latestBlock() Block {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.blocks[len(l.blocks)-1]
}

// SetSupply sets what /api/v1/network/supply says, in tinybar. It fails unless
// 0 <= released <= total.
func (s *Simulator) SetSupply(released, total int64) error {
	return s.ledger.setSupply(supply{released, total})
}

// SetExchangeRate sets the current and the next rate. It fails for amounts that
// are not positive.
func (s *Simulator) SetExchangeRate(current, next ExchangeRate) error {
	return s.ledger.setRates(exchangeRates{current, next})
}
