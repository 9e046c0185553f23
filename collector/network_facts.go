// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const (
	stakeSource           = "mirror REST /api/v1/network/stake"
	rateSource            = "mirror REST /api/v1/network/exchangerate"
	registeredNodesSource = "mirror REST /api/v1/network/registered-nodes"
	// maxRegisteredNodes bounds the series of registered nodes: anyone may register
	// one (HIP-1137).
	maxRegisteredNodes = 100
)

// gasTransactionTypes are the types with a gas price (docs/hedera.md 1.3).
var gasTransactionTypes = []string{"ContractCall", "ContractCreate", "EthereumTransaction"}

var (
	networkStake = newNetworkStakeGauge("stake_hbar",
		"Stake on all nodes.",
		"hedera_network_stake_hbar / on (network) hedera_network_supply_hbar{kind=\"released\"}")
	networkStakeRewardedMaximum = newNetworkStakeGauge("stake_rewarded_maximum_hbar",
		"Total stake up to which a staked hbar earns the maximum reward.",
		"hedera_network_stake_hbar > hedera_network_stake_rewarded_maximum_hbar")
	networkRewardRate = newNetworkStakeGauge("staking_reward_rate_hbar",
		"Rewards distributed per staking period (one day).",
		"hedera_network_staking_reward_rate_hbar * 365 / hedera_network_stake_hbar")
	networkRewardMaximum = newNetworkStakeGauge("staking_reward_maximum_hbar",
		"Maximum total reward for the staking period, given the balance of the reward account and the stake that earns rewards.",
		"hedera_network_staking_reward_rate_hbar / hedera_network_staking_reward_maximum_hbar")
	networkRewardPerHbarMaximum = newNetworkStakeGauge("staking_reward_per_hbar_maximum_hbar",
		"Maximum reward of a staked hbar per staking period.",
		"hedera_network_staking_reward_per_hbar_maximum_hbar * 365")
	networkStartThreshold = newNetworkStakeGauge("staking_start_threshold_hbar",
		"Balance that the reward account 0.0.800 must have reached for rewards to be paid.",
		"hedera_network_staking_start_threshold_hbar")
	networkRewardBalanceThreshold = newNetworkStakeGauge("reward_balance_threshold_hbar",
		"Unreserved balance of the reward account below which the reward rate is reduced.",
		"hedera_network_unreserved_staking_reward_balance_hbar < hedera_network_reward_balance_threshold_hbar")
	networkReservedRewards = newNetworkStakeGauge("reserved_staking_rewards_hbar",
		"Rewards that have been earned but not yet paid.",
		"hedera_network_reserved_staking_rewards_hbar")
	networkUnreservedBalance = newNetworkStakeGauge("unreserved_staking_reward_balance_hbar",
		"Balance of the reward account that is not reserved for rewards already earned.",
		"hedera_network_unreserved_staking_reward_balance_hbar")
	networkStakingPeriodEnd = newNetworkStakeGauge("staking_period_end_timestamp_seconds",
		"End of the staking period that the staking metrics refer to.",
		"time() - hedera_network_staking_period_end_timestamp_seconds > 25 * 3600")
	networkNodeRewardFee = newNetworkStakeGauge("node_reward_fee_ratio",
		"Fraction of the fees that goes to the node reward account 0.0.801.",
		"hedera_network_node_reward_fee_ratio")
	networkStakingRewardFee = newNetworkStakeGauge("staking_reward_fee_ratio",
		"Fraction of the fees that goes to the staking reward account 0.0.800.",
		"hedera_network_staking_reward_fee_ratio")

	networkSupply = newGauge(Metric{
		Collector: "network",
		Name:      "network_supply_hbar",
		Help:      "Supply of hbar. Kind is total, or released for hbar released from the treasury accounts.",
		Labels:    []string{"network", "kind"},
		Source:    "mirror REST /api/v1/network/supply",
		Example:   "hedera_network_supply_hbar{kind=\"released\"} / on (network) hedera_network_supply_hbar{kind=\"total\"}",
	})
	exchangeRate = newGauge(Metric{
		Collector: "network",
		Name:      "exchange_rate_usd_per_hbar",
		Help:      "Exchange rate of hbar for the calculation of fees. Period is current or next.",
		Labels:    []string{"network", "period"},
		Source:    rateSource,
		Example:   "hedera_account_balance_hbar * on (network) group_left () hedera_exchange_rate_usd_per_hbar{period=\"current\"}",
	})
	exchangeRateExpiry = newGauge(Metric{
		Collector: "network",
		Name:      "exchange_rate_expiry_timestamp_seconds",
		Help:      "When the exchange rate expires. Period is current or next.",
		Labels:    []string{"network", "period"},
		Source:    rateSource,
		Example:   "hedera_exchange_rate_expiry_timestamp_seconds{period=\"next\"} < time()",
	})
	gasPrice = newGauge(Metric{
		Collector: "network",
		Name:      "network_gas_price_hbar",
		Help:      "Price of a unit of gas by transaction type: ContractCall, ContractCreate or EthereumTransaction. Other types are left out.",
		Labels:    []string{"network", "transaction_type"},
		Source:    "mirror REST /api/v1/network/fees",
		Example:   "hedera_network_gas_price_hbar{transaction_type=\"EthereumTransaction\"} * 1e6",
	})
	networkLastFreeze = newGauge(Metric{
		Collector: "network",
		Name:      "network_last_freeze_transaction_timestamp_seconds",
		Help:      "Consensus time of the network's last freeze transaction that succeeded: it freezes or upgrades the network at once or at a later time, or prepares or aborts that. Absent if the mirror node has found none, which does not mean that there was none: the public mirrors look through the last 60 days only.",
		Labels:    networkLabel,
		Source:    "mirror REST /api/v1/transactions",
		Example:   "time() - hedera_network_last_freeze_transaction_timestamp_seconds < 3600",
	})
	registeredNodes = newGauge(Metric{
		Collector: "network",
		Name:      "registered_nodes",
		Help:      "Number of registered nodes: block nodes, mirror nodes, relays and other services (HIP-1137). Absent for mirror nodes before v0.153.",
		Labels:    networkLabel,
		Source:    registeredNodesSource,
		Example:   "hedera_registered_nodes",
	})
	registeredNodeInfo = newGauge(Metric{
		Collector: "network",
		Name:      "registered_node_info",
		Help:      "Properties of the registered node; the value is always 1. Type lists the types of its endpoints, separated by commas. Only the first 100 nodes are shown.",
		Labels:    []string{"network", "registered_node_id", "description", "type"},
		Source:    registeredNodesSource,
		Example:   "count by (network, type) (hedera_registered_node_info)",
	})
	registeredNodeEndpoints = newGauge(Metric{
		Collector: "network",
		Name:      "registered_node_endpoints",
		Help:      "Number of service endpoints of the registered node. Only the first 100 nodes are shown.",
		Labels:    []string{"network", "registered_node_id"},
		Source:    registeredNodesSource,
		Example:   "hedera_registered_node_endpoints == 0",
	})
)

var routeAvailable = newGauge(Metric{
	Collector: "network",
	Name:      "mirror_route_available",
	Help:      "Whether the mirror node has the route. Partial mirrors and those of preview networks answer 404 for some; the metrics from such a route are absent, and the collector does not fail. Absent if the request failed otherwise.",
	Labels:    []string{"network", "route"},
	Source:    "mirror REST /api/v1/network/{stake,supply,exchangerate,fees,registered-nodes}, and " + web3Route,
	Example:   "hedera_mirror_route_available == 0",
})

func newNetworkStakeGauge(name, help, example string) constMetric {
	return newGauge(Metric{
		Collector: "network",
		Name:      "network_" + name,
		Help:      help + " Absent before the first staking period of the network.",
		Labels:    networkLabel,
		Source:    stakeSource,
		Example:   example,
	})
}

func init() {
	register(Registration{
		Name:           "network",
		Help:           "staking, supply, exchange rate, gas price, fees, registered nodes and last freeze of the network",
		DefaultEnabled: true,
		MaxMinInterval: networkCacheAge,
		NetworkOnly:    true,
		factory:        newNetworkFacts,
	})
}

type networkFacts struct {
	network string
	mirror  *mirror.Client
	state   *networkState
}

// networkState has what is known from earlier updates.
type networkState struct {
	mu     sync.Mutex
	freeze mirror.Timestamp // of the last freeze transaction; 0: unknown
	far    farRuns

	fees feeState
}

// sawFreeze returns the last freeze transaction now that the mirror has given
// one, or 0 for none. Replicas are not equally new, and what has left the mirror's
// window is still the last one (docs/hedera.md 1.0).
func (s *networkState) sawFreeze(at mirror.Timestamp) mirror.Timestamp {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at > 0 && !s.far.refuse(s.freeze.Time().Sub(at.Time())) {
		s.freeze = at
	}
	return s.freeze
}

func newNetworkFacts(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	return networkFacts{network: n.Name, mirror: n.Mirror, state: &n.State.facts}, nil
}

// Update implements Collector. A mirror that does not have a route is no failure.
func (c networkFacts) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var group entityGroup
	for route, update := range map[string]func(context.Context, chan<- prometheus.Metric) error{
		"/api/v1/network/stake":            c.updateStake,
		"/api/v1/network/supply":           c.updateSupply,
		"/api/v1/network/exchangerate":     c.updateRates,
		"/api/v1/network/fees":             c.updateGasPrices,
		"/api/v1/network/registered-nodes": c.updateRegisteredNodes,
	} {
		group.Go(func() error {
			err := update(ctx, ch)
			unknown := IsUnknownRoute(err)
			if err != nil && !unknown {
				return err
			}
			ch <- routeAvailable.sample(boolValue(!unknown), c.network, route)
			return nil
		})
	}
	// What follows can wait for the next update, so it comes last and leaves a scrape
	// with little time to others.
	_ = group.Wait()
	ctx, cancel := withShare(ctx, 0.5)
	defer cancel()
	group.Go(func() error { return c.updateFreeze(ctx, ch) })
	group.Go(func() error { return c.updateFees(ctx, ch) })
	return group.Wait()
}

func (c networkFacts) updateFreeze(ctx context.Context, ch chan<- prometheus.Metric) error {
	freeze, _, err := c.mirror.LatestFreeze(ctx)
	if err != nil {
		return err
	}
	if at := c.state.sawFreeze(freeze.ConsensusTimestamp); at > 0 {
		ch <- networkLastFreeze.sample(at.Seconds(), c.network)
	}
	return nil
}

func (c networkFacts) updateStake(ctx context.Context, ch chan<- prometheus.Metric) error {
	stake, err := c.mirror.Stake(ctx)
	if err != nil {
		return err
	}
	sendField(ch, networkStake, stake.StakeTotal, hbar, c.network)
	sendField(ch, networkStakeRewardedMaximum, stake.MaxStakeRewarded, hbar, c.network)
	sendField(ch, networkRewardRate, stake.StakingRewardRate, hbar, c.network)
	sendField(ch, networkRewardMaximum, stake.MaxTotalReward, hbar, c.network)
	sendField(ch, networkRewardPerHbarMaximum, stake.MaxStakingRewardRatePerHbar, hbar, c.network)
	sendField(ch, networkStartThreshold, stake.StakingStartThreshold, hbar, c.network)
	sendField(ch, networkRewardBalanceThreshold, stake.RewardBalanceThreshold, hbar, c.network)
	sendField(ch, networkReservedRewards, stake.ReservedStakingRewards, hbar, c.network)
	sendField(ch, networkUnreservedBalance, stake.UnreservedStakingRewardBalance, hbar, c.network)
	sendField(ch, networkNodeRewardFee, stake.NodeRewardFeeFraction, fraction, c.network)
	sendField(ch, networkStakingRewardFee, stake.StakingRewardFeeFraction, fraction, c.network)
	sendTime(ch, networkStakingPeriodEnd, stake.StakingPeriod.Or(mirror.TimestampRange{}).To, c.network)
	return nil
}

func (c networkFacts) updateSupply(ctx context.Context, ch chan<- prometheus.Metric) error {
	supply, err := c.mirror.Supply(ctx)
	if err != nil {
		return err
	}
	sendField(ch, networkSupply, supply.TotalSupply, hbar, c.network, "total")
	sendField(ch, networkSupply, supply.ReleasedSupply, hbar, c.network, "released")
	return nil
}

func (c networkFacts) updateRates(ctx context.Context, ch chan<- prometheus.Metric) error {
	rates, err := c.mirror.ExchangeRates(ctx)
	if err != nil {
		return err
	}
	for period, field := range map[string]mirror.Field[mirror.ExchangeRate]{"current": rates.Current, "next": rates.Next} {
		rate := field.Or(mirror.ExchangeRate{})
		if usd, ok := rate.USDPerHbar(); ok {
			ch <- exchangeRate.sample(usd, c.network, period)
		}
		sendField(ch, exchangeRateExpiry, rate.ExpirationTime, count, c.network, period)
	}
	return nil
}

func (c networkFacts) updateGasPrices(ctx context.Context, ch chan<- prometheus.Metric) error {
	fees, err := c.mirror.Fees(ctx)
	if err != nil {
		return err
	}
	for _, transactionType := range gasTransactionTypes {
		i := slices.IndexFunc(fees, func(fee mirror.Fee) bool { return fee.TransactionType == transactionType })
		if i >= 0 {
			sendField(ch, gasPrice, fees[i].Gas, hbar, c.network, transactionType)
		}
	}
	return nil
}

func (c networkFacts) updateRegisteredNodes(ctx context.Context, ch chan<- prometheus.Metric) error {
	nodes, err := c.mirror.RegisteredNodes(ctx)
	if err != nil {
		return err
	}
	ch <- registeredNodes.sample(float64(len(nodes)), c.network)
	for _, node := range nodes[:min(len(nodes), maxRegisteredNodes)] {
		id := strconv.FormatInt(node.RegisteredNodeID, 10)
		ch <- registeredNodeInfo.sample(1, c.network, id, text(node.Description, descriptionLength), endpointTypes(node))
		sendField(ch, registeredNodeEndpoints, node.ServiceEndpoints, length[mirror.RegisteredEndpoint], c.network, id)
	}
	return nil
}

// IsUnknownRoute reports whether err is the answer of a mirror that does not have
// a route below /api/v1/network, or not the file that it reads for it; or of a
// gateway in front of it that is too old for the route.
func IsUnknownRoute(err error) bool {
	var status *mirror.StatusError
	return errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusBadRequest)
}

func endpointTypes(node mirror.RegisteredNode) string {
	types := map[string]bool{}
	for _, endpoint := range node.ServiceEndpoints.Or(nil) {
		types[endpoint.Type.Or("")] = true
	}
	return consensus.Cut(strings.Join(slices.Sorted(maps.Keys(types)), ","), descriptionLength)
}
