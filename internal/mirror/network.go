// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// NetworkNode is a consensus node of the address book with its stake (docs/hedera.md
// 1.3). Pointers are nil where the mirror answers null. Stakes are in tinybar
// and change once a day.
type NetworkNode struct {
	NodeID           int64             `json:"node_id"`
	NodeAccountID    *string           `json:"node_account_id"`
	Description      *string           `json:"description"`
	NodeCertHash     *string           `json:"node_cert_hash"`
	ServiceEndpoints []ServiceEndpoint `json:"service_endpoints"`
	// Stake is the consensus weight at the beginning of the staking period.
	Stake            *int64 `json:"stake"`
	StakeRewarded    *int64 `json:"stake_rewarded"`
	StakeNotRewarded *int64 `json:"stake_not_rewarded"`
	MinStake         *int64 `json:"min_stake"`
	MaxStake         *int64 `json:"max_stake"`
	// RewardRateStart is what the node earned in the last staking period, in
	// tinybar per hbar.
	RewardRateStart *int64 `json:"reward_rate_start"`
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

var decodeNodes = list[NetworkNode]("nodes")

// NetworkNodes returns the consensus nodes by ascending node id.
// (GET /api/v1/network/nodes)
func (c *Client) NetworkNodes(ctx context.Context) ([]NetworkNode, error) {
	// This is the longest page of nodes, for all that the OpenAPI says (docs/hedera.md
	// 1.0).
	r := get(c.java, "/api/v1/network/nodes", url.Values{"limit": {"25"}})
	return all(ctx, c, r, decodeNodes)
}

// Stake is the staking of the whole network (docs/hedera.md 1.3). Amounts are in
// tinybar; they change once a day.
type Stake struct {
	StakeTotal       int64 `json:"stake_total"`
	MaxStakeRewarded int64 `json:"max_stake_rewarded"`
	// MaxStakingRewardRatePerHbar is in tinybar per hbar and day.
	MaxStakingRewardRatePerHbar    int64 `json:"max_staking_reward_rate_per_hbar"`
	MaxTotalReward                 int64 `json:"max_total_reward"`
	ReservedStakingRewards         int64 `json:"reserved_staking_rewards"`
	RewardBalanceThreshold         int64 `json:"reward_balance_threshold"`
	StakingRewardRate              int64 `json:"staking_reward_rate"`
	StakingStartThreshold          int64 `json:"staking_start_threshold"`
	UnreservedStakingRewardBalance int64 `json:"unreserved_staking_reward_balance"`
	// NodeRewardFeeFraction and StakingRewardFeeFraction are from 0 to 1.
	NodeRewardFeeFraction    float64         `json:"node_reward_fee_fraction"`
	StakingRewardFeeFraction float64         `json:"staking_reward_fee_fraction"`
	StakingPeriod            *TimestampRange `json:"staking_period"`
}

var decodeStake = object(func(s Stake) error {
	if s.StakingPeriod == nil {
		return errors.New("it has no staking_period")
	}
	return nil
})

// Stake returns the staking of the network. The error is [IsNotFound] before
// the first staking period. (GET /api/v1/network/stake)
func (c *Client) Stake(ctx context.Context) (Stake, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/stake", nil), decodeStake)
}

// Supply is the supply of hbar, in tinybar (docs/hedera.md 1.3).
type Supply struct {
	ReleasedSupply int64 `json:"released_supply,string"`
	TotalSupply    int64 `json:"total_supply,string"`
}

var decodeSupply = object(func(s Supply) error {
	if s.TotalSupply == 0 {
		return errors.New("it has no total_supply")
	}
	return nil
})

// Supply returns the supply of hbar. (GET /api/v1/network/supply)
func (c *Client) Supply(ctx context.Context) (Supply, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/supply", nil), decodeSupply)
}

// ExchangeRates are the rates that fees are charged by (docs/hedera.md 1.3).
type ExchangeRates struct {
	Current ExchangeRate `json:"current_rate"`
	Next    ExchangeRate `json:"next_rate"`
}

// ExchangeRate says how many US cents so many hbar are worth.
type ExchangeRate struct {
	CentEquivalent int64 `json:"cent_equivalent"`
	HbarEquivalent int64 `json:"hbar_equivalent"`
	// ExpirationTime is in seconds since the Unix epoch.
	ExpirationTime int64 `json:"expiration_time"`
}

// USDPerHbar is the price of an hbar in US dollars.
func (r ExchangeRate) USDPerHbar() float64 {
	return float64(r.CentEquivalent) / (100 * float64(r.HbarEquivalent))
}

var decodeExchangeRates = object(func(r ExchangeRates) error {
	if r.Current.HbarEquivalent <= 0 || r.Next.HbarEquivalent <= 0 {
		return errors.New("its hbar_equivalent is not positive")
	}
	return nil
})

// ExchangeRates returns the current and the next rate.
// (GET /api/v1/network/exchangerate)
func (c *Client) ExchangeRates(ctx context.Context) (ExchangeRates, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/exchangerate", nil), decodeExchangeRates)
}

// Fee is the price of gas for a type of transaction: ContractCall,
// ContractCreate or EthereumTransaction (docs/hedera.md 1.3).
type Fee struct {
	// Gas is in tinybar.
	Gas             int64  `json:"gas"`
	TransactionType string `json:"transaction_type"`
}

var decodeFees = list[Fee]("fees")

// Fees returns the prices of gas. (GET /api/v1/network/fees)
func (c *Client) Fees(ctx context.Context) ([]Fee, error) {
	p, err := fetch(ctx, c, get(c.java, "/api/v1/network/fees", nil), decodeFees)
	return p.rows, err
}

// RegisteredNode is a node other than a consensus node (HIP-1137, docs/hedera.md
// 1.3).
type RegisteredNode struct {
	RegisteredNodeID int64                `json:"registered_node_id"`
	Description      *string              `json:"description"`
	ServiceEndpoints []RegisteredEndpoint `json:"service_endpoints"`
}

// RegisteredEndpoint is an address of a registered node.
type RegisteredEndpoint struct {
	// Type is BLOCK_NODE, GENERAL_SERVICE, MIRROR_NODE or RPC_RELAY.
	Type string `json:"type"`
}

var decodeRegisteredNodes = list[RegisteredNode]("registered_nodes")

// RegisteredNodes returns the registered nodes by ascending id. Mirrors before
// v0.153 do not have them: the error is [IsNotFound] then.
// (GET /api/v1/network/registered-nodes)
func (c *Client) RegisteredNodes(ctx context.Context) ([]RegisteredNode, error) {
	r := get(c.java, "/api/v1/network/registered-nodes", url.Values{"limit": {pageSize(maxRepeated)}})
	return all(ctx, c, r, decodeRegisteredNodes)
}
