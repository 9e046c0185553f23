// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"

	"hedera_exporter/internal/leaktest"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

func TestMain(m *testing.M) { leaktest.VerifyTestMain(m) }

const testDeadline = 20 * time.Second

func start(t *testing.T, nodes int) *simulator.Simulator {
	t.Helper()
	return startWith(t, simulator.Options{Nodes: nodes, Accounts: 2})
}

func startWith(t *testing.T, options simulator.Options) *simulator.Simulator {
	t.Helper()
	options.Static = true
	sim, err := simulator.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

func book(t *testing.T, sim *simulator.Simulator) []Node {
	t.Helper()
	book, err := bookClient(sim).Book(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	return book.Nodes
}

func bookClient(sim *simulator.Simulator) *AddressBookClient {
	return NewAddressBookClient(AddressBookOptions{
		Address: sim.GRPCAddress(),
		Book:    BookOptions{TLSPorts: sim.TLSPorts(), Local: true},
	})
}

// probe returns the results in the order of nodes and their endpoints.
func probe(ctx context.Context, prober *Prober, nodes []Node) []Result {
	var (
		mu    sync.Mutex
		found = map[probeKey]Result{}
	)
	prober.Probe(ctx, nodes, func(result Result) {
		mu.Lock()
		defer mu.Unlock()
		found[probeKey{result.Node.ID, result.Endpoint}] = result
	})
	var results []Result
	for _, node := range nodes {
		for _, endpoint := range node.Endpoints {
			results = append(results, found[probeKey{node.ID, endpoint}])
		}
	}
	return results
}

func newTestBalanceClient(t *testing.T) *BalanceClient {
	t.Helper()
	client := NewBalanceClient(BalanceOptions{MaxConcurrency: 2, Timeout: testDeadline})
	t.Cleanup(client.Close)
	return client
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	t.Cleanup(cancel)
	return ctx
}

func newTestProber(t *testing.T, reconnect time.Duration) *Prober {
	t.Helper()
	prober := NewProber(ProberOptions{Timeout: testDeadline, ReconnectInterval: reconnect})
	t.Cleanup(prober.Close)
	return prober
}

func TestAddressBook(t *testing.T) {
	sim := start(t, 0)
	nodes := book(t, sim)
	want := sim.Nodes()
	if len(nodes) != len(want) {
		t.Fatalf("%d nodes, want %d", len(nodes), len(want))
	}
	for i, node := range nodes {
		if node.ID != want[i].NodeID || node.AccountID != want[i].AccountID ||
			node.Description != want[i].Description || node.CertificateHash != want[i].CertHash {
			t.Errorf("node %+v, want %+v", node, want[i])
		}
		for j, endpoint := range node.Endpoints {
			if endpoint != Endpoint(want[i].Endpoints[j]) {
				t.Errorf("node %d: endpoint %+v, want %+v", node.ID, endpoint, want[i].Endpoints[j])
			}
		}
	}
}

func TestCheckIsContentWithTheFirstNode(t *testing.T) {
	sim := start(t, 2)
	client := bookClient(sim)
	if err := client.Check(deadline(t)); err != nil {
		t.Error(err)
	}
	book, err := client.book(deadline(t), 1)
	if err != nil || len(book.Nodes) != 1 {
		t.Errorf("%+v, %v, want the first node only", book, err)
	}
}

func TestAddressBookErrorsSayWhatToDo(t *testing.T) {
	sim := start(t, 1)
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]*AddressBookClient{
		"nothing listens":   NewAddressBookClient(AddressBookOptions{Address: address}),
		"TLS to plaintext":  NewAddressBookClient(AddressBookOptions{Address: sim.GRPCAddress(), TLS: true}),
		"not a mirror node": NewAddressBookClient(AddressBookOptions{Address: sim.Nodes()[0].Endpoints[0].Address}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := client.Book(ctx)
			for _, err := range []error{err, client.Check(ctx)} {
				if err == nil || !strings.Contains(err.Error(), client.options.Address) || !strings.Contains(err.Error(), "mirror.grpc_address") {
					t.Errorf("error %v, want one that names %s and the setting", err, client.options.Address)
				}
			}
		})
	}
}

func TestNodeFromProto(t *testing.T) {
	raw := slices.Repeat([]byte{0xAB}, 48)
	text := strings.Repeat("ab", 48)
	tests := map[string]struct {
		hash []byte
		want string
	}{
		"hex text":       {[]byte(text), text},
		"upper case":     {[]byte("0x" + strings.ToUpper(text)), text},
		"raw":            {raw, text},
		"none":           {nil, ""},
		"bare 0x":        {[]byte("0x"), ""},
		"no text at all": {[]byte{0xff, 0xfe, 'x'}, hex.EncodeToString([]byte{0xff, 0xfe, 'x'})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			book := NewBook(BookOptions{TLSPorts: []int{50212, 443}})
			address := &services.NodeAddress{NodeCertHash: test.hash, ServiceEndpoint: []*services.ServiceEndpoint{
				{IpAddressV4: []byte{10, 0, 0, 1}, Port: 50211},
				{IpAddressV4: []byte{10, 0, 0, 1}, Port: 50212},
				{DomainName: "node.example.com", Port: 443},
				{IpAddressV4: []byte{10, 0, 0, 1}, Port: 50211},
			}}
			book.Add(nodeFromProto(address), addressesFromProto(address.GetServiceEndpoint()))
			node := book.Nodes[0]
			if node.CertificateHash != test.want {
				t.Errorf("hash %q, want %q", node.CertificateHash, test.want)
			}
			want := []Endpoint{{"10.0.0.1:50211", false}, {"10.0.0.1:50212", true}, {"node.example.com:443", true}}
			if !slices.Equal(node.Endpoints, want) {
				t.Errorf("endpoints %v, want %v", node.Endpoints, want)
			}
		})
	}
}

func TestProbeReusesConnections(t *testing.T) {
	sim := start(t, 2)
	nodes := book(t, sim)
	prober := newTestProber(t, time.Hour)
	for _, result := range probe(deadline(t), prober, nodes) {
		if result.Err != nil || result.Connect == 0 || result.RPC == 0 || (result.Handshake > 0) != result.Endpoint.TLS {
			t.Errorf("first probe: %+v", result)
		}
	}
	for _, result := range probe(deadline(t), prober, nodes) {
		if result.Err != nil || result.Connect != 0 || result.Handshake != 0 || result.RPC == 0 {
			t.Errorf("second probe: %+v", result)
		}
		if (result.Certificate != nil) != result.Endpoint.TLS {
			t.Errorf("certificate of a reused connection: %+v", result)
		}
	}
}

func TestProbeRenewsConnections(t *testing.T) {
	sim := start(t, 2)
	nodes := book(t, sim)
	prober := newTestProber(t, 0)
	probe(deadline(t), prober, nodes)
	for _, result := range probe(deadline(t), prober, nodes) {
		if (result.Handshake > 0) != result.Endpoint.TLS || result.Connect == 0 {
			t.Errorf("after the reconnect interval: %+v", result)
		}
	}
}

func TestProbeDropsConnectionsOfNodesThatLeft(t *testing.T) {
	sim := start(t, 3)
	nodes := book(t, sim)
	prober := newTestProber(t, time.Hour)
	probe(deadline(t), prober, nodes)
	probe(deadline(t), prober, nodes[:1])
	if kept := len(prober.connections); kept != len(nodes[0].Endpoints) {
		t.Errorf("%d connections are kept for %d endpoints", kept, len(nodes[0].Endpoints))
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	memnet.Test(t, testProbeOfAHungEndpoint)
}

func testProbeOfAHungEndpoint(t *testing.T, memory *memnet.Network) {
	sim := startWith(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
	client := bookClient(sim)
	client.options.DialContext = memory.DialContext
	book, err := client.Book(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	nodes := book.Nodes
	hung := nodes[0].Endpoints[0].Address
	if err := sim.HangEndpoint(hung); err != nil {
		t.Fatal(err)
	}
	prober := NewProber(ProberOptions{Timeout: testDeadline, ReconnectInterval: time.Hour, DialContext: memory.DialContext})
	defer prober.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	for _, result := range probe(ctx, prober, nodes) {
		if (result.Err != nil) != (result.Endpoint.Address == hung) {
			t.Errorf("%s: %v", result.Endpoint.Address, result.Err)
		}
	}
	if took := time.Since(start); took != time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestProbeSeesARestartedNode(t *testing.T) {
	sim := start(t, 1)
	nodes := book(t, sim)
	prober := newTestProber(t, time.Hour)
	for _, running := range []bool{true, false, false, true} {
		change := sim.StopNode
		if running {
			change = sim.StartNode
		}
		_ = change(nodes[0].ID) // it may be in that state already
		for _, result := range probe(deadline(t), prober, nodes) {
			if (result.Err == nil) != running {
				t.Errorf("running %v, but %s: %v", running, result.Endpoint.Address, result.Err)
			}
		}
	}
}

func TestBalances(t *testing.T) {
	sim := start(t, 3)
	nodes := book(t, sim)
	client := newTestBalanceClient(t)
	accounts := []hiero.AccountID{{Account: 1001}, {Account: 1002}, {Account: 999999}}

	balances, err := client.Balances(deadline(t), nodes, accounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, balance := range balances {
		if err := balance.Err; err == nil || !strings.Contains(err.Error(), "BUSY") || !strings.Contains(err.Error(), "balance_source: mirror") {
			t.Errorf("error %v, want BUSY and the mend", err)
		}
	}

	_ = sim.Update(func(l *simulator.Ledger) error { l.AnswerBalanceQueries(true); return nil })
	if err := sim.Update(func(l *simulator.Ledger) error { return l.DeleteAccount("0.0.1002") }); err != nil {
		t.Fatal(err)
	}
	if err := sim.StopNode(nodes[0].ID); err != nil { // another one answers in its place
		t.Fatal(err)
	}
	want, _ := sim.Balance("0.0.1001")
	balances, err = client.Balances(deadline(t), nodes, accounts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(balances, []Balance{
		{AccountID: accounts[0], Tinybar: want, Exists: true},
		{AccountID: accounts[1], Exists: true, Deleted: true},
		{AccountID: accounts[2]},
	}) {
		t.Errorf("balances %+v", balances)
	}
}

func TestBalancesAreNotTakenFromAnImpostor(t *testing.T) {
	sim := start(t, 1)
	_ = sim.Update(func(l *simulator.Ledger) error { l.AnswerBalanceQueries(true); return nil })
	nodes := book(t, sim)
	if err := sim.SwapCertificate(nodes[0].ID); err != nil {
		t.Fatal(err)
	}
	client := newTestBalanceClient(t)
	balances, err := client.Balances(deadline(t), nodes, []hiero.AccountID{{Account: 1001}})
	if err != nil {
		t.Fatal(err)
	}
	if err := balances[0].Err; err == nil || !strings.Contains(err.Error(), "certificate hash") {
		t.Errorf("error %v, want one about the certificate", err)
	}
}

func TestBalancesWithoutNodes(t *testing.T) {
	client := newTestBalanceClient(t)
	_, err := client.Balances(deadline(t), nil, []hiero.AccountID{{Account: 1001}})
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want one that says that no node is known", err)
	}
}
