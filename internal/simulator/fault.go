// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/codes"
)

// Kinds of Fault.
const (
	FaultStatus   = "status"   // answers Status, with RetryAfter if set
	FaultLatency  = "latency"  // waits Latency, then answers as usual
	FaultHang     = "hang"     // never answers
	FaultReset    = "reset"    // resets the connection
	FaultGarbage  = "garbage"  // answers 200 with bytes that are no message
	FaultTruncate = "truncate" // ends the connection in the middle of the answer
	FaultHTML502  = "html502"  // answers 502 with an HTML page, as gateways do

	// Those that change one row of a list, or the one entity that is answered.
	FaultSet       = "set"       // gives its Field the Value
	FaultDrop      = "drop"      // takes it out of the list
	FaultDuplicate = "duplicate" // has it twice in the list

	// Those of transactions.
	FaultPrecheck      = "precheck"       // answers Code, and takes no transaction
	FaultLost          = "lost"           // takes it, but it never reaches consensus
	FaultUnanswered    = "unanswered"     // takes it, but never answers
	FaultNoReceipt     = "no_receipt"     // has consensus, but no receipt of it
	FaultFail          = "fail"           // has Code as the result, and the fee of a success
	FaultInvisibleREST = "invisible_rest" // has consensus, but the mirror's REST API does not show it
	FaultInvisibleGRPC = "invisible_grpc" // has consensus, but topic streams leave it out

	// FaultChaos does any of the others but hanging, by chance: also odd values in
	// random fields of random rows.
	FaultChaos = "chaos"
)

// Paths of a Fault for gRPC. Queries of nodes are
// "method=submitMessage&node_id=0&node=0.0.3&".
const (
	GetNodesFault     = "grpc:getNodes"               // of the mirror
	SubscribeFault    = "grpc:subscribeTopic"         // of the mirror, when a stream begins
	TopicMessageFault = "grpc:topicMessage"           // of the mirror, each message of a stream
	SubmitFault       = "grpc:submit"                 // of nodes: cryptoTransfer and submitMessage
	ReceiptsFault     = "grpc:getTransactionReceipts" // of nodes
)

// grpcKinds are the kinds that apply to gRPC.
var grpcKinds = map[string][]string{
	GetNodesFault:     {FaultStatus, FaultLatency, FaultHang, FaultReset, FaultGarbage, FaultTruncate},
	SubscribeFault:    {FaultStatus, FaultLatency, FaultHang, FaultReset},
	TopicMessageFault: {FaultStatus, FaultLatency, FaultHang, FaultReset, FaultDrop, FaultDuplicate},
	SubmitFault: {
		FaultStatus, FaultLatency, FaultHang, FaultPrecheck, FaultLost, FaultUnanswered, FaultNoReceipt, FaultFail,
		FaultInvisibleREST, FaultInvisibleGRPC,
	},
	ReceiptsFault: {FaultStatus, FaultLatency, FaultHang, FaultPrecheck},
}

// Fault is a disturbance of the mirror's REST API, for requests whose path begins
// with Path ("/api/v1/accounts"), or of gRPC. Where several match, the oldest
// acts.
type Fault struct {
	Path       string
	Query      string // what the query string has to contain, "account.id=0.0.98"
	Kind       string
	Code       string        // HAPI response code of FaultPrecheck and FaultFail
	Status     int           // HTTP status, or gRPC code
	RetryAfter string        // Retry-After header of FaultStatus, none if empty
	Latency    time.Duration // of FaultLatency
	Count      int           // requests it disturbs; 0 = until cleared

	Rate float64 // share of the requests it disturbs, by chance; 0 = all
	Seed int64   // of that chance, and of FaultChaos

	Entity string          // the row that has this id; default the first
	Field  string          // of FaultSet, "balance.timestamp"
	Value  json.RawMessage // of FaultSet
}

// faultJSON is a Fault in the control API.
type faultJSON struct {
	ID         int             `json:"id,omitempty"`
	Path       string          `json:"path"`
	Query      string          `json:"query,omitempty"`
	Kind       string          `json:"kind"`
	Code       string          `json:"code,omitempty"`
	Status     int             `json:"status,omitempty"`
	RetryAfter string          `json:"retry_after,omitempty"`
	Latency    string          `json:"latency,omitempty"`
	Count      int             `json:"count,omitempty"`
	Rate       float64         `json:"rate,omitempty"`
	Seed       int64           `json:"seed,omitempty"`
	Entity     string          `json:"entity,omitempty"`
	Field      string          `json:"field,omitempty"`
	Value      json.RawMessage `json:"value,omitempty"`
}

func (f Fault) wire() faultJSON {
	wire := faultJSON{
		Path: f.Path, Query: f.Query, Kind: f.Kind, Code: f.Code, Status: f.Status, RetryAfter: f.RetryAfter, Count: f.Count,
		Rate: f.Rate, Seed: f.Seed, Entity: f.Entity, Field: f.Field, Value: f.Value,
	}
	if f.Latency != 0 {
		wire.Latency = f.Latency.String()
	}
	return wire
}

// MarshalJSON writes Latency as "250ms".
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(f.wire())
}

// UnmarshalJSON reads Latency as "250ms".
func (f *Fault) UnmarshalJSON(data []byte) error {
	var wire faultJSON
	if err := unmarshalStrict(data, &wire); err != nil {
		return err
	}
	*f = Fault{
		Path: wire.Path, Query: wire.Query, Kind: wire.Kind, Code: wire.Code, Status: wire.Status, RetryAfter: wire.RetryAfter, Count: wire.Count,
		Rate: wire.Rate, Seed: wire.Seed, Entity: wire.Entity, Field: wire.Field, Value: wire.Value,
	}
	if wire.Latency == "" {
		return nil
	}
	latency, err := time.ParseDuration(wire.Latency)
	if err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	f.Latency = latency
	return nil
}

func (f Fault) validate() error {
	kinds, grpc := grpcKinds[f.Path]
	if !grpc && !strings.HasPrefix(f.Path, "/") {
		return fmt.Errorf("fault path %q: want a path such as /api/v1/accounts, or one of %s",
			f.Path, strings.Join(slices.Sorted(maps.Keys(grpcKinds)), ", "))
	}
	if strings.HasPrefix(f.Path, controlPrefix) {
		return fmt.Errorf("fault path %q: the control API has no faults", f.Path)
	}
	if f.Count < 0 {
		return fmt.Errorf("fault count %d is negative", f.Count)
	}
	if f.Rate < 0 || f.Rate > 1 {
		return fmt.Errorf("fault rate %v is not between 0 and 1", f.Rate)
	}
	if err := f.validateKind(grpc); err != nil {
		return err
	}
	if grpc && !slices.Contains(kinds, f.Kind) || !grpc && slices.Contains(transactionKinds, f.Kind) {
		return fmt.Errorf("fault kind %s does not apply to %s", f.Kind, f.Path)
	}
	return nil
}

func (f Fault) validateKind(grpc bool) error {
	switch f.Kind {
	case FaultStatus:
		return validateStatus(f.Status, grpc)
	case FaultLatency:
		if f.Latency <= 0 {
			return errors.New(`fault latency: want a positive duration such as "250ms"`)
		}
	case FaultSet:
		if f.Field == "" || !json.Valid(f.Value) {
			return errors.New("fault set: want a field, and a value in JSON")
		}
	case FaultPrecheck, FaultFail:
		if _, ok := services.ResponseCodeEnum_value[f.Code]; !ok {
			return fmt.Errorf("fault code %q: want a HAPI response code such as BUSY", f.Code)
		}
	case FaultLost, FaultUnanswered, FaultNoReceipt, FaultInvisibleREST, FaultInvisibleGRPC:
	case FaultHang, FaultReset, FaultGarbage, FaultTruncate, FaultHTML502, FaultDrop, FaultDuplicate, FaultChaos:
	default:
		return fmt.Errorf("fault kind %q: want status, latency, hang, reset, garbage, truncate, html502, set, drop, duplicate, chaos, precheck, lost, unanswered, no_receipt, fail, invisible_rest or invisible_grpc", f.Kind)
	}
	return nil
}

// transactionKinds are the kinds that REST has not.
var transactionKinds = []string{
	FaultPrecheck, FaultLost, FaultUnanswered, FaultNoReceipt, FaultFail, FaultInvisibleREST, FaultInvisibleGRPC,
}

// code is the HAPI response code, which is validated.
func (f Fault) code() services.ResponseCodeEnum {
	return services.ResponseCodeEnum(services.ResponseCodeEnum_value[f.Code])
}

func validateStatus(status int, grpc bool) error {
	if grpc {
		if status < int(codes.Canceled) || status > int(codes.Unauthenticated) {
			return fmt.Errorf("fault status %d: want a gRPC code, 1 to 16", status)
		}
		return nil
	}
	if status < http.StatusOK || status > 599 {
		return fmt.Errorf("fault status %d: want an HTTP status, 200 to 599", status)
	}
	return nil
}

// faults holds the injected faults, oldest first.
type faults struct {
	mu     sync.Mutex
	lastID int
	active []activeFault
}

type activeFault struct {
	id     int
	chance *rand.Rand
	Fault
}

// InjectFault disturbs the mirror from now on. It fails for a fault that makes
// no sense.
func (f *faults) InjectFault(fault Fault) (id int, err error) {
	if err := fault.validate(); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastID++
	chance := rand.New(rand.NewPCG(uint64(fault.Seed), 0)) //nolint:gosec // reproducible on purpose
	f.active = append(f.active, activeFault{f.lastID, chance, fault})
	return f.lastID, nil
}

// ClearFaults ends every fault. Requests that hang already go on hanging.
func (f *faults) ClearFaults() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active = nil
}

// list shows the active faults; Count is what is left of them.
func (f *faults) list() []faultJSON {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]faultJSON, len(f.active))
	for i, fault := range f.active {
		list[i] = fault.wire()
		list[i].ID = fault.id
	}
	return list
}

// take returns the oldest fault for the request and uses it up by one.
func (f *faults) take(path, query string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.active, func(a activeFault) bool {
		return strings.HasPrefix(path, a.Path) && strings.Contains(query, a.Query) &&
			(a.Rate == 0 || a.chance.Float64() < a.Rate)
	})
	if i < 0 {
		return Fault{}, false
	}
	fault := f.active[i].Fault
	if fault.Kind == FaultChaos {
		fault = fault.any(f.active[i].chance)
	}
	if fault.Count > 0 {
		f.active[i].Count--
		if f.active[i].Count == 0 {
			f.active = slices.Delete(f.active, i, i+1)
		}
	}
	return fault, true
}

func faultControls() map[string]controlCall {
	return map[string]controlCall{
		"GET /simulator/faults": func(s *Simulator, _ *http.Request) (any, error) {
			return map[string][]faultJSON{"faults": s.list()}, nil
		},
		"POST /simulator/faults": func(s *Simulator, r *http.Request) (any, error) {
			var fault Fault
			if err := readJSON(r, &fault); err != nil {
				return nil, err
			}
			id, err := s.InjectFault(fault)
			return map[string]int{"id": id}, err
		},
		"DELETE /simulator/faults": func(s *Simulator, _ *http.Request) (any, error) {
			s.ClearFaults()
			return nil, nil
		},
	}
}

const html502 = `<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center></body>
</html>
`

// garbage is neither JSON nor protobuf.
const garbage = "\xff\xfe{{]not a message\x00"

// disturb answers a REST request the way the fault says.
func (s *rest) disturb(w http.ResponseWriter, r *http.Request, fault Fault) {
	switch fault.Kind {
	case FaultStatus:
		if fault.RetryAfter != "" {
			w.Header().Set("Retry-After", fault.RetryAfter)
		}
		writeError(w, &restError{status: fault.Status, messages: []string{http.StatusText(fault.Status)}})
	case FaultLatency:
		wait(r.Context(), fault.Latency)
		s.mux.ServeHTTP(w, r)
	case FaultHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case FaultReset:
		reset(w)
	case FaultGarbage:
		writeBody(w, http.StatusOK, []byte(garbage))
	case FaultTruncate:
		s.mux.ServeHTTP(halfWriter{w}, r)
	case FaultSet, FaultDrop, FaultDuplicate, faultOdd:
		s.disturbRows(w, r, fault)
	case FaultHTML502:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte(html502))
	}
}

// halfWriter loses half of what is written. The declared length stays, so
// net/http closes the connection and the client sees an unexpected end.
type halfWriter struct{ http.ResponseWriter }

func (w halfWriter) Write(p []byte) (int, error) {
	_, err := w.ResponseWriter.Write(p[:len(p)/2])
	return len(p), err
}

// reset closes the connection of the request with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	resetConn(conn)
}

func resetConn(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// wait delays an answer. A request that ends meanwhile, because the client left
// or the simulator closes, gets none.
func wait(ctx context.Context, d time.Duration) {
	if !sleep(ctx, d) {
		panic(http.ErrAbortHandler)
	}
}

// sleep waits for d and tells whether the context outlived it.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// faultOdd is what FaultChaos does to a field: it is FaultSet, but of a random
// row and field.
const faultOdd = "odd"

// oddValues are of any type, and beyond what the field may hold.
var oddValues = []string{
	`null`, `""`, `"odd"`, `-1`, `9223372036854775808`, `1e99`, `0.5`, `true`, `[]`, `{}`, `"31556888202959784.000000000"`,
}

// any is one of the disturbances that FaultChaos may be, with its details. Its
// Seed says which row and field.
func (f Fault) any(chance *rand.Rand) Fault {
	kinds := []string{
		FaultStatus, FaultHTML502, FaultReset, FaultGarbage, FaultTruncate, FaultLatency,
		faultOdd, faultOdd, faultOdd, FaultDrop, FaultDuplicate,
	}
	f.Kind = kinds[chance.IntN(len(kinds))]
	f.Status = []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}[chance.IntN(3)]
	f.Latency = time.Duration(1+chance.IntN(50)) * time.Millisecond
	f.Value = json.RawMessage(oddValues[chance.IntN(len(oddValues))])
	f.Seed = chance.Int64()
	return f
}

// disturbRows answers as usual but for one row. Answers that are no JSON object
// with rows stay as they are.
func (s *rest) disturbRows(w http.ResponseWriter, r *http.Request, fault Fault) {
	plain := r.Clone(r.Context())
	plain.Header.Del("Accept-Encoding")
	plain.Header.Del("If-None-Match")
	usual := &bufferedAnswer{header: make(http.Header), status: http.StatusOK}
	s.mux.ServeHTTP(usual, plain)
	body := usual.body.Bytes()
	if usual.status == http.StatusOK {
		body = fault.changeRows(body)
	}
	maps.Copy(w.Header(), usual.header)
	w.Header().Del("ETag")
	writeBody(w, usual.status, body)
}

// bufferedAnswer keeps an answer so that it can be changed.
type bufferedAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *bufferedAnswer) Header() http.Header         { return b.header }
func (b *bufferedAnswer) WriteHeader(status int)      { b.status = status }
func (b *bufferedAnswer) Write(p []byte) (int, error) { return b.body.Write(p) }

func (f Fault) changeRows(body []byte) []byte {
	var answer map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // amounts are beyond 2^53
	if decoder.Decode(&answer) != nil {
		return body
	}
	chance := rand.New(rand.NewPCG(uint64(f.Seed), 1)) //nolint:gosec // reproducible on purpose
	list := listKey(answer)
	rows, _ := answer[list].([]any)
	row := answer
	at := f.rowOf(rows, chance)
	if list != "" {
		if at < 0 {
			return body
		}
		row, _ = rows[at].(map[string]any)
	}
	switch {
	case f.Kind == FaultDrop && list != "":
		answer[list] = slices.Delete(rows, at, at+1)
	case f.Kind == FaultDuplicate && list != "":
		answer[list] = slices.Insert(rows, at, rows[at])
	case f.Kind == FaultSet:
		setField(row, f.Field, f.Value)
	case f.Kind == faultOdd && len(row) > 0:
		fields := slices.Sorted(maps.Keys(row))
		setField(row, fields[chance.IntN(len(fields))], f.Value)
	}
	changed, err := encodeJSON(answer)
	if err != nil {
		return body
	}
	return changed
}

// listKey is the key of the rows in a list's answer, empty in one entity's.
func listKey(answer map[string]any) string {
	if answer["links"] == nil || len(answer) > 3 {
		return ""
	}
	for key, value := range answer {
		if _, ok := value.([]any); ok {
			return key
		}
	}
	return ""
}

// rowOf is the index of the row that the fault is about, -1 where there is none.
func (f Fault) rowOf(rows []any, chance *rand.Rand) int {
	switch {
	case len(rows) == 0:
		return -1
	case f.Kind == faultOdd || f.Entity == "" && f.Rate > 0:
		return chance.IntN(len(rows))
	case f.Entity == "":
		return 0
	}
	return slices.IndexFunc(rows, func(row any) bool {
		for _, value := range row.(map[string]any) {
			if value == f.Entity {
				return true
			}
		}
		return false
	})
}

// setField sets the field at the end of the path, where all before it exist.
func setField(row map[string]any, path string, value json.RawMessage) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		row[first] = value
		return
	}
	if inner, ok := row[first].(map[string]any); ok {
		setField(inner, rest, value)
	}
}
