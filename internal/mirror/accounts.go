// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/url"
)

// Account is an entity that holds hbar: an account or a contract (docs/hedera.md
// 1.1). Pointers are nil where the mirror answers null.
type Account struct {
	ID         string  `json:"account"`
	EVMAddress *string `json:"evm_address"`
	// AutoRenewPeriod is in seconds.
	AutoRenewPeriod  *int64          `json:"auto_renew_period"`
	Balance          *AccountBalance `json:"balance"`
	CreatedTimestamp *Timestamp      `json:"created_timestamp"`
	Deleted          *bool           `json:"deleted"`
	EthereumNonce    *int64          `json:"ethereum_nonce"`
	// ExpiryTimestamp is the explicit expiration, else the creation plus the
	// auto-renew period.
	ExpiryTimestamp *Timestamp `json:"expiry_timestamp"`
	Key             *Key       `json:"key"`
	Memo            *string    `json:"memo"`
	// PendingReward is in tinybar, as of the last staking period.
	PendingReward   int64   `json:"pending_reward"`
	StakedAccountID *string `json:"staked_account_id"`
	StakedNodeID    *int64  `json:"staked_node_id"`
}

// AccountBalance is what an account holds.
type AccountBalance struct {
	// Balance is in tinybar.
	Balance *int64 `json:"balance"`
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

var (
	decodeAccounts = list[Account]("accounts")
	decodeAccount  = object(func(a Account) error {
		if a.ID == "" {
			return errors.New("it has no account")
		}
		return nil
	})
)

// Accounts returns accounts by their ids, which are in the form
// shard.realm.num. Ids that the mirror does not know are absent. Either all
// batches of 100 ids succeed or there is an error. (GET /api/v1/accounts)
func (c *Client) Accounts(ctx context.Context, ids []string) (map[string]Account, error) {
	r := get(c.rest, "/api/v1/accounts", url.Values{"balance": {"true"}})
	return batches(ctx, c, r, "account.id", ids, decodeAccounts, func(a Account) string { return a.ID })
}

// Account returns one account by its id, alias or EVM address. The error is
// [IsNotFound] if there is none. (GET /api/v1/accounts/{id})
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	// With its transactions, a busy account takes the mirror 20s (docs/hedera.md 1.1).
	r, err := getEntity(c.rest, "/api/v1/accounts/{id}", id, url.Values{"transactions": {"false"}})
	if err != nil {
		return Account{}, err
	}
	return fetch(ctx, c, r, decodeAccount)
}

// Balance is what an account or a contract holds, in tinybar, or what it holds
// of a token, in its smallest unit.
type Balance struct {
	Account string `json:"account"`
	Balance int64  `json:"balance"`
}

var decodeBalances = list[Balance]("balances")

func (b Balance) account() string { return b.Account }

// Balances returns the balances of accounts and contracts as [Client.Accounts]
// returns accounts. (GET /api/v1/balances)
func (c *Client) Balances(ctx context.Context, ids []string) (map[string]Balance, error) {
	return batches(ctx, c, get(c.rest, "/api/v1/balances", nil), "account.id", ids, decodeBalances, Balance.account)
}

// TokenBalances returns what accounts hold of a token as [Client.Accounts]
// returns accounts; those not associated with it are absent.
// (GET /api/v1/tokens/{id}/balances)
func (c *Client) TokenBalances(ctx context.Context, tokenID string, accountIDs []string) (map[string]Balance, error) {
	r, err := getEntity(c.rest, "/api/v1/tokens/{id}/balances", tokenID, nil)
	if err != nil {
		return nil, err
	}
	return batches(ctx, c, r, "account.id", accountIDs, decodeBalances, Balance.account)
}

// Contract is a smart contract (docs/hedera.md 1.4). Its balance is in
// [Client.Balances].
type Contract struct {
	ID                  string     `json:"contract_id"`
	Deleted             bool       `json:"deleted"`
	ExpirationTimestamp *Timestamp `json:"expiration_timestamp"`
}

var decodeContracts = list[Contract]("contracts")

// Contracts returns contracts as [Client.Accounts] returns accounts. Unlike
// /contracts/{id}, the list comes without bytecode, which is tens of kilobytes.
// (GET /api/v1/contracts)
func (c *Client) Contracts(ctx context.Context, ids []string) (map[string]Contract, error) {
	r := get(c.rest, "/api/v1/contracts", nil)
	return batches(ctx, c, r, "contract.id", ids, decodeContracts, func(c Contract) string { return c.ID })
}

// Allowance is what an account lets a spender spend.
type Allowance struct {
	Spender string `json:"spender"`
	// Amount is what remains of AmountGranted: tinybar, or the smallest unit of
	// the token.
	Amount        int64 `json:"amount"`
	AmountGranted int64 `json:"amount_granted"`
	// TokenID is empty for hbar.
	TokenID string `json:"token_id"`
}

var decodeAllowances = list[Allowance]("allowances")

// CryptoAllowances returns the hbar allowances that an account has granted, at
// most limit, and whether there are more.
// (GET /api/v1/accounts/{id}/allowances/crypto)
func (c *Client) CryptoAllowances(ctx context.Context, accountID string, limit int) (allowances []Allowance, more bool, err error) {
	return c.allowances(ctx, "/api/v1/accounts/{id}/allowances/crypto", accountID, limit)
}

// TokenAllowances returns the allowances of fungible tokens that an account has
// granted, at most limit, and whether there are more.
// (GET /api/v1/accounts/{id}/allowances/tokens)
func (c *Client) TokenAllowances(ctx context.Context, accountID string, limit int) (allowances []Allowance, more bool, err error) {
	return c.allowances(ctx, "/api/v1/accounts/{id}/allowances/tokens", accountID, limit)
}

func (c *Client) allowances(ctx context.Context, route, accountID string, limit int) (allowances []Allowance, more bool, err error) {
	r, err := getEntity(c.rest, route, accountID, nil)
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeAllowances)
}
