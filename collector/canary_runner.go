// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const (
	// canaryJitter is the share of the interval that is added to it at random, so
	// that several canaries do not stay together.
	canaryJitter = 0.1
	// canaryReadTime is for what is read from the mirror before a transaction.
	canaryReadTime = 15 * time.Second
)

// CanaryOptions are what a canary needs.
type CanaryOptions struct {
	Network string
	Config  config.Canary
	Log     Logger

	State       *State
	Mirror      *mirror.Client
	AddressBook *AddressBook
	Topic       *consensus.TopicClient    // nil: no topic, or a mirror without gRPC
	DialContext consensus.DialContextFunc // opens connections to nodes; nil is TCP
}

// Canary submits a transaction in each interval, and follows it. The key is in
// its options only.
type Canary struct {
	options CanaryOptions
	state   *canaryState
	stages  []string
	stream  *canaryStream // nil without a topic client

	failures failureLog
	warned   bool // of the balance; used by one run at a time
}

// NewCanary returns a canary that does nothing before Run or Once.
func NewCanary(options CanaryOptions) *Canary {
	c := &Canary{
		options: options, state: &options.State.canary,
		stages: []string{stagePrecheck, stageReceipt, stageMirrorREST},
	}
	if options.Topic != nil {
		c.stages = append(c.stages, stageMirrorGRPC)
		c.stream = newCanaryStream(options.Topic, c.state.addGap, options.Log, options.Network)
	}
	return c
}

func (c *Canary) payer() string { return c.options.Config.OperatorID.String() }

func (c *Canary) interval() time.Duration { return time.Duration(c.options.Config.Interval) }

// Run submits transactions until ctx ends. A run in progress ends with it, and
// so does everything that Run has started. The first run is an interval after
// the first canary of the network began.
func (c *Canary) Run(ctx context.Context) {
	defer c.follow(ctx)()
	c.begin()
	c.prepare(ctx)
	for {
		if !sleepUntil(ctx, c.state.nextRun()) {
			return
		}
		c.state.setNext(c.after(time.Now()))
		if err := guard(func() error { c.run(ctx); return nil }); err != nil {
			level.Error(c.options.Log).Log("msg", "canary failed", "network", c.options.Network, "err", err)
		}
	}
}

// Once makes one run now.
func (c *Canary) Once(ctx context.Context) CanaryRun {
	ctx, cancel := context.WithCancel(ctx)
	defer c.follow(ctx)()
	defer cancel()
	c.begin()
	return c.run(ctx)
}

// follow follows the topic, if there is one, until ctx ends. The function that
// it returns waits for that.
func (c *Canary) follow(ctx context.Context) (wait func()) {
	var group sync.WaitGroup
	if c.stream != nil {
		group.Go(func() { c.stream.run(ctx) })
	}
	return group.Wait
}

func (c *Canary) begin() {
	now := time.Now()
	c.state.start(c.options.Network, c.stages)
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.state.spending.begin(c.payer(), now)
	if latest := c.after(now); c.state.next.Before(now) || c.state.next.After(latest) {
		c.state.next = latest
	}
}

// after is when the run after the one at the time is due.
func (c *Canary) after(start time.Time) time.Time {
	return start.Add(c.interval() + time.Duration(rand.Float64()*canaryJitter*float64(c.interval()))) //nolint:gosec // no secret
}

// prepare reads what the first run needs, so that problems are logged, and the
// nodes known, at once.
func (c *Canary) prepare(ctx context.Context) {
	readCtx, cancel := context.WithTimeout(ctx, canaryReadTime)
	defer cancel()
	_, err := c.options.AddressBook.Nodes(readCtx)
	if err = errors.Join(err, c.read(readCtx)); err != nil && ctx.Err() == nil {
		c.failures.failed(c.options.Log, canaryName, err, "network", c.options.Network)
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send sends what is known.
func (c *Canary) send(ch chan<- prometheus.Metric) {
	var nodes []consensus.Node
	if book := c.options.AddressBook.lastVersion().Book; book != nil {
		nodes = book.Nodes
	}
	c.state.send(ch, c.options.Network, c.stages, nodes, time.Now())
	ch <- canaryBudget.sample(hbarAmount(c.options.Config.Budget), c.options.Network)
}

// CanaryRun is what a run has measured.
type CanaryRun struct {
	// Paused is why nothing was submitted, empty otherwise. With no node or an
	// interrupt, Result is empty too.
	Paused  string
	Node    consensus.Node
	Address string // of its endpoint
	// TransactionID is payer-seconds-nanoseconds, as the mirror has it.
	TransactionID string
	// Result is as in hedera_canary_transactions_total.
	Result string
	Stages []CanaryStage // in their order
	// MaxFee and Fee are in tinybar. Fee is nil while the mirror has not told it.
	MaxFee int64
	Fee    *int64
	// SpentTinybar is what today's transactions of the payer have cost, those with
	// an unknown outcome at their maximum.
	SpentTinybar int64
	Err          error // why a stage was not reached, or the mirror not read
}

// CanaryStage is a stage of a transaction.
type CanaryStage struct {
	Name    string
	Reached bool
	Took    time.Duration // from the moment before the transaction was sent
}

// OK reports whether the transaction reached every stage.
func (r CanaryRun) OK() bool {
	return r.Result == "SUCCESS" && !slices.ContainsFunc(r.Stages, func(s CanaryStage) bool { return !s.Reached })
}

// stage finds a stage of the run; nil if it has none of that name. It reads nothing
// but names, as other stages may be written at the same time.
func (r *CanaryRun) stage(name string) *CanaryStage {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return &r.Stages[i]
		}
	}
	return nil
}

// run reads the mirror, and submits a transaction unless there is a reason not to.
func (c *Canary) run(ctx context.Context) CanaryRun {
	r := CanaryRun{}
	for _, stage := range c.stages {
		r.Stages = append(r.Stages, CanaryStage{Name: stage})
	}
	readCtx, cancel := context.WithTimeout(ctx, canaryReadTime)
	r.Err = c.read(readCtx)
	nodes, err := c.nodes(readCtx)
	cancel()
	r.Err = errors.Join(r.Err, err)
	if ctx.Err() != nil {
		return r
	}
	if r.Paused = c.pause(len(nodes)); r.Paused == "" {
		c.submit(ctx, &r, nodes)
	}
	r.SpentTinybar, _ = c.state.spentNow()
	c.log(ctx, r)
	return r
}

// nodes are those that transactions may be sent to: with an endpoint that can be
// verified.
func (c *Canary) nodes(ctx context.Context) ([]consensus.Node, error) {
	all, err := c.options.AddressBook.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	c.state.keepNodes(all)
	var nodes []consensus.Node
	for _, node := range all {
		if node.CertificateHash == "" || node.AccountID == "" {
			continue
		}
		node.Endpoints = slices.DeleteFunc(slices.Clone(node.Endpoints), func(e consensus.Endpoint) bool { return !e.TLS })
		if len(node.Endpoints) > 0 {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

func (c *Canary) log(ctx context.Context, r CanaryRun) {
	if ctx.Err() != nil {
		return
	}
	keyvals := []any{"network", c.options.Network}
	if r.Paused == "" {
		keyvals = append(keyvals, "node_id", r.Node.ID, "address", r.Address, "transaction", r.TransactionID, "result", r.Result)
	} else {
		keyvals = append(keyvals, "paused", r.Paused)
	}
	for _, stage := range r.Stages {
		if stage.Reached {
			keyvals = append(keyvals, stage.Name, stage.Took)
		}
	}
	level.Debug(c.options.Log).Log(append([]any{"msg", "canary"}, keyvals...)...)
	if r.Err != nil {
		c.failures.failed(c.options.Log, canaryName, r.Err, keyvals...)
	} else if r.Paused == "" {
		c.failures.succeeded(c.options.Log, canaryName, "network", c.options.Network)
	}
}
