// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	canaryName   = "canary"
	canarySource = "transactions of the exporter's own"
)

// Stages of a transaction of the canary.
const (
	stagePrecheck   = "precheck"
	stageReceipt    = "receipt"
	stageMirrorREST = "mirror_rest"
	stageMirrorGRPC = "mirror_grpc"
)

// Results that are no response code of the network.
const (
	resultTimeout     = "timeout"
	resultUnreachable = "unreachable"
	resultMismatch    = "certificate_mismatch"
)

// canaryResults are counted from 0 for each node; others begin with the first.
var canaryResults = []string{
	"SUCCESS", "BUSY", "PLATFORM_NOT_ACTIVE", "INVALID_NODE_ACCOUNT", "INVALID_TRANSACTION_START",
	"INSUFFICIENT_PAYER_BALANCE", "INSUFFICIENT_TX_FEE", resultTimeout, resultUnreachable, resultMismatch,
}

// Reasons for which the canary pauses.
const (
	pauseBudget         = "budget"
	pauseMinBalance     = "min_balance"
	pausePayerBalance   = "INSUFFICIENT_PAYER_BALANCE"
	pauseFee            = "INSUFFICIENT_TX_FEE"
	pauseStart          = "INVALID_TRANSACTION_START"
	pauseNode           = "no_node"
	pauseUnknownSpent   = "spending_unknown"
	canaryPausesExplain = "budget: what may have been spent today leaves no room for another maximum fee. min_balance: the payer has no more than that. INSUFFICIENT_PAYER_BALANCE, INSUFFICIENT_TX_FEE (the fee schedule has changed) and INVALID_TRANSACTION_START (the exporter's clock is ahead): the node's or the network's answer. no_node: no node of the address book has an endpoint with TLS and a certificate hash. spending_unknown: the mirror node has not yet told what was spent today."
)

var canaryPauses = []string{pauseBudget, pauseMinBalance, pausePayerBalance, pauseFee, pauseStart, pauseNode, pauseUnknownSpent}

var stageLabels = []string{"network", "stage"}

// canaryBuckets have the usual times of each stage, and those that alerts are for.
var canaryBuckets = []float64{0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 9, 11, 15, 20, 30, 45, 60}

var (
	canaryTransactions = newCounter(Metric{
		Collector: canaryName,
		Name:      "canary_transactions_total",
		Help:      "Transactions that the canary has tried to submit to the node. Result is SUCCESS, or else the code of the node's precheck or of the receipt, timeout (no answer, or no receipt within 30 s), unreachable (no connection, or it broke) or certificate_mismatch (the node's certificate is not the address book's).",
		Labels:    with(nodeLabels, "result"),
		Source:    canarySource,
		Example:   "sum by (network) (rate(hedera_canary_transactions_total{result=\"SUCCESS\"}[1h])) / sum by (network) (rate(hedera_canary_transactions_total[1h]))",
	})
	canaryStageDuration = newHistogram(Metric{
		Collector: canaryName,
		Name:      "canary_stage_duration_seconds",
		Help:      "Time from the moment before a transaction was sent until the node took it (precheck), its receipt said SUCCESS (receipt), the mirror node's REST API had it (mirror_rest), and a subscription to the topic had it (mirror_grpc). Stages that a transaction does not reach are not observed.",
		Labels:    stageLabels,
		Source:    canarySource,
		Example:   "histogram_quantile(0.5, sum by (network, stage, le) (rate(hedera_canary_stage_duration_seconds_bucket[15m])))",
	}, canaryBuckets)
	canaryLastSuccess = newGauge(Metric{
		Collector: canaryName,
		Name:      "canary_last_success_timestamp_seconds",
		Help:      "When a transaction of the canary last reached the stage. Absent until one has.",
		Labels:    stageLabels,
		Source:    canarySource,
		Example:   "time() - hedera_canary_last_success_timestamp_seconds{stage=\"receipt\"} > 600",
	})
	canaryLastDuration = newGauge(Metric{
		Collector: canaryName,
		Name:      "canary_last_stage_duration_seconds",
		Help:      "Time that the last transaction to reach the stage took for it, as in hedera_canary_stage_duration_seconds. Absent until one has.",
		Labels:    stageLabels,
		Source:    canarySource,
		Example:   "hedera_canary_last_stage_duration_seconds{stage=\"receipt\"} > 11",
	})
	canaryStreamGaps = newCounter(Metric{
		Collector: canaryName,
		Name:      "canary_stream_gaps_total",
		Help:      "How often the subscription to the canary's topic has left out messages: a sequence number was not the one after the last. Absent without canary.topic or mirror.grpc_address.",
		Labels:    networkLabel,
		Source:    "mirror gRPC ConsensusService/subscribeTopic",
		Example:   "increase(hedera_canary_stream_gaps_total[1h]) > 0",
	})
	canaryFees = newCounter(Metric{
		Collector: canaryName,
		Name:      "canary_fees_hbar_total",
		Help:      "Fees charged for the canary's transactions, as the mirror node has them.",
		Labels:    networkLabel,
		Source:    canarySource,
		Example:   "increase(hedera_canary_fees_hbar_total[1d])",
	})
	canaryBudget = newGauge(Metric{
		Collector: canaryName,
		Name:      "canary_budget_hbar",
		Help:      "Configured budget for the fees of a day (UTC).",
		Labels:    networkLabel,
		Source:    "configuration, canary.budget",
		Example:   "hedera_canary_budget_spent_hbar / hedera_canary_budget_hbar > 0.9",
	})
	canarySpent = newGauge(Metric{
		Collector: canaryName,
		Name:      "canary_budget_spent_hbar",
		Help:      "Fees of today's (UTC) transactions of the canary's payer, whoever submitted them. Those of the canary that the mirror node does not show yet count with their maximum fee. Absent until the mirror node has been read.",
		Labels:    networkLabel,
		Source:    transactionsSource,
		Example:   "hedera_canary_budget_hbar - hedera_canary_budget_spent_hbar",
	})
	canaryPaused = newGauge(Metric{
		Collector: canaryName,
		Name:      "canary_paused",
		Help:      "Whether the canary submits nothing for this reason; it resumes by itself. " + canaryPausesExplain,
		Labels:    with(networkLabel, "reason"),
		Source:    canarySource,
		Example:   "hedera_canary_paused == 1",
	})
)

func init() {
	register(Registration{
		Name:           canaryName,
		Help:           "transactions of its own on networks that have a canary in the configuration",
		DefaultEnabled: true,
		factory:        newCanaryCollector,
	})
}

// canaryCollector shows what a canary has measured. It asks nobody.
type canaryCollector struct {
	canary *Canary
}

func newCanaryCollector(n Network) (Collector, error) {
	if n.Canary == nil {
		return noop{}, nil
	}
	return canaryCollector{n.Canary}, nil
}

// Update implements Collector. A canary that does not run shows nothing.
func (c canaryCollector) Update(_ context.Context, ch chan<- prometheus.Metric) error {
	c.canary.send(ch)
	return nil
}
