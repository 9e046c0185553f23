// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

var (
	mirrorUp = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_up",
		Help:      "Whether the mirror node's REST API told its latest block.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_mirror_up == 0",
	})
	mirrorLatestBlock = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_latest_block_timestamp_seconds",
		Help:      "When the latest block that the mirror node has ended: its age is the mirror's lag.",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "time() - hedera_mirror_latest_block_timestamp_seconds > 60",
	})
	mirrorGRPCUp = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_grpc_up",
		Help:      "Whether the mirror node's gRPC API sent the first node of the address book. Absent where no gRPC address is configured.",
		Labels:    networkLabel,
		Source:    "mirror gRPC NetworkService/getNodes for file 0.0.102",
		Example:   "hedera_mirror_grpc_up == 0",
	})
)

func init() {
	register(Registration{
		Name:           "mirror",
		Help:           "whether the mirror node answers and how far it is behind",
		DefaultEnabled: true,
		factory:        newMirrorHealth,
	})
}

type latestBlockReader interface {
	LatestBlock(ctx context.Context) (mirror.Block, error)
}

type grpcChecker interface {
	Check(ctx context.Context) error
}

type mirrorHealth struct {
	network string
	rest    latestBlockReader // nil: no mirror
	grpc    grpcChecker       // nil: no gRPC
	log     Logger
}

func newMirrorHealth(n Network) (Collector, error) {
	c := mirrorHealth{network: n.Name, log: n.Log}
	if n.Mirror != nil {
		c.rest = n.Mirror
	}
	if n.MirrorGRPC != nil {
		c.grpc = n.MirrorGRPC
	}
	return c, nil
}

// Update implements Collector. A dead mirror is a sample, not a failure, so it
// is given up early enough to tell.
func (c mirrorHealth) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	checkCtx, cancel := withShare(ctx, probeShare)
	defer cancel()
	group, checkCtx := newParallel(checkCtx)
	if c.rest != nil {
		group.Go(func() error { c.checkREST(checkCtx, ch); return nil })
	}
	if c.grpc != nil {
		group.Go(func() error { c.checkGRPC(checkCtx, ch); return nil })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func (c mirrorHealth) checkREST(ctx context.Context, ch chan<- prometheus.Metric) {
	block, err := c.rest.LatestBlock(ctx)
	ch <- mirrorUp.sample(boolValue(err == nil), c.network)
	if err != nil {
		level.Debug(c.log).Log("msg", "mirror down", "network", c.network, "err", err)
		return
	}
	if block.Timestamp.To != nil {
		ch <- mirrorLatestBlock.sample(block.Timestamp.To.Seconds(), c.network)
	}
}

func (c mirrorHealth) checkGRPC(ctx context.Context, ch chan<- prometheus.Metric) {
	err := c.grpc.Check(ctx)
	ch <- mirrorGRPCUp.sample(boolValue(err == nil), c.network)
	if err != nil {
		level.Debug(c.log).Log("msg", "mirror gRPC down", "network", c.network, "err", err)
	}
}
