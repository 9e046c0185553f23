// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// NFTAllowance approves Spender for all serials of a token that Owner has or
// gets, or withdraws the approval.
type NFTAllowance struct {
	Owner    string
	Spender  string
	TokenID  string
	Approved bool
}

// nftAllowance is an approval with parsed ids.
type nftAllowance struct {
	owner, spender, token entityID
	timestamp             string
}

func (a nftAllowance) compare(b nftAllowance) int {
	return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.spender, b.spender), cmp.Compare(a.token, b.token))
}

// SetNFTAllowance approves or withdraws. The accounts and the token need not
// exist.
func (l *Ledger) SetNFTAllowance(a NFTAllowance) error {
	set := nftAllowance{timestamp: formatTimestamp(l.now())}
	for _, id := range []struct {
		what, text string
		to         *entityID
	}{{"owner", a.Owner, &set.owner}, {"spender", a.Spender, &set.spender}, {"token", a.TokenID, &set.token}} {
		var err error
		if *id.to, err = parseEntityID(id.text); err != nil {
			return fmt.Errorf("NFT allowance %s: %w", id.what, err)
		}
	}
	at, found := slices.BinarySearchFunc(l.nftAllowances, set, nftAllowance.compare)
	switch {
	case found && a.Approved:
		l.nftAllowances[at] = set
	case found:
		l.nftAllowances = slices.Delete(l.nftAllowances, at, at+1)
	case a.Approved:
		l.nftAllowances = slices.Insert(l.nftAllowances, at, set)
	}
	return nil
}

func nftAllowanceControls() map[string]controlCall {
	type body struct {
		Owner    string `json:"owner"`
		Spender  string `json:"spender"`
		TokenID  string `json:"token_id"`
		Approved bool   `json:"approved"`
	}
	return map[string]controlCall{
		"PUT /simulator/nft-allowances": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			return nil, l.SetNFTAllowance(NFTAllowance(b))
		}),
	}
}

type nftAllowanceList struct {
	Allowances []restNFTAllowance `json:"allowances"`
	listLinks
}

type restNFTAllowance struct {
	ApprovedForAll bool           `json:"approved_for_all"`
	Owner          string         `json:"owner"`
	Spender        string         `json:"spender"`
	Timestamp      TimestampRange `json:"timestamp"`
	TokenID        string         `json:"token_id"`
}

func nftAllowanceRoutes() []route {
	return []route{{
		path:   "/api/v1/accounts/{id}/allowances/nfts",
		maxAge: time.Second,
		params: []string{"account.id", "limit", "order", "owner", "token.id"},
		java:   true,
		spring: true,
		answer: (*Ledger).answerNFTAllowances,
	}}
}

// nftQuery is what the route's parameters ask for (AllowancesController and
// NftAllowanceServiceImpl of the mirror's Java module).
type nftQuery struct {
	page             paging
	byOwner          bool
	accounts, tokens filters // accounts are spenders, or owners without byOwner
}

func (l *Ledger) answerNFTAllowances(r *http.Request, q query) (any, error) {
	nfts, err := parseNFTQuery(q)
	if err != nil {
		return nil, err
	}
	id, err := l.javaAccount(q, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	rows := selectRows(nfts.page, l.nftAllowances, func(a nftAllowance) bool {
		if nfts.byOwner {
			return a.owner == id && nfts.match(a.spender, a.token)
		}
		return a.spender == id && nfts.match(a.owner, a.token)
	})
	list := nftAllowanceList{Allowances: make([]restNFTAllowance, len(rows))}
	for i, a := range rows {
		list.Allowances[i] = restNFTAllowance{
			ApprovedForAll: true, Owner: a.owner.String(), Spender: a.spender.String(),
			Timestamp: TimestampRange{From: a.timestamp}, TokenID: a.token.String(),
		}
	}
	list.Links.Next = nfts.next(q, rows)
	return list, nil
}

// javaAccount is pathAccount with the errors of the Java module, which looks up
// every EVM address, also one that is made of an id.
func (l *Ledger) javaAccount(q query, name string) (entityID, error) {
	id, err := l.pathAccount(q, name)
	if err == nil && evmPattern.MatchString(name) {
		if _, known := l.accountByEVM(name); !known {
			err = notFound()
		}
	}
	var known *restError
	switch {
	case err == nil:
		return id, nil
	case errors.As(err, &known) && known.status == http.StatusNotFound:
		return 0, javaNotFound("No account found for the given ID")
	default:
		return 0, javaBadRequest(fmt.Sprintf("Failed to convert 'id' with value: '%s'", name))
	}
}

func parseNFTQuery(q query) (nfts nftQuery, err error) {
	if limit, _ := q.limit(defaultLimit, math.MaxInt64); limit > defaultMaxLimit {
		return nfts, javaBadRequest(fmt.Sprintf("limit must be less than or equal to %d", defaultMaxLimit))
	}
	if nfts.page, err = q.paging(ascending); err != nil {
		return nfts, err
	}
	nfts.page.limit, _ = q.limit(defaultLimit, defaultMaxLimit) // the limits of the Node.js module are its own
	if nfts.byOwner, err = q.boolean("owner"); err != nil {
		return nfts, javaBadRequest("Failed to convert 'owner' with value: '" + strings.Join(q.values("owner"), ",") + "'")
	}
	if nfts.accounts, err = nftBounds(q, "account.id"); err != nil {
		return nfts, err
	}
	if nfts.tokens, err = nftBounds(q, "token.id"); err != nil {
		return nfts, err
	}
	return nfts, nfts.check()
}

// nftBounds are the conditions on one of the two ids.
func nftBounds(q query, key string) (filters, error) {
	if len(q.values(key)) > 2 {
		return filters{}, javaBadRequest(key + " size must be between 0 and 2")
	}
	f, err := q.entities(key)
	if err != nil {
		return f, javaBadRequest(fmt.Sprintf("Failed to convert '%s' with value: '%s'", key, strings.Join(q.values(key), ",")))
	}
	switch {
	case f.has("ne"):
		return f, javaBadRequest("Unsupported range operator ne for " + key)
	case len(f.equal) > 1 || len(f.others) == 2 && f.others[0].operator[0] == f.others[1].operator[0]:
		return f, javaBadRequest("Only one range operator is allowed for the given parameter for " + key)
	case len(f.equal) > 0 && len(f.others) > 0:
		return f, javaBadRequest("Can't support both range and equal for " + key)
	}
	return f, nil
}

func (f filters) has(operators ...string) bool {
	return slices.ContainsFunc(f.others, func(c condition) bool { return slices.Contains(operators, c.operator) })
}

func (n nftQuery) check() error {
	equal := len(n.accounts.equal) > 0
	switch {
	case n.accounts.isEmpty() && !n.tokens.isEmpty():
		return javaBadRequest("token.id parameter must have account.id present")
	case n.tokens.has("lt", "lte") && !equal && !n.accounts.has("lte"):
		return javaBadRequest("Requires the presence of an lte or eq account.id parameter")
	case n.tokens.has("gt", "gte") && !equal && !n.accounts.has("gte"):
		return javaBadRequest("Requires the presence of an gte or eq account.id parameter")
	}
	return nil
}

// match applies a bound of the token only to rows at the bound of the account.
func (n nftQuery) match(account, token entityID) bool {
	if !n.accounts.match(int64(account)) || len(n.tokens.equal) > 0 && !n.tokens.match(int64(token)) {
		return false
	}
	if len(n.accounts.equal) > 0 {
		return n.tokens.match(int64(token))
	}
	for _, border := range n.accounts.others {
		for _, bound := range n.tokens.others {
			if border.value == int64(account) && border.operator[0] == bound.operator[0] && !bound.holds(int64(token)) {
				return false
			}
		}
	}
	return true
}

// next continues within the last account, by two parameters.
func (n nftQuery) next(q query, rows []nftAllowance) *string {
	if len(rows) != n.page.limit {
		return nil
	}
	last := rows[len(rows)-1]
	account := last.spender
	if !n.byOwner {
		account = last.owner
	}
	return q.next(n.page.order,
		cursor{key: "account.id", value: account.String(), inclusive: len(n.tokens.equal) == 0},
		cursor{key: "token.id", value: last.token.String()})
}
