// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"math"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// topicService is the mirror's gRPC ConsensusService.
type topicService struct {
	mirror.UnimplementedConsensusServiceServer

	simulator   *Simulator
	connections *connections
}

// subscription is a stream of a topic's messages: those in [next, end), at most
// limit of them where limit is positive.
type subscription struct {
	topic     entityID
	next, end int64 // nanoseconds since 1970; the end may be math.MaxInt64
	limit     uint64
	sent      uint64
}

// SubscribeTopic streams the messages of a topic since a time, by default now,
// and then those that come, until the end time or the limit, which nobody has
// to set (ConsensusController and TopicMessageServiceImpl of hiero-mirror-node).
func (s *topicService) SubscribeTopic(query *mirror.ConsensusTopicQuery, stream grpc.ServerStreamingServer[mirror.ConsensusTopicResponse]) error {
	ctx := stream.Context()
	if fault, ok := s.simulator.take(SubscribeFault, ""); ok {
		if err := s.disturb(ctx, fault); err != nil {
			return err
		}
	}
	sub, err := s.newSubscription(query)
	if err != nil {
		return err
	}
	for {
		messages, changed := s.read(sub)
		for _, m := range messages {
			if err := s.send(stream, sub, m); err != nil {
				return err
			}
			if sub.limit > 0 && sub.sent >= sub.limit {
				return nil
			}
		}
		if !s.wait(ctx, changed, sub.end) {
			return status.FromContextError(ctx.Err()).Err()
		}
		if s.simulator.options.Now().UnixNano() >= sub.end {
			return nil
		}
	}
}

// newSubscription refuses what makes no sense, and what is no topic.
func (s *topicService) newSubscription(query *mirror.ConsensusTopicQuery) (*subscription, error) {
	now := s.simulator.options.Now().UnixNano()
	sub := &subscription{topic: packTopicID(query.GetTopicID()), next: now, end: math.MaxInt64, limit: query.GetLimit()}
	if start := query.GetConsensusStartTime(); start != nil {
		sub.next = nanos(start)
	}
	if end := query.GetConsensusEndTime(); end != nil {
		sub.end = nanos(end)
	}
	l := s.simulator
	isTopic, exists := false, false
	l.mu.RLock()
	served := l.ledger.served(0)
	if query.GetTopicID() != nil {
		isTopic = served.topics[sub.topic] != nil
		exists = served.accounts[sub.topic] != nil || served.tokens[sub.topic] != nil || served.schedules[sub.topic] != nil
	}
	l.mu.RUnlock()
	switch {
	case query.GetTopicID() == nil:
		return nil, status.Error(codes.InvalidArgument, "subscribeTopic.filter.topicId: must not be null")
	case sub.next > now:
		return nil, status.Error(codes.InvalidArgument, "subscribeTopic.filter: Start time must be before the current time")
	case sub.end <= sub.next:
		return nil, status.Error(codes.InvalidArgument, "subscribeTopic.filter: End time must be after start time")
	case exists && !isTopic:
		return nil, status.Error(codes.InvalidArgument, "Not a valid topic")
	case !isTopic:
		return nil, status.Errorf(codes.NotFound, "%s does not exist", sub.topic)
	}
	return sub, nil
}

// nanos since 1970, at most those of an int64.
func nanos(t *services.Timestamp) int64 {
	if t.GetSeconds() >= math.MaxInt64/int64(time.Second) {
		return math.MaxInt64
	}
	return t.GetSeconds()*int64(time.Second) + int64(t.GetNanos())
}

// read returns the messages that are new to the subscription, and a channel
// that is closed when the network has changed.
func (s *topicService) read(sub *subscription) ([]message, <-chan struct{}) {
	s.simulator.mu.RLock()
	defer s.simulator.mu.RUnlock()
	topic := s.simulator.ledger.topics[sub.topic]
	if topic == nil {
		return nil, s.simulator.changed
	}
	var found []message
	for _, m := range topic.messages {
		if at := m.at.UnixNano(); at >= sub.next && at < sub.end && !m.hiddenGRPC {
			found = append(found, m)
		}
	}
	return found, s.simulator.changed
}

// wait ends when the network has changed or the end has come, or, with false,
// with the context.
func (s *topicService) wait(ctx context.Context, changed <-chan struct{}, end int64) bool {
	var ended <-chan time.Time
	if end < math.MaxInt64 {
		timer := time.NewTimer(time.Duration(end - s.simulator.options.Now().UnixNano()))
		defer timer.Stop()
		ended = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-ended:
	}
	return true
}

// send sends a message, unless a fault says otherwise.
func (s *topicService) send(stream grpc.ServerStreamingServer[mirror.ConsensusTopicResponse], sub *subscription, m message) error {
	times := 1
	if fault, ok := s.simulator.take(TopicMessageFault, ""); ok {
		if err := s.disturb(stream.Context(), fault); err != nil {
			return err
		}
		switch fault.Kind {
		case FaultDrop:
			times = 0
		case FaultDuplicate:
			times = 2
		}
	}
	sub.next = m.at.UnixNano() + 1
	sub.sent++
	for range times {
		if err := stream.Send(m.proto()); err != nil {
			return err
		}
	}
	return nil
}

// disturb fails where the fault ends the stream.
func (s *topicService) disturb(ctx context.Context, fault Fault) error {
	switch fault.Kind {
	case FaultStatus:
		return status.Error(codes.Code(fault.Status), "injected fault") //nolint:gosec // validated, 1 to 16
	case FaultReset:
		s.connections.reset(ctx)
		return status.Error(codes.Unavailable, "connection reset")
	case FaultHang:
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	case FaultLatency:
		if !sleep(ctx, fault.Latency) {
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	return nil
}

// proto is the message as the mirror streams it.
func (m message) proto() *mirror.ConsensusTopicResponse {
	return &mirror.ConsensusTopicResponse{
		ConsensusTimestamp: &services.Timestamp{Seconds: m.at.Unix(), Nanos: int32(m.at.Nanosecond())}, //nolint:gosec // below 1e9
		Message:            m.body,
		RunningHash:        m.runningHash,
		RunningHashVersion: runningHashVersion,
		SequenceNumber:     uint64(m.sequence), //nolint:gosec // it counts from 1
		ChunkInfo:          m.chunk,
	}
}
