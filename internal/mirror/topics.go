// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"net/url"
)

// TopicMessage is a message of a topic, without its content (FACTS.md 1.4).
type TopicMessage struct {
	// SequenceNumber counts the topic's messages from 1.
	SequenceNumber     int64     `json:"sequence_number"`
	ConsensusTimestamp Timestamp `json:"consensus_timestamp"`
	PayerAccountID     *string   `json:"payer_account_id"`
}

// LatestTopicMessage returns the last message of a topic, if it has any. The
// error is [IsNotFound] if there is no such topic.
// (GET /api/v1/topics/{id}/messages)
func (c *Client) LatestTopicMessage(ctx context.Context, topicID string) (message TopicMessage, ok bool, err error) {
	r, err := getEntity(c.rest, "/api/v1/topics/{id}/messages", topicID, url.Values{"order": {"desc"}, "limit": {"1"}})
	if err != nil {
		return TopicMessage{}, false, err
	}
	p, err := fetch(ctx, c, r, decodeTopicMessages)
	if err != nil || len(p.rows) == 0 {
		return TopicMessage{}, false, err
	}
	return p.rows[0], true, nil
}

func decodeTopicMessages(body []byte) (page[TopicMessage], error) {
	var r struct {
		Messages []TopicMessage `json:"messages"`
		Links    links          `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[TopicMessage]{}, err
	}
	return newPage("messages", r.Messages, r.Links)
}
