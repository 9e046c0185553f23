// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
)

// NetworkNode is a consensus node of the address book with its stake (FACTS.md
// 1.3). Pointers are nil where the mirror answers null. Stakes are in tinybar
// and change once a day.
type NetworkNode struct {
	NodeID                    int64             `json:"node_id"`
	NodeAccountID             *string           `json:"node_account_id"`
	Description               *string           `json:"description"`
	Memo                      *string           `json:"memo"`
	FileID                    *string           `json:"file_id"`
	NodeCertHash              *string           `json:"node_cert_hash"`
	PublicKey                 *string           `json:"public_key"`
	ServiceEndpoints          []ServiceEndpoint `json:"service_endpoints"`
	GRPCProxyEndpoint         *ServiceEndpoint  `json:"grpc_proxy_endpoint"`
	AdminKey                  *Key              `json:"admin_key"`
	DeclineReward             *bool             `json:"decline_reward"`
	AssociatedRegisteredNodes []int64           `json:"associated_registered_nodes"`
	// Stake is the consensus weight at the beginning of the staking period.
	Stake            *int64 `json:"stake"`
	StakeRewarded    *int64 `json:"stake_rewarded"`
	StakeNotRewarded *int64 `json:"stake_not_rewarded"`
	MinStake         *int64 `json:"min_stake"`
	MaxStake         *int64 `json:"max_stake"`
	// RewardRateStart is what the node earned in the last staking period, in
	// tinybar per hbar.
	RewardRateStart *int64          `json:"reward_rate_start"`
	StakingPeriod   *TimestampRange `json:"staking_period"`
	Timestamp       TimestampRange  `json:"timestamp"`
}

// ServiceEndpoint is an address of a node; it has either a domain name or an
// IP address.
type ServiceEndpoint struct {
	DomainName  string `json:"domain_name"`
	IPAddressV4 string `json:"ip_address_v4"`
	Port        int64  `json:"port"`
}

// CertHash is the SHA-384 of the node's certificate in PEM, in lower-case hex
// without 0x; empty if the address book has none.
func (n NetworkNode) CertHash() string {
	if n.NodeCertHash == nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(*n.NodeCertHash), "0x")
}

// NetworkNodes returns the consensus nodes by ascending node id.
// (GET /api/v1/network/nodes)
func (c *Client) NetworkNodes(ctx context.Context) ([]NetworkNode, error) {
	// This is the longest page of nodes, for all that the OpenAPI says (FACTS.md
	// 1.0).
	r := get(c.java, "/api/v1/network/nodes", url.Values{"limit": {"25"}})
	return all(ctx, c, r, decodeNodes)
}

func decodeNodes(body []byte) (page[NetworkNode], error) {
	var r struct {
		Nodes []NetworkNode `json:"nodes"`
		Links links         `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[NetworkNode]{}, err
	}
	return newPage("nodes", r.Nodes, r.Links)
}
