// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// route is an endpoint of the mirror's REST API, for GET unless it says otherwise. A new endpoint is a new
// file with its routes, listed in newREST.
type route struct {
	method string
	path   string // http.ServeMux pattern without method
	maxAge time.Duration
	params []string
	java   bool // of the mirror's Java module
	spring bool // its parameters are converted by Spring, which words errors its own way
	answer func(l *Ledger, r *http.Request, q query) (any, error)
}

// paged is implemented by answers that have a following page.
type paged interface{ nextPage() *string }

// links is the paging part of an answer.
type links struct {
	Next *string `json:"next"`
}

// listLinks is embedded in every list answer.
type listLinks struct {
	Links links `json:"links"`
}

func (l listLinks) nextPage() *string { return l.Links.Next }

// rest serves the mirror's REST API. The control API is beside it, untouched
// by latency, faults and counting.
type rest struct {
	mux       *http.ServeMux
	control   http.Handler
	simulator *Simulator
}

const unknownRoute = "/"

func newREST(simulator *Simulator) *rest {
	s := &rest{mux: http.NewServeMux(), control: simulator.controlHandler(), simulator: simulator}
	for _, routes := range [][]route{
		accountRoutes(),
		balanceRoutes(),
		blockRoutes(),
		nodeRoutes(),
		networkRoutes(),
		feeEstimateRoutes(),
		registeredNodeRoutes(),
		transactionRoutes(),
		tokenRoutes(),
		allowanceRoutes(),
		nftAllowanceRoutes(),
		topicRoutes(),
		contractRoutes(),
		contractCallRoutes(),
		scheduleRoutes(),
	} {
		for _, rt := range routes {
			serve := func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) }
			method := cmp.Or(rt.method, http.MethodGet)
			s.mux.HandleFunc(method+" "+rt.path, serve)
			s.mux.HandleFunc(method+" "+rt.path+"/{$}", serve)
		}
	}
	s.mux.HandleFunc(unknownRoute, func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, notFound())
	})
	return s
}

// ServeHTTP counts, delays and disturbs a request before it answers.
func (s *rest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	s.simulator.count(s.kind(r))
	wait(r.Context(), s.simulator.options.Latency)
	if fault, ok := s.simulator.take(r.URL.Path, r.URL.RawQuery); ok {
		s.disturb(w, r, fault)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// kind names the route template rather than the path, so that ids do not
// multiply the counts.
func (s *rest) kind(r *http.Request) string {
	if _, pattern := s.mux.Handler(r); pattern != unknownRoute {
		return strings.TrimSuffix(pattern, "/{$}")
	}
	return r.Method + " unknown"
}

// serve answers one request of the route.
func (s *rest) serve(w http.ResponseWriter, r *http.Request, rt route) {
	body, next, maxAge, err := s.encode(r, rt)
	if err != nil {
		writeError(w, err)
		return
	}
	if next != nil {
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, *next))
	}
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(maxAge.Seconds())))
	writeAnswer(w, r, body)
}

// encode reads and renders the answer under the lock: it points into the
// ledger.
func (s *rest) encode(r *http.Request, rt route) (body []byte, next *string, maxAge time.Duration, err error) {
	s.simulator.mu.RLock()
	defer s.simulator.mu.RUnlock()
	l := s.simulator.ledger.served(s.simulator.answered.Add(1))
	q, err := l.request(r, rt)
	if err != nil {
		return nil, nil, 0, err
	}
	answer, err := rt.answer(l, r, q)
	if err != nil {
		return nil, nil, 0, err
	}
	if list, ok := answer.(paged); ok {
		next = list.nextPage()
	}
	maxAge = rt.maxAge
	if final, ok := answer.(interface{ maxAge() time.Duration }); ok {
		maxAge = final.maxAge()
	}
	body, err = encodeJSON(answer)
	return body, next, maxAge, err
}

// gzipThreshold is where Express' compression begins.
const gzipThreshold = 1024

func writeAnswer(w http.ResponseWriter, r *http.Request, body []byte) {
	header := w.Header()
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", etag(body))
	if r.Header.Get("If-None-Match") == header.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if len(body) >= gzipThreshold && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = compress(body)
		header.Set("Content-Encoding", "gzip")
	}
	writeBody(w, http.StatusOK, body)
}

// writeError sends the mirror's error body. Errors that are none of the
// mirror's own are 500.
func writeError(w http.ResponseWriter, err error) {
	var known *restError
	if !errors.As(err, &known) {
		known = &restError{status: http.StatusInternalServerError, messages: []string{"Internal error"}}
	}
	type message struct {
		Message string `json:"message"`
		Detail  string `json:"detail,omitempty"`
	}
	var answer struct {
		Status struct {
			Messages []message `json:"messages"`
		} `json:"_status"`
	}
	for _, text := range known.messages {
		answer.Status.Messages = append(answer.Status.Messages, message{Message: text})
	}
	answer.Status.Messages[0].Detail = known.detail
	body, err := encodeJSON(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Vary", "Accept-Encoding")
	writeBody(w, known.status, body)
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, not HTML; the client may be gone
}

// encodeJSON writes "<" and ">" as they are, as the mirror does.
func encodeJSON(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

func etag(body []byte) string {
	hash := fnv.New64a()
	_, _ = hash.Write(body)
	return fmt.Sprintf(`W/"%x-%x"`, len(body), hash.Sum64())
}

// gzipWriters are pooled: a new one allocates about a megabyte.
var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // a wrong level, which is a constant
	}
	return w
}}

func compress(body []byte) []byte {
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	var buffer bytes.Buffer
	w.Reset(&buffer)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return buffer.Bytes()
}

// requests counts what the simulator was asked, by kind.
type requests struct {
	mu     sync.Mutex
	byKind map[string]int
}

func (r *requests) count(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byKind[kind]++
}

// Requests counts what was asked since the start or ResetRequests, by kind:
// "GET /api/v1/accounts/{id}", "grpc getNodes", "grpc getAccountInfo".
func (r *requests) Requests() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.byKind)
}

// ResetRequests starts counting at zero.
func (r *requests) ResetRequests() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.byKind)
}

// countUnary counts "/proto.CryptoService/getAccountInfo" as
// "grpc getAccountInfo".
func (r *requests) countUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	r.count("grpc " + path.Base(info.FullMethod))
	return handler(ctx, request)
}

func (r *requests) countStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	r.count("grpc " + path.Base(info.FullMethod))
	return handler(service, stream)
}

func requestControls() map[string]controlCall {
	return map[string]controlCall{
		"GET /simulator/requests": func(s *Simulator, _ *http.Request) (any, error) {
			return s.Requests(), nil
		},
		"DELETE /simulator/requests": func(s *Simulator, _ *http.Request) (any, error) {
			s.ResetRequests()
			return nil, nil
		},
	}
}
