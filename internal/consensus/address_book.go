// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"hedera_exporter/internal/trace"
)

const (
	nodeDetailsFile = 102 // shard.realm.102: node details with certificate hashes (docs/hedera.md 2.3)
	allNodes        = 0   // the limit of an unlimited getNodes
)

// AddressBookOptions say which address book to read, and where.
type AddressBookOptions struct {
	Address      string // of the mirror node's gRPC API, host:port
	TLS          bool
	Shard, Realm uint64 // of the network
	Book         BookOptions
	DialContext  DialContextFunc // opens connections; nil is TCP
}

// AddressBookClient reads the address book from a mirror node's gRPC API.
type AddressBookClient struct {
	options AddressBookOptions
}

// NewAddressBookClient returns a client that connects on each call.
func NewAddressBookClient(options AddressBookOptions) *AddressBookClient {
	return &AddressBookClient{options: options}
}

// Book streams NetworkService/getNodes for file shard.realm.102 (HIP-21). It
// fails when the mirror does not finish the stream within ctx, or when the book
// is empty or longer than 8 MiB. The book is read at most once a minute, so that
// each call opens a connection of its own and a failed one cannot linger in
// backoff.
func (c *AddressBookClient) Book(ctx context.Context) (*Book, error) {
	return c.book(ctx, allNodes)
}

// Check asks for the first node of the address book. It fails when the mirror
// does not send that within ctx.
func (c *AddressBookClient) Check(ctx context.Context) error {
	_, err := c.book(ctx, 1)
	return err
}

func (c *AddressBookClient) book(ctx context.Context, limit int32) (*Book, error) {
	start := time.Now()
	book, err := c.stream(ctx, limit)
	trace.Report(ctx, trace.Request{
		Server: "grpc://" + c.options.Address, Text: "NetworkService/getNodes", Code: status.Code(err).String(),
		Start: start, Duration: time.Since(start),
	})
	if err != nil {
		return nil, fmt.Errorf("mirror grpc://%s: NetworkService/getNodes for file %d.%d.%d: %w; check mirror.grpc_address and mirror.grpc_tls",
			c.options.Address, c.options.Shard, c.options.Realm, nodeDetailsFile, cutError(err))
	}
	return book, nil
}

func (c *AddressBookClient) stream(ctx context.Context, limit int32) (_ *Book, err error) {
	ctx, cancel := context.WithCancel(withoutDeadline(ctx))
	defer cancel() // ends the stream of a book that is cut

	conn, bound, err := dialMirror(c.options.Address, c.options.TLS, maxNodeBytes, c.options.DialContext)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bound.close(conn)) }()

	stream, err := mirror.NewNetworkServiceClient(conn).GetNodes(ctx, &mirror.AddressBookQuery{
		FileId: &services.FileID{
			ShardNum: int64(c.options.Shard), //nolint:gosec // below 2^10
			RealmNum: int64(c.options.Realm), //nolint:gosec // below 2^16
			FileNum:  nodeDetailsFile,
		},
		Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	return receive(stream.Recv, c.options.Book)
}

// receive reads a book to its end or to the limit of its nodes.
func receive(next func() (*services.NodeAddress, error), options BookOptions) (*Book, error) {
	book, size := NewBook(options), 0
	for {
		address, err := next()
		switch {
		case errors.Is(err, io.EOF) && len(book.Nodes) == 0:
			return nil, errEmptyBook
		case errors.Is(err, io.EOF):
			return book, nil
		case err != nil:
			return nil, err
		}
		if size += proto.Size(address); size > maxBookBytes {
			return nil, fmt.Errorf("the address book is longer than %d bytes", maxBookBytes)
		}
		if !book.Add(nodeFromProto(address), addressesFromProto(address.GetServiceEndpoint())) {
			return book, nil
		}
	}
}

func nodeFromProto(address *services.NodeAddress) Node {
	return Node{
		ID:              address.GetNodeId(),
		AccountID:       accountIDFromProto(address.GetNodeAccountId()),
		Description:     address.GetDescription(),
		CertificateHash: NormalizeCertificateHash(address.GetNodeCertHash()),
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
