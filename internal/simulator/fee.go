// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"io"
	"net/http"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

// Prices of HIP-1261 in tinycents, of which a US dollar has 10^10: a node's fee,
// by how much the network's is larger, and what each signature but the first adds.
const (
	nodeFee              = 100_000
	networkFeeMultiplier = 9
	signatureFee         = 1_000_000
)

// usualServiceFees are by transaction type.
var usualServiceFees = map[string]int64{
	"ConsensusSubmitMessage":  7_000_000,
	"CryptoCreate":            499_000_000,
	"CryptoTransfer":          0,
	"TokenAssociateToAccount": 499_000_000,
	"TokenCreate":             9_999_000_000,
}

// SetServiceFee sets what transactions of a type cost beside the fees of node and
// network, in tinycents. It fails for unknown types and for less than 0.
func (l *Ledger) SetServiceFee(transactionType string, tinycents int64) error {
	if _, known := usualServiceFees[transactionType]; !known || tinycents < 0 {
		return fmt.Errorf("fee of %q, %d tinycents: want a type such as CryptoTransfer, and 0 or more", transactionType, tinycents)
	}
	fees := map[string]int64{transactionType: tinycents}
	for name, fee := range l.serviceFees {
		if name != transactionType {
			fees[name] = fee
		}
	}
	l.serviceFees = fees
	return nil
}

func feeControls() map[string]controlCall {
	type fee struct {
		TransactionType string `json:"transaction_type"`
		Tinycents       int64  `json:"tinycents"`
	}
	return map[string]controlCall{
		"PUT /simulator/fee": updating(func(l *Ledger, _ *http.Request, b fee) (any, error) {
			return nil, l.SetServiceFee(b.TransactionType, b.Tinycents)
		}),
	}
}

// feeEstimate is the answer of POST /api/v1/network/fees (docs/hedera.md 1.3).
type feeEstimate struct {
	HighVolumeMultiplier int64      `json:"high_volume_multiplier"`
	Network              feeNetwork `json:"network"`
	Node                 feePart    `json:"node"`
	Service              feePart    `json:"service"`
	Total                int64      `json:"total"`
}

type feeNetwork struct {
	Multiplier int64 `json:"multiplier"`
	Subtotal   int64 `json:"subtotal"`
}

type feePart struct {
	Base   int64      `json:"base"`
	Extras []feeExtra `json:"extras"`
}

type feeExtra struct {
	Charged    int64  `json:"charged"`
	Count      int64  `json:"count"`
	FeePerUnit int64  `json:"fee_per_unit"`
	Included   int64  `json:"included"`
	Name       string `json:"name"`
	Subtotal   int64  `json:"subtotal"`
}

func feeRoutes() []route {
	return []route{{
		method: http.MethodPost,
		path:   "/api/v1/network/fees",
		params: []string{"high_volume_throttle", "mode"},
		java:   true,
		answer: (*Ledger).answerFeeEstimate,
	}}
}

const maxTransactionBytes = 128 << 10

func (l *Ledger) answerFeeEstimate(r *http.Request, q query) (any, error) {
	if l.missing("fee-estimates") {
		return nil, &restError{status: http.StatusMethodNotAllowed, messages: []string{"Method Not Allowed"}}
	}
	if _, err := q.choice("mode", "INTRINSIC", "STATE"); err != nil {
		return nil, err
	}
	switch r.Header.Get("Content-Type") {
	case "application/protobuf", "application/x-protobuf":
	default:
		return nil, &restError{status: http.StatusUnsupportedMediaType, messages: []string{"Unsupported Media Type"}}
	}
	content, err := io.ReadAll(io.LimitReader(r.Body, maxTransactionBytes))
	if err != nil {
		return nil, javaBadRequest("Unable to read the request")
	}
	body, signatures, err := parseTransaction(content)
	if err != nil {
		return nil, err
	}
	name, ok := typeOfBody(body)
	if !ok {
		return nil, javaBadRequest("Unknown transaction type")
	}
	return l.estimate(name, signatures), nil
}

func (l *Ledger) estimate(name string, signatures int64) feeEstimate {
	service, changed := l.serviceFees[name]
	if !changed {
		service = usualServiceFees[name]
	}
	extra := max(0, signatures-1)
	node := nodeFee + extra*signatureFee
	estimate := feeEstimate{
		HighVolumeMultiplier: 1,
		Network:              feeNetwork{networkFeeMultiplier, networkFeeMultiplier * node},
		Node: feePart{nodeFee, []feeExtra{{
			Charged: extra, Count: signatures, FeePerUnit: signatureFee, Included: 1, Name: "SIGNATURES", Subtotal: extra * signatureFee,
		}}},
		Service: feePart{service, []feeExtra{}},
	}
	estimate.Total = node + estimate.Network.Subtotal + service
	return estimate
}

func parseTransaction(content []byte) (*services.TransactionBody, int64, error) {
	var (
		transaction services.Transaction
		signed      services.SignedTransaction
		body        services.TransactionBody
	)
	if proto.Unmarshal(content, &transaction) != nil {
		return nil, 0, javaBadRequest("Unable to parse transaction")
	}
	if len(transaction.GetSignedTransactionBytes()) == 0 {
		return nil, 0, javaBadRequest("Transaction must contain body bytes or signed transaction bytes")
	}
	if proto.Unmarshal(transaction.GetSignedTransactionBytes(), &signed) != nil || proto.Unmarshal(signed.GetBodyBytes(), &body) != nil {
		return nil, 0, javaBadRequest("Unable to parse transaction")
	}
	return &body, int64(len(signed.GetSigMap().GetSigPair())), nil
}

func typeOfBody(body *services.TransactionBody) (name string, ok bool) {
	switch body.GetData().(type) {
	case *services.TransactionBody_ConsensusSubmitMessage:
		return "ConsensusSubmitMessage", true
	case *services.TransactionBody_CryptoCreateAccount:
		return "CryptoCreate", true
	case *services.TransactionBody_CryptoTransfer:
		return "CryptoTransfer", true
	case *services.TransactionBody_TokenAssociate:
		return "TokenAssociateToAccount", true
	case *services.TransactionBody_TokenCreation:
		return "TokenCreate", true
	}
	return "", false
}
