// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// Contract is a smart contract, without its bytecode (FACTS.md 1.4). Pointers
// are nil where the mirror answers null. Its balance is in [Client.Balances].
type Contract struct {
	ID               string  `json:"contract_id"`
	EVMAddress       *string `json:"evm_address"`
	AdminKey         *Key    `json:"admin_key"`
	AutoRenewAccount *string `json:"auto_renew_account"`
	// AutoRenewPeriod is in seconds.
	AutoRenewPeriod               *int64     `json:"auto_renew_period"`
	CreatedTimestamp              *Timestamp `json:"created_timestamp"`
	Deleted                       bool       `json:"deleted"`
	ExpirationTimestamp           *Timestamp `json:"expiration_timestamp"`
	FileID                        *string    `json:"file_id"`
	MaxAutomaticTokenAssociations *int64     `json:"max_automatic_token_associations"`
	Memo                          string     `json:"memo"`
	Nonce                         *int64     `json:"nonce"`
	ObtainerID                    *string    `json:"obtainer_id"`
	PermanentRemoval              *bool      `json:"permanent_removal"`
}

// Contracts returns contracts as [Client.Accounts] returns accounts. Unlike
// /contracts/{id}, the list comes without bytecode, which is tens of kilobytes.
// (GET /api/v1/contracts)
func (c *Client) Contracts(ctx context.Context, ids []string) ([]Contract, error) {
	newRequest := func(ids []string) request {
		r := get(c.rest, "/api/v1/contracts", url.Values{"contract.id": ids})
		r.detail = fmt.Sprintf("%d contracts", len(ids))
		return r
	}
	return batches(ctx, c, ids, newRequest, decodeContracts, func(c Contract) string { return c.ID })
}

func decodeContracts(body []byte) (page[Contract], error) {
	var r struct {
		Contracts []Contract `json:"contracts"`
		Links     links      `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[Contract]{}, err
	}
	return newPage("contracts", r.Contracts, r.Links)
}
