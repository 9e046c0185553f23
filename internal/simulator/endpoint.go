// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// endpoint is one listening port of a node. It serves, hangs or is closed.
type endpoint struct {
	address string
	tls     bool
	service *cryptoService

	mu      sync.Mutex
	stop    func() // nil while the port is closed
	serving bool   // false while closed or hanging
}

// rebindTimeout bounds how long a restart waits for its port: the kernel may
// have lent it to an outgoing connection meanwhile.
const rebindTimeout = 2 * time.Second

// start answers HAPI requests. An endpoint that does so already keeps its
// connections.
func (e *endpoint) start(certificate tls.Certificate) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.serving {
		return nil
	}
	return e.restartLocked(certificate)
}

// present drops every connection and serves with another certificate. Where
// there is no certificate to present, nothing happens.
func (e *endpoint) present(certificate tls.Certificate) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.tls || !e.serving {
		return nil
	}
	return e.restartLocked(certificate)
}

func (e *endpoint) restartLocked(certificate tls.Certificate) error {
	e.closeLocked()
	listener, err := e.listenAgain()
	if err != nil {
		return err
	}
	e.serveLocked(listener, certificate)
	return nil
}

func (e *endpoint) serveLocked(listener net.Listener, certificate tls.Certificate) {
	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(e.service.simulator.countUnary),
		grpc.WaitForHandlers(true),
		allowPings(),
	}
	if e.tls {
		options = append(options, grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{certificate},
			MinVersion:   tls.VersionTLS12,
		})))
	}
	server := grpc.NewServer(options...)
	services.RegisterCryptoServiceServer(server, e.service)
	services.RegisterConsensusServiceServer(server, &consensusService{node: e.service})
	e.stop = serveGRPC(server, listener)
	e.serving = true
}

// hang accepts connections and never answers.
func (e *endpoint) hang() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closeLocked()
	listener, err := e.listenAgain()
	if err != nil {
		return err
	}
	e.stop = swallow(listener)
	return nil
}

// close makes the port refuse connections and drops those it has.
func (e *endpoint) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closeLocked()
}

func (e *endpoint) closeLocked() {
	if e.stop == nil {
		return
	}
	e.stop()
	e.stop = nil
	e.serving = false
}

// serveGRPC runs the server until the returned function is called, which
// waits for every goroutine of it.
func serveGRPC(server *grpc.Server, listener net.Listener) func() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends by Stop only
	}()
	return func() {
		server.Stop()
		// Serve may not have adopted the listener yet.
		_ = listener.Close()
		<-done
	}
}

// swallow accepts connections and reads what comes until the returned function
// is called.
func swallow(listener net.Listener) func() {
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		open  = make(map[net.Conn]struct{})
	)
	drain := func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
		mu.Lock()
		defer mu.Unlock()
		delete(open, conn)
	}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = struct{}{}
			mu.Unlock()
			group.Go(func() { drain(conn) })
		}
	}()
	return func() {
		_ = listener.Close()
		<-accepting
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		group.Wait()
	}
}

// listenAgain opens the port that the endpoint had open before.
func (e *endpoint) listenAgain() (net.Listener, error) {
	ctx, cancel := context.WithTimeout(context.Background(), rebindTimeout)
	defer cancel()
	for {
		listener, err := e.service.simulator.options.Listen(ctx, "tcp", e.address)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("reopen %s: %w", e.address, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func endpointControls() map[string]controlCall {
	return map[string]controlCall{"POST /simulator/endpoints/{address}/{action}": (*Simulator).controlEndpoint}
}

func (s *Simulator) controlEndpoint(r *http.Request) (any, error) {
	actions := map[string]func(string) error{
		"stop":  s.StopEndpoint,
		"start": s.StartEndpoint,
		"hang":  s.HangEndpoint,
	}
	do, ok := actions[r.PathValue("action")]
	if !ok {
		return s.controlNotFound(r)
	}
	return nil, do(r.PathValue("address"))
}
