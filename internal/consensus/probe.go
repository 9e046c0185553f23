// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// ProberOptions bound a Prober.
type ProberOptions struct {
	Timeout time.Duration // of one endpoint's probe
	// ReconnectInterval is the age at which a TLS connection is replaced, so
	// that a certificate swapped behind it is noticed.
	ReconnectInterval time.Duration
	DialContext       DialContextFunc // opens connections, in tests; nil is TCP
}

// Result is what one endpoint's probe found.
type Result struct {
	Node     Node
	Endpoint Endpoint
	// Err tells why the endpoint did not answer; nil means that it did.
	Err error
	// Connect and Handshake are zero where the connection was reused, or where
	// that phase was not reached.
	Connect, Handshake, RPC time.Duration
	Precheck                services.ResponseCodeEnum // meaningful when Err is nil
	Certificate             *Certificate              // nil when none was presented
}

// Prober asks every endpoint of every node for the price of a query, which
// costs nothing and needs no operator: COST_ANSWER of getAccountInfo for 0.0.2
// (docs/hedera.md 2.2). It keeps connections between probes.
type Prober struct {
	options ProberOptions

	mu          sync.Mutex
	connections map[probeKey]*connection
	closed      bool
}

type probeKey struct {
	nodeID   int64
	endpoint Endpoint
}

// NewProber returns a Prober; Close it to drop its connections.
func NewProber(options ProberOptions) *Prober {
	return &Prober{options: options, connections: map[probeKey]*connection{}}
}

// Probe probes all endpoints of nodes at once and returns one result for each,
// in the order of nodes and their endpoints. An endpoint that does not answer
// delays nothing beyond the probe timeout or ctx, whichever ends first.
// Connections to endpoints that are not in nodes any more are closed.
func (p *Prober) Probe(ctx context.Context, nodes []Node) []Result {
	results := make([]Result, 0, len(nodes))
	for _, node := range nodes {
		for _, endpoint := range node.Endpoints {
			results = append(results, Result{Node: node, Endpoint: endpoint})
		}
	}
	p.dropAllBut(results)

	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { p.probe(ctx, &results[i]) })
	}
	wg.Wait()
	return results
}

// Close closes the connections. A probe under way closes its own when it ends.
func (p *Prober) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for key, conn := range p.connections {
		conn.close()
		delete(p.connections, key)
	}
}

func (p *Prober) probe(ctx context.Context, result *Result) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()

	defer func() {
		// A panic in this goroutine would end the process, not only this probe.
		if cause := recover(); cause != nil {
			result.Err = fmt.Errorf("panic: %v", cause)
		}
	}()

	key := probeKey{nodeID: result.Node.ID, endpoint: result.Endpoint}
	conn, err := p.take(key)
	if err != nil {
		result.Err = err
		return
	}
	start := time.Now()
	result.Precheck, result.Err = askCost(ctx, conn)
	elapsed := time.Since(start)

	result.Connect, result.Handshake, result.Certificate = conn.observed()
	if result.Err != nil {
		// A fresh connection next time: this one would fail fast while in backoff.
		conn.close()
		return
	}
	result.RPC = max(0, elapsed-result.Connect-result.Handshake)
	p.put(key, conn)
}

func askCost(ctx context.Context, conn *connection) (services.ResponseCodeEnum, error) {
	response, err := services.NewCryptoServiceClient(conn.grpc).GetAccountInfo(ctx, costQuery())
	if err != nil {
		return 0, fmt.Errorf("getAccountInfo COST_ANSWER: %w", err)
	}
	header := response.GetCryptoGetInfo().GetHeader()
	if header == nil {
		return 0, errors.New("getAccountInfo COST_ANSWER: the answer has no header")
	}
	return header.GetNodeTransactionPrecheckCode(), nil
}

func costQuery() *services.Query {
	return &services.Query{Query: &services.Query_CryptoGetInfo{
		CryptoGetInfo: &services.CryptoGetInfoQuery{
			Header:    &services.QueryHeader{ResponseType: services.ResponseType_COST_ANSWER},
			AccountID: &services.AccountID{Account: &services.AccountID_AccountNum{AccountNum: 2}},
		},
	}}
}

// take hands out the endpoint's connection for one probe's exclusive use.
func (p *Prober) take(key probeKey) (*connection, error) {
	p.mu.Lock()
	conn := p.connections[key]
	delete(p.connections, key)
	p.mu.Unlock()

	if conn != nil && key.endpoint.TLS && time.Since(conn.dialed) > p.options.ReconnectInterval {
		conn.close()
		conn = nil
	}
	if conn == nil {
		return dial(key.endpoint, p.options.DialContext, nil)
	}
	conn.forgetTimings()
	return conn, nil
}

func (p *Prober) put(key probeKey, conn *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, taken := p.connections[key]; taken || p.closed {
		conn.close()
		return
	}
	p.connections[key] = conn
}

func (p *Prober) dropAllBut(results []Result) {
	keep := make(map[probeKey]bool, len(results))
	for _, result := range results {
		keep[probeKey{nodeID: result.Node.ID, endpoint: result.Endpoint}] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, conn := range p.connections {
		if !keep[key] {
			conn.close()
			delete(p.connections, key)
		}
	}
}
