// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"

	"github.com/go-kit/log"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
)

// newCanary returns nil for a network without one.
func newCanary(n config.Network, state *collector.State, c *clients, logger log.Logger) *collector.Canary {
	if n.Canary == nil {
		return nil
	}
	options := collector.CanaryOptions{
		Network: n.Name, Config: *n.Canary, Log: logger, State: state,
		Mirror: c.mirror, AddressBook: c.addressBook, DialContext: c.dialNode,
	}
	if id := n.Canary.Topic.AccountID(); !n.Canary.Topic.IsZero() && c.mirrorGRPC != nil {
		options.Topic = consensus.NewTopicClient(consensus.TopicOptions{
			Address:     n.Mirror.GRPCAddress.String(),
			TLS:         n.Mirror.GRPCTLS,
			Topic:       hiero.TopicID{Shard: id.Shard, Realm: id.Realm, Topic: id.Account},
			DialContext: c.dial,
		})
	}
	return collector.NewCanary(options)
}

// canaries runs canaries, each until it is no longer wanted.
type canaries struct {
	start func(*collector.Canary) runningCanary

	mu      sync.Mutex
	running map[*collector.Canary]runningCanary
	closed  bool
}

type runningCanary struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// newCanaries runs none after ctx has ended.
func newCanaries(ctx context.Context) *canaries {
	return &canaries{
		running: map[*collector.Canary]runningCanary{},
		start: func(canary *collector.Canary) runningCanary {
			ctx, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				canary.Run(ctx)
			}()
			return runningCanary{cancel, ended}
		},
	}
}

// want stops the canaries that are not wanted, waits until they have ended, and
// starts those that do not run. A nil receiver runs none.
func (c *canaries) want(wanted []*collector.Canary) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for canary, running := range c.running {
		if c.closed || !slices.Contains(wanted, canary) {
			running.cancel()
			<-running.ended
			delete(c.running, canary)
		}
	}
	for _, canary := range wanted {
		if _, runs := c.running[canary]; !runs && !c.closed {
			c.running[canary] = c.start(canary)
		}
	}
}

// close ends all, and waits for that.
func (c *canaries) close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.want(nil)
}

// canaryOnce makes one run of a network's canary and prints its stages.
func canaryOnce(ctx context.Context, rt *runtime, flags *flagSet, stdout io.Writer) error {
	network, err := rt.network(*flags.network)
	if err != nil {
		return usageError{fmt.Errorf("--network: %w", err)}
	}
	canary := network.collector.Canary
	switch {
	case canary == nil:
		return usageError{fmt.Errorf("network %s has no canary: set networks.%s.canary in the configuration file", network.Name, network.Name)}
	case !slices.Contains(rt.set.Canaries(), canary):
		return usageError{fmt.Errorf("network %s: the canary is off: --no-collector.canary, or a shard other than 0", network.Name)}
	}
	run := canary.Once(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := writeCanaryRun(stdout, run, network.Canary.Budget); err != nil {
		return err
	}
	switch {
	case run.Paused != "":
		return errors.Join(fmt.Errorf("network %s: nothing was submitted, the canary pauses: %s", network.Name, run.Paused), run.Err)
	case !run.OK():
		return errors.Join(fmt.Errorf("network %s: the transaction did not reach every stage", network.Name), run.Err)
	}
	return nil
}

func writeCanaryRun(w io.Writer, run collector.CanaryRun, budget config.Amount) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeRow(table, "FACT", "VALUE")
	if run.Paused == "" {
		writeRow(table, "node", fmt.Sprintf("%d (%s) at %s", run.Node.ID, run.Node.AccountID, run.Address))
		writeRow(table, "transaction", cmp.Or(run.TransactionID, unknownCell))
		writeRow(table, "result", run.Result)
		for _, stage := range run.Stages {
			after := unknownCell
			if stage.Reached {
				after = formatSeconds(new(stage.Took.Seconds()))
			}
			writeRow(table, stage.Name, after)
		}
		fee := unknownCell
		if run.Fee != nil {
			fee = formatHbar(*run.Fee)
		}
		writeRow(table, "fee (hbar)", fee)
		writeRow(table, "maximum fee (hbar)", formatHbar(run.MaxFee))
	} else {
		writeRow(table, "paused", run.Paused)
	}
	writeRow(table, "spent today (hbar)", formatHbar(run.SpentTinybar))
	writeRow(table, "budget (hbar)", budget.String())
	return table.Flush()
}
