// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

// OtherMirror is a mirror of the network that nothing but its latest block is read
// from.
type OtherMirror struct {
	Name   string
	Client *mirror.Client // of its own, with its own limits
}

var otherMirrorLabels = []string{"network", "mirror"}

var (
	otherMirrorUp = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_other_up",
		Help:      "Whether another mirror node (mirror.others) returned its latest block within 3 s, or that it has none yet. Absent if it could not be asked because it limits the rate of requests (429).",
		Labels:    otherMirrorLabels,
		Source:    blocksSource,
		Example:   "hedera_mirror_other_up == 0",
	})
	otherMirrorBlock = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_other_latest_block_number",
		Help:      "Number of another mirror node's latest block.",
		Labels:    otherMirrorLabels,
		Source:    blocksSource,
		Example:   "max by (network) (hedera_mirror_other_latest_block_number) - on (network) hedera_block_number",
	})
	otherMirrorLatestBlock = newGauge(Metric{
		Collector: "mirror",
		Name:      "mirror_other_latest_block_timestamp_seconds",
		Help:      "End of another mirror node's latest block, to compare with hedera_mirror_latest_block_timestamp_seconds.",
		Labels:    otherMirrorLabels,
		Source:    blocksSource,
		Example:   "max by (network) (hedera_mirror_other_latest_block_timestamp_seconds) - on (network) hedera_mirror_latest_block_timestamp_seconds > 20",
	})
)

func (c mirrorHealth) checkOther(ctx context.Context, ch chan<- prometheus.Metric, other OtherMirror) error {
	block, err := other.Client.LatestBlock(ctx)
	if mirror.IsRateLimited(err) {
		return err // it may be well
	}
	up := err == nil || errors.Is(err, mirror.ErrNoBlock)
	ch <- otherMirrorUp.sample(boolValue(up), c.network, other.Name)
	if err != nil {
		level.Debug(c.log).Log("msg", "other mirror has no block", "network", c.network, "mirror", other.Name, "err", err)
		return nil
	}
	ch <- otherMirrorBlock.sample(float64(block.Number), c.network, other.Name)
	sendTime(ch, otherMirrorLatestBlock, block.Timestamp.Or(mirror.TimestampRange{}).To, c.network, other.Name)
	return nil
}
