// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulator is a local Hedera network over real sockets: a mirror node
// (REST and gRPC) and the consensus nodes of the mainnet address book, for
// demos, tests and benchmarks. It opens loopback ports unless told otherwise
// and connects nowhere.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// Options of a simulated network. The zero value is usable.
type Options struct {
	Seed           int64            // of accounts, blocks and certificates; default 1
	Shard, Realm   int64            // of the network
	Nodes          int              // first nodes of the mainnet address book; 0 = all 29
	Accounts       int              // deterministic accounts 0.0.1001 … beside the system accounts
	Latency        time.Duration    // added to every mirror REST answer
	RESTAddress    string           // default "127.0.0.1:0"
	GRPCAddress    string           // default "127.0.0.1:0"
	NodeBasePort   int              // port of the first node endpoint, the others follow; 0 = free ports
	ConfigWell     bool             // ExporterConfig leaves out what alerts fire for from the start
	ConfigCanary   string           // file that WriteExporterConfig writes a canary's key to; ExporterConfig has none without it
	ConfigAccounts int              // deterministic accounts in ExporterConfig; default min(Accounts, 20)
	Now            func() time.Time // default time.Now
	Static         bool             // balances and blocks change by calls and submitted transactions only
	ConsensusDelay time.Duration    // from the answer of a node to consensus
	MirrorDelay    time.Duration    // from consensus to the mirror
	Listen         ListenFunc       // opens every port; default TCP
}

// ListenFunc opens a port as [net.ListenConfig.Listen] does.
type ListenFunc func(ctx context.Context, network, address string) (net.Listener, error)

// anyPort is a free port on loopback.
const anyPort = "127.0.0.1:0"

func (o Options) withDefaults() Options {
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.RESTAddress == "" {
		o.RESTAddress = anyPort
	}
	if o.GRPCAddress == "" {
		o.GRPCAddress = anyPort
	}
	if o.ConfigAccounts == 0 {
		o.ConfigAccounts = min(o.Accounts, 20)
	}
	if o.Listen == nil {
		o.Listen = new(net.ListenConfig).Listen
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o Options) delays() delays { return delays{o.ConsensusDelay, o.MirrorDelay} }

func (o Options) validate() error {
	if err := o.delays().validate(); err != nil {
		return err
	}
	if o.Accounts < 0 || o.Accounts > maxAccounts {
		return fmt.Errorf("accounts: %d is not between 0 and %d", o.Accounts, maxAccounts)
	}
	if o.Shard < 0 || o.Shard >= 1<<shardBits || o.Realm < 0 || o.Realm >= 1<<realmBits {
		return fmt.Errorf("shard %d, realm %d: want them below %d and %d", o.Shard, o.Realm, 1<<shardBits, 1<<realmBits)
	}
	if o.Latency < 0 {
		return fmt.Errorf("latency: %s is negative", o.Latency)
	}
	if o.NodeBasePort < 0 || o.NodeBasePort > 65535 {
		return fmt.Errorf("node base port: %d is no port", o.NodeBasePort)
	}
	return nil
}

// ListenError is a port that could not be opened. Option is the field of
// Options that asked for it.
type ListenError struct {
	Option  string
	Address string
	Err     error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("listen on %s (%s): %v", e.Address, e.Option, e.Err)
}

// Unwrap returns what the operating system said.
func (e *ListenError) Unwrap() error { return e.Err }

// Simulator is a running network. Its methods may be called at any time by
// any goroutine.
type Simulator struct {
	options Options
	faults
	requests

	mu      sync.RWMutex
	ledger  *Ledger
	changed chan struct{} // closed, and replaced, by each Update

	background sync.WaitGroup  // transactions on their way
	closing    <-chan struct{} // closed by Close

	answered atomic.Int64 // REST requests, by which replicas take turns

	serversMu sync.Mutex
	servers   map[int64]*nodeServer

	restAddress string
	grpcAddress string

	cancel context.CancelFunc
	stops  []func() // in the order of their start
	close  sync.Once
}

// Start opens every port of the network and returns when all of them answer.
func Start(opts Options) (*Simulator, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	entries, err := readBook(opts.Nodes)
	if err != nil {
		return nil, err
	}
	l, err := newLedger(opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Simulator{
		options: opts, ledger: l, changed: make(chan struct{}), servers: make(map[int64]*nodeServer),
		cancel: cancel, closing: ctx.Done(),
	}
	s.byKind = make(map[string]int)
	if err := s.start(ctx, entries); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Simulator) start(ctx context.Context, entries []bookEntry) error {
	s.stops = append(s.stops, s.closeNodes)
	if err := s.openNodes(ctx, entries, s.options.NodeBasePort); err != nil {
		return err
	}
	if err := s.startGRPC(ctx); err != nil {
		return err
	}
	if err := s.startREST(ctx); err != nil {
		return err
	}
	if !s.options.Static {
		s.startTicking(ctx)
	}
	return nil
}

func (s *Simulator) startGRPC(ctx context.Context) error {
	listener, err := s.options.Listen(ctx, "tcp", s.options.GRPCAddress)
	if err != nil {
		return &ListenError{Option: "GRPCAddress", Address: s.options.GRPCAddress, Err: err}
	}
	s.grpcAddress = reachable(listener.Addr())
	tracked := &connections{open: make(map[string]net.Conn)}
	server := grpc.NewServer(grpc.StreamInterceptor(s.countStream), grpc.WaitForHandlers(true), allowPings())
	mirror.RegisterNetworkServiceServer(server, &networkService{simulator: s, connections: tracked})
	mirror.RegisterConsensusServiceServer(server, &topicService{simulator: s, connections: tracked})
	s.stops = append(s.stops, serveGRPC(server, trackedListener{listener, tracked}))
	return nil
}

// allowPings lets clients ask each 10 s whether the connection is there, as the
// official SDKs do (docs/hedera.md 4).
func allowPings() grpc.ServerOption {
	return grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true})
}

func (s *Simulator) startREST(ctx context.Context) error {
	listener, err := s.options.Listen(ctx, "tcp", s.options.RESTAddress)
	if err != nil {
		return &ListenError{Option: "RESTAddress", Address: s.options.RESTAddress, Err: err}
	}
	s.restAddress = reachable(listener.Addr())
	var connections sync.WaitGroup
	server := &http.Server{
		Handler:           newREST(s),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				connections.Add(1)
			case http.StateClosed, http.StateHijacked:
				connections.Done()
			case http.StateActive, http.StateIdle:
			}
		},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends by Close only
	}()
	s.stops = append(s.stops, func() {
		_ = server.Close()
		_ = listener.Close()
		<-done
		connections.Wait()
	})
	return nil
}

// reachable is a listener's address as a client on this machine dials it.
func reachable(address net.Addr) string {
	bound := netip.MustParseAddrPort(address.String())
	if bound.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), bound.Port()).String()
	}
	return bound.String()
}

func (s *Simulator) startTicking(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(blockPeriod)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = s.Update(func(l *Ledger) error { l.tick(); return nil })
			}
		}
	}()
	s.stops = append(s.stops, func() { <-done })
}

// Close stops everything and waits for it. Hanging requests end. Closing twice
// does nothing.
func (s *Simulator) Close() error {
	s.close.Do(func() {
		s.cancel()
		for _, stop := range s.stops {
			stop()
		}
		s.background.Wait()
	})
	return nil
}

// URL is the base of the mirror's REST API and of the control API.
func (s *Simulator) URL() string { return "http://" + s.restAddress }

// GRPCAddress is host:port of the mirror's gRPC service, plaintext.
func (s *Simulator) GRPCAddress() string { return s.grpcAddress }

// TLSPorts are the ports of the node endpoints that speak TLS.
func (s *Simulator) TLSPorts() []int {
	var ports []int
	for _, node := range s.Nodes() {
		for _, e := range node.Endpoints {
			if e.TLS {
				_, port := e.split()
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// ExporterConfig is a hedera_exporter configuration for this network, in YAML.
func (s *Simulator) ExporterConfig() []byte { return s.exporterConfig().marshal() }
