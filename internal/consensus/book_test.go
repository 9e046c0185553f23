// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protodelim"

	"hedera_exporter/internal/simulator"
)

func TestBookSkipsWhatIsNoAddress(t *testing.T) {
	ours := []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255",
		"::1", "::", "::ffff:127.0.0.1", "fe80::1", "fe80::1%eth0", "localhost", "LocalHost.", "a.localhost",
	}
	addresses := []HostPort{
		{"", 50211},
		{"10.0.0.1", 0},
		{"10.0.0.1", -1},
		{"10.0.0.1", 65536},
		{strings.Repeat("a", 254), 50211},
		{"]", 50211},
		{"a b", 50211},
		{"2001:db8::1%]<a", 50211},
		{"10.0.0.1:50211", 50211},
		{"10.0.0.1", 50211},
		{"node.example.com", 50211},
	}
	for _, host := range ours {
		addresses = append(addresses, HostPort{host, 50211})
	}
	for local, want := range map[bool]int{false: 2, true: 2 + len(ours)} {
		book := NewBook(BookOptions{Local: local})
		book.Add(Node{ID: 3}, addresses)
		endpoints := book.Nodes[0].Endpoints
		if len(endpoints) != want || book.Skipped != len(addresses)-want {
			t.Errorf("local %v: %d skipped, endpoints %v", local, book.Skipped, endpoints)
		}
		if book.Missing != 0 || book.Truncated {
			t.Errorf("local %v: %d missing, truncated %v", local, book.Missing, book.Truncated)
		}
	}
}

func TestBookLimits(t *testing.T) {
	many := func(n int) []HostPort {
		var addresses []HostPort
		for i := range n {
			addresses = append(addresses, HostPort{"10.0.0.1", 1 + i})
		}
		return addresses
	}
	tests := map[string]struct {
		nodes, endpoints int
		wantNodes        int
		wantEndpoints    int
		truncated        bool
		err              string
	}{
		"as large as it may be": {nodes: 1000, endpoints: 2, wantNodes: 1000, wantEndpoints: 2000},
		"a node too many":       {nodes: 1001, endpoints: 1, wantNodes: 1000, wantEndpoints: 1000, truncated: true, err: "1000 nodes"},
		"endpoints of a node":   {nodes: 2, endpoints: 20_000, wantNodes: 2, wantEndpoints: 128, truncated: true, err: "node 0 has more than 64 endpoints"},
		"endpoints in all":      {nodes: 100, endpoints: 60, wantNodes: 100, wantEndpoints: 2000, truncated: true, err: "2000 endpoints"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			book := NewBook(BookOptions{})
			for i := range test.nodes {
				if full := !book.Add(Node{ID: int64(i)}, many(test.endpoints)); full != (i >= 1000) {
					t.Fatalf("full %v at node %d", full, i)
				}
			}
			endpoints := 0
			for _, node := range book.Nodes {
				endpoints += len(node.Endpoints)
			}
			if len(book.Nodes) != test.wantNodes || endpoints != test.wantEndpoints || book.Truncated != test.truncated {
				t.Errorf("%d nodes, %d endpoints, truncated %v", len(book.Nodes), endpoints, book.Truncated)
			}
			if (book.Missing > 0) != test.truncated || test.err != "" && !strings.Contains(fmt.Sprint(book.Err), test.err) {
				t.Errorf("%d missing, error %v", book.Missing, book.Err)
			}
		})
	}
}

func TestBookCutsLabels(t *testing.T) {
	long := strings.Repeat("\xffä", 5<<20)
	book := NewBook(BookOptions{})
	book.Add(Node{Description: long, AccountID: long, CertificateHash: long}, nil)
	for _, label := range []string{book.Nodes[0].Description, book.Nodes[0].AccountID, book.Nodes[0].CertificateHash} {
		if len(label) > 500 {
			t.Errorf("a label has %d bytes", len(label))
		}
	}
	right := strings.Repeat("ab", 48)
	book = NewBook(BookOptions{})
	book.Add(Node{ID: 1, CertificateHash: right}, nil)
	book.Add(Node{ID: 2, CertificateHash: right + "00"}, nil)
	if book.Nodes[0].CertificateHash != right || book.Nodes[1].CertificateHash == right {
		t.Errorf("nodes %+v", book.Nodes)
	}
}

func TestBookHasANodeOnce(t *testing.T) {
	book := NewBook(BookOptions{})
	for range 2 {
		book.Add(Node{ID: 7, Description: "seven"}, []HostPort{{"10.0.0.1", 50211}})
	}
	if len(book.Nodes) != 1 || book.Missing != 1 || book.Truncated || !strings.Contains(fmt.Sprint(book.Err), "node 7 twice") {
		t.Errorf("book %+v", book)
	}
}

func TestAddressBookOfAnotherRealm(t *testing.T) {
	sim := startWith(t, simulator.Options{Nodes: 1, Shard: 4, Realm: 17})
	client := bookClient(sim)
	_, err := client.Book(deadline(t))
	if err == nil || !strings.Contains(err.Error(), "0.0.102") {
		t.Errorf("error %v, want one about file 0.0.102", err)
	}
	client.options.Shard, client.options.Realm = 4, 17
	book, err := client.Book(deadline(t))
	if err != nil || book.Nodes[0].AccountID != "4.17.3" {
		t.Fatalf("book %+v, error %v", book, err)
	}
	for realm, want := range map[uint64]services.ResponseCodeEnum{
		16: services.ResponseCodeEnum_INVALID_ACCOUNT_ID,
		17: services.ResponseCodeEnum_OK,
	} {
		prober := NewProber(ProberOptions{Shard: 4, Realm: realm, Timeout: testDeadline})
		t.Cleanup(prober.Close)
		for _, result := range probe(deadline(t), prober, book.Nodes) {
			if result.Err != nil || result.Precheck != want {
				t.Errorf("realm %d: precheck %s, %v, want %s", realm, result.Precheck, result.Err, want)
			}
		}
	}
}

// hostileBook streams what node returns, until the client has enough.
type hostileBook struct {
	mirror.UnimplementedNetworkServiceServer
	node func(i int) *services.NodeAddress
	sent chan int
}

func (h hostileBook) GetNodes(_ *mirror.AddressBookQuery, stream grpc.ServerStreamingServer[services.NodeAddress]) error {
	for i := 0; ; i++ {
		if err := stream.Send(h.node(i)); err != nil {
			h.sent <- i
			return err
		}
	}
}

func TestAddressBookOfAHostileMirror(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct {
		node    func(i int) *services.NodeAddress
		err     string // or
		nodes   int
		maxSent int
	}{
		"descriptions of 4 MB": {
			node: func(i int) *services.NodeAddress {
				return &services.NodeAddress{NodeId: int64(i), Description: text(4_000_000)}
			},
			err:     "larger than max",
			maxSent: 2,
		},
		"8 MiB of descriptions": {
			node: func(i int) *services.NodeAddress {
				return &services.NodeAddress{NodeId: int64(i), Description: text(60_000)}
			},
			err:     "longer than 8388608 bytes",
			maxSent: 200,
		},
		"nodes without end": {
			node:    func(i int) *services.NodeAddress { return &services.NodeAddress{NodeId: int64(i)} },
			nodes:   1000,
			maxSent: 20_000,
		},
		"one node without end": {
			node:    func(int) *services.NodeAddress { return &services.NodeAddress{Description: text(10_000)} },
			err:     "longer than 8388608 bytes",
			maxSent: 2000,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			hostile := hostileBook{node: test.node, sent: make(chan int, 1)}
			server := grpc.NewServer()
			mirror.RegisterNetworkServiceServer(server, hostile)
			served := make(chan error)
			go func() { served <- server.Serve(listener) }()
			defer func() {
				server.Stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			}()

			book, err := NewAddressBookClient(AddressBookOptions{Address: listener.Addr().String()}).Book(deadline(t))
			switch {
			case test.err != "" && !strings.Contains(fmt.Sprint(err), test.err):
				t.Errorf("error %v, want %q", err, test.err)
			case test.err == "" && (err != nil || len(book.Nodes) != test.nodes || !book.Truncated):
				t.Errorf("book %+v, error %v", book, err)
			}
			if sent := <-hostile.sent; sent > test.maxSent {
				t.Errorf("%d nodes were sent", sent)
			}
		})
	}
}

// FuzzReceive reads books of messages with their lengths before them.
func FuzzReceive(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		rest := strings.NewReader(string(data))
		book, err := receive(func() (*services.NodeAddress, error) {
			address := &services.NodeAddress{}
			return address, protodelim.UnmarshalFrom(rest, address)
		}, BookOptions{TLSPorts: []int{50212}})
		if err != nil {
			return
		}
		if len(book.Nodes) == 0 {
			t.Error("an empty book is no error")
		}
		checkBook(t, book)
	})
}

// FuzzBook adds a node as the REST API has it, and one for gRPC with the same.
func FuzzBook(f *testing.F) {
	f.Fuzz(func(t *testing.T, id int64, account, description string, hash []byte, host string, port int) {
		book := NewBook(BookOptions{TLSPorts: []int{50212}})
		node := Node{ID: id, AccountID: account, Description: description, CertificateHash: NormalizeCertificateHash(hash)}
		book.Add(node, []HostPort{{host, port}})
		checkBook(t, book)
	})
}

func checkBook(t *testing.T, book *Book) {
	t.Helper()
	endpoints := 0
	for _, node := range book.Nodes {
		endpoints += len(node.Endpoints)
		for _, label := range []string{node.Description, node.AccountID, node.CertificateHash} {
			if len(label) > 400 || !strings.Contains(label, "") || strings.ToValidUTF8(label, "") != label {
				t.Errorf("label %q", label)
			}
		}
		for _, endpoint := range node.Endpoints {
			host, _, err := net.SplitHostPort(endpoint.Address)
			if err != nil || host == "" || IsLocalHost(host) {
				t.Errorf("endpoint %q, %v", endpoint.Address, err)
			}
		}
	}
	if len(book.Nodes) > maxNodes || endpoints > maxEndpoints {
		t.Errorf("%d nodes, %d endpoints", len(book.Nodes), endpoints)
	}
	if (book.Missing > 0) != (book.Err != nil) || book.Truncated && book.Missing == 0 {
		t.Errorf("%d missing, error %v, truncated %v", book.Missing, book.Err, book.Truncated)
	}
}

func TestReceiveEndsWithItsStream(t *testing.T) {
	broken := errors.New("broken")
	for _, end := range []error{io.EOF, broken} {
		first := true
		book, err := receive(func() (*services.NodeAddress, error) {
			if first {
				first = false
				return &services.NodeAddress{NodeId: 3}, nil
			}
			return nil, end
		}, BookOptions{})
		if failed := errors.Is(err, broken); failed != (end == broken) || !failed && len(book.Nodes) != 1 { //nolint:errorlint // the very same
			t.Errorf("after %v: book %+v, error %v", end, book, err)
		}
	}
}
