// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "context"

// NodeEndpoint is one gRPC endpoint of a consensus node, in the words of the
// labels of node_probe and address_book.
type NodeEndpoint struct {
	NodeID        string
	NodeAccountID string
	Description   string
	Address       string // host:port
	Transport     string // tls or plaintext
}

// Endpoints returns the endpoints that node_probe would probe: while the
// source of the book fails, those of the last book read. It fails when there is
// none.
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
				Description:   cut(node.Description, descriptionLength),
				Address:       endpoint.Address,
				Transport:     transport(endpoint),
			})
		}
	}
	return endpoints, nil
}
