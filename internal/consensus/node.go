// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// Node is one entry of the network's address book, file 0.0.102 (HIP-21).
type Node struct {
	ID          int64
	AccountID   string // shard.realm.num, "" when the book does not carry it
	Description string
	// CertificateHash is the SHA-384 of the node's PEM-encoded TLS certificate
	// in lower-case hex, "" when the book does not carry it (docs/hedera.md 3).
	CertificateHash string
	Endpoints       []Endpoint
}

// Endpoint is one address at which a node answers gRPC.
type Endpoint struct {
	Address string // host:port
	TLS     bool
}

// HostPort is the host and the port of an endpoint.
type HostPort struct {
	Host string
	Port int
}

// NewEndpoints returns the endpoints at addresses without duplicates; those
// whose port is in tlsPorts speak TLS.
func NewEndpoints(addresses []HostPort, tlsPorts []int) []Endpoint {
	var endpoints []Endpoint
	for _, address := range addresses {
		endpoint := Endpoint{
			Address: net.JoinHostPort(address.Host, strconv.Itoa(address.Port)),
			TLS:     slices.Contains(tlsPorts, address.Port),
		}
		if !slices.Contains(endpoints, endpoint) {
			endpoints = append(endpoints, endpoint)
		}
	}
	return endpoints
}

// NormalizeCertificateHash returns the lower-case hex form of a certificate
// hash as the book carries it: hex text, with or without 0x, or raw bytes.
func NormalizeCertificateHash(hash []byte) string {
	text := strings.ToLower(strings.TrimPrefix(string(hash), "0x"))
	if _, err := hex.DecodeString(text); err != nil {
		return hex.EncodeToString(hash)
	}
	return text
}

func nodeFromProto(address *services.NodeAddress, tlsPorts []int) Node {
	return Node{
		ID:              address.GetNodeId(),
		AccountID:       accountIDFromProto(address.GetNodeAccountId()),
		Description:     address.GetDescription(),
		CertificateHash: NormalizeCertificateHash(address.GetNodeCertHash()),
		Endpoints:       NewEndpoints(addressesFromProto(address.GetServiceEndpoint()), tlsPorts),
	}
}

func addressesFromProto(endpoints []*services.ServiceEndpoint) []HostPort {
	addresses := make([]HostPort, 0, len(endpoints))
	for _, endpoint := range endpoints {
		host := endpoint.GetDomainName()
		if ip := net.IP(endpoint.GetIpAddressV4()); len(ip) == net.IPv4len {
			host = ip.String()
		}
		addresses = append(addresses, HostPort{Host: host, Port: int(endpoint.GetPort())})
	}
	return addresses
}

func accountIDFromProto(id *services.AccountID) string {
	if id == nil {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", id.GetShardNum(), id.GetRealmNum(), id.GetAccountNum())
}
