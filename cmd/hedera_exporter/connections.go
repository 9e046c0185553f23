// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// connections bounds the open connections and the memory of responses that
// clients do not read. Beyond a limit it closes the connection that has waited
// longest: for its client, idle, in the middle of a request's header or with an
// unread response; or for the turn of its request. Connections whose requests are
// being served are not closed; other limits bound them. While all are being served
// there may be as many more. So a new client, such as a liveness probe, gets its
// answer whatever the others do.
type connections struct {
	maxOpen      int
	maxUnread    int
	writeTimeout time.Duration

	mu     sync.Mutex
	open   map[net.Conn]*connection
	unread int // bytes
}

// connection is guarded by the mutex of connections.
type connection struct {
	all     *connections
	conn    net.Conn
	waiting time.Time // since when, if serving is 0
	serving int       // requests; HTTP/2 has several
	unread  int       // bytes
	closed  bool      // to make room: its bytes count no more
}

type connectionKey struct{}

func newConnections(maxOpen int) *connections {
	return &connections{maxOpen: maxOpen, maxUnread: maxUnreadBytes, writeTimeout: writeTimeout, open: map[net.Conn]*connection{}}
}

// watch sets the server's hooks.
func (c *connections) watch(server *http.Server) {
	server.ConnContext = c.add
	server.ConnState = c.changed
	server.Handler = c.handler(server.Handler)
}

func (c *connections) add(ctx context.Context, conn net.Conn) context.Context {
	added := &connection{all: c, conn: conn, waiting: time.Now()}
	c.mu.Lock()
	c.open[conn] = added
	var surplus []*connection
	for len(c.open) > c.maxOpen {
		longest := c.longestWaiting(func(other *connection) bool { return other != added })
		if longest == nil {
			if len(c.open) <= 2*c.maxOpen {
				break
			}
			longest = added
		}
		c.forget(longest)
		surplus = append(surplus, longest)
	}
	c.mu.Unlock()
	for _, conn := range surplus {
		conn.close()
	}
	return context.WithValue(ctx, connectionKey{}, added)
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	case http.StateActive, http.StateIdle:
		if changed := c.open[conn]; changed != nil {
			changed.waiting = time.Now()
		}
	case http.StateNew:
	}
}

// longestWaiting returns nil if no connection that fits is waiting.
func (c *connections) longestWaiting(fits func(*connection) bool) *connection {
	var longest *connection
	for _, conn := range c.open {
		if conn.serving == 0 && fits(conn) && (longest == nil || conn.waiting.Before(longest.waiting)) {
			longest = conn
		}
	}
	return longest
}

// close leaves TLS out: a client that does not read would block its alert. If
// there is an unread response the kernel drops it too.
func (c *connection) close() {
	conn := c.conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok && c.unread > 0 {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close() // there is nothing to be done about an error
}

// handler serves requests by next into memory and then writes the response, so
// that a client that does not read holds nothing of next.
func (c *connections) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _ := r.Context().Value(connectionKey{}).(*connection)
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // the response has not begun
		if r.ContentLength != 0 {
			// No handler reads a body, but the server skips it.
			_ = control.SetReadDeadline(time.Now().Add(readHeaderTimeout))
		}
		response := conn.serve(next, r)
		size := len(response.content())
		c.addUnread(conn, size)
		defer c.addUnread(conn, -size)
		_ = control.SetWriteDeadline(time.Now().Add(c.writeTimeout))
		response.writeTo(w, r)
	})
}

func (c *connection) serve(next http.Handler, r *http.Request) *responseBuffer {
	c.addServing(1)
	defer c.addServing(-1)
	response := &responseBuffer{header: http.Header{}}
	next.ServeHTTP(response, r)
	return response
}

func (c *connection) addServing(n int) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.serving += n
	c.waiting = time.Now()
}

// addUnread makes room for the response of conn.
func (c *connections) addUnread(conn *connection, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.closed {
		return
	}
	conn.unread += n
	c.unread += n
	for c.unread > c.maxUnread {
		slowest := c.longestWaiting(func(other *connection) bool { return other != conn && other.unread > 0 })
		if slowest == nil {
			return
		}
		c.forget(slowest)
		slowest.close()
	}
}

// forget takes a connection that is about to be closed out of the accounts.
func (c *connections) forget(conn *connection) {
	delete(c.open, conn.conn)
	c.unread -= conn.unread
	conn.closed = true
}

// responseBuffer is a response in memory.
type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
	shared []byte // instead of body: the body of other responses too
}

func (b *responseBuffer) Header() http.Header { return b.header }

// WriteHeader ignores all calls but the first, as the server's does.
func (b *responseBuffer) WriteHeader(status int) { b.status = cmp.Or(b.status, status) }

func (b *responseBuffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// copyTo makes b the response of w, and shares the body if w is in memory too.
func (b *responseBuffer) copyTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), b.header)
	w.WriteHeader(cmp.Or(b.status, http.StatusOK))
	if other, ok := w.(*responseBuffer); ok {
		other.shared = b.content()
		return
	}
	_, _ = w.Write(b.content()) //nolint:gosec // handlers set the type; only the client can fail, and it has gone
}

func (b *responseBuffer) content() []byte {
	if b.shared != nil {
		return b.shared
	}
	return b.body.Bytes()
}

func (b *responseBuffer) writeTo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", strconv.Itoa(len(b.content())))
	if r.Method == http.MethodHead {
		b = &responseBuffer{header: b.header, status: b.status}
	}
	b.copyTo(w)
}
