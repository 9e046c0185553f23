// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const topicSource = "mirror REST /api/v1/topics/{id}/messages"

var topicLabels = []string{"network", "topic_id", "name"}

var (
	topicExists = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_exists",
		Help:      "Whether the network knows the topic. Deleted topics stay known.",
		Labels:    topicLabels,
		Source:    topicSource,
		Example:   "hedera_topic_exists == 0",
	})
	topicSequence = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_sequence_number",
		Help:      "Sequence number of the topic's last message, which is the number of its messages; 0 before the first one.",
		Labels:    topicLabels,
		Source:    topicSource,
		Example:   "deriv(hedera_topic_sequence_number[10m])",
	})
	topicHeartbeat = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_heartbeat_seconds",
		Help:      "Configured maximum time between messages; absent if not configured.",
		Labels:    topicLabels,
		Source:    "configuration, topics.heartbeat",
		Example:   "time() - hedera_topic_last_message_timestamp_seconds > on (network, topic_id) group_left () hedera_topic_heartbeat_seconds",
	})
	topicLastMessage = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_last_message_timestamp_seconds",
		Help:      "Consensus time of the topic's last message. Absent before the first one.",
		Labels:    topicLabels,
		Source:    topicSource,
		Example:   "time() - hedera_topic_last_message_timestamp_seconds > 3600",
	})
)

func init() {
	register(Registration{
		Name:           "topics",
		Help:           "the last message of the configured topics",
		DefaultEnabled: true,
		factory:        newTopics,
	})
}

type topics struct {
	network string
	topics  []config.Topic
	mirror  *mirror.Client
}

func newTopics(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	return topics{network: n.Name, topics: n.Topics, mirror: n.Mirror}, nil
}

// Update implements Collector.
func (c topics) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	group, ctx := newParallel(ctx)
	for _, topic := range c.topics {
		group.Go(func() error { return c.updateTopic(ctx, ch, topic) })
	}
	return group.Wait()
}

func (c topics) updateTopic(ctx context.Context, ch chan<- prometheus.Metric, topic config.Topic) error {
	message, found, err := c.mirror.LatestTopicMessage(ctx, topic.ID.String())
	unknown := mirror.IsNotFound(err)
	if err != nil && !unknown {
		return err
	}
	labels := []string{c.network, topic.ID.String(), topic.Name}
	ch <- topicExists.sample(boolValue(!unknown), labels...)
	if topic.Heartbeat > 0 {
		ch <- topicHeartbeat.sample(time.Duration(topic.Heartbeat).Seconds(), labels...)
	}
	if unknown {
		return nil
	}
	ch <- topicSequence.sample(float64(message.SequenceNumber), labels...)
	if found {
		sendTime(ch, topicLastMessage, message.ConsensusTimestamp, labels...)
	}
	return nil
}
