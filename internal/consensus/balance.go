// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/status"

	"hedera_exporter/internal/trace"
)

const (
	// maxNodesAsked is how many nodes are asked for one balance before giving up,
	// each at maxEndpointsAsked of its endpoints.
	maxNodesAsked     = 3
	maxEndpointsAsked = 2
	// attemptShare is the part of the time left that one attempt may take.
	attemptShare = 3
)

// Balance is a consensus node's answer about one account.
type Balance struct {
	AccountID hiero.AccountID
	Tinybar   int64
	Exists    bool  // false: INVALID_ACCOUNT_ID
	Deleted   bool  // ACCOUNT_DELETED
	Err       error // why there is no answer; nil means that the other fields hold
}

// BalanceOptions bound a BalanceClient.
type BalanceOptions struct {
	MaxConcurrency int             // queries in flight
	Timeout        time.Duration   // of one query at one endpoint
	DialContext    DialContextFunc // opens connections; nil is TCP
}

// BalanceClient asks consensus nodes for balances by CryptoGetBalance. Public
// networks answer BUSY since consensus node 0.77 (docs/hedera.md 2.1): it is for
// private networks without a mirror node.
type BalanceClient struct {
	options BalanceOptions

	mu          sync.Mutex
	connections map[balanceKey]*sharedConnection
	failed      map[probeKey]time.Time // when an endpoint did not answer
	closed      bool
}

// balanceKey has the hash that the connection's certificate was compared with.
type balanceKey struct {
	endpoint        Endpoint
	certificateHash string
}

// sharedConnection is a connection for several queries. When it is given up, the
// last of them closes it.
type sharedConnection struct {
	*connection
	users   int
	dropped bool
}

// NewBalanceClient returns a client; Close it to drop its connections.
func NewBalanceClient(options BalanceOptions) *BalanceClient {
	return &BalanceClient{
		options:     options,
		connections: map[balanceKey]*sharedConnection{},
		failed:      map[probeKey]time.Time{},
	}
}

// Balances returns one answer an account, in the order of accounts. The accounts
// are spread over nodes. Where one does not answer in time, its next endpoint is
// asked and then the next node; for a minute it is asked after the others. An
// account that no node answers for has an error and costs no other. Balances fails
// if no node is known.
func (c *BalanceClient) Balances(ctx context.Context, nodes []Node, accounts []hiero.AccountID) ([]Balance, error) {
	if len(nodes) == 0 {
		return nil, errors.New("CryptoGetBalance: no consensus node is known; configure consensus.nodes or a mirror")
	}
	c.dropAllBut(nodes)
	balances := make([]Balance, len(accounts))
	var group errgroup.Group
	group.SetLimit(c.options.MaxConcurrency)
	for i, account := range accounts {
		group.Go(func() error {
			balances[i] = c.balance(ctx, nodes, i, account)
			return nil
		})
	}
	_ = group.Wait() // the answers have the errors
	return balances, nil
}

// Close closes the connections, once their queries have ended. Later queries fail.
func (c *BalanceClient) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for key, conn := range c.connections {
		c.dropLocked(key, conn)
	}
}

func (c *BalanceClient) balance(ctx context.Context, nodes []Node, first int, account hiero.AccountID) (balance Balance) {
	defer func() {
		// A panic in this goroutine would end the process, not only this query.
		if cause := recover(); cause != nil {
			balance = Balance{AccountID: account, Err: fmt.Errorf("CryptoGetBalance for %s: panic: %v", account, cause)}
		}
	}()
	var failures []error
	for _, node := range c.order(nodes, first) {
		balance, err := c.askNode(ctx, node, account)
		if err == nil {
			return balance
		}
		failures = append(failures, fmt.Errorf("node %d (%s): CryptoGetBalance for %s: %w", node.ID, node.AccountID, account, err))
		if ctx.Err() != nil {
			break
		}
	}
	return Balance{AccountID: account, Err: errors.Join(failures...)}
}

// order returns the nodes to ask, beginning at first; those that failed are last.
func (c *BalanceClient) order(nodes []Node, first int) []Node {
	first %= len(nodes)
	order := slices.Concat(nodes[first:], nodes[:first])
	c.mu.Lock()
	defer c.mu.Unlock()
	failing := make(map[int64]bool, len(nodes))
	for _, node := range nodes {
		failing[node.ID] = !slices.ContainsFunc(node.Endpoints, func(e Endpoint) bool { return !c.failingLocked(node, e) })
	}
	slices.SortStableFunc(order, func(a, b Node) int { return compareBool(failing[a.ID], failing[b.ID]) })
	return order[:min(maxNodesAsked, len(order))]
}

func (c *BalanceClient) failingLocked(node Node, endpoint Endpoint) bool {
	at, failed := c.failed[probeKey{node.ID, endpoint}]
	return failed && time.Since(at) < failureMemory
}

func compareBool(a, b bool) int {
	if a == b {
		return 0
	}
	if a {
		return 1
	}
	return -1
}

// endpoints returns the endpoints to ask a node at: first those that answered,
// and of these the ones whose certificate can be verified.
func (c *BalanceClient) endpoints(node Node) []Endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	order := slices.SortedStableFunc(slices.Values(node.Endpoints), func(a, b Endpoint) int {
		return cmp.Or(
			compareBool(c.failingLocked(node, a), c.failingLocked(node, b)),
			compareBool(a.TLS != (node.CertificateHash != ""), b.TLS != (node.CertificateHash != "")),
		)
	})
	return order[:min(maxEndpointsAsked, len(order))]
}

func (c *BalanceClient) askNode(ctx context.Context, node Node, account hiero.AccountID) (Balance, error) {
	endpoints := c.endpoints(node)
	if len(endpoints) == 0 {
		return Balance{}, errors.New("the node has no endpoint")
	}
	var failures []error
	for _, endpoint := range endpoints {
		response, err := c.ask(ctx, node, endpoint, account)
		if err == nil {
			balance, err := newBalance(account, response)
			if err != nil {
				c.remember(node, err, node.Endpoints...)
			} else {
				c.remember(node, nil, endpoint)
			}
			return balance, err
		}
		failures = append(failures, fmt.Errorf("%s: %w", endpoint.Address, cutError(err)))
		if ctx.Err() != nil {
			break
		}
		c.remember(node, err, endpoint)
	}
	return Balance{}, errors.Join(failures...)
}

// remember notes whether endpoints of a node failed.
func (c *BalanceClient) remember(node Node, err error, endpoints ...Endpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, endpoint := range endpoints {
		if err != nil {
			c.failed[probeKey{node.ID, endpoint}] = time.Now()
		} else {
			delete(c.failed, probeKey{node.ID, endpoint})
		}
	}
}

func (c *BalanceClient) ask(ctx context.Context, node Node, endpoint Endpoint, account hiero.AccountID) (*services.CryptoGetAccountBalanceResponse, error) {
	key := balanceKey{endpoint, node.CertificateHash}
	conn, err := c.take(key)
	if err != nil {
		return nil, err
	}
	defer c.release(conn)
	timeout := min(c.options.Timeout, remaining(ctx, attemptShare*c.options.Timeout)/attemptShare)
	attempt, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start := time.Now()
	response, err := services.NewCryptoServiceClient(conn.grpc).CryptoGetBalance(withoutDeadline(attempt), balanceQuery(account))
	trace.Report(ctx, trace.Request{
		Server: endpoint.Address, Text: fmt.Sprintf("CryptoGetBalance for %s", account), Code: answerCode(response, err),
		Start: start, Duration: time.Since(start),
	})
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dropLocked(key, conn)
		return nil, err
	}
	return response.GetCryptogetAccountBalance(), nil
}

// answerCode is the precheck code, or gRPC's where there is none.
func answerCode(response *services.Response, err error) string {
	if err != nil {
		return status.Code(err).String()
	}
	return response.GetCryptogetAccountBalance().GetHeader().GetNodeTransactionPrecheckCode().String()
}

// take returns a connection that is to be released.
func (c *BalanceClient) take(key balanceKey) (*sharedConnection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	shared := c.connections[key]
	if shared == nil {
		conn, err := dial(key.endpoint, c.options.DialContext, func(presented *Certificate) error {
			if presented.Hash != key.certificateHash {
				return fmt.Errorf("certificate hash %s is not the address book's %q", presented.Hash, key.certificateHash)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		shared = &sharedConnection{connection: conn}
		c.connections[key] = shared
	}
	shared.users++
	return shared, nil
}

func (c *BalanceClient) release(conn *sharedConnection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.users--
	if conn.dropped && conn.users == 0 {
		conn.close()
	}
}

// dropLocked gives a connection up.
func (c *BalanceClient) dropLocked(key balanceKey, conn *sharedConnection) {
	if conn.dropped {
		return
	}
	conn.dropped = true
	if c.connections[key] == conn {
		delete(c.connections, key)
	}
	if conn.users == 0 {
		conn.close()
	}
}

func (c *BalanceClient) dropAllBut(nodes []Node) {
	keep, known := map[balanceKey]bool{}, map[probeKey]bool{}
	for _, node := range nodes {
		for _, endpoint := range node.Endpoints {
			keep[balanceKey{endpoint, node.CertificateHash}] = true
			known[probeKey{node.ID, endpoint}] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, conn := range c.connections {
		if !keep[key] {
			c.dropLocked(key, conn)
		}
	}
	for key := range c.failed {
		if !known[key] {
			delete(c.failed, key)
		}
	}
}

func balanceQuery(account hiero.AccountID) *services.Query {
	return &services.Query{Query: &services.Query_CryptogetAccountBalance{
		CryptogetAccountBalance: &services.CryptoGetAccountBalanceQuery{
			Header: &services.QueryHeader{ResponseType: services.ResponseType_ANSWER_ONLY},
			BalanceSource: &services.CryptoGetAccountBalanceQuery_AccountID{
				AccountID: protoAccountID(account),
			},
		},
	}}
}

func newBalance(account hiero.AccountID, response *services.CryptoGetAccountBalanceResponse) (Balance, error) {
	balance := Balance{AccountID: account}
	if response.GetHeader() == nil {
		return balance, errors.New("the answer has no header")
	}
	switch code := response.GetHeader().GetNodeTransactionPrecheckCode(); code {
	case services.ResponseCodeEnum_OK:
		balance.Exists = true
		balance.Tinybar = int64(response.GetBalance()) //nolint:gosec // the supply is below 2^63 tinybar
		return balance, nil
	case services.ResponseCodeEnum_INVALID_ACCOUNT_ID:
		return balance, nil
	case services.ResponseCodeEnum_ACCOUNT_DELETED:
		balance.Exists, balance.Deleted = true, true
		return balance, nil
	case services.ResponseCodeEnum_BUSY:
		return balance, errors.New("BUSY; consensus nodes answer no balance queries since 0.77: set balance_source: mirror")
	default:
		return balance, fmt.Errorf("precheck code %s", code)
	}
}
