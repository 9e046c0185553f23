// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
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

// route is a GET endpoint of the mirror's REST API. A new endpoint is a new
// file with its routes, listed in newREST.
type route struct {
	path   string // http.ServeMux pattern without method
	maxAge time.Duration
	params []string
	answer func(r *http.Request, q query) (any, error)
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
	mux      *http.ServeMux
	control  http.Handler
	latency  time.Duration
	faults   *faults
	requests *requests
}

const unknownRoute = "/"

func newREST(l *ledger, control http.Handler, latency time.Duration, f *faults, counts *requests) *rest {
	mux := http.NewServeMux()
	for _, routes := range [][]route{
		l.accountRoutes(),
		l.balanceRoutes(),
		l.blockRoutes(),
		l.nodeRoutes(),
		l.networkRoutes(),
		l.registeredNodeRoutes(),
		l.transactionRoutes(),
		l.tokenRoutes(),
		l.allowanceRoutes(),
		l.topicRoutes(),
		l.contractRoutes(),
		l.scheduleRoutes(),
	} {
		for _, rt := range routes {
			mux.Handle(http.MethodGet+" "+rt.path, rt)
		}
	}
	mux.HandleFunc(unknownRoute, func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, notFound())
	})
	return &rest{mux: mux, control: control, latency: latency, faults: f, requests: counts}
}

// ServeHTTP counts, delays and disturbs a request before it answers.
func (s *rest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	s.requests.count(s.kind(r))
	wait(r.Context(), s.latency)
	if fault, ok := s.faults.take(r.URL.Path); ok {
		s.disturb(w, r, fault)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// kind names the route template rather than the path, so that ids do not
// multiply the counts.
func (s *rest) kind(r *http.Request) string {
	if _, pattern := s.mux.Handler(r); pattern != unknownRoute {
		return pattern
	}
	return r.Method + " unknown"
}

// ServeHTTP answers one request of the route.
func (rt route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL, rt.params)
	if err != nil {
		writeError(w, err)
		return
	}
	answer, err := rt.answer(r, q)
	if err != nil {
		writeError(w, err)
		return
	}
	if list, ok := answer.(paged); ok && list.nextPage() != nil {
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, *list.nextPage()))
	}
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(rt.maxAge.Seconds())))
	writeAnswer(w, r, answer)
}

// gzipThreshold is where Express' compression begins.
const gzipThreshold = 1024

func writeAnswer(w http.ResponseWriter, r *http.Request, answer any) {
	body, err := encodeJSON(answer)
	if err != nil {
		writeError(w, err)
		return
	}
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
		known = &restError{status: http.StatusInternalServerError, message: "Internal error"}
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
	answer.Status.Messages = []message{{known.message, known.detail}}
	body, err := encodeJSON(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeBody(w, known.status, body)
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
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

func newRequests() *requests {
	return &requests{byKind: make(map[string]int)}
}

func (r *requests) count(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byKind[kind]++
}

func (r *requests) snapshot() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.byKind)
}

func (r *requests) reset() {
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
