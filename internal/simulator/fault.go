// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

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

	// FaultChaos does any of the others but hanging, by chance: also odd values in
	// random fields of random rows.
	FaultChaos = "chaos"
)

// GetNodesFault is the Path of a Fault for the mirror's gRPC service.
const GetNodesFault = "grpc:getNodes"

// Fault is a disturbance of the mirror, for requests whose path begins with
// Path ("/api/v1/accounts") or for gRPC getNodes ("grpc:getNodes"). Where
// several match, the oldest acts.
type Fault struct {
	Path       string
	Query      string // what the query string has to contain, "account.id=0.0.98"
	Kind       string
	Status     int           // HTTP status, or gRPC code for "grpc:getNodes"
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
		Path: f.Path, Query: f.Query, Kind: f.Kind, Status: f.Status, RetryAfter: f.RetryAfter, Count: f.Count,
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
		Path: wire.Path, Query: wire.Query, Kind: wire.Kind, Status: wire.Status, RetryAfter: wire.RetryAfter, Count: wire.Count,
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
	grpc := f.Path == GetNodesFault
	if !grpc && !strings.HasPrefix(f.Path, "/") {
		return fmt.Errorf("fault path %q: want a path such as /api/v1/accounts, or %s", f.Path, GetNodesFault)
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
	if grpc && slices.Contains(restKinds, f.Kind) {
		return fmt.Errorf("fault kind %s does not apply to %s", f.Kind, GetNodesFault)
	}
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
	case FaultHang, FaultReset, FaultGarbage, FaultTruncate, FaultHTML502, FaultDrop, FaultDuplicate, FaultChaos:
	default:
		return fmt.Errorf("fault kind %q: want status, latency, hang, reset, garbage, truncate, html502, set, drop, duplicate or chaos", f.Kind)
	}
	return nil
}

// restKinds are the kinds that gRPC has not.
var restKinds = []string{FaultHTML502, FaultSet, FaultDrop, FaultDuplicate, FaultChaos}

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
