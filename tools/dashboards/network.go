// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

func network() board {
	return board{
		uid: "hedera-network", title: "Hedera / Network and staking",
		description: "Throughput, blocks, gas, exchange rate, fees, supply, staking, versions, the canary and JSON-RPC relays of each network.",
		rows: []row{
			{panels: networkFigures()},
			{title: "Throughput", panels: networkThroughput()},
			{title: "Exchange rate, fees and supply", panels: networkEconomy()},
			{title: "Staking", panels: networkStaking()},
			{title: "Versions and registered nodes", panels: networkVersions()},
			{title: "Canary", panels: networkCanary()},
			{title: "JSON-RPC relays", panels: networkRelays()},
		},
	}
}

const feeInUSD = `max by (network, transaction_type) (hedera_network_fee_usd{@network})`

func ofNetwork(metric string) string {
	return `max by (network) (` + metric + `)`
}

func networkFigures() []panel {
	return []panel{
		{
			view: statPanel(), title: "Transactions per second", width: 4, height: 4, unit: perSec, decimals: new(1.0), colours: from(red).at(0.000001, blue), none: "No blocks",
			description: "Transactions in the blocks that the mirror has seen. 0 means that the network has stopped or that the mirror is behind.",
			runbook:     "HederaTransactionsStalled",
			queries:     []query{{expr: tps, legend: "{{network}}"}},
		},
		{
			view: statPanel(), title: "Latest block", width: 4, height: 4, unit: "none", decimals: new(0.0), colours: neutral, none: "No blocks",
			description: "Number of the mirror's latest block. It grows by one every two seconds; standing still, the network or the mirror has stopped.",
			runbook:     "HederaBlockProductionStalled",
			queries:     []query{{expr: ofNetwork(`hedera_block_number{@network}`), legend: "{{network}}"}},
		},
		{
			view: statPanel(), title: "USD per hbar", width: 4, height: 4, unit: usd, decimals: new(4.0), colours: neutral, none: "No rate",
			description: "The rate by which fees are charged. A jump changes what everything costs in hbar.",
			runbook:     "HederaExchangeRateMoved",
			queries:     []query{{expr: ofNetwork(`hedera_exchange_rate_usd_per_hbar{@network,period="current"}`), legend: "{{network}}"}},
		},
		{
			view: statPanel(), title: "Staked", width: 4, height: 4, unit: hbar, colours: neutral, none: "No stake",
			description: "Stake on all nodes. A sudden fall is a large holder who has left.",
			runbook:     "HederaNodeStakeBelowMinimum",
			queries:     []query{{expr: ofNetwork(`hedera_network_stake_hbar{@network}`), legend: "{{network}}"}},
		},
		{
			view: statPanel(), title: "Reward a year", width: 4, height: 4, unit: ratio, decimals: new(2.0), colours: neutral, none: "No stake",
			description: "The reward rate of the last staking period, for a year and over all stake. Near 0 the reward account runs low.",
			runbook:     "HederaAccountRewardUnclaimed",
			queries:     []query{{expr: ofNetwork(`hedera_network_staking_reward_rate_hbar{@network}`) + ` * 365 / ` + ofNetwork(`hedera_network_stake_hbar{@network}`), legend: "{{network}}"}},
		},
		{
			view: colouredStatPanel(), title: "Age of staking figures", width: 4, height: 4, unit: seconds, decimals: new(1.0), colours: from(green).at(25*3600, orange).at(49*3600, red), none: "No stake",
			description: "Time since the end of the last staking period that the mirror has. More than 25 hours means that the network has not ended the next one.",
			runbook:     "HederaMirrorLagging",
			queries:     []query{{expr: `time() - min(hedera_network_staking_period_end_timestamp_seconds{@network})`, legend: "end of period", instant: true}},
		},
	}
}

func networkThroughput() []panel {
	return []panel{
		{
			view: lines(), title: "Transactions per second", width: 8, height: 8, unit: perSec, min: new(0.0), none: "No blocks",
			description: "Far below the same hour of other days for long is worth a look at the network's status page.",
			runbook:     "HederaThroughputLow",
			queries:     []query{{expr: tps, legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Blocks per second", width: 8, height: 8, unit: perSec, min: new(0.0), none: "No blocks",
			description: "Growth of the block number: 0.5 is normal. 0 means that no blocks are made or imported; above 0.5 the mirror is catching up.",
			runbook:     "HederaBlockProductionStalled",
			queries:     []query{{expr: ofNetwork(`deriv(hedera_block_number{@network}[$__rate_interval])`), legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Gas per second", width: 8, height: 8, unit: perSec, min: new(0.0), none: "No blocks",
			description: "Gas used by contracts. Near the network's limit of gas per second, contract calls are throttled.",
			runbook:     "HederaThroughputHigh",
			queries:     []query{{expr: ofNetwork(`rate(hedera_network_gas_used_total{@network}[$__rate_interval])`), legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Transactions in the latest block", width: 6, height: 7, unit: count, min: new(0.0), none: "No blocks",
			description: "A sample at each scrape. Empty blocks one after the other mean that nothing gets through.",
			runbook:     "HederaTransactionsStalled",
			queries:     []query{{expr: ofNetwork(`hedera_block_transactions{@network}`), legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Gas in the latest block", width: 6, height: 7, unit: count, min: new(0.0), none: "No blocks",
			description: "A sample at each scrape. A flat top is the limit of gas in a block.",
			runbook:     "HederaThroughputHigh",
			queries:     []query{{expr: ofNetwork(`hedera_block_gas_used{@network}`), legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Size of the latest block", width: 6, height: 7, unit: size, min: new(0.0), none: "No blocks",
			description: "A sample at each scrape. Blocks that grow slow the mirror's import.",
			runbook:     "HederaMirrorLagging",
			queries:     []query{{expr: ofNetwork(`hedera_block_size_bytes{@network}`), legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Blocks left out of the counters", width: 6, height: 7, unit: count, min: new(0.0), none: "No blocks",
			description: "Blocks in an hour that the mirror did not have or that were too many for one scrape. Throughput is understated by them: scrape more often.",
			runbook:     "HederaTransactionsBacklogGrowing",
			queries:     []query{{expr: ofNetwork(`increase(hedera_network_blocks_skipped_total{@network}[1h])`), legend: "{{network}}"}},
		},
	}
}

func networkEconomy() []panel {
	return []panel{
		{
			view: lines(), title: "USD per hbar", width: 8, height: 8, unit: usd, decimals: new(4.0), none: "No rate",
			description: "The current rate and the one that follows it within the hour. A wide gap is a market that moves.",
			runbook:     "HederaExchangeRateMoved",
			queries:     []query{{expr: `max by (network, period) (hedera_exchange_rate_usd_per_hbar{@network})`, legend: "{{network}} {{period}}"}},
		},
		{
			view: lines(), title: "Exchange rate expires in", width: 8, height: 8, unit: seconds, none: "No rate",
			description: "The next rate below 0 means that the network has not set a new one: fees are charged by an old price.",
			runbook:     "HederaExchangeRateMoved",
			queries:     []query{{expr: `max by (network, period) (hedera_exchange_rate_expiry_timestamp_seconds{@network}) - time()`, legend: "{{network}} {{period}}"}},
		},
		{
			view: lines(), title: "Price of a million gas", width: 8, height: 8, unit: hbar, min: new(0.0), none: "No fees",
			description: "By transaction type. It follows the exchange rate; a change without one is a new fee schedule.",
			runbook:     "HederaExchangeRateMoved",
			queries:     []query{{expr: `1e6 * max by (network, transaction_type) (hedera_network_gas_price_hbar{@network})`, legend: "{{network}} {{transaction_type}}"}},
		},
		{
			view: lines(), title: "Supply", width: 12, height: 7, unit: hbar, min: new(0.0), none: "No supply",
			description: "Total supply, which never changes on mainnet, and what is released from the treasury. A change of the total is an emergency.",
			runbook:     "HederaSupplyChanged",
			queries:     []query{{expr: `max by (network, kind) (hedera_network_supply_hbar{@network})`, legend: "{{network}} {{kind}}"}},
		},
		{
			view: lines(), title: "Share of the fees for rewards", width: 12, height: 7, unit: ratio, min: new(0.0), none: "No stake",
			description: "Shares of each fee that go to the staking and node reward accounts. They change by decision of the council only.",
			runbook:     "HederaHapiVersionChanged",
			queries: []query{
				{expr: ofNetwork(`hedera_network_staking_reward_fee_ratio{@network}`), legend: "{{network}} staking rewards"},
				{expr: ofNetwork(`hedera_network_node_reward_fee_ratio{@network}`), legend: "{{network}} node rewards"},
			},
		},
		{
			view: logarithmic(), title: "Fees of usual transactions", width: 13, height: 8, unit: usd, none: "Older mirror",
			description: "What the mirror estimates in USD for transactions with one signature. A step is a new fee schedule: what you pay in hbar changes with it.",
			runbook:     "HederaFeeChanged",
			queries:     []query{{expr: feeInUSD, legend: "{{network}} {{transaction_type}}"}},
		},
		{
			view: tablePanel("Transaction", false), title: "Fees now", width: 11, height: 8, unit: "string", none: "Older mirror",
			description: "The same in USD and, by the current rate, in hbar. They are read once an hour: older ones mean that the mirror no longer estimates fees.",
			runbook:     "HederaFeeChanged",
			labels:      []column{{label: "transaction_type", title: "Transaction", width: 190}, networkColumn},
			queries: []query{
				{expr: feeInUSD, column: column{title: "Fee in USD", unit: usd}},
				{expr: feeInUSD + ` / on (network) group_left () ` + usdRate, column: column{title: "In hbar", unit: hbar}},
				{
					expr:   `max by (network, transaction_type) (hedera_network_fee_collected_timestamp_seconds{@network}) * 1000`,
					column: column{title: "Read", unit: since},
				},
			},
		},
	}
}

func networkStaking() []panel {
	return []panel{
		{
			view: lines(), title: "Stake", width: 8, height: 8, unit: hbar, min: new(0.0), none: "No stake",
			description: "Stake on all nodes, and the stake above which an hbar staked earns less.",
			runbook:     "HederaNodeStakeBelowMinimum",
			queries: []query{
				{expr: ofNetwork(`hedera_network_stake_hbar{@network}`), legend: "{{network}} staked"},
				{expr: ofNetwork(`hedera_network_stake_rewarded_maximum_hbar{@network}`), legend: "{{network}} full reward up to"},
			},
		},
		{
			view: lines(), title: "Rewards of a staking period", width: 8, height: 8, unit: hbar, min: new(0.0), none: "No stake",
			description: "What is distributed in a day and the most that could be. A rate below the most means that the reward account runs low.",
			runbook:     "HederaAccountRewardUnclaimed",
			queries: []query{
				{expr: ofNetwork(`hedera_network_staking_reward_rate_hbar{@network}`), legend: "{{network}} distributed"},
				{expr: ofNetwork(`hedera_network_staking_reward_maximum_hbar{@network}`), legend: "{{network}} maximum"},
			},
		},
		{
			view: lines(), title: "Most that a staked hbar earns in a year", width: 8, height: 8, unit: ratio, min: new(0.0), none: "No stake",
			description: "365 times the most of a staking period. It is set by the council.",
			runbook:     "HederaHapiVersionChanged",
			queries:     []query{{expr: `365 * ` + ofNetwork(`hedera_network_staking_reward_per_hbar_maximum_hbar{@network}`), legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Reward account 0.0.800", width: 12, height: 8, unit: hbar, min: new(0.0), none: "No stake",
			description: "Unreserved below its threshold lowers the reward rate. Reserved is earned and not yet paid.",
			runbook:     "HederaAccountRewardUnclaimed",
			queries: []query{
				{expr: ofNetwork(`hedera_network_unreserved_staking_reward_balance_hbar{@network}`), legend: "{{network}} unreserved"},
				{expr: ofNetwork(`hedera_network_reserved_staking_rewards_hbar{@network}`), legend: "{{network}} reserved"},
				{expr: ofNetwork(`hedera_network_reward_balance_threshold_hbar{@network}`), legend: "{{network}} threshold"},
				{expr: ofNetwork(`hedera_network_staking_start_threshold_hbar{@network}`), legend: "{{network}} rewards begin at"},
			},
		},
		{
			view: lines(), title: "Share of the released supply that is staked", width: 12, height: 8, unit: ratio, min: new(0.0), none: "No stake",
			description: "A sudden fall is a large holder who has left.",
			runbook:     "HederaNodeStakeBelowMinimum",
			queries:     []query{{expr: ofNetwork(`hedera_network_stake_hbar{@network}`) + ` / ` + ofNetwork(`hedera_network_supply_hbar{@network,kind="released"}`), legend: "{{network}}"}},
		},
	}
}

func networkVersions() []panel {
	return []panel{
		{
			view: tablePanel("Network", false), title: "Versions", width: 8, height: 7, unit: "string", none: "No blocks",
			description: "Version of the consensus nodes' API in the latest block, and when the network was last told to freeze, as it is for an upgrade. Check that your SDK supports a new one.",
			runbook:     "HederaHapiVersionChanged",
			labels:      []column{networkColumn, {label: "version", title: "HAPI version"}},
			queries: []query{
				{expr: `max by (network, version) (hedera_network_hapi_version_info{@network})`},
				{
					expr:   ofNetwork(`hedera_network_last_freeze_transaction_timestamp_seconds{@network}`) + ` * 1000`,
					column: column{title: "Last freeze transaction", unit: since},
				},
			},
		},
		{
			view: statPanel(), title: "Registered nodes", width: 4, height: 7, unit: count, colours: neutral, none: "Older mirror",
			description: "Block nodes, mirror nodes, relays and other services that are registered. Absent on mirrors before v0.153.",
			runbook:     "HederaNodeLeft",
			queries:     []query{{expr: ofNetwork(`hedera_registered_nodes{@network}`), legend: "{{network}}"}},
		},
		{
			view: tablePanel("Id", false), title: "Registered nodes", width: 12, height: 7, unit: "string", none: "Older mirror, or none registered",
			description: "What is registered, with how many endpoints. None means that it cannot be reached.",
			runbook:     "HederaNodeLeft",
			labels:      []column{networkColumn, {label: "registered_node_id", title: "Id", width: 60}, {label: "type", title: "Type"}, {label: "description", title: "Description"}},
			queries: []query{
				{expr: `max by (network, registered_node_id, type, description) (hedera_registered_node_info{@network})`},
				{expr: `max by (network, registered_node_id) (hedera_registered_node_endpoints{@network})`, column: column{title: "Endpoints", unit: "none", width: 90, colours: zeroIsBad}},
			},
		},
	}
}

// networkRelays are of blackbox_exporter: deploy/prometheus has its configuration.
func networkRelays() []panel {
	const (
		none   = "No relay is probed"
		legend = "{{network}} {{relay}} {{method}}"
	)
	by := func(metric string) string { return `max by (network, relay, method) (` + metric + `{@relay})` }
	return []panel{
		{
			view: timeline(), points: timelinePoints, title: "Relays", width: 8, height: 8, unit: count, colours: zeroIsBad, values: upOrDown, none: none,
			description: "Whether each relay answers with a block number, and with the chain id of its network. Down in eth_chainId alone is the relay of another chain.",
			runbook:     "relay/HederaRelayDown",
			queries:     []query{{expr: `max by (network, relay, method) (min_over_time(probe_success{@relay}[$__rate_interval]))`, legend: legend}},
		},
		{
			view: lines(), title: "Time until relays answer", width: 8, height: 8, unit: seconds, min: new(0.0), none: none,
			description: "Of a whole probe: name, connection, TLS and answer. What uses the relay waits as long for each call.",
			runbook:     "relay/HederaRelayDown",
			queries:     []query{{expr: by(`probe_duration_seconds`), legend: legend}},
		},
		{
			view: tablePanel("State", false), title: "Answers of relays", width: 8, height: 8, unit: "string", none: none,
			description: "The last answer. Status 0 is none at all; 429 means that the relay limits you; down with 200 is a JSON-RPC error, or another chain.",
			runbook:     "relay/HederaRelayWrongChain",
			labels:      []column{{label: "relay", title: "Relay"}, {label: "method", title: "Method"}, networkColumn},
			queries: []query{
				{expr: by(`probe_success`), column: column{title: "State", unit: count, colours: zeroIsBad, values: upOrDown, width: 80}},
				{expr: by(`probe_http_status_code`), column: column{title: "Status", unit: "none", width: 70, colours: from(red).at(200, green).at(300, red)}},
				{expr: by(`probe_duration_seconds`), column: column{title: "Took", unit: seconds, width: 80}},
			},
		},
	}
}
