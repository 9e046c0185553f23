// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// Consensus says how to talk to the network's consensus nodes.
type Consensus struct {
	// TLSPorts are the ports on which endpoints speak TLS; all others are
	// plaintext.
	TLSPorts []int `yaml:"tls_ports,flow"`
	// ProbeTimeout bounds the probe of one endpoint.
	ProbeTimeout model.Duration `yaml:"probe_timeout"`
	// ReconnectInterval is the age at which a TLS connection is renewed, so
	// that a replaced certificate is noticed.
	ReconnectInterval model.Duration `yaml:"reconnect_interval"`
	// MaxConcurrency is the maximum number of CryptoGetBalance queries in flight.
	MaxConcurrency int `yaml:"max_concurrency"`
	// UseProxy is whether connections to nodes go through the network's proxy, if it
	// has one.
	UseProxy bool `yaml:"use_proxy"`
	// OwnNodes are the ids of the nodes that the operator of the exporter runs,
	// each once.
	OwnNodes []int64 `yaml:"own_nodes,omitempty,flow"`
	// Nodes is the static address book of a network without a mirror.
	Nodes []Node `yaml:"nodes,omitempty"`
}

// Node is an entry of the static address book.
type Node struct {
	ID          int64    `yaml:"node_id"`
	AccountID   EntityID `yaml:"account_id"`
	Description string   `yaml:"description,omitempty"`
	// CertificateHash is the SHA-384 of the PEM-encoded certificate in
	// lower-case hex without 0x (docs/hedera.md 3), or empty if unknown.
	CertificateHash string     `yaml:"certificate_hash,omitempty"`
	Endpoints       []HostPort `yaml:"endpoints,flow"`
}

func (l *loader) consensus(s *section, ids *entityIDs) Consensus {
	defer s.done()
	c := Consensus{
		TLSPorts:          []int{50212, 443},
		ProbeTimeout:      model.Duration(5 * time.Second),
		ReconnectInterval: model.Duration(5 * time.Minute),
		MaxConcurrency:    10,
		UseProxy:          true,
	}
	readList(s, "tls_ports", &c.TLSPorts, parsePort)
	read(s, "probe_timeout", &c.ProbeTimeout, parsePositiveDuration)
	read(s, "reconnect_interval", &c.ReconnectInterval, parsePositiveDuration)
	read(s, "max_concurrency", &c.MaxConcurrency, parseCount)
	read(s, "use_proxy", &c.UseProxy, parseBool)
	book := addressBook{
		ids:       map[int64]place{},
		accounts:  map[EntityID]place{},
		endpoints: map[HostPort]place{},
	}
	for _, e := range s.list("nodes") {
		c.Nodes = append(c.Nodes, book.node(l.newSection(e.path, e.line, e.value), ids))
	}
	c.OwnNodes = book.own(s)
	return c
}

// addressBook remembers where the ids, accounts and endpoints of the nodes
// stand: none of them may be repeated.
type addressBook struct {
	ids       map[int64]place
	accounts  map[EntityID]place
	endpoints map[HostPort]place
}

func (b addressBook) node(s *section, ids *entityIDs) Node {
	defer s.done()
	var n Node
	line := required(s, "node_id", &n.ID, parseNodeID)
	once(s, "node_id", line, n.ID, b.ids)
	line = required(s, "account_id", &n.AccountID, ids.account)
	once(s, "account_id", line, n.AccountID, b.accounts)
	read(s, "description", &n.Description, parseLabel)
	read(s, "certificate_hash", &n.CertificateHash, parseCertificateHash)
	before := len(s.l.errs.Problems)
	for _, e := range s.list("endpoints") {
		if endpoint, ok := parseEntry(s.l, e, parseHostPort); ok {
			once(s, "endpoints", e.line, endpoint, b.endpoints)
			n.Endpoints = append(n.Endpoints, endpoint)
		}
	}
	if len(n.Endpoints) == 0 && len(s.l.errs.Problems) == before {
		s.missing("endpoints")
	}
	return n
}

// own reads own_nodes. Ids that a static address book does not have are mistakes;
// another book is known only later.
func (b addressBook) own(s *section) []int64 {
	var own []int64
	places := map[int64]place{}
	for _, e := range s.list("own_nodes") {
		id, ok := parseEntry(s.l, e, parseNodeID)
		if !ok || !once(s, "own_nodes", e.line, id, places) {
			continue
		}
		if _, known := b.ids[id]; len(b.ids) > 0 && !known {
			s.l.problem(e.line, "%s: node %d is not in nodes: correct it, or add the node", e.path, id)
		}
		own = append(own, id)
	}
	return own
}

func parseNodeID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, fmt.Errorf("%q is not a whole number of at least 0", text)
	}
	return id, nil
}

func parseCertificateHash(text string) (string, error) {
	b, err := parseHex(text)
	if err != nil {
		return "", err
	}
	if len(b) != sha512.Size384 {
		return "", fmt.Errorf("has %d bytes, a SHA-384 hash has %d", len(b), sha512.Size384)
	}
	return hex.EncodeToString(b), nil
}
