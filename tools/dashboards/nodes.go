// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	endpointUp = `max by (network, node_id, address, transport) (hedera_node_endpoint_up{@node})`
	stake      = `max by (network, node_id) (hedera_node_stake_hbar{@node})`
)

func nodes() board {
	return board{
		uid: "hedera-nodes", title: "Hedera / Nodes",
		description: "Consensus nodes and their endpoints: whether they answer, how fast, with which certificate and how much stake.",
		variables:   []cog.Builder[dashboard.VariableModel]{nodeVariable()},
		rows: []row{
			{panels: nodeFigures()},
			{title: "Status", panels: nodeStatus()},
			{title: "Probe latency", panels: nodeLatency()},
			{title: "Address book", panels: addressBook()},
			{title: "Nodes", panels: []panel{nodeTable(), ownNodes()}},
			{title: "Stake", panels: nodeStakes()},
			{title: "Certificates", panels: nodeCertificates()},
		},
	}
}

func nodeFigures() []panel {
	return []panel{
		{
			view: statPanel(), title: "Nodes", width: 3, height: 4, unit: count, colours: neutral, none: "No address book",
			description: "Nodes in the address book. Fewer than before means that one has left the network.",
			runbook:     "HederaNodeLeft",
			queries:     []query{{expr: `sum(max by (network) (hedera_address_book_nodes{@network}))`, legend: "nodes"}},
		},
		{
			view: colouredStatPanel(), title: "Nodes down", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No probes",
			description: "Chosen nodes of which no endpoint answers.",
			runbook:     "HederaNodeDown",
			queries:     []query{{expr: `sum(max by (network, node_id) (hedera_node_endpoint_up{@node}) == bool 0)`, legend: "down", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Endpoints down", width: 3, height: 4, unit: count, colours: anyIsWarn, none: "No probes",
			description: "Endpoints of the chosen nodes that do not answer. Clients that know only these are cut off.",
			runbook:     "HederaNodeEndpointDown",
			queries:     []query{{expr: `sum((` + endpointUp + `) == bool 0)`, legend: "down", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Stake reachable", width: 3, height: 4, unit: ratio, decimals: new(1.0), colours: stakeUp, none: "No probes",
			description: "Share of the stake whose nodes answer, of the network where it is least. Below two thirds there is no consensus.",
			runbook:     "HederaNodeStakeUnreachable",
			queries:     []query{{expr: `min(` + reachable + `)`, legend: "reachable", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Answers that are not OK", width: 3, height: 4, unit: count, colours: anyIsWarn, none: "No probes",
			description: "Endpoints that answer the probe with another precheck code than OK, such as BUSY or PLATFORM_NOT_ACTIVE: the node is throttled or not in consensus.",
			runbook:     "HederaNodeDown",
			queries: []query{{expr: `count(max by (network, node_id, address) (hedera_node_endpoint_precheck_info{@node,code!="OK"}))` +
				` or 0 * count(hedera_node_endpoint_precheck_info{@node})`, legend: "not OK", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Wrong certificates", width: 3, height: 4, unit: count, colours: anyIsBad, none: "No TLS endpoint",
			description: "TLS endpoints whose certificate is not the one in the address book. Clients that check it refuse to connect; somebody may sit in between.",
			runbook:     "HederaNodeCertificateMismatch",
			queries:     []query{{expr: `sum(min by (network, node_id, address) (hedera_node_endpoint_certificate_match{@node}) == bool 0)`, legend: "wrong", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "First certificate expires in", width: 3, height: 4, unit: seconds, decimals: new(1.0), colours: expiry, none: "No TLS endpoint",
			description: "Time until the first certificate expires. Nodes pin certificates by hash, so that an expired one still works with Hedera's SDKs, but not with other TLS clients.",
			runbook:     "HederaNodeCertificateExpiring",
			queries:     []query{{expr: `min(hedera_node_endpoint_certificate_expiry_timestamp_seconds{@node}) - time()`, legend: "time left", instant: true}},
		},
		{
			view: colouredStatPanel(), title: "Address book age", width: 3, height: 4, unit: seconds, decimals: new(0.0), colours: from(green).at(3600, orange).at(86400, red), none: "No address book",
			description: "Time since the address book was read. With an old one, new nodes and changed endpoints are missed.",
			runbook:     "HederaAddressBookStale",
			queries:     []query{{expr: `max(time() - hedera_address_book_fetched_timestamp_seconds{@network})`, legend: "age", instant: true}},
		},
	}
}

func nodeStatus() []panel {
	return []panel{
		{
			view: tiles(), recent: "5m", title: "Nodes", width: 24, height: 5, unit: ratio, colours: partIsBad, values: upInPart, none: "No probes",
			description: "Each node by its id: up when all of its endpoints answer, in part when some do, down when none does.",
			runbook:     "HederaNodeDown",
			queries:     []query{{expr: `avg by (network, node_id) (` + endpointUp + `)`, legend: "{{network}} {{node_id}}"}},
		},
		{
			view: tiles(), recent: "5m", title: "Endpoints", width: 24, height: 13, unit: count, colours: zeroIsBad, values: upOrDown, none: "No probes",
			description: "Each endpoint by its node and address. One that is down while others of the node are up is a fault of that endpoint or its port. Of more than 250, those that are down come first and the others are left out.",
			runbook:     "HederaNodeEndpointDown",
			// The answer is sorted by labels: where comes after node_id, endpoint would not.
			queries: []query{{
				expr:   `bottomk(250, max by (network, node_id, where) (label_replace(hedera_node_endpoint_up{@node}, "where", "$1", "address", "(.+)")))`,
				legend: "{{network}} {{node_id}} {{where}}",
			}},
		},
		{
			view: timeline(), title: "Node history", width: 24, height: 12, unit: ratio, colours: partIsBad, values: upInPart, none: "No probes",
			description: "Whether each node's endpoints answered. Many nodes down at once is our own way out, not the nodes.",
			runbook:     "HederaNodeDown",
			queries: []query{{
				expr:   `avg by (network, node_id) (max by (network, node_id, address, transport) (min_over_time(hedera_node_endpoint_up{@node}[$__rate_interval])))`,
				legend: "{{network}} {{node_id}}",
			}},
		},
	}
}

func nodeLatency() []panel {
	phase := func(name, what, runbook string) panel {
		return panel{
			view: heat(seconds), points: 60, title: "Phase " + name, width: 8, height: 8, unit: seconds, none: "No connection in this time",
			description: what,
			runbook:     runbook,
			queries:     []query{{expr: `max by (network, node_id) (hedera_node_endpoint_probe_duration_seconds{@node,phase="` + name + `"}) > 0`, legend: "{{network}} {{node_id}}"}},
		}
	}
	return []panel{
		phase("connect", "How many nodes took how long to connect, by their slowest endpoint, in probes that opened a new connection. A second band far above the first is a route that got longer.", "HederaNodeProbeSlow"),
		phase("tls", "How many nodes took how long for the TLS handshake, by their slowest endpoint, in probes that opened a new connection. A wide spread is a node short of CPU.", "HederaNodeProbeSlow"),
		phase("rpc", "How many nodes took how long to answer, by their slowest endpoint. A band that rises is load on the nodes; a single high row is one slow node.", "HederaNodeProbeSlow"),
		{
			view: linesWithLast(), title: "Slowest endpoints", width: 12, height: 8, unit: seconds, min: new(0.0), none: "No probes",
			description: "How long the slowest endpoint takes to answer, of the twenty nodes where it is longest. Three times the day's average is worth a look.",
			runbook:     "HederaNodeProbeSlow",
			queries: []query{{
				expr:   `topk(20, max by (network, node_id) (min by (network, node_id, address) (hedera_node_endpoint_probe_duration_seconds{@node,phase="rpc"})))`,
				legend: "{{network}} {{node_id}}",
			}},
		},
		{
			view: stacked(), title: "Answers by precheck code", width: 12, height: 8, unit: count, min: new(0.0), none: "No probes",
			description: "Endpoints by the code that they answered with. OK is the healthy one; BUSY is a throttled node, PLATFORM_NOT_ACTIVE one that is not in consensus.",
			runbook:     "HederaNodeDown",
			queries:     []query{{expr: `count by (network, code) (max by (network, node_id, address, code) (hedera_node_endpoint_precheck_info{@node}))`, legend: "{{network}} {{code}}"}},
		},
	}
}

func addressBook() []panel {
	return []panel{
		{
			view: tablePanel("Network", false), title: "Address books", width: 12, height: 7, unit: "string", none: "No address book",
			description: "What the exporter reads of each address book. Left out are endpoints without a usable address or port: they are not probed. Truncated: the book has more nodes or endpoints than are read, and the rest is not watched.",
			runbook:     "HederaAddressBookStale",
			labels:      []column{networkColumn},
			queries: []query{
				{expr: ofNetwork(`hedera_address_book_nodes{@network}`), column: column{title: "Nodes", unit: "none"}},
				{expr: `sum by (network) (max by (network, node_id) (hedera_node_endpoints{@network}))`, column: column{title: "Endpoints", unit: "none"}},
				{expr: ofNetwork(`hedera_address_book_endpoints_skipped{@network}`), column: column{title: "Left out", unit: "none", colours: anyIsWarn}},
				{expr: ofNetwork(`hedera_address_book_truncated{@network}`), column: column{title: "Truncated", unit: count, values: named("✓ no", green, "✗ yes", orange)}},
				{expr: `min by (network) (hedera_address_book_fetched_timestamp_seconds{@network}) * 1000`, column: column{title: "Read", unit: since}},
			},
		},
		{
			view: lines(), title: "Endpoints left out", width: 12, height: 7, unit: count, min: new(0.0), none: "No address book",
			description: "Endpoints of the address book that are not probed. A rise means that operators have published addresses that cannot be used.",
			runbook:     "HederaNodeAddressChanged",
			queries:     []query{{expr: ofNetwork(`hedera_address_book_endpoints_skipped{@network}`), legend: "{{network}}"}},
		},
	}
}

func nodeTable() panel {
	by := func(metric string) string { return `max by (network, node_id) (` + metric + `)` }
	return panel{
		view: tablePanel("Stake", true), title: "Nodes", width: 24, height: 12, unit: "string", none: "No address book",
		description: "Every chosen node; the operator writes the description, which often names the location. Few endpoints up, a wrong certificate, or stake below the minimum, which gives no consensus weight, are worth a look.",
		runbook:     "HederaNodeDown",
		labels: []column{
			nodeColumn,
			{label: "node_account_id", title: "Account", width: 80},
			{label: "description", title: "Description and location"},
			networkColumn,
		},
		queries: []query{
			{expr: `max by (network, node_id, node_account_id, description) (hedera_node_info{@node})`},
			{expr: `sum by (network, node_id) (` + endpointUp + `)`, column: column{title: "Up", unit: "none", width: 60, colours: zeroIsBad}},
			{expr: `sum by (network, node_id) (max by (network, node_id, address, transport) (hedera_node_endpoint_ready{@node}))`, column: column{title: "Ready", unit: "none", width: 60, colours: zeroIsBad}},
			{expr: by(`hedera_node_endpoints{@node}`), column: column{title: "Endpoints", unit: "none", width: 90}},
			{expr: stake, column: column{title: "Stake", unit: hbar, width: 110}},
			{expr: stake + ` / on (network) group_left () sum by (network) (` + nodeStake + `)`, column: column{title: "Share", unit: ratio, width: 80}},
			{expr: by(`hedera_node_stake_minimum_hbar{@node}`), column: column{title: "Minimum", unit: hbar, width: 100}},
			{expr: by(`hedera_node_stake_maximum_hbar{@node}`), column: column{title: "Maximum", unit: hbar, width: 100}},
			{expr: by(`hedera_node_reward_rate_start_hbar{@node}`) + ` * 365`, column: column{title: "Reward a year", unit: ratio, width: 110}},
			{expr: `min by (network, node_id) (hedera_node_endpoint_certificate_match{@node})`, column: column{title: "Certificate", unit: count, width: 100, values: named("✗ wrong", red, "✓ right", green)}},
			{expr: `min by (network, node_id) (hedera_node_endpoint_certificate_expiry_timestamp_seconds{@node}) - time()`, column: column{title: "Expires in", unit: seconds, width: 100, colours: expiry}},
		},
	}
}

func ownNodes() panel {
	by := func(metric string) string { return `max by (network, node_id) (` + metric + `)` }
	return panel{
		view: tablePanel("Node", false), title: "Own nodes", width: 24, height: 7, unit: "string", none: "No node is configured as your own",
		description: "The nodes of consensus.own_nodes: whether the address book has them, whether they answer OK, what their account has, and what they were paid for the last staking period. Declined is whether the node declines rewards.",
		runbook:     "HederaNodeDown",
		labels:      []column{nodeColumn, networkColumn, {label: "address", title: "gRPC proxy"}},
		queries: []query{
			{expr: by(`hedera_node_own{@node}`)},
			{expr: `max by (network, node_id, address) (hedera_node_grpc_proxy_info{@node}) and on (network, node_id) hedera_node_own{@node}`},
			{expr: by(`hedera_node_exists{@node}`), column: column{title: "In the address book", unit: count, values: noIsBad}},
			{expr: by(`hedera_node_endpoint_ready{@node}`) + ` and on (network, node_id) hedera_node_own{@node}`, column: column{title: "Ready", unit: count, values: noIsBad}},
			{expr: by(`hedera_node_account_balance_hbar{@node}`), column: column{title: "Balance", unit: hbar}},
			{expr: by(`hedera_node_reward_hbar{@node}`), column: column{title: "Reward", unit: hbar}},
			{expr: by(`hedera_node_decline_reward{@node}`) + ` and on (network, node_id) hedera_node_own{@node}`, column: column{title: "Declined", unit: count, values: named("no", grey, "yes", grey)}},
		},
	}
}

func nodeStakes() []panel {
	return []panel{
		{
			view: bars(), title: "Share of the stake", width: 8, height: 12, unit: ratio, decimals: new(1.0), min: new(0.0), colours: from(blue).at(1.0/3, red), none: "No stake",
			description: "How the stake is distributed, of the forty nodes with most. A node with a third of it could stop the network.",
			runbook:     "HederaNodeStakeUnreachable",
			queries: []query{{
				expr:   `topk(40, ` + stake + ` / on (network) group_left () sum by (network) (` + nodeStake + `))`,
				legend: "{{network}} {{node_id}}", instant: true,
			}},
		},
		{
			view: stacked(), title: "Stake that earns and declines rewards", width: 8, height: 12, unit: hbar, min: new(0.0), none: "No stake",
			description: "Stake on the chosen nodes. It changes once a day; a sudden fall is a large holder who has left.",
			runbook:     "HederaNodeStakeBelowMinimum",
			queries: []query{
				{expr: `sum by (network) (max by (network, node_id) (hedera_node_stake_rewarded_hbar{@node}))`, legend: "{{network}} earns rewards"},
				{expr: `sum by (network) (max by (network, node_id) (hedera_node_stake_not_rewarded_hbar{@node}))`, legend: "{{network}} declines rewards"},
			},
		},
		{
			view: lines(), title: "Stake by node", width: 8, height: 12, unit: hbar, min: new(0.0), none: "No stake",
			description: "Consensus weight of the forty nodes with most. A node that falls to 0 is below its minimum and has no weight.",
			runbook:     "HederaNodeStakeBelowMinimum",
			queries:     []query{{expr: `topk(40, ` + stake + `)`, legend: "{{network}} {{node_id}}"}},
		},
	}
}

func nodeCertificates() []panel {
	return []panel{{
		view: tablePanel("Expires in", false), title: "Certificates by endpoint", width: 24, height: 9, unit: "string", none: "No TLS endpoint",
		description: "The certificate that each TLS endpoint presented. One that is not in the address book is refused by clients that check it.",
		runbook:     "HederaNodeCertificateMismatch",
		labels:      []column{nodeColumn, {label: "address", title: "Endpoint"}, {label: "transport", title: "Transport"}, networkColumn},
		queries: []query{
			{expr: `min by (network, node_id, address, transport) (hedera_node_endpoint_certificate_match{@node})`, column: column{title: "In the address book", unit: count, values: noIsBad}},
			{expr: `min by (network, node_id, address, transport) (hedera_node_endpoint_certificate_expiry_timestamp_seconds{@node}) - time()`, column: column{title: "Expires in", unit: seconds, colours: expiry}},
		},
	}}
}
