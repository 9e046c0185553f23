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
	"strconv"
	"sync"
	"time"
)

// errUnknown marks control input that names something the network does not
// have.
var errUnknown = errors.New("unknown to the simulated network")

// network runs the consensus nodes.
type network struct {
	seed     int64
	ledger   *ledger
	requests *requests

	mu    sync.Mutex
	nodes map[int64]*nodeServer
}

// nodeServer is a running node: one certificate, several endpoints.
type nodeServer struct {
	id          int64
	generation  int
	certificate tls.Certificate
	endpoints   []*endpoint
}

// open starts every node of the book. basePort 0 takes free ports, otherwise
// endpoints get basePort, basePort+1, ….
func (n *network) open(ctx context.Context, entries []bookEntry, basePort int) error {
	rng := rand.New(rand.NewPCG(uint64(n.seed), 1)) //nolint:gosec // reproducible on purpose
	port := basePort
	for _, entry := range entries {
		certificate, err := newCertificate(n.seed, entry.NodeID, 0)
		if err != nil {
			return err
		}
		server := &nodeServer{id: entry.NodeID, certificate: certificate}
		n.nodes[entry.NodeID] = server
		for _, original := range entry.ServiceEndpoints {
			if err := n.openEndpoint(ctx, server, port, original.Port == realTLSPort); err != nil {
				return err
			}
			if basePort != 0 {
				port++
			}
		}
		node := newNode(rng, entry, n.ledger.now())
		node.CertHash = certificateHash(certificate.Certificate[0])
		node.Endpoints = server.addresses()
		n.ledger.addNode(node)
	}
	return nil
}

func (n *network) openEndpoint(ctx context.Context, server *nodeServer, port int, useTLS bool) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listener, err := listen(ctx, address)
	if err != nil {
		return &ListenError{Option: "NodeBasePort", Address: address, Err: err}
	}
	e := &endpoint{
		address: listener.Addr().String(),
		tls:     useTLS,
		service: &cryptoService{nodeID: server.id, ledger: n.ledger, requests: n.requests},
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

// close stops every node, for good.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	var group sync.WaitGroup
	for _, node := range n.nodes {
		group.Go(node.close)
	}
	group.Wait()
	clear(n.nodes)
}

func (n *network) withNode(nodeID int64, do func(*nodeServer) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, ok := n.nodes[nodeID]
	if !ok {
		return fmt.Errorf("node %d: %w", nodeID, errUnknown)
	}
	return do(node)
}

func (n *network) withEndpoint(address string, do func(*nodeServer, *endpoint) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, node := range n.nodes {
		for _, e := range node.endpoints {
			if e.address == address {
				return do(node, e)
			}
		}
	}
	return fmt.Errorf("endpoint %s: %w", address, errUnknown)
}

func (n *network) startNode(nodeID int64) error {
	return n.withNode(nodeID, func(node *nodeServer) error {
		for _, e := range node.endpoints {
			if err := e.start(node.certificate); err != nil {
				return fmt.Errorf("start node %d: %w", nodeID, err)
			}
		}
		return nil
	})
}

func (n *network) stopNode(nodeID int64) error {
	return n.withNode(nodeID, func(node *nodeServer) error {
		node.close()
		return nil
	})
}

func (n *network) removeNode(nodeID int64) error {
	return n.withNode(nodeID, func(node *nodeServer) error {
		node.close()
		delete(n.nodes, nodeID)
		n.ledger.removeNode(nodeID)
		return nil
	})
}

// swapCertificate restarts the TLS endpoints that serve with another
// certificate. The address book keeps the old hash.
func (n *network) swapCertificate(nodeID int64) error {
	return n.withNode(nodeID, func(node *nodeServer) error {
		certificate, err := newCertificate(n.seed, nodeID, node.generation+1)
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

func (n *network) startEndpoint(address string) error {
	return n.withEndpoint(address, func(node *nodeServer, e *endpoint) error {
		return e.start(node.certificate)
	})
}

func (n *network) stopEndpoint(address string) error {
	return n.withEndpoint(address, func(_ *nodeServer, e *endpoint) error {
		e.close()
		return nil
	})
}

func (n *network) hangEndpoint(address string) error {
	return n.withEndpoint(address, func(_ *nodeServer, e *endpoint) error {
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
// SHA-384 of its PEM encoding (FACTS.md 3).
func certificateHash(der []byte) string {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	sum := sha512.Sum384(block)
	return hex.EncodeToString(sum[:])
}
