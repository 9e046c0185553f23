// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/simulator"
)

func TestAddressBook(t *testing.T) {
	sim := startSimulator(t, simulator.Options{})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	sources := map[string]BookSource{
		"gRPC": network.MirrorGRPC.Book,
		"REST": MirrorBook(network.Mirror, consensus.BookOptions{TLSPorts: sim.TLSPorts(), Local: true}),
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			network.AddressBook = NewAddressBook(source, 0)
			body := scrapeText(t, setOn(t, network, "address_book"), testDeadline)

			nodes := sim.Nodes()
			wantLines(t, body, fmt.Sprintf(`hedera_address_book_nodes{network="simulated"} %d`, len(nodes)))
			if n := len(linesWith(body, "hedera_address_book_fetched_timestamp_seconds{")); n != 1 {
				t.Errorf("%d fetched timestamps", n)
			}
			for _, node := range nodes {
				wantLines(
					t, body,
					fmt.Sprintf(`hedera_node_info{certificate_hash="%s",description="%s",network="simulated",node_account_id="%s",node_id="%d"} 1`,
						node.CertHash, strings.ReplaceAll(node.Description, `"`, `\"`), node.AccountID, node.NodeID),
					fmt.Sprintf(`hedera_node_endpoints{network="simulated",node_id="%d"} %d`, node.NodeID, len(node.Endpoints)),
				)
			}
		})
	}
}

func TestStakeIsExactAndNullsAreAbsent(t *testing.T) {
	sim := startSimulator(t, simulator.Options{})
	body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "address_book"), testDeadline)

	families := map[string]func(simulator.Node) int64{
		"stake":              func(n simulator.Node) int64 { return n.Stake },
		"stake_rewarded":     func(n simulator.Node) int64 { return n.StakeRewarded },
		"stake_not_rewarded": func(n simulator.Node) int64 { return n.StakeNotRewarded },
		"stake_minimum":      func(n simulator.Node) int64 { return n.MinStake },
		"stake_maximum":      func(n simulator.Node) int64 { return n.MaxStake },
		"reward_rate_start":  func(n simulator.Node) int64 { return n.RewardRateStart },
	}
	nulls := 0
	for name, value := range families {
		for _, node := range sim.Nodes() {
			lines := linesWith(body, "hedera_node_"+name+"_hbar{", fmt.Sprintf(`node_id="%d"`, node.NodeID))
			tinybar := value(node)
			switch {
			case tinybar == -1: // null, as the mirror has it in its database
				nulls++
				if len(lines) != 0 {
					t.Errorf("a null became %q", lines)
				}
			case len(lines) != 1 || !strings.HasSuffix(lines[0], fmt.Sprintf(" %v", float64(tinybar)/1e8)):
				t.Errorf("node %d has %s %d tinybar, but %q", node.NodeID, name, tinybar, lines)
			}
		}
	}
	if nulls == 0 {
		t.Error("the simulator has no null to test with")
	}
	if n := sim.Requests()["GET /api/v1/network/nodes"]; n != 2 {
		t.Errorf("%d requests for 29 nodes, want 2 pages of 25", n)
	}
}
