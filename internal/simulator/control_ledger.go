// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ledgerCalls are the control calls about what is on the ledger.
func (s *Simulator) ledgerCalls() map[string]controlCall {
	return map[string]controlCall{
		"POST /simulator/blocks":                       s.controlAddBlock,
		"POST /simulator/blocks/{action}":              s.controlBlocks,
		"POST /simulator/transactions":                 s.controlAddTransaction,
		"PUT /simulator/tokens/{id}/state":             s.controlTokenState,
		"PUT /simulator/tokens/{id}/supply":            s.controlTokenSupply,
		"PUT /simulator/tokens/{id}/balances/{holder}": s.controlTokenBalance,
		"PUT /simulator/allowances":                    s.controlAllowance,
		"POST /simulator/topics/{id}/messages":         s.controlTopicMessage,
		"POST /simulator/schedules/{id}/execute":       s.controlExecuteSchedule,
		"PUT /simulator/registered-nodes":              s.controlRegisteredNodes,
		"PUT /simulator/exchange-rate":                 s.controlExchangeRate,
		"PUT /simulator/supply":                        s.controlSupply,
	}
}

func (s *Simulator) controlAddBlock(r *http.Request) (any, error) {
	var request struct {
		Count   *int  `json:"count"`
		GasUsed int64 `json:"gas_used"`
	}
	if err := readOptionalJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Count == nil {
		return s.AddBlock(), nil
	}
	if *request.Count < 0 || request.GasUsed < 0 {
		return nil, errors.New("count and gas_used must not be negative")
	}
	return s.AddBlockWith(*request.Count, request.GasUsed), nil
}

func (s *Simulator) controlBlocks(r *http.Request) (any, error) {
	switch r.PathValue("action") {
	case "stop":
		s.StopBlocks()
	case "start":
		s.StartBlocks()
	default:
		return controlNotFound(r)
	}
	return nil, nil
}

func (s *Simulator) controlAddTransaction(r *http.Request) (any, error) {
	var request struct {
		Timestamp string           `json:"timestamp"`
		Payer     string           `json:"payer"`
		Name      string           `json:"name"`
		Result    string           `json:"result"`
		Fee       int64            `json:"fee"`
		GasUsed   int64            `json:"gas_used"`
		Transfers map[string]int64 `json:"transfers"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	at, err := s.controlTime(request.Timestamp)
	if err != nil {
		return nil, err
	}
	return nil, s.AddTransaction(Transaction{
		Consensus: at,
		Payer:     request.Payer,
		Name:      request.Name,
		Result:    request.Result,
		Fee:       request.Fee,
		GasUsed:   request.GasUsed,
		Transfers: request.Transfers,
	})
}

func (s *Simulator) controlTokenState(r *http.Request) (any, error) {
	var state TokenState
	if err := readJSON(r, &state); err != nil {
		return nil, err
	}
	return nil, s.SetTokenState(r.PathValue("id"), state)
}

func (s *Simulator) controlTokenSupply(r *http.Request) (any, error) {
	var request struct {
		Total *int64 `json:"total"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Total == nil {
		return nil, errors.New(`total is missing: want {"total":N}`)
	}
	return nil, s.SetTokenSupply(r.PathValue("id"), *request.Total)
}

func (s *Simulator) controlTokenBalance(r *http.Request) (any, error) {
	var request struct {
		Balance *int64 `json:"balance"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Balance == nil {
		return nil, errors.New(`balance is missing: want {"balance":N}`)
	}
	return nil, s.SetTokenBalance(r.PathValue("id"), r.PathValue("holder"), *request.Balance)
}

func (s *Simulator) controlAllowance(r *http.Request) (any, error) {
	var request struct {
		Owner   string `json:"owner"`
		Spender string `json:"spender"`
		TokenID string `json:"token_id"`
		Amount  int64  `json:"amount"`
		Granted int64  `json:"granted"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	return nil, s.SetAllowance(Allowance(request))
}

func (s *Simulator) controlTopicMessage(r *http.Request) (any, error) {
	var request struct {
		Timestamp string `json:"timestamp"`
	}
	if err := readOptionalJSON(r, &request); err != nil {
		return nil, err
	}
	at, err := s.controlTime(request.Timestamp)
	if err != nil {
		return nil, err
	}
	sequence, err := s.AddTopicMessage(r.PathValue("id"), at)
	if err != nil {
		return nil, err
	}
	return map[string]int64{"sequence_number": sequence}, nil
}

func (s *Simulator) controlExecuteSchedule(r *http.Request) (any, error) {
	return nil, s.ExecuteSchedule(r.PathValue("id"))
}

func (s *Simulator) controlRegisteredNodes(r *http.Request) (any, error) {
	var request struct {
		Serve *bool `json:"serve"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Serve == nil {
		return nil, errors.New(`serve is missing: want {"serve":false}`)
	}
	s.ServeRegisteredNodes(*request.Serve)
	return nil, nil
}

func (s *Simulator) controlExchangeRate(r *http.Request) (any, error) {
	type rate struct {
		Cents int32 `json:"cents"`
		Hbar  int32 `json:"hbar"`
	}
	var request struct {
		Current rate  `json:"current"`
		Next    *rate `json:"next"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Next == nil {
		request.Next = &request.Current
	}
	return nil, s.SetExchangeRate(
		ExchangeRate{Cents: request.Current.Cents, Hbar: request.Current.Hbar},
		ExchangeRate{Cents: request.Next.Cents, Hbar: request.Next.Hbar},
	)
}

func (s *Simulator) controlSupply(r *http.Request) (any, error) {
	var request struct {
		Released *int64 `json:"released"`
		Total    int64  `json:"total"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Released == nil {
		return nil, errors.New(`released is missing: want {"released":N,"total":N}, in tinybar`)
	}
	return nil, s.SetSupply(*request.Released, request.Total)
}

// controlTime reads "seconds.nanoseconds"; nothing is now.
func (s *Simulator) controlTime(text string) (time.Time, error) {
	if text == "" {
		return s.ledger.now(), nil
	}
	nanos, err := parseTimestamp(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("body: %w", err)
	}
	return time.Unix(0, nanos), nil
}
