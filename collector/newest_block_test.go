// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"hedera_exporter/internal/simulator"
)

// latestBlock is an answer of a mirror whose latest block ended at a second.
func latestBlock(number, count, end int) string {
	return fmt.Sprintf(`{"blocks":[{"number":%d,"count":%d,"gas_used":null,"hapi_version":null,"size":null,
		"timestamp":{"from":"%d.000000000","to":"%d.000000000"}}],"links":{"next":null}}`, number, count, end-2, end)
}

func TestBlocksOfOlderReplicasAndOfANetworkThatWasReset(t *testing.T) {
	const day = 24 * 3600
	type answer struct{ number, count, end int }
	type want struct{ number, transactions, skipped, end, older int }
	type step struct {
		answer
		want
	}
	tests := map[string][]step{
		"older replica": {
			{answer{100, 7, 1000}, want{100, 0, 0, 1000, 0}},
			{answer{98, 7, 996}, want{100, 0, 0, 1000, 2}}, // once by blocks, once by mirror
			{answer{101, 1, 1002}, want{101, 1, 0, 1002, 2}},
			{answer{99, 7, 998}, want{101, 1, 0, 1002, 4}},
			{answer{104, 2, 1008}, want{104, 3, 2, 1008, 4}}, // 102 and 103 are not to be had
			{answer{104, 2, 1008}, want{104, 3, 2, 1008, 4}},
		},
		"reset": {
			{answer{5000, 3, 1000}, want{5000, 0, 0, 1000, 0}},
			{answer{2, 4, 2000}, want{2, 0, 0, 2000, 0}},
			{answer{5001, 9, 1002}, want{2, 0, 0, 2000, 2}}, // a replica that was not reset yet
			{answer{3, 5, 2002}, want{3, 5, 0, 2002, 2}},
		},
		"one wrong answer with a time far ahead": {
			{answer{100, 7, 1000}, want{100, 0, 0, 1000, 0}},
			{answer{101, 1, 1000 + 365*day}, want{101, 1, 0, 1000 + 365*day, 0}},
			{answer{102, 2, 1004}, want{101, 1, 0, 1000 + 365*day, 2}},
			{answer{103, 3, 1006}, want{101, 1, 0, 1000 + 365*day, 4}},
			{answer{102, 2, 1004}, want{102, 3, 0, 1004, 4}},
			{answer{103, 3, 1006}, want{103, 6, 0, 1006, 4}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			bodies := map[string]string{}
			set := setOn(t, answering(t, bodies), "blocks", "mirror")
			for i, step := range steps {
				bodies[blocksPath] = latestBlock(step.answer.number, step.count, step.answer.end)
				body := scrapeText(t, set, testDeadline)
				t.Log("step", i)
				wantLines(
					t, body,
					successLine("blocks", true),
					fmt.Sprintf(`hedera_block_number{network="simulated"} %d`, step.want.number),
					fmt.Sprintf(`hedera_network_transactions_total{network="simulated"} %d`, step.transactions),
					fmt.Sprintf(`hedera_network_blocks_skipped_total{network="simulated"} %d`, step.skipped),
					fmt.Sprintf(`hedera_mirror_latest_block_timestamp_seconds{network="simulated"} %s`, sampleValue(float64(step.want.end))),
				)
				wantNone(t, body, "hedera_block_gas_used{") // null
				wantNone(t, body, "hedera_block_size_bytes{")
				wantNone(t, body, "hedera_network_hapi_version_info{")
			}
			// The two collectors ask at the same time, so what mirror shows may be one
			// scrape behind.
			wantLines(t, scrapeText(t, set, testDeadline),
				fmt.Sprintf(`hedera_mirror_older_answers_total{network="simulated",route="/api/v1/blocks"} %d`, steps[len(steps)-1].older))
		})
	}
}

// TestReplicasOfASimulatedMirror is the same where the replicas take turns.
func TestReplicasOfASimulatedMirror(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	network := watching(t, sim, 0)
	set := setOn(t, network, "blocks", "mirror")
	scrapeText(t, set, testDeadline)
	before := sim.BlockTotals()
	setReplicaLag(t, sim, 30)
	number, end := 0.0, 0.0
	for range 60 {
		addBlock(sim)
		body := scrapeText(t, set, testDeadline)
		for metric, last := range map[string]*float64{"hedera_block_number{": &number, "hedera_mirror_latest_block_timestamp_seconds{": &end} {
			line := linesWith(body, metric)
			var value float64
			if _, err := fmt.Sscanf(line[0][len(metric)+len(`network="simulated"} `):], "%g", &value); err != nil || value < *last {
				t.Errorf("%s after %v: %v", line[0], *last, err)
			}
			*last = value
		}
	}
	setReplicaLag(t, sim, 0)
	body := scrapeText(t, set, testDeadline)
	wantLines(
		t, body,
		`hedera_network_transactions_total{network="simulated"} `+sampleValue(float64(sim.BlockTotals().Transactions-before.Transactions)),
		`hedera_network_blocks_skipped_total{network="simulated"} 0`,
	)
	wantNone(t, body, `hedera_mirror_older_answers_total{network="simulated",route="/api/v1/blocks"} 0`)
}
