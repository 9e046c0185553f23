// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"hedera_exporter/internal/consensus"
)

const (
	// A subscription that breaks is opened again after a time that doubles, unless
	// it had lasted.
	firstReopen  = time.Second
	maxReopen    = 30 * time.Second
	streamLasted = time.Minute
	// streamOverlap is how long before its first opening a subscription is opened
	// again that has had no message. The mirror refuses a start in its future.
	streamOverlap = 10 * time.Second
)

// canaryStream is a subscription to the canary's topic.
type canaryStream struct {
	client  *consensus.TopicClient
	gap     func()
	log     Logger
	network string

	failures failureLog

	mu       sync.Mutex
	expected []byte
	arrived  chan time.Time
	cancel   context.CancelFunc // of the subscription
	from     time.Time          // where to open it again; zero: with the next message
	sequence uint64             // of the last message; 0: none
}

func newCanaryStream(client *consensus.TopicClient, gap func(), log Logger, network string) *canaryStream {
	return &canaryStream{client: client, gap: gap, log: log, network: network}
}

// run subscribes until ctx ends.
func (s *canaryStream) run(ctx context.Context) {
	wait := firstReopen
	for ctx.Err() == nil {
		opened := time.Now()
		err := s.subscribe(ctx, opened)
		if ctx.Err() != nil {
			return
		}
		s.failures.failed(s.log, "canary's subscription", err, "network", s.network)
		if time.Since(opened) > streamLasted {
			wait = firstReopen
		}
		sleepUntil(ctx, time.Now().Add(wait))
		wait = min(2*wait, maxReopen)
	}
}

var errStalled = errors.New("a message did not arrive: opened again")

func (s *canaryStream) subscribe(parent context.Context, now time.Time) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	s.mu.Lock()
	s.cancel = cancel
	from := s.from
	if from.IsZero() {
		s.from = now.Add(-streamOverlap)
	}
	s.mu.Unlock()
	err := s.client.Subscribe(ctx, from, s.received)
	if ctx.Err() != nil && parent.Err() == nil {
		return errStalled
	}
	return err
}

// reopen ends the subscription, so that it is opened again.
func (s *canaryStream) reopen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
}

// expect returns a channel that has the time when the content arrives; nil if
// there is no subscription.
func (s *canaryStream) expect(content []byte) <-chan time.Time {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected, s.arrived = content, make(chan time.Time, 1)
	return s.arrived
}

func (s *canaryStream) received(message consensus.TopicMessage) {
	now := time.Now()
	s.failures.succeeded(s.log, "canary's subscription", "network", s.network)
	s.mu.Lock()
	defer s.mu.Unlock()
	if message.Sequence <= s.sequence {
		return // again
	}
	if s.sequence > 0 && message.Sequence > s.sequence+1 {
		s.gap()
	}
	s.sequence, s.from = message.Sequence, message.Consensus.Add(time.Nanosecond)
	if s.expected != nil && bytes.Equal(message.Content, s.expected) {
		s.arrived <- now
		s.expected = nil
	}
}
