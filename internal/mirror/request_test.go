// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
)

const htmlPage = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>"

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// truncated promises more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"accounts":[{"account":"0.0.2"`)
}

func gzipped(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(compress(body))
	}
}

func compress(s string) []byte {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	_, _ = io.WriteString(zw, s)
	_ = zw.Close()
	return buf.Bytes()
}

// emptyGzip has so many bytes, and nothing in them: empty blocks without end.
func emptyGzip(size int) []byte {
	header := compress("")[:10]
	return append(header, bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, size/5+1)...)
}

func withHeader(name, value string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		h(w, r)
	}
}

func TestServerBehaviours(t *testing.T) {
	const route = "/api/v1/accounts "
	good := accountsBody("", "0.0.2")
	padded := func(bytes int) string { // a good answer that is so long
		head := strings.TrimSuffix(good, "}") + `,"x":[`
		rest := bytes - len(head) - len(`]}`)
		return head + padding(rest-2) + `]}`
	}
	truncatedGzip := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(compress(good)[:20])
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		// errs are parts of the error; none means success.
		errs []string
		// code is observed for every attempt.
		code     string
		attempts int
	}{
		{name: "ok", handler: answer(200, good), code: "200", attempts: 1},
		{name: "gzip", handler: gzipped(good), code: "200", attempts: 1},
		{
			name: "400", handler: answer(400, `{"_status":{"messages":[{"message":"Invalid parameter: limit"},{"message":"No","detail":"really"}]}}`), code: "400", attempts: 1,
			errs: []string{"GET /api/v1/accounts (1 accounts): 400 Bad Request: Invalid parameter: limit, No (really)"},
		},
		{name: "404", handler: answer(404, `{"_status":{"messages":[{"message":"Not found"}]}}`), code: "404", attempts: 1, errs: []string{"404 Not Found: Not found"}},
		{name: "401", handler: answer(401, "key 123 is invalid"), code: "401", attempts: 1, errs: []string{`401 Unauthorized; check the credentials for the mirror of network "testnet"`}},
		{name: "403", handler: answer(403, ""), code: "403", attempts: 1, errs: []string{"403 Forbidden; check the credentials"}},
		{name: "500", handler: answer(500, "boom"), code: "500", attempts: 1, errs: []string{"500 Internal Server Error: boom"}},
		{name: "unknown status", handler: answer(599, ""), code: "599", attempts: 1, errs: []string{": 599"}},
		{
			name: "429", handler: answer(429, `{"_status":{"messages":[{"message":"Too many"}]}}`), code: "429", attempts: 3,
			errs: []string{"429 Too Many Requests: Too many; lower rate_limit or use a paid mirror (attempt 3 of 3)"},
		},
		{name: "502 as HTML", handler: answer(502, htmlPage), code: "502", attempts: 3, errs: []string{"502 Bad Gateway (attempt 3 of 3)"}},
		{name: "503", handler: answer(503, `{"_status":{"messages":[{"message":"Service Unavailable"}]}}`), code: "503", attempts: 3, errs: []string{"503 Service Unavailable: Service Unavailable"}},
		{name: "504", handler: answer(504, "line one\n\tline\x00two "), code: "504", attempts: 3, errs: []string{"504 Gateway Timeout: line one line two (attempt"}},
		{name: "503 in gzip", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(compress("squeezed"))
		}, code: "503", attempts: 3, errs: []string{"503 Service Unavailable: squeezed"}},
		{name: "reset", handler: reset, code: "error", attempts: 3, errs: []string{"connection reset by peer (attempt 3 of 3)"}},
		{name: "truncated", handler: truncated, code: "error", attempts: 3, errs: []string{"reading the response: unexpected EOF"}},
		{name: "truncated JSON", handler: answer(200, good[:40]), code: "200", attempts: 3, errs: []string{"truncated response"}},
		{name: "empty", handler: answer(200, ""), code: "200", attempts: 3, errs: []string{"truncated response"}},
		{name: "truncated gzip", handler: truncatedGzip, code: "error", attempts: 3, errs: []string{"unexpected EOF"}},
		{name: "not gzip", handler: withHeader("Content-Encoding", "gzip", answer(200, "plainly not gzip")), code: "error", attempts: 3, errs: []string{"gzip: invalid header"}},
		{name: "garbage", handler: answer(200, "what\nnow? "+strings.Repeat("x", 1000)), code: "200", attempts: 1, errs: []string{"response is not JSON", "what now? xxx", "x…"}},
		{name: "HTML with 200", handler: answer(200, htmlPage), code: "200", attempts: 1, errs: []string{"response is HTML, not JSON"}},
		{name: "trailing garbage", handler: answer(200, good+"}{"), code: "200", attempts: 1, errs: []string{"response is not JSON"}},
		{name: "other JSON", handler: answer(200, `{"error":"quota"}`), code: "200", attempts: 1, errs: []string{"unexpected response: it has no list of accounts"}},
		{name: "too large", handler: answer(200, padded(maxBodyBytes+1)), code: "error", attempts: 1, errs: []string{"response too large: more than 8388608 bytes after decompression"}},
		{name: "just not too large", handler: answer(200, padded(maxBodyBytes)), code: "200", attempts: 1},
		{name: "gzip bomb", handler: gzipped(padded(maxBodyBytes + 1)), code: "error", attempts: 1, errs: []string{"response too large: more than 8388608 bytes after decompression"}},
		{name: "gzip of nothing", handler: rawGzip(emptyGzip(maxWireBytes + 1)), code: "error", attempts: 1, errs: []string{"response too large: more than 8389632 bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t, tt.handler)
			c, _, rec := newTestClient(t, srv.URL)
			c.maxAttempts, c.timeout = 3, time.Minute // the race detector is slow
			batch := c.Accounts(t.Context(), []string{"0.0.2"})
			accounts, err := batch.Rows, batch.Err()
			if want := slices.Repeat([]string{route + tt.code}, tt.attempts); !slices.Equal(rec.seen(), want) {
				t.Errorf("observed %q, want %q", rec.seen(), want)
			}
			if got := int(srv.requests.Load()); got != tt.attempts {
				t.Errorf("%d requests, want %d", got, tt.attempts)
			}
			if len(tt.errs) > 0 {
				wantError(t, err, append(tt.errs, "mirror "+srv.URL+": ")...)
				if strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 500 {
					t.Errorf("error is not one short line: %q", err)
				}
				return
			}
			if err != nil || len(accounts) != 1 || accounts["0.0.2"].ID != "0.0.2" {
				t.Errorf("got %+v, %v", accounts, err)
			}
		})
	}
}

// endless counts what is read of it.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.n += int64(len(p))
	return len(p), nil
}

func TestCappedStopsAtTheLimit(t *testing.T) {
	const limit = 10_000
	body := &endless{}
	n, err := io.Copy(io.Discard, newCapped(body, limit, "bytes"))
	var got *LimitError
	if !errors.As(err, &got) || n != limit || body.n != limit+1 {
		t.Errorf("copied %d and read %d bytes, %v, want %d and one more", n, body.n, err, limit)
	}
}

func TestStatusError(t *testing.T) {
	srv := newServer(t, withHeader("Retry-After", "3", answer(404, `{"_status":{"messages":[{"message":"Not found"}]}}`)))
	c, _, _ := newTestClient(t, srv.URL)
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	var status *StatusError
	if !errors.As(err, &status) {
		t.Fatalf("%v is not a StatusError", err)
	}
	if want := (StatusError{Code: 404, Message: "Not found", ByMirror: true, RetryAfter: 3 * time.Second}); *status != want {
		t.Errorf("got %+v, want %+v", *status, want)
	}
	if !IsNotFound(err) || IsNotFound(errors.New("404")) || IsNotFound(&StatusError{Code: 500}) {
		t.Error("IsNotFound is wrong")
	}
	if IsNotFound(&StatusError{Code: 404}) {
		t.Error("a 404 of a gateway says that an entity does not exist")
	}
	if !IsMissingRoute(err) || IsMissingRoute(&StatusError{Code: 404, ByMirror: true, Detail: true}) {
		t.Error("IsMissingRoute is wrong")
	}
}

func TestUnreachable(t *testing.T) {
	const nobody = "http://127.0.0.1:1"
	c, clk, rec := newTestClient(t, nobody+"/k3y")
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "mirror "+nobody+": GET", "connection refused; check that the mirror runs", "attempt 10 of 10")
	if strings.Contains(err.Error(), "k3y") || strings.Contains(err.Error(), "account.id") {
		t.Errorf("more than the host in error %q", err)
	}
	if len(clk.sleeps()) != 9 || len(rec.seen()) != 10 {
		t.Errorf("%d waits and %d attempts, want 9 and 10", len(clk.sleeps()), len(rec.seen()))
	}
}

func TestTransportHints(t *testing.T) {
	asIs := func(s string) string { return s }
	err := newTransportError(asIs, "mainnet.mirrornode.hedera.com", fmt.Errorf("lookup: %w", &net.DNSError{Err: "no such host", Name: "mainnet.mirrornode.hedera.com"}))
	wantError(t, err, "no such host; check that this host can reach the internet")
	err = newTransportError(asIs, "mirrror.example", fmt.Errorf("lookup: %w", &net.DNSError{Err: "no such host", Name: "mirrror.example"}))
	wantError(t, err, "no such host; check the host name")

	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	c, _, _ := newTestClient(t, srv.URL)
	err = c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "certificate", "check tls_config")
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		hang(w, r)
	})
	c, _, rec := newTestClient(t, srv.URL)
	err := c.Accounts(ctx, []string{"0.0.2"}).Err()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if want := []string{"/api/v1/accounts canceled"}; !slices.Equal(rec.seen(), want) {
		t.Errorf("observed %q, want %q", rec.seen(), want)
	}
}

func TestConcurrencyIsBoundAcrossCallers(t *testing.T) {
	const bound = 3
	var inFlight, most atomic.Int64
	full := make(chan struct{})
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		n := inFlight.Add(1)
		defer inFlight.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == bound {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		select {
		case <-full:
		case <-r.Context().Done():
		}
		serveAccounts(100)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL, func(o *Options) { o.MaxConcurrency = bound })
	errs := make(chan error)
	for range 4 {
		go func() {
			err := c.Accounts(t.Context(), accountIDs(1000)).Err()
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if most.Load() != bound {
		t.Errorf("%d requests in flight, want %d", most.Load(), bound)
	}
	if srv.requests.Load() != 40 {
		t.Errorf("%d requests, want 40", srv.requests.Load())
	}
}

func TestConnectionsAreReused(t *testing.T) {
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(nil)
	var n atomic.Int64
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 3 {
		case 0:
			answer(503, strings.Repeat("x", 10_000))(w, r)
		case 1:
			gzipped(accountsBody("", r.URL.Query()["account.id"]...))(w, r)
		default:
			serveAccounts(100)(w, r)
		}
	})
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c, _, _ := newTestClient(t, srv.URL, func(o *Options) { o.MaxConcurrency = 1 })
	if err := c.Accounts(t.Context(), accountIDs(2000)).Err(); err != nil {
		t.Fatal(err)
	}
	if n.Load() < 20 || conns.Load() != 1 {
		t.Errorf("%d connections for %d requests, want 1", conns.Load(), n.Load())
	}
}

func TestRedirects(t *testing.T) {
	foreign := newServer(t, answer(200, accountsBody("", "0.0.2")))
	tests := []struct {
		name   string
		follow bool
		target func(own string) string
		errs   []string
	}{
		{name: "same host", follow: true, target: func(own string) string { return own + "/moved" }},
		{name: "same host, not to be followed", target: func(own string) string { return own + "/moved" }, errs: []string{"302 Found; redirect to http://127.0.0.1"}},
		{name: "foreign host", follow: true, target: func(string) string { return foreign.URL }, errs: []string{"302 Found; redirect to " + foreign.URL + " not followed"}},
		{name: "other scheme", follow: true, target: func(own string) string { return strings.Replace(own, "http:", "https:", 1) }, errs: []string{"302 Found; redirect to https://"}},
		{name: "loop", follow: true, target: func(own string) string { return own }, errs: []string{"stopped after 3 redirects"}},
		{name: "nowhere", follow: false, target: func(string) string { return "" }, errs: []string{"redirects are not followed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var srv *testServer
			srv = newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/moved" {
					answer(200, accountsBody("", "0.0.2"))(w, r)
					return
				}
				if target := tt.target(srv.URL); target != "" {
					w.Header().Set("Location", target)
				}
				w.WriteHeader(http.StatusFound)
			})
			c, _, _ := newTestClient(t, srv.URL, func(o *Options) { o.HTTPClient.FollowRedirects = tt.follow })
			err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
			if len(tt.errs) > 0 {
				wantError(t, err, tt.errs...)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	if foreign.requests.Load() != 0 {
		t.Error("a foreign host was asked")
	}
}

func TestUserAgent(t *testing.T) {
	var agent atomic.Value
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent())
		serveAccounts(100)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	if err := c.Accounts(t.Context(), []string{"0.0.2"}).Err(); err != nil {
		t.Fatal(err)
	}
	if agent.Load() != "hedera_exporter/test" {
		t.Errorf("user agent is %q", agent.Load())
	}
}

func TestSystemClock(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if err := systemClock.sleep(ctx, time.Nanosecond); err != nil {
		t.Error(err)
	}
	cancel()
	if err := systemClock.sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestNewRejects(t *testing.T) {
	good := mustParse(t, "http://localhost")
	tests := []struct {
		name    string
		options Options
		want    string
	}{
		{"no url", Options{}, "mirror url: not set"},
		{"scheme", Options{URL: mustParse(t, "ftp://localhost")}, "must be http:// or https://"},
		{"no host", Options{URL: mustParse(t, "http:///x")}, "with a host"},
		{"query", Options{URL: mustParse(t, "http://localhost?key=1")}, "neither query nor fragment"},
		{"java url", Options{URL: good, JavaURL: mustParse(t, "localhost:8084")}, "mirror java url: must be"},
		{"negative", Options{URL: good, RateLimit: -1}, "must not be negative"},
		{"http client", Options{URL: good, HTTPClient: promconfig.HTTPClientConfig{TLSConfig: promconfig.TLSConfig{CAFile: "/does/not/exist"}}}, "mirror http://localhost: http client: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.options)
			wantError(t, err, tt.want)
		})
	}
}

func TestNewDefaults(t *testing.T) {
	c, err := New(Options{URL: mustParse(t, "http://localhost"), RateLimit: 40})
	if err != nil {
		t.Fatal(err)
	}
	c.observer.Request("", "", 0)
	c.observer.RateLimitWait(0)
	c.observer.DecodeFailure("", "", 0, nil)
	if c.limiter.bucket.Burst() != 10 || cap(c.slots) != 4 || c.timeout != 10*time.Second || c.maxAttempts != 10 {
		t.Errorf("defaults are burst %d, concurrency %d, timeout %s, attempts %d", c.limiter.bucket.Burst(), cap(c.slots), c.timeout, c.maxAttempts)
	}
}
