// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

type accountList struct {
	Accounts []Account `json:"accounts"`
	listLinks
}

type accountDetail struct {
	Account
	Transactions []restTransaction `json:"transactions"`
	listLinks
}

func (l *ledger) accountRoutes() []route {
	return []route{
		{
			path:   "/api/v1/accounts",
			maxAge: 10 * time.Second,
			params: []string{"account.balance", "account.id", "account.publickey", "balance", "limit", "order"},
			answer: l.answerAccounts,
		},
		{
			path:   "/api/v1/accounts/{id}",
			maxAge: 2 * time.Second,
			params: []string{"limit", "order", "timestamp", "transactions", "transactiontype"},
			answer: l.answerAccount,
		},
	}
}

// answerAccounts lists accounts. Unknown ids are absent, deleted accounts are
// not (FACTS.md 1.1).
func (l *ledger) answerAccounts(_ *http.Request, q query) (any, error) {
	selected, err := parseAccountSelection(q, ascending)
	if err != nil {
		return nil, err
	}
	withBalance, err := q.boolean("balance")
	if err != nil {
		return nil, err
	}
	list := accountList{Accounts: l.selectAccounts(selected)}
	if !withBalance {
		for i := range list.Accounts {
			list.Accounts[i].Balance = nil
		}
	}
	list.Links.Next = selected.next(q, list.Accounts)
	return list, nil
}

// answerAccount has the account's latest transactions unless they are not
// wanted.
func (l *ledger) answerAccount(r *http.Request, q query) (any, error) {
	withTransactions, err := q.boolean("transactions")
	if err != nil {
		return nil, err
	}
	selected, err := parseTransactionSelection(q)
	if err != nil {
		return nil, err
	}
	id, err := l.resolveEntity(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	account, ok := l.account(id)
	if !ok {
		return nil, notFound() // removed meanwhile
	}
	detail := accountDetail{Account: l.withTokens(id, account, maxDetailTokens), Transactions: []restTransaction{}}
	if withTransactions {
		selected.accounts = filters{equal: []int64{int64(id)}}
		list := l.selectTransactions(q, selected)
		detail.Transactions, detail.Links = list.Transactions, list.Links
	}
	return detail, nil
}

// resolveEntity finds an account by id, EVM address or alias.
func (l *ledger) resolveEntity(name string) (entityID, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if id, err := parseEntityID(name); err == nil {
		if l.accounts[id] == nil {
			return 0, notFound()
		}
		return id, nil
	}
	name = name[strings.LastIndex(name, ".")+1:] // shard.realm.alias
	evm := "0x" + strings.ToLower(strings.TrimPrefix(name, "0x"))
	isEVM := len(evm) == len("0x")+40
	if !isEVM && !isAlias(name) {
		return 0, badRequest(msgInvalidParameter, "idOrAliasOrEvmAddress")
	}
	for _, id := range l.ids {
		account := l.accounts[id]
		if isEVM && account.EVMAddress != nil && *account.EVMAddress == evm {
			return id, nil
		}
		if !isEVM && account.Alias != nil && *account.Alias == name {
			return id, nil
		}
	}
	return 0, notFound()
}

// isAlias tells whether s is base32 without padding.
func isAlias(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// accountSelection is the part of a query that accounts and balances share.
type accountSelection struct {
	ids       filters
	balances  filters
	publicKey string
	limit     int
	order     string
}

func parseAccountSelection(q query, order string) (accountSelection, error) {
	var selected accountSelection
	var err error
	if selected.ids, err = q.filters("account.id", parseEntity); err != nil {
		return selected, err
	}
	if selected.balances, err = q.filters("account.balance", parseNumber); err != nil {
		return selected, err
	}
	if selected.limit, err = q.limit(defaultLimit, maxLimit); err != nil {
		return selected, err
	}
	selected.publicKey, _ = q.last("account.publickey")
	selected.order, err = q.order(order)
	return selected, err
}

func (s accountSelection) match(account *Account) bool {
	if s.publicKey != "" && (account.Key == nil || account.Key.Key != s.publicKey) {
		return false
	}
	return s.balances.match(account.tinybar())
}

func (s accountSelection) next(q query, page []Account) *string {
	if len(page) == 0 {
		return nil
	}
	return q.next(len(page) == s.limit, s.order, "account.id", page[len(page)-1].ID)
}

// selectAccounts returns copies of the first accounts the selection allows.
func (l *ledger) selectAccounts(selected accountSelection) []Account {
	l.mu.RLock()
	defer l.mu.RUnlock()
	page := make([]Account, 0, selected.limit)
	for _, id := range l.candidatesLocked(selected) {
		account, ok := l.accounts[id]
		if !ok || !selected.ids.matchOthers(int64(id)) || !selected.match(account) {
			continue
		}
		page = append(page, l.withTokensLocked(id, *account, maxListedTokens))
		if len(page) == selected.limit {
			break
		}
	}
	return page
}

// candidatesLocked is the named ids, or all of them, in order.
func (l *ledger) candidatesLocked(selected accountSelection) []entityID {
	candidates := l.ids
	if len(selected.ids.equal) > 0 {
		candidates = make([]entityID, len(selected.ids.equal))
		for i, id := range selected.ids.equal {
			candidates[i] = entityID(id)
		}
		slices.Sort(candidates)
		candidates = slices.Compact(candidates)
	}
	if selected.order == descending {
		candidates = slices.Clone(candidates)
		slices.Reverse(candidates)
	}
	return candidates
}
