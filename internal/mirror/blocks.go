// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"strconv"
)

// Block is a block of transactions, today a record file (HIP-415, FACTS.md
// 1.4). Pointers are nil where the mirror answers null.
type Block struct {
	Number int64 `json:"number"`
	// Count is the number of transactions; it may be 0.
	Count   int64  `json:"count"`
	GasUsed *int64 `json:"gas_used"`
	// HAPIVersion is the version of the consensus node's API.
	HAPIVersion  *string `json:"hapi_version"`
	Hash         string  `json:"hash"`
	Name         string  `json:"name"`
	PreviousHash string  `json:"previous_hash"`
	// Size is in bytes.
	Size      *int64         `json:"size"`
	Timestamp TimestampRange `json:"timestamp"`
}

const blocksRoute = "/api/v1/blocks"

// LatestBlock returns the newest block that the mirror has. It is an error if
// it has none. (GET /api/v1/blocks)
func (c *Client) LatestBlock(ctx context.Context) (Block, error) {
	r := get(c.rest, blocksRoute, url.Values{"order": {"desc"}, "limit": {"1"}})
	return fetch(ctx, c, r, func(body []byte) (Block, error) {
		p, err := decodeBlocks(body)
		if err != nil {
			return Block{}, err
		}
		if len(p.rows) == 0 {
			return Block{}, errors.New("it has no block")
		}
		return p.rows[0], nil
	})
}

// Blocks returns the blocks after the one with the given number, in ascending
// order, page by page as they are asked for. An error is the last thing that
// it yields. (GET /api/v1/blocks)
func (c *Client) Blocks(ctx context.Context, after int64) iter.Seq2[Page[Block], error] {
	r := get(c.rest, blocksRoute, url.Values{
		"block.number": {"gt:" + strconv.FormatInt(after, 10)},
		"order":        {"asc"},
		"limit":        {pageSize(maxRepeated)},
	})
	return pages(ctx, c, r, decodeBlocks)
}

func decodeBlocks(body []byte) (page[Block], error) {
	var r struct {
		Blocks []Block `json:"blocks"`
		Links  links   `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[Block]{}, err
	}
	return newPage("blocks", r.Blocks, r.Links)
}
