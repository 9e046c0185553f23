// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"fmt"
	"time"
)

// clock is the time as retries and the rate limit see it.
type clock struct {
	now   func() time.Time
	pause func(ctx context.Context, d time.Duration) error
}

var systemClock = clock{now: time.Now, pause: pause}

// sleep returns at once when d would outlive ctx.
func (c clock) sleep(ctx context.Context, d time.Duration) error {
	deadline, ok := ctx.Deadline()
	if ok && deadline.Sub(c.now()) <= d {
		return fmt.Errorf("waiting %s would pass the deadline: %w", round(d), context.DeadlineExceeded)
	}
	return c.pause(ctx, d)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func round(d time.Duration) time.Duration {
	return d.Round(time.Millisecond)
}
