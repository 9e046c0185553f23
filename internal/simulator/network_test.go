// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// presented returns the hash of the certificate that an endpoint shows.
func presented(t *testing.T, address string) string {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(testContext(t), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	state := conn.(*tls.Conn).ConnectionState()
	return certificateHash(state.PeerCertificates[0].Raw)
}

func endpointOf(t *testing.T, node Node, useTLS bool) string {
	t.Helper()
	for _, e := range node.Endpoints {
		if e.TLS == useTLS {
			return e.Address
		}
	}
	t.Fatalf("node %d has no such endpoint", node.NodeID)
	return ""
}

func TestEveryTLSEndpointPresentsTheBooksCertificate(t *testing.T) {
	s := startStatic(t, Options{})
	endpoints, checked := 0, 0
	for _, node := range s.Nodes() {
		for _, e := range node.Endpoints {
			endpoints++
			if !e.TLS {
				continue
			}
			checked++
			if got := presented(t, e.Address); got != node.CertHash {
				t.Errorf("node %d at %s presents %s, the book says %s", node.NodeID, e.Address, got, node.CertHash)
			}
		}
	}
	if len(s.Nodes()) != 29 || endpoints != 118 || checked != len(s.TLSPorts()) {
		t.Errorf("%d nodes, %d endpoints, %d of them TLS, %d TLS ports", len(s.Nodes()), endpoints, checked, len(s.TLSPorts()))
	}
}

func TestStopAndStartNode(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2})
	stopped, other := s.Nodes()[0], s.Nodes()[1]
	if err := s.StopNode(stopped.NodeID); err != nil {
		t.Fatal(err)
	}
	for _, e := range stopped.Endpoints {
		if !refuses(t, e.Address) {
			t.Errorf("%s answers after its node was stopped", e.Address)
		}
	}
	for _, e := range other.Endpoints {
		if refuses(t, e.Address) {
			t.Errorf("%s of another node was stopped", e.Address)
		}
	}

	if err := s.StartNode(stopped.NodeID); err != nil {
		t.Fatal(err)
	}
	for _, e := range stopped.Endpoints {
		if refuses(t, e.Address) {
			t.Errorf("%s refuses after its node was started again", e.Address)
		}
	}
	if got := presented(t, endpointOf(t, stopped, true)); got != stopped.CertHash {
		t.Errorf("the certificate changed to %s", got)
	}
}

func TestStopEndpointAlone(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	endpoints := s.Nodes()[0].Endpoints
	if err := s.StopEndpoint(endpoints[1].Address); err != nil {
		t.Fatal(err)
	}
	for i, e := range endpoints {
		if got := refuses(t, e.Address); got != (i == 1) {
			t.Errorf("endpoint %d refuses: %t", i, got)
		}
	}
	if err := s.StartEndpoint(endpoints[1].Address); err != nil {
		t.Fatal(err)
	}
	if refuses(t, endpoints[1].Address) {
		t.Error("the endpoint did not come back")
	}
}

func TestStartKeepsConnections(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	node := s.Nodes()[0]
	conn := rawConnection(t, endpointOf(t, node, false))
	if err := s.StartNode(node.NodeID); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("starting a running node ended its connection: %v", err)
	}
}

func TestHangEndpoint(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	address := s.Nodes()[0].Endpoints[0].Address
	if err := s.HangEndpoint(address); err != nil {
		t.Fatal(err)
	}
	conn := rawConnection(t, address)
	if _, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); !errors.Is(err, os.ErrDeadlineExceeded) || len(answer) > 0 {
		t.Fatalf("got %q, %v, want silence", answer, err)
	}

	if err := s.StartEndpoint(address); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the hanging connection was not dropped: %v", err)
	}
	if refuses(t, address) {
		t.Error("the endpoint did not come back")
	}
}

func TestSwapCertificate(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2})
	swapped, other := s.Nodes()[0], s.Nodes()[1]
	secure := endpointOf(t, swapped, true)
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	held, err := dialer.DialContext(testContext(t), "tcp", secure)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()

	if err := s.SwapCertificate(swapped.NodeID); err != nil {
		t.Fatal(err)
	}
	if err := held.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(held); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the TLS connection outlived the swap")
	}
	first := presented(t, secure)
	if first == swapped.CertHash {
		t.Error("the old certificate is still presented")
	}
	if s.Nodes()[0].CertHash != swapped.CertHash {
		t.Error("the address book changed")
	}
	if presented(t, endpointOf(t, other, true)) != other.CertHash {
		t.Error("another node's certificate changed")
	}
	if err := s.SwapCertificate(swapped.NodeID); err != nil {
		t.Fatal(err)
	}
	if second := presented(t, secure); second == first || second == swapped.CertHash {
		t.Error("the second swap gave no new certificate")
	}
}

func TestSwapLeavesStoppedEndpointsStopped(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	node := s.Nodes()[0]
	secure := endpointOf(t, node, true)
	if err := s.StopEndpoint(secure); err != nil {
		t.Fatal(err)
	}
	if err := s.SwapCertificate(node.NodeID); err != nil {
		t.Fatal(err)
	}
	if !refuses(t, secure) {
		t.Fatal("the swap started a stopped endpoint")
	}
	if err := s.StartEndpoint(secure); err != nil {
		t.Fatal(err)
	}
	if presented(t, secure) == node.CertHash {
		t.Error("the old certificate came back")
	}
}

func TestRemoveNode(t *testing.T) {
	s := startStatic(t, Options{Nodes: 3})
	removed := s.Nodes()[1]
	if err := s.RemoveNode(removed.NodeID); err != nil {
		t.Fatal(err)
	}
	for _, node := range s.Nodes() {
		if node.NodeID == removed.NodeID {
			t.Error("the node is still in the book")
		}
	}
	if !refuses(t, removed.Endpoints[0].Address) {
		t.Error("the removed node still answers")
	}
	if err := s.StartNode(removed.NodeID); !errors.Is(err, errUnknown) {
		t.Errorf("start of a removed node: %v", err)
	}
}

func TestUnknownNodesAndEndpoints(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for name, err := range map[string]error{
		"StopNode":        s.StopNode(77),
		"StartNode":       s.StartNode(77),
		"SwapCertificate": s.SwapCertificate(77),
		"RemoveNode":      s.RemoveNode(77),
		"SetPrecheck":     s.SetPrecheck(77, services.ResponseCodeEnum_BUSY),
		"StopEndpoint":    s.StopEndpoint("127.0.0.1:1"),
		"StartEndpoint":   s.StartEndpoint("127.0.0.1:1"),
		"HangEndpoint":    s.HangEndpoint("127.0.0.1:1"),
	} {
		if !errors.Is(err, errUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func rawConnection(t *testing.T, address string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(testContext(t), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
