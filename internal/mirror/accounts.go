// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Account is an entity that holds hbar: an account or a contract (FACTS.md
// 1.1). Pointers are nil where the mirror answers null.
type Account struct {
	ID         string  `json:"account"`
	Alias      *string `json:"alias"`
	EVMAddress *string `json:"evm_address"`
	// AutoRenewPeriod is in seconds.
	AutoRenewPeriod  *int64          `json:"auto_renew_period"`
	Balance          *AccountBalance `json:"balance"`
	CreatedTimestamp *Timestamp      `json:"created_timestamp"`
	DeclineReward    bool            `json:"decline_reward"`
	Deleted          *bool           `json:"deleted"`
	EthereumNonce    *int64          `json:"ethereum_nonce"`
	// ExpiryTimestamp is the explicit expiration, else the creation plus the
	// auto-renew period.
	ExpiryTimestamp *Timestamp `json:"expiry_timestamp"`
	Key             *Key       `json:"key"`
	// MaxAutomaticTokenAssociations is -1 when unlimited.
	MaxAutomaticTokenAssociations *int64  `json:"max_automatic_token_associations"`
	Memo                          *string `json:"memo"`
	// PendingReward is in tinybar, as of the last staking period.
	PendingReward       int64      `json:"pending_reward"`
	ReceiverSigRequired *bool      `json:"receiver_sig_required"`
	StakedAccountID     *string    `json:"staked_account_id"`
	StakedNodeID        *int64     `json:"staked_node_id"`
	StakePeriodStart    *Timestamp `json:"stake_period_start"`
}

// AccountBalance is what an account holds.
type AccountBalance struct {
	// Balance is in tinybar.
	Balance *int64 `json:"balance"`
	// Timestamp is when the balance last changed, not when it was read.
	Timestamp *Timestamp `json:"timestamp"`
	// Tokens are at most 50 in lists of accounts, 1000 for a single one.
	Tokens []TokenAmount `json:"tokens"`
}

// TokenAmount is an amount of a token in its smallest unit; of an NFT, the
// number of serials.
type TokenAmount struct {
	TokenID string `json:"token_id"`
	Balance int64  `json:"balance"`
}

// Key is a public key, or a protobuf-encoded key list or threshold key.
type Key struct {
	// Type is ECDSA_SECP256K1, ED25519 or ProtobufEncoded.
	Type string `json:"_type"`
	// Key is in hex.
	Key string `json:"key"`
}

// Accounts returns the accounts with the given ids, which are in the form
// shard.realm.num, in their order. Ids that the mirror does not know are
// absent, repeated ones appear once. Either all batches of 100 ids succeed or
// there is an error. (GET /api/v1/accounts)
func (c *Client) Accounts(ctx context.Context, ids []string) ([]Account, error) {
	newRequest := func(ids []string) request {
		r := get(c.rest, "/api/v1/accounts", url.Values{"account.id": ids, "balance": {"true"}})
		r.detail = fmt.Sprintf("%d accounts", len(ids))
		return r
	}
	return batches(ctx, c, ids, newRequest, decodeAccounts, func(a Account) string { return a.ID })
}

func decodeAccounts(body []byte) (page[Account], error) {
	var r struct {
		Accounts []Account `json:"accounts"`
		Links    links     `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[Account]{}, err
	}
	return newPage("accounts", r.Accounts, r.Links)
}

// Account returns one account by its id, alias or EVM address. The error is
// [IsNotFound] if there is none. (GET /api/v1/accounts/{id})
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	// With its transactions, a busy account takes the mirror 20s (FACTS.md 1.1).
	r, err := getEntity(c.rest, "/api/v1/accounts/{id}", id, url.Values{"transactions": {"false"}})
	if err != nil {
		return Account{}, err
	}
	return fetch(ctx, c, r, decodeAccount)
}

func decodeAccount(body []byte) (Account, error) {
	var a Account
	if err := json.Unmarshal(body, &a); err != nil {
		return Account{}, err
	}
	if a.ID == "" {
		return Account{}, errors.New("it has no account")
	}
	return a, nil
}

// Balance is what an account or a contract holds, in tinybar.
type Balance struct {
	Account string `json:"account"`
	Balance int64  `json:"balance"`
}

// Balances returns the balances of accounts and contracts as [Client.Accounts]
// returns accounts. (GET /api/v1/balances)
func (c *Client) Balances(ctx context.Context, ids []string) ([]Balance, error) {
	newRequest := func(ids []string) request {
		r := get(c.rest, "/api/v1/balances", url.Values{"account.id": ids})
		r.detail = fmt.Sprintf("%d accounts", len(ids))
		return r
	}
	return batches(ctx, c, ids, newRequest, decodeBalances, func(b Balance) string { return b.Account })
}

func decodeBalances(body []byte) (page[Balance], error) {
	var r struct {
		Balances []Balance `json:"balances"`
		Links    links     `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[Balance]{}, err
	}
	return newPage("balances", r.Balances, r.Links)
}
