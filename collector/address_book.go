// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const (
	addressBookName   = "address_book"
	addressBookSource = "mirror gRPC NetworkService/getNodes for file 0.0.102; consensus.nodes, or mirror REST /api/v1/network/nodes, where the mirror has no gRPC"
	networkNodes      = "mirror REST /api/v1/network/nodes"
	// networkCacheAge is the max-age of /api/v1/network/… (docs/hedera.md 1.0).
	networkCacheAge = time.Minute
)

var nodeLabels = []string{"network", "node_id"}

var (
	bookNodes = newGauge(Metric{
		Collector: addressBookName,
		Name:      "address_book_nodes",
		Help:      "Number of nodes in the address book.",
		Labels:    networkLabel,
		Source:    addressBookSource,
		Example:   "changes(hedera_address_book_nodes[1d])",
	})
	bookFetched = newGauge(Metric{
		Collector: addressBookName,
		Name:      "address_book_fetched_timestamp_seconds",
		Help:      "When the address book was last read.",
		Labels:    networkLabel,
		Source:    addressBookSource,
		Example:   "time() - hedera_address_book_fetched_timestamp_seconds",
	})
	nodeInfo = newGauge(Metric{
		Collector: addressBookName,
		Name:      "node_info",
		Help:      "Properties of the node; the value is always 1. The certificate hash is the SHA-384 of the PEM-encoded TLS certificate.",
		Labels:    []string{"network", "node_id", "node_account_id", "description", "certificate_hash"},
		Source:    addressBookSource,
		Example:   "hedera_node_stake_hbar * on (network, node_id) group_left (description) hedera_node_info",
	})
	nodeEndpoints = newGauge(Metric{
		Collector: addressBookName,
		Name:      "node_endpoints",
		Help:      "Number of gRPC endpoints of the node in the address book.",
		Labels:    nodeLabels,
		Source:    addressBookSource,
		Example:   "sum by (network) (hedera_node_endpoints)",
	})
	nodeStake = newStakeGauge("stake_hbar", "Consensus weight of the node at the start of the staking period.",
		"hedera_node_stake_hbar / on (network) group_left () sum by (network) (hedera_node_stake_hbar)")
	nodeStakeRewarded = newStakeGauge("stake_rewarded_hbar", "Stake on the node by accounts that accept rewards.",
		"hedera_node_stake_rewarded_hbar")
	nodeStakeNotRewarded = newStakeGauge("stake_not_rewarded_hbar", "Stake on the node by accounts that decline rewards.",
		"hedera_node_stake_not_rewarded_hbar")
	nodeStakeMinimum = newStakeGauge("stake_minimum_hbar", "Stake below which the node has no consensus weight.",
		"hedera_node_stake_rewarded_hbar + hedera_node_stake_not_rewarded_hbar < hedera_node_stake_minimum_hbar")
	nodeStakeMaximum = newStakeGauge("stake_maximum_hbar", "Stake above which additional stake adds no consensus weight.",
		"hedera_node_stake_hbar == hedera_node_stake_maximum_hbar")
	nodeRewardRate = newStakeGauge("reward_rate_start_hbar", "Reward per hbar staked on the node in the last staking period.",
		"hedera_node_reward_rate_start_hbar * 365")
)

func newStakeGauge(name, help, example string) constMetric {
	return newGauge(Metric{
		Collector: addressBookName,
		Name:      "node_" + name,
		Help:      help + " Absent if the mirror node has no value.",
		Labels:    nodeLabels,
		Source:    networkNodes,
		Example:   example,
	})
}

var addressBookRegistration = Registration{
	Name:           addressBookName,
	Help:           "consensus nodes, their endpoints and their stake",
	DefaultEnabled: true,
	MaxMinInterval: networkCacheAge,
	NetworkOnly:    true,
	factory:        newAddressBook,
}

func init() { register(addressBookRegistration) }

// AddressBookMaxAge is how long the address book is kept, given the configured
// intervals.
func AddressBookMaxAge(configured map[string]time.Duration) time.Duration {
	return addressBookRegistration.minInterval(configured)
}

// MirrorBook is the source of the address book if the mirror has no gRPC.
func MirrorBook(client *mirror.Client, tlsPorts []int) BookSource {
	return func(ctx context.Context) ([]consensus.Node, error) {
		rows, err := client.NetworkNodes(ctx)
		if err != nil {
			return nil, err
		}
		book := make([]consensus.Node, 0, len(rows))
		for _, row := range rows {
			book = append(book, nodeFromMirror(row, tlsPorts))
		}
		return book, nil
	}
}

func nodeFromMirror(row mirror.NetworkNode, tlsPorts []int) consensus.Node {
	endpoints, _ := row.ServiceEndpoints.Get()
	addresses := make([]consensus.HostPort, 0, len(endpoints))
	for _, endpoint := range endpoints {
		host := cmp.Or(endpoint.IPAddressV4.Or(""), endpoint.DomainName.Or(""))
		addresses = append(addresses, consensus.HostPort{Host: host, Port: int(endpoint.Port.Or(0))})
	}
	return consensus.Node{
		ID:              row.NodeID,
		AccountID:       text(row.NodeAccountID, descriptionLength),
		Description:     text(row.Description, descriptionLength),
		CertificateHash: row.CertHash(),
		Endpoints:       consensus.NewEndpoints(addresses, tlsPorts),
	}
}

type addressBook struct {
	network string
	book    *AddressBook
	stakes  *mirror.Client // nil: no mirror, so no stake
}

func newAddressBook(n Network) (Collector, error) {
	return addressBook{network: n.Name, book: n.AddressBook, stakes: n.Mirror}, nil
}

// Update implements Collector.
func (c addressBook) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var (
		version bookVersion
		rows    []mirror.NetworkNode
	)
	group, ctx := newParallel(ctx)
	group.Go(func() (err error) {
		version, err = c.book.refresh(ctx)
		return err
	})
	if c.stakes != nil {
		group.Go(func() (err error) {
			rows, err = c.stakes.NetworkNodes(ctx)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	c.sendBook(ch, version)
	for _, row := range rows {
		c.sendStake(ch, row)
	}
	return nil
}

func (c addressBook) sendBook(ch chan<- prometheus.Metric, version bookVersion) {
	ch <- bookNodes.sample(float64(len(version.nodes)), c.network)
	ch <- bookFetched.sample(unixSeconds(version.fetched), c.network)
	for _, node := range version.nodes {
		ch <- nodeInfo.sample(1, c.network, nodeID(node), node.AccountID, cut(node.Description, descriptionLength), node.CertificateHash)
		ch <- nodeEndpoints.sample(float64(len(node.Endpoints)), c.network, nodeID(node))
	}
}

func (c addressBook) sendStake(ch chan<- prometheus.Metric, row mirror.NetworkNode) {
	id := strconv.FormatInt(row.NodeID, 10)
	send := func(metric constMetric, tinybar mirror.Field[int64]) {
		sendField(ch, metric, tinybar, hbar, c.network, id)
	}
	send(nodeStake, row.Stake)
	send(nodeStakeRewarded, row.StakeRewarded)
	send(nodeStakeNotRewarded, row.StakeNotRewarded)
	send(nodeStakeMinimum, row.MinStake)
	send(nodeStakeMaximum, row.MaxStake)
	send(nodeRewardRate, row.RewardRateStart)
}
