// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// cancelGrace is how long the last caller waits for the work that it cancelled,
// for its error and so that nothing is left running.
const cancelGrace = 200 * time.Millisecond

// errLeft is the error of a caller that ended before the work, for which others
// wait on.
var errLeft = errors.New("others wait on")

// shared runs a function once for all callers that call it at the same time. The
// function's context ends when the last caller has left and has the latest of
// their deadlines, so that a short deadline does not cut off the other callers.
type shared[T any] struct {
	group singleflight.Group

	mu      sync.Mutex
	callers map[*sharedCaller]bool
	last    *sharedCaller   // to leave
	ctx     context.Context //nolint:containedctx // it belongs to all callers
	cancel  context.CancelCauseFunc
}

// sharedCaller has the context of a call: its deadline may move.
type sharedCaller struct {
	ctx context.Context //nolint:containedctx // it ends with the call
}

// do returns the result of fn, or of the call in progress, or the error of ctx.
func (s *shared[T]) do(ctx context.Context, fn func(context.Context) (T, error)) (T, error) {
	caller := &sharedCaller{ctx}
	results := s.join(caller, fn) //nolint:contextcheck // the context is the callers' together, not one's own
	select {
	case result := <-results:
		s.leave(caller)
		return unwrap[T](result)
	case <-ctx.Done():
		if last := s.leave(caller); !last {
			var zero T
			return zero, fmt.Errorf("%w: %w", errLeft, ctx.Err())
		}
		return awaitCancelled[T](ctx, results)
	}
}

func (s *shared[T]) join(caller *sharedCaller, fn func(context.Context) (T, error)) <-chan singleflight.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.callers) == 0 {
		base, cancel := context.WithCancelCause(context.WithoutCancel(caller.ctx))
		s.callers = map[*sharedCaller]bool{}
		s.ctx, s.cancel = deadlineContext[T]{Context: base, shared: s}, cancel
	}
	s.callers[caller] = true
	shared := s.ctx
	return s.group.DoChan("", func() (any, error) { return fn(shared) })
}

// leave reports whether the caller was the last one.
func (s *shared[T]) leave(caller *sharedCaller) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.callers, caller)
	if len(s.callers) > 0 {
		return false
	}
	s.last = caller
	s.cancel(caller.ctx.Err())
	s.group.Forget("")
	return true
}

// deadline is the latest of the callers' deadlines now; ok is false if one has
// none.
func (s *shared[T]) deadline() (latest time.Time, ok bool) {
	s.mu.Lock()
	callers := slices.Collect(maps.Keys(s.callers))
	if len(callers) == 0 && s.last != nil {
		callers = append(callers, s.last)
	}
	s.mu.Unlock() // a caller may be another shared call
	for _, caller := range callers {
		deadline, ok := caller.ctx.Deadline()
		if !ok {
			return time.Time{}, false
		}
		if deadline.After(latest) {
			latest = deadline
		}
	}
	return latest, len(callers) > 0
}

func awaitCancelled[T any](ctx context.Context, results <-chan singleflight.Result) (T, error) {
	grace := time.NewTimer(cancelGrace)
	defer grace.Stop()
	select {
	case result := <-results:
		return unwrap[T](result)
	case <-grace.C:
		var zero T
		return zero, ctx.Err()
	}
}

func unwrap[T any](result singleflight.Result) (T, error) {
	value, _ := result.Val.(T)
	return value, result.Err
}

// deadlineContext has the latest of the callers' deadlines, so that retries and
// rate limits can give up early with the error they have.
type deadlineContext[T any] struct {
	context.Context //nolint:containedctx // it is a context itself
	shared          *shared[T]
}

func (c deadlineContext[T]) Deadline() (time.Time, bool) { return c.shared.deadline() }

// withShare bounds ctx to a share of the time that it has left. If the deadline
// of ctx moves because it is shared, so does the one of the share.
func withShare(ctx context.Context, share float64) (context.Context, context.CancelFunc) {
	parent, cancel := context.WithCancel(ctx)
	c := &shareContext{Context: parent, start: time.Now(), share: share, done: make(chan struct{})}
	go c.run()
	return c, cancel
}

// shareContext looks for the deadline anew when it comes. Its done channel is
// its own, so that contexts made of it take its error, not the parent's.
type shareContext struct {
	context.Context //nolint:containedctx // it is a context itself
	start           time.Time
	share           float64
	done            chan struct{}

	mu  sync.Mutex
	err error
}

func (c *shareContext) run() {
	defer close(c.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		expired := timer.C
		if deadline, ok := c.Deadline(); ok {
			timer.Reset(time.Until(deadline))
		} else {
			expired = nil
		}
		select {
		case <-c.Context.Done():
			c.fail(c.Context.Err())
			return
		case <-expired:
			if deadline, ok := c.Deadline(); ok && !time.Now().Before(deadline) {
				c.fail(context.DeadlineExceeded)
				return
			}
		}
	}
}

func (c *shareContext) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// Deadline implements [context.Context].
func (c *shareContext) Deadline() (time.Time, bool) {
	deadline, ok := c.Context.Deadline()
	if !ok {
		return time.Time{}, false
	}
	return c.start.Add(time.Duration(float64(deadline.Sub(c.start)) * c.share)), true
}

// Done implements [context.Context].
func (c *shareContext) Done() <-chan struct{} { return c.done }

// Err implements [context.Context].
func (c *shareContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
