// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"fmt"
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

const transactionsRoute = "/api/v1/transactions"

// Transactions returns one page, of 100 at most and oldest first, of the
// transactions at and after from that one of accountIDs, 100 at most, paid or
// transferred hbar in. To go on, ask again from the timestamp of the last row:
// the mirror's own next link would skip rows that share it.
func (c *Client) Transactions(ctx context.Context, accountIDs []string, from Timestamp) (Page[Transaction], error) {
	r := get(c.rest, transactionsRoute, url.Values{
		"account.id": accountIDs,
		"timestamp":  {"gte:" + from.String()},
		"order":      {"asc"},
		"limit":      {pageSize(maxRepeated)},
	})
	r.detail = fmt.Sprintf("%d accounts", len(accountIDs))
	p, err := fetch(ctx, c, r, decodeTransactions)
	return Page[Transaction]{Rows: p.rows, More: p.next != ""}, err
}

// LatestTransaction returns the account's last transaction; ok is false where
// it had none in the mirror's window of 60 days (FACTS.md 1.0).
func (c *Client) LatestTransaction(ctx context.Context, accountID string) (latest Transaction, ok bool, err error) {
	r := get(c.rest, transactionsRoute, url.Values{
		"account.id": {accountID},
		"order":      {"desc"},
		"limit":      {"1"},
	})
	r.detail = "account " + accountID
	p, err := fetch(ctx, c, r, decodeTransactions)
	if err != nil || len(p.rows) == 0 {
		return Transaction{}, false, err
	}
	return p.rows[0], true, nil
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
