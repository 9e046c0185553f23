// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/url"
)

// Token is a fungible token or a collection of NFTs (docs/hedera.md 1.2). Supplies are in the smallest unit.
type Token struct {
	ID     string        `json:"token_id"`
	Name   Field[string] `json:"name"`
	Symbol Field[string] `json:"symbol"`
	// Type is FUNGIBLE_COMMON or NON_FUNGIBLE_UNIQUE.
	Type        Field[string] `json:"type"`
	Decimals    Field[int32]  `json:"decimals"`
	TotalSupply Field[int64]  `json:"total_supply"`
	// SupplyType is FINITE or INFINITE. Only the former has a MaxSupply to speak
	// of: an infinite one is 0 or 9223372036854775807.
	SupplyType        Field[string] `json:"supply_type"`
	MaxSupply         Field[int64]  `json:"max_supply"`
	TreasuryAccountID Field[string] `json:"treasury_account_id"`
	// PauseStatus is NOT_APPLICABLE, PAUSED or UNPAUSED.
	PauseStatus Field[string] `json:"pause_status"`
	Deleted     Field[bool]   `json:"deleted"`
	// ExpiryTimestamp is the only time that the mirror has as a number.
	ExpiryTimestamp Field[nanoTimestamp] `json:"expiry_timestamp"`
}

// Expiry is the ExpiryTimestamp.
func (t Token) Expiry() Field[Timestamp] {
	f := t.ExpiryTimestamp
	return Field[Timestamp]{value: Timestamp(f.value), ok: f.ok, unreadable: f.unreadable}
}

var decodeToken = object(func(t Token) error {
	if !isID(t.ID) {
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
	return fetch(ctx, c, r.as(tokens), decodeToken)
}

// TokenRelationship is the association of an account with a token (docs/hedera.md
// 1.1).
type TokenRelationship struct {
	TokenID string `json:"token_id"`
	// Balance is in the token's smallest unit; of NFTs it is the number of
	// serials.
	Balance Field[int64] `json:"balance"`
	// Decimals are null where the mirror does not know the token.
	Decimals Field[int32] `json:"decimals"`
	// FreezeStatus is NOT_APPLICABLE, FROZEN or UNFROZEN.
	FreezeStatus Field[string] `json:"freeze_status"`
	// KYCStatus is NOT_APPLICABLE, GRANTED or REVOKED.
	KYCStatus Field[string] `json:"kyc_status"`
}

const accountTokensRoute = "/api/v1/accounts/{id}/tokens"

func (t TokenRelationship) key() (field, value string, ok bool) {
	return "token_id", t.TokenID, isID(t.TokenID)
}

var decodeTokenRelationships = list("tokens", TokenRelationship{})

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
