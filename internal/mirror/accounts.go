// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"
)

// Account is an entity that holds hbar: an account or a contract (docs/hedera.md
// 1.1).
type Account struct {
	ID         string        `json:"account"`
	EVMAddress Field[string] `json:"evm_address"`
	// AutoRenewPeriod is in seconds.
	AutoRenewPeriod  Field[int64]          `json:"auto_renew_period"`
	Balance          Field[AccountBalance] `json:"balance"`
	CreatedTimestamp Field[Timestamp]      `json:"created_timestamp"`
	Deleted          Field[bool]           `json:"deleted"`
	EthereumNonce    Field[int64]          `json:"ethereum_nonce"`
	// ExpiryTimestamp is the explicit expiration, else the creation plus the
	// auto-renew period.
	ExpiryTimestamp Field[Timestamp] `json:"expiry_timestamp"`
	Key             Field[Key]       `json:"key"`
	Memo            Field[string]    `json:"memo"`
	// PendingReward is in tinybar, as of the last staking period.
	PendingReward   Field[int64]  `json:"pending_reward"`
	StakedAccountID Field[string] `json:"staked_account_id"`
	StakedNodeID    Field[int64]  `json:"staked_node_id"`
}

// AccountBalance is what an account holds.
type AccountBalance struct {
	// Balance is in tinybar.
	Balance Field[int64] `json:"balance"`
	// Tokens are at most 50 in lists of accounts, 1000 for a single one.
	Tokens Field[[]TokenAmount] `json:"tokens"`
}

// TokenAmount is an amount of a token in its smallest unit; of an NFT, the
// number of serials.
type TokenAmount struct {
	TokenID string       `json:"token_id"`
	Balance Field[int64] `json:"balance"`
}

// Key is a public key, or a protobuf-encoded key list or threshold key.
type Key struct {
	// Type is ECDSA_SECP256K1, ED25519 or ProtobufEncoded.
	Type string `json:"_type"`
	// Key is in hex.
	Key string `json:"key"`
}

var (
	decodeAccounts = list("accounts", Account{})
	decodeAccount  = object(func(a Account) error {
		if !isID(a.ID) {
			return errors.New("it has no account")
		}
		return nil
	})
)

func (a Account) key() (field, value string, ok bool) { return "account", a.ID, isID(a.ID) }

// Accounts returns accounts by their ids, which are in the form
// shard.realm.num. (GET /api/v1/accounts)
func (c *Client) Accounts(ctx context.Context, ids []string) Batch[Account] {
	return batches(ctx, c, c.accounts(), "account.id", ids, decodeAccounts)
}

// AccountRow is an account of [Client.AccountParts].
type AccountRow struct {
	ID string
	// Digest is zero if a field could not be read.
	Digest RowDigest
	// Account is nil if the row was not decoded, as its digest is the known one of
	// the account.
	Account *Account
}

func (r AccountRow) key() (field, value string, ok bool) { return "account", r.ID, isID(r.ID) }

var decodeAccountRows = list("accounts", AccountRow{})

// AccountParts is Accounts for very many of them: it calls each with the ids of
// each request, sorted as text, and what came of them, several at a time. Their
// tokens are not read. Nor is a row whose digest is known, that is, the one that the
// account had when it was last read: as its balance has the time when it last
// changed, the row of an account that nothing happened to is always the same
// (docs/hedera.md 1.1). Known returns the digests of the rows of sorted ids, the zero
// value where there is none; it is called several times at once.
func (c *Client) AccountParts(ctx context.Context, ids []string, known func(ids []string) []RowDigest, each func(ids []string, part Batch[AccountRow])) {
	r := c.accounts()
	r.skipped = "tokens"
	r.digests = known
	parts(ctx, c, r, "account.id", ids, decodeAccountRows, each)
}

// read is what [response.read] calls.
func (r *AccountRow) read(a *response) error {
	if a.PeekKind() == jsontext.KindNull {
		_, err := a.ReadToken()
		*r = a.guard.rowAt(a.InputOffset())
		return err
	}
	r.Account = &Account{}
	err := a.read(r.Account)
	r.ID = r.Account.ID
	if err == nil && len(a.failures) == 0 {
		r.Digest = a.guard.rowAt(a.InputOffset()).Digest
	}
	return err
}

func (c *Client) accounts() request {
	return get(c.rest, "/api/v1/accounts", url.Values{"balance": {"true"}}).as(balances)
}

// Account returns one account by its id, alias or EVM address. The error is
// [IsNotFound] if there is none. (GET /api/v1/accounts/{id})
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	// With its transactions, a busy account takes the mirror 20s (docs/hedera.md 1.1).
	r, err := getEntity(c.rest, "/api/v1/accounts/{id}", id, url.Values{"transactions": {"false"}})
	if err != nil {
		return Account{}, err
	}
	return fetch(ctx, c, r.as(balances), decodeAccount)
}

// Balance is what an account or a contract holds, in tinybar.
type Balance struct {
	Account string       `json:"account"`
	Balance Field[int64] `json:"balance"`
}

func (b Balance) key() (field, value string, ok bool) { return "account", b.Account, isID(b.Account) }

var decodeBalances = list("balances", Balance{})

// Balances returns the balances of accounts and contracts.
// (GET /api/v1/balances)
func (c *Client) Balances(ctx context.Context, ids []string) Batch[Balance] {
	return batches(ctx, c, get(c.rest, "/api/v1/balances", nil).as(balances), "account.id", ids, decodeBalances)
}

// Contract is a smart contract (docs/hedera.md 1.4). Its balance is in
// [Client.Balances].
type Contract struct {
	ID                  string           `json:"contract_id"`
	Deleted             Field[bool]      `json:"deleted"`
	ExpirationTimestamp Field[Timestamp] `json:"expiration_timestamp"`
}

func (c Contract) key() (field, value string, ok bool) { return "contract_id", c.ID, isID(c.ID) }

var decodeContracts = list("contracts", Contract{})

// Contracts returns contracts. Unlike that of /contracts/{id}, the list comes without bytecode, which is tens of kilobytes.
// (GET /api/v1/contracts)
func (c *Client) Contracts(ctx context.Context, ids []string) Batch[Contract] {
	r := get(c.rest, "/api/v1/contracts", nil)
	return batches(ctx, c, r, "contract.id", ids, decodeContracts)
}

// Allowance is what an account lets a spender spend.
type Allowance struct {
	Spender string `json:"spender"`
	// Amount is what remains of AmountGranted: tinybar, or the smallest unit of
	// the token.
	Amount        Field[int64] `json:"amount"`
	AmountGranted Field[int64] `json:"amount_granted"`
	// TokenID is empty for hbar.
	TokenID string `json:"token_id"`
}

func (a Allowance) key() (field, value string, ok bool) {
	return "spender", a.Spender + a.TokenID, isID(a.Spender) && (a.TokenID == "" || isID(a.TokenID))
}

var decodeAllowances = list("allowances", Allowance{})

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

// NFTAllowance is the approval of a spender for all serials of an NFT that an
// account has or will have.
type NFTAllowance struct {
	Spender string `json:"spender"`
	TokenID string `json:"token_id"`
	// ApprovedForAll is false once the approval was withdrawn.
	ApprovedForAll Field[bool] `json:"approved_for_all"`
}

func (a NFTAllowance) key() (field, value string, ok bool) {
	return "spender", a.Spender + a.TokenID, isID(a.Spender) && isID(a.TokenID)
}

var decodeNFTAllowances = list("allowances", NFTAllowance{})

// NFTAllowances returns the approvals for all serials that an account has
// granted, at most limit, and whether there are more. The error is
// [IsMissingRoute] if the mirror does not have them.
// (GET /api/v1/accounts/{id}/allowances/nfts)
func (c *Client) NFTAllowances(ctx context.Context, accountID string, limit int) (allowances []NFTAllowance, more bool, err error) {
	r, err := getEntity(c.java, "/api/v1/accounts/{id}/allowances/nfts", accountID, url.Values{"owner": {"true"}})
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeNFTAllowances)
}

func (c *Client) allowances(ctx context.Context, route, accountID string, limit int) (allowances []Allowance, more bool, err error) {
	r, err := getEntity(c.rest, route, accountID, nil)
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeAllowances)
}
