// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

var update = flag.Bool("update", false, "rewrite golden files and generated documents")

const goldenScrape = "testdata/scrape.prom"

// volatile are the values that differ from run to run: times of day and durations.
var volatile = regexp.MustCompile(`(?m)^(hedera_(?:scrape_collector_duration_seconds|scrape_collector_collected_timestamp_seconds|address_book_fetched_timestamp_seconds|network_fee_collected_timestamp_seconds|exporter_config_last_reload_success_timestamp_seconds|mirror_rate_limit_wait_seconds_total|node_endpoint_probe_duration_seconds|mirror_request_duration_seconds_(?:bucket|sum))(?:\{.*\})?) .*$`)

func TestGoldenScrape(t *testing.T) {
	raw, nodes := fullScrape(t)
	body := stabilize(raw, nodes)
	if *update {
		if err := os.WriteFile(goldenScrape, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenScrape)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, goldenScrape, string(golden), body, "make golden")
}

// TestEveryFamilyIsInTheGoldenScrape holds the golden file to the declarations.
func TestEveryFamilyIsInTheGoldenScrape(t *testing.T) {
	golden, err := os.ReadFile(goldenScrape)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Metrics() {
		if !strings.Contains(string(golden), "# TYPE "+m.Name+" "+m.Type+"\n") {
			t.Errorf("%s (%s) is not in %s", m.Name, m.Type, goldenScrape)
		}
	}
}

func TestFullScrapePassesPromlint(t *testing.T) {
	body, _ := fullScrape(t)
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

// fullScrape is a whole scrape of a small simulated network with every
// collector on and something of everything watched.
func fullScrape(t *testing.T) (body string, nodes []simulator.Node) {
	t.Helper()
	scrape, self, nodes := scrapeEverything(t)
	registry := prometheus.NewRegistry()
	registry.MustRegister(scrape)
	return gather(t, registry) + gather(t, self), nodes
}

// scrapeEverything also returns the exporter's own registry. Changes are made to
// what is watched.
func scrapeEverything(t *testing.T, changes ...func(*Network)) (scrape Scrape, registry *prometheus.Registry, nodes []simulator.Node) {
	t.Helper()
	// In a bubble what the mirror collector reads beside has its 3 seconds.
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		scrape, registry, nodes = scrapeEverythingIn(t, memory, changes...)
	})
	return scrape, registry, nodes
}

func scrapeEverythingIn(t *testing.T, memory *memnet.Network, changes ...func(*Network)) (Scrape, *prometheus.Registry, []simulator.Node) {
	t.Helper()
	sim := startSimulator(t, simulator.Options{Nodes: 5, Accounts: 10, Listen: memory.Listen, Now: func() time.Time {
		return time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)
	}})
	if err := sim.Update(func(l *simulator.Ledger) error { return l.DeleteAccount("0.0.1002") }); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	self := NewSelf(registry)
	self.Reloaded(true)
	self.MirrorObserver("simulated", log.NewNopLogger()).DecodeFailure("/api/v1/accounts", "memo", 1, errors.New("odd"))
	network := everythingOn(t, memory.DialContext, sim, self)
	for _, change := range changes {
		change(&network)
	}
	set := setOn(t, network)
	scrapeText(t, set, testDeadline) // the counters begin here
	scrapeText(t, set, testDeadline) // fees are read two at a time
	addHistory(t, sim)

	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	// One after the other, so that the scrape's own requests are counted.
	return set.Scrape(ctx), registry, sim.Nodes()
}

// everythingOn watches all that the simulator has, with every option.
func everythingOn(t *testing.T, dial consensus.DialContextFunc, sim *simulator.Simulator, self *Self) Network {
	t.Helper()
	fees := account("0.0.98", "fees", minimum("warning", 1000_00000000), minimum("critical", 100_00000000))
	hot := account("0.0.1001", "hot wallet")
	hot.Maximum = config.Thresholds{minimum("warning", 10_000_00000000), minimum("critical", 50_000_00000000)}
	hot.TokenThresholds = config.TokenThresholds{tokenMinimum(sim.TokenIDs()[0], config.Threshold{Severity: "warning", Balance: config.Amount{Units: 100}})}
	hot.AllTokens, hot.Transactions, hot.Allowances, hot.Heartbeat = true, true, true, model.Duration(time.Hour)
	hot.Budget = &config.Amount{Units: 20_00000000, Decimals: 8}
	closed := account("0.0.1002", "closed")
	closed.Cold = true
	network := networkOver(t, dial, sim, self, fees, hot, closed, account("0.0.1010", "nulls"), account("0.0.999999", "missing"))
	network.Tokens = entities(sim.TokenIDs()...)
	network.Topics = topicsOf(entities(sim.TopicIDs()...))
	network.Topics[0].Heartbeat = model.Duration(time.Hour)
	network.Contracts = contractsOf(entities(sim.ContractIDs()...))
	network.Contracts[0].Thresholds = config.Thresholds{minimum("warning", 10_00000000)}
	network.LabelNames = []string{"env", "team"}
	network.Accounts[1].Labels = config.Labels{"env": "prod", "team": "payments"}
	network.Tokens[0].Labels = config.Labels{"team": "coins"}
	network.Topics[0].Labels = config.Labels{"team": "audit"}
	network.Contracts[0].Labels = config.Labels{"team": "bridge"}
	network.ScheduleCreators = creatorsOf(entities("0.0.98"))
	network.MirrorWeb3 = true
	network.OtherMirrors = []OtherMirror{otherMirror(t, dial, "backup", sim.URL()), otherMirror(t, dial, "gone", "http://127.0.0.1:1")}
	fundNodeAccounts(t, sim)
	network.OwnNodes = []int64{0, 1, 77}
	if _, err := network.AddressBook.Nodes(t.Context()); err != nil { // so that the first scrape knows their accounts
		t.Fatal(err)
	}
	addSchedule(t, sim, "0.0.98")
	network.Canary = goldenCanary(t, dial, network, sim)
	return network
}

// goldenCanary has measured something. It cannot run on a network whose clock
// stands still.
func goldenCanary(t *testing.T, dial consensus.DialContextFunc, network Network, sim *simulator.Simulator) *Canary {
	t.Helper()
	c := NewCanary(canaryOptions(t, network, sim, dial, "0.0.1001", sim.TopicIDs()[0]))
	c.begin()
	c.state.addResult("0", "SUCCESS")
	c.state.addResult("1", "INVALID_TOPIC_ID")
	c.state.addGap()
	for i, stage := range c.stages {
		c.state.reached(stage, time.Duration(i+1)*time.Second, time.Date(2026, time.November, 1, 12, 0, i, 0, time.UTC))
	}
	c.state.fees, c.state.spending.through = 402_018, time.Now()
	c.state.reserve("0.0.1001-1-000000000", 804_036, time.Now().Add(time.Hour))
	c.state.pauseFor(pauseFee, 0, time.Now())
	return c
}

// addSchedule adds a pending schedule that does not expire while this is
// maintained: schedules are compared with the real time.
func addSchedule(t *testing.T, sim *simulator.Simulator, creator string) {
	t.Helper()
	created, expiration := "1790000000.000000000", "4070908800.000000000"
	err := sim.Update(func(l *simulator.Ledger) error {
		return l.AddSchedule(simulator.Schedule{
			ID: "0.0.8200001", CreatorAccountID: &creator, PayerAccountID: &creator,
			ConsensusTimestamp: created, ExpirationTime: &expiration, WaitForExpiry: true,
			Signatures: []simulator.ScheduleSignature{{ConsensusTimestamp: created}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addHistory is what happens between the two scrapes: one transaction that
// fails, one that succeeds, and a block. The simulator's clock stands still
// while the exporter's does not, so they are in the future.
func addHistory(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	later := time.Date(2099, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, transaction := range []simulator.Transaction{
		{Consensus: later, Payer: "0.0.1001", Name: "CONTRACTCALL", Result: "CONTRACT_REVERT_EXECUTED", Fee: 8_00000000, Transfers: map[string]int64{"0.0.1001": -8_00000000, "0.0.98": 8_00000000}},
		{Consensus: later.Add(2), Payer: "0.0.58", Name: "FREEZE"},
		{Consensus: later.Add(1), Payer: "0.0.98", Transfers: map[string]int64{"0.0.98": -1, "0.0.1001": 1}},
	} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddTransaction(transaction) }); err != nil {
			t.Fatal(err)
		}
	}
	addBlockWith(sim, 42, 4_000_000)
	payRewards(t, sim, rewardDay.Add(time.Second), map[string]int64{"0.0.3": 7_00000000})
}

// stabilize replaces volatile values and the endpoints' free ports.
func stabilize(body string, nodes []simulator.Node) string {
	body = volatile.ReplaceAllString(body, "${1} VOLATILE")
	for _, node := range nodes {
		for i, endpoint := range node.Endpoints {
			body = strings.ReplaceAll(body, endpoint.Address, fmt.Sprintf("127.0.0.%d:%d", node.NodeID, i))
		}
	}
	return sortSamples(body)
}

// sortSamples sorts the samples within each family: the free ports have
// decided their order.
func sortSamples(body string) string {
	var sorted, family []string
	flush := func() {
		slices.Sort(family)
		sorted = append(sorted, family...)
		family = nil
	}
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "#") {
			flush()
			sorted = append(sorted, line)
			continue
		}
		family = append(family, line)
	}
	flush()
	return strings.Join(sorted, "")
}

func compareGolden(t *testing.T, file, golden, current, remedy string) {
	t.Helper()
	if golden == current {
		return
	}
	want, got := strings.Split(golden, "\n"), strings.Split(current, "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%s:%d differs; if that is meant, run %s\nwant %q\ngot  %q", file, i+1, remedy, at(want, i), at(got, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}
