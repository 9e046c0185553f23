// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

var (
	mirrorUp = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_up",
		Help:      "Whether the mirror node's REST API returned its latest block. Absent if it could not be asked because the mirror node limits the rate of requests (429).",
		Labels:    networkLabel,
		Source:    blocksSource,
		Example:   "hedera_mirror_up == 0",
	})
	mirrorLatestBlock = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_latest_block_timestamp_seconds",
		Help:      "End of the mirror node's latest block. Its age is the lag of the mirror node.",
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
)

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
	log     Logger
}

func newMirrorHealth(n Network) (Collector, error) {
	return mirrorHealth{network: n.Name, rest: n.Mirror, grpc: n.MirrorGRPC, log: n.Log}, nil
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
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func (c mirrorHealth) checkREST(ctx context.Context, ch chan<- prometheus.Metric) error {
	block, err := c.rest.LatestBlock(ctx)
	if tooManyRequests(err) {
		return err // the mirror may be well
	}
	ch <- mirrorUp.sample(boolValue(err == nil), c.network)
	if err != nil {
		level.Debug(c.log).Log("msg", "mirror down", "network", c.network, "err", err)
		return nil
	}
	sendTime(ch, mirrorLatestBlock, block.Timestamp.To, c.network)
	return nil
}

// tooManyRequests reports whether a request was answered 429, or not sent because
// an earlier one was.
func tooManyRequests(err error) bool {
	var status *mirror.StatusError
	return errors.As(err, &status) && status.Code == http.StatusTooManyRequests
}

func (c mirrorHealth) checkGRPC(ctx context.Context, ch chan<- prometheus.Metric) {
	err := c.grpc.Check(ctx)
	ch <- mirrorGRPCUp.sample(boolValue(err == nil), c.network)
	if err != nil {
		level.Debug(c.log).Log("msg", "mirror gRPC down", "network", c.network, "err", err)
	}
}
