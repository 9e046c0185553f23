// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
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
}

func newLimiter(perSecond float64, burst int, waited func(time.Duration)) *limiter {
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &limiter{bucket: rate.NewLimiter(limit, burst), clock: systemClock, waited: waited}
}

// wait returns when a request may be sent.
func (l *limiter) wait(ctx context.Context) error {
	if err := l.waitPause(ctx); err != nil {
		return err
	}
	if err := l.waitToken(ctx); err != nil {
		return err
	}
	return l.waitPause(ctx)
}

func (l *limiter) waitPause(ctx context.Context) error {
	for {
		d, cause := l.paused()
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
	if err := l.sleep(ctx, d); err != nil {
		r.CancelAt(l.clock.now())
		return fmt.Errorf("%w, held back by rate_limit %g: %w", errNotSent, float64(l.bucket.Limit()), err)
	}
	return nil
}

func (l *limiter) sleep(ctx context.Context, d time.Duration) error {
	start := l.clock.now()
	err := l.clock.sleep(ctx, d)
	l.waited(l.clock.now().Sub(start))
	return err
}

// pause holds back all requests for d because of an answer.
func (l *limiter) pause(d time.Duration, cause error) {
	until := l.clock.now().Add(min(d, maxPause))
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.until, l.cause = until, cause
	}
}

func (l *limiter) paused() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until.Sub(l.clock.now()), l.cause
}
