// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
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
	if got := c.backoff(2, err); got != 250*time.Millisecond {
		t.Errorf("backoff without jitter is %s, want half of 500ms", got)
	}
	for _, attempt := range []int{10, 16, 17, 64, 1000} {
		if got := c.backoff(attempt, err); got != maxBackoff/2 {
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
	l.pause(other, 24*time.Hour, errors.New("long"))
	l.pause(other, time.Second, errors.New("a shorter one does not cut it short"))
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
			l.pause(other, 3*time.Second, errors.New("429"))
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
	if (got-want).Abs() > time.Millisecond || rec.waited < got || rec.waited > 2*got { // two wait at a time
		t.Errorf("took %s of which %s were observed, want %s", got, rec.waited, want)
	}
}

func TestRateLimitNeverOutlivesTheContext(t *testing.T) {
	srv := newServer(t, serveAccounts(100))
	c, clk, rec := newTestClient(t, srv.URL, func(o *Options) { o.RateLimit, o.MaxConcurrency = 0.5, 1 })
	ctx, cancel := context.WithDeadline(t.Context(), clk.now().Add(time.Second))
	defer cancel()
	err := c.Accounts(ctx, accountIDs(200)).Err()
	// 2s, or 4s if it came while the other one still had its turn.
	wantError(t, err, "not sent, held back by rate_limit 0.5: waiting ", "s would pass the deadline")
	// What was not sent is no failure of the mirror.
	if want := []string{"/api/v1/accounts 200"}; srv.requests.Load() != 1 || !slices.Equal(rec.seen(), want) {
		t.Errorf("%d requests, counted are %q, want %q", srv.requests.Load(), rec.seen(), want)
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

func TestPermanentErrorsAreNotRetried(t *testing.T) {
	tlsServer := httptest.NewUnstartedServer(serveAccounts(100))
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.TLS = &tls.Config{Certificates: []tls.Certificate{expiredCertificate(t)}}
	tlsServer.StartTLS()
	defer tlsServer.Close()
	plain := newServer(t, serveAccounts(100))
	loop := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) })

	tests := []struct{ name, url, want string }{
		{"expired certificate", tlsServer.URL, "certificate has expired"},
		{"HTTP for HTTPS", strings.Replace(plain.URL, "http:", "https:", 1), "server gave HTTP response to HTTPS client"},
		{"redirects", loop.URL, "stopped after 3 redirects"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, clk, rec := newTestClient(t, tt.url, func(o *Options) {
				o.HTTPClient.FollowRedirects = true
				o.HTTPClient.TLSConfig.CA = pemOf(tlsServer.TLS.Certificates[0])
			})
			err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
			wantError(t, err, tt.want)
			if len(rec.seen()) != 1 || len(clk.sleeps()) != 0 {
				t.Errorf("%d attempts, want 1", len(rec.seen()))
			}
		})
	}
	if loop.requests.Load() != 1+maxRedirects {
		t.Errorf("%d requests in the loop, want %d", loop.requests.Load(), 1+maxRedirects)
	}
}

func expiredCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func pemOf(c tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
}

func TestRedirectsWaitForTheRateLimit(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/moved/moved") {
			serveAccounts(100)(w, r)
			return
		}
		http.Redirect(w, r, "/moved"+r.URL.RequestURI(), http.StatusFound)
	})
	c, clk, rec := newTestClient(t, srv.URL, func(o *Options) {
		o.RateLimit = 2
		o.HTTPClient.FollowRedirects = true
	})
	if err := c.Accounts(t.Context(), []string{"0.0.2"}).Err(); err != nil {
		t.Fatal(err)
	}
	if srv.requests.Load() != 3 || rec.waited != time.Second || len(clk.sleeps()) != 2 {
		t.Errorf("%d requests waited %s in %v, want 3 requests and a second", srv.requests.Load(), rec.waited, clk.sleeps())
	}
}

// TestRedirectThatTheRateLimitHoldsBack has no time left for a redirect: that is
// our limit, and no timeout of the mirror's.
func TestRedirectThatTheRateLimitHoldsBack(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/moved"+r.URL.RequestURI(), http.StatusFound)
	})
	c, clk, rec := newTestClient(t, srv.URL, func(o *Options) {
		o.RateLimit = 0.5
		o.HTTPClient.FollowRedirects = true
	})
	ctx, cancel := context.WithDeadline(t.Context(), clk.now().Add(time.Second))
	defer cancel()
	wantError(t, c.Accounts(ctx, []string{"0.0.2"}).Err(), "not sent, held back by rate_limit 0.5: waiting 2s would pass the deadline")
	if want := []string{"/api/v1/accounts 302"}; srv.requests.Load() != 1 || !slices.Equal(rec.seen(), want) {
		t.Errorf("%d requests, counted are %q, want %q", srv.requests.Load(), rec.seen(), want)
	}
}

// TestRestartOfTheMirror has a mirror that is away for a while.
func TestRestartOfTheMirror(t *testing.T) {
	for name, away := range map[string]http.HandlerFunc{"reset": reset, "502": answer(502, htmlPage), "503": answer(503, "")} {
		t.Run(name, func(t *testing.T) {
			var clk *fakeClock
			var start time.Time
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if clk.now().Sub(start) < 1500*time.Millisecond {
					away(w, r)
					return
				}
				serveAccounts(100)(w, r)
			})
			c, fake, _ := newTestClient(t, srv.URL)
			c.jitter = func() float64 { return 0 } // the shortest waits
			clk, start = fake, fake.now()
			if err := c.Accounts(t.Context(), []string{"0.0.2"}).Err(); err != nil {
				t.Fatal(err)
			}
			if took := clk.now().Sub(start); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestPauseIsAsLongAsTold has a mirror that answers 429 to one request.
func TestPauseIsAsLongAsTold(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		paused time.Duration
	}{
		{"not told", answer(429, ""), 0},
		{"told 0", withHeader("Retry-After", "0", answer(429, "")), 0},
		{"told 3", withHeader("Retry-After", "3", answer(429, "")), 3 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t, tt.answer)
			c, _, _ := newTestClient(t, srv.URL)
			c.maxAttempts = 1
			wantError(t, c.Accounts(t.Context(), []string{"0.0.2"}).Err(), "429")
			if d, _ := c.limiter.paused(other); max(d, 0) != tt.paused {
				t.Errorf("all requests are paused for %s, want %s", d, tt.paused)
			}
		})
	}
}

// TestCancellationByTheDeadlineIsATimeout has a caller that cancels its requests
// because of its deadline, as it does who waits for others with them.
func TestCancellationByTheDeadlineIsATimeout(t *testing.T) {
	tests := []struct {
		name   string
		cancel func(deadline context.Context, cancel context.CancelCauseFunc)
		code   string
		is     error
	}{
		{"deadline", func(context.Context, context.CancelCauseFunc) {}, "timeout", context.DeadlineExceeded},
		{"cancel after the deadline", func(d context.Context, cancel context.CancelCauseFunc) { <-d.Done(); cancel(nil) }, "timeout", context.DeadlineExceeded},
		{"cancel because of a deadline", func(_ context.Context, cancel context.CancelCauseFunc) { cancel(context.DeadlineExceeded) }, "timeout", context.DeadlineExceeded},
		{"cancel", func(_ context.Context, cancel context.CancelCauseFunc) { cancel(nil) }, "canceled", context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				asked := make(chan struct{})
				srv := newMemoryServer(t, memory, func(w http.ResponseWriter, r *http.Request) {
					close(asked)
					hang(w, r)
				})
				c, _, rec := newTestClient(t, srv.URL, func(o *Options) { o.DialContext = memory.DialContext })
				deadline, cancelDeadline := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancelDeadline()
				ctx, cancel := context.WithCancelCause(onlyDeadline{deadline})
				defer cancel(nil)
				if tt.name == "deadline" {
					ctx = deadline
				}
				go func() {
					<-asked
					tt.cancel(deadline, cancel)
				}()
				err := c.Accounts(ctx, []string{"0.0.2"}).Err()
				if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.is.Error()) {
					t.Errorf("got %v, want %v", err, tt.is)
				}
				if want := []string{"/api/v1/accounts " + tt.code}; !slices.Equal(rec.seen(), want) {
					t.Errorf("observed %q, want %q", rec.seen(), want)
				}
			})
		})
	}
}

// onlyDeadline has the deadline of a context and does not end by itself.
type onlyDeadline struct{ context.Context }

func (onlyDeadline) Done() <-chan struct{} { return nil }
func (onlyDeadline) Err() error            { return nil }

// TestBreaker has a mirror whose accounts hang, until they do not.
func TestBreaker(t *testing.T) { memnet.Test(t, testBreaker) }

func testBreaker(t *testing.T, memory *memnet.Network) {
	var healthy atomic.Bool
	arrivals := make(chan time.Time, 100)
	srv := newMemoryServer(t, memory, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/accounts") && !healthy.Load() {
			arrivals <- time.Now()
			hang(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/balances") {
			answer(200, `{"balances":[]}`)(w, r)
			return
		}
		serveAccounts(100)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL, func(o *Options) { o.DialContext = memory.DialContext })
	c.timeout = time.Second
	c.maxAttempts = 1
	for range breakAfter {
		wantError(t, c.Accounts(t.Context(), accountIDs(1)).Err(), "no answer within 1s")
	}
	for range breakAfter {
		<-arrivals
	}
	wantError(t, c.Accounts(t.Context(), accountIDs(400)).Err(), "no answer within 1s")
	if n := len(arrivals); n == 0 || n > 4 {
		t.Errorf("%d requests for 4 parts", n)
	}
	// The server notices that a client has given up some time after the client
	// has sent the next request: what counts is when they were sent.
	for previous := (time.Time{}); len(arrivals) > 0; {
		at := <-arrivals
		if at.Sub(previous) < c.timeout {
			t.Errorf("a route that has timed out got a request %s after another", at.Sub(previous))
		}
		previous = at
	}
	if err := c.Balances(t.Context(), accountIDs(1)).Err(); err != nil {
		t.Errorf("another route: %v", err)
	}

	// Who waits for a trial gives up at its own deadline.
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	leave, err := c.breaker.enter(t.Context(), "/api/v1/accounts")
	if err != nil {
		t.Fatal(err)
	}
	before := srv.requests.Load()
	wantError(t, c.Accounts(ctx, accountIDs(1)).Err(), "not sent, as /api/v1/accounts has timed out and gets one request at a time: no answer before the deadline")
	if srv.requests.Load() != before {
		t.Error("a request was sent while another was on trial")
	}
	leave("")

	healthy.Store(true)
	c.timeout = 10 * time.Second
	if err := c.Accounts(t.Context(), accountIDs(400)).Err(); err != nil {
		t.Fatal(err)
	}
	if _, broken := c.breaker.route("/api/v1/accounts"); broken {
		t.Error("the route stays broken")
	}
}

func TestBreakerCountsTimeoutsInARow(t *testing.T) {
	tests := []struct {
		codes  []string
		broken bool
	}{
		{nil, false},
		{[]string{"timeout"}, false},
		{[]string{"timeout", "timeout"}, true},
		{[]string{"timeout", "504"}, true},
		{[]string{"timeout", "200", "timeout"}, false},
		{[]string{"timeout", "503", "timeout"}, false},
		{[]string{"timeout", "error", "canceled", "", "timeout"}, true},
		{[]string{"timeout", "timeout", "timeout", "404"}, false},
	}
	for _, tt := range tests {
		var b breaker
		for _, code := range tt.codes {
			leave, err := b.enter(t.Context(), "/x")
			if err != nil {
				t.Fatal(err)
			}
			leave(code)
		}
		if _, broken := b.route("/x"); broken != tt.broken {
			t.Errorf("after %q it is broken: %t", tt.codes, broken)
		}
	}
}
