// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// maxRepeated is how often a query may repeat a key, and also the longest page
// that the mirror gives (docs/hedera.md 1.0).
const maxRepeated = 100

// maxPages ends the reading of a list that has no end.
const maxPages = 1000

// Page is a part of a list.
type Page[T any] struct {
	Rows []T
	// More is false at the end of the list. The mirror has it true after a full
	// page, even when that is the last one (docs/hedera.md 1.0).
	More bool
}

// page is one response of a list.
type page[T any] struct {
	rows []T
	next string
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
				yield(Page[T]{}, r.wrap(err))
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
	r = r.with("limit", pageSize(limit+1))
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

// firstPage returns the first page of a list, of 100 rows at most.
func firstPage[T any](ctx context.Context, c *Client, r request, decode func([]byte) (page[T], error)) (Page[T], error) {
	p, err := fetch(ctx, c, r.with("limit", pageSize(maxRepeated)), decode)
	return Page[T]{Rows: p.rows, More: p.next != ""}, err
}

// one returns the first row of a list, if there is one.
func one[T any](ctx context.Context, c *Client, r request, decode func([]byte) (page[T], error)) (row T, ok bool, err error) {
	p, err := fetch(ctx, c, r.with("limit", "1"), decode)
	if err != nil || len(p.rows) == 0 {
		return row, false, err
	}
	return p.rows[0], true, nil
}

// batches returns by their ids the rows of entities: those that r lists when
// key is given, 100 times a request, with an id. Either all batches succeed or
// there is an error.
func batches[T any](ctx context.Context, c *Client, r request, key string, ids []string, decode func([]byte) (page[T], error), id func(T) string) (map[string]T, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	chunks := slices.Collect(slices.Chunk(ids, maxRepeated))
	rows := make([][]T, len(chunks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(c.slots))
	for i, chunk := range chunks {
		g.Go(func() (err error) {
			r := r.with(key, chunk...).with("limit", pageSize(maxRepeated))
			r.detail = fmt.Sprintf("%d %ss", len(chunk), strings.TrimSuffix(key, ".id"))
			rows[i], err = collect(ctx, c, r, len(chunk), decode)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	byID := make(map[string]T, len(ids))
	for _, row := range slices.Concat(rows...) {
		if _, asked := slices.BinarySearch(ids, id(row)); asked {
			byID[id(row)] = row
		}
	}
	return byID, nil
}

// collect returns the rows for a number of ids. A full page always links to a
// next one (docs/hedera.md 1.0), which is left alone once every id has its row.
func collect[T any](ctx context.Context, c *Client, r request, ids int, decode func([]byte) (page[T], error)) ([]T, error) {
	var rows []T
	for p, err := range pages(ctx, c, r, decode) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.Rows...)
		if len(rows) >= ids {
			break
		}
	}
	return rows, nil
}

func pageSize(rows int) string {
	return strconv.Itoa(min(rows, maxRepeated))
}
