// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"sync"
)

// State is what a network's counting collectors remember between scrapes. It
// outlives a reload of the configuration, so that nothing is counted twice or
// lost by one.
type State struct {
	blocks       blockState
	transactions transactionState
}

// NewState returns the state of a network of which nothing was counted yet.
func NewState() *State {
	return &State{
		blocks:       blockState{turn: newTurn()},
		transactions: transactionState{turn: newTurn(), accounts: map[string]*accountCount{}},
	}
}

// States are the states of all networks by name. The zero value is ready.
type States struct {
	mu       sync.Mutex
	networks map[string]*State
}

// Of returns the network's state, a new one at first.
func (s *States) Of(network string) *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.networks == nil {
		s.networks = map[string]*State{}
	}
	if s.networks[network] == nil {
		s.networks[network] = NewState()
	}
	return s.networks[network]
}

// turn is a lock whose wait ends with a context: an update that was given up
// may still be at work when the next one begins.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }
