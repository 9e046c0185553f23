// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// FeeSchedule is what the network charges, in tinycents: 1e-8 of a US cent
// (docs/hedera.md 2.5). It has the part of the network's file 0.0.113 that is
// about hbar transfers and topic messages.
type FeeSchedule struct {
	// The node's fee is that of every transaction, and what is beyond one
	// signature and 1,350 bytes.
	NodeBase       int64 `json:"node_base"`
	Signature      int64 `json:"signature"`
	ProcessingByte int64 `json:"processing_byte"`
	// NetworkMultiplier makes the network's fee of the node's.
	NetworkMultiplier int64 `json:"network_multiplier"`
	// The service fee of a CryptoTransfer, with two accounts, and of a
	// ConsensusSubmitMessage, with 100 bytes.
	CryptoTransfer int64 `json:"crypto_transfer"`
	Account        int64 `json:"account"`
	SubmitMessage  int64 `json:"submit_message"`
	MessageByte    int64 `json:"message_byte"`
}

const (
	includedSignatures   = 1
	includedBytes        = 1350
	includedAccounts     = 2
	includedMessageBytes = 100

	maxFee = 1_000_000_000_000_000 // 100,000 USD, in tinycents
)

// defaultFees are mainnet's: $0.0001 for a transfer and $0.0008 for a message.
func defaultFees() FeeSchedule {
	return FeeSchedule{
		NodeBase: 100_000, Signature: 100_000, ProcessingByte: 10_000, NetworkMultiplier: 9,
		CryptoTransfer: 0, Account: 1_000_000, SubmitMessage: 7_000_000, MessageByte: 6_800,
	}
}

func (f FeeSchedule) validate() error {
	for _, fee := range []int64{
		f.NodeBase, f.Signature, f.ProcessingByte, f.NetworkMultiplier,
		f.CryptoTransfer, f.Account, f.SubmitMessage, f.MessageByte,
	} {
		if fee < 0 || fee > maxFee {
			return fmt.Errorf("fee schedule: %d is not between 0 and %d tinycents", fee, int64(maxFee))
		}
	}
	if f.NetworkMultiplier > 1000 {
		return errors.New("fee schedule: network_multiplier is beyond 1000")
	}
	return nil
}

// fees are in tinybar.
type fees struct{ node, network, service int64 }

// total is what a transaction costs that is handled.
func (f fees) total() int64 { return f.node + f.network + f.service }

// withoutService is what it costs to have a transaction ordered.
func (f fees) withoutService() int64 { return f.node + f.network }

// feesOf are the fees of a transaction at the current rate.
func (l *Ledger) feesOf(t *submission) fees {
	schedule := l.fees
	node := schedule.NodeBase +
		schedule.Signature*beyond(len(t.signatures.pairs), includedSignatures) +
		schedule.ProcessingByte*beyond(t.size, includedBytes)
	var service int64
	switch data := t.body.GetData().(type) {
	case *services.TransactionBody_CryptoTransfer:
		accounts := len(data.CryptoTransfer.GetTransfers().GetAccountAmounts())
		service = schedule.CryptoTransfer + schedule.Account*beyond(accounts, includedAccounts)
	case *services.TransactionBody_ConsensusSubmitMessage:
		length := len(data.ConsensusSubmitMessage.GetMessage())
		service = schedule.SubmitMessage + schedule.MessageByte*beyond(length, includedMessageBytes)
	}
	rate := l.currentRates().current
	return fees{
		node:    rate.tinybar(node),
		network: rate.tinybar(node * schedule.NetworkMultiplier),
		service: rate.tinybar(service),
	}
}

func beyond(count, included int) int64 { return int64(max(0, count-included)) }

// tinybar are worth so many tinycents, rounded down.
func (r ExchangeRate) tinybar(tinycents int64) int64 {
	amount := big.NewInt(tinycents)
	amount.Mul(amount, big.NewInt(int64(r.Hbar)))
	return amount.Quo(amount, big.NewInt(int64(r.Cents))).Int64()
}

// SetFees changes the fee schedule from now on, for what has passed its checks
// already as well. It fails for fees that make no sense.
func (l *Ledger) SetFees(schedule FeeSchedule) error {
	if err := schedule.validate(); err != nil {
		return err
	}
	l.fees = schedule
	return nil
}

func feeControls() map[string]controlCall {
	return map[string]controlCall{
		"GET /simulator/fees": reading(func(l *Ledger, _ *http.Request) (any, error) { return l.fees, nil }),
		"PUT /simulator/fees": updating(func(l *Ledger, _ *http.Request, body json.RawMessage) (any, error) {
			schedule := l.fees
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&schedule); err != nil {
				return nil, fmt.Errorf("body is not the JSON expected: %w", err)
			}
			return nil, l.SetFees(schedule)
		}),
	}
}
