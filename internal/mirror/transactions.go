// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strings"
)

// Transaction is a transaction that reached consensus (FACTS.md 1.4). Pointers
// are nil where the mirror answers null. Amounts are in tinybar.
type Transaction struct {
	// ConsensusTimestamp is unique to the transaction.
	ConsensusTimestamp Timestamp `json:"consensus_timestamp"`
	// ID is the payer, the start of the validity in seconds and in nanoseconds,
	// separated by "-". Scheduled and child transactions share it.
	ID   string `json:"transaction_id"`
	Name string `json:"name"`
	// Result is the name of a HAPI ResponseCodeEnum.
	Result       string     `json:"result"`
	ChargedTxFee int64      `json:"charged_tx_fee"`
	Transfers    []Transfer `json:"transfers"`
	EntityID     *string    `json:"entity_id"`
	Node         *string    `json:"node"`
	// Nonce is above 0 for transactions that another one caused.
	Nonce                    int64      `json:"nonce"`
	ParentConsensusTimestamp *Timestamp `json:"parent_consensus_timestamp"`
	Scheduled                bool       `json:"scheduled"`
}

// Transfer is an amount that an account received or, if negative, spent.
type Transfer struct {
	Account    string `json:"account"`
	Amount     int64  `json:"amount"`
	IsApproval bool   `json:"is_approval"`
}

// Payer is the account in the ID. It pays the fee, unless the transaction was
// scheduled with another payer.
func (t Transaction) Payer() string {
	payer, _, _ := strings.Cut(t.ID, "-")
	return payer
}

// Transactions returns the transactions that an account paid for or that moved
// its hbar or tokens, after a consensus timestamp, in ascending order, page by
// page as they are asked for. A page may be empty and yet have More, as the
// mirror looks at 60 days at a time. An error is the last thing that it yields.
// (GET /api/v1/transactions)
func (c *Client) Transactions(ctx context.Context, accountID string, after Timestamp) iter.Seq2[Page[Transaction], error] {
	r := get(c.rest, "/api/v1/transactions", url.Values{
		"account.id": {accountID},
		"timestamp":  {"gt:" + after.String()},
		"order":      {"asc"},
		"limit":      {pageSize(maxRepeated)},
	})
	r.detail = "account " + accountID
	return pages(ctx, c, r, decodeTransactions)
}

func decodeTransactions(body []byte) (page[Transaction], error) {
	var r struct {
		Transactions []Transaction `json:"transactions"`
		Links        links         `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[Transaction]{}, err
	}
	return newPage("transactions", r.Transactions, r.Links)
}
