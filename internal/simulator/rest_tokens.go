// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"
)

// tokenDetail is a token with its custom fees, of which the simulated ones have
// none.
type tokenDetail struct {
	Token
	CustomFees customFees `json:"custom_fees"`
}

type customFees struct {
	CreatedTimestamp *string    `json:"created_timestamp"`
	FixedFees        []struct{} `json:"fixed_fees"`
}

type tokenBalanceList struct {
	Timestamp *string        `json:"timestamp"`
	Balances  []tokenBalance `json:"balances"`
	listLinks
}

type tokenBalance struct {
	Account  string `json:"account"`
	Balance  int64  `json:"balance"`
	Decimals int64  `json:"decimals"`
}

type tokenRelationshipList struct {
	Tokens []tokenRelationship `json:"tokens"`
	listLinks
}

type tokenRelationship struct {
	AutomaticAssociation bool   `json:"automatic_association"`
	Balance              int64  `json:"balance"`
	CreatedTimestamp     string `json:"created_timestamp"`
	Decimals             int64  `json:"decimals"`
	FreezeStatus         string `json:"freeze_status"`
	KYCStatus            string `json:"kyc_status"`
	TokenID              string `json:"token_id"`
}

// maxListedTokens is how many token balances an account has in lists, and
// maxDetailTokens alone (FACTS.md 1.1).
const (
	maxListedTokens = 50
	maxDetailTokens = 1000
)

func (l *ledger) tokenRoutes() []route {
	return []route{
		{path: "/api/v1/tokens/{id}", maxAge: 5 * time.Second, answer: l.answerToken},
		{
			path:   "/api/v1/tokens/{id}/balances",
			maxAge: time.Second,
			params: []string{"account.balance", "account.id", "limit", "order"},
			answer: l.answerTokenBalances,
		},
		{
			path:   "/api/v1/accounts/{id}/tokens",
			maxAge: time.Second,
			params: []string{"limit", "order", "token.id"},
			answer: l.answerAccountTokens,
		},
	}
}

// pathEntity is the id in the path of a request.
func pathEntity(r *http.Request, name string) (entityID, error) {
	id, err := parseEntityID(r.PathValue("id"))
	if err != nil {
		return 0, badRequest(msgInvalidParameter, name)
	}
	return id, nil
}

func (l *ledger) answerToken(r *http.Request, _ query) (any, error) {
	id, err := pathEntity(r, "token.id")
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	t := l.tokens[id]
	if t == nil {
		return nil, notFound()
	}
	return tokenDetail{Token: t.Token, CustomFees: customFees{t.CreatedTimestamp, []struct{}{}}}, nil
}

// answerTokenBalances lists who holds a token, highest account id first. An
// unknown token has no holders.
func (l *ledger) answerTokenBalances(r *http.Request, q query) (any, error) {
	id, err := pathEntity(r, "token.id")
	if err != nil {
		return nil, err
	}
	accounts, err := q.filters("account.id", parseEntity)
	if err != nil {
		return nil, err
	}
	amounts, err := q.filters("account.balance", parseNumber)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	list := tokenBalanceList{Balances: []tokenBalance{}}
	l.mu.RLock()
	defer l.mu.RUnlock()
	t := l.tokens[id]
	if t == nil {
		return list, nil
	}
	holders := selectRows(page, slices.Sorted(maps.Keys(t.holders)), func(account entityID) bool {
		return accounts.match(int64(account)) && amounts.match(t.holders[account].balance)
	})
	for _, account := range holders {
		held := t.holders[account]
		list.Balances = append(list.Balances, tokenBalance{account.String(), held.balance, t.Decimals})
		list.Timestamp = later(list.Timestamp, &held.updated)
	}
	list.Links.Next = nextRows(q, page, holders, "account.id", entityID.String)
	return list, nil
}

func (l *ledger) answerAccountTokens(r *http.Request, q query) (any, error) {
	ids, err := q.filters("token.id", parseEntity)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	account, err := l.resolveEntity(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	tokens := selectRows(page, l.tokensOfLocked(account), func(t *token) bool { return ids.match(int64(t.id)) })
	list := tokenRelationshipList{Tokens: make([]tokenRelationship, len(tokens))}
	for i, t := range tokens {
		held := t.holders[account]
		list.Tokens[i] = tokenRelationship{
			AutomaticAssociation: held.automatic,
			Balance:              held.balance,
			CreatedTimestamp:     held.created,
			Decimals:             t.Decimals,
			FreezeStatus:         held.freeze,
			KYCStatus:            held.kyc,
			TokenID:              t.ID,
		}
	}
	list.Links.Next = nextRows(q, page, tokens, "token.id", func(t *token) string { return t.ID })
	return list, nil
}

// tokensOfLocked is what an account is associated with, by ascending token id.
func (l *ledger) tokensOfLocked(account entityID) []*token {
	var tokens []*token
	for _, t := range l.tokens {
		if _, ok := t.holders[account]; ok {
			tokens = append(tokens, t)
		}
	}
	slices.SortFunc(tokens, func(a, b *token) int { return cmp.Compare(a.id, b.id) })
	return tokens
}

func (l *ledger) withTokens(id entityID, account Account, limit int) Account {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.withTokensLocked(id, account, limit)
}

// withTokensLocked is the account with its token balances, at most limit. What
// an account was added with stays where it has no associations.
func (l *ledger) withTokensLocked(id entityID, account Account, limit int) Account {
	tokens := l.tokensOfLocked(id)
	if account.Balance == nil || len(tokens) == 0 {
		return account
	}
	balance := *account.Balance
	balance.Tokens = make([]TokenBalance, 0, len(tokens))
	for _, t := range tokens[:min(limit, len(tokens))] {
		balance.Tokens = append(balance.Tokens, TokenBalance{t.ID, t.holders[id].balance})
	}
	account.Balance = &balance
	return account
}
