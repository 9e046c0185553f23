// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Node is one entry of the network's address book, file shard.realm.102 (HIP-21).
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

// BookOptions say how to read an address book.
type BookOptions struct {
	TLSPorts []int // the ports at which endpoints speak TLS
	// Local has endpoints at addresses of this host or of its link in the book.
	// Without it they are skipped, as the book must not point the exporter at what
	// only this host can reach.
	Local bool
}

// Book is a network's address book, as far as it is within the limits.
type Book struct {
	Nodes []Node
	// Skipped is the number of endpoints that are not in Nodes: they have no
	// usable address, or one that [BookOptions.Local] leaves out.
	Skipped int
	// Truncated tells that there were more nodes or endpoints than the limits.
	Truncated bool
	// Missing is the number of nodes that are not in Nodes, or lack endpoints,
	// because of a limit or because an earlier node has the same id. It is a
	// lower bound if Truncated. Err has the reason for the first.
	Missing int
	Err     error

	options   BookOptions
	ids       map[int64]bool
	endpoints int
}

// NewBook returns an empty book, to add nodes to.
func NewBook(options BookOptions) *Book {
	return &Book{options: options, ids: map[int64]bool{}}
}

// Add adds a node with the endpoints at addresses. It returns false if the book
// is full.
func (b *Book) Add(node Node, addresses []HostPort) bool {
	if len(b.Nodes) == maxNodes {
		b.Truncate(fmt.Errorf("the address book has more than %d nodes", maxNodes))
		return false
	}
	if b.ids[node.ID] {
		b.miss(fmt.Errorf("the address book has node %d twice", node.ID))
		return true
	}
	b.ids[node.ID] = true
	node.AccountID = Cut(node.AccountID, maxAccountID)
	node.Description = Cut(node.Description, maxDescription)
	node.CertificateHash = Cut(node.CertificateHash, maxCertificateHash)
	node.Endpoints = b.newEndpoints(node.ID, addresses)
	b.Nodes = append(b.Nodes, node)
	return true
}

// Truncate says that there is more than the book has.
func (b *Book) Truncate(err error) {
	b.Truncated = true
	b.miss(err)
}

func (b *Book) miss(err error) {
	b.Missing++
	if b.Err == nil {
		b.Err = err
	}
}

func (b *Book) newEndpoints(id int64, addresses []HostPort) []Endpoint {
	var endpoints []Endpoint
	known := make(map[HostPort]bool, min(len(addresses), maxNodeEndpoints))
	for _, address := range addresses {
		switch {
		case known[address]:
			continue
		case len(endpoints) == maxNodeEndpoints:
			b.Truncate(fmt.Errorf("node %d has more than %d endpoints", id, maxNodeEndpoints))
			return endpoints
		case b.endpoints == maxEndpoints:
			b.Truncate(fmt.Errorf("the address book has more than %d endpoints", maxEndpoints))
			return endpoints
		case !b.usable(address):
			b.Skipped++
			continue
		}
		known[address] = true
		b.endpoints++
		endpoints = append(endpoints, newEndpoint(address, b.options.TLSPorts))
	}
	return endpoints
}

var domainName = regexp.MustCompile(`^[0-9A-Za-z_]([0-9A-Za-z_.-]*[0-9A-Za-z_.])?$`)

func (b *Book) usable(address HostPort) bool {
	if len(address.Host) > maxHost || address.Port < 1 || address.Port > 65535 {
		return false
	}
	if !isIP(address.Host) && !domainName.MatchString(address.Host) {
		return false
	}
	return b.options.Local || !IsLocalHost(address.Host)
}

// isIP is stricter than netip, for which any text is a zone.
func isIP(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.Zone() == "" || domainName.MatchString(ip.Zone()))
}

// NewEndpoints returns the endpoints at configured addresses; those whose port is
// in tlsPorts speak TLS.
func NewEndpoints(addresses []HostPort, tlsPorts []int) []Endpoint {
	endpoints := make([]Endpoint, 0, len(addresses))
	for _, address := range addresses {
		endpoints = append(endpoints, newEndpoint(address, tlsPorts))
	}
	return endpoints
}

func newEndpoint(address HostPort, tlsPorts []int) Endpoint {
	return Endpoint{
		Address: net.JoinHostPort(address.Host, strconv.Itoa(address.Port)),
		TLS:     slices.Contains(tlsPorts, address.Port),
	}
}

// IsLocalHost reports whether a host is an address of this host or of its link:
// loopback, unspecified, link-local or multicast, or the name localhost.
func IsLocalHost(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && isLocal(ip)
}

func isLocal(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() ||
		ip.Is4() && (ip.As4()[0] == 0 || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}))
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

// Cut bounds a text of the network to max characters of valid UTF-8, the last of
// them an ellipsis if there were more.
func Cut(text string, max int) string {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if utf8.RuneCountInString(text) <= max {
		return text
	}
	return string([]rune(text)[:max-1]) + "…"
}

// cutError is err with a text that is not too long.
func cutError(err error) error {
	return &shortError{err: err, text: Cut(err.Error(), maxErrorText)}
}

type shortError struct {
	err  error
	text string
}

func (e *shortError) Error() string { return e.text }

func (e *shortError) Unwrap() error { return e.err }

var errEmptyBook = errors.New("the address book is empty")
