// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func bookQuery(file int64, limit int32) *mirror.AddressBookQuery {
	return &mirror.AddressBookQuery{FileId: &services.FileID{FileNum: file}, Limit: limit}
}

// getNodes reads the stream to its end.
func getNodes(ctx context.Context, t *testing.T, s *Simulator, query *mirror.AddressBookQuery) ([]*services.NodeAddress, error) {
	t.Helper()
	client := mirror.NewNetworkServiceClient(dialGRPC(t, s.GRPCAddress(), nil))
	stream, err := client.GetNodes(ctx, query)
	if err != nil {
		return nil, err
	}
	var nodes []*services.NodeAddress
	for {
		node, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, node)
	}
}

// describe renders what the gRPC and the REST address book have in common.
func describe(nodeID int64, account, description, hash string, endpoints []string) string {
	return fmt.Sprint(nodeID, account, description, hash, endpoints)
}

func TestGRPCBookEqualsRESTBook(t *testing.T) {
	s := startStatic(t, Options{})
	fromREST := make(map[int64]string)
	for path := new("/api/v1/network/nodes?limit=25"); path != nil; {
		page := getJSON[nodeList](t, s, *path)
		for _, node := range page.Nodes {
			var endpoints []string
			for _, e := range node.ServiceEndpoints {
				endpoints = append(endpoints, fmt.Sprintf("%s:%d", e.IPAddressV4, e.Port))
			}
			fromREST[node.NodeID] = describe(node.NodeID, node.NodeAccountID, *node.Description, node.NodeCertHash, endpoints)
		}
		path = page.Links.Next
	}

	nodes, err := getNodes(testContext(t), t, s, bookQuery(102, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 29 || len(fromREST) != 29 {
		t.Fatalf("gRPC has %d nodes, REST %d, want 29", len(nodes), len(fromREST))
	}
	for _, node := range nodes {
		var endpoints []string
		for _, e := range node.GetServiceEndpoint() {
			address, _ := netip.AddrFromSlice(e.GetIpAddressV4())
			endpoints = append(endpoints, fmt.Sprintf("%s:%d", address, e.GetPort()))
		}
		account := fmt.Sprintf("0.0.%d", node.GetNodeAccountId().GetAccountNum())
		got := describe(node.GetNodeId(), account, node.GetDescription(), "0x"+string(node.GetNodeCertHash()), endpoints)
		if got != fromREST[node.GetNodeId()] {
			t.Errorf("gRPC: %s\nREST: %s", got, fromREST[node.GetNodeId()])
		}
	}
	if got := s.Requests()["grpc getNodes"]; got != 1 {
		t.Errorf("counted %d requests, want 1", got)
	}
}

func TestGetNodes(t *testing.T) {
	s := startStatic(t, Options{Nodes: 4})
	for _, tc := range []struct {
		name  string
		query *mirror.AddressBookQuery
		want  int
		code  codes.Code
	}{
		{"details", bookQuery(102, 0), 4, codes.OK},
		{"address book", bookQuery(101, 0), 4, codes.OK},
		{"limit", bookQuery(102, 3), 3, codes.OK},
		{"limit beyond the book", bookQuery(102, 99), 4, codes.OK},
		{"negative limit", bookQuery(102, -1), 0, codes.InvalidArgument},
		{"other file", bookQuery(111, 0), 0, codes.InvalidArgument},
		{"no file", &mirror.AddressBookQuery{}, 0, codes.InvalidArgument},
	} {
		t.Run(tc.name, func(t *testing.T) {
			nodes, err := getNodes(testContext(t), t, s, tc.query)
			if len(nodes) != tc.want || status.Code(err) != tc.code {
				t.Errorf("got %d nodes, %v", len(nodes), err)
			}
		})
	}
	nodes, err := getNodes(testContext(t), t, s, bookQuery(101, 0))
	if err != nil || nodes[0].GetDescription() != "" || nodes[0].GetRSA_PubKey() != "" {
		t.Errorf("file 0.0.101 has details: %v, %v", nodes, err)
	}
}

func TestGetNodesFaults(t *testing.T) {
	s := startStatic(t, Options{Nodes: 4})
	for _, tc := range []struct {
		fault Fault
		code  codes.Code
	}{
		{Fault{Kind: FaultStatus, Status: int(codes.ResourceExhausted)}, codes.ResourceExhausted},
		{Fault{Kind: FaultReset}, codes.Unavailable},
		{Fault{Kind: FaultGarbage}, codes.Internal},
		{Fault{Kind: FaultTruncate}, codes.Unavailable},
		{Fault{Kind: FaultLatency, Latency: time.Millisecond}, codes.OK},
	} {
		t.Run(tc.fault.Kind, func(t *testing.T) {
			tc.fault.Path, tc.fault.Count = GetNodesFault, 1
			if _, err := s.InjectFault(tc.fault); err != nil {
				t.Fatal(err)
			}
			if _, err := getNodes(testContext(t), t, s, bookQuery(102, 0)); status.Code(err) != tc.code {
				t.Errorf("got %v, want %v", err, tc.code)
			}
			if nodes, err := getNodes(testContext(t), t, s, bookQuery(102, 0)); err != nil || len(nodes) != 4 {
				t.Errorf("after the fault: %d nodes, %v", len(nodes), err)
			}
		})
	}
}

func TestGetNodesHangsUntilTheClientLeaves(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if _, err := s.InjectFault(Fault{Path: GetNodesFault, Kind: FaultHang}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := getNodes(ctx, t, s, bookQuery(102, 0)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}
