// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"hedera_exporter/internal/proxy"
)

const (
	firstBackoff = 250 * time.Millisecond
	// A server that restarts answers again within seconds.
	maxBackoff = 2 * time.Second
	// maxAttempts at a request take some 10 s, which is longer than most
	// scrapes have.
	maxAttempts = 10
)

// retry repeats an attempt while its failure may pass and ctx has time left.
func (c *Client) retry(ctx context.Context, attempt func() error) error {
	var last error
	for n := 1; ; n++ {
		err := attempt()
		if err == nil {
			return nil
		}
		if !retryable(ctx, err) {
			return withPrevious(err, last)
		}
		wait := c.backoff(n, err)
		if n == c.maxAttempts {
			return fmt.Errorf("%w (attempt %d of %d)", err, n, c.maxAttempts)
		}
		if sleepErr := c.clock.sleep(ctx, wait); sleepErr != nil {
			return fmt.Errorf("%w (attempt %d of %d; %w)", err, n, c.maxAttempts, sleepErr)
		}
		last = err
	}
}

func withPrevious(err, previous error) error {
	if previous == nil {
		return err
	}
	return fmt.Errorf("%w (before that: %w)", err, previous)
}

func retryable(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, errNotSent) || permanent(err) {
		return false
	}
	var status *StatusError
	if errors.As(err, &status) {
		switch status.Code {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	var transport *transportError
	return errors.As(err, &transport)
}

// permanent reports errors that the next attempt would end with as well.
func permanent(err error) bool {
	var (
		cert    *tls.CertificateVerificationError
		file    *fileError
		through *proxy.Error
	)
	return errors.As(err, &cert) || errors.As(err, &through) && through.Permanent() || errors.As(err, &file) || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errRedirects)
}

// backoff is what the mirror told to wait or else doubles from attempt to
// attempt, of which the upper half is random.
func (c *Client) backoff(attempt int, err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		return status.RetryAfter
	}
	d := maxBackoff
	if shift := attempt - 1; shift < 16 {
		d = min(firstBackoff<<shift, maxBackoff)
	}
	return d/2 + time.Duration(c.jitter()*float64(d/2))
}

// retryAfter reads a Retry-After header, in seconds or as a date (RFC 9110
// 10.2.3). What it cannot read, or is past, is 0.
func retryAfter(header string, now time.Time) time.Duration {
	const limit = 24 * time.Hour
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, limit)
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(0, date.Sub(now)), limit)
}

// clock is the time as retries and the rate limit see it.
type clock struct {
	now   func() time.Time
	pause func(ctx context.Context, d time.Duration) error
}

var systemClock = clock{now: time.Now, pause: pause}

// sleep returns at once when d would outlive ctx.
func (c clock) sleep(ctx context.Context, d time.Duration) error {
	if err := c.passes(ctx, d); err != nil {
		return err
	}
	return c.pause(ctx, d)
}

// passes is an error if d would outlive ctx.
func (c clock) passes(ctx context.Context, d time.Duration) error {
	deadline, ok := ctx.Deadline()
	if ok && deadline.Sub(c.now()) <= d {
		return fmt.Errorf("waiting %s would pass the deadline: %w", round(d), context.DeadlineExceeded)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func round(d time.Duration) time.Duration {
	return d.Round(time.Millisecond)
}
