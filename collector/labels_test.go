// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/simulator"
)

// labelled watches two entities of each kind, of which the first has labels.
func labelled(t *testing.T, sim *simulator.Simulator) Network {
	t.Helper()
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.1001", "hot"), account("0.0.1002", "other"))
	network.Tokens = addPlainTokens(t, sim, 2)
	network.Topics = topicsOf(addPlainTopics(t, sim, 2))
	network.Contracts = contractsOf(addPlainContracts(t, sim, 2))
	network.Accounts[0].Labels = config.Labels{"team": "payments", "env": "prod"}
	network.Tokens[0].Labels = config.Labels{"team": "coins"}
	network.Topics[0].Labels = config.Labels{"env": "test"}
	network.Contracts[0].Labels = config.Labels{"team": "bridge"}
	network.LabelNames = []string{"env", "team"}
	return network
}

var labelLines = []string{
	`hedera_account_labels{account_id="0.0.1001",env="prod",name="hot",network="simulated",team="payments"} 1`,
	`hedera_account_labels{account_id="0.0.1002",env="",name="other",network="simulated",team=""} 1`,
	`hedera_contract_labels{contract_id="0.0.720001",env="",name="n0.0.720001",network="simulated",team="bridge"} 1`,
	`hedera_contract_labels{contract_id="0.0.720002",env="",name="n0.0.720002",network="simulated",team=""} 1`,
	`hedera_token_labels{env="",name="n0.0.700001",network="simulated",team="coins",token_id="0.0.700001"} 1`,
	`hedera_token_labels{env="",name="n0.0.700002",network="simulated",team="",token_id="0.0.700002"} 1`,
	`hedera_topic_labels{env="test",name="n0.0.710001",network="simulated",team="",topic_id="0.0.710001"} 1`,
	`hedera_topic_labels{env="",name="n0.0.710002",network="simulated",team="",topic_id="0.0.710002"} 1`,
}

// TestLabels wants every entity to have every name, so that a join loses none,
// also while the mirror does not answer.
func TestLabels(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
	set := setOn(t, labelled(t, sim), "accounts tokens topics contracts")
	requests := map[string]int{
		"GET /api/v1/accounts": 1, "GET /api/v1/tokens/{id}": 2, "GET /api/v1/contracts": 1, "GET /api/v1/balances": 1,
		"GET /api/v1/topics/{id}": 2, "GET /api/v1/topics/{id}/messages": 2,
	}
	wantLines(t, scrapeCosting(t, sim, set, requests), append(labelLines, successLine("accounts", true))...)

	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, append(labelLines, successLine("accounts", false))...)
	if n := len(linesWith(body, "_labels{")); n != len(labelLines) {
		t.Errorf("%d samples of labels, want %d", n, len(labelLines))
	}
}

func TestNoLabels(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
	network := labelled(t, sim)
	network.LabelNames = nil // as of a file without labels
	wantNone(t, scrapeText(t, setOn(t, network), testDeadline), "_labels{")
}

func TestLabelsByConsensus(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
	network := labelled(t, sim)
	network.Balances = consensus.NewBalanceClient(consensus.BalanceOptions{MaxConcurrency: 1, Timeout: testDeadline})
	wantLines(t, scrapeText(t, setOn(t, network, "accounts"), testDeadline), labelLines[:2]...)
}

// TestProbeHasLabels also has an account that is not configured.
func TestProbeHasLabels(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
	network := labelled(t, sim)
	t.Cleanup(func() { closeNetwork(network) })
	registry := prometheus.NewRegistry()
	registry.MustRegister(network.Probe(t.Context(), []Target{{Text: "0.0.1001", ID: mustID("0.0.1001")}, {Text: "0.0.2", ID: mustID("0.0.2")}}))
	wantLines(t, samplesOf(gather(t, registry)), labelLines[0],
		`hedera_account_labels{account_id="0.0.2",env="",name="0.0.2",network="simulated",team=""} 1`, "probe_success 1")
}

// TestLabelsOfMetricsAreReserved keeps labels of the operator's own apart from
// ours.
func TestLabelsOfMetricsAreReserved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yml")
	checked := map[string]bool{}
	for _, m := range Metrics() {
		for _, name := range m.Labels {
			if checked[name] {
				continue
			}
			checked[name] = true
			text := "networks: {mainnet: {accounts: [{id: 0.0.2, labels: {" + name + ": x}}]}}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Load(config.Source{File: file}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s has the label %s, which the configuration accepts for labels: %v; add it to reservedLabels in internal/config", m.Name, name, err)
			}
		}
	}
}
