// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

type cryptoAllowanceList struct {
	Allowances []restAllowance `json:"allowances"`
	listLinks
}

type tokenAllowanceList struct {
	Allowances []tokenAllowance `json:"allowances"`
	listLinks
}

type restAllowance struct {
	Amount        int64          `json:"amount"`
	AmountGranted int64          `json:"amount_granted"`
	Owner         string         `json:"owner"`
	Spender       string         `json:"spender"`
	Timestamp     TimestampRange `json:"timestamp"`
}

type tokenAllowance struct {
	restAllowance
	TokenID string `json:"token_id"`
}

func (l *ledger) allowanceRoutes() []route {
	return []route{
		{
			path:   "/api/v1/accounts/{id}/allowances/crypto",
			maxAge: time.Second,
			params: []string{"limit", "order", "spender.id"},
			answer: l.answerCryptoAllowances,
		},
		{
			path:   "/api/v1/accounts/{id}/allowances/tokens",
			maxAge: time.Second,
			params: []string{"limit", "order", "spender.id", "token.id"},
			answer: l.answerTokenAllowances,
		},
	}
}

// answerCryptoAllowances lists the highest spender first, unlike the tokens'.
func (l *ledger) answerCryptoAllowances(r *http.Request, q query) (any, error) {
	spenders, err := q.filters("spender.id", parseEntity)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	owner, err := l.resolveEntity(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	rows := selectRows(page, l.allowancesOf(owner), func(a allowance) bool {
		return a.token == 0 && spenders.match(int64(a.spender))
	})
	list := cryptoAllowanceList{Allowances: make([]restAllowance, len(rows))}
	for i, a := range rows {
		list.Allowances[i] = a.rest(owner)
	}
	list.Links.Next = nextRows(q, page, rows, "spender.id", func(a allowance) string { return a.spender.String() })
	return list, nil
}

func (l *ledger) answerTokenAllowances(r *http.Request, q query) (any, error) {
	spenders, err := q.filters("spender.id", parseEntity)
	if err != nil {
		return nil, err
	}
	tokens, err := q.filters("token.id", parseEntity)
	if err != nil {
		return nil, err
	}
	if len(q.values("token.id")) > 0 && len(q.values("spender.id")) == 0 {
		return nil, badRequest("token.id requires the presence of spender.id")
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	owner, err := l.resolveEntity(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	rows := selectRows(page, l.allowancesOf(owner), func(a allowance) bool {
		return a.token != 0 && spenders.match(int64(a.spender)) &&
			(!spenders.atBorder(int64(a.spender)) || tokens.match(int64(a.token)))
	})
	list := tokenAllowanceList{Allowances: make([]tokenAllowance, len(rows))}
	for i, a := range rows {
		list.Allowances[i] = tokenAllowance{a.rest(owner), a.token.String()}
	}
	list.Links.Next = nextTokenAllowances(q, page, rows)
	return list, nil
}

// atBorder tells whether the value is one that a condition names. There, the
// condition on the second column decides.
func (f filters) atBorder(value int64) bool {
	return slices.Contains(f.equal, value) ||
		slices.ContainsFunc(f.others, func(c condition) bool { return c.value == value })
}

// nextTokenAllowances continues within the last spender, by two parameters.
func nextTokenAllowances(q query, p paging, rows []allowance) *string {
	if len(rows) < p.limit {
		return nil
	}
	last := rows[len(rows)-1]
	within := q
	within.params = slices.DeleteFunc(slices.Clone(q.params), func(p param) bool {
		return p.key == "spender.id" && strings.Contains(p.value, ":") && !strings.HasPrefix(p.value, "eq:")
	})
	if len(within.values("spender.id")) == 0 {
		operator := "gte:"
		if p.order == descending {
			operator = "lte:"
		}
		within.params = append(within.params, param{"spender.id", operator + last.spender.String()})
	}
	return within.next(true, p.order, "token.id", last.token.String())
}

func (l *ledger) allowancesOf(owner entityID) []allowance {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.allowances[owner] // replaced, never changed
}

func (a allowance) rest(owner entityID) restAllowance {
	return restAllowance{
		Amount:        a.amount,
		AmountGranted: a.granted,
		Owner:         owner.String(),
		Spender:       a.spender.String(),
		Timestamp:     TimestampRange{From: a.timestamp},
	}
}
