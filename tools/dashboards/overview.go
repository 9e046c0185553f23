// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

const (
	belowMinimum = `max by (network, account_id, name) (hedera_account_balance_hbar{@network})` +
		` < on (network, account_id) group_right () max by (network, account_id, name, severity) (hedera_account_balance_minimum_hbar{@network})`
	mirrorAge = `time() - max by (network) (hedera_mirror_latest_block_timestamp_seconds{@network})`
	nodeUp    = `max by (network, node_id) (hedera_node_endpoint_up{@network})`
	nodeStake = `max by (network, node_id) (hedera_node_stake_hbar{@network})`
	reachable = `sum by (network) (` + nodeStake + ` * on (network, node_id) ` + nodeUp + `)` +
		` / sum by (network) (` + nodeStake + ` and on (network, node_id) ` + nodeUp + `)`
	tps        = `max by (network) (rate(hedera_network_transactions_total{@network}[$__rate_interval]))`
	mirrorFail = `(sum by (network) (rate(hedera_mirror_requests_total{@network,code=~"5..|timeout|error"}[$__rate_interval]))` +
		` or 0 * sum by (network) (rate(hedera_mirror_requests_total{@network}[$__rate_interval])))` +
		` / (sum by (network) (rate(hedera_mirror_requests_total{@network}[$__rate_interval])) > 0)`
)

// Where nothing has been scraped, there is no data: 0 would look healthy.
func overview() board {
	return board{
		uid: "hedera-overview", title: "Hedera / Overview",
		description: "Is anything wrong with the network, its mirror node, the watched accounts or the exporter?",
		rows: []row{
			{panels: overviewLamps()},
			{title: "What is wrong", panels: overviewTroubles()},
			{title: "Nodes", panels: overviewNodes()},
			{title: "Mirror and throughput", panels: overviewNetwork()},
			{title: "Exporter", panels: overviewExporter()},
		},
	}
}

func overviewLamps() []panel {
	return []panel{
		{
			view: colouredStatPanel(), title: "Alerts firing", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No exporter",
			description: "Alerts of hedera.alerts.yml that are firing. Anything but 0 is listed below, each with its runbook.",
			queries:     []query{{expr: `count(ALERTS{alertstate="firing",@alerts}) or 0 * count(up{@exporter})`, legend: "firing", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Accounts too low", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No minimum set",
			description: "Watched accounts with less hbar than one of their configured minimums. They stop paying fees when they are empty: top them up.",
			runbook:     "HederaAccountBalanceLow",
			queries: []query{{expr: `sum(max by (network, account_id) (hedera_account_balance_hbar{@network})` +
				` < bool on (network, account_id) max by (network, account_id) (hedera_account_balance_minimum_hbar{@network}))`, legend: "below minimum", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Nodes down", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No probes",
			description: "Consensus nodes of which no endpoint answers. Clients must submit to other nodes; the network goes on while two thirds of the stake do.",
			runbook:     "HederaNodeDown",
			queries:     []query{{expr: `sum((` + nodeUp + `) == bool 0)`, legend: "down", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Stake reachable", width: 3, height: 4, unit: ratio, decimals: new(1.0), colours: stakeUp, none: "No probes",
			description: "Share of the stake whose nodes answer, of the network where it is least. Below two thirds the network cannot reach consensus, or we cannot reach the network.",
			runbook:     "HederaNodeStakeUnreachable",
			queries:     []query{{expr: `min(` + reachable + `)`, legend: "reachable", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Mirror lag", width: 3, height: 4, unit: seconds, decimals: new(0.0), colours: mirrorLag, none: "No mirror",
			description: "Age of the mirror node's latest block, of the mirror that is furthest behind. Balances on all dashboards are that old.",
			runbook:     "HederaMirrorLagging",
			queries:     []query{{expr: `max(` + mirrorAge + `)`, legend: "lag", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Mirror requests failing", width: 3, height: 4, unit: ratio, decimals: new(1.0), colours: errorRatio, none: "No requests",
			description: "Share of the exporter's requests to the mirror node's REST API that got no answer or a 5xx. The objective is less than 1 %.",
			runbook:     "HederaMirrorErrorRatioHigh",
			queries:     []query{{expr: `max(` + mirrorFail + `)`, legend: "failing", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Collectors failing", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No exporter",
			description: "Collectors that delivered nothing in the last scrape: their metrics are absent, and the alerts on them blind.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `sum(hedera_scrape_collector_success{@network} == bool 0)`, legend: "failing", instant: true}},
		},
		{
			view: statPanel(), title: "Transactions per second", width: 3, height: 4, unit: perSec, decimals: new(1.0), colours: from(red).at(0.000001, blue), none: "No blocks",
			description: "Transactions in the blocks that the mirror has seen. 0 means that the network has stopped or that the mirror is behind.",
			runbook:     "HederaTransactionsStalled",
			queries:     []query{{expr: `sum(` + tps + `)`, legend: "tps"}},
		},
	}
}

func overviewTroubles() []panel {
	return []panel{
		{
			view: tablePanel("State", false), title: "Alerts firing and pending", width: 12, height: 8, unit: "string", none: "No alert is firing or pending",
			description: "Pending alerts become firing ones when they last. The alert's name leads to its runbook.",
			labels: []column{
				{label: "alertname", title: "Alert", width: 230, link: alertLink},
				{label: "severity", title: "Severity", width: 65},
				{label: "alertstate", title: "State", width: 65},
				{label: "network", title: "Network", width: 75},
				{label: "account_id", title: "Account", width: 85},
				{label: "name", title: "Name"},
				{label: "node_id", title: "Node", width: 50},
			},
			queries: []query{{expr: `max by (alertname, severity, alertstate, network, account_id, name, node_id) (ALERTS{@alerts})`}},
		},
		{
			view: tablePanel("Missing", true), title: "Accounts below a minimum", width: 12, height: 8, unit: hbar, none: "All accounts are above their minimums",
			description: "Balance and each minimum that it is below. Critical ones come first when an account cannot pay much longer.",
			runbook:     "HederaAccountBalanceLow",
			labels:      []column{nameColumn, accountColumn, networkColumn, {label: "severity", title: "Severity", width: 80}},
			queries: []query{
				{expr: belowMinimum, column: column{title: "Balance", unit: hbar, colours: from(red)}},
				{
					expr: `max by (network, account_id, name, severity) (hedera_account_balance_minimum_hbar{@network})` +
						` > on (network, account_id) group_left () max by (network, account_id) (hedera_account_balance_hbar{@network})`,
					column: column{title: "Minimum", unit: hbar},
				},
				{
					expr: `(max by (network, account_id, name, severity) (hedera_account_balance_minimum_hbar{@network})` +
						` - on (network, account_id) group_left () max by (network, account_id) (hedera_account_balance_hbar{@network})) > 0`,
					column: column{title: "Missing", unit: hbar},
				},
			},
		},
	}
}

func overviewNodes() []panel {
	return []panel{
		{
			view: tiles(), recent: "5m", title: "Nodes", width: 15, height: 7, unit: ratio, colours: partIsBad, none: "No probes",
			description: "Each node by its id: green when all of its endpoints answer, orange when some do, red when none does.",
			runbook:     "HederaNodeDown",
			queries: []query{{
				expr:   `avg by (network, node_id) (max by (network, node_id, address) (hedera_node_endpoint_up{@network}))`,
				legend: "{{node_id}}",
			}},
		},
		{
			view: tablePanel("Stake", true), title: "Nodes down", width: 9, height: 7, unit: "string", none: "Every node answers",
			description: "Nodes of which no endpoint answers, with the share of the stake that is out of reach with them.",
			runbook:     "HederaNodeDown",
			labels:      []column{nodeColumn, {label: "description", title: "Description"}, networkColumn},
			queries: []query{
				{
					expr:   `max by (network, node_id, description) (hedera_node_info{@network}) and on (network, node_id) (` + nodeUp + ` == 0)`,
					column: column{},
				},
				{
					expr: `(` + nodeStake + ` and on (network, node_id) (` + nodeUp + ` == 0))` +
						` / on (network) group_left () sum by (network) (` + nodeStake + `)`,
					column: column{title: "Stake", unit: ratio, width: 80},
				},
			},
		},
	}
}

func overviewNetwork() []panel {
	return []panel{
		{
			view: guarded(), title: "Mirror lag", width: 8, height: 7, unit: seconds, min: new(0.0), colours: mirrorLag, none: "No mirror",
			description: "Age of the mirror node's latest block. A straight rise means that the mirror imports nothing or the network produces nothing.",
			runbook:     "HederaMirrorLagging",
			queries:     []query{{expr: mirrorAge, legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Transactions per second", width: 8, height: 7, unit: perSec, min: new(0.0), none: "No blocks",
			description: "Transactions in the blocks of each network. Compare with the same hour of other days before you call a dip a fault.",
			runbook:     "HederaThroughputLow",
			queries:     []query{{expr: tps, legend: "{{network}}"}},
		},
		{
			view: guarded(), title: "Balance as a multiple of the warning minimum", width: 8, height: 7, unit: "suffix:×", min: new(0.0), max: new(10.0), colours: balanceOver, none: "No minimum set",
			description: "Accounts within ten times their warning minimum: below 1 they need hbar.",
			runbook:     "HederaAccountRunningOut",
			queries: []query{{
				expr: `(max by (network, account_id, name) (hedera_account_balance_hbar{@network})` +
					` / on (network, account_id) group_left () max by (network, account_id) (hedera_account_balance_minimum_hbar{@network,severity="warning"})) < 10`,
				legend: "{{name}}",
			}},
		},
	}
}

func overviewExporter() []panel {
	return []panel{
		{
			view: history(), title: "Collectors", width: 12, height: 7, unit: count, colours: zeroIsBad, values: upOrDown, none: "No exporter",
			description: "Whether each collector delivered its samples. Red cells are gaps in the data of that collector.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `min by (network, collector) (hedera_scrape_collector_success{@network})`, legend: "{{network}} {{collector}}"}},
		},
		{
			view: lines(), title: "Scrape duration", width: 6, height: 7, unit: seconds, min: new(0.0), none: "No exporter",
			description: "How long Prometheus waited for the exporter. Near the scrape timeout, collectors begin to fail.",
			runbook:     "HederaScrapeSlow",
			queries:     []query{{expr: `scrape_duration_seconds{@exporter}`, legend: "{{instance}}"}},
		},
		{
			view: stacked(), title: "Mirror requests by code", width: 6, height: 7, unit: requests, min: new(0.0), none: "No requests",
			description: "429 means that the rate limit is too high for the mirror; 5xx, timeout and error are faults of the mirror or of the way to it.",
			runbook:     "HederaMirrorRateLimited",
			queries:     []query{{expr: `sum by (code) (rate(hedera_mirror_requests_total{@network}[$__rate_interval]))`, legend: "{{code}}"}},
		},
	}
}
