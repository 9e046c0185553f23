// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

const (
	stakingPeriod = 24 * time.Hour // it ends at 00:00 UTC (docs/hedera.md 5)
	// rewardWindow is the time after the end of a staking period in which the rewards
	// for it are looked for: the network pays them with the first round after it. The
	// mirror walks all that the paying account got in this time if there are none.
	rewardWindow = 10 * time.Minute
	// rewardAccount is the number of the account that pays them.
	rewardAccount = "801"
)

var nodeReward = newGauge(Metric{
	Collector: "node_rewards",
	Name:      "node_reward_hbar",
	Help:      "What the network paid the own node today as its reward for the last staking period (HIP-1064). 0 if it paid others, and not this one. Absent until it has paid any node. Rewards for staking are not in it.",
	Labels:    nodeLabels,
	Source:    "mirror REST /api/v1/transactions, debits of shard.realm.801 after 00:00 UTC",
	Example:   "hedera_node_reward_hbar == 0 unless on (network, node_id) hedera_node_decline_reward == 1",
})

func init() {
	register(Registration{
		Name:           "node_rewards",
		Help:           "today's rewards of the operator's own nodes",
		DefaultEnabled: true,
		// What was paid does not change, so it is asked for as often as rewards of
		// accounts change in the mirror's cache.
		MaxMinInterval: networkCacheAge,
		factory:        func(n Network) (Collector, error) { return nodeRewards{network: n}, nil },
	})
}

type nodeRewards struct{ network Network }

// Update implements Collector. It makes one request, whatever the number of nodes.
func (c nodeRewards) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	if len(c.network.OwnNodes) == 0 || c.network.Mirror == nil {
		return nil
	}
	nodes, err := c.network.AddressBook.Nodes(ctx)
	if err != nil {
		return err
	}
	own := ownAccounts(c.network.OwnNodes, nodes)
	if len(own) == 0 {
		return nil
	}
	payer := payerOf(own[0])
	from := mirror.TimestampOf(c.today())
	paid, err := c.network.Mirror.Debits(ctx, payer, from, from.Add(rewardWindow))
	if err != nil {
		return err
	}
	rewards, ok, err := rewardsBy(payer, paid)
	if err != nil || !ok {
		return err
	}
	for _, node := range own {
		ch <- nodeReward.sample(hbar(rewards[node.account.String()]), c.network.Name, strconv.FormatInt(node.nodeID, 10))
	}
	return nil
}

// payerOf is the reward account of the node's network.
func payerOf(node ownAccount) string {
	id := node.account.String()
	return id[:strings.LastIndexByte(id, '.')+1] + rewardAccount
}

// today is when the current staking period began, by the mirror's newest block:
// the clock here may be wrong, and the mirror behind.
func (c nodeRewards) today() time.Time {
	now, ok := c.network.State.newest.end()
	if !ok {
		now = time.Now()
	}
	return now.UTC().Truncate(stakingPeriod)
}

// rewardsBy adds up by account what it got where the payer paid, in tinybar; ok is
// false if nobody got anything.
func rewardsBy(payer string, paid []mirror.Transaction) (rewards map[string]int64, ok bool, err error) {
	rewards = map[string]int64{}
	for _, transaction := range paid {
		transfers, readable := transaction.Transfers.Get()
		if !readable {
			return nil, false, errors.New("the transfers of transaction " + transaction.ID + " cannot be read")
		}
		if !slices.ContainsFunc(transfers, func(t mirror.Transfer) bool { return t.Account == payer && t.Amount < 0 }) {
			continue
		}
		for _, transfer := range transfers {
			if transfer.Amount > 0 {
				rewards[transfer.Account] += transfer.Amount
			}
		}
	}
	return rewards, len(rewards) > 0, nil
}
