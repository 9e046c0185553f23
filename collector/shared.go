// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
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

	mu       sync.Mutex
	callers  int
	deadline time.Time
	ctx      context.Context //nolint:containedctx // it belongs to all callers
	cancel   context.CancelFunc
}

// do returns the result of fn, or of the call in progress, or the error of ctx.
func (s *shared[T]) do(ctx context.Context, fn func(context.Context) (T, error)) (T, error) {
	results := s.join(ctx, fn)
	select {
	case result := <-results:
		s.leave()
		return unwrap[T](result)
	case <-ctx.Done():
		if last := s.leave(); !last {
			var zero T
			return zero, fmt.Errorf("%w: %w", errLeft, ctx.Err())
		}
		return awaitCancelled[T](ctx, results)
	}
}

//nolint:contextcheck // the context is the callers' together, not one's own
func (s *shared[T]) join(ctx context.Context, fn func(context.Context) (T, error)) <-chan singleflight.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.callers == 0 {
		base, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // the last caller calls it
		s.ctx, s.cancel, s.deadline = deadlineContext[T]{Context: base, shared: s}, cancel, time.Time{}
	}
	s.callers++
	if deadline, ok := ctx.Deadline(); ok && deadline.After(s.deadline) {
		s.deadline = deadline
	}
	shared := s.ctx
	return s.group.DoChan("", func() (any, error) { return fn(shared) })
}

// leave reports whether the caller was the last one.
func (s *shared[T]) leave() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers--
	if s.callers > 0 {
		return false
	}
	s.cancel()
	s.group.Forget("")
	return true
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

func (c deadlineContext[T]) Deadline() (time.Time, bool) {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	return c.shared.deadline, !c.shared.deadline.IsZero()
}
