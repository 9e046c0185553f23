// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/go-kit/log"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

// newNetworks opens what the configuration's networks need. Nothing is
// connected before the first scrape.
func newNetworks(c *config.Config, self *collector.Self, states *collector.States, dial consensus.DialContextFunc, logger log.Logger) ([]collector.Network, error) {
	networks := make([]collector.Network, 0, len(c.Networks))
	for _, n := range c.Networks {
		network, err := newNetwork(c, n, self, dial, logger)
		if err != nil {
			for _, opened := range networks {
				opened.Close()
			}
			return nil, fmt.Errorf("network %s: %w", n.Name, err)
		}
		network.State = states.Of(n.Name)
		networks = append(networks, network)
	}
	return networks, nil
}

func newNetwork(c *config.Config, n config.Network, self *collector.Self, dial consensus.DialContextFunc, logger log.Logger) (collector.Network, error) {
	network := collector.Network{
		Name:     n.Name,
		Accounts: newAccounts(n.Accounts),
		Log:      logger,

		Tokens:           newEntities(n.Tokens),
		Topics:           newEntities(n.Topics),
		Contracts:        newEntities(n.Contracts),
		ScheduleCreators: newEntities(n.ScheduleCreators),

		Prober: consensus.NewProber(consensus.ProberOptions{
			Timeout:           n.Consensus.ProbeTimeout,
			ReconnectInterval: n.Consensus.ReconnectInterval,
			DialContext:       dial,
		}),
	}
	if n.Mirror != nil {
		client, err := newMirror(n, self, dial)
		if err != nil {
			return collector.Network{}, err
		}
		network.Mirror = client
	}
	if n.Mirror != nil && n.Mirror.GRPCAddress != "" {
		network.MirrorGRPC = consensus.NewAddressBookClient(n.Mirror.GRPCAddress, n.Mirror.GRPCTLS, n.Consensus.TLSPorts)
		network.MirrorGRPC.DialContext = dial
	}
	if n.BalanceSource == config.BalanceSourceConsensus {
		network.Balances = consensus.NewBalanceClient(n.Consensus.MaxConcurrency)
	}
	network.AddressBook = collector.NewAddressBook(bookSource(n, network.MirrorGRPC, network.Mirror), collector.AddressBookMaxAge(c.MinInterval))
	return network, nil
}

func newMirror(n config.Network, self *collector.Self, dial consensus.DialContextFunc) (*mirror.Client, error) {
	return mirror.New(mirror.Options{
		Network:        n.Name,
		URL:            n.Mirror.URL,
		JavaURL:        n.Mirror.JavaURL,
		HTTPClient:     n.Mirror.HTTPClient,
		RateLimit:      n.Mirror.RateLimit,
		MaxConcurrency: n.Mirror.MaxConcurrency,
		Timeout:        n.Mirror.Timeout,
		Observer:       self.MirrorObserver(n.Name),
		DialContext:    promconfig.DialContextFunc(dial),
		UserAgent:      exporterName + "/" + version.Version,
	})
}

// bookSource prefers what the operator wrote, then the mirror's gRPC API; a
// mirror without one has the same book under /api/v1/network/nodes.
func bookSource(n config.Network, grpcClient *consensus.AddressBookClient, client *mirror.Client) collector.BookSource {
	switch {
	case len(n.Consensus.Nodes) > 0:
		return collector.StaticBook(newNodes(n.Consensus))
	case grpcClient != nil:
		return grpcClient.Nodes
	default:
		return collector.MirrorBook(client, n.Consensus.TLSPorts)
	}
}

func newNodes(c config.Consensus) []consensus.Node {
	nodes := make([]consensus.Node, 0, len(c.Nodes))
	for _, node := range c.Nodes {
		nodes = append(nodes, consensus.Node{
			ID:              node.ID,
			AccountID:       node.AccountID.String(),
			Description:     node.Description,
			CertificateHash: node.CertificateHash,
			Endpoints:       consensus.NewEndpoints(node.Endpoints, c.TLSPorts),
		})
	}
	return nodes
}

func newAccounts(configured []config.Account) []collector.Account {
	accounts := make([]collector.Account, 0, len(configured))
	for _, account := range configured {
		minimums := make([]collector.Minimum, 0, len(account.Thresholds))
		for _, threshold := range account.Thresholds {
			minimums = append(minimums, collector.Minimum{
				Severity: threshold.Severity,
				Tinybar:  threshold.Minimum.AsTinybar(),
			})
		}
		accounts = append(accounts, collector.Account{
			ID:           account.ID,
			Name:         account.Name,
			Minimums:     minimums,
			AllTokens:    account.AllTokens,
			Transactions: account.Transactions,
			Allowances:   account.Allowances,
			Heartbeat:    account.Heartbeat,
			Cold:         account.Cold,
		})
	}
	return accounts
}

func newEntities(configured []config.Entity) []collector.Entity {
	entities := make([]collector.Entity, 0, len(configured))
	for _, entity := range configured {
		entities = append(entities, collector.Entity(entity))
	}
	return entities
}
