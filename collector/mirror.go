// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const web3Route = "POST /api/v1/contracts/call"

var (
	mirrorUp = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_up",
		Help:      "Whether the mirror node's REST API returned its latest block, or that it has none yet. Absent if it could not be asked because the mirror node limits the rate of requests (429).",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_mirror_up == 0",
	})
	mirrorStarting = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_starting",
		Help:      "Whether the mirror node has no block yet. Until then there is no sample of the latest block, and nothing to count.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_mirror_starting == 1",
	})
	mirrorLatestBlock = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_latest_block_timestamp_seconds",
		Help:      "End of the mirror node's latest block; of several replicas, the newest. Its age is the lag of the mirror node.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "time() - hedera_mirror_latest_block_timestamp_seconds > 60",
	})
	mirrorGRPCUp = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_grpc_up",
		Help:      "Whether the mirror node's gRPC API returned the first node of the address book. Absent if no gRPC address is configured.",
		Labels:    networkLabel,
		Source:    "mirror gRPC NetworkService/getNodes for file shard.realm.102",
		Example:   "hedera_mirror_grpc_up == 0",
	})
	mirrorWeb3Up = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_web3_up",
		Help:      "Whether the mirror node's EVM ran a call. Absent without web3: true, for mirror nodes that do not have the route, and if it could not be asked because of a limit of the rate of requests (429).",
		Labels:    networkLabel,
		Source:    "mirror REST " + web3Route,
		Example:   "hedera_mirror_web3_up == 0",
	})
)

// asideTime is how long the collector waits for what nothing else is read from:
// other mirrors and the EVM. None of them makes a scrape longer than that.
const asideTime = 3 * time.Second

func init() {
	register(Registration{
		Name:           "mirror",
		Help:           "whether the mirror node answers, and its lag",
		DefaultEnabled: true,
		factory:        newMirrorHealth,
	})
}

type mirrorHealth struct {
	network string
	rest    *mirror.Client               // nil: no mirror
	grpc    *consensus.AddressBookClient // nil: no gRPC
	web3    bool
	others  []OtherMirror
	state   *State
	log     Logger
}

func newMirrorHealth(n Network) (Collector, error) {
	return mirrorHealth{
		network: n.Name, rest: n.Mirror, grpc: n.MirrorGRPC, web3: n.MirrorWeb3, others: n.OtherMirrors, state: n.State, log: n.Log,
	}, nil
}

// Update implements Collector. A mirror that is down is a sample and not a
// failure, so the checks end early enough for the sample to be sent. It is a
// failure if nothing is known.
func (c mirrorHealth) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	checkCtx, cancel := withShare(ctx, probeShare)
	defer cancel()
	var group entityGroup
	if c.rest != nil {
		group.Go(func() error { return c.checkREST(checkCtx, ch) })
	}
	if c.grpc != nil {
		group.Go(func() error { c.checkGRPC(checkCtx, ch); return nil })
	}
	asideCtx, cancelAside := context.WithTimeout(checkCtx, asideTime)
	defer cancelAside()
	if c.rest != nil && c.web3 {
		group.Go(func() error { return c.checkWeb3(asideCtx, ch) })
	}
	for _, other := range c.others {
		group.Go(func() error { return c.checkOther(asideCtx, ch, other) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func (c mirrorHealth) checkREST(ctx context.Context, ch chan<- prometheus.Metric) error {
	block, err := c.rest.LatestBlock(ctx)
	if mirror.IsRateLimited(err) {
		return err // the mirror may be well
	}
	starting := errors.Is(err, mirror.ErrNoBlock)
	up := err == nil || starting
	ch <- mirrorUp.sample(boolValue(up), c.network)
	defer c.state.older.send(ch, c.network)
	if !up {
		level.Debug(c.log).Log("msg", "mirror down", "network", c.network, "err", err)
		return nil
	}
	ch <- mirrorStarting.sample(boolValue(starting), c.network)
	if starting {
		return nil
	}
	newest, older := c.state.newest.observe(block)
	if older {
		c.state.older.refuse(blocksPath)
	}
	sendTime(ch, mirrorLatestBlock, newest.Timestamp.Or(mirror.TimestampRange{}).To, c.network)
	return nil
}

// checkWeb3 has the EVM run a call. A mirror without the route is no failure.
func (c mirrorHealth) checkWeb3(ctx context.Context, ch chan<- prometheus.Metric) error {
	err := c.rest.CheckCall(ctx)
	if mirror.IsRateLimited(err) || mirror.IsNotSent(err) {
		return err // it may be well
	}
	available := !mirror.IsUnavailable(err)
	ch <- routeAvailable.sample(boolValue(available), c.network, web3Route)
	if available {
		ch <- mirrorWeb3Up.sample(boolValue(err == nil), c.network)
	}
	if err != nil {
		level.Debug(c.log).Log("msg", "the mirror's EVM is down or missing", "network", c.network, "err", err)
	}
	return nil
}

func (c mirrorHealth) checkGRPC(ctx context.Context, ch chan<- prometheus.Metric) {
	err := c.grpc.Check(ctx)
	ch <- mirrorGRPCUp.sample(boolValue(err == nil), c.network)
	if err != nil {
		level.Debug(c.log).Log("msg", "mirror gRPC down", "network", c.network, "err", err)
	}
}
