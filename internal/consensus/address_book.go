// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	nodeDetailsFile = 102  // 0.0.102: node details with certificate hashes (docs/hedera.md 2.3)
	allNodes        = 0    // the limit of an unlimited getNodes
	maxNodes        = 1000 // a book beyond it is a fault, not a network
)

// AddressBookClient reads the address book from a mirror node's gRPC API.
type AddressBookClient struct {
	address  string
	tls      bool
	tlsPorts []int
	// DialContext opens connections, in tests; nil is TCP.
	DialContext DialContextFunc
}

// NewAddressBookClient returns a client of the mirror node at host:port.
// Endpoints on tlsPorts are marked as speaking TLS.
func NewAddressBookClient(address string, useTLS bool, tlsPorts []int) *AddressBookClient {
	return &AddressBookClient{address: address, tls: useTLS, tlsPorts: tlsPorts}
}

// Nodes streams NetworkService/getNodes for file 0.0.102 (HIP-21). It fails
// when the mirror does not finish the stream within ctx, or when the book is
// empty. The book is read at most once a minute, so that each call opens a
// connection of its own and a failed one cannot linger in backoff.
func (c *AddressBookClient) Nodes(ctx context.Context) ([]Node, error) {
	return c.nodes(ctx, allNodes)
}

// Check asks for the first node of the address book. It fails when the mirror
// does not send that within ctx.
func (c *AddressBookClient) Check(ctx context.Context) error {
	_, err := c.nodes(ctx, 1)
	return err
}

func (c *AddressBookClient) nodes(ctx context.Context, limit int32) ([]Node, error) {
	nodes, err := c.stream(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("mirror grpc://%s: NetworkService/getNodes: %w; check mirror.grpc_address and mirror.grpc_tls", c.address, err)
	}
	return nodes, nil
}

func (c *AddressBookClient) stream(ctx context.Context, limit int32) (_ []Node, err error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(c.credentials()), grpc.WithUserAgent(userAgent)}
	if c.DialContext != nil {
		options = append(options, grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return c.DialContext(ctx, "tcp", address)
		}))
	}
	conn, err := grpc.NewClient("passthrough:///"+c.address, options...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()

	stream, err := mirror.NewNetworkServiceClient(conn).GetNodes(ctx, &mirror.AddressBookQuery{
		FileId: &services.FileID{FileNum: nodeDetailsFile},
		Limit:  limit,
	})
	if err != nil {
		return nil, err
	}
	return c.receive(stream)
}

func (c *AddressBookClient) receive(stream grpc.ServerStreamingClient[services.NodeAddress]) ([]Node, error) {
	var nodes []Node
	for len(nodes) <= maxNodes {
		address, err := stream.Recv()
		if errors.Is(err, io.EOF) && len(nodes) == 0 {
			return nil, errors.New("the address book is empty")
		}
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, nodeFromProto(address, c.tlsPorts))
	}
	return nil, fmt.Errorf("the address book has more than %d nodes", maxNodes)
}

func (c *AddressBookClient) credentials() credentials.TransportCredentials {
	if !c.tls {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
}
