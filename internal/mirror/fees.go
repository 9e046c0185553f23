// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

// feesRoute estimates the fee of a transaction that it is sent, and has the prices
// of gas for a GET.
const feesRoute = "/api/v1/network/fees"

// FeeEstimate is what a transaction costs (docs/hedera.md 1.3).
type FeeEstimate struct {
	// Total is in tinycents, of which a US dollar has 10^10.
	Total Field[int64] `json:"total"`
}

// tinycentsPerUSD is 100 cents of 10^8 tinycents each.
const tinycentsPerUSD = 10_000_000_000

// USD is the fee in US dollars, if there is one.
func (f FeeEstimate) USD() (usd float64, ok bool) {
	tinycents, ok := f.Total.Get()
	return float64(tinycents) / tinycentsPerUSD, ok && tinycents >= 0
}

var decodeFeeEstimate = object(func(f FeeEstimate) error {
	if f == (FeeEstimate{}) {
		return errors.New("it has no total")
	}
	return nil
})

// EstimateFee returns the fee of a transaction with this body and one signature,
// which neither is valid nor has to be: only its content counts. Name is for
// errors. Older mirrors do not have it: the error is [IsUnavailable] then.
// (POST /api/v1/network/fees)
func (c *Client) EstimateFee(ctx context.Context, name string, body *services.TransactionBody) (FeeEstimate, error) {
	transaction, err := sign(body)
	if err != nil {
		return FeeEstimate{}, fmt.Errorf("transaction %s: %w", name, err)
	}
	r := post(c.java, feesRoute, "application/protobuf", transaction)
	r.detail = name
	return fetch(ctx, c, r, decodeFeeEstimate)
}

// sign serializes a transaction with a signature of the right length.
func sign(body *services.TransactionBody) ([]byte, error) {
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return nil, err
	}
	signed, err := proto.Marshal(&services.SignedTransaction{
		BodyBytes: content,
		SigMap: &services.SignatureMap{SigPair: []*services.SignaturePair{{
			PubKeyPrefix: make([]byte, 32),
			Signature:    &services.SignaturePair_Ed25519{Ed25519: make([]byte, 64)},
		}}},
	})
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&services.Transaction{SignedTransactionBytes: signed})
}

// IsUnavailable reports whether err is the answer of a mirror that does not have
// the route for the method, or does not understand what it is sent: 400, 404, 405,
// 415 or 501.
func IsUnavailable(err error) bool {
	var status *StatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Code {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotImplemented:
		return true
	}
	return false
}
