// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"net/url"
)

// Allowance is what an account lets a spender spend.
type Allowance struct {
	Owner   string `json:"owner"`
	Spender string `json:"spender"`
	// Amount is what remains of AmountGranted: tinybar, or the smallest unit of
	// a token.
	Amount        int64          `json:"amount"`
	AmountGranted int64          `json:"amount_granted"`
	Timestamp     TimestampRange `json:"timestamp"`
}

// TokenAllowance is an allowance of a fungible token.
type TokenAllowance struct {
	Allowance
	TokenID string `json:"token_id"`
}

// CryptoAllowances returns the hbar allowances that an account has granted, at
// most limit, and whether there are more.
// (GET /api/v1/accounts/{id}/allowances/crypto)
func (c *Client) CryptoAllowances(ctx context.Context, accountID string, limit int) (allowances []Allowance, more bool, err error) {
	r, err := getEntity(c.rest, "/api/v1/accounts/{id}/allowances/crypto", accountID, url.Values{})
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeAllowances[Allowance])
}

// TokenAllowances returns the allowances of fungible tokens that an account has
// granted, at most limit, and whether there are more.
// (GET /api/v1/accounts/{id}/allowances/tokens)
func (c *Client) TokenAllowances(ctx context.Context, accountID string, limit int) (allowances []TokenAllowance, more bool, err error) {
	r, err := getEntity(c.rest, "/api/v1/accounts/{id}/allowances/tokens", accountID, url.Values{})
	if err != nil {
		return nil, false, err
	}
	return first(ctx, c, r, limit, decodeAllowances[TokenAllowance])
}

func decodeAllowances[T any](body []byte) (page[T], error) {
	var r struct {
		Allowances []T   `json:"allowances"`
		Links      links `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[T]{}, err
	}
	return newPage("allowances", r.Allowances, r.Links)
}
