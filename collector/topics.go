// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const (
	topicSource      = "mirror REST " + topicMessagesPath
	emptyTopicSource = "mirror REST /api/v1/topics/{id}, for topics without messages"
)

var topicLabels = []string{"network", "topic_id", "name"}

var (
	topicExists = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_exists",
		Help:      "Whether the network knows the topic. Deleted topics stay known.",
		Labels:    topicLabels,
		Source:    topicSource + ", and /api/v1/topics/{id} for topics without messages",
		Example:   "hedera_topic_exists == 0",
	})
	topicDeleted = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_deleted",
		Help:      "Whether the topic has been deleted. Absent if it has messages, because only topics without messages are asked about.",
		Labels:    topicLabels,
		Source:    emptyTopicSource,
		Example:   "hedera_topic_deleted == 1",
	})
	topicSequence = newGauge(Metric{
		Collector: "topics",
		Name:      "topic_sequence_number",
		Help:      "Sequence number of the topic's last message, which is the number of its messages; 0 before the first one.",
		Labels:    topicLabels,
		Source:    topicSource,
		Example:   "deriv(hedera_topic_sequence_number[10m])",
	})
	topicOwnLabels = newLabels(Metric{
		Collector: "topics",
		Name:      "topic_labels",
		Help:      fmt.Sprintf(labelsHelp, "topic", "topic"),
		Labels:    topicLabels,
		Source:    "configuration, topics.labels",
		Example:   "hedera_topic_sequence_number * on (network, topic_id) group_left (team) hedera_topic_labels",
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
	labels  ownLabels
	mirror  *mirror.Client
	state   *State
}

const topicMessagesPath = "/api/v1/topics/{id}/messages"

// topicState has the newest message of each topic. The replicas of a mirror are
// not equally new (docs/hedera.md 1.0).
type topicState struct {
	mu     sync.Mutex
	newest map[string]*newestMessage // by topic id
}

type newestMessage struct {
	mirror.TopicMessage
	far farRuns
}

// observe returns the newest message of a topic now that the mirror has given
// one, which is the zero message if there is none, and whether that is older.
func (s *topicState) observe(id string, message mirror.TopicMessage) (newest mirror.TopicMessage, older bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.newest[id]
	if message.SequenceNumber > 0 && message.ConsensusTimestamp.Or(0) == 0 { // unknown
		if last == nil || message.SequenceNumber >= last.SequenceNumber {
			return message, false
		}
		return last.TopicMessage, true
	}
	if last == nil {
		if s.newest == nil {
			s.newest = map[string]*newestMessage{}
		}
		s.newest[id] = &newestMessage{TopicMessage: message}
		return message, false
	}
	if last.far.refuse(last.ConsensusTimestamp.Or(0).Time().Sub(message.ConsensusTimestamp.Or(0).Time())) {
		return last.TopicMessage, true
	}
	last.TopicMessage = message
	return message, false
}

func (s *topicState) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.newest, id)
}

func newTopics(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	if len(n.Topics) > 0 {
		n.State.older.watch(topicMessagesPath)
	}
	return topics{network: n.Name, topics: n.Topics, labels: topicOwnLabels.of(n.LabelNames), mirror: n.Mirror, state: n.State}, nil
}

// Update implements Collector.
func (c topics) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var group entityGroup
	for _, topic := range c.topics {
		c.labels.send(ch, topic.Labels, c.identity(topic)...)
		if topic.Heartbeat > 0 {
			ch <- topicHeartbeat.sample(time.Duration(topic.Heartbeat).Seconds(), c.identity(topic)...)
		}
		group.Go(func() error {
			if err := c.updateTopic(ctx, ch, topic); err != nil {
				return fmt.Errorf("topic %s: %w", topic.ID, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (c topics) identity(topic config.Topic) []string {
	return []string{c.network, topic.ID.String(), topic.Name}
}

func (c topics) updateTopic(ctx context.Context, ch chan<- prometheus.Metric, topic config.Topic) error {
	message, found, err := c.mirror.LatestTopicMessage(ctx, topic.ID.String())
	if err != nil {
		return err
	}
	if !found {
		return c.updateEmptyTopic(ctx, ch, topic)
	}
	ch <- topicExists.sample(1, c.identity(topic)...)
	c.sendNewest(ch, topic, message)
	return nil
}

// sendNewest sends what is known of the topic's last message, given the mirror's
// answer.
func (c topics) sendNewest(ch chan<- prometheus.Metric, topic config.Topic, message mirror.TopicMessage) {
	newest, older := c.state.topics.observe(topic.ID.String(), message)
	if older {
		c.state.older.refuse(topicMessagesPath)
	}
	labels := c.identity(topic)
	ch <- topicSequence.sample(float64(newest.SequenceNumber), labels...)
	sendTime(ch, topicLastMessage, newest.ConsensusTimestamp, labels...)
}

// updateEmptyTopic finds out whether a topic without messages exists: the list
// of messages is empty also where there is no topic (docs/hedera.md 1.4).
func (c topics) updateEmptyTopic(ctx context.Context, ch chan<- prometheus.Metric, topic config.Topic) error {
	labels := c.identity(topic)
	row, err := c.mirror.Topic(ctx, topic.ID.String())
	switch {
	case mirror.IsMissingRoute(err):
		return fmt.Errorf("it has no messages, and whether it exists is unknown; set java_url to where the mirror has /api/v1/topics: %w", err)
	case mirror.IsNotFound(err):
		c.state.topics.forget(topic.ID.String())
		ch <- topicExists.sample(0, labels...)
		return nil
	case err != nil:
		return err
	}
	ch <- topicExists.sample(1, labels...)
	c.sendNewest(ch, topic, mirror.TopicMessage{})
	sendField(ch, topicDeleted, row.Deleted, boolValue, labels...)
	return nil
}
