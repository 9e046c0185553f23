// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hedera_exporter/collector"
	"hedera_exporter/internal/simulator"
)

// dial opens a connection that the test reads from when it likes.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn := connect(t, address)
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	return conn
}

// connect leaves the read buffer as it is: to read megabytes through a small one
// takes minutes.
func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// send ignores errors: the server may have closed the connection.
func send(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

func getRequest(path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"
}

// wantClosed waits until the server has closed the connection.
func wantClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(testDeadline)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of the connection itself
		t.Error("the connection is still open")
	}
}

// startServer serves handler; the test changes the limits before. Requests have
// the time that a busy machine takes.
func startServer(t *testing.T, handler http.Handler, limits *connections, change func(*http.Server)) (*http.Server, string) {
	t.Helper()
	server := newServer(handler, limits)
	if change != nil {
		change(server)
	}
	server.ReadHeaderTimeout = testDeadline
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return server, "http://" + listener.Addr().String()
}

// TestUnreadResponses has a client send requests and never read: it must not block
// a reload.
func TestUnreadResponses(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 100})
	flags := parseFlags(t, "--config.file="+writeFile(t, "c.yml", string(sim.ExporterConfig())))
	registry := newRegistry()
	rl := &reloader{flags: flags, self: collector.NewSelf(registry), logger: log.NewNopLogger()}
	if err := rl.reload(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rl.close)
	handler, err := newHandler(flags, rl, registry, new(atomic.Bool), log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	limits := newConnections(10)
	limits.writeTimeout = testDeadline
	_, url := startServer(t, handler, limits, nil)

	_, body := get(t, url+"/metrics", nil)
	requests := 64<<20/len(body) + 1 // more than the kernel's buffers
	conn := dial(t, url)
	go send(conn, strings.Repeat(getRequest("/metrics"), requests))
	blocked := func() bool {
		_, unread := limits.count()
		return unread > 0
	}
	awaitTrue(t, "a response is not read", func() bool {
		before := blocked()
		time.Sleep(100 * time.Millisecond)
		return before && blocked()
	})
	if status, answer := request(t, http.MethodPost, url+"/-/reload", nil); status != http.StatusOK {
		t.Errorf("reload: status %d: %s", status, answer)
	}
	awaitTrue(t, "a response is still not read", blocked)
	if status, again := get(t, url+"/metrics", nil); status != http.StatusOK || len(again) < len(body)/2 {
		t.Errorf("a scrape after the reload: status %d, %d bytes", status, len(again))
	}
}

// largeResponse is more than the kernel's buffers.
const largeResponse = 32 << 20

// startLarge is a server with a write timeout that never comes to the end of a
// response, and tells of each.
func startLarge(t *testing.T) (server *http.Server, url string, limits *connections, served chan struct{}) {
	t.Helper()
	limits = newConnections(10)
	limits.writeTimeout = 50 * time.Millisecond
	served = make(chan struct{}, 1)
	server, url = startServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, largeResponse))
		served <- struct{}{}
	}), limits, nil)
	return server, url, limits, served
}

// TestWriteTimeout has a client lose its connection when it does not read.
func TestWriteTimeout(t *testing.T) {
	_, url, limits, served := startLarge(t)
	conn := connect(t, url)
	send(conn, getRequest("/"))
	<-served
	awaitTrue(t, "the connection is closed", func() bool { open, unread := limits.count(); return open == 0 && unread == 0 })
	if n, _ := io.Copy(io.Discard, conn); n >= largeResponse {
		t.Errorf("all %d bytes arrived", n)
	}
}

// TestUnreadResponseDoesNotBlockTheEnd has the write timeout end the wait for a
// client that does not read.
func TestUnreadResponseDoesNotBlockTheEnd(t *testing.T) {
	server, url, _, served := startLarge(t)
	send(dial(t, url), getRequest("/"))
	<-served
	var logged strings.Builder
	if err := shutdown(server, testDeadline, log.NewLogfmtLogger(&logged)); err != nil || logged.Len() > 0 {
		t.Errorf("%v, log: %s", err, &logged)
	}
}

func (c *connections) count() (open, unread int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open), c.unread
}

func TestIdleTimeout(t *testing.T) {
	limits := newConnections(10)
	_, url := startServer(t, http.NotFoundHandler(), limits, func(s *http.Server) {
		if s.IdleTimeout != idleTimeout || s.WriteTimeout == 0 || s.ReadHeaderTimeout == 0 || s.MaxHeaderBytes == 0 {
			t.Errorf("the server has no limits: %+v", s)
		}
		s.IdleTimeout = 20 * time.Millisecond
	})
	conn := dial(t, url)
	send(conn, getRequest("/"))
	wantClosed(t, conn)
}

// TestUnreadBytes has many clients not read large responses: what is kept for
// them is bounded, and a client that reads gets its response.
func TestUnreadBytes(t *testing.T) {
	const size = 8 << 20 // more than the kernel's buffers
	limits := newConnections(1000)
	limits.maxUnread = 4 * size
	limits.writeTimeout = testDeadline
	var served atomic.Int32
	_, url := startServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, size))
		served.Add(1)
	}), limits, nil)
	const clients = 30
	var conns []net.Conn
	for i := range clients {
		conn := dial(t, url)
		send(conn, getRequest("/"))
		conns = append(conns, conn)
		awaitTrue(t, "the request is served", func() bool { return int(served.Load()) == i+1 })
		if _, unread := limits.count(); unread > limits.maxUnread {
			t.Fatalf("%d bytes are unread", unread)
		}
	}
	awaitTrue(t, "all but the last were closed", func() bool {
		open, _ := limits.count()
		return open <= limits.maxUnread/size
	})
	if status, body := get(t, url, nil); status != http.StatusOK || len(body) != size {
		t.Errorf("a client that reads: status %d, %d bytes", status, len(body))
	}
	wantClosed(t, conns[0])
	for _, conn := range conns {
		_ = conn.Close()
	}
	awaitTrue(t, "nothing is unread", func() bool { _, unread := limits.count(); return unread == 0 })
}

// TestConnectionsAreBounded has others hold connections in every way: a new
// client is served, and those that are being served are not closed.
func TestConnectionsAreBounded(t *testing.T) {
	hostile := map[string]func(net.Conn){
		"silent":        func(net.Conn) {},
		"half a header": func(conn net.Conn) { send(conn, "GET / HTTP/1.1\r\nHost: ") },
		"idle":          func(conn net.Conn) { send(conn, getRequest("/")) },
		"unread":        func(conn net.Conn) { send(conn, getRequest("/large")) },
		"half a body":   func(conn net.Conn) { send(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx") },
		"endless chunks": func(conn net.Conn) {
			send(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
		},
		"garbage":         func(conn net.Conn) { send(conn, "\x16\x03\x01\x00") },
		"pipelined 1,000": func(conn net.Conn) { go send(conn, strings.Repeat(getRequest("/large"), 1000)) },
	}
	for name, attack := range hostile {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			limits := newConnections(8)
			limits.writeTimeout = testDeadline
			mux := http.NewServeMux()
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "healthy") })
			mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 8<<20)) })
			mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
				<-release
				writeText(w, "done")
			})
			var accepted atomic.Int32
			_, url := startServer(t, mux, limits, func(server *http.Server) {
				server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
					defer accepted.Add(1)
					return limits.add(ctx, conn)
				}
			})
			served := dial(t, url)
			send(served, getRequest("/slow"))
			awaitTrue(t, "the slow request is being served", func() bool { return limits.servingCount() == 1 })

			const attackers = 50
			for range attackers {
				attack(dial(t, url))
			}
			// Beyond twice the limit, requests that are being served leave no room.
			awaitTrue(t, "no request but the slow one is being served", func() bool {
				return accepted.Load() == 1+attackers && limits.servingCount() == 1
			})
			for range 5 {
				if status, body := get(t, url, nil); status != http.StatusOK {
					t.Fatalf("status %d: %s", status, body)
				}
			}
			if open, _ := limits.count(); open > 2*limits.maxOpen {
				t.Errorf("%d connections are open", open)
			}
			close(release)
			_ = served.SetReadDeadline(time.Now().Add(testDeadline))
			response, err := http.ReadResponse(bufio.NewReader(served), nil)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("the slow request was cut off: %v", err)
			}
			_ = response.Body.Close()
		})
	}
}

// TestNewClientWhileAllAreServed has as many requests being served as there may be
// connections.
func TestNewClientWhileAllAreServed(t *testing.T) {
	const maxOpen = 3
	limits := newConnections(maxOpen)
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "healthy") })
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-release })
	_, url := startServer(t, mux, limits, nil)
	slow := func(serving int) {
		send(dial(t, url), getRequest("/slow"))
		awaitTrue(t, "the slow request is being served", func() bool { return limits.servingCount() == serving })
	}
	for i := range maxOpen {
		slow(i + 1)
	}
	for range 2 * maxOpen {
		if status, body := get(t, url, nil); status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
	}
	for i := range maxOpen {
		slow(maxOpen + i + 1)
	}
	wantClosed(t, dial(t, url)) // twice the limit
	close(release)
	awaitTrue(t, "all are served", func() bool { return limits.servingCount() == 0 })
	get(t, url, nil)
	awaitTrue(t, "the surplus is closed", func() bool { open, _ := limits.count(); return open <= maxOpen })
}

func (c *connections) servingCount() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		n += conn.serving
	}
	return n
}

// TestLivenessWhileConnectionsAreHeld is the same for the whole exporter.
func TestLivenessWhileConnectionsAreHeld(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 100})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())), "--web.max-connections=60")
	for i := range 300 {
		conn := dial(t, e.url)
		switch i % 3 {
		case 0:
			send(conn, getRequest("/-/healthy"))
		case 1:
			send(conn, getRequest("/config"))
		default:
			send(conn, "GET /metrics HTTP/1.1\r\n")
		}
	}
	for _, path := range []string{"/-/healthy", "/metrics"} {
		ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || err != nil {
			t.Errorf("%s: status %d, %v", path, response.StatusCode, err)
		}
	}
}

func TestLargeHeaderIsRefused(t *testing.T) {
	_, u := startServer(t, http.NotFoundHandler(), newConnections(10), nil)
	status, _ := get(t, u, http.Header{"X-Large": {strings.Repeat("x", 2*maxHeaderBytes)}})
	if status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", status)
	}
	if status, _ := get(t, u+"/?"+url.Values{"target": {strings.Repeat(fmt.Sprintf("0.0.%058d,", 1), 100)}}.Encode(), nil); status != http.StatusNotFound {
		t.Errorf("100 aliases: status %d", status)
	}
}
