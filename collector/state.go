// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// State is what a network's collectors remember between scrapes. It outlives a
// reload of the configuration, so that a reload neither loses counts nor counts
// twice. The locks of its parts are semaphores because waiting must end with the
// context: an update that was given up may still be running when the next one
// begins.
type State struct {
	newest       newestBlock
	older        olderAnswers
	blocks       blockState
	transactions transactionState
	topics       topicState
	facts        networkState
	decimals     tokenDecimals
	probes       failureLog
	canary       canaryState
}

// NewState returns the state of a network before its first scrape.
func NewState() *State {
	return &State{
		older:        olderAnswers{created: time.Now(), routes: map[string]float64{blocksPath: 0}},
		blocks:       blockState{lock: semaphore.NewWeighted(1)},
		transactions: transactionState{lock: semaphore.NewWeighted(1), accounts: map[string]*accountCount{}},
	}
}

// States are the states of all networks. The zero value is ready.
type States struct {
	mu       sync.Mutex
	networks map[[2]string]*State
}

// Of returns the state of a network, which it creates on the first call. Ledger
// identifies the ledger that the name stands for: under the same name another
// ledger has another state.
func (s *States) Of(network, ledger string) *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.networks == nil {
		s.networks = map[[2]string]*State{}
	}
	key := [2]string{network, ledger}
	if s.networks[key] == nil {
		s.networks[key] = NewState()
	}
	return s.networks[key]
}
