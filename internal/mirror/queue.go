// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"
)

// class orders the requests that wait: one of a higher class goes first.
type class int

const (
	other class = iota // look-ups for one entity, and what changes rarely
	tokens
	transactions // of the watched accounts
	blocks
	balances // of accounts and contracts, in hbar
	call     // of the EVM, one in a scrape
	health   // the latest block, which shows that the mirror is up
)

const (
	// Each fairTurn-th turn is for the request that was put off most often, or
	// else came first, of whatever class: no class waits for ever.
	fairTurn = 8
	// maxPutOff is how many requests are remembered that had no turn. It is more
	// than one scrape of a million accounts has.
	maxPutOff = 100_000
)

// queue gives one request after another its turn: to the highest class first;
// within a class to those that were put off most often, as they had no turn
// before their deadline, so that what one scrape does not reach comes first in
// the next one; then to those that came first.
type queue struct {
	seed maphash.Seed

	mu      sync.Mutex
	taken   bool
	turns   int
	waiting []*waiter      // in the order that they came
	putOff  map[uint64]int // how often, by key
	held    time.Duration  // how long turns have waited for the rate limit
}

type waiter struct {
	class  class
	putOff int
	turn   chan struct{} // closed when it has it
	held   time.Duration // of the queue, when the waiter came
}

func (w *waiter) before(v *waiter) bool {
	if w.class != v.class {
		return w.class > v.class
	}
	return w.putOff > v.putOff
}

func newQueue() *queue { return &queue{seed: maphash.MakeSeed(), putOff: map[uint64]int{}} }

// enter returns when it is the request's turn, which ends with leave. Fits says
// whether there is time for a request that has so many before it. Waited is told
// how long others were held back by the rate limit meanwhile.
func (q *queue) enter(ctx context.Context, r request, fits func(before int) error, waited func(time.Duration)) error {
	w := &waiter{class: r.class, turn: make(chan struct{})}
	if err := q.add(w, r, fits); err != nil {
		return err
	}
	defer func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if held := q.held - w.held; held > 0 {
			waited(held)
		}
	}()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	} else {
		q.taken = false // it got its turn at that moment
		q.next()
	}
	return fmt.Errorf("%w, waited for earlier requests to end: %w", errNotSent, ended(ctx))
}

func (q *queue) add(w *waiter, r request, fits func(before int) error) error {
	putOff := q.timesPutOff(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	w.putOff, w.held = putOff, q.held
	before := 0
	if q.taken {
		before++
	}
	for _, earlier := range q.waiting {
		if !w.before(earlier) {
			before++
		}
	}
	if err := fits(before); err != nil {
		return err
	}
	q.waiting = append(q.waiting, w)
	q.next()
	return nil
}

// leave ends a turn, which waited for the rate limit so long.
func (q *queue) leave(held time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held += held
	q.taken = false
	q.next()
}

func (q *queue) next() {
	if q.taken || len(q.waiting) == 0 {
		return
	}
	q.turns++
	before := (*waiter).before
	if q.turns%fairTurn == 0 {
		before = func(w, v *waiter) bool { return w.putOff > v.putOff }
	}
	first := 0
	for i, w := range q.waiting {
		if before(w, q.waiting[first]) {
			first = i
		}
	}
	q.taken = true
	close(q.waiting[first].turn)
	q.waiting = slices.Delete(q.waiting, first, first+1)
}

// key distinguishes what is asked for, but not since when.
func (q *queue) key(r request) uint64 {
	query := maps.Clone(r.query)
	delete(query, "timestamp")
	delete(query, "block.number")
	key := r.path + "?" + query.Encode()
	if r.body != nil {
		key = r.method() + " " + key + string(r.body.content)
	}
	return maphash.String(q.seed, key)
}

// timesPutOff is how often in a row the request had no turn.
func (q *queue) timesPutOff(r request) int {
	if q.nonePutOff() {
		return 0
	}
	key := q.key(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.putOff[key]
}

// nonePutOff is true nearly always, and saves making keys.
func (q *queue) nonePutOff() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.putOff) == 0
}

// remember whether the request was sent or had no turn.
func (q *queue) remember(r request, sent bool) {
	if sent && q.nonePutOff() {
		return
	}
	key := q.key(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	if sent {
		delete(q.putOff, key)
		return
	}
	if len(q.putOff) >= maxPutOff {
		clear(q.putOff)
	}
	q.putOff[key]++
}

// turn returns when the request may be sent: in its turn, with a slot among
// those in flight, as fast as the rate limit allows, and not while the mirror
// wants a pause. Done has to be called when it has been answered.
func (c *Client) turn(ctx context.Context, r request) (done func(), err error) {
	fits := func(before int) error { return c.limiter.fits(ctx, before) }
	for {
		if err := c.limiter.waitPause(ctx, r.class); err != nil {
			return nil, err
		}
		if err := c.queue.enter(ctx, r, fits, c.limiter.waited); err != nil {
			return nil, err
		}
		held, err := c.take(ctx)
		c.queue.leave(held)
		if err != nil {
			return nil, err
		}
		if d, _ := c.limiter.paused(r.class); d <= 0 {
			return func() { <-c.slots }, nil
		}
		<-c.slots
	}
}

// take takes a slot among the requests in flight and waits for the rate limit,
// which held it back so long.
func (c *Client) take(ctx context.Context) (held time.Duration, err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, fmt.Errorf("%w, waited for earlier requests to end: %w", errNotSent, ended(ctx))
	}
	start := c.clock.now()
	if err := c.limiter.waitToken(ctx); err != nil {
		<-c.slots
		return c.clock.now().Sub(start), err
	}
	return c.clock.now().Sub(start), nil
}
