// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-kit/log/level"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const ownNodesName = "own_nodes"

var (
	nodeOwn = newGauge(Metric{
		Collector: ownNodesName,
		Name:      "node_own",
		Help:      "1 for a node that is configured as the operator's own; absent for other nodes.",
		Labels:    nodeLabels,
		Source:    "configuration, consensus.own_nodes",
		Example:   "hedera_node_endpoint_ready == 0 and on (network, node_id) hedera_node_own",
	})
	nodeExists = newGauge(Metric{
		Collector: ownNodesName,
		Name:      "node_exists",
		Help:      "Whether the address book has the own node. Absent if the address book cannot be read.",
		Labels:    nodeLabels,
		Source:    addressBookSource,
		Example:   "hedera_node_exists == 0",
	})
	nodeAccountBalance = newGauge(Metric{
		Collector: ownNodesName,
		Name:      "node_account_balance_hbar",
		Help:      "Balance of the own node's account, which need not be configured. Absent if the network does not know the account.",
		Labels:    nodeLabels,
		Source:    accountsSource + ", or consensus node gRPC CryptoService/cryptoGetBalance with balance_source: consensus",
		Example:   "hedera_node_account_balance_hbar < 100",
	})
)

func init() {
	register(Registration{
		Name:           ownNodesName,
		Help:           "which nodes are the operator's own, and their accounts' balances",
		DefaultEnabled: true,
		factory:        func(n Network) (Collector, error) { return ownNodes{network: n}, nil },
	})
}

type ownNodes struct{ network Network }

// Update implements Collector. A node that the address book does not have is not
// missing: its samples say so.
func (c ownNodes) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	if len(c.network.OwnNodes) == 0 {
		return nil
	}
	for _, id := range c.network.OwnNodes {
		ch <- nodeOwn.sample(1, c.network.Name, strconv.FormatInt(id, 10))
	}
	var group entityGroup
	nodes, err := c.network.AddressBook.Nodes(ctx)
	if err != nil {
		group.miss(len(c.network.OwnNodes), err)
		return group.Wait()
	}
	for _, id := range c.network.OwnNodes {
		known := slices.ContainsFunc(nodes, func(node consensus.Node) bool { return node.ID == id })
		ch <- nodeExists.sample(boolValue(known), c.network.Name, strconv.FormatInt(id, 10))
		if !known {
			level.Debug(c.network.Log).Log("msg", "own node is not in the address book", "network", c.network.Name, "node_id", id)
		}
	}
	c.sendBalances(ctx, ch, &group, nodes)
	return group.Wait()
}

func (c ownNodes) sendBalances(ctx context.Context, ch chan<- prometheus.Metric, group *entityGroup, nodes []consensus.Node) {
	own := ownAccounts(c.network.OwnNodes, nodes)
	balances, err := c.balances(ctx, nodes, own)
	if err != nil {
		group.miss(len(own), err)
		return
	}
	for i, balance := range balances {
		switch {
		case balance.Err != nil:
			group.miss(1, fmt.Errorf("node %d: account %s: %w", own[i].nodeID, own[i].account, balance.Err))
		case balance.Exists && !balance.Deleted:
			ch <- nodeAccountBalance.sample(hbar(balance.Tinybar), c.network.Name, strconv.FormatInt(own[i].nodeID, 10))
		}
	}
}

// balances returns the balances of the accounts, in their order. Exists is false
// also for one of which the balance is not known.
func (c ownNodes) balances(ctx context.Context, nodes []consensus.Node, own []ownAccount) ([]consensus.Balance, error) {
	switch {
	case len(own) == 0:
		return nil, nil
	case c.network.Balances != nil:
		ids := make([]hiero.AccountID, 0, len(own))
		for _, node := range own {
			ids = append(ids, node.account.AccountID())
		}
		return c.network.Balances.Balances(ctx, nodes, ids)
	case c.network.Mirror == nil:
		return nil, errors.New("balances need a mirror node or balance_source: consensus")
	}
	return c.mirrorBalances(ctx, own), nil
}

// mirrorBalances takes the accounts from those that the accounts collector reads.
// Where these did not have them, as in the first scrape, when the address book was
// not there yet, it asks for them.
func (c ownNodes) mirrorBalances(ctx context.Context, own []ownAccount) []consensus.Balance {
	batch := accountsOf(ctx, c.network)
	var left []string
	for _, node := range own {
		if _, known, err := batch.Get(node.account.String()); !known && err == nil {
			left = append(left, node.account.String())
		}
	}
	var apart mirror.Batch[mirror.Account]
	if len(left) > 0 {
		apart = c.network.Mirror.Accounts(ctx, left)
	}
	balances := make([]consensus.Balance, 0, len(own))
	for _, node := range own {
		from := batch
		if slices.Contains(left, node.account.String()) {
			from = apart
		}
		row, _, err := from.Get(node.account.String())
		tinybar, ok := row.Balance.Or(mirror.AccountBalance{}).Balance.Get()
		balances = append(balances, consensus.Balance{Tinybar: tinybar, Exists: ok, Err: err})
	}
	return balances
}

// ownAccount is the account of an own node.
type ownAccount struct {
	nodeID  int64
	account config.EntityID
}

// ownAccounts returns the accounts of own nodes. What is no id is left out: the
// mirror refuses a whole request for one.
func ownAccounts(own []int64, nodes []consensus.Node) []ownAccount {
	var accounts []ownAccount
	for _, node := range nodes {
		if !slices.Contains(own, node.ID) {
			continue
		}
		if id, err := config.ParseEntityID(node.AccountID); err == nil {
			accounts = append(accounts, ownAccount{nodeID: node.ID, account: id})
		}
	}
	return accounts
}
