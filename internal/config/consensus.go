// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

func (l *loader) consensus(s *section, ids *entityIDs) Consensus {
	defer s.done()
	c := Consensus{
		TLSPorts:          []int{50212, 443},
		ProbeTimeout:      5 * time.Second,
		ReconnectInterval: 5 * time.Minute,
		MaxConcurrency:    10,
	}
	readList(s, "tls_ports", &c.TLSPorts, parsePort)
	read(s, "probe_timeout", &c.ProbeTimeout, parsePositiveDuration)
	read(s, "reconnect_interval", &c.ReconnectInterval, parsePositiveDuration)
	read(s, "max_concurrency", &c.MaxConcurrency, parseCount)
	book := addressBook{
		ids:       map[int64]string{},
		accounts:  map[hiero.AccountID]string{},
		endpoints: map[string]string{},
	}
	for _, e := range s.list("nodes") {
		c.Nodes = append(c.Nodes, book.node(l.newSection(e.path, e.line, e.value), ids))
	}
	return c
}

// addressBook remembers where the ids, accounts and endpoints of the nodes
// stand, none of which may come twice.
type addressBook struct {
	ids       map[int64]string
	accounts  map[hiero.AccountID]string
	endpoints map[string]string
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
