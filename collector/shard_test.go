// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/simulator"
)

func shardOf(t *testing.T, id string, total int) int {
	t.Helper()
	found := -1
	for ordinal := range total {
		if !(Shard{Ordinal: ordinal, Total: total}).has(id) {
			continue
		}
		if found >= 0 {
			t.Fatalf("%s is in the shards %d and %d of %d", id, found, ordinal, total)
		}
		found = ordinal
	}
	if found < 0 {
		t.Fatalf("%s is in none of %d shards", id, total)
	}
	return found
}

// Accounts must not move between releases: half of a fleet may be upgraded.
func TestShardsAreStable(t *testing.T) {
	for id, want := range map[string][]int{ // of 1, 2, 3, 10 shards
		"0.0.2":      {0, 1, 1, 1},
		"0.0.98":     {0, 1, 2, 5},
		"0.0.800":    {0, 1, 1, 1},
		"0.0.456858": {0, 0, 0, 6},
	} {
		var got []int
		for _, total := range []int{1, 2, 3, 10} {
			got = append(got, shardOf(t, id, total))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is in the shards %v, want %v", id, got, want)
		}
	}
}

func TestShardsAreEven(t *testing.T) {
	const accounts = 10_000
	for _, total := range []int{2, 3, 7, 16} {
		counts := make([]int, total)
		for i := range accounts {
			counts[shardOf(t, "0.0."+itoa(1001+i), total)]++
		}
		mean := accounts / total
		if least, most := slices.Min(counts), slices.Max(counts); least < mean*8/10 || most > mean*12/10 {
			t.Errorf("%d shards have between %d and %d accounts, the mean is %d", total, least, most, mean)
		}
	}
}

func TestOneMoreShardTakesItsPartOnly(t *testing.T) {
	const accounts, total = 10_000, 4
	moved := 0
	for i := range accounts {
		id := "0.0." + itoa(1001+i)
		before, after := shardOf(t, id, total), shardOf(t, id, total+1)
		if before == after {
			continue
		}
		moved++
		if after != total {
			t.Fatalf("%s moved from shard %d to %d, which was there before", id, before, after)
		}
	}
	if part := accounts / (total + 1); moved < part*8/10 || moved > part*12/10 {
		t.Errorf("%d of %d accounts moved, want about %d", moved, accounts, part)
	}
}

func TestNewShard(t *testing.T) {
	for _, c := range []struct {
		ordinal, total int
		err            string
	}{
		{0, 1, ""},
		{2, 3, ""},
		{3, 3, "shard 3 is not one of 3 shards"},
		{-1, 3, "shard -1 is not one of 3 shards"},
		{0, 0, "0 shards in total"},
	} {
		_, err := NewShard(c.ordinal, c.total)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("NewShard(%d, %d): %v, want %q", c.ordinal, c.total, err, c.err)
		}
	}
}

func TestPodOrdinal(t *testing.T) {
	for pod, want := range map[string]int{"hedera-exporter-0": 0, "hedera-exporter-12": 12, "a-1-2": 2} {
		if got, err := PodOrdinal(pod); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", pod, got, err, want)
		}
	}
	for _, pod := range []string{"", "3", "hedera-exporter", "hedera-exporter-", "hedera-exporter-7d4b9c-x2lqk", "hedera-exporter-+1"} {
		if got, err := PodOrdinal(pod); err == nil {
			t.Errorf("%q is pod %d, want an error", pod, got)
		}
	}
}

// ofTheExporter are series of a network that depend on the exporter, such as on how
// many accounts it has looked up by the first scrape.
var ofTheExporter = regexp.MustCompile("^hedera_(scrape_|transactions_backlog_seconds|transaction_consensus_latency_seconds|mirror_older_answers_total|account_inactive)")

// seriesOf returns the network's series of a scrape.
func seriesOf(t *testing.T, network Network, shard Shard) []string {
	t.Helper()
	network.State = NewState() // of an exporter of its own
	set, err := NewSet([]Network{network}, Options{Enabled: func(string) bool { return true }, Shard: shard}, network.Log)
	if err != nil {
		t.Fatal(err)
	}
	var series []string
	for line := range strings.Lines(scrapeText(t, set, testDeadline)) {
		if !ofTheExporter.MatchString(line) {
			name, _, _ := strings.Cut(line, "} ")
			series = append(series, name)
		}
	}
	return series
}

// TestShardsTogetherExportWhatOneExporterDoes has tokens whose treasuries are
// accounts of different shards.
func TestShardsTogetherExportWhatOneExporterDoes(t *testing.T) {
	const accounts, total = 40, 3
	sim := startSimulator(t, simulator.Options{Accounts: accounts})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	t.Cleanup(func() { closeNetwork(network) })
	for i := range accounts {
		watched := account("0.0."+itoa(1001+i), itoa(i))
		watched.Transactions, watched.AllTokens, watched.Allowances = true, true, true
		network.Accounts = append(network.Accounts, watched)
	}
	for i := range total * 3 {
		token, treasury := "0.0."+itoa(700001+i), "0.0."+itoa(1001+i)
		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.AddToken(simulator.Token{ID: token, Type: "FUNGIBLE_COMMON", SupplyType: "INFINITE", PauseStatus: "NOT_APPLICABLE", TotalSupply: 5, TreasuryAccountID: &treasury})
		}); err != nil {
			t.Fatal(err)
		}
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetTokenBalance(token, treasury, 5) }); err != nil {
			t.Fatal(err)
		}
	}
	network.Tokens = entities(sim.TokenIDs()...)
	network.Topics = topicsOf(entities(sim.TopicIDs()...))
	network.LabelNames = []string{"team"}
	network.ScheduleCreators = creatorsOf(entities(sim.ScheduleCreators()...))
	want := seriesOf(t, network, Shard{})
	if len(linesWith(strings.Join(want, "\n"), "hedera_token_treasury_balance{")) < total*3 {
		t.Fatal("the treasuries hold nothing")
	}

	seen := map[string]int{}
	for ordinal := range total {
		for _, series := range seriesOf(t, network, Shard{Ordinal: ordinal, Total: total}) {
			if other, twice := seen[series]; twice {
				t.Errorf("the shards %d and %d both export %s", other, ordinal, series)
			}
			seen[series] = ordinal
		}
	}
	for _, series := range want {
		if _, ok := seen[series]; !ok {
			t.Errorf("no shard exports %s", series)
		}
		delete(seen, series)
	}
	for series, ordinal := range seen {
		t.Errorf("shard %d exports %s, one exporter does not", ordinal, series)
	}
}
