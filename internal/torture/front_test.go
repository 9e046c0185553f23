//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// front is a listener whose connections are served by one server at a time.
type front struct {
	listener net.Listener

	mu    sync.Mutex
	serve func(net.Conn)
	open  map[net.Conn]bool
}

func newFront(t testing.TB, serve func(net.Conn)) *front {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{listener: listener, serve: serve, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		listener.Close()
		f.become(nil)
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go f.accept(conn)
		}
	}()
	return f
}

func (f *front) address() string { return f.listener.Addr().String() }

func (f *front) accept(conn net.Conn) {
	f.mu.Lock()
	serve := f.serve
	f.open[conn] = true
	f.mu.Unlock()
	if serve == nil {
		_ = conn.Close()
		return
	}
	serve(conn)
}

// become closes all connections and serves new ones otherwise. It returns a
// function that turns back.
func (f *front) become(serve func(net.Conn)) (restore func()) {
	f.mu.Lock()
	previous := f.serve
	f.serve = serve
	closing := f.open
	f.open = map[net.Conn]bool{}
	f.mu.Unlock()
	for conn := range closing {
		_ = conn.Close()
	}
	return func() { f.become(previous) }
}

// connListener hands connections to a server.
type connListener struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

func newConnListener() *connListener {
	l := &connListener{conns: make(chan net.Conn), done: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.done) })
	return l
}

func (l *connListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *connListener) Close() error {
	l.close()
	return nil
}

func (*connListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *connListener) serve(conn net.Conn) {
	select {
	case l.conns <- conn:
	case <-l.done:
		_ = conn.Close()
	}
}

// serveHTTP serves connections until ctx ends.
func serveHTTP(ctx context.Context, handler http.Handler) func(net.Conn) {
	l := newConnListener()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return l.serve
}

// serveGRPC serves connections until ctx ends.
func serveGRPC(ctx context.Context, server *grpc.Server) func(net.Conn) {
	l := newConnListener()
	go func() { _ = server.Serve(l) }()
	context.AfterFunc(ctx, server.Stop)
	return l.serve
}

// forward passes bytes to and from another address.
func forward(ctx context.Context, address string) func(net.Conn) {
	return func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		target, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return
		}
		defer func() { _ = target.Close() }()
		go func() {
			defer func() { _ = target.Close() }()
			_, _ = io.Copy(target, conn)
		}()
		_, _ = io.Copy(conn, target)
	}
}

// mirror is the simulated mirror's REST API, of which an attack may answer some
// routes itself.
type mirror struct {
	honest http.Handler
	attack atomic.Pointer[routeAttack]
}

// routeAttack answers the routes with one of the prefixes.
type routeAttack struct {
	paths  []string
	answer http.HandlerFunc
}

func newMirror(simulator *url.URL) *mirror {
	proxy := httputil.NewSingleHostReverseProxy(simulator)
	proxy.Transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return &mirror{honest: proxy}
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if attack := m.attack.Load(); attack != nil {
		for _, path := range attack.paths {
			if strings.HasPrefix(r.URL.Path, path) {
				attack.answer(w, r)
				return
			}
		}
	}
	m.honest.ServeHTTP(w, r)
}
