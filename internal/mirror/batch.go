// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// maxRepeated is how often a query may repeat a key, and also the longest page
// that the mirror gives (FACTS.md 1.0).
const maxRepeated = 100

func pageSize(rows int) string {
	return strconv.Itoa(min(rows, maxRepeated))
}

// batches returns, in the order of ids, the rows that newRequest leads to for
// every 100 of them. Either all batches succeed or there is an error.
func batches[T any](ctx context.Context, c *Client, ids []string, newRequest func([]string) request, decode func([]byte) (page[T], error), id func(T) string) ([]T, error) {
	ids = unique(ids)
	chunks := slices.Collect(slices.Chunk(ids, maxRepeated))
	rows := make([][]T, len(chunks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(c.slots))
	for i, chunk := range chunks {
		g.Go(func() (err error) {
			rows[i], err = collect(ctx, c, newRequest(chunk), len(chunk), decode)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return inOrder(ids, slices.Concat(rows...), id), nil
}

// collect returns the rows for a number of ids. A full page always links to a
// next one (FACTS.md 1.0), which is left alone once every id has its row.
func collect[T any](ctx context.Context, c *Client, r request, ids int, decode func([]byte) (page[T], error)) ([]T, error) {
	r.query.Set("limit", pageSize(maxRepeated))
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

func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// inOrder returns for each id its row, if there is one.
func inOrder[T any](ids []string, rows []T, id func(T) string) []T {
	index := make(map[string]int, len(rows))
	for i, row := range rows {
		index[id(row)] = i
	}
	out := make([]T, 0, len(rows))
	for _, id := range ids {
		if i, ok := index[id]; ok {
			out = append(out, rows[i])
		}
	}
	return out
}
