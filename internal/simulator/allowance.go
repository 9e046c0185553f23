// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Allowance lets Spender spend of what Owner has: tinybar, or the smallest unit
// of a token.
type Allowance struct {
	Owner   string
	Spender string
	TokenID string // empty for hbar
	Amount  int64  // what remains; an allowance of 0 is gone
	Granted int64  // what it was; default Amount
}

// allowance is an Allowance with parsed ids. Token is 0 for hbar.
type allowance struct {
	spender, token  entityID
	amount, granted int64
	timestamp       string
}

func (l *ledger) setAllowance(a Allowance) error {
	owner, err := parseEntityID(a.Owner)
	if err != nil {
		return fmt.Errorf("allowance owner: %w", err)
	}
	spender, err := parseEntityID(a.Spender)
	if err != nil {
		return fmt.Errorf("allowance spender: %w", err)
	}
	set := allowance{spender: spender, amount: a.Amount, granted: max(a.Granted, a.Amount), timestamp: formatTimestamp(l.now())}
	if a.TokenID != "" {
		if set.token, err = parseEntityID(a.TokenID); err != nil {
			return fmt.Errorf("allowance token: %w", err)
		}
	}
	if a.Amount < 0 {
		return errors.New("allowance: the amount must not be negative")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setAllowanceLocked(owner, set)
	return nil
}

func (l *ledger) setAllowanceLocked(owner entityID, set allowance) {
	old := slices.DeleteFunc(slices.Clone(l.allowances[owner]), func(a allowance) bool {
		return a.spender == set.spender && a.token == set.token
	})
	if set.amount > 0 {
		old = append(old, set)
	}
	slices.SortFunc(old, func(a, b allowance) int {
		return cmp.Or(cmp.Compare(a.spender, b.spender), cmp.Compare(a.token, b.token))
	})
	l.allowances[owner] = old
}

// addAllowances lets the first account grant some to the next ones.
func (l *ledger) addAllowances(accounts []string) error {
	if len(accounts) < 3 {
		return nil
	}
	for _, a := range []Allowance{
		{Owner: accounts[0], Spender: accounts[1], Amount: 75 * tinybarPerHbar, Granted: 100 * tinybarPerHbar},
		{Owner: accounts[0], Spender: accounts[2], Amount: 5 * tinybarPerHbar},
		{Owner: accounts[0], Spender: accounts[1], TokenID: usdToken, Amount: 250_000_000, Granted: 1_000_000_000},
		{Owner: accounts[0], Spender: accounts[1], TokenID: sauceToken, Amount: 42_000_000},
	} {
		if err := l.setAllowance(a); err != nil {
			return err
		}
	}
	return nil
}

// SetAllowance grants or replaces an allowance; an Amount of 0 removes it. The
// accounts need not exist.
func (s *Simulator) SetAllowance(a Allowance) error { return s.ledger.setAllowance(a) }
