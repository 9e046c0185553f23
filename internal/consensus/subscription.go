// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TopicMessage is a message that a mirror has streamed.
type TopicMessage struct {
	Consensus time.Time
	Sequence  uint64 // counts the topic's messages from 1
	Content   []byte
}

// TopicOptions say of which topic the messages are, and which mirror has them.
type TopicOptions struct {
	Address     string // of the mirror node's gRPC API, host:port
	TLS         bool
	Topic       hiero.TopicID
	DialContext DialContextFunc // opens connections; nil is TCP
}

// TopicClient subscribes to a topic at a mirror node's gRPC API.
type TopicClient struct {
	options TopicOptions
}

// NewTopicClient returns a client that connects on each call.
func NewTopicClient(options TopicOptions) *TopicClient { return &TopicClient{options: options} }

// Subscribe calls received with each message from the time on, in the order of
// consensus, until ctx ends or the stream breaks; a mirror that ends the stream
// has broken it. Without a time it begins with the next message. The call has a
// connection of its own, so that a broken one cannot linger in backoff
// (docs/hedera.md 2.6).
func (c *TopicClient) Subscribe(ctx context.Context, from time.Time, received func(TopicMessage)) error {
	if err := c.stream(ctx, from, received); err != nil {
		return fmt.Errorf("mirror grpc://%s: ConsensusService/subscribeTopic for topic %s: %w", c.options.Address, c.options.Topic, cutError(err))
	}
	return nil
}

func (c *TopicClient) stream(ctx context.Context, from time.Time, received func(TopicMessage)) (err error) {
	conn, bound, err := dialMirror(c.options.Address, c.options.TLS, maxTopicMessageBytes, c.options.DialContext)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bound.close(conn)) }()

	query := &mirror.ConsensusTopicQuery{TopicID: protoTopicID(c.options.Topic)}
	if !from.IsZero() {
		query.ConsensusStartTime = &services.Timestamp{Seconds: from.Unix(), Nanos: int32(from.Nanosecond())} //nolint:gosec // below 1e9
	}
	stream, err := mirror.NewConsensusServiceClient(conn).SubscribeTopic(ctx, query)
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return status.Error(codes.Unavailable, "the mirror has ended the stream")
		case err != nil:
			return err
		}
		at := message.GetConsensusTimestamp()
		received(TopicMessage{
			Consensus: time.Unix(at.GetSeconds(), int64(at.GetNanos())),
			Sequence:  message.GetSequenceNumber(),
			Content:   message.GetMessage(),
		})
	}
}
