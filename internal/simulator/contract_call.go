// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strings"
)

// What the mirror accepts in a call (docs/hedera.md 1.4).
const (
	minCallGas   = 21_000
	maxCallGas   = 15_000_000
	maxCallBytes = 1 << 20
)

// The exchange rate system contract, all that the simulator has of an EVM
// (HIP-475), and tinycentsToTinybars(uint256).
const (
	exchangeRateContract = "0x0000000000000000000000000000000000000168"
	tinycentsToTinybars  = "2e3cff6a"
)

type callRequest struct {
	Data string `json:"data"`
	Gas  *int64 `json:"gas"`
	To   string `json:"to"`
}

type callResult struct {
	Result string `json:"result"`
}

func contractCallRoutes() []route {
	return []route{{
		method: http.MethodPost,
		path:   "/api/v1/contracts/call",
		java:   true,
		answer: (*Ledger).answerContractCall,
	}}
}

var (
	callData    = regexp.MustCompile(`^(0x)?([0-9a-fA-F]{2})*$`)
	callAddress = regexp.MustCompile(`^(0x)?[0-9a-fA-F]{40}$`)
)

func (l *Ledger) answerContractCall(r *http.Request, _ query) (any, error) {
	if l.missing("contracts-call") {
		return nil, notFound()
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return nil, &restError{status: http.StatusUnsupportedMediaType, messages: []string{"Unsupported Media Type"}}
	}
	var call callRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, maxCallBytes)).Decode(&call); err != nil {
		return nil, javaBadRequest("JSON parse error")
	}
	if err := call.validate(); err != nil {
		return nil, err
	}
	if !strings.EqualFold(call.To, exchangeRateContract) {
		return nil, ofEVM("INVALID_TRANSACTION")
	}
	tinycents, ok := strings.CutPrefix(strings.TrimPrefix(call.Data, "0x"), tinycentsToTinybars)
	if !ok || len(tinycents) != 64 {
		return nil, ofEVM("CONTRACT_REVERT_EXECUTED")
	}
	amount, _ := new(big.Int).SetString(tinycents, 16) // it is hexadecimal
	rate := l.currentRates().current
	amount.Mul(amount, big.NewInt(int64(rate.Hbar)))
	amount.Div(amount, big.NewInt(int64(rate.Cents)))
	return callResult{fmt.Sprintf("0x%064x", amount)}, nil
}

func (c callRequest) validate() error {
	switch {
	case c.Gas != nil && *c.Gas < minCallGas:
		return javaBadRequest(fmt.Sprintf("gas field must be greater than or equal to %d", minCallGas))
	case c.Gas != nil && *c.Gas > maxCallGas:
		return javaBadRequest(fmt.Sprintf("gas field must be less than or equal to %d", maxCallGas))
	case !callData.MatchString(c.Data):
		return javaBadRequest("data field invalid hexadecimal string")
	case c.To != "" && !callAddress.MatchString(c.To):
		return javaBadRequest("to field invalid hexadecimal string")
	}
	return nil
}

// ofEVM is the answer for a call that has failed.
func ofEVM(responseCode string) error {
	return &restError{status: http.StatusBadRequest, messages: []string{responseCode}}
}
