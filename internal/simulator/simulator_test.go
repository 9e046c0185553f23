// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"hedera_exporter/internal/leaktest"
	"hedera_exporter/internal/memnet"
)

func TestCloseLeavesNothingBehind(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	s, err := Start(Options{Accounts: 10})
	if err != nil {
		t.Fatal(err)
	}
	nodes := s.Nodes()
	if err := s.HangEndpoint(nodes[0].Endpoints[0].Address); err != nil {
		t.Fatal(err)
	}
	if err := s.StopNode(nodes[1].NodeID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/accounts", GetNodesFault} {
		if _, err := s.InjectFault(Fault{Path: path, Kind: FaultHang}); err != nil {
			t.Fatal(err)
		}
	}
	client := newHTTPClient(t)
	conn, err := grpc.NewClient(s.GRPCAddress(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() {
		stream, err := mirror.NewNetworkServiceClient(conn).GetNodes(testContext(t), bookQuery(102, 0))
		if err == nil {
			_, err = stream.Recv()
		}
		ended <- err
	}()
	go func() {
		answer, err := client.Get(s.URL() + "/api/v1/accounts") //nolint:noctx // Close has to end it
		if err == nil {
			_ = answer.Body.Close()
		}
		ended <- err
	}()
	waitFor(t, func() bool {
		counts := s.Requests()
		return counts["GET /api/v1/accounts"] == 1 && counts["grpc getNodes"] == 1
	})

	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range cap(ended) {
		if err := <-ended; err == nil {
			t.Error("a hanging request got an answer")
		}
	}
	client.CloseIdleConnections()
	_ = conn.Close()
	if err := leaktest.Find(ignore); err != nil {
		t.Error(err)
	}
	if !refuses(t, nodes[2].Endpoints[0].Address) || !refuses(t, s.GRPCAddress()) {
		t.Error("a port is still open")
	}
	if err := s.StartNode(nodes[2].NodeID); err == nil {
		t.Error("a closed network started a node")
	}
}

func TestStartTwice(t *testing.T) {
	first := startStatic(t, Options{Accounts: 5})
	second := startStatic(t, Options{Accounts: 5})
	for i, node := range first.Nodes() {
		other := second.Nodes()[i]
		if node.CertHash != other.CertHash || node.Stake != other.Stake {
			t.Errorf("node %d differs between two networks of one seed", node.NodeID)
		}
	}
	third := startStatic(t, Options{Seed: 7, Nodes: 1})
	if third.Nodes()[0].CertHash == first.Nodes()[0].CertHash {
		t.Error("another seed gives the same certificate")
	}
}

func TestStartErrors(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(testContext(t), "tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	taken := listener.Addr().String()
	_, portText, _ := net.SplitHostPort(taken)
	port, _ := strconv.Atoi(portText)

	for option, opts := range map[string]Options{
		"RESTAddress":  {Nodes: 1, RESTAddress: taken},
		"GRPCAddress":  {Nodes: 1, GRPCAddress: taken},
		"NodeBasePort": {Nodes: 1, NodeBasePort: port},
	} {
		_, err := Start(opts)
		var listenErr *ListenError
		if !errors.As(err, &listenErr) || listenErr.Option != option || !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: got %v", option, err)
		}
	}
	for name, opts := range map[string]Options{
		"nodes":     {Nodes: 30},
		"accounts":  {Accounts: -1},
		"latency":   {Latency: -time.Second},
		"base port": {NodeBasePort: 70_000},
	} {
		if s, err := Start(opts); err == nil {
			t.Errorf("%s: no error", name)
			_ = s.Close()
		}
	}
}

func TestNodeBasePort(t *testing.T) {
	s, err := Start(Options{Nodes: 2, NodeBasePort: 23_500, Static: true})
	if err != nil {
		t.Skipf("the ports of this test are taken: %v", err)
	}
	defer func() { _ = s.Close() }()
	want := 23_500
	for _, node := range s.Nodes() {
		for _, e := range node.Endpoints {
			if e.Address != net.JoinHostPort("127.0.0.1", strconv.Itoa(want)) {
				t.Errorf("got %s, want port %d", e.Address, want)
			}
			want++
		}
	}
}

func TestBalance(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.SetBalance("0.0.98", 42) }); err != nil {
		t.Fatal(err)
	}
	if tinybar, ok := s.Balance("0.0.98"); tinybar != 42 || !ok {
		t.Errorf("got %d, %t", tinybar, ok)
	}
	if tinybar, ok := s.Balance("0.0.5000"); tinybar != 0 || ok {
		t.Errorf("unknown account: got %d, %t", tinybar, ok)
	}
}

// The network moves by itself: blocks follow the clock, balances change.
func TestMovingNetwork(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		s := startNetwork(t, Options{Nodes: 1, Accounts: 50, Listen: memory.Listen})
		client := newMemoryHTTPClient(t, memory)
		before := view(s, balances)
		first := latestBlock(t, client, s)
		time.Sleep(3 * blockPeriod)
		synctest.Wait() // the third is due at this moment
		if got := latestBlock(t, client, s) - first; got != 3 {
			t.Errorf("%d blocks were added, want 3", got)
		}
		if maps.Equal(view(s, balances), before) {
			t.Error("no balance has changed")
		}
	})
}

func TestStaticNetworkStandsStill(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 5})
	if len(s.stops) != 3 {
		t.Errorf("%d parts run, want nodes, gRPC and REST only", len(s.stops))
	}
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := startNetwork(t, Options{Nodes: 2, Accounts: 20})
	node := s.Nodes()[0]
	done := make(chan struct{})
	jobs := []func(int) error{
		func(i int) error {
			return s.Update(func(l *Ledger) error { return l.SetBalance("0.0.1001", int64(i)) })
		},
		func(int) error { return s.StopNode(node.NodeID) },
		func(int) error { return s.StartNode(node.NodeID) },
		func(int) error { return s.SwapCertificate(node.NodeID) },
		func(int) error {
			return s.Update(func(l *Ledger) error { return l.SetPrecheck(node.NodeID, services.ResponseCodeEnum_BUSY) })
		},
		func(int) error { return s.Update(func(l *Ledger) error { l.tick(); return nil }) },
		func(int) error { addBlock(s); s.ExporterConfig(); s.Requests(); return nil },
		func(i int) error {
			return s.Update(func(l *Ledger) error {
				return l.AddTransaction(Transaction{Consensus: at(time.Duration(i)), Payer: "0.0.2"})
			})
		},
		func(i int) error {
			return s.Update(func(l *Ledger) error { return l.SetTokenBalance(usdToken, "0.0.98", int64(i)) })
		},
		func(i int) error {
			return s.Update(func(l *Ledger) error { return l.SetTokenState(usdToken, TokenState{Paused: new(i%2 == 0)}) })
		},
		func(i int) error {
			return s.Update(func(l *Ledger) error {
				return l.SetAllowance(Allowance{Owner: "0.0.2", Spender: "0.0.98", Amount: int64(i)})
			})
		},
		func(i int) error {
			return s.Update(func(l *Ledger) error { return l.AddContract(Contract{ID: fmt.Sprintf("0.0.%d", 500+i)}) })
		},
		func(i int) error {
			return s.Update(func(l *Ledger) error { return l.AddSchedule(Schedule{ID: fmt.Sprintf("0.0.%d", 500+i)}) })
		},
		func(int) error { s.AccountTotals("0.0.2"); s.BlockTotals(); s.TokenIDs(); return nil },
	}
	for _, job := range jobs {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 10 {
				if err := job(i); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	client := newHTTPClient(t)
	for range 20 {
		for _, path := range []string{
			"accounts", "accounts/0.0.98", "accounts/0.0.98/tokens", "accounts/0.0.2/allowances/crypto", "transactions",
			"tokens/" + usdToken, "tokens/" + usdToken + "/balances", "contracts", "schedules", "network/supply",
			"topics/" + busyTopic + "/messages", "blocks",
		} {
			got, err := trySend(t, client, s, http.MethodGet, "/api/v1/"+path, nil)
			if err != nil || got.status != 200 {
				t.Errorf("%s: got %d, %v", path, got.status, err)
			}
		}
	}
	for range jobs {
		<-done
	}
}

// waitFor polls until the condition holds.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	ctx := testContext(t)
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatal("the condition never held")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
