// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

type blockList struct {
	Blocks []Block `json:"blocks"`
	listLinks
}

func (l *ledger) blockRoutes() []route {
	return []route{
		{
			path:   "/api/v1/blocks",
			maxAge: time.Second,
			params: []string{"block.number", "limit", "order", "timestamp"},
			answer: l.answerBlocks,
		},
		{
			path:   "/api/v1/blocks/{hashOrNumber}",
			maxAge: 10 * time.Minute,
			answer: l.answerBlock,
		},
	}
}

// answerBlocks lists blocks, newest first. The timestamp filter is about the
// end of a block.
func (l *ledger) answerBlocks(_ *http.Request, q query) (any, error) {
	numbers, err := q.filters("block.number", parseNumber)
	if err != nil {
		return nil, err
	}
	timestamps, err := q.filters("timestamp", parseTimestamp)
	if err != nil {
		return nil, err
	}
	limit, err := q.limit(defaultLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	order, err := q.order(descending)
	if err != nil {
		return nil, err
	}
	list := blockList{Blocks: l.selectBlocks(numbers, timestamps, order, limit)}
	if n := len(list.Blocks); n > 0 {
		last := strconv.FormatInt(list.Blocks[n-1].Number, 10)
		list.Links.Next = q.next(n == limit, order, "block.number", last)
	}
	return list, nil
}

func (l *ledger) selectBlocks(numbers, timestamps filters, order string, limit int) []Block {
	l.mu.RLock()
	defer l.mu.RUnlock()
	blocks := slices.All(l.blocks)
	if order == descending {
		blocks = slices.Backward(l.blocks)
	}
	page := make([]Block, 0, limit)
	for _, block := range blocks {
		if !numbers.match(block.Number) || !timestamps.match(block.to.UnixNano()) {
			continue
		}
		page = append(page, block)
		if len(page) == limit {
			break
		}
	}
	return page
}

// blockHashPattern is a whole hash, or the 32 bytes that Ethereum tools know.
var blockHashPattern = regexp.MustCompile(`^(0x)?([0-9A-Fa-f]{64}|[0-9A-Fa-f]{96})$`)

func (l *ledger) answerBlock(r *http.Request, _ query) (any, error) {
	name := r.PathValue("hashOrNumber")
	number, err := parseNumber(name)
	isHash := blockHashPattern.MatchString(name)
	if err != nil && !isHash {
		return nil, badRequest(msgInvalidParameter, "hashOrNumber")
	}
	hash := "0x" + strings.ToLower(strings.TrimPrefix(name, "0x"))
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, block := range slices.Backward(l.blocks) {
		if isHash && strings.HasPrefix(block.Hash, hash) || !isHash && block.Number == number {
			return block, nil
		}
	}
	return nil, notFound()
}
