// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// maxPages ends the reading of a list that has no end.
const maxPages = 1000

// Page is a part of a list.
type Page[T any] struct {
	Rows []T
	// More is false at the end of the list. The mirror has it true after a full
	// page, even when that is the last one (FACTS.md 1.0).
	More bool
}

// page is one response of a list.
type page[T any] struct {
	rows []T
	next string
}

type links struct {
	Next *string `json:"next"`
}

// newPage fails when there is no list at all: {} must not pass for a network
// without accounts.
func newPage[T any](name string, rows []T, l links) (page[T], error) {
	if rows == nil {
		return page[T]{}, fmt.Errorf("it has no list of %s", name)
	}
	p := page[T]{rows: rows}
	if l.Next != nil {
		p.next = *l.Next
	}
	return p, nil
}

// pages asks for the next page when the loop over them gets there. An error,
// of the request or for a bad next link, is the last thing it yields.
func pages[T any](ctx context.Context, c *Client, r request, decode func([]byte) (page[T], error)) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		r := r
		seen := map[string]bool{r.query.Encode(): true}
		for n := 1; ; n++ {
			p, err := fetch(ctx, c, r, decode)
			if err != nil {
				yield(Page[T]{}, err)
				return
			}
			if !yield(Page[T]{Rows: p.rows, More: p.next != ""}, nil) || p.next == "" {
				return
			}
			if r, err = follow(r, p.next, seen); err == nil && n == maxPages {
				err = fmt.Errorf("more than %d pages", maxPages)
			}
			if err != nil {
				yield(Page[T]{}, fmt.Errorf("mirror %s: %s: %w", r.base, r, err))
				return
			}
		}
	}
}

// follow returns r for the page that link points to.
func follow(r request, link string, seen map[string]bool) (request, error) {
	query, err := r.base.next(link, r.path)
	if err != nil {
		return r, err
	}
	key := query.Encode()
	if seen[key] {
		return r, errors.New("next link points to a page already seen")
	}
	seen[key] = true
	r.query = query
	return r, nil
}

// all returns the whole list.
func all[T any](ctx context.Context, c *Client, r request, decode func([]byte) (page[T], error)) ([]T, error) {
	var rows []T
	for p, err := range pages(ctx, c, r, decode) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.Rows...)
	}
	return rows, nil
}

// first returns at most limit rows and whether there are more. It asks for one
// row too many, as the mirror's next link does not tell.
func first[T any](ctx context.Context, c *Client, r request, limit int, decode func([]byte) (page[T], error)) (rows []T, more bool, err error) {
	r.query.Set("limit", pageSize(limit+1))
	for p, err := range pages(ctx, c, r, decode) {
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, p.Rows...)
		if len(rows) > limit {
			return rows[:limit], true, nil
		}
	}
	return rows, false, nil
}
