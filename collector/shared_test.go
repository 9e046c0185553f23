// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

func TestSharedRunsOnceForSimultaneousCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[int]
		calls := 0
		work := func(context.Context) (int, error) {
			calls++
			time.Sleep(time.Second) // the bubble's clock
			return 7, nil
		}
		results := make(chan int)
		for range 3 {
			go func() {
				value, err := s.do(t.Context(), work)
				if err != nil {
					t.Error(err)
				}
				results <- value
			}()
		}
		for range 3 {
			if value := <-results; value != 7 {
				t.Errorf("value %d, want 7", value)
			}
		}
		if calls != 1 {
			t.Errorf("%d calls, want 1", calls)
		}
		if _, err := s.do(t.Context(), work); err != nil || calls != 2 {
			t.Errorf("a later caller got %d calls and error %v, want a call of its own", calls, err)
		}
	})
}

func TestSharedOutlivesAnImpatientCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[int]
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		patient, cancelPatient := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancelPatient()

		work := func(ctx context.Context) (int, error) {
			select {
			case <-time.After(5 * time.Second):
				return 7, nil
			case <-ctx.Done():
				return 0, errors.New("cut short")
			}
		}
		left := make(chan error)
		go func() {
			_, err := s.do(impatient, work)
			left <- err
		}()
		synctest.Wait()
		value, err := s.do(patient, work)
		if value != 7 || err != nil {
			t.Errorf("the patient caller got %d, %v; want 7", value, err)
		}
		if err := <-left; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient caller got %v, want its own deadline", err)
		}
	})
}

func TestSharedEndsWithItsLastCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[int]
		cause := errors.New("429 from the mirror")
		ended := false
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.do(ctx, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			ended = true
			return 0, cause
		})
		if !ended {
			t.Error("the work went on without a caller")
		}
		if !errors.Is(err, cause) {
			t.Errorf("error %v, want what the work said when it was cut short", err)
		}
	})
}

func TestSharedDoesNotWaitForWorkThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[int]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := s.do(ctx, func(context.Context) (int, error) {
			time.Sleep(time.Hour)
			return 7, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline", err)
		}
		if waited := time.Since(start); waited != time.Second+cancelGrace {
			t.Errorf("waited %s", waited)
		}
		value, err := s.do(t.Context(), func(context.Context) (int, error) { return 8, nil })
		if value != 8 || err != nil {
			t.Errorf("the next caller got %d, %v: it joined the abandoned call", value, err)
		}
		time.Sleep(time.Hour) // for the abandoned call
	})
}

func TestSharedTellsTheLatestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[time.Time]
		early, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late, cancelLate := context.WithTimeout(t.Context(), time.Minute)
		defer cancelLate()
		proceed := make(chan struct{})
		work := func(ctx context.Context) (time.Time, error) {
			<-proceed
			deadline, _ := ctx.Deadline()
			return deadline, nil
		}
		results := make(chan time.Time)
		for _, ctx := range []context.Context{early, late} {
			go func() {
				deadline, err := s.do(ctx, work)
				if err != nil {
					t.Error(err)
				}
				results <- deadline
			}()
			synctest.Wait()
		}
		close(proceed)
		want, _ := late.Deadline()
		for range 2 {
			if got := <-results; !got.Equal(want) {
				t.Errorf("deadline %s, want %s", got, want)
			}
		}
	})
}

// TestShareFollowsTheLatestDeadline has work that a caller in a hurry began: the
// share of another one with more time counts.
func TestShareFollowsTheLatestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outer, inner shared[time.Duration]
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		patient, cancelPatient := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancelPatient()

		start := time.Now()
		work := func(ctx context.Context) (time.Duration, error) {
			ctx, cancel := withShare(ctx, 0.9)
			defer cancel()
			return inner.do(ctx, func(ctx context.Context) (time.Duration, error) {
				attempt, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				<-attempt.Done()
				if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(start) != 9*time.Second {
					t.Errorf("deadline after %s", deadline.Sub(start))
				}
				if err := context.Cause(attempt); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it ended with %v", err)
				}
				return time.Since(start), nil
			})
		}
		left := make(chan error)
		go func() {
			_, err := outer.do(hurried, work)
			left <- err
		}()
		synctest.Wait()
		took, err := outer.do(patient, work)
		if err != nil || took != 9*time.Second {
			t.Errorf("it took %s, error %v, want 9 s", took, err)
		}
		if err := <-left; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestShareOfAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancelParent := context.WithCancel(t.Context())
		endless, cancel := withShare(parent, 0.5)
		defer cancel()
		if _, ok := endless.Deadline(); ok {
			t.Error("a deadline out of nothing")
		}
		cancelParent()
		<-endless.Done()
		if !errors.Is(endless.Err(), context.Canceled) {
			t.Errorf("error %v", endless.Err())
		}
		timed, cancelTimed := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancelTimed()
		half, cancelHalf := withShare(timed, 0.5)
		defer cancelHalf()
		start := time.Now()
		<-half.Done()
		if took := time.Since(start); took != 5*time.Second || !errors.Is(half.Err(), context.DeadlineExceeded) {
			t.Errorf("it ended after %s with %v", took, half.Err())
		}
	})
}

// TestHurriedScrapeCostsNoProbe has two scrapes that share probes of a hung
// endpoint: the hurried one shows those that answered.
func TestHurriedScrapeCostsNoProbe(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim := startSimulator(t, simulator.Options{Nodes: 2, Listen: memory.Listen})
		set := setOn(t, networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry())), "node_probe")
		slow := sim.Nodes()[0].Endpoints[0].Address
		if err := sim.HangEndpoint(slow); err != nil {
			t.Fatal(err)
		}
		hurried := make(chan string)
		go func() { hurried <- scrapeText(t, set, time.Second) }()
		synctest.Wait()
		time.Sleep(10 * time.Millisecond)
		patient := scrapeText(t, set, 10*time.Second)
		wantLines(t, patient, successLine("node_probe", true))
		all := len(linesWith(patient, "hedera_node_endpoint_up{"))
		if down := downEndpoints(patient); len(down) != 1 || !down[slow] {
			t.Errorf("down: %v, want %s", down, slow)
		}
		body := <-hurried
		if shown := len(linesWith(body, "hedera_node_endpoint_up{")); shown != all-1 {
			t.Errorf("the hurried scrape shows %d of %d endpoints, want all but one", shown, all)
		}
		wantNone(t, body, slow)
	})
}
