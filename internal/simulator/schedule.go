// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Schedule is a schedule of GET /api/v1/schedules (docs/hedera.md 1.4). A nil pointer
// is JSON null.
type Schedule struct {
	AdminKey           *Key                `json:"admin_key"`
	ConsensusTimestamp string              `json:"consensus_timestamp"`
	CreatorAccountID   *string             `json:"creator_account_id"`
	Deleted            bool                `json:"deleted"`
	ExecutedTimestamp  *string             `json:"executed_timestamp"`
	ExpirationTime     *string             `json:"expiration_time"`
	ID                 string              `json:"schedule_id"`
	Memo               string              `json:"memo"`
	PayerAccountID     *string             `json:"payer_account_id"`
	Signatures         []ScheduleSignature `json:"signatures"`
	TransactionBody    string              `json:"transaction_body"`
	WaitForExpiry      bool                `json:"wait_for_expiry"`
}

// ScheduleSignature is a signature that a schedule has collected. Keys and
// signatures are base64.
type ScheduleSignature struct {
	ConsensusTimestamp string `json:"consensus_timestamp"`
	PublicKeyPrefix    string `json:"public_key_prefix"`
	Signature          string `json:"signature"`
	Type               string `json:"type"`
}

const firstScheduleNum = 8_100_001

// scheduleLife is how long a schedule without an expiration time is kept.
const scheduleLife = 31 * time.Minute

// addSchedules makes four schedules of one creator: two pending, of which
// one has no expiration, an executed and a deleted one.
func (l *Ledger) addSchedules(rng *rand.Rand, creator string) error {
	start := l.now().UTC().Truncate(24 * time.Hour)
	expiration := new(formatTimestamp(start.AddDate(0, 0, 30)))
	made := []Schedule{
		{Memo: "payroll", ExpirationTime: expiration, WaitForExpiry: true, Signatures: newSignatures(rng, start, 2)},
		{Memo: "transfer", Signatures: newSignatures(rng, start, 1)},
		{Memo: "done", ExecutedTimestamp: new(formatTimestamp(start)), Signatures: newSignatures(rng, start, 3)},
		{Memo: "withdrawn", Deleted: true},
	}
	for i, s := range made {
		s.ID = l.local(fmt.Sprintf("0.0.%d", firstScheduleNum+i))
		s.ConsensusTimestamp = formatTimestamp(start.Add(time.Duration(i-len(made)) * time.Hour))
		s.CreatorAccountID, s.PayerAccountID = &creator, &creator
		s.TransactionBody = base64.StdEncoding.EncodeToString(randomBytes(rng, 32))
		if err := l.AddSchedule(s); err != nil {
			return err
		}
	}
	return nil
}

func newSignatures(rng *rand.Rand, at time.Time, count int) []ScheduleSignature {
	signatures := make([]ScheduleSignature, count)
	for i := range signatures {
		signatures[i] = ScheduleSignature{
			ConsensusTimestamp: formatTimestamp(at.Add(time.Duration(i-count) * time.Minute)),
			PublicKeyPrefix:    base64.StdEncoding.EncodeToString(randomBytes(rng, 32)),
			Signature:          brokenBase64(randomBytes(rng, 64)),
			Type:               "ED25519",
		}
	}
	return signatures
}

// brokenBase64 has a line break every 76 characters, as PostgreSQL encodes it
// (recorded).
func brokenBase64(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var lines []string
	for chunk := range slices.Chunk([]byte(text), 76) {
		lines = append(lines, string(chunk))
	}
	return strings.Join(lines, "\n")
}

// AddSchedule adds a schedule that does not exist yet, by default created now.
func (l *Ledger) AddSchedule(s Schedule) error {
	id, err := parseEntityID(s.ID)
	if err != nil {
		return err
	}
	if l.schedules[id] != nil {
		return fmt.Errorf("schedule %s exists already", id)
	}
	s.ID = id.String()
	s.ConsensusTimestamp = withDefault(s.ConsensusTimestamp, formatTimestamp(l.now()))
	s.Signatures = append([]ScheduleSignature{}, s.Signatures...) // never null
	l.schedules[id] = &s
	return nil
}

// ExecuteSchedule executes a pending schedule now. It fails for any other.
func (l *Ledger) ExecuteSchedule(id string) error {
	parsed, err := parseEntityID(id)
	if err != nil {
		return err
	}
	s := l.schedules[parsed]
	if s == nil {
		return fmt.Errorf("schedule %s: %w", id, errUnknown)
	}
	if s.Deleted || s.ExecutedTimestamp != nil {
		return fmt.Errorf("schedule %s is not pending", id)
	}
	s.ExecutedTimestamp = new(formatTimestamp(l.now()))
	return nil
}

// ScheduleCreators lists the accounts that made schedules, by ascending id.
func (s *Simulator) ScheduleCreators() []string { return view(s, (*Ledger).scheduleCreators) }

func (l *Ledger) scheduleCreators() []string {
	var ids []entityID
	for _, s := range l.schedules {
		if id, ok := s.creator(); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	creators := []string{}
	for _, id := range slices.Compact(ids) {
		creators = append(creators, id.String())
	}
	return creators
}

func (s *Schedule) creator() (entityID, bool) {
	if s.CreatorAccountID == nil {
		return 0, false
	}
	id, err := parseEntityID(*s.CreatorAccountID)
	return id, err == nil
}

func scheduleControls() map[string]controlCall {
	return map[string]controlCall{
		"POST /simulator/schedules": updating(func(l *Ledger, _ *http.Request, s Schedule) (any, error) {
			return nil, l.AddSchedule(s)
		}),
		"POST /simulator/schedules/{id}/execute": updating(func(l *Ledger, r *http.Request, _ struct{}) (any, error) {
			return nil, l.ExecuteSchedule(r.PathValue("id"))
		}),
	}
}

type scheduleList struct {
	Schedules []Schedule `json:"schedules"`
	listLinks
}

// scheduleDetail is a schedule that caches keep for longer when it does not
// change any more (recorded).
type scheduleDetail struct {
	Schedule
	now time.Time
}

func (d scheduleDetail) maxAge() time.Duration {
	end := d.ExpirationTime
	if end == nil {
		end = expiryOf(&d.ConsensusTimestamp, new(int64(scheduleLife.Seconds())))
	}
	at, err := parseTimestamp(*end)
	if d.Deleted || d.ExecutedTimestamp != nil || err == nil && at < d.now.UnixNano() {
		return time.Hour
	}
	return time.Second
}

func scheduleRoutes() []route {
	return []route{
		{
			path:   "/api/v1/schedules",
			maxAge: 10 * time.Second,
			params: []string{"account.id", "limit", "order", "schedule.id"},
			answer: (*Ledger).answerSchedules,
		},
		{path: "/api/v1/schedules/{id}", maxAge: time.Second, answer: (*Ledger).answerSchedule},
	}
}

// answerSchedules lists schedules, oldest first; account.id is the creator.
func (l *Ledger) answerSchedules(_ *http.Request, q query) (any, error) {
	creators, err := q.entities("account.id")
	if err != nil {
		return nil, err
	}
	ids, err := q.entities("schedule.id")
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	anyCreator := len(q.values("account.id")) == 0
	rows := selectRows(page, slices.Sorted(maps.Keys(l.schedules)), func(id entityID) bool {
		creator, known := l.schedules[id].creator()
		return ids.match(int64(id)) && (anyCreator || known && creators.match(int64(creator)))
	})
	list := scheduleList{Schedules: make([]Schedule, len(rows))}
	for i, id := range rows {
		list.Schedules[i] = *l.schedules[id]
	}
	list.Links.Next = nextRows(q, page, rows, "schedule.id", entityID.String)
	return list, nil
}

func (l *Ledger) answerSchedule(r *http.Request, q query) (any, error) {
	id, err := q.pathEntity(r, "scheduleid")
	if err != nil {
		return nil, err
	}
	if s := l.schedules[id]; s != nil {
		return scheduleDetail{*s, l.now()}, nil
	}
	return nil, notFound()
}
