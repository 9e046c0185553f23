// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"errors"
	"testing"
)

const (
	fullStake = `{
  "max_stake_rewarded": 650000000000000000, "max_staking_reward_rate_per_hbar": 17808, "max_total_reward": 20, "node_reward_fee_fraction": 0.1,
  "reserved_staking_rewards": 30, "reward_balance_threshold": 40, "stake_total": 1470000000000000001,
  "staking_period": {"from": "1655164800.000000000", "to": "1655251200.000000000"}, "staking_period_duration": 1440, "staking_periods_stored": 365,
  "staking_reward_fee_fraction": 0.25, "staking_reward_rate": 100000000000, "staking_start_threshold": 25000000000000000, "unreserved_staking_reward_balance": 50
}`
	fullSupply   = `{"released_supply":"3999999999999999949","timestamp":"1586567700.453054000","total_supply":"5000000000000000000"}`
	fullRates    = `{"current_rate":{"cent_equivalent":596987,"expiration_time":1649689200,"hbar_equivalent":30000},"next_rate":{"cent_equivalent":594920,"expiration_time":1649692800,"hbar_equivalent":30000},"timestamp":"1649689200.123456789"}`
	fullFees     = `{"fees":[{"gas":852000,"transaction_type":"ContractCall"},{"gas":9007199254740993,"transaction_type":"EthereumTransaction"}],"timestamp":"1633392000.387357562"}`
	fullRegister = `{
  "admin_key": {"_type": "ED25519", "key": "4210"}, "created_timestamp": "1586567700.453054001", "description": "alpha", "registered_node_id": 1,
  "service_endpoints": [
    {"block_node": {"endpoint_apis": ["STATUS", "PUBLISH"]}, "domain_name": "block1.alpha.com", "general_service": null, "ip_address": null, "mirror_node": null, "port": 40840, "requires_tls": true, "rpc_relay": null, "type": "BLOCK_NODE"},
    {"block_node": null, "domain_name": null, "general_service": {"description": null}, "ip_address": "128.0.0.6", "mirror_node": null, "port": 1, "requires_tls": false, "rpc_relay": null, "type": "GENERAL_SERVICE"}
  ],
  "timestamp": {"from": "187654.000123457", "to": null}
}`
	nullRegister = `{"admin_key":null,"created_timestamp":null,"description":null,"registered_node_id":2,"service_endpoints":[],"timestamp":{"from":"1.0","to":null}}`
)

func TestNetwork(t *testing.T) {
	runCalls(t, []callTest{
		{
			name:  "Stake",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Stake(ctx)) },
			uri:   "/api/v1/network/stake",
			java:  true,
			route: "/api/v1/network/stake",
			body:  fullStake,
			want: Stake{
				StakeTotal: FieldOf(int64(1470000000000000001)), MaxStakeRewarded: FieldOf(int64(650000000000000000)), MaxStakingRewardRatePerHbar: FieldOf(int64(17808)), MaxTotalReward: FieldOf(int64(20)),
				ReservedStakingRewards: FieldOf(int64(30)), RewardBalanceThreshold: FieldOf(int64(40)), StakingRewardRate: FieldOf(int64(100000000000)), StakingStartThreshold: FieldOf(int64(25000000000000000)),
				UnreservedStakingRewardBalance: FieldOf(int64(50)), NodeRewardFeeFraction: FieldOf(0.1), StakingRewardFeeFraction: FieldOf(0.25),
				StakingPeriod: FieldOf(TimestampRange{From: FieldOf(Timestamp(1655164800_000000000)), To: FieldOf(Timestamp(1655251200_000000000))}),
			},
			empty: "{}", emptyErr: "it has no stake_total",
		},
		{
			name:  "Supply",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Supply(ctx)) },
			uri:   "/api/v1/network/supply",
			java:  true,
			route: "/api/v1/network/supply",
			body:  fullSupply,
			want:  Supply{ReleasedSupply: FieldOf(int64(3999999999999999949)), TotalSupply: FieldOf(int64(5000000000000000000))},
			empty: "{}", emptyErr: "it has no total_supply",
		},
		{
			name:  "ExchangeRates",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.ExchangeRates(ctx)) },
			uri:   "/api/v1/network/exchangerate",
			java:  true,
			route: "/api/v1/network/exchangerate",
			body:  fullRates,
			want: ExchangeRates{
				Current: FieldOf(exchangeRate(596987, 30000, 1649689200)),
				Next:    FieldOf(exchangeRate(594920, 30000, 1649692800)),
			},
			empty: "{}", emptyErr: "it has neither current_rate nor next_rate",
		},
		{
			name:  "Fees",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Fees(ctx)) },
			uri:   "/api/v1/network/fees",
			java:  true,
			route: "/api/v1/network/fees",
			body:  fullFees,
			want:  []Fee{{Gas: FieldOf(int64(852000)), TransactionType: "ContractCall"}, {Gas: FieldOf(int64(9007199254740993)), TransactionType: "EthereumTransaction"}},
			empty: "{}", emptyErr: "it has no list of fees",
		},
		{
			name:  "RegisteredNodes",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.RegisteredNodes(ctx)) },
			uri:   "/api/v1/network/registered-nodes?limit=100",
			java:  true,
			route: "/api/v1/network/registered-nodes",
			body:  `{"registered_nodes":[` + fullRegister + `,` + nullRegister + `],"links":{"next":null}}`,
			want: []RegisteredNode{
				{RegisteredNodeID: 1, Description: FieldOf("alpha"), ServiceEndpoints: FieldOf([]RegisteredEndpoint{{FieldOf("BLOCK_NODE")}, {FieldOf("GENERAL_SERVICE")}})},
				{RegisteredNodeID: 2, ServiceEndpoints: FieldOf([]RegisteredEndpoint{})},
			},
			empty: "{}", emptyErr: "it has no list of registered_nodes",
		},
	})
}

func second[T any](_ T, err error) error { return err }

func exchangeRate(cents, hbars, expires int64) ExchangeRate {
	return ExchangeRate{CentEquivalent: FieldOf(cents), HbarEquivalent: FieldOf(hbars), ExpirationTime: FieldOf(expires)}
}

func TestUSDPerHbar(t *testing.T) {
	if got, ok := exchangeRate(600000, 30000, 0).USDPerHbar(); got != 0.2 || !ok {
		t.Errorf("got %g, %t, want 0.2", got, ok)
	}
	for _, rate := range []ExchangeRate{{}, exchangeRate(1, 0, 0), exchangeRate(1, -1, 0), {HbarEquivalent: FieldOf(int64(1))}} {
		if got, ok := rate.USDPerHbar(); ok {
			t.Errorf("%+v is %g USD", rate, got)
		}
	}
}

func TestRegisteredNodesOfAnOldMirror(t *testing.T) {
	for _, status := range []int{400, 404} {
		srv := newServer(t, answer(status, ""))
		c, _, _ := newTestClient(t, srv.URL)
		_, err := c.RegisteredNodes(t.Context())
		var got *StatusError
		if !errors.As(err, &got) || got.Code != status {
			t.Errorf("%d is not recognisable in %v", status, err)
		}
	}
}
