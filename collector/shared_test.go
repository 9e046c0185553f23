// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
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
