// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/proxy"
	"hedera_exporter/internal/simulator"
)

// natGateway is a path that forgets connections without telling either side.
type natGateway struct {
	dial  DialContextFunc
	epoch atomic.Int64
}

func (n *natGateway) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := n.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &natConn{Conn: conn, gateway: n, epoch: n.epoch.Load()}, nil
}

// natConn loses what is written after the gateway has forgotten it.
type natConn struct {
	net.Conn
	gateway *natGateway
	epoch   int64
}

func (c *natConn) Write(p []byte) (int, error) {
	if c.epoch != c.gateway.epoch.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func TestForgottenConnectionIsNoOutage(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim := startWith(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
		client := bookClient(sim)
		client.options.DialContext = memory.DialContext
		book, err := client.Book(deadline(t))
		if err != nil {
			t.Fatal(err)
		}
		gateway := &natGateway{dial: memory.DialContext}
		prober := NewProber(ProberOptions{Timeout: 5 * time.Second, ReconnectInterval: time.Hour, DialContext: gateway.DialContext})
		defer prober.Close()
		probe(deadline(t), prober, book.Nodes)
		gateway.epoch.Add(1)
		for _, result := range probe(deadline(t), prober, book.Nodes) {
			if result.Err != nil || result.Unknown != nil || result.Connect+result.Handshake+result.RPC > time.Second {
				t.Errorf("%s: %v, %v; it took %s", result.Endpoint.Address, result.Err, result.Unknown, result.RPC)
			}
		}
	})
}

var manyNodes = func() []Node {
	var nodes []Node
	for i := range 1000 {
		nodes = append(nodes, Node{ID: int64(i), Endpoints: []Endpoint{
			{Address: fmt.Sprintf("10.0.%d.%d:50211", i/250, i%250)}, {Address: fmt.Sprintf("10.0.%d.%d:50212", i/250, i%250), TLS: true},
		}})
	}
	return nodes
}()

// TestProbesAreBounded has 2,000 endpoints that do not answer: all of them are
// tried within the scrape, by 256 at once.
func TestProbesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu        sync.Mutex
			now, most int
		)
		prober := NewProber(ProberOptions{Timeout: 5 * time.Second, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			now--
			mu.Unlock()
			return nil, ctx.Err()
		}})
		defer prober.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		start := time.Now()
		down := 0
		for _, result := range probe(ctx, prober, manyNodes) {
			if result.Err != nil && result.Unknown == nil {
				down++
			}
		}
		if took := time.Since(start); down != 2000 || took > 9*time.Second {
			t.Errorf("%d down after %s", down, took)
		}
		if most > maxProbes+16 { // a dial ends a moment after its probe
			t.Errorf("%d endpoints were dialled at once", most)
		}
	})
}

func TestProbeCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	prober := newTestProber(t, time.Hour)
	for _, result := range probe(ctx, prober, manyNodes) {
		if !errors.Is(result.Unknown, context.Canceled) {
			t.Fatalf("%+v, want it not asked", result)
		}
	}
}

func TestFailureOfOursIsNotTheNodes(t *testing.T) {
	dialError := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := map[string]struct {
		err  error
		ours bool
	}{
		"no descriptor":           {dialError(os.NewSyscallError("socket", syscall.EMFILE)), true},
		"no descriptor at all":    {dialError(os.NewSyscallError("socket", syscall.ENFILE)), true},
		"no local port":           {dialError(os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)), true},
		"no descriptor to look":   {dialError(&net.DNSError{Err: "dial udp: socket: too many open files", Name: "node.example.com"}), true},
		"an address of this host": {dialError(errLocal), true},
		"a proxy that refuses":    {&proxy.Error{Proxy: "proxy.example.com:3128", Status: 407}, true},
		"a proxy that is down":    {&proxy.Error{Proxy: "proxy.example.com:3128", Err: dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED))}, true},
		"a proxy that works":      {&proxy.Error{Proxy: "proxy.example.com:3128", Status: 502, OfTarget: true}, false},
		"refused":                 {dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED)), false},
		"unknown name":            {dialError(&net.DNSError{Err: "no such host", Name: "node.example.com", IsNotFound: true}), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			prober := NewProber(ProberOptions{Timeout: testDeadline, DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, test.err
			}})
			defer prober.Close()
			for _, result := range probe(deadline(t), prober, manyNodes[:1]) {
				if result.Err == nil || (result.Unknown != nil) != test.ours {
					t.Errorf("error %v, unknown %v", result.Err, result.Unknown)
				}
			}
		})
	}
}

// TestKeptConnectionsMakeRoom has one endpoint for which no descriptor is left.
func TestKeptConnectionsMakeRoom(t *testing.T) {
	sim := start(t, 2)
	nodes := book(t, sim)
	short := ""
	prober := NewProber(ProberOptions{Timeout: testDeadline, ReconnectInterval: time.Hour, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == short {
			return nil, os.NewSyscallError("socket", syscall.EMFILE)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	defer prober.Close()
	probe(deadline(t), prober, nodes[1:])
	if len(prober.connections) == 0 {
		t.Error("no connection is kept")
	}
	short = nodes[0].Endpoints[0].Address
	probe(deadline(t), prober, nodes)
	if n := len(prober.connections); n > 0 {
		t.Errorf("%d connections are kept", n)
	}
}

func TestDialRemote(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		conn, err := DialRemote(deadline(t), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
		}
		if !errors.Is(err, errLocal) || !strings.Contains(err.Error(), "consensus.nodes") {
			t.Errorf("%s: error %v, want that it is of this host", host, err)
		}
	}
}

func TestClosedProberDialsNothing(t *testing.T) {
	prober := NewProber(ProberOptions{Timeout: testDeadline, DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, syscall.ECONNREFUSED
	}})
	prober.Close()
	for _, result := range probe(deadline(t), prober, manyNodes[:1]) {
		if !errors.Is(result.Unknown, errClosed) {
			t.Errorf("%+v, want that it is closed", result)
		}
	}
}

// TestProbeOfAFlood has an endpoint that sends pings for as long as it is read.
func TestProbeOfAFlood(t *testing.T) { synctest.Test(t, testProbeOfAFlood) }

func testProbeOfAFlood(t *testing.T) {
	sent := make(chan int64, 1)
	prober := NewProber(ProberOptions{
		Timeout:           testDeadline,
		ReconnectInterval: time.Hour,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, server) }()
			go func() {
				defer func() { _ = server.Close() }()
				counted := &countingWriter{to: server}
				framer := http2.NewFramer(counted, nil)
				err := framer.WriteSettings()
				for err == nil {
					err = framer.WritePing(false, [8]byte{})
				}
				select {
				case sent <- counted.bytes:
				default: // gRPC has connected again
				}
			}()
			return client, nil
		},
	})
	t.Cleanup(prober.Close)
	endpoint := Endpoint{Address: "192.0.2.1:50211"}
	prober.Probe(deadline(t), []Node{{ID: 3, Endpoints: []Endpoint{endpoint}}}, func(r Result) {
		// The second one if gRPC has connected again before it tells.
		if r.Err == nil || !strings.Contains(r.Err.Error(), errFlood.Error()) && !strings.Contains(r.Err.Error(), errHangsUp.Error()) {
			t.Errorf("error %v, want %q or %q", r.Err, errFlood, errHangsUp)
		}
	})
	if n := <-sent; n > 2*probeBytes {
		t.Errorf("%d bytes were read, want at most %d", n, 2*probeBytes)
	}
}

type countingWriter struct {
	to    io.Writer
	bytes int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.bytes += int64(n)
	return n, err
}
