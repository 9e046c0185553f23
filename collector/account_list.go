// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"sync"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

// round is what the collectors of one scrape share, so that they ask the mirror
// only once.
type round struct {
	mu       sync.Mutex
	accounts map[*mirror.Client]*accountList
}

type roundKey struct{}

func withRound(ctx context.Context) context.Context {
	return context.WithValue(ctx, roundKey{}, &round{accounts: map[*mirror.Client]*accountList{}})
}

// eachAccounts calls each with some of the ids, which are the network's accounts,
// and what returns the row of an account, until it was called for all, several
// times at once. A row with the digest that is known of its account is not read.
func eachAccounts(ctx context.Context, network Network, ids []string, known func(ids []string) []mirror.RowDigest, each func(ids []string, get getAccount)) {
	if len(network.Tokens) > 0 || len(network.OwnNodes) > 0 { // other collectors read them as well
		batch := accountsOf(ctx, network)
		for some := range slices.Chunk(ids, accountsPerQuery) {
			each(some, func(id string) (row mirror.AccountRow, exists bool, err error) {
				account, exists, err := batch.Get(id)
				return mirror.AccountRow{ID: id, Account: &account}, exists, err
			})
		}
		return
	}
	network.Mirror.AccountParts(ctx, ids, known, func(ids []string, part mirror.Batch[mirror.AccountRow]) {
		each(ids, part.Get)
	})
}

// getAccount is [mirror.Batch.Get] of accounts.
type getAccount func(id string) (row mirror.AccountRow, exists bool, err error)

// accountsOf returns what the mirror knows of the network's accounts. The
// collectors of a scrape share one reading of them.
func accountsOf(ctx context.Context, network Network) mirror.Batch[mirror.Account] {
	r, ok := ctx.Value(roundKey{}).(*round)
	if !ok {
		return network.Mirror.Accounts(ctx, accountIDs(network.Accounts))
	}
	r.mu.Lock()
	list := r.accounts[network.Mirror]
	if list == nil {
		list = &accountList{}
		r.accounts[network.Mirror] = list
	}
	r.mu.Unlock()
	return list.read(ctx, network)
}

// accountList is read once.
type accountList struct {
	shared shared[mirror.Batch[mirror.Account]]

	mu    sync.Mutex
	known *mirror.Batch[mirror.Account]
}

func (l *accountList) read(ctx context.Context, network Network) mirror.Batch[mirror.Account] {
	ids := accountIDs(network.Accounts)
	// Of the book as it is: balances do not wait for it.
	if known := network.AddressBook.lastVersion(); known.Book != nil {
		for _, own := range ownAccounts(network.OwnNodes, known.Nodes) {
			ids = append(ids, own.account.String())
		}
	}
	batch, err := l.shared.do(ctx, func(ctx context.Context) (mirror.Batch[mirror.Account], error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.known == nil {
			batch := network.Mirror.Accounts(ctx, ids)
			l.known = &batch
		}
		return *l.known, nil
	})
	if err != nil {
		batch.Failed = make(map[string]error, len(ids))
		for _, id := range ids {
			batch.Failed[id] = err
		}
	}
	return batch
}

func accountIDs(accounts []config.Account) []string {
	ids := make([]string, 0, len(accounts))
	for _, account := range accounts {
		ids = append(ids, account.ID.String())
	}
	return ids
}
