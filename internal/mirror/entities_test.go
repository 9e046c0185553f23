// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"testing"
)

const (
	nullBlock = `{"count":0,"gas_used":null,"hapi_version":null,"hash":"0x","logs_bloom":null,"name":"","number":0,"previous_hash":"0x","size":null,"timestamp":{"from":"1.0","to":null}}`
	fullBlock = `{
  "count": 3, "gas_used": 9007199254740993, "hapi_version": "0.80.0", "hash": "0x3c08", "logs_bloom": "0x0000", "name": "2022-05-03T06_46_26.060890949Z.rcd",
  "number": 77, "previous_hash": "0xf7d6", "size": 8192, "timestamp": {"from": "1651560386.060890949", "to": "1651560386.661997287"}
}`

	fullToken = `{
  "admin_key": null, "auto_renew_account": "0.0.6", "auto_renew_period": 7776000, "created_timestamp": "1234567890.000000001",
  "custom_fees": {"created_timestamp": "1234567890.000000001", "fixed_fees": [], "fractional_fees": []}, "decimals": "8", "deleted": false,
  "expiry_timestamp": 1893456000000000001, "freeze_default": true, "initial_supply": "1000000", "max_supply": "9223372036854775807", "memo": "token memo",
  "modified_timestamp": "1234567890.000000002", "name": "Token name", "pause_status": "UNPAUSED", "supply_type": "FINITE", "symbol": "TKN",
  "token_id": "0.0.1135", "total_supply": "9007199254740993", "treasury_account_id": "0.0.98", "type": "FUNGIBLE_COMMON"
}`
	nullToken = `{
  "token_id": "0.0.1136", "auto_renew_account": null, "auto_renew_period": null, "created_timestamp": null, "deleted": null, "expiry_timestamp": null,
  "modified_timestamp": null, "treasury_account_id": null, "decimals": "0", "initial_supply": "0", "max_supply": "0", "total_supply": "0"
}`

	fullRelationship = `{"automatic_association":true,"balance":9007199254740993,"created_timestamp":"123456789.000000001","decimals":3,"freeze_status":"FROZEN","kyc_status":"GRANTED","token_id":"0.0.27335"}`

	fullContract = `{
  "admin_key": {"_type": "ProtobufEncoded", "key": "7b22"}, "auto_renew_account": "0.0.6", "auto_renew_period": 7776000, "contract_id": "0.0.10001",
  "created_timestamp": "1633466568.317650000", "deleted": true, "evm_address": "0x0000000000000000000000000000000000002711",
  "expiration_timestamp": "1641242568.317650000", "file_id": "0.0.1000", "max_automatic_token_associations": -1, "memo": "First contract",
  "nonce": 1, "obtainer_id": "0.0.101", "permanent_removal": false, "proxy_account_id": "0.0.100", "timestamp": {"from": "1633466568.317650000", "to": null}
}`
	nullContract = `{
  "admin_key": null, "auto_renew_account": null, "auto_renew_period": null, "contract_id": "0.0.10002", "created_timestamp": null, "deleted": false,
  "evm_address": null, "expiration_timestamp": null, "file_id": null, "max_automatic_token_associations": null, "memo": "", "nonce": null,
  "obtainer_id": null, "permanent_removal": null, "proxy_account_id": null, "timestamp": {"from": "1.0", "to": null}
}`

	fullTransaction = `{
  "batch_key": null, "bytes": null, "charged_tx_fee": 9007199254740993, "consensus_timestamp": "1234567890.000000007", "entity_id": "0.0.2281979",
  "high_volume": false, "high_volume_pricing_multiplier": null, "max_custom_fees": [], "max_fee": "33", "memo_base64": null, "name": "CRYPTOTRANSFER",
  "nft_transfers": [], "node": "0.0.3", "nonce": 1, "parent_consensus_timestamp": "1234567890.000000006", "result": "SUCCESS", "scheduled": true,
  "staking_reward_transfers": [{"account": "0.0.3", "amount": 150}], "token_transfers": [], "transaction_hash": "vigz",
  "transaction_id": "0.0.8-1234567890-000000006",
  "transfers": [{"account": "0.0.8", "amount": -9007199254740993, "is_approval": true}, {"account": "0.0.98", "amount": 1, "is_approval": false}],
  "valid_duration_seconds": "11", "valid_start_timestamp": "1234567890.000000006"
}`
	nullTransaction = `{
  "charged_tx_fee": 0, "consensus_timestamp": "1234567891.000000007", "entity_id": null, "node": null, "nonce": 0, "parent_consensus_timestamp": null,
  "result": "INVALID_SIGNATURE", "scheduled": false, "transaction_id": "0.0.9-1-0", "transfers": []
}`

	fullAllowance = `{"amount":9007199254740993,"amount_granted":9223372036854775807,"owner":"0.0.2","spender":"0.0.8488","timestamp":{"from":"1586567700.453054000","to":null},"token_id":"0.0.1032"}`

	fullNFTAllowance = `{"approved_for_all":true,"owner":"0.0.2","spender":"0.0.8488","timestamp":{"from":"1586567700.453054000","to":null},"token_id":"0.0.1032"}`

	otherAllowance = `{"amount":1,"amount_granted":1,"owner":"0.0.2","spender":"0.0.8489","timestamp":{"from":"1586567700.453054000","to":null},"token_id":"0.0.1032"}`

	fullMessage = `{"chunk_info":null,"consensus_timestamp":"1234567890.000000001","message":"bWVzc2FnZQ==","payer_account_id":"0.0.10","running_hash":"cnVu","running_hash_version":2,"sequence_number":9007199254740993,"topic_id":"0.0.7"}`

	fullSchedule = `{
  "admin_key": null, "consensus_timestamp": "1586567700.453054000", "creator_account_id": "0.0.1024", "deleted": false, "executed_timestamp": "1586567701.0",
  "expiration_time": "1586567800.453054000", "memo": "created on 02/10/2021", "payer_account_id": "0.0.1025", "schedule_id": "0.0.1026",
  "signatures": [{"consensus_timestamp": "1586567700.453054000", "public_key_prefix": "AAEBAwuqAwzB", "signature": "3q2+7wABAQMLqgMMwQ==", "type": "ED25519"}],
  "transaction_body": "Kd6tvu8=", "wait_for_expiry": true
}`
	nullSchedule = `{
  "consensus_timestamp": "1.0", "creator_account_id": null, "deleted": false, "executed_timestamp": null, "expiration_time": null, "memo": "",
  "payer_account_id": null, "schedule_id": "0.0.1027", "signatures": [], "wait_for_expiry": false
}`
)

var (
	wantBlock = Block{
		Number: 77, Count: FieldOf(int64(3)), GasUsed: FieldOf(int64(9007199254740993)), HAPIVersion: FieldOf("0.80.0"),
		Size:      FieldOf(int64(8192)),
		Timestamp: FieldOf(TimestampRange{From: FieldOf(Timestamp(1651560386_060890949)), To: FieldOf(Timestamp(1651560386_661997287))}),
	}
	wantRelationship = TokenRelationship{
		TokenID: "0.0.27335", Balance: FieldOf(int64(9007199254740993)), Decimals: FieldOf(int32(3)), FreezeStatus: FieldOf("FROZEN"), KYCStatus: FieldOf("GRANTED"),
	}
	wantAllowance = Allowance{
		Spender: "0.0.8488", Amount: FieldOf(int64(9007199254740993)), AmountGranted: FieldOf(int64(9223372036854775807)), TokenID: "0.0.1032",
	}
)

func TestEntities(t *testing.T) {
	runCalls(t, []callTest{
		{
			name:  "Account",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Account(ctx, "0xac384c53")) },
			uri:   "/api/v1/accounts/0xac384c53?transactions=false",
			route: "/api/v1/accounts/{id}",
			body:  nullAccount,
			want:  Account{ID: "0.0.9", PendingReward: FieldOf(int64(0))},
			empty: "{}", emptyErr: "it has no account",
		},
		{
			name: "Balances",
			call: func(ctx context.Context, c *Client) (any, error) {
				return batch(c.Balances(ctx, []string{"0.0.2", "0.0.3"}))
			},
			uri:   "/api/v1/balances?account.id=0.0.2&account.id=0.0.3&limit=100",
			route: "/api/v1/balances",
			body:  `{"timestamp":"1.0","balances":[{"account":"0.0.3","balance":0,"tokens":[]},{"account":"0.0.2","balance":9007199254740993,"tokens":[{"token_id":"0.0.5","balance":1}]}],"links":{"next":null}}`,
			want:  map[string]Balance{"0.0.2": {Account: "0.0.2", Balance: FieldOf(int64(9007199254740993))}, "0.0.3": {Account: "0.0.3", Balance: FieldOf(int64(0))}},
			empty: "{}", emptyErr: "it has no list of balances",
		},
		{
			name:  "LatestBlock",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.LatestBlock(ctx)) },
			uri:   "/api/v1/blocks?limit=1&order=desc",
			route: "/api/v1/blocks",
			body:  `{"blocks":[` + fullBlock + `],"links":{"next":"/api/v1/blocks?limit=1&order=desc&block.number=lt:77"}}`,
			want:  wantBlock,
			empty: `{"blocks":[],"links":{"next":null}}`, emptyErr: "the mirror has no block yet",
		},
		{
			name:  "Token",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Token(ctx, "0.0.1135")) },
			uri:   "/api/v1/tokens/0.0.1135",
			route: "/api/v1/tokens/{id}",
			body:  fullToken,
			want: Token{
				ID: "0.0.1135", Name: FieldOf("Token name"), Symbol: FieldOf("TKN"), Type: FieldOf("FUNGIBLE_COMMON"), SupplyType: FieldOf("FINITE"), Decimals: FieldOf(int32(8)),
				TotalSupply: FieldOf(int64(9007199254740993)), MaxSupply: FieldOf(int64(9223372036854775807)),
				TreasuryAccountID: FieldOf("0.0.98"), PauseStatus: FieldOf("UNPAUSED"), Deleted: FieldOf(false), ExpiryTimestamp: FieldOf(nanoTimestamp(1893456000_000000001)),
			},
			empty: "{}", emptyErr: "it has no token_id",
		},
		{
			name:  "Token with nulls",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Token(ctx, "0.0.1136")) },
			uri:   "/api/v1/tokens/0.0.1136",
			route: "/api/v1/tokens/{id}",
			body:  nullToken,
			want:  Token{ID: "0.0.1136", Decimals: FieldOf(int32(0)), TotalSupply: FieldOf(int64(0)), MaxSupply: FieldOf(int64(0))},
			empty: "null", emptyErr: "it has no token_id",
		},
		{
			name:  "Topic",
			call:  func(ctx context.Context, c *Client) (any, error) { return plain(c.Topic(ctx, "0.0.9001")) },
			uri:   "/api/v1/topics/0.0.9001",
			route: "/api/v1/topics/{id}",
			java:  true,
			body:  `{"admin_key":null,"deleted":true,"memo":"","topic_id":"0.0.9001"}`,
			want:  Topic{ID: "0.0.9001", Deleted: FieldOf(true)},
			empty: "null", emptyErr: "it has no topic_id",
		},
		{
			name:  "AccountTokens",
			call:  func(ctx context.Context, c *Client) (any, error) { return maybe(c.AccountTokens(ctx, "0.0.2", 10)) },
			uri:   "/api/v1/accounts/0.0.2/tokens?limit=11",
			route: "/api/v1/accounts/{id}/tokens",
			body:  `{"tokens":[` + fullRelationship + `],"links":{"next":null}}`,
			want:  optional[[]TokenRelationship]{[]TokenRelationship{wantRelationship}, false},
			empty: "{}", emptyErr: "it has no list of tokens",
		},
		{
			name: "AccountToken",
			call: func(ctx context.Context, c *Client) (any, error) {
				return maybe(c.AccountToken(ctx, "0.0.2", "0.0.27335"))
			},
			uri:   "/api/v1/accounts/0.0.2/tokens?limit=1&token.id=0.0.27335",
			route: "/api/v1/accounts/{id}/tokens",
			body:  `{"tokens":[` + fullRelationship + `],"links":{"next":"/api/v1/accounts/0.0.2/tokens?limit=1&token.id=gt:0.0.27335"}}`,
			want:  optional[TokenRelationship]{wantRelationship, true},
			empty: "{}", emptyErr: "it has no list of tokens",
		},
		{
			name: "AccountToken of none",
			call: func(ctx context.Context, c *Client) (any, error) {
				return maybe(c.AccountToken(ctx, "0.0.2", "0.0.27335"))
			},
			uri:   "/api/v1/accounts/0.0.2/tokens?limit=1&token.id=0.0.27335",
			route: "/api/v1/accounts/{id}/tokens",
			body:  `{"tokens":[],"links":{"next":null}}`,
			want:  optional[TokenRelationship]{},
			empty: "[]", emptyErr: "it is not an object",
		},
		{
			name: "Contracts",
			call: func(ctx context.Context, c *Client) (any, error) {
				return batch(c.Contracts(ctx, []string{"0.0.10001", "0.0.10002"}))
			},
			uri:   "/api/v1/contracts?contract.id=0.0.10001&contract.id=0.0.10002&limit=100",
			route: "/api/v1/contracts",
			body:  `{"contracts":[` + nullContract + `,` + fullContract + `],"links":{"next":null}}`,
			want: map[string]Contract{
				"0.0.10001": {ID: "0.0.10001", Deleted: FieldOf(true), ExpirationTimestamp: FieldOf(Timestamp(1641242568_317650000))},
				"0.0.10002": {ID: "0.0.10002", Deleted: FieldOf(false)},
			},
			empty: "{}", emptyErr: "it has no list of contracts",
		},
		{
			name:  "CryptoAllowances",
			call:  func(ctx context.Context, c *Client) (any, error) { return maybe(c.CryptoAllowances(ctx, "0.0.2", 500)) },
			uri:   "/api/v1/accounts/0.0.2/allowances/crypto?limit=100",
			route: "/api/v1/accounts/{id}/allowances/crypto",
			body:  `{"allowances":[` + fullAllowance + `],"links":{"next":null}}`,
			want:  optional[[]Allowance]{[]Allowance{wantAllowance}, false},
			empty: "{}", emptyErr: "it has no list of allowances",
		},
		{
			name:  "TokenAllowances",
			call:  func(ctx context.Context, c *Client) (any, error) { return maybe(c.TokenAllowances(ctx, "0.0.2", 1)) },
			uri:   "/api/v1/accounts/0.0.2/allowances/tokens?limit=2",
			route: "/api/v1/accounts/{id}/allowances/tokens",
			body:  `{"allowances":[` + fullAllowance + `,` + otherAllowance + `],"links":{"next":null}}`,
			want:  optional[[]Allowance]{[]Allowance{wantAllowance}, true},
			empty: "{}", emptyErr: "it has no list of allowances",
		},
		{
			name:  "NFTAllowances",
			call:  func(ctx context.Context, c *Client) (any, error) { return maybe(c.NFTAllowances(ctx, "0.0.2", 500)) },
			uri:   "/api/v1/accounts/0.0.2/allowances/nfts?limit=100&owner=true",
			java:  true,
			route: "/api/v1/accounts/{id}/allowances/nfts",
			body:  `{"allowances":[` + fullNFTAllowance + `],"links":{"next":null}}`,
			want:  optional[[]NFTAllowance]{[]NFTAllowance{{Spender: "0.0.8488", TokenID: "0.0.1032", ApprovedForAll: FieldOf(true)}}, false},
			empty: "{}", emptyErr: "it has no list of allowances",
		},
		{
			name:  "LatestTopicMessage",
			call:  func(ctx context.Context, c *Client) (any, error) { return maybe(c.LatestTopicMessage(ctx, "0.0.7")) },
			uri:   "/api/v1/topics/0.0.7/messages?limit=1&order=desc",
			route: "/api/v1/topics/{id}/messages",
			body:  `{"messages":[` + fullMessage + `],"links":{"next":"/api/v1/topics/0.0.7/messages?limit=1&order=desc&timestamp=lt:1234567890.000000001"}}`,
			want:  optional[TopicMessage]{TopicMessage{SequenceNumber: 9007199254740993, ConsensusTimestamp: FieldOf(Timestamp(1234567890_000000001))}, true},
			empty: "{}", emptyErr: "it has no list of messages",
		},
		{
			name: "TopicMessage",
			call: func(ctx context.Context, c *Client) (any, error) {
				return maybe(c.TopicMessage(ctx, "0.0.7", 9007199254740993))
			},
			uri:   "/api/v1/topics/0.0.7/messages?limit=1&sequencenumber=eq%3A9007199254740993",
			route: "/api/v1/topics/{id}/messages",
			body:  `{"messages":[` + fullMessage + `],"links":{"next":null}}`,
			want:  optional[TopicMessage]{TopicMessage{SequenceNumber: 9007199254740993, ConsensusTimestamp: FieldOf(Timestamp(1234567890_000000001))}, true},
			empty: "{}", emptyErr: "it has no list of messages",
		},
		{
			name:  "LatestTopicMessage of none",
			call:  func(ctx context.Context, c *Client) (any, error) { return maybe(c.LatestTopicMessage(ctx, "0.0.7")) },
			uri:   "/api/v1/topics/0.0.7/messages?limit=1&order=desc",
			route: "/api/v1/topics/{id}/messages",
			body:  `{"messages":[],"links":{"next":null}}`,
			want:  optional[TopicMessage]{},
			empty: `{"messages":null}`, emptyErr: "it has no list of messages",
		},
	})
}
