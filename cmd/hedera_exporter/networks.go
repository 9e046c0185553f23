// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/go-kit/log"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

// newNetworks creates the clients of the configured networks. They connect on the
// first scrape.
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
		Name: n.Name,
		Log:  logger,

		Accounts:         n.Accounts,
		Tokens:           n.Tokens,
		Topics:           n.Topics,
		Contracts:        n.Contracts,
		ScheduleCreators: n.ScheduleCreators,

		Prober: consensus.NewProber(consensus.ProberOptions{
			Timeout:           time.Duration(n.Consensus.ProbeTimeout),
			ReconnectInterval: time.Duration(n.Consensus.ReconnectInterval),
			DialContext:       dial,
		}),
	}
	if n.Mirror != nil {
		client, err := newMirror(n, self, logger, dial)
		if err != nil {
			return collector.Network{}, err
		}
		network.Mirror = client
	}
	if n.Mirror != nil && n.Mirror.GRPCAddress != (config.HostPort{}) {
		network.MirrorGRPC = consensus.NewAddressBookClient(n.Mirror.GRPCAddress.String(), n.Mirror.GRPCTLS, n.Consensus.TLSPorts)
		network.MirrorGRPC.DialContext = dial
	}
	if n.BalanceSource == config.BalanceSourceConsensus {
		network.Balances = consensus.NewBalanceClient(n.Consensus.MaxConcurrency)
	}
	network.AddressBook = collector.NewAddressBook(bookSource(n, network.MirrorGRPC, network.Mirror), collector.AddressBookMaxAge(c.MinInterval))
	return network, nil
}

func newMirror(n config.Network, self *collector.Self, logger log.Logger, dial consensus.DialContextFunc) (*mirror.Client, error) {
	return mirror.New(mirror.Options{
		Network:        n.Name,
		URL:            n.Mirror.URL,
		JavaURL:        n.Mirror.JavaURL,
		HTTPClient:     n.Mirror.HTTPClient,
		RateLimit:      n.Mirror.RateLimit,
		MaxConcurrency: n.Mirror.MaxConcurrency,
		Timeout:        time.Duration(n.Mirror.Timeout),
		Observer:       self.MirrorObserver(n.Name, logger),
		DialContext:    promconfig.DialContextFunc(dial),
		UserAgent:      exporterName + "/" + version.Version,
	})
}

// bookSource prefers the configured nodes, then the mirror's gRPC API. A mirror
// without gRPC has the same address book under /api/v1/network/nodes.
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
		addresses := make([]consensus.HostPort, 0, len(node.Endpoints))
		for _, endpoint := range node.Endpoints {
			addresses = append(addresses, consensus.HostPort(endpoint))
		}
		nodes = append(nodes, consensus.Node{
			ID:              node.ID,
			AccountID:       node.AccountID.String(),
			Description:     node.Description,
			CertificateHash: node.CertificateHash,
			Endpoints:       consensus.NewEndpoints(addresses, c.TLSPorts),
		})
	}
	return nodes
}
