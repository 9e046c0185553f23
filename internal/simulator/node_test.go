// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestReadBook(t *testing.T) {
	for _, tc := range []struct{ count, want int }{{0, 29}, {1, 1}, {29, 29}, {30, -1}, {-1, -1}} {
		entries, err := readBook(tc.count)
		if tc.want < 0 {
			if err == nil {
				t.Errorf("%d nodes: no error", tc.count)
			}
			continue
		}
		if err != nil || len(entries) != tc.want {
			t.Errorf("%d nodes: got %d, %v", tc.count, len(entries), err)
		}
	}
}

func TestNodesPaging(t *testing.T) {
	s := startStatic(t, Options{})
	for _, tc := range []struct {
		query string
		pages []int
	}{
		{"", []int{10, 10, 9}},
		{"?limit=25", []int{25, 4}},
		{"?limit=100", []int{25, 4}},
		{"?order=desc&limit=20", []int{20, 9}},
	} {
		seen := make(map[int64]bool)
		var pages []int
		for next := new("/api/v1/network/nodes" + tc.query); next != nil; {
			page := getJSON[nodeList](t, s, *next)
			for _, node := range page.Nodes {
				seen[node.NodeID] = true
			}
			pages = append(pages, len(page.Nodes))
			next = page.Links.Next
		}
		if len(seen) != 29 || !slices.Equal(pages, tc.pages) {
			t.Errorf("%q: %d nodes on pages of %v, want %v", tc.query, len(seen), pages, tc.pages)
		}
	}
}

func TestNodesFilters(t *testing.T) {
	s := startStatic(t, Options{})
	for query, want := range map[string]int{
		"node.id=5": 1, "node.id=eq:5&node.id=6": 2, "node.id=gt:36": 3, "node.id=2": 0,
		"file.id=0.0.101&node.id=0": 1, "file.id=102&node.id=lte:1": 2,
	} {
		if got := len(getJSON[nodeList](t, s, "/api/v1/network/nodes?"+query).Nodes); got != want {
			t.Errorf("%q: got %d nodes, want %d", query, got, want)
		}
	}
	for _, query := range []string{"file.id=0.0.111", "node.id=x", "limit=0", "order=up", "nope=1"} {
		if got := send(t, s, http.MethodGet, "/api/v1/network/nodes?"+query, nil); got.status != 400 {
			t.Errorf("%q: got %d, want 400", query, got.status)
		}
	}
}

// Fields that the mirror shows as null are null for some nodes and not for all.
func TestNodesNulls(t *testing.T) {
	s := startStatic(t, Options{})
	nulls := make(map[string]int)
	for next := new("/api/v1/network/nodes?limit=25"); next != nil; {
		page := getJSON[struct {
			Nodes []map[string]json.RawMessage `json:"nodes"`
			Links links                        `json:"links"`
		}](t, s, *next)
		for _, node := range page.Nodes {
			for field, value := range node {
				if string(value) == "null" {
					nulls[field]++
				}
			}
		}
		next = page.Links.Next
	}
	for _, field := range []string{
		"stake", "stake_rewarded", "stake_not_rewarded", "min_stake", "max_stake",
		"reward_rate_start", "staking_period", "admin_key", "grpc_proxy_endpoint",
	} {
		if nulls[field] == 0 || nulls[field] == 29 {
			t.Errorf("%s is null for %d of 29 nodes", field, nulls[field])
		}
		delete(nulls, field)
	}
	if len(nulls) > 0 {
		t.Errorf("fields that never are null on the network are: %v", nulls)
	}
}

func TestNodesGoAPIEqualsREST(t *testing.T) {
	s := startStatic(t, Options{Nodes: 10})
	list := getJSON[nodeList](t, s, "/api/v1/network/nodes")
	for i, node := range s.Nodes() {
		got := list.Nodes[i]
		stake := int64(nullStake)
		if got.Stake != nil {
			stake = *got.Stake
		}
		if got.NodeID != node.NodeID || stake != node.Stake || got.NodeCertHash != "0x"+node.CertHash {
			t.Errorf("REST has %+v, Nodes %+v", got, node)
		}
	}
}

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
		{Fault{Kind: FaultStatus, Status: int(codes.InvalidArgument)}, codes.InvalidArgument},
		{Fault{Kind: FaultStatus, Status: int(codes.NotFound)}, codes.NotFound},
		{Fault{Kind: FaultStatus, Status: int(codes.Unavailable)}, codes.Unavailable},
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
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := getNodes(ctx, t, s, bookQuery(102, 0))
		ended <- err
	}()
	waitFor(t, func() bool { return s.Requests()["grpc getNodes"] == 1 })
	cancel()
	if err := <-ended; status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
}
