// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
)

// canaryState is what the canary of a network remembers, over reloads as well. It
// has no key.
type canaryState struct {
	mu       sync.Mutex
	started  time.Time // zero: no canary has run
	next     time.Time // earliest start of the next run
	turn     int       // of the nodes
	results  map[canaryResult]float64
	stages   map[string]*canaryStage
	gaps     float64
	fees     int64 // tinybar
	spending canarySpending
	feeLimit int64  // the maximum fee of the next transaction, in tinybar; 0: unknown
	balance  *int64 // of the payer, in tinybar; nil: unknown
	pause    canaryPause
}

type canaryResult struct {
	node   string
	result string
}

// canaryStage is what is known of the transactions that reached a stage.
type canaryStage struct {
	durations prometheus.Histogram
	last      time.Duration
	at        time.Time // zero: none has
}

// start prepares the state for the stages; counters begin with the first canary.
func (s *canaryState) start(network string, stages []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started.IsZero() {
		s.started = time.Now()
		s.results = map[canaryResult]float64{}
		s.stages = map[string]*canaryStage{}
	}
	for _, stage := range stages {
		if s.stages[stage] == nil {
			s.stages[stage] = &canaryStage{durations: canaryStageDuration.histogram(network, stage)}
		}
	}
}

func (s *canaryState) nextRun() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

func (s *canaryState) setNext(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = at
}

// nextTurn counts the transactions, for the nodes to take turns.
func (s *canaryState) nextTurn() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	return s.turn - 1
}

func (s *canaryState) maxFee() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feeLimit
}

func (s *canaryState) spentNow() (tinybar int64, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spending.spent(time.Now())
}

func (s *canaryState) reserve(id string, maxFee int64, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spending.reserve(id, maxFee, until)
}

func (s *canaryState) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spending.release(id)
}

// keepNodes forgets the results of nodes that have left the address book.
func (s *canaryState) keepNodes(nodes []consensus.Node) {
	known := make(map[string]bool, len(nodes))
	for _, node := range nodes {
		known[nodeID(node)] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.results, func(key canaryResult, _ float64) bool { return !known[key.node] })
}

func (s *canaryState) addResult(node, result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[canaryResult{node, result}]++
}

func (s *canaryState) addGap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps++
}

// reached says that a transaction took so long to reach the stage, at that time.
func (s *canaryState) reached(stage string, took time.Duration, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.stages[stage]
	known.durations.Observe(took.Seconds())
	known.last, known.at = took, at
}

// send sends what is known, with a zero for each result of each node.
func (s *canaryState) send(ch chan<- prometheus.Metric, network string, stages []string, nodes []consensus.Node, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started.IsZero() {
		return
	}
	results := make(map[canaryResult]float64, len(nodes)*len(canaryResults))
	for _, node := range nodes {
		for _, result := range canaryResults {
			results[canaryResult{nodeID(node), result}] = 0
		}
	}
	maps.Copy(results, s.results)
	for key, count := range results {
		ch <- canaryTransactions.sample(count, s.started, network, key.node, key.result)
	}
	for _, stage := range stages {
		known := s.stages[stage]
		ch <- known.durations
		if !known.at.IsZero() {
			ch <- canaryLastSuccess.sample(unixSeconds(known.at), network, stage)
			ch <- canaryLastDuration.sample(known.last.Seconds(), network, stage)
		}
		if stage == stageMirrorGRPC {
			ch <- canaryStreamGaps.sample(s.gaps, s.started, network)
		}
	}
	ch <- canaryFees.sample(hbar(s.fees), s.started, network)
	if spent, known := s.spending.spent(now); known {
		ch <- canarySpent.sample(hbar(spent), network)
	}
	for _, reason := range canaryPauses {
		ch <- canaryPaused.sample(boolValue(s.pause.reason == reason), network, reason)
	}
}
