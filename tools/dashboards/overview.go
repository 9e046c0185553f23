// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

const (
	// low are the accounts and severities of which a minimum is not reached.
	low       = `account_severity:hedera_account_balance_hbar:minimum_ratio{@recorded} < 1`
	lowest    = `bottomk(20, ` + low + `)`
	mirrorAge = `min by (network) (timestamp(hedera_mirror_latest_block_timestamp_seconds{@network}) - hedera_mirror_latest_block_timestamp_seconds{@network})`
	nodeUp    = `max by (network, node_id) (hedera_node_endpoint_up{@network})`
	nodeStake = `max by (network, node_id) (hedera_node_stake_hbar{@network})`
	nodeReady = `max by (network, node_id) (hedera_node_endpoint_ready{@network})`
	ready     = `sum by (network) (` + nodeStake + ` * on (network, node_id) ` + nodeReady + `)` +
		` / sum by (network) (` + nodeStake + ` and on (network, node_id) ` + nodeReady + `)`
	reachable = `sum by (network) (` + nodeStake + ` * on (network, node_id) ` + nodeUp + `)` +
		` / sum by (network) (` + nodeStake + ` and on (network, node_id) ` + nodeUp + `)`
	tps        = `max by (network) (rate(hedera_network_transactions_total{@network}[$__rate_interval]))`
	mirrorFail = `(sum by (network) (rate(hedera_mirror_requests_total{@network,code=~"5..|timeout|error"}[$__rate_interval]))` +
		` or 0 * sum by (network) (rate(hedera_mirror_requests_total{@network}[$__rate_interval])))` +
		` / (sum by (network) (rate(hedera_mirror_requests_total{@network}[$__rate_interval])) > 0)`
	// watched are the networks that an exporter has watched in the last hour, also
	// if none does now.
	watched   = `group by (network) (last_over_time(hedera_scrape_collector_success{@network}[1h]))`
	exporters = `group by (network, job, instance) (hedera_scrape_collector_success{@network})`
	// wanted are exporters that were there in the last hour.
	wanted = `group by (network, job, instance) (last_over_time(hedera_scrape_collector_success{@network}[1h]))`
)

// Where nothing has been scraped, there is no data: 0 would look healthy.
func overview() board {
	return board{
		uid: "hedera-overview", title: "Hedera / Overview",
		description: "Is anything wrong with a network, its mirror node, the watched accounts or the exporter? Each network has a line; each cell leads to what is behind it.",
		rows: []row{
			{panels: []panel{overviewNetworks()}},
			{title: "What is wrong", panels: overviewTroubles()},
			{title: "Nodes", panels: overviewNodes()},
			{title: "Mirror and throughput", panels: overviewNetwork()},
			{title: "Exporter", panels: overviewExporter()},
		},
	}
}

// overviewNetworks answers in the order in which one asks.
func overviewNetworks() panel {
	firing := func(severity string) string {
		return `count by (network) (label_replace(ALERTS{alertstate="firing",severity="` + severity + `",@alerts}, "network", "All", "network", ""))` +
			` or on (network) 0 * ` + watched
	}
	board := func(uid string) string { return "/d/" + uid + chosenNetwork }
	return panel{
		view: tablePanel("Critical", true), title: "Networks", width: 24, height: 9, unit: "string", none: "No exporter in the last hour",
		description: "Is anything firing, is my money safe, are the nodes ready, is the data fresh, is the exporter itself up? Alerts of no network are counted under All. Too low are accounts with less hbar than one of their minimums. Nodes that are frozen answer and are not ready. Block age is that of the mirror's latest block when it was scraped. Exporters is the share of those of the last hour that are there now; if none is, the other cells are empty: nobody looks.",
		runbook:     "HederaExporterDown",
		labels:      []column{{label: "network", title: "Network", width: 120, link: board("hedera-overview")}},
		queries: []query{
			{expr: watched},
			{expr: firing("critical"), column: column{title: "Critical", unit: "suffix: firing", filled: true, colours: anyIsBad, values: noneIsGood, link: board("hedera-overview")}},
			{expr: firing("warning"), column: column{title: "Warning", unit: "suffix: firing", filled: true, colours: anyIsWarn, values: noneIsGood, link: board("hedera-overview")}},
			{
				expr:   `count by (network) (group by (network, account_id) (` + low + `)) or on (network) 0 * ` + watched,
				column: column{title: "Accounts too low", unit: "suffix: too low", filled: true, colours: anyIsBad, values: noneIsGood, link: board("hedera-accounts")},
			},
			{
				expr:   `sum by (network) ((` + nodeReady + `) == bool 0)`,
				column: column{title: "Nodes not ready", unit: "suffix: not ready", filled: true, colours: anyIsBad, values: noneIsGood, link: board("hedera-nodes")},
			},
			{
				expr:   ready,
				column: column{title: "Stake ready", unit: ratio, filled: true, colours: stakeUp, values: allIsGood, link: board("hedera-nodes")},
			},
			{
				expr:   mirrorAge,
				column: column{title: "Block age", unit: seconds, filled: true, colours: mirrorLag, link: board("hedera-network")},
			},
			{
				expr:   tps,
				column: column{title: "Transactions", unit: perSec, link: board("hedera-network")},
			},
			{
				expr:   mirrorFail,
				column: column{title: "Requests failing", unit: ratio, filled: true, colours: errorRatio, values: noneIsGood, link: board("hedera-exporter")},
			},
			{
				expr:   `sum by (network) (hedera_scrape_collector_success{@network} == bool 0)`,
				column: column{title: "Collectors failing", unit: "suffix: failing", filled: true, colours: anyIsBad, values: noneIsGood, link: board("hedera-exporter")},
			},
			{
				expr:   `count by (network) (` + exporters + `) / on (network) count by (network) (` + wanted + `) or on (network) 0 * ` + watched,
				column: column{title: "Exporters", unit: ratio, filled: true, colours: stakeUp, values: named("✗ down", red, "✓ up", green), link: board("hedera-exporter")},
			},
		},
	}
}

// subjects are those of the alerts, and the dashboards that show them.
var subjects = []struct{ subject, board string }{
	{"account", "accounts"},
	{"node", "nodes"},
	{"network|relay|canary", "network"},
	{"mirror|exporter", "exporter"},
	{"token|topic|contract|schedule", "entities"},
}

// withBoard adds a label for the dashboard of an alert's subject.
func withBoard(expr string) string {
	for _, s := range subjects {
		expr = `label_replace(` + expr + `, "board", "` + s.board + `", "subject", "` + s.subject + `")`
	}
	return expr
}

func overviewTroubles() []panel {
	return []panel{
		{
			view: tablePanel("State", false), title: "Alerts firing and pending", width: 14, height: 9, unit: "string", none: "No alert is firing or pending",
			description: "Pending alerts become firing ones when they last. The alert's name is that of its runbook, Dashboard leads to what it is about. At most 100 are listed.",
			labels: []column{
				{label: "alertname", title: "Alert", width: 230, link: alertLink},
				{label: "severity", title: "Severity", width: 65},
				{label: "alertstate", title: "State", width: 65},
				{label: "board", title: "Dashboard", width: 80, link: boardLink},
				{label: "network", title: "Network", width: 75},
				{label: "account_id", title: "Account", width: 85, link: accountLink},
				{label: "name", title: "Name"},
				{label: "node_id", title: "Node", width: 50, link: nodeLink},
			},
			queries: []query{{expr: `topk(100, max by (alertname, severity, alertstate, board, network, account_id, name, node_id) (` +
				withBoard(`label_replace(ALERTS{@alerts}, "network", "All", "network", "")`) + `))`}},
		},
		{
			view: tablePanel("Of minimum", false), title: "Accounts below a minimum", width: 10, height: 9, unit: hbar, none: "All accounts are above their minimums",
			description: "The twenty minimums that are missed by most, and the account's balance. Critical ones come first when an account cannot pay much longer.",
			runbook:     "HederaAccountBalanceLow",
			labels:      []column{nameColumn, accountColumn, networkColumn, {label: "severity", title: "Severity", width: 80}},
			queries: []query{
				{
					expr:   `max by (network, account_id, name, severity) (` + lowest + `)`,
					column: column{title: "Of minimum", unit: "percentunit", colours: from(red)},
				},
				{
					expr:   `max by (network, account_id, name) (account:hedera_account_balance_hbar:max{@recorded} and on (network, account_id) ` + lowest + `)`,
					column: column{title: "Balance", unit: hbar},
				},
			},
		},
	}
}

func overviewNodes() []panel {
	return []panel{
		{
			view: tiles(), recent: "5m", title: "Nodes", width: 15, height: 7, unit: ratio, colours: partIsBad, values: upInPart, none: "No probes",
			description: "Each node by its id: up when all of its endpoints answer, in part when some do, down when none does.",
			runbook:     "HederaNodeDown",
			queries: []query{{
				expr:   `avg by (network, node_id) (max by (network, node_id, address) (hedera_node_endpoint_up{@network}))`,
				legend: "{{network}} {{node_id}}",
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
			description: "Age of the mirror node's latest block when it was scraped. A straight rise means that the mirror imports nothing or the network produces nothing.",
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
			view: bars(), title: "Accounts nearest to their warning minimum", width: 8, height: 7, unit: "suffix:×", decimals: new(2.0), min: new(0.0), max: new(10.0), colours: balanceOver, none: "All have ten times their minimum",
			description: "Balance as a multiple of the warning minimum, of the ten accounts where it is least, if less than ten: below 1 they need hbar.",
			runbook:     "HederaAccountRunningOut",
			queries: []query{{
				expr:   `bottomk(10, account_severity:hedera_account_balance_hbar:minimum_ratio{@recorded,severity="warning"})`,
				legend: "{{network}} {{name}}", instant: true,
			}},
		},
	}
}

func overviewExporter() []panel {
	return []panel{
		{
			view: timeline(), title: "Collectors", width: 12, height: 7, unit: count, colours: zeroIsBad, values: upOrDown, none: "No exporter",
			description: "Whether each collector delivered its samples. What is not up are gaps in the data of that collector.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `min by (network, collector) (min_over_time(hedera_scrape_collector_success{@network}[$__rate_interval]))`, legend: "{{network}} {{collector}}"}},
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
			queries:     []query{{expr: `sum by (network, code) (rate(hedera_mirror_requests_total{@network}[$__rate_interval]))`, legend: "{{network}} {{code}}"}},
		},
	}
}
