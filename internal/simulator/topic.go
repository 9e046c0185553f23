// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// Topic is a topic of GET /api/v1/topics/{id} (docs/hedera.md 1.4). A nil pointer is
// JSON null. AutoRenewPeriod is seconds.
type Topic struct {
	AdminKey         *Key           `json:"admin_key"`
	AutoRenewAccount *string        `json:"auto_renew_account"`
	AutoRenewPeriod  *int64         `json:"auto_renew_period"`
	CreatedTimestamp *string        `json:"created_timestamp"`
	Deleted          *bool          `json:"deleted"`
	FeeScheduleKey   *Key           `json:"fee_schedule_key"`
	ID               string         `json:"topic_id"`
	Memo             string         `json:"memo"`
	SubmitKey        *Key           `json:"submit_key"`
	Timestamp        TimestampRange `json:"timestamp"`
}

// topic is a Topic with the latest of its messages.
type topic struct {
	Topic
	id       entityID
	messages []message // those that the mirror has, ascending sequence numbers

	// Of the last message that was ordered, whether or not the mirror has it.
	sequence    int64
	last        time.Time
	runningHash []byte
}

// message is never changed.
type message struct {
	sequence    int64
	at          time.Time
	payer       string
	body        []byte
	runningHash []byte
	chunk       *services.ConsensusMessageChunkInfo

	hiddenREST, hiddenGRPC bool // the mirror does not show it there
}

const maxMessages = 1000 // older ones are forgotten

// Deterministic topics.
const (
	busyTopic  = "0.0.120438"
	quietTopic = "0.0.2450001"
	bareTopic  = "0.0.3030303"
)

// addTopics makes a topic with messages, one without, and a deleted one
// that is null wherever the API allows it.
func (l *Ledger) addTopics(rng *rand.Rand, payer string) error {
	created := formatTimestamp(accountsEpoch.Add(48 * time.Hour))
	base := Topic{
		AutoRenewAccount: &payer, AutoRenewPeriod: new(int64(autoRenewPeriod)),
		CreatedTimestamp: &created, Deleted: new(false), Timestamp: TimestampRange{From: created},
	}
	busy := base
	busy.ID, busy.Memo = l.local(busyTopic), "simulated audit log"
	busy.SubmitKey = &Key{Type: "ED25519", Key: randomHex(rng, 32)}
	quiet := base
	quiet.ID, quiet.Memo = l.local(quietTopic), "nothing yet"
	bare := Topic{ID: l.local(bareTopic), Timestamp: TimestampRange{From: created}}
	for _, t := range []Topic{busy, quiet, bare} {
		if err := l.AddTopic(t); err != nil {
			return err
		}
	}
	const messages = 30
	end := l.blocks[len(l.blocks)-1].from
	for i := range messages {
		at := end.Add(time.Duration(i-messages+1) * time.Minute)
		for _, name := range []string{busyTopic, bareTopic} {
			if _, err := l.addMessage(l.local(name), at, payer); err != nil {
				return err
			}
		}
	}
	t, err := l.topic(l.local(bareTopic))
	if err != nil {
		return err
	}
	t.Deleted = new(true)
	return nil
}

// AddTopic adds a topic that does not exist yet.
func (l *Ledger) AddTopic(t Topic) error {
	id, err := parseEntityID(t.ID)
	if err != nil {
		return err
	}
	if l.topics[id] != nil {
		return fmt.Errorf("topic %s exists already", id)
	}
	t.ID = id.String()
	l.topics[id] = &topic{Topic: t, id: id, runningHash: emptyRunningHash}
	return nil
}

func (l *Ledger) topic(id string) (*topic, error) {
	parsed, err := parseEntityID(id)
	if err != nil {
		return nil, err
	}
	found := l.topics[parsed]
	if found == nil {
		return nil, fmt.Errorf("topic %s: %w", id, errUnknown)
	}
	return found, nil
}

// AddTopicMessage submits a message that reaches consensus at a time after that
// of the topic's last one, and returns its sequence number. It fails for
// unknown and deleted topics.
func (l *Ledger) AddTopicMessage(topicID string, at time.Time) (sequence int64, err error) {
	return l.addMessage(topicID, at, l.local(treasuryAccount))
}

func (l *Ledger) addMessage(topicID string, at time.Time, payer string) (int64, error) {
	t, err := l.topic(topicID)
	if err != nil {
		return 0, err
	}
	return t.append(at, payer)
}

// append orders a made-up message, which the mirror has at once.
func (t *topic) append(at time.Time, payer string) (int64, error) {
	if t.deleted() {
		return 0, fmt.Errorf("topic %s is deleted", t.ID)
	}
	if !at.After(t.last) {
		return 0, fmt.Errorf("topic %s: %s is not after the last message, %s", t.ID, at, t.last)
	}
	id, err := parseEntityID(payer)
	if err != nil {
		return 0, err
	}
	t.show(t.next(at, id, fmt.Appendf(nil, "message %d of %s", t.sequence+1, t.ID)))
	return t.sequence, nil
}

// next gives a message the next sequence number and the next running hash.
func (t *topic) next(at time.Time, payer entityID, body []byte) message {
	t.sequence++
	t.last = at
	t.runningHash = runningHash(t.runningHash, payer, t.id, at, t.sequence, body)
	return message{sequence: t.sequence, at: at, payer: payer.String(), body: body, runningHash: t.runningHash}
}

// show makes a message visible on the mirror.
func (t *topic) show(m message) {
	at, _ := slices.BinarySearchFunc(t.messages, m.sequence, func(m message, sequence int64) int {
		return cmp.Compare(m.sequence, sequence)
	})
	t.messages = slices.Insert(t.messages, at, m)
	if excess := len(t.messages) - maxMessages; excess > 0 {
		t.messages = slices.Delete(t.messages, 0, excess)
	}
}

func (t *topic) deleted() bool { return t.Deleted != nil && *t.Deleted }

// TopicIDs lists every topic, by ascending id.
func (s *Simulator) TopicIDs() []string {
	return view(s, func(l *Ledger) []string { return sortedIDs(l.topics) })
}

// DeleteTopic marks a topic as deleted: it keeps its messages.
func (l *Ledger) DeleteTopic(id string) error {
	t, err := l.topic(id)
	if err != nil {
		return err
	}
	t.Deleted = new(true)
	return nil
}

func topicControls() map[string]controlCall {
	type body struct {
		Timestamp string `json:"timestamp"`
	}
	return map[string]controlCall{
		"POST /simulator/topics/{id}/messages": updating(func(l *Ledger, r *http.Request, b body) (any, error) {
			at, err := l.timeOf(b.Timestamp)
			if err != nil {
				return nil, err
			}
			sequence, err := l.AddTopicMessage(r.PathValue("id"), at)
			return map[string]int64{"sequence_number": sequence}, err
		}),
		"POST /simulator/topics": updating(func(l *Ledger, _ *http.Request, t Topic) (any, error) {
			return nil, l.AddTopic(t)
		}),
		"DELETE /simulator/topics/{id}": updating(func(l *Ledger, r *http.Request, _ struct{}) (any, error) {
			return nil, l.DeleteTopic(r.PathValue("id"))
		}),
	}
}

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
	ChunkInfo          *restChunk `json:"chunk_info"`
	ConsensusTimestamp string     `json:"consensus_timestamp"`
	Message            string     `json:"message"`
	PayerAccountID     *string    `json:"payer_account_id"`
	RunningHash        string     `json:"running_hash"`
	RunningHashVersion int        `json:"running_hash_version"`
	SequenceNumber     int64      `json:"sequence_number"`
	TopicID            string     `json:"topic_id"`
}

// restChunk is the part of a longer message that a message is.
type restChunk struct {
	InitialTransactionID *restTransactionID `json:"initial_transaction_id"`
	Number               int32              `json:"number"`
	Total                int32              `json:"total"`
}

type restTransactionID struct {
	AccountID  string `json:"account_id"`
	Nonce      int32  `json:"nonce"`
	Scheduled  bool   `json:"scheduled"`
	ValidStart string `json:"transaction_valid_start"`
}

func newRESTChunk(chunk *services.ConsensusMessageChunkInfo) *restChunk {
	if chunk == nil {
		return nil
	}
	answer := &restChunk{Number: chunk.GetNumber(), Total: chunk.GetTotal()}
	if id := chunk.GetInitialTransactionID(); id != nil {
		account, _ := packAccountID(id.GetAccountID())
		start := id.GetTransactionValidStart()
		answer.InitialTransactionID = &restTransactionID{
			AccountID:  account.String(),
			Nonce:      id.GetNonce(),
			Scheduled:  id.GetScheduled(),
			ValidStart: formatTimestamp(time.Unix(start.GetSeconds(), int64(start.GetNanos()))),
		}
	}
	return answer
}

func topicRoutes() []route {
	return []route{
		{path: "/api/v1/topics/{id}", maxAge: 5 * time.Second, answer: (*Ledger).answerTopic},
		{
			path:   "/api/v1/topics/{id}/messages",
			maxAge: time.Second,
			params: []string{"encoding", "limit", "order", "sequencenumber", "timestamp"},
			answer: (*Ledger).answerMessages,
		},
		{path: "/api/v1/topics/{id}/messages/{sequence}", maxAge: 10 * time.Minute, answer: (*Ledger).answerMessage},
	}
}

func (l *Ledger) answerTopic(r *http.Request, q query) (any, error) {
	id, err := q.pathEntity(r, "topic.id")
	if err != nil {
		return nil, err
	}
	t := l.topics[id]
	if t == nil {
		return nil, javaNotFound("Topic not found")
	}
	return topicDetail{
		Topic:            t.Topic,
		CustomFees:       customFees{CreatedTimestamp: t.CreatedTimestamp, FixedFees: []struct{}{}},
		FeeExemptKeyList: []Key{},
	}, nil
}

// answerMessage is one message, by its sequence number.
func (l *Ledger) answerMessage(r *http.Request, q query) (any, error) {
	id, err := q.pathEntity(r, "topic.id")
	if err != nil {
		return nil, err
	}
	sequence, err := parseNumber(r.PathValue("sequence"))
	if err != nil {
		return nil, badRequest(msgInvalidParameter, "sequencenumber")
	}
	t := l.topics[id]
	if t == nil {
		return nil, notFound()
	}
	for _, m := range t.messages {
		if m.sequence == sequence && !m.hiddenREST {
			return m.rest(t.ID, ""), nil
		}
	}
	return nil, notFound()
}

// answerMessages lists messages, oldest first. What is no topic has none, as a
// topic without messages (recorded; hiero-mirror-node#3443).
func (l *Ledger) answerMessages(r *http.Request, q query) (any, error) {
	id, err := q.pathEntity(r, "topic.id")
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
	t := l.topics[id]
	if t == nil {
		return messageList{Messages: []restMessage{}}, nil
	}
	rows := selectRows(page, t.messages, func(m message) bool {
		return !m.hiddenREST && sequences.matchAll(m.sequence) && timestamps.matchAll(m.at.UnixNano())
	})
	list := messageList{Messages: make([]restMessage, len(rows))}
	for i, m := range rows {
		list.Messages[i] = m.rest(t.ID, encoding)
	}
	list.Links.Next = nextRows(q, page, rows, "timestamp", func(m message) string { return formatTimestamp(m.at) })
	return list, nil
}

func (m message) rest(topicID, encoding string) restMessage {
	text := string(m.body)
	if encoding == "" || encoding == "base64" {
		text = base64.StdEncoding.EncodeToString(m.body)
	}
	return restMessage{
		ChunkInfo:          newRESTChunk(m.chunk),
		ConsensusTimestamp: formatTimestamp(m.at),
		Message:            text,
		PayerAccountID:     nullString(m.payer),
		RunningHash:        base64.StdEncoding.EncodeToString(m.runningHash),
		RunningHashVersion: runningHashVersion,
		SequenceNumber:     m.sequence,
		TopicID:            topicID,
	}
}
