// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// errUnknown marks control input that names something the network does not
// have.
var errUnknown = errors.New("unknown to the simulated network")

// nodeServer is a running node: one certificate, several endpoints.
type nodeServer struct {
	id          int64
	generation  int
	certificate tls.Certificate
	endpoints   []*endpoint
}

// openNodes starts every node of the book. basePort 0 takes free ports, otherwise
// endpoints get basePort, basePort+1, ….
func (s *Simulator) openNodes(ctx context.Context, entries []bookEntry, basePort int) error {
	rng := rand.New(rand.NewPCG(uint64(s.options.Seed), 1)) //nolint:gosec // reproducible on purpose
	port := basePort
	for _, entry := range entries {
		certificate, err := newCertificate(s.options.Seed, entry.NodeID, 0)
		if err != nil {
			return err
		}
		server := &nodeServer{id: entry.NodeID, certificate: certificate}
		s.servers[entry.NodeID] = server
		for _, original := range entry.ServiceEndpoints {
			if err := s.openEndpoint(ctx, server, port, original.Port == realTLSPort); err != nil {
				return err
			}
			if basePort != 0 {
				port++
			}
		}
		entry.NodeAccountID = s.ledger.local(entry.NodeAccountID)
		node := newNode(rng, entry, s.options.Now())
		node.CertHash = certificateHash(certificate.Certificate[0])
		node.Endpoints = server.addresses()
		s.mu.Lock()
		s.ledger.nodes = append(s.ledger.nodes, node)
		err = s.ledger.addNodeAccount(node)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Simulator) openEndpoint(ctx context.Context, server *nodeServer, port int, useTLS bool) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listener, err := s.options.Listen(ctx, "tcp", address)
	if err != nil {
		return &ListenError{Option: "NodeBasePort", Address: address, Err: err}
	}
	e := &endpoint{
		address: listener.Addr().String(),
		tls:     useTLS,
		service: &cryptoService{nodeID: server.id, simulator: s},
	}
	e.serveLocked(listener, server.certificate)
	server.endpoints = append(server.endpoints, e)
	return nil
}

func (s *nodeServer) addresses() []Endpoint {
	list := make([]Endpoint, len(s.endpoints))
	for i, e := range s.endpoints {
		list[i] = Endpoint{Address: e.address, TLS: e.tls}
	}
	return list
}

func (s *nodeServer) close() {
	for _, e := range s.endpoints {
		e.close()
	}
}

// closeNodes stops every node, for good.
func (s *Simulator) closeNodes() {
	s.serversMu.Lock()
	defer s.serversMu.Unlock()
	var group sync.WaitGroup
	for _, node := range s.servers {
		group.Go(node.close)
	}
	group.Wait()
	clear(s.servers)
}

func (s *Simulator) withNode(nodeID int64, do func(*nodeServer) error) error {
	s.serversMu.Lock()
	defer s.serversMu.Unlock()
	node, ok := s.servers[nodeID]
	if !ok {
		return fmt.Errorf("node %d: %w", nodeID, errUnknown)
	}
	return do(node)
}

func (s *Simulator) withEndpoint(address string, do func(*nodeServer, *endpoint) error) error {
	s.serversMu.Lock()
	defer s.serversMu.Unlock()
	for _, node := range s.servers {
		for _, e := range node.endpoints {
			if e.address == address {
				return do(node, e)
			}
		}
	}
	return fmt.Errorf("endpoint %s: %w", address, errUnknown)
}

// StartNode serves again on every port of a node.
func (s *Simulator) StartNode(nodeID int64) error {
	return s.withNode(nodeID, func(node *nodeServer) error {
		for _, e := range node.endpoints {
			if err := e.start(node.certificate); err != nil {
				return fmt.Errorf("start node %d: %w", nodeID, err)
			}
		}
		return nil
	})
}

// StopNode makes every port of a node refuse connections.
func (s *Simulator) StopNode(nodeID int64) error {
	return s.withNode(nodeID, func(node *nodeServer) error {
		node.close()
		return nil
	})
}

// RemoveNode stops a node and takes it out of the address book.
func (s *Simulator) RemoveNode(nodeID int64) error {
	return s.withNode(nodeID, func(node *nodeServer) error {
		node.close()
		delete(s.servers, nodeID)
		return s.Update(func(l *Ledger) error {
			l.nodes = slices.DeleteFunc(l.nodes, func(n Node) bool { return n.NodeID == nodeID })
			delete(l.prechecks, nodeID)
			return nil
		})
	})
}

// SwapCertificate makes a node present another certificate than the address
// book says, which keeps the old hash. TLS connections are dropped, as when a
// proxy is restarted.
func (s *Simulator) SwapCertificate(nodeID int64) error {
	return s.withNode(nodeID, func(node *nodeServer) error {
		certificate, err := newCertificate(s.options.Seed, nodeID, node.generation+1)
		if err != nil {
			return err
		}
		node.generation++
		node.certificate = certificate
		for _, e := range node.endpoints {
			if err := e.present(certificate); err != nil {
				return fmt.Errorf("swap certificate of node %d: %w", nodeID, err)
			}
		}
		return nil
	})
}

// StartEndpoint serves again on one port.
func (s *Simulator) StartEndpoint(address string) error {
	return s.withEndpoint(address, func(node *nodeServer, e *endpoint) error {
		return e.start(node.certificate)
	})
}

// StopEndpoint makes one port refuse connections.
func (s *Simulator) StopEndpoint(address string) error {
	return s.withEndpoint(address, func(_ *nodeServer, e *endpoint) error {
		e.close()
		return nil
	})
}

// HangEndpoint makes one port accept connections and never answer. It drops
// the connections the port has.
func (s *Simulator) HangEndpoint(address string) error {
	return s.withEndpoint(address, func(_ *nodeServer, e *endpoint) error {
		return e.hang()
	})
}

// newCertificate makes the self-signed certificate of a node. It depends on
// nothing but its arguments: Ed25519 signatures are deterministic, serial and
// validity are fixed. A higher generation gives another certificate.
func newCertificate(seed, nodeID int64, generation int) (tls.Certificate, error) {
	keySeed := sha256.Sum256(fmt.Appendf(nil, "hedera_simulator %d %d %d", seed, nodeID, generation))
	key := ed25519.NewKeyFromSeed(keySeed[:])
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1 + nodeID),
		Subject:               pkix.Name{CommonName: fmt.Sprintf("simulated node %d", nodeID)},
		NotBefore:             time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2036, time.January, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate of node %d: %w", nodeID, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// certificateHash is what the address book says about a certificate: the hex
// SHA-384 of its PEM encoding (docs/hedera.md 3).
func certificateHash(der []byte) string {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	sum := sha512.Sum384(block)
	return hex.EncodeToString(sum[:])
}
