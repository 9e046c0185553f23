// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package memnet is a network in memory, for tests in [testing/synctest]
// bubbles: while a goroutine of a bubble waits for a real socket, the bubble's
// clock stands still.
package memnet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Test runs test in a bubble: its deadlines, backoff and latencies pass at
// once. The simulator and its clients are to use the network that it hands over.
func Test(t *testing.T, test func(t *testing.T, memory *Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// A bubble's clock starts in 2000, when there was no Hedera.
		time.Sleep(time.Until(time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)))
		test(t, &Network{})
	})
}

// firstPort is of those that Listen and DialContext pick.
const firstPort = 20000

// Network is a network of its own, for the goroutines of one bubble. The zero
// value is usable.
type Network struct {
	mu        sync.Mutex
	picked    uint16
	listeners map[netip.AddrPort]*listener
}

// Listen opens an IP address and port; port 0 is a free one. Like
// [net.ListenConfig.Listen] it fails with EADDRINUSE for one that is open.
func (n *Network) Listen(_ context.Context, network, address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.Port() == 0 {
		at = n.pickLocked(at.Addr())
	}
	if n.listeners[at] != nil {
		return nil, opError("listen", network, at, syscall.EADDRINUSE)
	}
	l := &listener{network: n, at: at, dialed: make(chan net.Conn), closed: make(chan struct{})}
	if n.listeners == nil {
		n.listeners = make(map[netip.AddrPort]*listener)
	}
	n.listeners[at] = l
	return l, nil
}

// DialContext connects to what Listen has opened. It fails with ECONNREFUSED
// where that is nothing.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	l := n.listeners[at]
	n.mu.Unlock()
	if l == nil {
		return nil, opError("dial", network, at, syscall.ECONNREFUSED)
	}
	client, server := newConns(net.TCPAddrFromAddrPort(n.pick(at.Addr())), l.Addr())
	select {
	case l.dialed <- server:
		return client, nil
	case <-l.closed:
		return nil, opError("dial", network, at, syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pick returns an address that no listener and no connection has had.
func (n *Network) pick(host netip.Addr) netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pickLocked(host)
}

func (n *Network) pickLocked(host netip.Addr) netip.AddrPort {
	n.picked++
	return netip.AddrPortFrom(host, firstPort+n.picked)
}

func opError(operation, network string, at netip.AddrPort, errno syscall.Errno) error {
	return &net.OpError{Op: operation, Net: network, Addr: net.TCPAddrFromAddrPort(at), Err: os.NewSyscallError(operation, errno)}
}

type listener struct {
	network *Network
	at      netip.AddrPort
	dialed  chan net.Conn
	close   sync.Once
	closed  chan struct{}
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case server := <-l.dialed:
		return server, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if l.network.listeners[l.at] == l {
		delete(l.network.listeners, l.at)
	}
	l.close.Do(func() { close(l.closed) })
	return nil
}
