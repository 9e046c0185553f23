// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
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

// SetAllowance grants or replaces an allowance; an Amount of 0 removes it. The
// accounts need not exist.
func (l *Ledger) SetAllowance(a Allowance) error {
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
	l.allow(owner, set)
	return nil
}

func (l *Ledger) allow(owner entityID, set allowance) {
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
func (l *Ledger) addAllowances(accounts []string) error {
	if len(accounts) < 3 {
		return nil
	}
	for _, a := range []Allowance{
		{Owner: accounts[0], Spender: accounts[1], Amount: 75 * tinybarPerHbar, Granted: 100 * tinybarPerHbar},
		{Owner: accounts[0], Spender: accounts[2], Amount: 5 * tinybarPerHbar},
		{Owner: accounts[0], Spender: accounts[1], TokenID: l.local(usdToken), Amount: 250_000_000, Granted: 1_000_000_000},
		{Owner: accounts[0], Spender: accounts[1], TokenID: l.local(sauceToken), Amount: 42_000_000},
	} {
		if err := l.SetAllowance(a); err != nil {
			return err
		}
	}
	return l.SetNFTAllowance(NFTAllowance{Owner: accounts[0], Spender: accounts[1], TokenID: l.local(nftToken), Approved: true})
}

func allowanceControls() map[string]controlCall {
	type body struct {
		Owner   string `json:"owner"`
		Spender string `json:"spender"`
		TokenID string `json:"token_id"`
		Amount  int64  `json:"amount"`
		Granted int64  `json:"granted"`
	}
	return map[string]controlCall{
		"PUT /simulator/allowances": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			return nil, l.SetAllowance(Allowance(b))
		}),
	}
}

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

func allowanceRoutes() []route {
	return []route{
		{
			path:   "/api/v1/accounts/{id}/allowances/crypto",
			maxAge: time.Second,
			params: []string{"limit", "order", "spender.id"},
			answer: (*Ledger).answerCryptoAllowances,
		},
		{
			path:   "/api/v1/accounts/{id}/allowances/tokens",
			maxAge: time.Second,
			params: []string{"limit", "order", "spender.id", "token.id"},
			answer: (*Ledger).answerTokenAllowances,
		},
	}
}

// answerCryptoAllowances lists the highest spender first, unlike the tokens'.
func (l *Ledger) answerCryptoAllowances(r *http.Request, q query) (any, error) {
	spenders, err := q.entities("spender.id")
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	owner, err := l.pathAccount(q, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	rows := selectRows(page, l.allowances[owner], func(a allowance) bool {
		return a.token == 0 && spenders.match(int64(a.spender))
	})
	list := cryptoAllowanceList{Allowances: make([]restAllowance, len(rows))}
	for i, a := range rows {
		list.Allowances[i] = a.rest(owner)
	}
	list.Links.Next = nextRows(q, page, rows, "spender.id", func(a allowance) string { return a.spender.String() })
	return list, nil
}

func (l *Ledger) answerTokenAllowances(r *http.Request, q query) (any, error) {
	spenders, err := q.entities("spender.id")
	if err != nil {
		return nil, err
	}
	tokens, err := q.entities("token.id")
	if err != nil {
		return nil, err
	}
	if len(q.values("token.id")) > 0 && len(q.values("spender.id")) == 0 {
		return nil, badRequest("token.id without a spender.id parameter filter")
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	owner, err := l.pathAccount(q, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	rows := selectRows(page, l.allowances[owner], func(a allowance) bool {
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
	if len(rows) != p.limit {
		return nil
	}
	last := rows[len(rows)-1]
	return q.next(p.order,
		cursor{key: "spender.id", value: last.spender.String(), inclusive: true},
		cursor{key: "token.id", value: last.token.String()})
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
