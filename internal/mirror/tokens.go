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

// Token is a fungible token or a collection of NFTs (FACTS.md 1.2). Pointers
// are nil where the mirror answers null. Supplies are in the smallest unit.
type Token struct {
	ID     string `json:"token_id"`
	Name   string `json:"name"`
	Symbol string `json:"symbol"`
	Memo   string `json:"memo"`
	// Type is FUNGIBLE_COMMON or NON_FUNGIBLE_UNIQUE.
	Type          string `json:"type"`
	Decimals      int64  `json:"decimals,string"`
	InitialSupply int64  `json:"initial_supply,string"`
	TotalSupply   int64  `json:"total_supply,string"`
	// MaxSupply is 0 when SupplyType is INFINITE.
	MaxSupply int64 `json:"max_supply,string"`
	// SupplyType is FINITE or INFINITE.
	SupplyType        string  `json:"supply_type"`
	TreasuryAccountID *string `json:"treasury_account_id"`
	// PauseStatus is NOT_APPLICABLE, PAUSED or UNPAUSED.
	PauseStatus      string  `json:"pause_status"`
	FreezeDefault    bool    `json:"freeze_default"`
	Deleted          *bool   `json:"deleted"`
	AutoRenewAccount *string `json:"auto_renew_account"`
	// AutoRenewPeriod is in seconds.
	AutoRenewPeriod   *int64     `json:"auto_renew_period"`
	CreatedTimestamp  *Timestamp `json:"created_timestamp"`
	ModifiedTimestamp *Timestamp `json:"modified_timestamp"`
	// ExpiryTimestamp is in nanoseconds since the Unix epoch: of all the
	// mirror's times only this one is a number.
	ExpiryTimestamp *int64 `json:"expiry_timestamp"`
}

// Token returns a token. The error is [IsNotFound] if there is none.
// (GET /api/v1/tokens/{id})
func (c *Client) Token(ctx context.Context, id string) (Token, error) {
	r, err := getEntity(c.rest, "/api/v1/tokens/{id}", id, nil)
	if err != nil {
		return Token{}, err
	}
	return fetch(ctx, c, r, decodeToken)
}

func decodeToken(body []byte) (Token, error) {
	var t Token
	if err := json.Unmarshal(body, &t); err != nil {
		return Token{}, err
	}
	if t.ID == "" {
		return Token{}, errors.New("it has no token_id")
	}
	return t, nil
}

// TokenBalance is what an account holds of a token, in its smallest unit; of
// NFTs it is the number of serials.
type TokenBalance struct {
	Account  string `json:"account"`
	Balance  int64  `json:"balance"`
	Decimals int64  `json:"decimals"`
}

// TokenBalances returns what accounts hold of a token as [Client.Accounts]
// returns accounts; those not associated with it are absent.
// (GET /api/v1/tokens/{id}/balances)
func (c *Client) TokenBalances(ctx context.Context, tokenID string, accountIDs []string) ([]TokenBalance, error) {
	r, err := getEntity(c.rest, "/api/v1/tokens/{id}/balances", tokenID, nil)
	if err != nil {
		return nil, err
	}
	newRequest := func(ids []string) request {
		r := r
		r.query = url.Values{"account.id": ids}
		r.detail = fmt.Sprintf("%d accounts", len(ids))
		return r
	}
	return batches(ctx, c, accountIDs, newRequest, decodeTokenBalances, func(b TokenBalance) string { return b.Account })
}

func decodeTokenBalances(body []byte) (page[TokenBalance], error) {
	var r struct {
		Balances []TokenBalance `json:"balances"`
		Links    links          `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[TokenBalance]{}, err
	}
	return newPage("balances", r.Balances, r.Links)
}

// TokenRelationship is the association of an account with a token (FACTS.md
// 1.1).
type TokenRelationship struct {
	TokenID string `json:"token_id"`
	// Balance is in the token's smallest unit; of NFTs it is the number of
	// serials.
	Balance              int64 `json:"balance"`
	Decimals             int64 `json:"decimals"`
	AutomaticAssociation bool  `json:"automatic_association"`
	// FreezeStatus is NOT_APPLICABLE, FROZEN or UNFROZEN.
	FreezeStatus string `json:"freeze_status"`
	// KYCStatus is NOT_APPLICABLE, GRANTED or REVOKED.
	KYCStatus        string     `json:"kyc_status"`
	CreatedTimestamp *Timestamp `json:"created_timestamp"`
}

const accountTokensRoute = "/api/v1/accounts/{id}/tokens"

// AccountTokens returns the tokens an account is associated with by ascending
// token id, at most limit, and whether there are more.
// (GET /api/v1/accounts/{id}/tokens)
func (c *Client) AccountTokens(ctx context.Context, accountID string, limit int) (tokens []TokenRelationship, more bool, err error) {
	r, err := getEntity(c.rest, accountTokensRoute, accountID, url.Values{})
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeTokenRelationships)
}

// AccountToken returns the association of an account with a token, if there is
// one. (GET /api/v1/accounts/{id}/tokens)
func (c *Client) AccountToken(ctx context.Context, accountID, tokenID string) (token TokenRelationship, ok bool, err error) {
	r, err := getEntity(c.rest, accountTokensRoute, accountID, url.Values{"token.id": {tokenID}, "limit": {"1"}})
	if err != nil {
		return TokenRelationship{}, false, err
	}
	r.detail = "token " + tokenID
	p, err := fetch(ctx, c, r, decodeTokenRelationships)
	if err != nil || len(p.rows) == 0 {
		return TokenRelationship{}, false, err
	}
	return p.rows[0], true, nil
}

func decodeTokenRelationships(body []byte) (page[TokenRelationship], error) {
	var r struct {
		Tokens []TokenRelationship `json:"tokens"`
		Links  links               `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[TokenRelationship]{}, err
	}
	return newPage("tokens", r.Tokens, r.Links)
}
