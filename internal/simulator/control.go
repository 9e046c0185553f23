// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// controlPrefix is where the control API lives on the REST port.
const controlPrefix = "/simulator/"

// maxControlBody bounds a control request's body in bytes.
const maxControlBody = 1 << 16

//go:embed data/control.txt
var controlHelp string

// controlCall does one control request. Its answer is sent as JSON, nothing
// where it is nil.
type controlCall func(r *http.Request) (any, error)

// controlHandler serves the control API.
func (s *Simulator) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simulator/{$}", s.serveHelp)
	calls := s.ledgerCalls()
	maps.Copy(calls, map[string]controlCall{
		"GET /simulator/accounts/{id}/balance":         s.controlGetBalance,
		"PUT /simulator/accounts/{id}/balance":         s.controlSetBalance,
		"DELETE /simulator/accounts/{id}":              s.controlDeleteAccount,
		"POST /simulator/nodes/{id}/{action}":          s.controlNode,
		"PUT /simulator/nodes/{id}/precheck":           s.controlPrecheck,
		"POST /simulator/endpoints/{address}/{action}": s.controlEndpoint,
		"GET /simulator/faults":                        s.controlListFaults,
		"POST /simulator/faults":                       s.controlInjectFault,
		"DELETE /simulator/faults":                     s.controlClearFaults,
		"GET /simulator/requests":                      s.controlRequests,
		"DELETE /simulator/requests":                   s.controlResetRequests,
		"PUT /simulator/balance-queries":               s.controlBalanceQueries,
		"/simulator/":                                  controlNotFound,
	})
	for pattern, call := range calls {
		mux.Handle(pattern, call)
	}
	return mux
}

// ServeHTTP answers 404 for what the network does not know and 400 for every
// other wrong input.
func (call controlCall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	answer, err := call(r)
	status := http.StatusOK
	switch {
	case errors.Is(err, errUnknown):
		status = http.StatusNotFound
	case err != nil:
		status = http.StatusBadRequest
	}
	if err != nil {
		answer = map[string]string{"error": err.Error()}
	}
	if answer == nil {
		answer = struct{}{}
	}
	body, err := encodeJSON(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeBody(w, status, append(body, '\n'))
}

func (s *Simulator) serveHelp(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, strings.ReplaceAll(controlHelp, "{{url}}", s.URL()))
}

func controlNotFound(r *http.Request) (any, error) {
	return nil, fmt.Errorf("%s %s: %w; GET /simulator/ lists the calls", r.Method, r.URL.Path, errUnknown)
}

type balanceJSON struct {
	Account string `json:"account,omitempty"`
	Tinybar *int64 `json:"tinybar"`
}

func (s *Simulator) controlGetBalance(r *http.Request) (any, error) {
	account, err := s.ledger.lookUp(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return balanceJSON{account.ID, new(account.tinybar())}, nil
}

func (s *Simulator) controlSetBalance(r *http.Request) (any, error) {
	var request balanceJSON
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Tinybar == nil {
		return nil, errors.New(`tinybar is missing: want {"tinybar":N}`)
	}
	return nil, s.SetBalance(r.PathValue("id"), *request.Tinybar)
}

func (s *Simulator) controlDeleteAccount(r *http.Request) (any, error) {
	return nil, s.DeleteAccount(r.PathValue("id"))
}

func (s *Simulator) controlNode(r *http.Request) (any, error) {
	actions := map[string]func(int64) error{
		"stop":             s.StopNode,
		"start":            s.StartNode,
		"swap-certificate": s.SwapCertificate,
		"remove":           s.RemoveNode,
	}
	do, ok := actions[r.PathValue("action")]
	if !ok {
		return controlNotFound(r)
	}
	nodeID, err := pathNodeID(r)
	if err != nil {
		return nil, err
	}
	return nil, do(nodeID)
}

func (s *Simulator) controlPrecheck(r *http.Request) (any, error) {
	nodeID, err := pathNodeID(r)
	if err != nil {
		return nil, err
	}
	var request struct {
		Code string `json:"code"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	code, ok := services.ResponseCodeEnum_value[request.Code]
	if !ok {
		return nil, fmt.Errorf("code %q is no HAPI response code: want OK, BUSY, PLATFORM_NOT_ACTIVE, …", request.Code)
	}
	return nil, s.SetPrecheck(nodeID, services.ResponseCodeEnum(code))
}

func (s *Simulator) controlEndpoint(r *http.Request) (any, error) {
	actions := map[string]func(string) error{
		"stop":  s.StopEndpoint,
		"start": s.StartEndpoint,
		"hang":  s.HangEndpoint,
	}
	do, ok := actions[r.PathValue("action")]
	if !ok {
		return controlNotFound(r)
	}
	return nil, do(r.PathValue("address"))
}

func (s *Simulator) controlListFaults(*http.Request) (any, error) {
	return map[string][]faultJSON{"faults": s.faults.list()}, nil
}

func (s *Simulator) controlInjectFault(r *http.Request) (any, error) {
	var fault Fault
	if err := readJSON(r, &fault); err != nil {
		return nil, err
	}
	id, err := s.InjectFault(fault)
	if err != nil {
		return nil, err
	}
	return map[string]int{"id": id}, nil
}

func (s *Simulator) controlClearFaults(*http.Request) (any, error) {
	s.ClearFaults()
	return nil, nil
}

func (s *Simulator) controlRequests(*http.Request) (any, error) {
	return s.Requests(), nil
}

func (s *Simulator) controlResetRequests(*http.Request) (any, error) {
	s.ResetRequests()
	return nil, nil
}

func (s *Simulator) controlBalanceQueries(r *http.Request) (any, error) {
	var request struct {
		Answer *bool `json:"answer"`
	}
	if err := readJSON(r, &request); err != nil {
		return nil, err
	}
	if request.Answer == nil {
		return nil, errors.New(`answer is missing: want {"answer":true}`)
	}
	s.AnswerBalanceQueries(*request.Answer)
	return nil, nil
}

func pathNodeID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("node id %q: want a number", r.PathValue("id"))
	}
	return id, nil
}

func readJSON(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return unmarshalStrict(body, into)
}

// readOptionalJSON leaves into as it is where there is no body.
func readOptionalJSON(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if len(body) == 0 {
		return nil
	}
	return unmarshalStrict(body, into)
}

// unmarshalStrict refuses unknown fields, which are typing errors.
func unmarshalStrict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("body is not the JSON expected: %w", err)
	}
	return nil
}

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
