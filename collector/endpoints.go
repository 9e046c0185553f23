// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "context"

// NodeEndpoint is one gRPC endpoint of a consensus node. The fields have the
// values of the labels of node_probe and address_book.
type NodeEndpoint struct {
	NodeID        string
	NodeAccountID string
	Description   string
	Address       string // host:port
	Transport     string // tls or plaintext
}

// Endpoints returns the endpoints that node_probe probes. It fails if no address
// book has been read yet and none can be read now.
func (b *AddressBook) Endpoints(ctx context.Context) ([]NodeEndpoint, error) {
	nodes, err := b.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	var endpoints []NodeEndpoint
	for _, node := range nodes {
		for _, endpoint := range node.Endpoints {
			endpoints = append(endpoints, NodeEndpoint{
				NodeID:        nodeID(node),
				NodeAccountID: node.AccountID,
				Description:   node.Description,
				Address:       endpoint.Address,
				Transport:     transport(endpoint),
			})
		}
	}
	return endpoints, nil
}
