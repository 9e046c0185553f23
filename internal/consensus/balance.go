// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"golang.org/x/sync/errgroup"
)

// maxNodesAsked is how many nodes are asked for one balance before giving up.
const maxNodesAsked = 3

// Balance is a consensus node's answer about one account.
type Balance struct {
	AccountID hiero.AccountID
	Tinybar   int64
	Exists    bool // false: INVALID_ACCOUNT_ID
	Deleted   bool // ACCOUNT_DELETED
	// Err is why there is no answer.
	Err error
}

// BalanceClient asks consensus nodes for balances by CryptoGetBalance. Public
// networks answer BUSY since consensus node 0.77 (docs/hedera.md 2.1): it is for
// private networks without a mirror node.
type BalanceClient struct {
	maxConcurrency int

	mu          sync.Mutex
	connections map[Endpoint]*connection
}

// NewBalanceClient returns a client that keeps at most maxConcurrency queries
// in flight; Close it to drop its connections.
func NewBalanceClient(maxConcurrency int) *BalanceClient {
	return &BalanceClient{maxConcurrency: maxConcurrency, connections: map[Endpoint]*connection{}}
}

// Balances returns one answer an account, in the order of accounts. The
// accounts are spread over nodes; one that cannot answer is replaced by the
// next. It fails if no node is known.
func (c *BalanceClient) Balances(ctx context.Context, nodes []Node, accounts []hiero.AccountID) ([]Balance, error) {
	if len(nodes) == 0 {
		return nil, errors.New("CryptoGetBalance: no consensus node is known; configure consensus.nodes or a mirror")
	}
	c.dropAllBut(nodes)
	balances := make([]Balance, len(accounts))
	var group errgroup.Group
	group.SetLimit(c.maxConcurrency)
	for i, account := range accounts {
		group.Go(func() (err error) {
			balances[i], err = c.balance(ctx, nodes, i, account)
			balances[i].Err = err
			return nil
		})
	}
	_ = group.Wait() // what failed is in the balances
	return balances, nil
}

// Close closes the connections.
func (c *BalanceClient) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for endpoint, conn := range c.connections {
		conn.close()
		delete(c.connections, endpoint)
	}
}

func (c *BalanceClient) balance(ctx context.Context, nodes []Node, first int, account hiero.AccountID) (Balance, error) {
	var failures []error
	for attempt := range min(maxNodesAsked, len(nodes)) {
		node := nodes[(first+attempt)%len(nodes)]
		balance, err := c.ask(ctx, node, account)
		if err == nil {
			return balance, nil
		}
		failures = append(failures, fmt.Errorf("node %d (%s): CryptoGetBalance for %s: %w", node.ID, node.AccountID, account, err))
		if ctx.Err() != nil {
			break
		}
	}
	return Balance{}, errors.Join(failures...)
}

func (c *BalanceClient) ask(ctx context.Context, node Node, account hiero.AccountID) (Balance, error) {
	endpoint, ok := preferredEndpoint(node)
	if !ok {
		return Balance{}, errors.New("the node has no endpoint")
	}
	conn, err := c.connection(node, endpoint)
	if err != nil {
		return Balance{}, err
	}
	response, err := services.NewCryptoServiceClient(conn.grpc).CryptoGetBalance(ctx, balanceQuery(account))
	if err != nil {
		c.drop(endpoint, conn)
		return Balance{}, err
	}
	return newBalance(account, response.GetCryptogetAccountBalance())
}

// preferredEndpoint is one whose certificate can be verified, else any.
func preferredEndpoint(node Node) (Endpoint, bool) {
	for _, endpoint := range node.Endpoints {
		if endpoint.TLS == (node.CertificateHash != "") {
			return endpoint, true
		}
	}
	if len(node.Endpoints) == 0 {
		return Endpoint{}, false
	}
	return node.Endpoints[0], true
}

func (c *BalanceClient) connection(node Node, endpoint Endpoint) (*connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn, ok := c.connections[endpoint]; ok {
		return conn, nil
	}
	conn, err := dial(endpoint, nil, func(presented *Certificate) error {
		if presented.Hash != node.CertificateHash {
			return fmt.Errorf("certificate hash %s is not the address book's %q", presented.Hash, node.CertificateHash)
		}
		return nil
	})
	if err == nil {
		c.connections[endpoint] = conn
	}
	return conn, err
}

func (c *BalanceClient) drop(endpoint Endpoint, conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.close()
	if c.connections[endpoint] == conn {
		delete(c.connections, endpoint)
	}
}

func (c *BalanceClient) dropAllBut(nodes []Node) {
	keep := map[Endpoint]bool{}
	for _, node := range nodes {
		for _, endpoint := range node.Endpoints {
			keep[endpoint] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for endpoint, conn := range c.connections {
		if !keep[endpoint] {
			conn.close()
			delete(c.connections, endpoint)
		}
	}
}

func balanceQuery(account hiero.AccountID) *services.Query {
	return &services.Query{Query: &services.Query_CryptogetAccountBalance{
		CryptogetAccountBalance: &services.CryptoGetAccountBalanceQuery{
			Header: &services.QueryHeader{ResponseType: services.ResponseType_ANSWER_ONLY},
			BalanceSource: &services.CryptoGetAccountBalanceQuery_AccountID{
				AccountID: &services.AccountID{
					ShardNum: int64(account.Shard),                                               //nolint:gosec // parsed from a string of non-negative int64
					RealmNum: int64(account.Realm),                                               //nolint:gosec // likewise
					Account:  &services.AccountID_AccountNum{AccountNum: int64(account.Account)}, //nolint:gosec // likewise
				},
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
