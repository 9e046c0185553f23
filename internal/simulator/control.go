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
	"strings"
	"time"
)

// controlPrefix is where the control API lives on the REST port.
const controlPrefix = "/simulator/"

// maxControlBody bounds a control request's body in bytes.
const maxControlBody = 1 << 16

//go:embed data/control.txt
var controlHelp string

// controlCall does one control request. Its answer is sent as JSON, {} where it
// is nil.
type controlCall func(s *Simulator, r *http.Request) (any, error)

// updating changes the ledger as the body of the request says. Only PUT has to
// have one.
func updating[T any](change func(l *Ledger, r *http.Request, body T) (any, error)) controlCall {
	return func(s *Simulator, r *http.Request) (answer any, err error) {
		var body T
		if err := readJSON(r, &body); err != nil {
			return nil, err
		}
		err = s.Update(func(l *Ledger) error {
			answer, err = change(l, r, body)
			return err
		})
		return answer, err
	}
}

// reading answers from the ledger.
func reading(read func(l *Ledger, r *http.Request) (any, error)) controlCall {
	return func(s *Simulator, r *http.Request) (any, error) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return read(s.ledger, r)
	}
}

func missing(field, example string) error {
	return fmt.Errorf(`%s is missing: want {"%s":%s}`, field, field, example)
}

// controls are all calls, by pattern.
func controls() map[string]controlCall {
	all := map[string]controlCall{"/simulator/": (*Simulator).controlNotFound}
	for _, calls := range []map[string]controlCall{
		accountControls(),
		keyControls(),
		allowanceControls(),
		nftAllowanceControls(),
		tokenControls(),
		topicControls(),
		contractControls(),
		scheduleControls(),
		consensusControls(),
		feeEstimateControls(),
		transactionControls(),
		blockControls(),
		networkControls(),
		feeControls(),
		mirrorControls(),
		nodeControls(),
		endpointControls(),
		cryptoControls(),
		faultControls(),
		requestControls(),
	} {
		maps.Copy(all, calls)
	}
	return all
}

// controlHandler serves the control API.
func (s *Simulator) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simulator/{$}", s.serveHelp)
	for pattern, call := range controls() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serveControl(w, r, call) })
	}
	return mux
}

// serveControl answers 404 for what the network does not know and 400 for every
// other wrong input.
func (s *Simulator) serveControl(w http.ResponseWriter, r *http.Request, call controlCall) {
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	answer, err := call(s, r)
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

func (s *Simulator) controlNotFound(r *http.Request) (any, error) {
	return nil, fmt.Errorf("%s %s: %w; GET /simulator/ lists the calls", r.Method, r.URL.Path, errUnknown)
}

// readJSON leaves into as it is where a request that need not have a body has
// none.
func readJSON(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if len(body) == 0 && r.Method != http.MethodPut {
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

// timeOf reads "seconds.nanoseconds"; nothing is now.
func (l *Ledger) timeOf(text string) (time.Time, error) {
	if text == "" {
		return l.now(), nil
	}
	nanos, err := parseTimestamp(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("body: %w", err)
	}
	return time.Unix(0, nanos), nil
}
