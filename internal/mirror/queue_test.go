// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hedera_exporter/internal/memnet"
)

// smallMirror answers every route, and remembers what it was asked for.
type smallMirror struct {
	*testServer
	client *Client

	mu    sync.Mutex
	asked []string
	gate  chan struct{}    // nil: answers do not wait
	delay time.Duration    // of answers
	first http.HandlerFunc // answers accounts, unless nil
}

// newSmallMirror has a client that lives by the bubble's clock.
func newSmallMirror(t *testing.T, memory *memnet.Network, perSecond float64, inFlight int) *smallMirror {
	t.Helper()
	m := &smallMirror{}
	m.testServer = newMemoryServer(t, memory, m.serve)
	m.client, _, _ = newTestClient(t, m.URL, func(o *Options) {
		o.RateLimit, o.MaxConcurrency, o.DialContext = perSecond, inFlight, memory.DialContext
	})
	m.client.clock, m.client.limiter.clock, m.client.pageSize.clock = systemClock, systemClock, systemClock
	return m
}

func (m *smallMirror) serve(w http.ResponseWriter, r *http.Request) {
	route := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	m.mu.Lock()
	m.asked = append(m.asked, route)
	gate, delay, first := m.gate, m.delay, m.first
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
	time.Sleep(delay)
	kind, _, _ := strings.Cut(route, "/")
	body := map[string]string{
		"blocks":       `{"blocks":[{"number":7,"timestamp":{"from":"1.0","to":"2.0"}}]}`,
		"transactions": `{"transactions":[]}`,
		"topics":       `{"messages":[]}`,
		"tokens":       fmt.Sprintf(`{"token_id":%q}`, path.Base(route)),
	}[kind]
	switch {
	case kind == "accounts" && first != nil:
		first(w, r)
	case kind == "accounts":
		serveAccounts(101)(w, r)
	default:
		_, _ = io.WriteString(w, body)
	}
}

func (m *smallMirror) routes() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

func topic(ctx context.Context, c *Client, id string) error {
	_, _, err := c.LatestTopicMessage(ctx, id)
	return err
}

// TestUrgentRequestsGoFirst has requests of all classes come in the wrong order
// while another one is in flight.
func TestUrgentRequestsGoFirst(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, 0, 1)
		m.gate = make(chan struct{})
		c := m.client
		ctx := t.Context()
		var callers sync.WaitGroup
		for _, ask := range []func() error{
			func() error { return topic(ctx, c, "0.0.1") }, // in flight
			func() error { return topic(ctx, c, "0.0.2") }, // next, as nothing else waits
			func() error { return topic(ctx, c, "0.0.3") },
			func() error { return topic(ctx, c, "0.0.4") },
			func() error { _, err := c.Token(ctx, "0.0.5"); return err },
			func() error { _, err := c.Transactions(ctx, []string{"0.0.6"}, 0); return err },
			func() error {
				for _, err := range c.Blocks(ctx, 6) {
					return err
				}
				return nil
			},
			func() error { return c.Accounts(ctx, []string{"0.0.7"}).Err() },
			func() error { _, err := c.LatestBlock(ctx); return err },
		} {
			callers.Go(func() {
				if err := ask(); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(m.gate)
		callers.Wait()
		want := []string{
			"topics/0.0.1/messages", "topics/0.0.2/messages",
			"blocks", "accounts", "blocks", "transactions", "tokens/0.0.5",
			"topics/0.0.3/messages", "topics/0.0.4/messages",
		}
		if got := m.routes(); !slices.Equal(got, want) {
			t.Errorf("asked for %q, want %q", got, want)
		}
	})
}

// TestNoClassWaitsForEver has more balances than the rate limit lets through.
func TestNoClassWaitsForEver(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, 10, 4)
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() { _ = m.client.Accounts(ctx, accountIDs(20_000)) })
		synctest.Wait()
		if err := topic(ctx, m.client, "0.0.1"); err != nil {
			t.Error(err)
		}
		if asked := len(m.routes()); asked > 2*fairTurn {
			t.Errorf("%d requests went before", asked)
		}
		callers.Wait()
	})
}

// TestWhatHadNoTurnComesFirstInTheNextScrape has 100 topics and 2,000 accounts
// and time for 40 requests, half of them the accounts'.
func TestWhatHadNoTurnComesFirstInTheNextScrape(t *testing.T) {
	const perSecond, scrapeTime, topics, accounts, rounds = 20, 2 * time.Second, 100, 2_000, 6
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, perSecond, 4)
		read := map[string]bool{}
		for round := range rounds {
			ctx, cancel := context.WithTimeout(t.Context(), scrapeTime)
			var mu sync.Mutex
			var callers sync.WaitGroup
			callers.Go(func() {
				batch := m.client.Accounts(ctx, accountIDs(accounts))
				mu.Lock()
				defer mu.Unlock()
				for id := range batch.Rows {
					read[id] = true
				}
				if len(batch.Rows)+len(batch.Failed) != accounts {
					t.Errorf("%d accounts read and %d failed of %d", len(batch.Rows), len(batch.Failed), accounts)
				}
			})
			for i := range topics {
				callers.Go(func() {
					id := fmt.Sprintf("0.0.%d", 1+i)
					err := topic(ctx, m.client, id)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						read[id] = true
					} else if !errors.Is(err, errNotSent) {
						t.Errorf("round %d: topic %s: %v", round, id, err)
					}
				})
			}
			callers.Wait()
			t.Logf("after %s: %d requests, %d of %d entities read so far", time.Duration(round+1)*scrapeTime, m.requests.Load(), len(read), topics+accounts)
			<-ctx.Done()
			cancel()
		}
		if len(read) != topics+accounts {
			t.Errorf("%d of %d entities were read in %d rounds", len(read), topics+accounts, rounds)
		}
		limit := int64(scrapeTime.Seconds()*perSecond*rounds) + 5
		if sent := m.requests.Load(); sent > limit || sent < limit*9/10 {
			t.Errorf("%d requests, want nearly %d", sent, limit)
		}
	})
}

// TestWhatIsSentIsAnsweredInTime has answers that take a fifth of a second, and
// more requests than there is time for.
func TestWhatIsSentIsAnsweredInTime(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, 10, 4)
		m.delay = time.Second / 5
		const before = 20 // from which the client knows how long answers take
		for range before {
			if err := topic(t.Context(), m.client, "0.0.1"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var callers sync.WaitGroup
		var answered atomic.Int64
		for i := range 100 {
			callers.Go(func() {
				if topic(ctx, m.client, fmt.Sprintf("0.0.%d", 2+i)) == nil {
					answered.Add(1)
				}
			})
		}
		callers.Wait()
		if sent := m.requests.Load() - before; answered.Load() != sent || sent < 10 {
			t.Errorf("%d of %d requests were answered in time", answered.Load(), sent)
		}
	})
}

// TestBatchesBeginWithWhatHadNoTurn has time for half of the accounts.
func TestBatchesBeginWithWhatHadNoTurn(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, 4, 1)
		read := map[string]bool{}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			for id := range m.client.Accounts(ctx, accountIDs(2_000)).Rows {
				read[id] = true
			}
			<-ctx.Done()
			cancel()
		}
		if sent := m.requests.Load(); len(read) != 100*int(sent) {
			t.Errorf("%d accounts read by %d requests; want 100 each, none twice", len(read), sent)
		}
	})
}

// TestHealthIsAskedForDuringAPause has a mirror that answers 429 to accounts
// and not to blocks.
func TestHealthIsAskedForDuringAPause(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, 0, 1)
		m.first = withHeader("Retry-After", "60", answer(429, ""))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := m.client.Accounts(ctx, []string{"0.0.2"}).Failed["0.0.2"]; !IsRateLimited(err) || errors.Is(err, errNotSent) {
			t.Errorf("accounts: %v", err)
		}
		if err := topic(ctx, m.client, "0.0.3"); !errors.Is(err, errNotSent) {
			t.Errorf("topic: %v", err)
		}
		if _, err := m.client.LatestBlock(ctx); err != nil {
			t.Errorf("latest block: %v", err)
		}
		if got, want := m.routes(), []string{"accounts", "blocks"}; !slices.Equal(got, want) {
			t.Errorf("asked for %q, want %q", got, want)
		}
	})
}

// TestHealthKeepsItsOwnPause has a mirror that answers 429 to all requests.
func TestHealthKeepsItsOwnPause(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		srv := newMemoryServer(t, memory, withHeader("Retry-After", "60", answer(429, "")))
		c, clk, _ := newTestClient(t, srv.URL, func(o *Options) { o.DialContext = memory.DialContext })
		ctx, cancel := context.WithDeadline(t.Context(), clk.now().Add(10*time.Second))
		defer cancel()
		for range 2 {
			if _, err := c.LatestBlock(ctx); !IsRateLimited(err) {
				t.Errorf("%v is not that the mirror answered 429", err)
			}
		}
		if srv.requests.Load() != 1 {
			t.Errorf("%d requests, want 1", srv.requests.Load())
		}
	})
}

func TestWaitForATurnEndsWithTheContext(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		m := newSmallMirror(t, memory, 0, 1)
		m.gate = make(chan struct{})
		var callers sync.WaitGroup
		for i := range 3 {
			ctx := t.Context()
			if i > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Second)
				defer cancel()
			}
			callers.Go(func() {
				if err := topic(ctx, m.client, fmt.Sprintf("0.0.%d", i)); (err == nil) != (i == 0) || (i > 0 && !errors.Is(err, errNotSent)) {
					t.Errorf("topic %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		time.Sleep(3 * time.Second)
		close(m.gate)
		callers.Wait()
		if err := topic(t.Context(), m.client, "0.0.9"); err != nil {
			t.Error(err)
		}
		if got, want := m.routes(), []string{"topics/0.0.0/messages", "topics/0.0.9/messages"}; !slices.Equal(got, want) {
			t.Errorf("asked for %q, want %q", got, want)
		}
	})
}

func TestWhatIsPutOffIsForgottenBeforeItIsTooMuch(t *testing.T) {
	q := newQueue()
	for i := range maxPutOff + 10 {
		q.remember(request{path: strconv.Itoa(i)}, false)
	}
	if len(q.putOff) > maxPutOff {
		t.Errorf("%d are remembered", len(q.putOff))
	}
}
