// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

func exporter() board {
	return board{
		uid: "hedera-exporter", title: "Hedera / Exporter",
		description: "The exporter itself: what its collectors and its requests to the mirror node cost, and how they fare.",
		rows: []row{
			{panels: exporterFigures()},
			{title: "Collectors", panels: exporterCollectors()},
			{title: "Mirror node requests", panels: exporterRequests()},
			{title: "Scrapes", panels: exporterScrapes()},
			{title: "Process", panels: exporterProcess()},
		},
	}
}

func exporterFigures() []panel {
	return []panel{
		{
			view: colouredStatPanel(), title: "Exporters down", width: 4, height: 4, unit: count, colours: anyIsBad, none: "No exporter",
			description: "Chosen exporters that Prometheus cannot scrape. What only they watch is not watched.",
			runbook:     "HederaExporterDown",
			queries:     []query{{expr: `sum(up{@exporter} == bool 0)`, legend: "down", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Collectors failing", width: 4, height: 4, unit: count, colours: anyIsBad, none: "No exporter",
			description: "Collectors that delivered nothing in the last scrape.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `sum(hedera_scrape_collector_success{@network} == bool 0)`, legend: "failing", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Configuration", width: 4, height: 4, unit: count, colours: zeroIsBad, values: named("rejected", red, "loaded", green), none: "No exporter",
			description: "Rejected: the last attempt to load the configuration failed, and the exporter still uses the previous one. Its log says why.",
			runbook:     "HederaConfigReloadFailed",
			queries:     []query{{expr: `min(hedera_exporter_config_last_reload_successful{@exporter})`, legend: "configuration", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Error budget burn rate", width: 4, height: 4, unit: "suffix:×", decimals: new(1.0), colours: burnRate, none: "No recording rules",
			description: "How fast requests to the mirror use up the 1 % that may fail, over an hour: 1 is just so, 14.4 uses up a month's in two days. Needs hedera.rules.yml.",
			runbook:     "HederaMirrorErrorBudgetBurn",
			queries:     []query{{expr: `max(network:hedera_mirror_requests:burn_rate1h{@recorded})`, legend: "burn rate", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Transactions backlog", width: 4, height: 4, unit: seconds, decimals: new(0.0), colours: from(green).at(60, orange).at(300, red), none: "No transactions: true",
			description: "How far counting of transactions is behind. It grows where accounts have more of them than a scrape reads.",
			runbook:     "HederaTransactionsBacklogGrowing",
			queries:     []query{{expr: `max(hedera_transactions_backlog_seconds{@network})`, legend: "backlog", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Truncated lists", width: 4, height: 4, unit: count, colours: anyIsWarn, none: "Nothing is listed",
			description: "Accounts with more tokens or allowances, and creators with more schedules, than are read: the rest is not watched. Configure the tokens that matter.",
			runbook:     "HederaListTruncated",
			queries:     []query{{expr: `sum(hedera_account_tokens_truncated{@network} or hedera_account_allowances_truncated{@network} or hedera_schedules_truncated{@network})`, legend: "truncated", instant: true}},
		},
	}
}

func exporterCollectors() []panel {
	return []panel{
		{
			view: timeline(), title: "Success", width: 12, height: 9, unit: count, colours: zeroIsBad, values: upOrDown, none: "No exporter",
			description: "Whether each collector delivered its samples. What is not up are gaps in the data.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `min by (network, collector) (min_over_time(hedera_scrape_collector_success{@network}[$__rate_interval]))`, legend: "{{network}} {{collector}}"}},
		},
		{
			view: linesWithLast(), points: fewPoints, title: "Duration", width: 12, height: 9, unit: seconds, min: new(0.0), none: "No exporter",
			description: "How long the slowest collectors took. They run at the same time, so that the slowest one makes the scrape's duration.",
			runbook:     "HederaScrapeSlow",
			queries:     []query{{expr: `topk(20, max by (network, collector) (hedera_scrape_collector_duration_seconds{@network}))`, legend: "{{network}} {{collector}}"}},
		},
		{
			view: linesWithLast(), points: fewPoints, title: "Age of the samples", width: 12, height: 7, unit: seconds, min: new(0.0), none: "No exporter",
			description: "How old the samples of the slowest collectors were when they were scraped. More than its min_interval means that it has failed since.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `topk(20, clamp_min(max by (network, collector) (timestamp(hedera_scrape_collector_collected_timestamp_seconds{@network}) - hedera_scrape_collector_collected_timestamp_seconds{@network}), 0))`, legend: "{{network}} {{collector}}"}},
		},
		{
			view: linesWithLast(), points: fewPoints, title: "Missing from the scrape", width: 12, height: 7, unit: count, min: new(0.0), none: "No exporter",
			description: "Accounts, tokens, nodes and so on that could not be read; 1 if the whole collector failed. More than 0 for long: they have no series, and alerts on them cannot fire.",
			runbook:     "HederaCollectorIncomplete",
			queries:     []query{{expr: `topk(20, max by (network, collector) (hedera_scrape_collector_incomplete{@network}))`, legend: "{{network}} {{collector}}"}},
		},
	}
}

func exporterRequests() []panel {
	return []panel{
		{
			view: stacked(), points: fewPoints, title: "Requests by code", width: 8, height: 8, unit: requests, min: new(0.0), none: "No requests",
			description: "429 means that the rate limit is too high for the mirror; 5xx, timeout and error are faults of the mirror or of the way to it.",
			runbook:     "HederaMirrorRateLimited",
			queries:     []query{{expr: `sum by (network, code) (rate(hedera_mirror_requests_total{@network}[$__rate_interval]))`, legend: "{{network}} {{code}}"}},
		},
		{
			view: stacked(), points: fewPoints, title: "Requests by endpoint", width: 8, height: 8, unit: requests, min: new(0.0), none: "No requests",
			description: "What the scrapes ask for. The public mirror allows 50 requests a second to all programs behind one address.",
			runbook:     "HederaMirrorRateLimited",
			queries:     []query{{expr: `topk(20, sum by (network, route) (rate(hedera_mirror_requests_total{@network}[$__rate_interval])))`, legend: "{{network}} {{route}}"}},
		},
		{
			view: guarded(), title: "Share of requests that fail", width: 8, height: 8, unit: ratio, min: new(0.0), colours: errorRatio, none: "No requests",
			description: "Requests without an answer or with a 5xx. The objective is less than 1 %.",
			runbook:     "HederaMirrorErrorRatioHigh",
			queries:     []query{{expr: mirrorFail, legend: "{{network}}"}},
		},
		{
			view: lines(), points: fewPoints, title: "Latency", width: 8, height: 8, unit: seconds, min: new(0.0), none: "No requests",
			description: "Quantiles over all requests. A rising 99th one is the first sign of a mirror under load.",
			runbook:     "HederaScrapeSlow",
			queries: []query{
				{expr: `histogram_quantile(0.5, sum by (network, le) (rate(hedera_mirror_request_duration_seconds_bucket{@network}[$__rate_interval])))`, legend: "{{network}} median"},
				{expr: `histogram_quantile(0.9, sum by (network, le) (rate(hedera_mirror_request_duration_seconds_bucket{@network}[$__rate_interval])))`, legend: "{{network}} 90 %"},
				{expr: `histogram_quantile(0.99, sum by (network, le) (rate(hedera_mirror_request_duration_seconds_bucket{@network}[$__rate_interval])))`, legend: "{{network}} 99 %"},
			},
		},
		{
			view: lines(), points: fewPoints, title: "Mean latency by endpoint", width: 8, height: 8, unit: seconds, min: new(0.0), none: "No requests",
			description: "Which of the mirror's endpoints is slow. The slowest decide how long a scrape takes.",
			runbook:     "HederaScrapeSlow",
			queries: []query{{
				expr: `topk(20, sum by (network, route) (rate(hedera_mirror_request_duration_seconds_sum{@network}[$__rate_interval]))` +
					` / (sum by (network, route) (rate(hedera_mirror_request_duration_seconds_count{@network}[$__rate_interval])) > 0))`,
				legend: "{{network}} {{route}}",
			}},
		},
		{
			view: lines(), title: "Waiting for the rate limit", width: 8, height: 8, unit: ratio, min: new(0.0), none: "No requests",
			description: "Seconds of waiting in each second, by all requests together. More than 0 for long: fewer entities, a longer interval, or a mirror of your own.",
			runbook:     "HederaMirrorRateLimited",
			queries:     []query{{expr: `sum by (network) (rate(hedera_mirror_rate_limit_wait_seconds_total{@network}[$__rate_interval]))`, legend: "{{network}}"}},
		},
		{
			view: lines(), points: fewPoints, title: "Values that could not be read in an hour", width: 8, height: 8, unit: count, min: new(0.0), none: "No exporter",
			description: "By route and field of the mirror's answers. More than 0 means that the exporter does not understand the field: its series are absent. The log has the value, also of a first failure that is not drawn here.",
			runbook:     "HederaMirrorDecodeFailures",
			// Without any failure there is no series: 0 of each network.
			queries: []query{{
				expr: `max by (network, route, field) (increase(hedera_mirror_decode_failures_total{@network}[1h]))` +
					` or on (network) 0 * max by (network) (hedera_scrape_collector_success{@network})`,
				legend: "{{network}} {{route}} {{field}}",
			}},
		},
		{
			view: lines(), points: fewPoints, title: "Older answers in an hour", width: 8, height: 8, unit: count, min: new(0.0), none: "No mirror",
			description: "Answers that were left out because an earlier one was newer. Many of them mean that a replica of the mirror is behind the others.",
			runbook:     "HederaMirrorLagging",
			queries:     []query{{expr: `max by (network, route) (increase(hedera_mirror_older_answers_total{@network}[1h]))`, legend: "{{network}} {{route}}"}},
		},
		{
			view: timeline(), title: "Routes of the mirror", width: 8, height: 8, unit: count, colours: from(orange).at(1, green), values: named("✗ missing", orange, "✓ available", green), none: "No mirror",
			description: "Whether the mirror has each route. Missing: it answers 404, as partial mirrors do, and the metrics from this route are absent.",
			runbook:     "HederaCollectorIncomplete",
			queries:     []query{{expr: `min by (network, route) (min_over_time(hedera_mirror_route_available{@network}[$__rate_interval]))`, legend: "{{network}} {{route}}"}},
		},
		{
			view: timeline(), title: "Mirror up", width: 8, height: 8, unit: count, colours: from(red).at(1, green).at(2, orange), values: mirrorStates, none: "No mirror",
			description: "Whether the mirror node's REST and gRPC APIs answered, its EVM where web3 is true, and the others of mirror.others. Without REST there are no balances; without gRPC the address book comes from REST. Starting is a mirror that has no block yet: until it has, there is nothing to count.",
			runbook:     "HederaMirrorDown",
			queries: []query{
				{
					expr: `min by (network) (min_over_time(hedera_mirror_up{@network}[$__rate_interval])) * (1 + max by (network) (hedera_mirror_starting{@network}))` +
						` or min by (network) (min_over_time(hedera_mirror_up{@network}[$__rate_interval]))`,
					legend: "{{network}} REST",
				},
				{expr: `min by (network) (min_over_time(hedera_mirror_grpc_up{@network}[$__rate_interval]))`, legend: "{{network}} gRPC"},
				{expr: `min by (network) (min_over_time(hedera_mirror_web3_up{@network}[$__rate_interval]))`, legend: "{{network}} EVM"},
				{expr: `min by (network, mirror) (min_over_time(hedera_mirror_other_up{@network}[$__rate_interval]))`, legend: "{{network}} other {{mirror}}"},
			},
		},
		{
			view: lines(), title: "Age of the latest block by mirror", width: 8, height: 8, unit: seconds, min: new(0.0), none: "No mirror",
			description: "When it was scraped, of the mirror node and of the others. If all rise together, it is the network; if one does, it is that mirror.",
			runbook:     "HederaMirrorBehindOthers",
			queries: []query{
				{expr: mirrorAge, legend: "{{network}}"},
				{
					expr: `min by (network, mirror) (timestamp(hedera_mirror_other_latest_block_timestamp_seconds{@network})` +
						` - hedera_mirror_other_latest_block_timestamp_seconds{@network})`,
					legend: "{{network}} other {{mirror}}",
				},
			},
		},
		{
			view: lines(), title: "Blocks ahead of the mirror", width: 8, height: 8, unit: count, none: "No other mirror",
			description: "Latest block of each of the others, less that of the mirror node. Above 10 for long, the mirror node is behind; far below 0, the other one is.",
			runbook:     "HederaMirrorBehindOthers",
			queries: []query{{
				expr:   `max by (network, mirror) (hedera_mirror_other_latest_block_number{@network}) - on (network) group_left () max by (network) (hedera_block_number{@network})`,
				legend: "{{network}} other {{mirror}}",
			}},
		},
	}
}

func exporterScrapes() []panel {
	return []panel{
		{
			view: lines(), title: "Scrape duration", width: 8, height: 7, unit: seconds, min: new(0.0), none: "No exporter",
			description: "How long Prometheus waited. Near the scrape timeout, collectors begin to fail.",
			runbook:     "HederaScrapeSlow",
			queries:     []query{{expr: `scrape_duration_seconds{@exporter}`, legend: "{{instance}}"}},
		},
		{
			view: lines(), title: "Samples per scrape", width: 8, height: 7, unit: count, min: new(0.0), none: "No exporter",
			description: "What the exporter costs Prometheus. It grows with the configuration, never with the network's content.",
			runbook:     "HederaScrapeSlow",
			queries:     []query{{expr: `scrape_samples_scraped{@exporter}`, legend: "{{instance}}"}},
		},
		{
			view: lines(), title: "Scrape errors in an hour", width: 8, height: 7, unit: count, min: new(0.0), none: "No exporter",
			description: "Scrapes that could not be gathered or encoded as a whole. Anything but 0 is a defect of the exporter: report it with its log.",
			runbook:     "HederaCollectorFailing",
			queries:     []query{{expr: `increase(promhttp_metric_handler_errors_total{@exporter}[1h])`, legend: "{{instance}} {{cause}}"}},
		},
	}
}

func exporterProcess() []panel {
	return []panel{
		{
			view: lines(), title: "Memory", width: 6, height: 7, unit: size, min: new(0.0), none: "No exporter",
			description: "Resident memory and the Go heap in use. A steady rise over days is a leak: report it.",
			runbook:     "HederaExporterRestarting",
			queries: []query{
				{expr: `process_resident_memory_bytes{@exporter}`, legend: "{{instance}} resident"},
				{expr: `go_memstats_heap_inuse_bytes{@exporter}`, legend: "{{instance}} heap"},
			},
		},
		{
			view: lines(), title: "Goroutines", width: 6, height: 7, unit: count, min: new(0.0), none: "No exporter",
			description: "They go up and down with each scrape. A steady rise is a leak: report it.",
			runbook:     "HederaExporterRestarting",
			queries:     []query{{expr: `go_goroutines{@exporter}`, legend: "{{instance}}"}},
		},
		{
			view: lines(), title: "CPU", width: 6, height: 7, unit: ratio, min: new(0.0), none: "No exporter",
			description: "Share of one core. TLS handshakes with many nodes are the dearest part; connections are kept to avoid them.",
			runbook:     "HederaScrapeSlow",
			queries:     []query{{expr: `rate(process_cpu_seconds_total{@exporter}[$__rate_interval])`, legend: "{{instance}}"}},
		},
		{
			view: lines(), title: "Open files", width: 6, height: 7, unit: count, min: new(0.0), none: "No exporter",
			description: "One for each node endpoint that is probed, and a few more. Near the limit, probes fail.",
			runbook:     "HederaCollectorFailing",
			queries: []query{
				{expr: `process_open_fds{@exporter}`, legend: "{{instance}} open"},
				{expr: `process_max_fds{@exporter}`, legend: "{{instance}} limit"},
			},
		},
		{
			view: tablePanel("Exporter", false), title: "Builds", width: 24, height: 6, unit: "string", none: "No exporter",
			description: "Version of each exporter, since when it runs and how old its configuration is. Often restarted ones run out of memory.",
			runbook:     "HederaExporterRestarting",
			labels: []column{
				{label: "instance", title: "Exporter"},
				{label: "job", title: "Job"},
				{label: "version", title: "Version"},
				{label: "revision", title: "Revision"},
				{label: "goversion", title: "Go"},
			},
			queries: []query{
				{expr: `max by (job, instance, version, revision, goversion) (hedera_exporter_build_info{@exporter})`},
				{expr: `max by (job, instance) (process_start_time_seconds{@exporter}) * 1000`, column: column{title: "Started", unit: since}},
				{expr: `max by (job, instance) (hedera_exporter_config_last_reload_success_timestamp_seconds{@exporter}) * 1000`, column: column{title: "Configuration loaded", unit: since}},
			},
		},
	}
}
