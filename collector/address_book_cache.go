// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"sync"
	"time"

	"hedera_exporter/internal/consensus"
)

// refreshShare is the part of a scrape's time for refreshing the address book;
// then the previous one is used.
const refreshShare = 0.25

// BookSource reads the whole address book.
type BookSource func(context.Context) ([]consensus.Node, error)

// AddressBook caches the address book for the collectors that need the nodes.
type AddressBook struct {
	source BookSource
	maxAge time.Duration
	shared shared[bookVersion]

	mu   sync.Mutex
	last bookVersion
}

type bookVersion struct {
	nodes   []consensus.Node
	fetched time.Time
}

// NewAddressBook returns an address book that is refreshed when it is older than
// maxAge.
func NewAddressBook(source BookSource, maxAge time.Duration) *AddressBook {
	return &AddressBook{source: source, maxAge: maxAge}
}

// StaticBook is the source of a network with configured nodes.
func StaticBook(nodes []consensus.Node) BookSource {
	return func(context.Context) ([]consensus.Node, error) { return nodes, nil }
}

// refresh reads the book from its source.
func (b *AddressBook) refresh(ctx context.Context) (bookVersion, error) {
	return b.shared.do(ctx, func(ctx context.Context) (bookVersion, error) {
		nodes, err := b.source(ctx)
		if err != nil {
			return bookVersion{}, err
		}
		version := bookVersion{nodes: nodes, fetched: time.Now()}
		b.mu.Lock()
		b.last = version
		b.mu.Unlock()
		return version, nil
	})
}

// Nodes returns the nodes of the book. While its source fails, these are the
// nodes of the last book, whatever its age: asking a node that has left does no
// harm, and an outage of the mirror must not hide the nodes.
func (b *AddressBook) Nodes(ctx context.Context) ([]consensus.Node, error) {
	last := b.lastVersion()
	if time.Since(last.fetched) < b.maxAge {
		return last.nodes, nil
	}
	if last.nodes == nil {
		version, err := b.refresh(ctx)
		return version.nodes, err
	}
	refreshCtx, cancel := withShare(ctx, refreshShare)
	defer cancel()
	if version, err := b.refresh(refreshCtx); err == nil {
		return version.nodes, nil
	}
	return last.nodes, nil
}

func (b *AddressBook) lastVersion() bookVersion {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}
