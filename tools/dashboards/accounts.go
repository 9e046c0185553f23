// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	balance  = `max by (network, account_id, name) (hedera_account_balance_hbar{@account})`
	usdRate  = `max by (network) (hedera_exchange_rate_usd_per_hbar{@network,period="current"})`
	inUSD    = balance + ` * on (network) group_left () ` + usdRate
	overWarn = balance + ` / on (network, account_id) group_left () max by (network, account_id) (hedera_account_balance_minimum_hbar{@account,severity="warning"})`

	// emptyIn has the guard of HederaAccountRunningOut: one large payment is not a
	// trend, and what fell earlier does not fall now.
	emptyIn = `(account:hedera_account_balance_hbar:seconds_to_empty6h{@recordedAccount} and account:hedera_account_balance_hbar:delta1h{@recordedAccount} < 0` +
		` and changes(account:hedera_account_balance_hbar:moving{@recordedAccount}[6h]) >= 2)`

	// neediest are the accounts that can be chosen: those that the network does
	// not know, those near their warning minimum, and others. Queries for each of
	// 10,000 accounts would take Prometheus minutes.
	neediest = `bottomk(50, account_severity:hedera_account_balance_hbar:minimum_ratio{@recordedID,severity="warning"}` +
		` or account_severity:hedera_account_balance_hbar:minimum_ratio{@recordedName,severity="warning"}` +
		` or on (network, account_id) max by (network, account_id, name) (bottomk(100, hedera_account_exists{@foundID})) * 1e15` +
		` or on (network, account_id) max by (network, account_id, name) (bottomk(100, hedera_account_exists{@foundName})) * 1e15)`
)

// fewPoints keep the answers for many lines small.
const fewPoints = 100

func accounts() board {
	return board{
		uid: "hedera-accounts", title: "Hedera / Accounts",
		description: "Balances against their minimums, what moves them, and everything else about the watched accounts. Of more than 50 accounts, those can be chosen that are nearest to their minimums, or those that are searched for by their id or a part of their name.",
		variables:   []cog.Builder[dashboard.VariableModel]{searchVariable(), accountVariable()},
		rows: []row{
			{title: "All accounts", panels: accountFigures()},
			{title: "Chosen accounts", panels: []panel{accountTable(), accountProperties()}},
			{title: "Balances", panels: accountBalances()},
			{title: "Transactions and fees", panels: accountTransactions()},
			{title: "Allowances and tokens", panels: append(accountAllowances(), accountTokens()...)},
		},
	}
}

func accountFigures() []panel {
	return []panel{
		{
			view: statPanel(), title: "Accounts", width: 3, height: 4, unit: count, colours: neutral, none: "No account",
			description: "Accounts that are watched and that the network knows. Fewer than configured means that an id is wrong or an account has vanished.",
			runbook:     "HederaAccountVanished",
			queries:     []query{{expr: `sum(network:hedera_account_exists:sum{@recorded})`, legend: "accounts"}},
		},
		{
			view: statPanel(), title: "Total balance", width: 4, height: 4, unit: hbar, colours: neutral, none: "No balance",
			description: "Sum of all accounts' balances. An unexpected step is an unexpected transfer.",
			runbook:     "HederaAccountBalanceDropped",
			queries:     []query{{expr: `sum(network:hedera_account_balance_hbar:sum{@recorded})`, legend: "hbar"}},
		},
		{
			view: statPanel(), title: "Total in USD", width: 4, height: 4, unit: usd, colours: neutral, none: "No rate",
			description: "The same by the rate at which the network charges fees, which follows the market by the hour. A step without one in hbar is the rate's.",
			runbook:     "HederaExchangeRateMoved",
			queries:     []query{{expr: `sum(network:hedera_account_balance_hbar:sum{@recorded} * on (network) ` + usdRate + `)`, legend: "USD"}},
		},
		{
			view: colouredStatPanel(), title: "Below minimum", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No account",
			description: "Accounts with less than one of their minimums. Top them up.",
			runbook:     "HederaAccountBalanceLow",
			queries: []query{{
				expr: `count(group by (network, account_id) (account_severity:hedera_account_balance_hbar:minimum_ratio{@recorded} < 1))` +
					` or 0 * count(network:hedera_account_balance_hbar:sum{@recorded})`,
				legend: "below", instant: true,
			}},
		},
		{
			view: colouredStatPanel(), title: "First one empty in", width: 4, height: 4, unit: seconds, decimals: new(1.0), colours: timeLeft, none: "None is falling",
			description: "When the first account is empty if it goes on falling as in the last six hours, of those that have fallen several times in them and in the last hour: one large payment is not a trend. Less than a week is worth a top-up.",
			runbook:     "HederaAccountRunningOut",
			queries:     []query{{expr: `min(network:hedera_account_balance_hbar:seconds_to_empty6h_min{@recorded})`, legend: "time left", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Deleted or unknown", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No account",
			description: "Accounts that have been deleted or that the network does not know. Payments to them fail.",
			runbook:     "HederaAccountDeleted",
			queries:     []query{{expr: `sum(network:hedera_account_exists:gone{@recorded})`, legend: "gone", instant: true}},
		},
		{
			view: statPanel(), title: "Pending rewards", width: 3, height: 4, unit: hbar, colours: neutral, none: "No account stakes",
			description: "Staking rewards that the next transaction of each account collects. They lapse after 365 days without one.",
			runbook:     "HederaAccountRewardUnclaimed",
			queries:     []query{{expr: `sum(network:hedera_account_pending_reward_hbar:sum{@recorded})`, legend: "rewards"}},
		},
	}
}

func accountTable() panel {
	by := func(metric string) string { return `max by (network, account_id, name) (` + metric + `)` }
	return panel{
		view: tablePanel("Of minimum", false), title: "Balances", width: 24, height: 10, unit: "string", none: "No account is watched",
		description: "Of minimum is the balance as a multiple of the warning minimum: below 1 is too little. Change is that of the dashboard's time. Inactive: the mirror has no transaction of the account, on the public mirrors none in 60 days; what should use it does not.",
		runbook:     "HederaAccountBalanceLow",
		labels:      []column{nameColumn, accountColumn, networkColumn},
		queries: []query{
			{expr: balance, column: column{title: "Balance", unit: hbar}},
			{expr: inUSD, column: column{title: "In USD", unit: usd}},
			{expr: by(`hedera_account_balance_minimum_hbar{@account,severity="warning"}`), column: column{title: "Warning", unit: hbar}},
			{expr: by(`hedera_account_balance_minimum_hbar{@account,severity="critical"}`), column: column{title: "Critical", unit: hbar}},
			{expr: by(`hedera_account_balance_maximum_hbar{@account,severity="warning"}`), column: column{title: "Maximum", unit: hbar}},
			{expr: overWarn, column: column{title: "Of minimum", unit: "suffix:×", colours: balanceOver}},
			{expr: by(`delta(hedera_account_balance_hbar{@account}[$__range])`), column: column{title: "Change", unit: hbar, colours: from(orange).at(0, grey)}},
			{expr: emptyIn, column: column{title: "Empty in", unit: seconds, colours: timeLeft}},
			{expr: by(`hedera_account_pending_reward_hbar{@account}`), column: column{title: "Reward", unit: hbar}},
			{expr: by(`hedera_account_last_transaction_timestamp_seconds{@account}`) + ` * 1000`, column: column{title: "Last transaction", unit: since}},
			{expr: by(`hedera_account_inactive{@account}`), column: column{title: "Inactive", unit: count, values: named("✓ no", green, "✗ yes", orange), width: 80}},
		},
	}
}

func accountProperties() panel {
	by := func(metric string) string { return `max by (network, account_id, name) (` + metric + `)` }
	return panel{
		view: tablePanel("Name", false), title: "Properties", width: 24, height: 9, unit: "string", none: "No account is watched",
		description: "Facts that seldom change. An account that is gone, about to expire, or staked to another node than you chose is worth a look.",
		runbook:     "HederaAccountExpiring",
		labels: []column{
			nameColumn, accountColumn, networkColumn,
			{label: "key_type", title: "Key"},
			{label: "staked_node_id", title: "Staked node", width: 100},
			{label: "staked_account_id", title: "Staked account", width: 120},
			{label: "memo", title: "Memo"},
			teamColumn,
		},
		queries: []query{
			{expr: `max by (network, account_id, name, team) (hedera_account_labels{@account})`},
			{expr: `max by (network, account_id, name, key_type, staked_node_id, staked_account_id, memo) (hedera_account_info{@account})`},
			{expr: by(`hedera_account_exists{@account}`), column: column{title: "Exists", unit: count, values: noIsBad, width: 70}},
			{expr: by(`hedera_account_deleted{@account}`), column: column{title: "Deleted", unit: count, values: yesIsBad, width: 80}},
			{expr: by(`hedera_account_cold{@account}`), column: column{title: "Cold", unit: count, values: named("no", grey, "yes", grey), width: 60}},
			{expr: by(`hedera_account_expiry_timestamp_seconds{@account}`) + ` - time()`, column: column{title: "Expires in", unit: seconds, colours: expiry}},
			{expr: by(`hedera_account_auto_renew_period_seconds{@account}`), column: column{title: "Renewed for", unit: seconds}},
			{expr: by(`hedera_account_created_timestamp_seconds{@account}`) + ` * 1000`, column: column{title: "Created", unit: since}},
			{expr: by(`hedera_account_ethereum_nonce{@account}`), column: column{title: "Nonce", unit: "none", width: 70}},
			{expr: by(`hedera_account_heartbeat_seconds{@account}`), column: column{title: "Heartbeat", unit: seconds, width: 90}},
		},
	}
}

func accountBalances() []panel {
	change := `max by (network, account_id, name) (delta(hedera_account_balance_hbar{@account}[1h]))`
	return []panel{
		{
			view: wideRange(), points: fewPoints, title: "Balances and warning minimums", width: 12, height: 8, unit: hbar, none: "No balance",
			description: "The ten largest balances, and the minimums of as many. A fall that does not stop, or an unexpected step, is worth a look.",
			runbook:     "HederaAccountBalanceDropped",
			queries: []query{
				{expr: `topk(10, ` + balance + `)`, legend: "{{network}} {{name}}"},
				{
					expr:   `topk(10, max by (network, account_id, name) (hedera_account_balance_minimum_hbar{@account,severity="warning"}))`,
					legend: "{{network}} {{name}} minimum",
				},
			},
		},
		{
			view: bars(), title: "Balance as a multiple of the warning minimum", width: 12, height: 8, unit: "suffix:×", decimals: new(2.0), min: new(0.0), max: new(10.0), colours: balanceOver, none: "No minimum set",
			description: "The ten accounts that are nearest to their warning minimum; below 1 they need hbar.",
			runbook:     "HederaAccountBalanceLow",
			queries:     []query{{expr: `bottomk(10, ` + overWarn + `)`, legend: "{{network}} {{name}}", instant: true}},
		},
		{
			view: lines(), points: fewPoints, title: "Change in an hour", width: 12, height: 8, unit: hbar, none: "No balance",
			description: "What balances have gained or lost in an hour, the five largest of each. Compare with what the account is for.",
			runbook:     "HederaAccountBalanceDropped",
			queries:     []query{{expr: `bottomk(5, ` + change + `) or topk(5, ` + change + `)`, legend: "{{network}} {{name}}"}},
		},
		{
			view: guarded(), points: fewPoints, title: "Time until empty", width: 12, height: 8, unit: seconds, min: new(0.0), colours: timeLeft, none: "None is empty within a year",
			description: "Balance over its fall in the last six hours, of the ten accounts that are empty first, within a year. Less than a week is worth a top-up.",
			runbook:     "HederaAccountRunningOut",
			queries:     []query{{expr: `bottomk(10, ` + emptyIn + ` < 365 * 86400)`, legend: "{{network}} {{name}}"}},
		},
	}
}

func accountTransactions() []panel {
	const rate = `account_type_result:hedera_account_transactions:rate15m{@recordedAccount}`
	const none = "No account has transactions: true"
	return []panel{
		{
			view: stacked(), points: fewPoints, title: "Transactions by type", width: 6, height: 8, unit: perSec, min: new(0.0), none: none,
			description: "Transactions that the chosen accounts paid or had hbar transferred by, as a rate over 15 minutes. A type that an account never used before may be a stolen key.",
			runbook:     "HederaAccountTransactionRateUnusual",
			queries:     []query{{expr: `sum by (network, type) (` + rate + `)`, legend: "{{network}} {{type}}"}},
		},
		{
			view: stacked(), points: fewPoints, title: "Transactions by result", width: 6, height: 8, unit: perSec, min: new(0.0), none: none,
			description: "As a rate over 15 minutes. Failed transactions cost fees too. INSUFFICIENT_PAYER_BALANCE wants hbar; CONTRACT_REVERT_EXECUTED wants the contract's caller looked at.",
			runbook:     "HederaAccountTransactionsFailing",
			queries:     []query{{expr: `sum by (network, result) (` + rate + `)`, legend: "{{network}} {{result}}"}},
		},
		{
			view: guarded(), points: fewPoints, title: "Share of transactions that fail", width: 6, height: 8, unit: ratio, min: new(0.0), max: new(1.0), colours: from(green).at(0.1, orange).at(0.5, red), none: "No transaction failed",
			description: "In 15 minutes, of the ten accounts where it is most. A steady share is a fault in what submits them.",
			runbook:     "HederaAccountTransactionsFailing",
			queries: []query{{
				expr:   `topk(10, account:hedera_account_transactions:failure_ratio15m{@recordedAccount})`,
				legend: "{{network}} {{name}}",
			}},
		},
		{
			view: lines(), points: fewPoints, title: "Failed transactions in an hour", width: 6, height: 8, unit: count, min: new(0.0), none: none,
			description: "Of the ten accounts with most of them, all types and results together. Each one has cost a fee for nothing; the panel by result says why they fail.",
			runbook:     "HederaAccountTransactionsFailing",
			queries:     []query{{expr: `topk(10, max by (network, account_id, name) (increase(hedera_account_failed_transactions_total{@account}[1h])))`, legend: "{{network}} {{name}}"}},
		},
		{
			view: lines(), points: fewPoints, title: "Hbar in and out", width: 6, height: 8, unit: hbar, none: none,
			description: "Hbar per second that came in, and as negative values what went out, fees included, of the ten accounts with most. Unexpected outflow is an emergency.",
			runbook:     "HederaAccountBalanceDropped",
			queries: []query{
				{expr: `topk(10, max by (network, account_id, name) (rate(hedera_account_transferred_hbar_total{@account,direction="in"}[$__rate_interval])))`, legend: "{{network}} {{name}} in"},
				{expr: `-topk(10, max by (network, account_id, name) (rate(hedera_account_transferred_hbar_total{@account,direction="out"}[$__rate_interval])))`, legend: "{{network}} {{name}} out"},
			},
		},
		{
			view: lines(), points: fewPoints, title: "Fees in an hour", width: 6, height: 8, unit: hbar, min: new(0.0), none: none,
			description: "Fees paid in an hour, of the ten accounts with most. A rise without more transactions is a dearer type, or a rate that moved.",
			runbook:     "HederaExchangeRateMoved",
			queries:     []query{{expr: `topk(10, sum by (network, account_id, name) (max by (network, account_id, name, type) (increase(hedera_account_fees_hbar_total{@account}[1h]))))`, legend: "{{network}} {{name}}"}},
		},
		{
			view: bars(), title: "Fees of a day, of the budget", width: 6, height: 8, unit: ratio, decimals: new(2.0), min: new(0.0), max: new(1.0), colours: ofBudget, none: "No account has a budget",
			description: "Fees paid in the last 24 hours as a share of the account's budget, of the ten accounts with most. Above 1 something pays more than you meant to allow.",
			runbook:     "HederaAccountOverBudget",
			queries: []query{{
				expr: `topk(10, max by (network, account_id, name) (account:hedera_account_fees_hbar:increase1d{@recordedAccount})` +
					` / on (network, account_id) group_left () max by (network, account_id) (hedera_account_fee_budget_hbar{@account}))`,
				legend: "{{network}} {{name}}", instant: true,
			}},
		},
		{
			view: lines(), points: fewPoints, title: "Time since the last transaction", width: 6, height: 8, unit: seconds, min: new(0.0), none: none,
			description: "The ten accounts that have been silent longest, and the shortest heartbeats. Longer than its heartbeat means that what should use it does not.",
			runbook:     "HederaAccountSilent",
			queries: []query{
				{expr: `topk(10, time() - max by (network, account_id, name) (hedera_account_last_transaction_timestamp_seconds{@account}))`, legend: "{{network}} {{name}}"},
				{expr: `bottomk(10, max by (network, account_id, name) (hedera_account_heartbeat_seconds{@account}))`, legend: "{{network}} {{name}} heartbeat"},
			},
		},
		{
			view: bucketHeat(seconds), points: 120, title: "Latency to consensus", width: 12, height: 8, unit: seconds, none: none,
			description: "How many transactions of all accounts with transactions: true took how long from their valid start to consensus. SDKs set the valid start some seconds into the past. A band that rises is a slow network or a slow client.",
			runbook:     "HederaTransactionsStalled",
			queries:     []query{{expr: `sum by (le) (increase(hedera_transaction_consensus_latency_seconds_bucket{@network}[$__rate_interval]))`, legend: "{{le}}", buckets: true}},
		},
		{
			view: lines(), points: fewPoints, title: "Latency to consensus by network", width: 12, height: 8, unit: seconds, min: new(0.0), none: none,
			description: "Quantiles and the mean of the same over ten minutes.",
			runbook:     "HederaTransactionsStalled",
			queries: []query{
				{expr: `histogram_quantile(0.5, sum by (network, le) (increase(hedera_transaction_consensus_latency_seconds_bucket{@network}[10m])))`, legend: "{{network}} median"},
				{expr: `histogram_quantile(0.95, sum by (network, le) (increase(hedera_transaction_consensus_latency_seconds_bucket{@network}[10m])))`, legend: "{{network}} 95 %"},
				{
					expr: `sum by (network) (increase(hedera_transaction_consensus_latency_seconds_sum{@network}[10m]))` +
						` / (sum by (network) (increase(hedera_transaction_consensus_latency_seconds_count{@network}[10m])) > 0)`,
					legend: "{{network}} mean",
				},
			},
		},
	}
}

func accountAllowances() []panel {
	return []panel{
		{
			view: tablePanel("Left", false), title: "Hbar allowances", width: 12, height: 7, unit: "string", none: "No account has allowances: true",
			description: "What spenders may still take of the accounts' hbar. One that is nearly used up stops what depends on it; one that you do not know should be revoked.",
			runbook:     "HederaAccountAllowanceNearlyUsed",
			labels:      []column{nameColumn, accountColumn, networkColumn, {label: "spender", title: "Spender"}},
			queries: []query{
				{expr: `max by (network, account_id, name, spender) (hedera_account_allowance_hbar{@account})`, column: column{title: "Amount", unit: hbar}},
				{expr: `max by (network, account_id, name, spender) (hedera_account_allowance_granted_hbar{@account})`, column: column{title: "Granted", unit: hbar}},
				{expr: `max by (network, account_id, name, spender) (hedera_account_allowance_hbar{@account} / hedera_account_allowance_granted_hbar{@account})`, column: column{title: "Left", unit: ratio, colours: from(red).at(0.1, orange).at(0.25, green)}},
			},
		},
		{
			view: tablePanel("Left", false), title: "Token allowances", width: 12, height: 7, unit: "string", none: "No account has allowances: true",
			description: "What spenders may still take of the accounts' tokens, in whole tokens.",
			runbook:     "HederaAccountTokenAllowanceNearlyUsed",
			labels:      []column{nameColumn, accountColumn, networkColumn, {label: "spender", title: "Spender"}, {label: "token_id", title: "Token"}},
			queries: []query{
				{expr: `max by (network, account_id, name, spender, token_id) (hedera_account_token_allowance{@account})`, column: column{title: "Amount", unit: count}},
				{expr: `max by (network, account_id, name, spender, token_id) (hedera_account_token_allowance_granted{@account})`, column: column{title: "Granted", unit: count}},
				{expr: `max by (network, account_id, name, spender, token_id) (hedera_account_token_allowance{@account} / hedera_account_token_allowance_granted{@account})`, column: column{title: "Left", unit: ratio, colours: from(red).at(0.1, orange).at(0.25, green)}},
			},
		},
	}
}

func accountTokens() []panel {
	return []panel{{
		view: tablePanel("Name", false), title: "NFT allowances of all serials", width: 8, height: 7, unit: "string", none: "No account has allowances: true",
		description: "Who may take every NFT of a collection, also those that the account gets later. One that you do not know is the usual way to be robbed: revoke it.",
		runbook:     "HederaAccountNFTAllowanceGranted",
		labels:      []column{nameColumn, accountColumn, {label: "spender", title: "Spender"}, {label: "token_id", title: "Token"}, networkColumn},
		queries:     []query{{expr: `max by (network, account_id, name, spender, token_id) (hedera_account_nft_allowance_all_serials{@account} == 1)`}},
	}, {
		view: tablePanel("Name", false), title: "Tokens", width: 16, height: 7, unit: "string", none: "No account holds a token",
		description: "Whole tokens, or serials of NFTs, that the chosen accounts hold. A frozen account, or one without KYC, cannot move them.",
		runbook:     "HederaAccountTokenFrozen",
		labels:      []column{nameColumn, accountColumn, {label: "token_id", title: "Token", width: 100}, networkColumn},
		queries: []query{
			{expr: `max by (network, account_id, name, token_id) (hedera_account_token_balance{@account})`, column: column{title: "Balance", unit: count}},
			{expr: `max by (network, account_id, name, token_id) (hedera_account_token_balance_minimum{@account,severity="warning"})`, column: column{title: "Minimum", unit: count}},
			{expr: `max by (network, account_id, name, token_id) (hedera_account_token_frozen{@account})`, column: column{title: "Frozen", unit: count, values: yesIsBad, width: 80}},
			{expr: `max by (network, account_id, name, token_id) (hedera_account_token_kyc_granted{@account})`, column: column{title: "KYC", unit: count, values: noIsBad, width: 70}},
		},
	}}
}
