// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/url"
)

// Token is a fungible token or a collection of NFTs (docs/hedera.md 1.2). Pointers
// are nil where the mirror answers null. Supplies are in the smallest unit.
type Token struct {
	ID     string `json:"token_id"`
	Name   string `json:"name"`
	Symbol string `json:"symbol"`
	// Type is FUNGIBLE_COMMON or NON_FUNGIBLE_UNIQUE.
	Type        string `json:"type"`
	Decimals    int64  `json:"decimals,string"`
	TotalSupply int64  `json:"total_supply,string"`
	// MaxSupply is 0 when the supply is infinite.
	MaxSupply         int64   `json:"max_supply,string"`
	TreasuryAccountID *string `json:"treasury_account_id"`
	// PauseStatus is NOT_APPLICABLE, PAUSED or UNPAUSED.
	PauseStatus     string     `json:"pause_status"`
	Deleted         *bool      `json:"deleted"`
	ExpiryTimestamp *Timestamp `json:"expiry_timestamp"`
}

var decodeToken = object(func(t Token) error {
	if t.ID == "" {
		return errors.New("it has no token_id")
	}
	return nil
})

// Token returns a token. The error is [IsNotFound] if there is none.
// (GET /api/v1/tokens/{id})
func (c *Client) Token(ctx context.Context, id string) (Token, error) {
	r, err := getEntity(c.rest, "/api/v1/tokens/{id}", id, nil)
	if err != nil {
		return Token{}, err
	}
	return fetch(ctx, c, r, decodeToken)
}

// TokenRelationship is the association of an account with a token (docs/hedera.md
// 1.1).
type TokenRelationship struct {
	TokenID string `json:"token_id"`
	// Balance is in the token's smallest unit; of NFTs it is the number of
	// serials.
	Balance  int64 `json:"balance"`
	Decimals int64 `json:"decimals"`
	// FreezeStatus is NOT_APPLICABLE, FROZEN or UNFROZEN.
	FreezeStatus string `json:"freeze_status"`
	// KYCStatus is NOT_APPLICABLE, GRANTED or REVOKED.
	KYCStatus string `json:"kyc_status"`
}

const accountTokensRoute = "/api/v1/accounts/{id}/tokens"

var decodeTokenRelationships = list[TokenRelationship]("tokens")

// AccountTokens returns the tokens an account is associated with by ascending
// token id, at most limit, and whether there are more.
// (GET /api/v1/accounts/{id}/tokens)
func (c *Client) AccountTokens(ctx context.Context, accountID string, limit int) (tokens []TokenRelationship, more bool, err error) {
	r, err := getEntity(c.rest, accountTokensRoute, accountID, nil)
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeTokenRelationships)
}

// AccountToken returns the association of an account with a token, if there is
// one. (GET /api/v1/accounts/{id}/tokens)
func (c *Client) AccountToken(ctx context.Context, accountID, tokenID string) (token TokenRelationship, ok bool, err error) {
	r, err := getEntity(c.rest, accountTokensRoute, accountID, url.Values{"token.id": {tokenID}})
	if err != nil {
		return TokenRelationship{}, false, err
	}
	r.detail = "token " + tokenID
	return one(ctx, c, r, decodeTokenRelationships)
}
