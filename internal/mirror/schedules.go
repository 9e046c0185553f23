// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
)

// Schedule is a transaction that waits for signatures or for its time
// (FACTS.md 1.4). Pointers are nil where the mirror answers null.
type Schedule struct {
	ID               string  `json:"schedule_id"`
	CreatorAccountID *string `json:"creator_account_id"`
	PayerAccountID   *string `json:"payer_account_id"`
	Memo             string  `json:"memo"`
	// ConsensusTimestamp is when the schedule was created.
	ConsensusTimestamp Timestamp `json:"consensus_timestamp"`
	// ExpirationTime is nil for schedules that did not set one: they expire
	// after the network's default (HIP-423).
	ExpirationTime    *Timestamp          `json:"expiration_time"`
	ExecutedTimestamp *Timestamp          `json:"executed_timestamp"`
	Deleted           bool                `json:"deleted"`
	WaitForExpiry     bool                `json:"wait_for_expiry"`
	Signatures        []ScheduleSignature `json:"signatures"`
}

// ScheduleSignature is a signature that a schedule has collected.
type ScheduleSignature struct {
	ConsensusTimestamp Timestamp `json:"consensus_timestamp"`
	// PublicKeyPrefix tells the signers apart; it is in base64.
	PublicKeyPrefix string `json:"public_key_prefix"`
	// Type is CONTRACT, ED25519, RSA_3072, ECDSA_384, ECDSA_SECP256K1 or UNKNOWN.
	Type string `json:"type"`
}

// Pending reports whether the schedule has been neither executed nor deleted.
// It may have expired.
func (s Schedule) Pending() bool {
	return s.ExecutedTimestamp == nil && !s.Deleted
}

// Schedules returns the schedules that an account created, the newest first,
// page by page as they are asked for: executed and expired ones stay listed, so
// the caller stops where none can be pending any more. An error is the last
// thing that it yields. (GET /api/v1/schedules)
func (c *Client) Schedules(ctx context.Context, creatorID string) iter.Seq2[Page[Schedule], error] {
	r := get(c.rest, "/api/v1/schedules", url.Values{
		"account.id": {creatorID},
		"order":      {"desc"},
		"limit":      {pageSize(maxRepeated)},
	})
	r.detail = "creator " + creatorID
	return pages(ctx, c, r, decodeSchedules)
}

func decodeSchedules(body []byte) (page[Schedule], error) {
	var r struct {
		Schedules []Schedule `json:"schedules"`
		Links     links      `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[Schedule]{}, err
	}
	return newPage("schedules", r.Schedules, r.Links)
}
