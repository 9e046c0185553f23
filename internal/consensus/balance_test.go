// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// answering is a network in memory whose nodes answer balance queries.
func answering(t *testing.T, memory *memnet.Network, nodes int) (*simulator.Simulator, []Node, *BalanceClient) {
	t.Helper()
	sim := startWith(t, simulator.Options{Nodes: nodes, Accounts: 4, Listen: memory.Listen})
	if err := sim.Update(func(l *simulator.Ledger) error { l.AnswerBalanceQueries(true); return nil }); err != nil {
		t.Fatal(err)
	}
	books := bookClient(sim)
	books.options.DialContext = memory.DialContext
	book, err := books.Book(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	client := NewBalanceClient(BalanceOptions{MaxConcurrency: 2, Timeout: 5 * time.Second, DialContext: memory.DialContext})
	return sim, book.Nodes, client
}

var fourAccounts = []hiero.AccountID{{Account: 1001}, {Account: 1002}, {Account: 1003}, {Account: 1004}}

// ask returns how long it took to get all balances.
func askAll(t *testing.T, client *BalanceClient, nodes []Node) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	start := time.Now()
	balances, err := client.Balances(ctx, nodes, fourAccounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, balance := range balances {
		if balance.Err != nil || !balance.Exists {
			t.Errorf("%s: %+v", balance.AccountID, balance)
		}
	}
	return time.Since(start)
}

func TestBalancesFromTheNextEndpoint(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim, nodes, client := answering(t, memory, 1)
		defer client.Close()
		first := client.endpoints(nodes[0])[0]
		if err := sim.HangEndpoint(first.Address); err != nil {
			t.Fatal(err)
		}
		if took := askAll(t, client, nodes); took > 4*time.Second {
			t.Errorf("it took %s with a hung endpoint", took)
		}
		if took := askAll(t, client, nodes); took > time.Second {
			t.Errorf("it took %s although the endpoint is known to hang", took)
		}
		time.Sleep(failureMemory)
		if order := client.endpoints(nodes[0]); order[0] != first {
			t.Errorf("a minute later the first endpoint is %v, want %v", order[0], first)
		}
	})
}

func TestBalancesFromTheNextNode(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim, nodes, client := answering(t, memory, 3)
		defer client.Close()
		for _, endpoint := range nodes[0].Endpoints {
			if err := sim.HangEndpoint(endpoint.Address); err != nil {
				t.Fatal(err)
			}
		}
		nodes[0].Endpoints = nodes[0].Endpoints[:2] // those that are asked
		if took := askAll(t, client, nodes); took > 6*time.Second {
			t.Errorf("it took %s with a hung node", took)
		}
		if took := askAll(t, client, nodes); took > time.Second {
			t.Errorf("it took %s although the node is known to hang", took)
		}
	})
}

func TestAnAccountsBalanceFailsAlone(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		_, nodes, client := answering(t, memory, 1)
		defer client.Close()
		balances, err := client.Balances(deadline(t), nodes, []hiero.AccountID{{Account: 1001}, {Shard: 1 << 40, Account: 5}})
		if err != nil || balances[0].Err != nil || !balances[0].Exists || balances[1].Exists {
			t.Errorf("balances %+v, error %v", balances, err)
		}
	})
}

// panicky is a context that a query cannot be made with.
type panicky struct{ context.Context }

func (panicky) Deadline() (time.Time, bool) { panic("no deadline") }

func TestPanicIsTheQuerysError(t *testing.T) {
	client := newTestBalanceClient(t)
	balances, err := client.Balances(panicky{t.Context()}, manyNodes[:1], fourAccounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, balance := range balances {
		if balance.Err == nil || !strings.Contains(balance.Err.Error(), "panic: no deadline") {
			t.Errorf("error %v, want the panic", balance.Err)
		}
	}
}

func TestClosedBalanceClientDialsNothing(t *testing.T) {
	var dials atomic.Int64
	client := NewBalanceClient(BalanceOptions{MaxConcurrency: 2, Timeout: testDeadline, DialContext: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, syscall.ECONNREFUSED
	}})
	client.Close()
	balances, err := client.Balances(deadline(t), manyNodes[:3], fourAccounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, balance := range balances {
		if !errors.Is(balance.Err, errClosed) {
			t.Errorf("error %v, want that the client is closed", balance.Err)
		}
	}
	if dials.Load() > 0 || len(client.connections) > 0 {
		t.Errorf("%d dials, %d connections", dials.Load(), len(client.connections))
	}
}
