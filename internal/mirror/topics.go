// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
)

// Topic is a topic without its messages (docs/hedera.md 1.4).
type Topic struct {
	ID      string      `json:"topic_id"`
	Deleted Field[bool] `json:"deleted"`
}

var decodeTopic = object(func(t Topic) error {
	if !isID(t.ID) {
		return errors.New("it has no topic_id")
	}
	return nil
})

// Topic returns a topic. If there is none, the error is [IsNotFound] and not
// [IsMissingRoute]. (GET /api/v1/topics/{id})
func (c *Client) Topic(ctx context.Context, id string) (Topic, error) {
	r, err := getEntity(c.java, "/api/v1/topics/{id}", id, nil)
	if err != nil {
		return Topic{}, err
	}
	return fetch(ctx, c, r, decodeTopic)
}
