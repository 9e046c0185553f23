// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package memnet

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// bufferSize is how many bytes a connection holds that are written and not yet
// read, in each direction.
const bufferSize = 64 << 10

// newConns returns the halves of a connection.
func newConns(client, server net.Addr) (*conn, *conn) {
	up, down := newPipe(), newPipe()
	return &conn{in: down, out: up, local: client, remote: server}, &conn{in: up, out: down, local: server, remote: client}
}

// conn is one half of a connection. It is not [net.Pipe], as that has no buffer:
// a server that answers before it has read everything would wait for ever.
type conn struct {
	in, out       *pipe
	local, remote net.Addr
}

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *conn) LocalAddr() net.Addr         { return c.local }
func (c *conn) RemoteAddr() net.Addr        { return c.remote }

// Close lets the other half read what has been written.
func (c *conn) Close() error {
	c.in.update(func() { c.in.readerClosed = true })
	c.out.update(func() { c.out.writerClosed = true })
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.update(func() { c.in.reader.set(t, c.in) })
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.update(func() { c.out.writer.set(t, c.out) })
	return nil
}

// pipe is one direction of a connection.
type pipe struct {
	mu             sync.Mutex
	changed        sync.Cond
	buffer         bytes.Buffer
	readerClosed   bool
	writerClosed   bool
	reader, writer deadline
}

func newPipe() *pipe {
	p := &pipe{}
	p.changed.L = &p.mu
	return p
}

func (p *pipe) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readerClosed:
			return 0, net.ErrClosed
		case p.reader.passed:
			return 0, os.ErrDeadlineExceeded
		case p.buffer.Len() > 0:
			p.changed.Broadcast()
			return p.buffer.Read(b)
		case p.writerClosed:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *pipe) write(b []byte) (written int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch free := bufferSize - p.buffer.Len(); {
		case p.writerClosed:
			return written, net.ErrClosed
		case p.readerClosed:
			return written, io.ErrClosedPipe
		case p.writer.passed:
			return written, os.ErrDeadlineExceeded
		case written == len(b):
			return written, nil
		case free > 0:
			n, _ := p.buffer.Write(b[written:min(len(b), written+free)])
			written += n
			p.changed.Broadcast()
			continue
		}
		p.changed.Wait()
	}
}

// deadline is one of a pipe, whose mutex guards it.
type deadline struct {
	passed bool
	timer  *time.Timer
	sets   int // of which the last one counts
}

// set replaces the deadline. The server of net/http ends a read by a deadline in
// the past that it takes back at once: that one must not pass later.
func (d *deadline) set(t time.Time, p *pipe) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.sets++
	left := time.Until(t)
	d.passed = !t.IsZero() && left <= 0
	if t.IsZero() || d.passed {
		return
	}
	set := d.sets
	d.timer = time.AfterFunc(left, func() {
		p.update(func() { d.passed = d.passed || d.sets == set })
	})
}
