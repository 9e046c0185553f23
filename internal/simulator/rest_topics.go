// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// topicDetail is a topic with its custom fees, of which the simulated ones have
// none.
type topicDetail struct {
	Topic
	CustomFees       customFees `json:"custom_fees"`
	FeeExemptKeyList []Key      `json:"fee_exempt_key_list"`
}

type messageList struct {
	Messages []restMessage `json:"messages"`
	listLinks
}

type restMessage struct {
	ChunkInfo          *struct{} `json:"chunk_info"`
	ConsensusTimestamp string    `json:"consensus_timestamp"`
	Message            string    `json:"message"`
	PayerAccountID     *string   `json:"payer_account_id"`
	RunningHash        string    `json:"running_hash"`
	RunningHashVersion int       `json:"running_hash_version"`
	SequenceNumber     int64     `json:"sequence_number"`
	TopicID            string    `json:"topic_id"`
}

func (l *ledger) topicRoutes() []route {
	return []route{
		{path: "/api/v1/topics/{id}", maxAge: 5 * time.Second, answer: l.answerTopic},
		{
			path:   "/api/v1/topics/{id}/messages",
			maxAge: time.Second,
			params: []string{"encoding", "limit", "order", "sequencenumber", "timestamp"},
			answer: l.answerMessages,
		},
	}
}

func (l *ledger) answerTopic(r *http.Request, _ query) (any, error) {
	id, err := pathEntity(r, "topicId")
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	t := l.topics[id]
	if t == nil {
		return nil, notFound()
	}
	return topicDetail{
		Topic:            t.Topic,
		CustomFees:       customFees{t.CreatedTimestamp, []struct{}{}},
		FeeExemptKeyList: []Key{},
	}, nil
}

// answerMessages lists messages, oldest first.
func (l *ledger) answerMessages(r *http.Request, q query) (any, error) {
	id, err := pathEntity(r, "topicId")
	if err != nil {
		return nil, err
	}
	sequences, err := q.filters("sequencenumber", parseNumber)
	if err != nil {
		return nil, err
	}
	timestamps, err := q.filters("timestamp", parseTimestamp)
	if err != nil {
		return nil, err
	}
	encoding, err := q.choice("encoding", "base64", "utf-8", "utf8")
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	t := l.topics[id]
	if t == nil {
		return nil, &restError{status: http.StatusNotFound, message: "No such topic id - " + r.PathValue("id")}
	}
	rows := selectRows(page, t.messages, func(m message) bool {
		return sequences.match(m.sequence) && timestamps.match(m.at.UnixNano())
	})
	list := messageList{Messages: make([]restMessage, len(rows))}
	for i, m := range rows {
		list.Messages[i] = m.rest(t.ID, encoding)
	}
	list.Links.Next = nextRows(q, page, rows, "timestamp", func(m message) string { return formatTimestamp(m.at) })
	return list, nil
}

func (m message) rest(topicID, encoding string) restMessage {
	text := fmt.Sprintf("message %d of %s", m.sequence, topicID)
	hash := sha512.Sum384([]byte(text))
	if encoding == "" || encoding == "base64" {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return restMessage{
		ConsensusTimestamp: formatTimestamp(m.at),
		Message:            text,
		PayerAccountID:     nullString(m.payer),
		RunningHash:        base64.StdEncoding.EncodeToString(hash[:]),
		RunningHashVersion: 3,
		SequenceNumber:     m.sequence,
		TopicID:            topicID,
	}
}
