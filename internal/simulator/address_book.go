// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// networkService is the mirror's gRPC NetworkService (HIP-21).
type networkService struct {
	mirror.UnimplementedNetworkServiceServer

	simulator   *Simulator
	connections *connections
}

// GetNodes streams the address book. Limit 0 means all of it.
func (s *networkService) GetNodes(query *mirror.AddressBookQuery, stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	nodes, err := s.addresses(query)
	if err != nil {
		return err
	}
	fault, disturbed := s.simulator.take(GetNodesFault, "")
	if disturbed {
		return s.disturb(stream, nodes, fault)
	}
	return sendNodes(stream, nodes)
}

// addresses refuses what is not an address book of the network's own shard and
// realm (NetworkServiceImpl).
func (s *networkService) addresses(query *mirror.AddressBookQuery) ([]*services.NodeAddress, error) {
	file := query.GetFileId()
	details := file.GetFileNum() == 102
	o := s.simulator.options
	if file.GetShardNum() != o.Shard || file.GetRealmNum() != o.Realm || !details && file.GetFileNum() != 101 {
		return nil, status.Errorf(codes.InvalidArgument, "file %d.%d.%d is not an address book",
			file.GetShardNum(), file.GetRealmNum(), file.GetFileNum())
	}
	if query.GetLimit() < 0 {
		return nil, status.Error(codes.InvalidArgument, "limit must not be negative")
	}
	nodes := view(s.simulator, func(l *Ledger) []Node {
		if l.mirror.NoAddressBook {
			return nil
		}
		return l.book()
	})
	if limit := int(query.GetLimit()); limit > 0 && limit < len(nodes) {
		nodes = nodes[:limit]
	}
	addresses := make([]*services.NodeAddress, len(nodes))
	for i, node := range nodes {
		address, err := node.address(details)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		addresses[i] = address
	}
	return addresses, nil
}

// address renders a node for gRPC. The certificate hash is the bytes of its
// hex digits, as the real network carries it. Descriptions and keys are in
// file 0.0.102 only.
func (n Node) address(details bool) (*services.NodeAddress, error) {
	account, err := parseEntityID(n.AccountID)
	if err != nil {
		return nil, err
	}
	address := &services.NodeAddress{
		NodeId:        n.NodeID,
		NodeAccountId: account.proto(),
		NodeCertHash:  []byte(n.CertHash),
	}
	if details {
		address.Description = n.Description
		address.RSA_PubKey = n.publicKey[len("0x"):]
	}
	for _, e := range n.Endpoints {
		host, port := e.split()
		address.ServiceEndpoint = append(address.ServiceEndpoint, &services.ServiceEndpoint{
			IpAddressV4: netip.MustParseAddr(host).AsSlice(),
			Port:        int32(port), //nolint:gosec // a TCP port
		})
	}
	for _, e := range n.Others {
		other := &services.ServiceEndpoint{DomainName: e.DomainName, Port: int32(e.Port)} //nolint:gosec // a TCP port
		if e.IPAddressV4 != "" {
			other.IpAddressV4 = netip.MustParseAddr(e.IPAddressV4).AsSlice()
		}
		address.ServiceEndpoint = append(address.ServiceEndpoint, other)
	}
	return address, nil
}

func (id entityID) proto() *services.AccountID {
	shard, realm, num := id.parts()
	return &services.AccountID{ShardNum: shard, RealmNum: realm, Account: &services.AccountID_AccountNum{AccountNum: num}}
}

func sendNodes(stream grpc.ServerStreamingServer[services.NodeAddress], nodes []*services.NodeAddress) error {
	for _, node := range nodes {
		if err := stream.Send(node); err != nil {
			return err
		}
	}
	return nil
}

// disturb answers getNodes the way the fault says.
func (s *networkService) disturb(stream grpc.ServerStreamingServer[services.NodeAddress], nodes []*services.NodeAddress, fault Fault) error {
	ctx := stream.Context()
	switch fault.Kind {
	case FaultLatency:
		if !sleep(ctx, fault.Latency) {
			return status.FromContextError(ctx.Err()).Err()
		}
		return sendNodes(stream, nodes)
	case FaultHang:
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	case FaultReset:
		s.connections.reset(ctx)
		return status.Error(codes.Unavailable, "connection reset")
	case FaultGarbage:
		node := &services.NodeAddress{}
		node.ProtoReflect().SetUnknown([]byte(garbage))
		return stream.Send(node)
	case FaultTruncate:
		if err := sendNodes(stream, nodes[:len(nodes)/2]); err != nil {
			return err
		}
		s.connections.reset(ctx)
		return status.Error(codes.Unavailable, "connection reset")
	default:
		return status.Error(codes.Code(fault.Status), "injected fault") //nolint:gosec // validated, 1 to 16
	}
}

// connections remembers the open connections of a listener by their remote
// address, so that a handler can reset its own.
type connections struct {
	mu   sync.Mutex
	open map[string]net.Conn
}

// trackedListener registers what it accepts.
type trackedListener struct {
	net.Listener
	connections *connections
}

// trackedConn forgets itself when it is closed.
type trackedConn struct {
	net.Conn
	connections *connections
}

func (l trackedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.connections.mu.Lock()
	defer l.connections.mu.Unlock()
	l.connections.open[conn.RemoteAddr().String()] = conn
	return trackedConn{conn, l.connections}, nil
}

func (c trackedConn) Close() error {
	c.connections.mu.Lock()
	delete(c.connections.open, c.RemoteAddr().String())
	c.connections.mu.Unlock()
	return c.Conn.Close()
}

// reset closes the connection a request came over with a TCP reset.
func (c *connections) reset(ctx context.Context) {
	client, ok := peer.FromContext(ctx)
	if !ok {
		return
	}
	c.mu.Lock()
	conn, ok := c.open[client.Addr.String()]
	c.mu.Unlock()
	if ok {
		resetConn(conn)
	}
}
