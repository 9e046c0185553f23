// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// networkCanary are the exporter's own transactions.
func networkCanary() []panel {
	const none = "No canary"
	byStage := func(expr string) string { return `max by (network, stage) (` + expr + `)` }
	panels := []panel{
		{
			view: tablePanel("Network", false), title: "Canary", width: 12, height: 8, unit: "string", none: none,
			description: "When a transaction last succeeded, the share that did in an hour, and what today's fees are of the budget. At the whole budget the canary pauses until midnight UTC.",
			runbook:     "HederaCanaryFailing",
			labels:      []column{networkColumn},
			queries: []query{
				{
					expr:   ofNetwork(`hedera_canary_last_success_timestamp_seconds{@network,stage="receipt"}`) + ` * 1000`,
					column: column{title: "Last success", unit: since},
				},
				{expr: `hedera:canary_success:ratio_rate1h{@recorded}`, column: column{title: "Succeed", unit: ratio, colours: from(red).at(0.856, orange).at(0.99, green), width: 80}},
				{expr: ofNetwork(`hedera_canary_budget_spent_hbar{@network}`), column: column{title: "Spent today", unit: hbar}},
				{expr: ofNetwork(`hedera_canary_budget_hbar{@network}`), column: column{title: "Budget", unit: hbar}},
				{
					expr:   ofNetwork(`hedera_canary_budget_spent_hbar{@network} / hedera_canary_budget_hbar{@network}`),
					column: column{title: "Of budget", unit: ratio, colours: ofBudget, width: 90},
				},
			},
		},
		{
			view: stacked(), title: "Results in an hour", width: 12, height: 8, unit: count, min: new(0.0), none: none,
			description: "Transactions by the code of the node or of the receipt, of all exporters. BUSY and PLATFORM_NOT_ACTIVE are the nodes', unreachable may be the way to them; INSUFFICIENT_… are the canary's own.",
			runbook:     "HederaCanaryErrorBudgetBurn",
			queries:     []query{{expr: `sum by (network, result) (increase(hedera_canary_transactions_total{@network}[1h])) > 0`, legend: "{{network}} {{result}}"}},
		},
	}
	for _, stage := range []struct{ name, title, description string }{
		{"precheck", "Until the node took it", "A band that rises is a slow node, or a slow way to it."},
		{"receipt", "Until it was final", "A band that rises is a slow network."},
		{"mirror_rest", "Until the mirror's REST API had it", "A band that rises without the one before is a mirror that lags."},
		{"mirror_grpc", "Until the mirror's subscription had it", "Of a canary with a topic. A band that rises without that of REST is the stream's."},
	} {
		panels = append(panels, panel{
			view: bucketHeat(seconds), points: 120, title: stage.title, width: 6, height: 8, unit: seconds, none: none,
			description: "How many transactions took how long to the stage " + stage.name + ", from the moment before they were sent. " + stage.description,
			runbook:     "HederaCanarySlow",
			queries: []query{{
				expr:   `sum by (le) (increase(hedera_canary_stage_duration_seconds_bucket{@network,stage="` + stage.name + `"}[$__rate_interval]))`,
				legend: "{{le}}", buckets: true,
			}},
		})
	}
	return append(panels, []panel{
		{
			view: lines(), title: "Mean time to each stage in an hour", width: 8, height: 8, unit: seconds, min: new(0.0), none: none,
			description: "And the median of 15 minutes, which the alert is of: 7 s to the precheck, 11 s to the receipt, 20 s to the mirror.",
			runbook:     "HederaCanarySlow",
			queries: []query{
				{
					expr: `sum by (network, stage) (increase(hedera_canary_stage_duration_seconds_sum{@network}[1h]))` +
						` / (sum by (network, stage) (increase(hedera_canary_stage_duration_seconds_count{@network}[1h])) > 0)`,
					legend: "{{network}} {{stage}}",
				},
				{expr: `network_stage:hedera_canary_stage_duration_seconds:median15m{@recorded}`, legend: "{{network}} {{stage}} median"},
			},
		},
		{
			view: lines(), title: "Time of the last transaction", width: 8, height: 8, unit: seconds, min: new(0.0), none: none,
			description: "To each stage that it reached. Single peaks are usual; a stage that stays where it is while the others move is not reached any more.",
			runbook:     "HederaCanarySlow",
			queries:     []query{{expr: byStage(`hedera_canary_last_stage_duration_seconds{@network}`), legend: "{{network}} {{stage}}"}},
		},
		{
			view: lines(), title: "Time since the last success", width: 8, height: 8, unit: seconds, min: new(0.0), none: none,
			description: "Of each stage. It rises up to the canary's interval. Where receipt falls and mirror_rest does not, the mirror does not show what is final.",
			runbook:     "HederaCanaryInvisible",
			queries:     []query{{expr: `time() - ` + byStage(`hedera_canary_last_success_timestamp_seconds{@network}`), legend: "{{network}} {{stage}}"}},
		},
		{
			view: tablePanel("Succeed", false), title: "Canary by node", width: 12, height: 9, unit: "string", none: none,
			description: "Transactions that were sent to each node in the dashboard's time, and how many of them succeeded. A node where none does refuses them.",
			runbook:     "HederaCanaryNodeRefuses",
			labels:      []column{nodeColumn, networkColumn},
			queries: []query{
				{expr: byNode(``), column: column{title: "Transactions", unit: count}},
				{expr: byNode(`,result!="SUCCESS"`), column: column{title: "Failed", unit: count, colours: from(grey).at(0.5, orange)}},
				{
					expr:   byNode(`,result="SUCCESS"`) + ` / (` + byNode(``) + ` > 0)`,
					column: column{title: "Succeed", unit: ratio, colours: from(red).at(0.000001, orange).at(0.99, green)},
				},
			},
		},
		{
			view: timeline(), points: timelinePoints, title: "Canary paused", width: 12, height: 9, unit: count, colours: anyIsWarn, values: named("✓ no", green, "✗ paused", orange), none: none,
			description: "Why nothing is sent; the runbook says what each reason means. It resumes by itself.",
			runbook:     "HederaCanaryPaused",
			queries:     []query{{expr: `max by (network, reason) (max_over_time(hedera_canary_paused{@network}[$__rate_interval]))`, legend: "{{network}} {{reason}}"}},
		},
		{
			view: lines(), title: "Fees of the canary in an hour", width: 12, height: 7, unit: hbar, min: new(0.0), none: none,
			description: "Of all exporters. A step without more transactions is a new fee, or a rate that moved.",
			runbook:     "HederaFeeChanged",
			queries:     []query{{expr: `sum by (network) (increase(hedera_canary_fees_hbar_total{@network}[1h]))`, legend: "{{network}}"}},
		},
		{
			view: lines(), title: "Gaps of the subscription in an hour", width: 12, height: 7, unit: count, min: new(0.0), none: "No canary with a topic",
			description: "How often the mirror's stream of the canary's topic left out messages. Any is a fault of the stream: who reads a topic by it misses some.",
			runbook:     "HederaCanaryInvisible",
			queries:     []query{{expr: `max by (network) (increase(hedera_canary_stream_gaps_total{@network}[1h]))`, legend: "{{network}}"}},
		},
	}...)
}

// byNode is how many transactions with such results were sent to each node.
func byNode(results string) string {
	return `sum by (network, node_id) (increase(hedera_canary_transactions_total{@network` + results + `}[$__range]))`
}
