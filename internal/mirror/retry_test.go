// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// failFirst lets h answer the first n requests.
func failFirst(n int64, h http.HandlerFunc) http.HandlerFunc {
	var count atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) <= n {
			h(w, r)
			return
		}
		serveAccounts(100)(w, r)
	}
}

func TestRecovers(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		slept   []time.Duration
	}{
		{"503 doubles", answer(503, ""), []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
		{"reset", reset, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
		{"truncated", truncated, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
		{"429", answer(429, ""), []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
		{"429 with Retry-After", withHeader("Retry-After", "7", answer(429, "")), []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}},
		{"503 with Retry-After", withHeader("Retry-After", "7", answer(503, "")), []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}},
		{"Retry-After shorter than the backoff", withHeader("Retry-After", "0", answer(503, "")), []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
		{"Retry-After unreadable", withHeader("Retry-After", "soon", answer(503, "")), []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t, failFirst(3, tt.handler))
			c, clk, _ := newTestClient(t, srv.URL)
			if rows := wantRows(t, c.Accounts(t.Context(), []string{"0.0.2"})); len(rows) != 1 {
				t.Fatalf("got %v", rows)
			}
			if !slices.Equal(clk.sleeps(), tt.slept) {
				t.Errorf("slept %v, want %v", clk.sleeps(), tt.slept)
			}
		})
	}
}

func TestBackoffJitterAndBound(t *testing.T) {
	c, _, _ := newTestClient(t, "http://localhost")
	c.jitter = func() float64 { return 0 }
	err := errors.New("x")
	if got, _ := c.backoff(2, err); got != 250*time.Millisecond {
		t.Errorf("backoff without jitter is %s, want half of 500ms", got)
	}
	for _, attempt := range []int{10, 16, 17, 64, 1000} {
		if got, told := c.backoff(attempt, err); told || got != maxBackoff/2 {
			t.Errorf("backoff of attempt %d is %s, want %s", attempt, got, maxBackoff/2)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"120", 2 * time.Minute},
		{"-5", 0},
		{"1.5", 0},
		{"4294967295", 24 * time.Hour},
		{"99999999999999999999", 0},
		{now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{now.AddDate(900, 0, 0).Format(http.TimeFormat), 24 * time.Hour},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.header, now); got != tt.want {
			t.Errorf("retryAfter(%q) = %s, want %s", tt.header, got, tt.want)
		}
	}
}

func TestRetryNeverOutlivesTheContext(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		last    string
	}{
		{"503", withHeader("Retry-After", "7200", answer(503, "")), "503 Service Unavailable"},
		{"429", withHeader("Retry-After", "7200", answer(429, "")), "429 Too Many Requests"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t, tt.handler)
			c, clk, _ := newTestClient(t, srv.URL)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			err := c.Accounts(ctx, []string{"0.0.2"}).Err()
			wantError(t, err, tt.last, "attempt 1 of 10; waiting 2h0m0s would pass the deadline")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is not context.DeadlineExceeded", err)
			}
			if srv.requests.Load() != 1 || len(clk.sleeps()) != 0 {
				t.Errorf("%d requests and waits %v, want 1 and none", srv.requests.Load(), clk.sleeps())
			}
		})
	}
}

func TestCanceledWhileWaiting(t *testing.T) {
	srv := newServer(t, answer(503, "down"))
	c, _, _ := newTestClient(t, srv.URL)
	ctx, cancel := context.WithCancel(t.Context())
	c.clock.pause = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	}
	err := c.Accounts(ctx, []string{"0.0.2"}).Err()
	wantError(t, err, "503 Service Unavailable: down", "context canceled")
	var status *StatusError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &status) {
		t.Errorf("%v should be both", err)
	}
}

func TestErrorTellsOfThePreviousOne(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Swap(false) {
			answer(503, "down")(w, r)
			return
		}
		answer(200, accountsBody("", accountIDs(101)...))(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "more than 100 accounts, which is what was asked for", "(before that: 503 Service Unavailable: down)")
}

func TestTooManyRequestsHoldsBackOthers(t *testing.T) {
	srv := newServer(t, failFirst(1, withHeader("Retry-After", "7", answer(429, ""))))
	c, clk, rec := newTestClient(t, srv.URL)
	c.maxAttempts = 1
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "429")
	c.maxAttempts = maxAttempts
	if len(clk.sleeps()) != 0 {
		t.Fatalf("slept %v after the last attempt", clk.sleeps())
	}

	clk.advance(time.Second)
	ctx, cancel := context.WithDeadline(t.Context(), clk.now().Add(5*time.Second))
	defer cancel()
	err = c.Accounts(ctx, []string{"0.0.3"}).Err()
	wantError(t, err, "not sent (waiting 6s would pass the deadline", "answered 429 Too Many Requests; lower rate_limit")
	if srv.requests.Load() != 1 {
		t.Errorf("a request was sent while the mirror asked to wait")
	}
	if len(clk.sleeps()) != 0 {
		t.Errorf("slept %v for a request that was not sent", clk.sleeps())
	}

	clk.advance(time.Second)
	if err := c.Accounts(t.Context(), []string{"0.0.3"}).Err(); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{5 * time.Second}; !slices.Equal(clk.sleeps(), want) || rec.waited != want[0] {
		t.Errorf("slept %v and observed %s, want %v of both", clk.sleeps(), rec.waited, want)
	}
}

func TestPauseIsBounded(t *testing.T) {
	l := newLimiter(0, func(time.Duration) {})
	clk := &fakeClock{t: time.Now()}
	l.clock = clock{now: clk.now, pause: clk.pause}
	l.pause(24*time.Hour, errors.New("long"))
	l.pause(time.Second, errors.New("a shorter one does not cut it short"))
	if err := l.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{maxPause}; !slices.Equal(clk.sleeps(), want) {
		t.Errorf("slept %v, want %v", clk.sleeps(), want)
	}
}

func TestPauseDuringAWaitForTheRateLimit(t *testing.T) {
	l := newLimiter(1, func(time.Duration) {})
	clk := &fakeClock{t: time.Now()}
	l.clock = clock{now: clk.now, pause: func(ctx context.Context, d time.Duration) error {
		err := clk.pause(ctx, d)
		if len(clk.sleeps()) == 1 {
			l.pause(3*time.Second, errors.New("429"))
		}
		return err
	}}
	for range 2 {
		if err := l.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []time.Duration{time.Second, 3 * time.Second}; !slices.Equal(clk.sleeps(), want) {
		t.Errorf("slept %v, want %v", clk.sleeps(), want)
	}
}

func TestRateLimitIsSharedByCallers(t *testing.T) {
	srv := newServer(t, serveAccounts(100))
	c, clk, rec := newTestClient(t, srv.URL, func(o *Options) {
		o.RateLimit, o.MaxConcurrency = 5, 1
	})
	c.limiter.bucket.SetBurst(1)
	start := clk.now()
	for range 2 {
		if err := c.Accounts(t.Context(), accountIDs(5_000)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if srv.requests.Load() != 100 {
		t.Fatalf("%d requests, want 100", srv.requests.Load())
	}
	// The first of 100 requests goes at once.
	got, want := clk.now().Sub(start), 99*time.Second/5
	if (got-want).Abs() > time.Millisecond || rec.waited != got {
		t.Errorf("took %s of which %s were observed, want %s", got, rec.waited, want)
	}
}

func TestRateLimitNeverOutlivesTheContext(t *testing.T) {
	srv := newServer(t, serveAccounts(100))
	c, clk, _ := newTestClient(t, srv.URL, func(o *Options) { o.RateLimit, o.MaxConcurrency = 0.5, 1 })
	ctx, cancel := context.WithDeadline(t.Context(), clk.now().Add(time.Second))
	defer cancel()
	err := c.Accounts(ctx, accountIDs(200)).Err()
	wantError(t, err, "not sent, held back by rate_limit 0.5: waiting 2s would pass the deadline")
	if srv.requests.Load() != 1 {
		t.Errorf("%d requests, want 1", srv.requests.Load())
	}
	// The token was given back.
	if err := c.Accounts(t.Context(), accountIDs(1)).Err(); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{2 * time.Second}; !slices.Equal(clk.sleeps(), want) {
		t.Errorf("slept %v, want %v", clk.sleeps(), want)
	}
}

func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	started := make(chan struct{})
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		hang(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL, func(o *Options) { o.MaxConcurrency = 1 })
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Accounts(first, []string{"0.0.2"})
	}()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.Accounts(ctx, []string{"0.0.3"}).Err()
	wantError(t, err, "not sent, waited for earlier requests to end: context canceled")
	cancelFirst()
	<-done
}
