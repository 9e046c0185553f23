// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hedera_exporter/internal/consensus"
)

// refreshShare is the part of a scrape's time for refreshing the address book;
// then the previous one is used.
const refreshShare = 0.25

// sourceShare is the part of the time for a source of the address book that is
// not the last.
const sourceShare = 0.5

// BookSource reads the whole address book.
type BookSource func(context.Context) (*consensus.Book, error)

// AddressBook caches the address book for the collectors that need the nodes.
type AddressBook struct {
	source BookSource
	maxAge time.Duration
	shared shared[bookVersion]

	mu   sync.Mutex
	last bookVersion
}

type bookVersion struct {
	*consensus.Book
	fetched time.Time
}

// NewAddressBook returns an address book that is refreshed when it is older than
// maxAge.
func NewAddressBook(source BookSource, maxAge time.Duration) *AddressBook {
	return &AddressBook{source: source, maxAge: maxAge}
}

// StaticBook is the source of a network with configured nodes.
func StaticBook(nodes []consensus.Node) BookSource {
	return func(context.Context) (*consensus.Book, error) { return &consensus.Book{Nodes: nodes}, nil }
}

// FirstBook is the source of a network with several: each is asked if those
// before it failed, within half of the time that they left.
func FirstBook(sources ...BookSource) BookSource {
	return func(ctx context.Context) (*consensus.Book, error) {
		var failures []error
		for i, source := range sources {
			book, err := ask(ctx, source, i == len(sources)-1)
			if err == nil {
				return book, nil
			}
			failures = append(failures, err)
		}
		return nil, errors.Join(failures...)
	}
}

func ask(ctx context.Context, source BookSource, last bool) (*consensus.Book, error) {
	if last {
		return source(ctx)
	}
	ctx, cancel := withShare(ctx, sourceShare)
	defer cancel()
	return source(ctx)
}

// refresh reads the book from its source. One without nodes, or one without
// endpoints after one that had some, is a failure and replaces none.
func (b *AddressBook) refresh(ctx context.Context) (bookVersion, error) {
	return b.shared.do(ctx, func(ctx context.Context) (bookVersion, error) {
		book, err := b.source(ctx)
		if err != nil {
			return bookVersion{}, err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		switch {
		case len(book.Nodes) == 0:
			return bookVersion{}, errors.New("the address book has no node")
		case b.last.Book != nil && endpointCount(b.last.Nodes) > 0 && endpointCount(book.Nodes) == 0:
			return bookVersion{}, fmt.Errorf("no node of the address book has a usable endpoint (%d are skipped), the previous one stays in use", book.Skipped)
		}
		b.last = bookVersion{Book: book, fetched: time.Now()}
		return b.last, nil
	})
}

func endpointCount(nodes []consensus.Node) int {
	count := 0
	for _, node := range nodes {
		count += len(node.Endpoints)
	}
	return count
}

// current returns the book, read anew if it is older than its maximum age.
func (b *AddressBook) current(ctx context.Context) (bookVersion, error) {
	if last := b.lastVersion(); time.Since(last.fetched) < b.maxAge {
		return last, nil
	}
	return b.refresh(ctx)
}

// Nodes returns the nodes of the book. While its source fails, these are the
// nodes of the last book, whatever its age: asking a node that has left does no
// harm, and an outage of the mirror must not hide the nodes.
func (b *AddressBook) Nodes(ctx context.Context) ([]consensus.Node, error) {
	last := b.lastVersion()
	if time.Since(last.fetched) < b.maxAge {
		return last.Nodes, nil
	}
	if last.Book == nil {
		version, err := b.refresh(ctx)
		if err != nil {
			return nil, err
		}
		return version.Nodes, nil
	}
	refreshCtx, cancel := withShare(ctx, refreshShare)
	defer cancel()
	if version, err := b.refresh(refreshCtx); err == nil {
		return version.Nodes, nil
	}
	return last.Nodes, nil
}

func (b *AddressBook) lastVersion() bookVersion {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}
