// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const (
	addressBookName   = "address_book"
	addressBookSource = "mirror gRPC NetworkService/getNodes for file shard.realm.102; mirror REST /api/v1/network/nodes if the mirror has no gRPC or that fails; consensus.nodes if configured"
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
	bookSkipped = newGauge(Metric{
		Collector: addressBookName,
		Name:      "address_book_endpoints_skipped",
		Help:      "Number of endpoints in the address book that are left out: they have neither an IP address nor a domain name, no valid port, or an address of the exporter's own host or link (loopback, unspecified, link-local, multicast) although the mirror node is not on this host.",
		Labels:    networkLabel,
		Source:    addressBookSource,
		Example:   "hedera_address_book_endpoints_skipped > 0",
	})
	bookTruncated = newGauge(Metric{
		Collector: addressBookName,
		Name:      "address_book_truncated",
		Help:      "Whether the address book has more than the exporter reads: 1,000 nodes, 64 endpoints of a node, 2,000 endpoints.",
		Labels:    networkLabel,
		Source:    addressBookSource,
		Example:   "hedera_address_book_truncated == 1",
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
		Help:      "Number of gRPC endpoints of the node in the address book, without those that are left out.",
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
	nodeDeclineReward = newNodeGauge("decline_reward", "Whether the node declines its reward (HIP-1064).", nodeLabels,
		"hedera_node_decline_reward == 1")
	nodeAdminKey = newNodeGauge("admin_key_info", "Fingerprint of the key that may change the node's entry in the address book; the value is always 1. It is made as that of hedera_account_key_info.",
		with(nodeLabels, "key_type", "key_fingerprint"), "count by (network, node_id) (last_over_time(hedera_node_admin_key_info[1h])) > 1")
	nodeProxy = newNodeGauge("grpc_proxy_info", "Address of the node's gRPC-web proxy (HIP-1046); the value is always 1.",
		with(nodeLabels, "address"), "count by (network) (hedera_node_grpc_proxy_info)")
	nodeRewardRate = newStakeGauge("reward_rate_start_hbar", "Reward per hbar staked on the node in the last staking period.",
		"hedera_node_reward_rate_start_hbar * 365")
)

func newStakeGauge(name, help, example string) constMetric {
	return newNodeGauge(name, help, nodeLabels, example)
}

// newNodeGauge declares what only the mirror's REST API has of a node.
func newNodeGauge(name, help string, labels []string, example string) constMetric {
	return newGauge(Metric{
		Collector: addressBookName,
		Name:      "node_" + name,
		Help:      help + " Absent if the mirror node has no value.",
		Labels:    labels,
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

// MirrorBook is the address book of the mirror's REST API, which has the same
// limits as the one of its gRPC API.
func MirrorBook(client *mirror.Client, options consensus.BookOptions) BookSource {
	return func(ctx context.Context) (*consensus.Book, error) {
		rows, err := client.NetworkNodes(ctx)
		book := consensus.NewBook(options)
		var limit *mirror.LimitError
		if err != nil && (len(rows) == 0 || !errors.As(err, &limit)) {
			return nil, err
		}
		for _, row := range rows {
			if !book.Add(nodeFromMirror(row)) {
				return book, nil
			}
		}
		if err != nil {
			book.Truncate(err)
		}
		return book, nil
	}
}

func nodeFromMirror(row mirror.NetworkNode) (consensus.Node, []consensus.HostPort) {
	endpoints := row.ServiceEndpoints.Or(nil)
	addresses := make([]consensus.HostPort, 0, len(endpoints))
	for _, endpoint := range endpoints {
		addresses = append(addresses, hostPort(endpoint))
	}
	return consensus.Node{
		ID:              row.NodeID,
		AccountID:       row.NodeAccountID.Or(""),
		Description:     row.Description.Or(""),
		CertificateHash: row.CertHash(),
	}, addresses
}

func hostPort(endpoint mirror.ServiceEndpoint) consensus.HostPort {
	return consensus.HostPort{
		Host: cmp.Or(endpoint.IPAddressV4.Or(""), endpoint.DomainName.Or("")),
		Port: int(endpoint.Port.Or(0)),
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

// Update implements Collector. The book and the stake fail independently.
func (c addressBook) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var group entityGroup
	group.Go(func() error {
		version, err := c.book.current(ctx)
		if err != nil {
			return err
		}
		c.sendBook(ch, version)
		if version.Missing > 0 {
			group.miss(version.Missing, version.Err)
		}
		return nil
	})
	if c.stakes != nil {
		group.Go(func() error {
			rows, err := c.stakes.NetworkNodes(ctx)
			sent := make(map[int64]bool, len(rows))
			for _, row := range rows {
				if !sent[row.NodeID] { // pages may overlap
					c.sendStake(ch, row)
					c.sendProperties(ch, row)
				}
				sent[row.NodeID] = true
			}
			return err
		})
	}
	return group.Wait()
}

func (c addressBook) sendBook(ch chan<- prometheus.Metric, version bookVersion) {
	ch <- bookNodes.sample(float64(len(version.Nodes)), c.network)
	ch <- bookFetched.sample(unixSeconds(version.fetched), c.network)
	ch <- bookSkipped.sample(float64(version.Skipped), c.network)
	ch <- bookTruncated.sample(boolValue(version.Truncated), c.network)
	for _, node := range version.Nodes {
		ch <- nodeInfo.sample(1, c.network, nodeID(node), node.AccountID, node.Description, node.CertificateHash)
		ch <- nodeEndpoints.sample(float64(len(node.Endpoints)), c.network, nodeID(node))
	}
}

func (c addressBook) sendStake(ch chan<- prometheus.Metric, row mirror.NetworkNode) {
	id := strconv.FormatInt(row.NodeID, 10)
	send := func(metric constMetric, tinybar mirror.Field[int64]) {
		sendField(ch, metric, notNegative(tinybar), hbar, c.network, id)
	}
	send(nodeStake, row.Stake)
	send(nodeStakeRewarded, row.StakeRewarded)
	send(nodeStakeNotRewarded, row.StakeNotRewarded)
	send(nodeStakeMinimum, row.MinStake)
	send(nodeStakeMaximum, row.MaxStake)
	send(nodeRewardRate, row.RewardRateStart)
}

// sendProperties sends what a node's operator may change in the book.
func (c addressBook) sendProperties(ch chan<- prometheus.Metric, row mirror.NetworkNode) {
	labels := []string{c.network, strconv.FormatInt(row.NodeID, 10)}
	sendField(ch, nodeDeclineReward, row.DeclineReward, boolValue, labels...)
	if key, ok := row.AdminKey.Get(); ok {
		ch <- nodeAdminKey.sample(1, with(labels, consensus.Cut(key.Type, textLength), keyFingerprint(key))...)
	}
	if proxy, ok := row.GRPCProxyEndpoint.Get(); ok {
		address := hostPort(proxy)
		ch <- nodeProxy.sample(1, with(labels, net.JoinHostPort(consensus.Cut(address.Host, descriptionLength), strconv.Itoa(address.Port)))...)
	}
}
