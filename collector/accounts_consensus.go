// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
)

// consensusAccounts asks consensus nodes for balances, one query per account,
// for private networks without a mirror node. Other queries cost hbar.
type consensusAccounts struct {
	network  Network
	balances *consensus.BalanceClient
}

// Update implements Collector.
func (c consensusAccounts) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	if len(c.network.Accounts) == 0 {
		return nil
	}
	sendConfiguredAccounts(ch, c.network, accountLabelValues(c.network))
	var group entityGroup
	nodes, err := c.network.AddressBook.Nodes(ctx)
	if err != nil {
		group.miss(len(c.network.Accounts), err)
		return group.Wait()
	}
	ids := make([]hiero.AccountID, 0, len(c.network.Accounts))
	for _, account := range c.network.Accounts {
		ids = append(ids, account.ID.AccountID())
	}
	balances, err := c.balances.Balances(ctx, nodes, ids)
	if err != nil {
		group.miss(len(c.network.Accounts), err)
		return group.Wait()
	}
	for i, balance := range balances {
		if balance.Err != nil {
			group.miss(1, fmt.Errorf("account %s: %w", ids[i], balance.Err))
			continue
		}
		c.send(ch, c.network.Accounts[i], balance)
	}
	return group.Wait()
}

func (c consensusAccounts) send(ch chan<- prometheus.Metric, account config.Account, balance consensus.Balance) {
	labels := labelsOf(c.network, account)
	ch <- accountExists.sample(boolValue(balance.Exists), labels...)
	if !balance.Exists {
		return
	}
	tinybar := &balance.Tinybar
	if balance.Deleted {
		tinybar = nil
	}
	sendBalance(ch, balance.Deleted, tinybar, labels)
}

// sendBalance sends what consensus nodes return about an account. A deleted one
// has no balance.
func sendBalance(ch chan<- prometheus.Metric, deleted bool, tinybar *int64, labels []string) {
	ch <- accountDeleted.sample(boolValue(deleted), labels...)
	if tinybar != nil {
		ch <- accountBalance.sample(hbar(*tinybar), labels...)
	}
}
