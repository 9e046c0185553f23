// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxPause bounds how long one answer can silence the client, whatever its
// Retry-After says.
const maxPause = 5 * time.Minute

// errNotSent is in what a request fails with before it got its turn.
var errNotSent = errors.New("not sent")

// limiter spaces out the requests of all callers, and holds them all back
// after the mirror answered 429.
type limiter struct {
	bucket *rate.Limiter
	clock  clock
	waited func(time.Duration)

	mu    sync.Mutex
	until time.Time
	cause error
	// health asks for what it asks for whatever others were answered, so it has
	// a pause of its own.
	healthUntil time.Time
	usual       time.Duration // from a request to its answer
}

// newLimiter lets as many requests through at once as a quarter of a second
// has, so that the first second stays near the limit.
func newLimiter(perSecond float64, waited func(time.Duration)) *limiter {
	limit, burst := rate.Inf, max(1, int(math.Ceil(perSecond/4)))
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &limiter{bucket: rate.NewLimiter(limit, burst), clock: systemClock, waited: waited}
}

// wait returns when a redirect may be followed.
func (l *limiter) wait(ctx context.Context) error {
	if err := l.waitPause(ctx, other); err != nil {
		return err
	}
	if err := l.waitToken(ctx); err != nil {
		return err
	}
	return l.waitPause(ctx, other)
}

// fits is an error if a request that has so many before it would get its turn
// too late for its answer. Those before it may become more.
func (l *limiter) fits(ctx context.Context, before int) error {
	limit, now := l.bucket.Limit(), l.clock.now()
	if limit == rate.Inf {
		return nil
	}
	d := time.Duration((float64(before+1) - l.bucket.TokensAt(now)) / float64(limit) * float64(time.Second))
	return l.heldBack(l.inTime(ctx, d))
}

// inTime is an error if a request that has to wait for d would have its answer
// after its deadline. One that need not wait is sent in any case.
func (l *limiter) inTime(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	l.mu.Lock()
	usual := l.usual
	l.mu.Unlock()
	return l.clock.passes(ctx, d+2*usual) // half of the answers take longer
}

// answered tells how long an answer took.
func (l *limiter) answered(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usual += (d - l.usual) / 8
}

func (l *limiter) heldBack(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w, held back by rate_limit %g: %w", errNotSent, float64(l.bucket.Limit()), err)
}

func (l *limiter) waitPause(ctx context.Context, class class) error {
	for {
		d, cause := l.paused(class)
		if d <= 0 {
			return nil
		}
		if err := l.sleep(ctx, d); err != nil {
			return fmt.Errorf("%w (%w), as an earlier request was answered %w", errNotSent, err, cause)
		}
	}
}

func (l *limiter) waitToken(ctx context.Context) error {
	now := l.clock.now()
	r := l.bucket.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d <= 0 {
		return nil
	}
	err := l.inTime(ctx, d)
	if err == nil {
		err = l.sleep(ctx, d)
	}
	if err != nil {
		r.CancelAt(l.clock.now())
		return l.heldBack(err)
	}
	return nil
}

func (l *limiter) sleep(ctx context.Context, d time.Duration) error {
	start := l.clock.now()
	err := l.clock.sleep(ctx, d)
	l.waited(l.clock.now().Sub(start))
	return err
}

// pause holds back all requests for d because of an answer to one of class.
func (l *limiter) pause(class class, d time.Duration, cause error) {
	until := l.clock.now().Add(min(d, maxPause))
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.until, l.cause = until, cause
	}
	if class == health && until.After(l.healthUntil) {
		l.healthUntil = until
	}
}

func (l *limiter) paused(class class) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if class == health {
		return l.healthUntil.Sub(l.clock.now()), l.cause
	}
	return l.until.Sub(l.clock.now()), l.cause
}

// breakAfter is how many requests to a route have to time out in a row until
// it gets one at a time.
const breakAfter = 2

// breaker spares a route that times out: what we give up goes on at the mirror
// for up to 20 s (docs/hedera.md 1.0). One request at a time goes there until one is
// answered.
type breaker struct {
	mu     sync.Mutex
	routes map[string]*breakerRoute
}

type breakerRoute struct {
	timeouts int
	trial    chan struct{} // has an element while a request is on trial
}

// enter returns when a request may go to a route. Leave has to be called with
// its code for [Observer.Request], empty if it was not sent.
func (b *breaker) enter(ctx context.Context, route string) (leave func(code string), err error) {
	r, broken := b.route(route)
	if !broken {
		return func(code string) { b.leave(r, code) }, nil
	}
	select {
	case r.trial <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w, as %s has timed out and gets one request at a time: %w", errNotSent, route, ended(ctx))
	}
	if _, broken := b.route(route); !broken {
		<-r.trial
		return func(code string) { b.leave(r, code) }, nil
	}
	return func(code string) {
		b.leave(r, code)
		<-r.trial
	}, nil
}

func (b *breaker) route(name string) (r *breakerRoute, broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r = b.routes[name]
	if r == nil {
		r = &breakerRoute{trial: make(chan struct{}, 1)}
		if b.routes == nil {
			b.routes = map[string]*breakerRoute{}
		}
		b.routes[name] = r
	}
	return r, r.timeouts >= breakAfter
}

func (b *breaker) leave(r *breakerRoute, code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch code {
	case codeTimeout, "504":
		r.timeouts++
	case "", "error", "canceled":
	default:
		r.timeouts = 0
	}
}
