// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

func entities() board {
	return board{
		uid: "hedera-entities", title: "Hedera / Tokens, topics, contracts, schedules",
		description: "The configured tokens, topics and contracts, and the pending schedules of the configured creators.",
		rows: []row{
			{panels: entityFigures()},
			{title: "Tokens", panels: tokens()},
			{title: "Topics", panels: topics()},
			{title: "Contracts", panels: contracts()},
			{title: "Schedules", panels: schedules()},
		},
	}
}

func entityFigures() []panel {
	return []panel{
		{
			view: colouredStatPanel(), title: "Tokens paused", width: 4, height: 4, unit: count, colours: anyIsBad, none: "No token can be",
			description: "Tokens that nobody can transfer at present.",
			runbook:     "HederaTokenPaused",
			queries:     []query{{expr: `sum(max by (network, token_id) (hedera_token_paused{@network}))`, legend: "paused", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Deleted or unknown", width: 4, height: 4, unit: count, colours: anyIsBad, none: "Nothing configured",
			description: "Tokens, topics and contracts that are deleted or that the network does not know.",
			runbook:     "HederaTokenDeleted",
			queries: []query{{
				expr: `count(hedera_token_deleted{@network} == 1 or hedera_topic_deleted{@network} == 1 or hedera_contract_deleted{@network} == 1 or hedera_token_exists{@network} == 0` +
					` or hedera_topic_exists{@network} == 0 or hedera_contract_exists{@network} == 0)` +
					` or 0 * count(hedera_token_exists{@network} or hedera_topic_exists{@network} or hedera_contract_exists{@network})`,
				legend: "gone", instant: true,
			}},
		},
		{
			view: colouredStatPanel(), title: "Topics silent too long", width: 4, height: 4, unit: count, colours: anyIsBad, none: "No heartbeat set",
			description: "Topics without a message for longer than their heartbeat: what should write to them does not.",
			runbook:     "HederaTopicSilent",
			queries: []query{{
				expr: `sum(time() - max by (network, topic_id) (hedera_topic_last_message_timestamp_seconds{@network})` +
					` > bool on (network, topic_id) max by (network, topic_id) (hedera_topic_heartbeat_seconds{@network}))`,
				legend: "silent", instant: true,
			}},
		},
		{
			view: colouredStatPanel(), title: "First contract expires in", width: 4, height: 4, unit: seconds, decimals: new(1.0), colours: expiry, none: "No contract",
			description: "Time until the first of the contracts expires, after which it cannot be called.",
			runbook:     "HederaContractExpiring",
			queries:     []query{{expr: `min(hedera_contract_expiry_timestamp_seconds{@network}) - time()`, legend: "time left", instant: true}},
		},
		{
			view: statPanel(), title: "Schedules pending", width: 4, height: 4, unit: count, colours: neutral, none: "No creator",
			description: "Schedules that wait for signatures. A growing number means that signers are missing.",
			runbook:     "HederaScheduleExpiring",
			queries:     []query{{expr: `sum(max by (network, creator_account_id) (hedera_schedules_pending{@network}))`, legend: "pending"}},
		},
		{
			view: colouredStatPanel(), title: "First schedule expires in", width: 4, height: 4, unit: seconds, decimals: new(1.0), colours: from(red).at(900, orange).at(3600, green), none: "None is pending",
			description: "Time until the first pending schedule lapses unexecuted. Have it signed.",
			runbook:     "HederaScheduleExpiring",
			queries:     []query{{expr: `min(hedera_schedules_next_expiry_timestamp_seconds{@network}) - time()`, legend: "time left", instant: true}},
		},
	}
}

func tokens() []panel {
	by := func(metric string) string { return `max by (network, token_id, name) (` + metric + `)` }
	return []panel{
		{
			view: tablePanel("Name", false), title: "Tokens", width: 24, height: 7, unit: "string", none: "No token is configured",
			description: "Supply and state of each token. Paused, deleted or unknown tokens cannot be transferred; a low treasury cannot serve who depends on it.",
			runbook:     "HederaTokenTreasuryLow",
			labels: []column{
				nameColumn,
				{label: "token_id", title: "Token", width: 110},
				networkColumn,
				{label: "symbol", title: "Symbol", width: 110},
				{label: "type", title: "Type"},
				{label: "treasury_account_id", title: "Treasury", width: 110},
				teamColumn,
			},
			queries: []query{
				{expr: `max by (network, token_id, name, team) (hedera_token_labels{@network})`},
				{expr: `max by (network, token_id, name, symbol, type, treasury_account_id) (hedera_token_info{@network})`},
				{expr: by(`hedera_token_supply{@network}`), column: column{title: "Supply", unit: count}},
				{expr: by(`hedera_token_supply_maximum{@network}`), column: column{title: "Maximum", unit: count}},
				{expr: by(`hedera_token_treasury_balance{@network}`), column: column{title: "In treasury", unit: count}},
				{expr: by(`hedera_token_exists{@network}`), column: column{title: "Exists", unit: count, values: noIsBad, width: 70}},
				{expr: by(`hedera_token_paused{@network}`), column: column{title: "Paused", unit: count, values: yesIsBad, width: 80}},
				{expr: by(`hedera_token_deleted{@network}`), column: column{title: "Deleted", unit: count, values: yesIsBad, width: 80}},
				{expr: by(`hedera_token_expiry_timestamp_seconds{@network}`) + ` - time()`, column: column{title: "Expires in", unit: seconds, colours: expiry}},
			},
		},
		{
			view: wideRange(), title: "Supply", width: 12, height: 8, unit: count, none: "No token is configured",
			description: "Whole tokens, or serials of NFTs. An unexpected mint or burn may be a stolen supply key.",
			runbook:     "HederaTokenSupplyChanged",
			queries:     []query{{expr: by(`hedera_token_supply{@network}`), legend: "{{network}} {{name}}"}},
		},
		{
			view: wideRange(), title: "Outside the treasury", width: 12, height: 8, unit: count, none: "No token is configured",
			description: "Supply less what the treasury holds: what is in circulation.",
			runbook:     "HederaTokenTreasuryLow",
			queries:     []query{{expr: by(`hedera_token_supply{@network}`) + ` - ` + by(`hedera_token_treasury_balance{@network}`), legend: "{{network}} {{name}}"}},
		},
	}
}

func topics() []panel {
	by := func(metric string) string { return `max by (network, topic_id, name) (` + metric + `)` }
	return []panel{
		{
			view: tablePanel("Silent for", true), title: "Topics", width: 14, height: 8, unit: "string", none: "No topic is configured",
			description: "Last message of each topic. Silent for longer than the heartbeat means that its writer has stopped. A deleted topic accepts no message; Deleted is empty where the topic has messages.",
			runbook:     "HederaTopicSilent",
			labels:      []column{nameColumn, {label: "topic_id", title: "Topic", width: 100}, networkColumn, teamColumn},
			queries: []query{
				{expr: `max by (network, topic_id, name, team) (hedera_topic_labels{@network})`},
				{expr: by(`hedera_topic_exists{@network}`), column: column{title: "Exists", unit: count, values: noIsBad, width: 70}},
				{expr: by(`hedera_topic_deleted{@network}`), column: column{title: "Deleted", unit: count, values: yesIsBad, width: 80}},
				{expr: by(`hedera_topic_sequence_number{@network}`), column: column{title: "Messages", unit: "none", width: 90}},
				{expr: `time() - ` + by(`hedera_topic_last_message_timestamp_seconds{@network}`), column: column{title: "Silent for", unit: seconds, width: 90}},
				{expr: by(`hedera_topic_heartbeat_seconds{@network}`), column: column{title: "Heartbeat", unit: seconds, width: 90}},
			},
		},
		{
			view: lines(), title: "Messages per second", width: 10, height: 8, unit: perSec, min: new(0.0), none: "No topic is configured",
			description: "Growth of each topic's sequence number. 0 where there should be messages is a writer that has stopped.",
			runbook:     "HederaTopicSilent",
			queries:     []query{{expr: by(`deriv(hedera_topic_sequence_number{@network}[$__rate_interval])`), legend: "{{network}} {{name}}"}},
		},
	}
}

func contracts() []panel {
	by := func(metric string) string { return `max by (network, contract_id, name) (` + metric + `)` }
	return []panel{
		{
			view: tablePanel("Expires in", false), title: "Contracts", width: 14, height: 8, unit: "string", none: "No contract is configured",
			description: "A deleted or expired contract cannot be called.",
			runbook:     "HederaContractExpiring",
			labels:      []column{nameColumn, {label: "contract_id", title: "Contract", width: 100}, networkColumn, teamColumn},
			queries: []query{
				{expr: `max by (network, contract_id, name, team) (hedera_contract_labels{@network})`},
				{expr: by(`hedera_contract_balance_hbar{@network}`), column: column{title: "Balance", unit: hbar, width: 90}},
				{expr: by(`hedera_contract_balance_minimum_hbar{@network,severity="warning"}`), column: column{title: "Minimum", unit: hbar, width: 80}},
				{expr: by(`hedera_contract_exists{@network}`), column: column{title: "Exists", unit: count, values: noIsBad, width: 70}},
				{expr: by(`hedera_contract_deleted{@network}`), column: column{title: "Deleted", unit: count, values: yesIsBad, width: 80}},
				{expr: by(`hedera_contract_expiry_timestamp_seconds{@network}`) + ` - time()`, column: column{title: "Expires in", unit: seconds, colours: expiry, width: 90}},
			},
		},
		{
			view: lines(), title: "Balances of contracts", width: 10, height: 8, unit: hbar, none: "No contract is configured",
			description: "Balances of the contracts. An unexpected fall may be a theft.",
			runbook:     "HederaAccountBalanceDropped",
			queries:     []query{{expr: by(`hedera_contract_balance_hbar{@network}`), legend: "{{network}} {{name}}"}},
		},
	}
}

func schedules() []panel {
	return []panel{
		{
			view: tablePanel("Expires in", false), title: "Pending schedules", width: 12, height: 8, unit: "string", none: "No schedule is pending",
			description: "The schedules of each creator that expire first. Too few signatures shortly before the end let them lapse.",
			runbook:     "HederaScheduleExpiring",
			labels:      []column{nameColumn, {label: "creator_account_id", title: "Creator"}, {label: "schedule_id", title: "Schedule"}, networkColumn},
			queries: []query{
				{expr: `max by (network, creator_account_id, name, schedule_id) (hedera_schedule_signatures{@network})`, column: column{title: "Signatures", unit: "none"}},
				{expr: `max by (network, creator_account_id, name, schedule_id) (hedera_schedule_expiry_timestamp_seconds{@network}) - time()`, column: column{title: "Expires in", unit: seconds, colours: from(red).at(900, orange).at(3600, green)}},
			},
		},
		{
			view: lines(), title: "Pending schedules by creator", width: 12, height: 8, unit: count, min: new(0.0), none: "No creator is configured",
			description: "A growing number means that signers are missing.",
			runbook:     "HederaScheduleExpiring",
			queries:     []query{{expr: `max by (network, creator_account_id, name) (hedera_schedules_pending{@network})`, legend: "{{network}} {{name}}"}},
		},
	}
}
