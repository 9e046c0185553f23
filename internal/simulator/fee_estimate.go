// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"io"
	"maps"
	"net/http"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

// otherServiceFees are what types cost that are not in a FeeSchedule beside the
// fees of node and network, in tinycents (HIP-1261).
var otherServiceFees = map[string]int64{
	"CryptoCreate":            499_000_000,
	"TokenAssociateToAccount": 499_000_000,
	"TokenCreate":             9_999_000_000,
}

// SetServiceFee sets what transactions of a type cost beside the fees of node and
// network, in tinycents. It fails for unknown types and for less than 0.
func (l *Ledger) SetServiceFee(transactionType string, tinycents int64) error {
	if _, known := l.serviceFee(transactionType); !known || tinycents < 0 || tinycents > maxFee {
		return fmt.Errorf("fee of %q, %d tinycents: want a type such as CryptoTransfer, and 0 to %d", transactionType, tinycents, int64(maxFee))
	}
	switch transactionType {
	case "CryptoTransfer":
		l.fees.CryptoTransfer = tinycents
	case "ConsensusSubmitMessage":
		l.fees.SubmitMessage = tinycents
	default:
		fees := maps.Clone(l.serviceFees)
		if fees == nil {
			fees = map[string]int64{}
		}
		fees[transactionType] = tinycents
		l.serviceFees = fees
	}
	return nil
}

func (l *Ledger) serviceFee(transactionType string) (tinycents int64, known bool) {
	switch transactionType {
	case "CryptoTransfer":
		return l.fees.CryptoTransfer, true
	case "ConsensusSubmitMessage":
		return l.fees.SubmitMessage, true
	}
	if fee, changed := l.serviceFees[transactionType]; changed {
		return fee, true
	}
	fee, known := otherServiceFees[transactionType]
	return fee, known
}

func feeEstimateControls() map[string]controlCall {
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

func feeEstimateRoutes() []route {
	return []route{{
		method: http.MethodPost,
		path:   "/api/v1/network/fees",
		params: []string{"high_volume_throttle", "mode"},
		java:   true,
		answer: (*Ledger).answerFeeEstimate,
	}}
}

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
	service, known := l.serviceFee(typeOfBody(body))
	if !known {
		return nil, javaBadRequest("Unknown transaction type")
	}
	return l.estimate(service, signatures), nil
}

func (l *Ledger) estimate(service, signatures int64) feeEstimate {
	fees, extra := l.fees, max(0, signatures-includedSignatures)
	node := fees.NodeBase + extra*fees.Signature
	estimate := feeEstimate{
		HighVolumeMultiplier: 1,
		Network:              feeNetwork{fees.NetworkMultiplier, fees.NetworkMultiplier * node},
		Node: feePart{fees.NodeBase, []feeExtra{{
			Charged: extra, Count: signatures, FeePerUnit: fees.Signature, Included: includedSignatures, Name: "SIGNATURES", Subtotal: extra * fees.Signature,
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

func typeOfBody(body *services.TransactionBody) string {
	switch body.GetData().(type) {
	case *services.TransactionBody_ConsensusSubmitMessage:
		return "ConsensusSubmitMessage"
	case *services.TransactionBody_CryptoCreateAccount:
		return "CryptoCreate"
	case *services.TransactionBody_CryptoTransfer:
		return "CryptoTransfer"
	case *services.TransactionBody_TokenAssociate:
		return "TokenAssociateToAccount"
	case *services.TransactionBody_TokenCreation:
		return "TokenCreate"
	}
	return ""
}
