// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"

	"golang.org/x/sync/semaphore"
)

// State is what a network's collectors remember between scrapes. It outlives a
// reload of the configuration, so that a reload neither loses counts nor counts
// twice. The locks of its parts are semaphores because waiting must end with the
// context: an update that was given up may still be running when the next one
// begins.
type State struct {
	blocks       blockState
	transactions transactionState
	decimals     tokenDecimals
}

// NewState returns the state of a network before its first scrape.
func NewState() *State {
	return &State{
		blocks:       blockState{lock: semaphore.NewWeighted(1)},
		transactions: transactionState{lock: semaphore.NewWeighted(1), accounts: map[string]*accountCount{}},
	}
}

// States are the states of all networks by name. The zero value is ready.
type States struct {
	mu       sync.Mutex
	networks map[string]*State
}

// Of returns the network's state, which it creates on the first call.
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
