// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"time"
)

type transactionList struct {
	Transactions []restTransaction `json:"transactions"`
	listLinks
}

// restTransaction is a transaction in /api/v1/transactions (FACTS.md 1.4).
type restTransaction struct {
	BatchKey                 *Key            `json:"batch_key"`
	Bytes                    *string         `json:"bytes"`
	ChargedTxFee             int64           `json:"charged_tx_fee"`
	ConsensusTimestamp       string          `json:"consensus_timestamp"`
	EntityID                 *string         `json:"entity_id"`
	HighVolume               bool            `json:"high_volume"`
	HighVolumePricing        *int64          `json:"high_volume_pricing_multiplier"`
	MaxCustomFees            []struct{}      `json:"max_custom_fees"`
	MaxFee                   int64           `json:"max_fee,string"`
	MemoBase64               string          `json:"memo_base64"`
	Name                     string          `json:"name"`
	NFTTransfers             []struct{}      `json:"nft_transfers"`
	Node                     *string         `json:"node"`
	Nonce                    int64           `json:"nonce"`
	ParentConsensusTimestamp *string         `json:"parent_consensus_timestamp"`
	Result                   string          `json:"result"`
	Scheduled                bool            `json:"scheduled"`
	StakingRewardTransfers   []struct{}      `json:"staking_reward_transfers"`
	TokenTransfers           []TokenTransfer `json:"token_transfers"`
	TransactionHash          string          `json:"transaction_hash"`
	TransactionID            string          `json:"transaction_id"`
	Transfers                []restTransfer  `json:"transfers"`
	ValidDurationSeconds     int64           `json:"valid_duration_seconds,string"`
	ValidStartTimestamp      string          `json:"valid_start_timestamp"`
}

type restTransfer struct {
	Account    string `json:"account"`
	Amount     int64  `json:"amount"`
	IsApproval bool   `json:"is_approval"`
}

const (
	maxTransactionFee = 2 * tinybarPerHbar
	validDuration     = 2 * time.Minute
	timeToConsensus   = 2500 * time.Millisecond
)

func (l *ledger) transactionRoutes() []route {
	return []route{{
		path:   "/api/v1/transactions",
		maxAge: 2 * time.Second,
		params: []string{"account.id", "limit", "order", "result", "timestamp", "transactiontype", "type"},
		answer: l.answerTransactions,
	}}
}

func (l *ledger) answerTransactions(_ *http.Request, q query) (any, error) {
	selected, err := parseTransactionSelection(q)
	if err != nil {
		return nil, err
	}
	return l.selectTransactions(q, selected), nil
}

// transactionSelection is what a query asks for.
type transactionSelection struct {
	accounts   filters
	timestamps filters
	names      []string
	result     string
	direction  string
	paging
}

func parseTransactionSelection(q query) (transactionSelection, error) {
	var s transactionSelection
	var err error
	if s.accounts, err = q.filters("account.id", parseEntity); err != nil {
		return s, err
	}
	if s.timestamps, err = q.filters("timestamp", parseTimestamp); err != nil {
		return s, err
	}
	if s.names, err = q.choices("transactiontype", transactionTypes); err != nil {
		return s, err
	}
	if s.result, err = q.choice("result", "success", "fail"); err != nil {
		return s, err
	}
	if s.direction, err = q.choice("type", "credit", "debit"); err != nil {
		return s, err
	}
	s.paging, err = q.paging(descending)
	return s, err
}

// selectTransactions pages as the mirror does, by the time of the last row:
// of rows with one time, those after a page's border are on no page.
func (l *ledger) selectTransactions(q query, selected transactionSelection) transactionList {
	l.mu.RLock()
	page := selectRows(selected.paging, l.transactions, selected.match)
	l.mu.RUnlock()
	list := transactionList{Transactions: make([]restTransaction, len(page))}
	for i, r := range page {
		list.Transactions[i] = r.rest()
	}
	list.Links.Next = nextRows(q, selected.paging, page, "timestamp",
		func(r *record) string { return formatTimestamp(r.Consensus) })
	return list
}

func (s transactionSelection) match(r *record) bool {
	if !s.timestamps.match(r.Consensus.UnixNano()) {
		return false
	}
	if len(s.names) > 0 && !slices.Contains(s.names, r.Name) {
		return false
	}
	if s.result != "" && (s.result == "success") != r.succeeded() {
		return false
	}
	return s.involves(r)
}

// involves tells whether one of the accounts is payer or occurs in a transfer.
// For credits and debits, only transfers count.
func (s transactionSelection) involves(r *record) bool {
	if s.direction == "" && s.accounts.match(int64(r.payer)) {
		return true
	}
	for _, moved := range r.transfers {
		if s.accounts.match(int64(moved.account)) && s.goes(moved.amount) {
			return true
		}
	}
	for i, moved := range r.TokenTransfers {
		if s.accounts.match(int64(r.tokens[i])) && s.goes(moved.Amount) {
			return true
		}
	}
	return false
}

func (s transactionSelection) goes(amount int64) bool {
	switch s.direction {
	case "credit":
		return amount > 0
	case "debit":
		return amount < 0
	}
	return true
}

func (r *record) rest() restTransaction {
	start := r.Consensus
	if !r.Parent.IsZero() {
		start = r.Parent // they share the transaction id
	}
	start = start.Add(-timeToConsensus)
	answer := restTransaction{
		ChargedTxFee:           r.Fee,
		ConsensusTimestamp:     formatTimestamp(r.Consensus),
		EntityID:               nullString(r.EntityID),
		MaxCustomFees:          []struct{}{},
		MaxFee:                 max(maxTransactionFee, r.Fee),
		Name:                   r.Name,
		NFTTransfers:           []struct{}{},
		Node:                   &r.Node,
		Nonce:                  r.Nonce,
		Result:                 r.Result,
		Scheduled:              r.Scheduled,
		StakingRewardTransfers: []struct{}{},
		TokenTransfers:         append([]TokenTransfer{}, r.TokenTransfers...),
		TransactionID:          fmt.Sprintf("%s-%d-%09d", r.payer, start.Unix(), start.Nanosecond()),
		Transfers:              make([]restTransfer, len(r.transfers)),
		ValidDurationSeconds:   int64(validDuration.Seconds()),
		ValidStartTimestamp:    formatTimestamp(start),
	}
	if !r.Parent.IsZero() {
		answer.ParentConsensusTimestamp = new(formatTimestamp(r.Parent))
		answer.Node = nil
	}
	for i, moved := range r.transfers {
		answer.Transfers[i] = restTransfer{Account: moved.account.String(), Amount: moved.amount}
	}
	hash := sha512.Sum384(fmt.Append(nil, answer.TransactionID, r.Nonce, r.Scheduled))
	answer.TransactionHash = base64.StdEncoding.EncodeToString(hash[:])
	return answer
}

func nullString(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
