// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
)

// Stake is the staking of the whole network (FACTS.md 1.3). Amounts are in
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
	// StakingPeriodDuration is in minutes.
	StakingPeriodDuration int64 `json:"staking_period_duration"`
	StakingPeriodsStored  int64 `json:"staking_periods_stored"`
}

// Stake returns the staking of the network. The error is [IsNotFound] before
// the first staking period. (GET /api/v1/network/stake)
func (c *Client) Stake(ctx context.Context) (Stake, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/stake", nil), decodeStake)
}

func decodeStake(body []byte) (Stake, error) {
	var s Stake
	if err := json.Unmarshal(body, &s); err != nil {
		return Stake{}, err
	}
	if s.StakingPeriod == nil {
		return Stake{}, errors.New("it has no staking_period")
	}
	return s, nil
}

// Supply is the supply of hbar, in tinybar (FACTS.md 1.3).
type Supply struct {
	ReleasedSupply int64     `json:"released_supply,string"`
	TotalSupply    int64     `json:"total_supply,string"`
	Timestamp      Timestamp `json:"timestamp"`
}

// Supply returns the supply of hbar. (GET /api/v1/network/supply)
func (c *Client) Supply(ctx context.Context) (Supply, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/supply", nil), decodeSupply)
}

func decodeSupply(body []byte) (Supply, error) {
	var s Supply
	if err := json.Unmarshal(body, &s); err != nil {
		return Supply{}, err
	}
	if s.TotalSupply == 0 {
		return Supply{}, errors.New("it has no total_supply")
	}
	return s, nil
}

// ExchangeRates are the rates that fees are charged by (FACTS.md 1.3).
type ExchangeRates struct {
	Current   ExchangeRate `json:"current_rate"`
	Next      ExchangeRate `json:"next_rate"`
	Timestamp Timestamp    `json:"timestamp"`
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

// ExchangeRates returns the current and the next rate.
// (GET /api/v1/network/exchangerate)
func (c *Client) ExchangeRates(ctx context.Context) (ExchangeRates, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/exchangerate", nil), decodeExchangeRates)
}

func decodeExchangeRates(body []byte) (ExchangeRates, error) {
	var r ExchangeRates
	if err := json.Unmarshal(body, &r); err != nil {
		return ExchangeRates{}, err
	}
	if r.Current.HbarEquivalent <= 0 || r.Next.HbarEquivalent <= 0 {
		return ExchangeRates{}, errors.New("its hbar_equivalent is not positive")
	}
	return r, nil
}

// Fees are the prices of gas (FACTS.md 1.3).
type Fees struct {
	Fees      []Fee     `json:"fees"`
	Timestamp Timestamp `json:"timestamp"`
}

// Fee is the price of gas for a type of transaction: ContractCall,
// ContractCreate or EthereumTransaction.
type Fee struct {
	// Gas is in tinybar.
	Gas             int64  `json:"gas"`
	TransactionType string `json:"transaction_type"`
}

// Fees returns the prices of gas. (GET /api/v1/network/fees)
func (c *Client) Fees(ctx context.Context) (Fees, error) {
	return fetch(ctx, c, get(c.java, "/api/v1/network/fees", nil), decodeFees)
}

func decodeFees(body []byte) (Fees, error) {
	var f Fees
	if err := json.Unmarshal(body, &f); err != nil {
		return Fees{}, err
	}
	if f.Fees == nil {
		return Fees{}, errors.New("it has no list of fees")
	}
	return f, nil
}

// RegisteredNode is a node other than a consensus node (HIP-1137, FACTS.md
// 1.3). Pointers are nil where the mirror answers null.
type RegisteredNode struct {
	RegisteredNodeID int64                `json:"registered_node_id"`
	AdminKey         *Key                 `json:"admin_key"`
	CreatedTimestamp *Timestamp           `json:"created_timestamp"`
	Description      *string              `json:"description"`
	ServiceEndpoints []RegisteredEndpoint `json:"service_endpoints"`
	Timestamp        TimestampRange       `json:"timestamp"`
}

// RegisteredEndpoint is an address of a registered node; it has either a
// domain name or an IP address.
type RegisteredEndpoint struct {
	// Type is BLOCK_NODE, GENERAL_SERVICE, MIRROR_NODE or RPC_RELAY.
	Type           string                    `json:"type"`
	DomainName     *string                   `json:"domain_name"`
	IPAddress      *string                   `json:"ip_address"`
	Port           int64                     `json:"port"`
	RequiresTLS    bool                      `json:"requires_tls"`
	BlockNode      *RegisteredBlockNode      `json:"block_node"`
	GeneralService *RegisteredGeneralService `json:"general_service"`
}

// RegisteredBlockNode lists the APIs of a block node: OTHER, STATUS, PUBLISH,
// SUBSCRIBE_STREAM, STATE_PROOF or UNRECOGNIZED.
type RegisteredBlockNode struct {
	EndpointAPIs []string `json:"endpoint_apis"`
}

// RegisteredGeneralService describes a service of no other type.
type RegisteredGeneralService struct {
	Description *string `json:"description"`
}

// RegisteredNodes returns the registered nodes by ascending id. Mirrors before
// v0.153 do not have them: the error is [IsNotFound] then.
// (GET /api/v1/network/registered-nodes)
func (c *Client) RegisteredNodes(ctx context.Context) ([]RegisteredNode, error) {
	r := get(c.java, "/api/v1/network/registered-nodes", url.Values{"limit": {pageSize(maxRepeated)}})
	return all(ctx, c, r, decodeRegisteredNodes)
}

func decodeRegisteredNodes(body []byte) (page[RegisteredNode], error) {
	var r struct {
		Nodes []RegisteredNode `json:"registered_nodes"`
		Links links            `json:"links"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return page[RegisteredNode]{}, err
	}
	return newPage("registered_nodes", r.Nodes, r.Links)
}
