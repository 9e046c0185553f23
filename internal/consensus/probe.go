// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// ProberOptions say how to probe.
type ProberOptions struct {
	Shard, Realm uint64        // of the network
	Timeout      time.Duration // of one endpoint's probe
	// ReconnectInterval is the age at which a connection is replaced, so that a
	// certificate swapped behind it is noticed, and a path that was lost.
	ReconnectInterval time.Duration
	DialContext       DialContextFunc // opens connections; nil is TCP
}

// Result is what one endpoint's probe found.
type Result struct {
	Node     Node
	Endpoint Endpoint
	// Err tells why the endpoint did not answer; nil means that it did.
	Err error
	// Unknown tells why it is not known whether the endpoint answers: this host
	// could not ask, as it ran out of file descriptors or time. Nil means that the
	// other fields hold.
	Unknown error
	// Connect and Handshake are zero where the connection was reused, or where
	// that phase was not reached.
	Connect, Handshake, RPC time.Duration
	Precheck                services.ResponseCodeEnum // meaningful when Err is nil
	Certificate             *Certificate              // nil when none was presented
}

// Ready reports whether the endpoint answered, and that the node works: one that
// is frozen or upgrading answers PLATFORM_NOT_ACTIVE, one with too much to do BUSY
// (docs/hedera.md 2.4).
func (r Result) Ready() bool {
	return r.Unknown == nil && r.Err == nil && r.Precheck == services.ResponseCodeEnum_OK
}

// PrecheckCode is the name of Precheck, or OTHER for a code that the protocol did
// not have when the exporter was built, so that there are not more names than it
// has.
func (r Result) PrecheckCode() string {
	if _, known := services.ResponseCodeEnum_name[int32(r.Precheck)]; !known {
		return "OTHER"
	}
	return r.Precheck.String()
}

// Prober asks every endpoint of every node for the price of a query, which
// costs nothing and needs no operator: COST_ANSWER of getAccountInfo for the
// treasury, shard.realm.2 (docs/hedera.md 2.2). It keeps connections between
// probes.
type Prober struct {
	options ProberOptions
	query   *services.Query

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
	return &Prober{options: options, query: costQuery(options.Shard, options.Realm), connections: map[probeKey]*connection{}}
}

// Probe probes all endpoints of nodes, up to 256 at once, and calls each with the
// result of one when it is there, from several goroutines. An endpoint that does
// not answer delays nothing beyond the probe timeout or ctx, whichever ends first; if
// there are more than 256, its timeout leaves time for the others. Connections to
// endpoints that are not in nodes any more are closed.
func (p *Prober) Probe(ctx context.Context, nodes []Node, each func(Result)) {
	results := make([]Result, 0, len(nodes))
	for _, node := range nodes {
		for _, endpoint := range node.Endpoints {
			results = append(results, Result{Node: node, Endpoint: endpoint})
		}
	}
	p.dropAllBut(results)

	var (
		wg      sync.WaitGroup
		next    atomic.Int64
		starved atomic.Bool
	)
	for range min(maxProbes, len(results)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(results) {
					return
				}
				p.probe(ctx, &results[i], len(results)-i)
				if isStarved(results[i].Unknown) {
					starved.Store(true)
				}
				each(results[i])
			}
		})
	}
	wg.Wait()
	if starved.Load() {
		p.dropAllBut(nil) // the descriptors are needed, also to be scraped
	}
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

// probe probes one endpoint; left is how many have not been, with this one.
func (p *Prober) probe(ctx context.Context, result *Result, left int) {
	if ctx.Err() != nil {
		result.Unknown = fmt.Errorf("not asked: %w", ctx.Err())
		return
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout(ctx, left))
	defer cancel()

	defer func() {
		// A panic in this goroutine would end the process, not only this probe.
		if cause := recover(); cause != nil {
			result.Unknown = fmt.Errorf("panic: %v", cause)
		}
	}()

	key := probeKey{nodeID: result.Node.ID, endpoint: result.Endpoint}
	if conn := p.take(key); conn != nil {
		// What is between may have forgotten the connection, without a word.
		first, cancel := context.WithTimeout(ctx, remaining(ctx, p.options.Timeout)/2)
		defer cancel()
		if p.ask(first, key, conn, result); result.Err == nil {
			return
		}
	}
	conn, err := p.dial(key)
	if err != nil {
		result.Unknown = err
		return
	}
	p.ask(ctx, key, conn, result)
}

// timeout is an endpoint's, given how many are left.
func (p *Prober) timeout(ctx context.Context, left int) time.Duration {
	rounds := (left + maxProbes - 1) / maxProbes
	if rounds == 1 {
		return p.options.Timeout
	}
	return min(p.options.Timeout, remaining(ctx, p.options.Timeout)/time.Duration(rounds))
}

// remaining is the time until the deadline of ctx, or without one otherwise.
func remaining(ctx context.Context, otherwise time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return otherwise
}

// ask fills in result, and keeps the connection if it is good.
func (p *Prober) ask(ctx context.Context, key probeKey, conn *connection, result *Result) {
	start := time.Now()
	result.Precheck, result.Err = askCost(ctx, conn, p.query)
	elapsed := time.Since(start)

	result.Connect, result.Handshake, result.Certificate = conn.observed()
	if result.Err != nil {
		// A fresh connection next time: this one would fail fast while in backoff.
		conn.close()
		result.Unknown = conn.ours()
		return
	}
	result.RPC = max(0, elapsed-result.Connect-result.Handshake)
	p.put(key, conn)
}

func askCost(ctx context.Context, conn *connection, query *services.Query) (services.ResponseCodeEnum, error) {
	response, err := services.NewCryptoServiceClient(conn.grpc).GetAccountInfo(withoutDeadline(ctx), query)
	if err != nil {
		return 0, fmt.Errorf("getAccountInfo COST_ANSWER: %w", cutError(err))
	}
	header := response.GetCryptoGetInfo().GetHeader()
	if header == nil {
		return 0, errors.New("getAccountInfo COST_ANSWER: the answer has no header")
	}
	return header.GetNodeTransactionPrecheckCode(), nil
}

const treasury = 2 // the number of an account that every network has

func costQuery(shard, realm uint64) *services.Query {
	return &services.Query{Query: &services.Query_CryptoGetInfo{
		CryptoGetInfo: &services.CryptoGetInfoQuery{
			Header: &services.QueryHeader{ResponseType: services.ResponseType_COST_ANSWER},
			AccountID: &services.AccountID{
				ShardNum: int64(shard), //nolint:gosec // below 2^10
				RealmNum: int64(realm), //nolint:gosec // below 2^16
				Account:  &services.AccountID_AccountNum{AccountNum: treasury},
			},
		},
	}}
}

// take hands out the endpoint's connection for one probe's exclusive use; nil if
// there is none, or it is too old.
func (p *Prober) take(key probeKey) *connection {
	p.mu.Lock()
	conn := p.connections[key]
	delete(p.connections, key)
	p.mu.Unlock()
	if conn == nil {
		return nil
	}
	if time.Since(conn.dialed) > p.options.ReconnectInterval {
		conn.close()
		return nil
	}
	conn.forgetTimings()
	return conn
}

func (p *Prober) dial(key probeKey) (*connection, error) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	return dial(key.endpoint, slowly(p.options.DialContext), nil)
}

func (p *Prober) put(key probeKey, conn *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, taken := p.connections[key]; taken || p.closed || len(p.connections) >= maxKept {
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
