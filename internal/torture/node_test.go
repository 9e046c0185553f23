//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"

	mirrorpb "github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// grpcAttacks are answers of the mirror's gRPC API, which the second network uses.
// Where that is refused, the REST API has the address book too.
var grpcAttacks = []attack{
	{name: "gRPC: 1,000 nodes with descriptions of 4 MB", short: true, start: onAddressBook(hugeNodes)},
	{name: "gRPC: nodes without end", short: true, start: onAddressBook(endlessNodes)},
	{name: "gRPC: the same node without end", start: onAddressBook(sameNode)},
	{name: "gRPC: a node of 20,000 endpoints", start: onAddressBook(crowdedNode)},
	{name: "gRPC: no answer", start: onAddressBook(silent)},
	{name: "gRPC: error of 1 MB", start: onAddressBook(longError)},
	{name: "gRPC: metadata of 10 MB", start: onAddressBook(longMetadata)},
	{name: "gRPC: GOAWAY", short: true, start: onGRPC(goAway)},
	{name: "gRPC: flood of settings and pings", start: onGRPC(frameFlood)},
	{name: "gRPC: frame of 16 MB", start: onGRPC(hugeFrame)},
	{name: "gRPC: resets connections", start: onGRPC(abort)},
	{name: "gRPC: does not read", short: true, start: onGRPC(deaf)},
	{name: "gRPC: answers in HTTP/1.1", start: onGRPC(endless("HTTP/1.1 200 OK\r\n\r\n", "garbage"))},
}

// nodeAttacks are consensus nodes of a book that the mirror names.
var nodeAttacks = []attack{
	{name: "1,000 nodes do not read", short: true, start: onNodes(func(context.Context) func(net.Conn) { return deaf })},
	{name: "1,000 nodes reset", start: onNodes(func(context.Context) func(net.Conn) { return abort })},
	{name: "1,000 nodes send GOAWAY", short: true, start: onNodes(func(context.Context) func(net.Conn) { return goAway })},
	{name: "1,000 nodes flood", start: onNodes(func(context.Context) func(net.Conn) { return frameFlood })},
	{name: "1,000 nodes answer with codes of their own", short: true, start: onNodes(oddCodes)},
	{name: "1,000 nodes answer with 4 MB", start: onNodes(longAnswers)},
}

func onGRPC(serve func(net.Conn)) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		defer e.grpc.become(e.counted(serve))()
		<-ctx.Done()
	}
}

type addressBook struct {
	mirrorpb.UnimplementedNetworkServiceServer
	send func(grpc.ServerStreamingServer[services.NodeAddress]) error
}

func (b addressBook) GetNodes(_ *mirrorpb.AddressBookQuery, stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	return b.send(stream)
}

func onAddressBook(send func(grpc.ServerStreamingServer[services.NodeAddress]) error) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		server := grpc.NewServer()
		mirrorpb.RegisterNetworkServiceServer(server, addressBook{send: send})
		onGRPC(serveGRPC(ctx, server))(ctx, e)
	}
}

func hugeNodes(stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	description := strings.Repeat("x", 4<<20-100) // gRPC takes no message above 4 MB
	for i := range int64(1000) {
		if err := stream.Send(&services.NodeAddress{NodeId: i, Description: description}); err != nil {
			return err
		}
	}
	return nil
}

func endlessNodes(stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	for i := int64(0); ; i++ {
		if err := stream.Send(&services.NodeAddress{NodeId: i}); err != nil {
			return err
		}
	}
}

func sameNode(stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	for {
		if err := stream.Send(&services.NodeAddress{NodeId: 3}); err != nil {
			return err
		}
	}
}

func crowdedNode(stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	node := &services.NodeAddress{NodeId: 3}
	for i := range 20_000 {
		node.ServiceEndpoint = append(node.ServiceEndpoint, &services.ServiceEndpoint{
			IpAddressV4: []byte{127, 1, byte(i >> 8), byte(i)}, Port: 1,
		})
	}
	return stream.Send(node)
}

func silent(stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

func longError(grpc.ServerStreamingServer[services.NodeAddress]) error {
	return status.Error(codes.Internal, strings.Repeat("x", 1<<20))
}

func longMetadata(stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	return stream.SendHeader(metadata.Pairs("x-long", strings.Repeat("x", 10<<20)))
}

// frames returns a framer after HTTP/2's settings.
func frames(conn net.Conn) (*http2.Framer, error) {
	framer := http2.NewFramer(conn, conn)
	if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
		return nil, err
	}
	return framer, framer.WriteSettings()
}

func goAway(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	framer, err := frames(conn)
	if err != nil {
		return
	}
	_ = framer.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings"))
}

func frameFlood(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_, err := frames(conn)
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	for err == nil {
		_, err = conn.Write(manyFrames)
	}
}

// manyFrames are written at once: the attack is to cost the exporter more than
// this process.
var manyFrames = func() []byte {
	var b bytes.Buffer
	framer := http2.NewFramer(&b, nil)
	for b.Len() < 64<<10 {
		_ = framer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		_ = framer.WritePing(false, [8]byte{})
	}
	return b.Bytes()
}()

func hugeFrame(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	framer, err := frames(conn)
	if err != nil {
		return
	}
	_ = framer.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 16<<20-1))
	_, _ = io.Copy(io.Discard, conn)
}

// onNodes has the mirror name 1,000 nodes, which are served otherwise.
func onNodes(serve func(context.Context) func(net.Conn)) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		node := newFront(e.t, e.counted(serve(ctx)))
		host, port, _ := net.SplitHostPort(node.address())
		answer := nodePages(1000, func(i int) string {
			return fmt.Sprintf(`"node_account_id":"0.0.%d","service_endpoints":[{"domain_name":"","ip_address_v4":%q,"port":%s}]`, i+3, host, port)
		})
		onRoutes(answer, nodesPath)(ctx, e)
		node.listener.Close()
		node.become(nil)
	}
}

// rawCodec passes bytes.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (rawCodec) Name() string                       { return "proto" }

// nodeServer answers all calls with what respond returns.
func nodeServer(ctx context.Context, respond func() []byte) func(net.Conn) {
	return serveGRPC(ctx, grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var query []byte
		if err := stream.RecvMsg(&query); err != nil {
			return err
		}
		response := respond()
		return stream.SendMsg(&response)
	})))
}

func marshal(message proto.Message) []byte {
	encoded, _ := proto.Marshal(message) // it has no required fields
	return encoded
}

// oddCodes answers with a precheck code that no other answer has.
func oddCodes(ctx context.Context) func(net.Conn) {
	var n atomic.Int32
	return nodeServer(ctx, func() []byte {
		code := services.ResponseCodeEnum(10_000 + n.Add(1))
		return marshal(&services.Response{Response: &services.Response_CryptoGetInfo{CryptoGetInfo: &services.CryptoGetInfoResponse{
			Header: &services.ResponseHeader{NodeTransactionPrecheckCode: code},
		}}})
	})
}

func longAnswers(ctx context.Context) func(net.Conn) {
	answer := marshal(&services.Response{Response: &services.Response_CryptoGetInfo{CryptoGetInfo: &services.CryptoGetInfoResponse{
		AccountInfo: &services.CryptoGetInfoResponse_AccountInfo{Memo: strings.Repeat("x", 4<<20-100)},
	}}})
	return nodeServer(ctx, func() []byte { return answer })
}
