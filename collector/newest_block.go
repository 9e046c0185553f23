// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

const (
	blocksPath = "/api/v1/blocks"
	// A mirror that answers this often in a row with what is so much older has not
	// an old replica: the newest that it gave was wrong.
	farOlder        = 24 * time.Hour
	maxFarOlderRuns = 3
)

var mirrorOlderAnswers = newCounter(Metric{
	Collector: "mirror",
	Name:      "mirror_older_answers_total",
	Help:      "Answers of the mirror node that were left out because they were older than an earlier one, as from a replica that is behind the others.",
	Labels:    []string{"network", "route"},
	Source:    "mirror REST",
	Example:   "increase(hedera_mirror_older_answers_total[1h]) > 0",
})

// olderAnswers counts by route the answers that were left out as older.
type olderAnswers struct {
	created time.Time

	mu     sync.Mutex
	routes map[string]float64
}

// watch counts the answers of a route from 0.
func (o *olderAnswers) watch(route string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.routes[route] += 0
}

// refuse counts an answer of a route.
func (o *olderAnswers) refuse(route string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.routes[route]++
}

func (o *olderAnswers) send(ch chan<- prometheus.Metric, network string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for route, answers := range o.routes {
		ch <- mirrorOlderAnswers.sample(answers, o.created, network, route)
	}
}

// farRuns are answers in a row that were far older than the newest.
type farRuns int

// refuse reports whether an answer that is behind the newest is to be left out.
func (f *farRuns) refuse(behind time.Duration) bool {
	if behind > farOlder {
		*f++
	} else {
		*f = 0
	}
	if behind > 0 && *f < maxFarOlderRuns {
		return true
	}
	*f = 0
	return false
}

// blockOrder tells blocks from older ones by their consensus time. The replicas
// of a mirror are not equally new (docs/hedera.md 1.0), and a network that was
// reset counts its blocks anew, but its time goes on.
type blockOrder struct {
	block mirror.Block // the newest
	far   farRuns
}

// accept makes block the newest one, unless it is older.
func (o *blockOrder) accept(block mirror.Block) bool {
	if o.far.refuse(blockEnd(o.block).Sub(blockEnd(block))) {
		return false
	}
	o.block = block
	return true
}

// newestBlock is the newest block that all of a network's collectors have seen.
type newestBlock struct {
	mu    sync.Mutex
	known bool
	order blockOrder
}

// end is when the newest block ended; ok is false while no block is known.
func (n *newestBlock) end() (end time.Time, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return blockEnd(n.order.block), n.known
}

// observe returns the newest block now that the mirror has given block, and
// whether that is older.
func (n *newestBlock) observe(block mirror.Block) (newest mirror.Block, older bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case !n.known:
		n.known, n.order.block = true, block
		return block, false
	case blockEnd(block).UnixNano() == 0: // unknown
		return n.order.block, false
	}
	older = !n.order.accept(block)
	return n.order.block, older
}
