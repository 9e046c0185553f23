// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"time"
)

type balanceList struct {
	Timestamp *string          `json:"timestamp"`
	Balances  []accountBalance `json:"balances"`
	listLinks
}

type accountBalance struct {
	Account string         `json:"account"`
	Balance int64          `json:"balance"`
	Tokens  []TokenBalance `json:"tokens"`
}

func (l *ledger) balanceRoutes() []route {
	return []route{{
		path:   "/api/v1/balances",
		maxAge: time.Second,
		params: []string{"account.balance", "account.id", "account.publickey", "limit", "order"},
		answer: l.answerBalanceList,
	}}
}

// answerBalanceList lists current balances, highest account id first. The
// timestamp is the newest of the rows (FACTS.md 1.1).
func (l *ledger) answerBalanceList(_ *http.Request, q query) (any, error) {
	selected, err := parseAccountSelection(q, descending)
	if err != nil {
		return nil, err
	}
	accounts := l.selectAccounts(selected)
	list := balanceList{Balances: make([]accountBalance, 0, len(accounts))}
	for _, account := range accounts {
		row := accountBalance{Account: account.ID, Balance: account.tinybar(), Tokens: []TokenBalance{}}
		if account.Balance != nil {
			row.Tokens = account.Balance.Tokens
			list.Timestamp = later(list.Timestamp, account.Balance.Timestamp)
		}
		list.Balances = append(list.Balances, row)
	}
	list.Links.Next = selected.next(q, accounts)
	return list, nil
}

// later returns the newer of two consensus timestamps, either of which may be
// null.
func later(a, b *string) *string {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	nanosA, errA := parseTimestamp(*a)
	nanosB, errB := parseTimestamp(*b)
	if errA != nil || errB == nil && nanosB > nanosA {
		return b
	}
	return a
}
