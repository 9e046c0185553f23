// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// NetworkNode is a consensus node of the address book with its stake (docs/hedera.md
// 1.3). Stakes are in tinybar
// and change once a day.
type NetworkNode struct {
	NodeID           int64                    `json:"node_id"`
	NodeAccountID    Field[string]            `json:"node_account_id"`
	Description      Field[string]            `json:"description"`
	NodeCertHash     Field[string]            `json:"node_cert_hash"`
	ServiceEndpoints Field[[]ServiceEndpoint] `json:"service_endpoints"`
	// Stake is the consensus weight at the beginning of the staking period.
	Stake            Field[int64] `json:"stake"`
	StakeRewarded    Field[int64] `json:"stake_rewarded"`
	StakeNotRewarded Field[int64] `json:"stake_not_rewarded"`
	MinStake         Field[int64] `json:"min_stake"`
	MaxStake         Field[int64] `json:"max_stake"`
	// AdminKey may change the node's entry in the address book (HIP-869).
	AdminKey Field[Key] `json:"admin_key"`
	// DeclineReward says that the node wants no reward (HIP-1064).
	DeclineReward Field[bool] `json:"decline_reward"`
	// GRPCProxyEndpoint is for gRPC-web (HIP-1046).
	GRPCProxyEndpoint Field[ServiceEndpoint] `json:"grpc_proxy_endpoint"`
	// RewardRateStart is what the node earned in the last staking period, in
	// tinybar per hbar.
	RewardRateStart Field[int64] `json:"reward_rate_start"`
}

// ServiceEndpoint is an address of a node; it has either a domain name or an
// IP address.
type ServiceEndpoint struct {
	DomainName  Field[string] `json:"domain_name"`
	IPAddressV4 Field[string] `json:"ip_address_v4"`
	Port        Field[int64]  `json:"port"`
}

// CertHash is the SHA-384 of the node's certificate in PEM, in lower-case hex
// without 0x; empty if the address book has none.
func (n NetworkNode) CertHash() string {
	return strings.TrimPrefix(strings.ToLower(n.NodeCertHash.Or("")), "0x")
}

func (n NetworkNode) key() (field, value string, ok bool) {
	return "node_id", strconv.FormatInt(n.NodeID, 10), n.NodeID >= 0
}

var decodeNodes = list("nodes", NetworkNode{NodeID: -1})

// NetworkNodes returns the consensus nodes by ascending node id, with an error
// those that were read before it.
// (GET /api/v1/network/nodes)
func (c *Client) NetworkNodes(ctx context.Context) ([]NetworkNode, error) {
	return all(ctx, c, get(c.java, "/api/v1/network/nodes", nil).limit(maxNodeRows), decodeNodes)
}

// Stake is the staking of the whole network (docs/hedera.md 1.3). Amounts are in
// tinybar; they change once a day.
type Stake struct {
	StakeTotal       Field[int64] `json:"stake_total"`
	MaxStakeRewarded Field[int64] `json:"max_stake_rewarded"`
	// MaxStakingRewardRatePerHbar is in tinybar per hbar and day.
	MaxStakingRewardRatePerHbar    Field[int64] `json:"max_staking_reward_rate_per_hbar"`
	MaxTotalReward                 Field[int64] `json:"max_total_reward"`
	ReservedStakingRewards         Field[int64] `json:"reserved_staking_rewards"`
	RewardBalanceThreshold         Field[int64] `json:"reward_balance_threshold"`
	StakingRewardRate              Field[int64] `json:"staking_reward_rate"`
	StakingStartThreshold          Field[int64] `json:"staking_start_threshold"`
	UnreservedStakingRewardBalance Field[int64] `json:"unreserved_staking_reward_balance"`
	// NodeRewardFeeFraction and StakingRewardFeeFraction are from 0 to 1.
	NodeRewardFeeFraction    Field[float64]        `json:"node_reward_fee_fraction"`
	StakingRewardFeeFraction Field[float64]        `json:"staking_reward_fee_fraction"`
	StakingPeriod            Field[TimestampRange] `json:"staking_period"`
}

var decodeStake = object(func(s Stake) error {
	if s.StakeTotal == (Field[int64]{}) {
		return errors.New("it has no stake_total")
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
	ReleasedSupply Field[int64] `json:"released_supply"`
	TotalSupply    Field[int64] `json:"total_supply"`
}

var decodeSupply = object(func(s Supply) error {
	if s.TotalSupply == (Field[int64]{}) {
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
	Current Field[ExchangeRate] `json:"current_rate"`
	Next    Field[ExchangeRate] `json:"next_rate"`
}

// ExchangeRate says how many US cents so many hbar are worth.
type ExchangeRate struct {
	CentEquivalent Field[int64] `json:"cent_equivalent"`
	HbarEquivalent Field[int64] `json:"hbar_equivalent"`
	// ExpirationTime is in seconds since the Unix epoch.
	ExpirationTime Field[int64] `json:"expiration_time"`
}

// USDPerHbar is the price of an hbar in US dollars, if there is one.
func (r ExchangeRate) USDPerHbar() (usd float64, ok bool) {
	cents, ok := r.CentEquivalent.Get()
	hbars := r.HbarEquivalent.Or(0)
	return float64(cents) / (100 * float64(hbars)), ok && hbars > 0
}

var decodeExchangeRates = object(func(r ExchangeRates) error {
	if r == (ExchangeRates{}) {
		return errors.New("it has neither current_rate nor next_rate")
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
	Gas             Field[int64] `json:"gas"`
	TransactionType string       `json:"transaction_type"`
}

func (f Fee) key() (field, value string, ok bool) {
	return "transaction_type", f.TransactionType, f.TransactionType != "" && len(f.TransactionType) <= maxIDBytes
}

var decodeFees = list("fees", Fee{})

// Fees returns the prices of gas. (GET /api/v1/network/fees)
func (c *Client) Fees(ctx context.Context) ([]Fee, error) {
	p, err := fetch(ctx, c, get(c.java, "/api/v1/network/fees", nil), decodeFees)
	return p.rows, err
}

// RegisteredNode is a node other than a consensus node (HIP-1137, docs/hedera.md
// 1.3).
type RegisteredNode struct {
	RegisteredNodeID int64                       `json:"registered_node_id"`
	Description      Field[string]               `json:"description"`
	ServiceEndpoints Field[[]RegisteredEndpoint] `json:"service_endpoints"`
}

// RegisteredEndpoint is an address of a registered node.
type RegisteredEndpoint struct {
	// Type is BLOCK_NODE, GENERAL_SERVICE, MIRROR_NODE or RPC_RELAY.
	Type Field[string] `json:"type"`
}

func (n RegisteredNode) key() (field, value string, ok bool) {
	return "registered_node_id", strconv.FormatInt(n.RegisteredNodeID, 10), n.RegisteredNodeID >= 0
}

var decodeRegisteredNodes = list("registered_nodes", RegisteredNode{RegisteredNodeID: -1})

// RegisteredNodes returns the registered nodes by ascending id. Mirrors before
// v0.153 do not have them: the error is [IsNotFound] then.
// (GET /api/v1/network/registered-nodes)
func (c *Client) RegisteredNodes(ctx context.Context) ([]RegisteredNode, error) {
	return all(ctx, c, get(c.java, "/api/v1/network/registered-nodes", nil).limit(maxRepeated), decodeRegisteredNodes)
}
