// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Page is a part of a list.
type Page[T any] struct {
	Rows []T
	// More is false at the end of the list. The mirror has it true after a full
	// page, even when that is the last one (docs/hedera.md 1.0).
	More bool
	// Dropped is the number of rows that could not be read at all.
	Dropped int
}

// page is one response of a list.
type page[T any] struct {
	rows     []T
	dropped  int // rows that have no readable key
	repeated int // rows that have the key of an earlier one
	next     string
}

// pages asks for the next page when the loop over them gets there. An error,
// of the request or for a bad next link, is the last thing it yields.
func pages[T any](ctx context.Context, c *Client, r request, decode func(*response) (page[T], error)) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		r := r
		seen := map[string]bool{r.query.Encode(): true}
		for n := 1; ; n++ {
			p, err := fetch(ctx, c, r, decode)
			if err != nil {
				yield(Page[T]{}, err)
				return
			}
			if !yield(Page[T]{Rows: p.rows, More: p.next != "", Dropped: p.dropped}, nil) || p.next == "" {
				return
			}
			if r, err = follow(r, p.next, seen); err == nil && n == maxPages {
				err = &LimitError{Input: "pages", Limit: maxPages}
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

// all returns the whole list, or with an error the pages before it.
func all[T any](ctx context.Context, c *Client, r request, decode func(*response) (page[T], error)) ([]T, error) {
	var rows []T
	for p, err := range pages(ctx, c, r, decode) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, p.Rows...)
	}
	return rows, nil
}

// first returns at most limit rows and whether there are more. It asks for one
// row too many, as the mirror's next link does not tell.
func first[T any](ctx context.Context, c *Client, r request, limit int, decode func(*response) (page[T], error)) (rows []T, more bool, err error) {
	for p, err := range pages(ctx, c, r.limit(min(limit+1, maxRepeated)), decode) {
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
func firstPage[T any](ctx context.Context, c *Client, r request, decode func(*response) (page[T], error)) (Page[T], error) {
	p, err := fetch(ctx, c, r.limit(maxRepeated), decode)
	return Page[T]{Rows: p.rows, More: p.next != "", Dropped: p.dropped}, err
}

// one returns the first row of a list, if there is one.
func one[T any](ctx context.Context, c *Client, r request, decode func(*response) (page[T], error)) (row T, ok bool, err error) {
	p, err := fetch(ctx, c, r.limit(1), decode)
	if err != nil || len(p.rows) == 0 {
		return row, false, err
	}
	return p.rows[0], true, nil
}

// Batch is what a mirror knows of the entities that it was asked for.
type Batch[T any] struct {
	// Rows are by id.
	Rows map[string]*T
	// Failed has why an id could not be asked for, or its row not be read. An id
	// that is in neither is not known to the mirror.
	Failed map[string]error
	asked  int
}

func newBatch[T any](ids []string) Batch[T] {
	return Batch[T]{Rows: make(map[string]*T, len(ids)), Failed: map[string]error{}, asked: len(ids)}
}

func (b Batch[T]) fail(ids []string, err error) {
	for _, id := range ids {
		b.Failed[id] = err
	}
}

// Get returns the row of an id and whether the mirror knows it, or why that is
// not known.
func (b Batch[T]) Get(id string) (row T, known bool, err error) {
	if found := b.Rows[id]; found != nil {
		return *found, true, nil
	}
	return row, false, b.Failed[id]
}

// Err says how many of the ids failed, and why the first of them did; nil if
// none did.
func (b Batch[T]) Err() error {
	if len(b.Failed) == 0 {
		return nil
	}
	first := ""
	for id := range b.Failed {
		if first == "" || id < first {
			first = id
		}
	}
	return fmt.Errorf("%d of %d ids failed, such as %s: %w", len(b.Failed), b.asked, first, b.Failed[first])
}

// batches returns the rows of entities: those that r lists when key is given,
// 100 times a request, with an id. A request that fails does not fail the ids
// of others.
func batches[T row](ctx context.Context, c *Client, r request, key string, ids []string, decode func(*response) (page[T], error)) Batch[T] {
	b := newBatch[T](ids)
	var mu sync.Mutex
	b.asked = parts(ctx, c, r, key, ids, decode, func(_ []string, part Batch[T]) {
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(b.Rows, part.Rows)
		maps.Copy(b.Failed, part.Failed)
	})
	return b
}

// parts is batches for very many entities: it calls each with the ids of each
// request and what came of them, several at a time. It returns how many ids there
// were, without those that come twice.
func parts[T row](ctx context.Context, c *Client, r request, key string, ids []string, decode func(*response) (page[T], error), each func(ids []string, part Batch[T])) int {
	if !slices.IsSortedFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(a, b), -1) }) { // or has one twice
		ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	}
	chunks := slices.Collect(slices.Chunk(ids, c.pageSize.get()))
	if !c.queue.nonePutOff() {
		putOff := map[string]int{} // by the first id
		for _, chunk := range chunks {
			putOff[chunk[0]] = c.queue.timesPutOff(r.of(key, chunk))
		}
		slices.SortStableFunc(chunks, func(a, b []string) int { return cmp.Compare(putOff[b[0]], putOff[a[0]]) })
	}
	read := func(chunk []string) {
		part := newBatch[T](chunk)
		if err := safely(func() error { ask(ctx, c, r, key, chunk, decode, part); return nil }); err != nil {
			part.fail(chunk, r.wrap(err))
		}
		each(chunk, part)
	}
	var (
		next atomic.Int64
		wg   sync.WaitGroup
	)
	for range min(len(chunks), 2*cap(c.slots)) { // one waits while another is in flight
		wg.Go(func() {
			for i := next.Add(1); i <= int64(len(chunks)); i = next.Add(1) {
				read(chunks[i-1])
			}
		})
	}
	wg.Wait()
	return len(ids)
}

// of is r for the entities with ids.
func (r request) of(key string, ids []string) request {
	r = r.with(key, ids...).limit(maxRepeated)
	r.expected = len(ids)
	r.detail = fmt.Sprintf("%d %ss", len(ids), strings.TrimSuffix(key, ".id"))
	return r
}

// ask adds to b what the mirror knows of ids. Its answer may have fewer rows
// than there are ids because it does not know them all, or because it gives
// fewer at once; in that case it links to a next page. That link repeats the
// query (docs/hedera.md 1.0), so the ids that are left are asked for anew.
func ask[T row](ctx context.Context, c *Client, r request, key string, ids []string, decode func(*response) (page[T], error), b Batch[T]) {
	r = r.of(key, ids)
	if r.digests != nil {
		r.known = &knownRows{ids: ids, digests: r.digests(ids)}
	}
	p, err := fetch(ctx, c, r, decode)
	size := arrayLimit(err)
	switch {
	case size > 0 && size < len(ids):
		c.pageSize.learn(size)
	case err != nil:
		b.fail(ids, err)
		return
	default:
		asked := len(ids)
		ids = add(b, ids, p.rows)
		if len(ids) == 0 || (p.next == "" && p.dropped == 0) {
			return
		}
		if len(ids) == asked || p.next == "" {
			b.fail(ids, r.wrap(errors.New("unexpected response: it has neither their rows nor its end")))
			return
		}
		size = len(p.rows) + p.dropped + p.repeated
		c.pageSize.learn(size)
	}
	for chunk := range slices.Chunk(ids, size) {
		ask(ctx, c, r, key, chunk, decode, b)
	}
}

// add returns those of ids that no row is for.
func add[T row](b Batch[T], ids []string, rows []T) []string {
	found, next := 0, 0
	for i, row := range rows {
		_, id, _ := row.key()
		if at, asked := find(ids, id, next); asked {
			b.Rows[id] = &rows[i]
			found, next = found+1, at+1
		}
	}
	if found == len(ids) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		_, ok := b.Rows[id]
		return ok
	})
}

// find is [slices.BinarySearch] that first looks where the id is likely to be: rows
// come in nearly the order of what was asked for.
func find(sorted []string, id string, likely int) (i int, ok bool) {
	if likely < len(sorted) && sorted[likely] == id {
		return likely, true
	}
	return slices.BinarySearch(sorted, id)
}

var arrayLimitText = regexp.MustCompile(`^Array limit exceeded\. Only (\d{1,3}) elements allowed`)

// arrayLimit is how many values of one parameter the mirror accepts, if err is
// that there were more; else 0.
func arrayLimit(err error) int {
	var status *StatusError
	if !errors.As(err, &status) || status.Code != http.StatusBadRequest {
		return 0
	}
	match := arrayLimitText.FindStringSubmatch(status.Message)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(match[1])
	return n
}

// pageSize is how many rows the mirror gives at once: 100, unless its operator
// set less. What was learnt is forgotten after a while, as it may have been one
// odd answer.
type pageSize struct {
	clock clock
	mu    sync.Mutex
	size  int
	until time.Time
}

const pageSizeAge = 10 * time.Minute

func (p *pageSize) get() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size == 0 || p.clock.now().After(p.until) {
		return maxRepeated
	}
	return p.size
}

func (p *pageSize) learn(size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size, p.until = size, p.clock.now().Add(pageSizeAge)
}
