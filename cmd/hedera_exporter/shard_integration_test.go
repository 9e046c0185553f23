//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hedera_exporter/internal/processtest"
)

const (
	hashmodExample = "../../deploy/prometheus/prometheus-hashmod.yml"
	shardAccounts  = 30_000
	// /probe asks the mirror for each account by itself.
	probedAccounts = 3_000
	// Those of the system and one that the network does not know are configured
	// besides.
	otherAccounts = 5 + 1
)

// fleet is exporters that share one configuration, at addresses that stay.
type fleet struct {
	config    string
	addresses []string
	processes []*process
}

func (f *fleet) start(t *testing.T, total int) {
	t.Helper()
	for _, p := range f.processes {
		p.stop(t, syscall.SIGTERM)
	}
	f.processes = nil
	for shard := range total {
		if shard == len(f.addresses) {
			f.addresses = append(f.addresses, processtest.FreeAddress(t))
		}
		p, _ := startExporterProcess(t, f.config, "--network=simulated", "--web.listen-address="+f.addresses[shard],
			"--total-shards="+strconv.Itoa(total), "--pod=hedera-exporter-"+strconv.Itoa(shard))
		f.processes = append(f.processes, p)
	}
}

// startHashmod starts server number ordinal of the two of the example, which
// probes through the exporter at probed.
func startHashmod(t *testing.T, ordinal int, shards []string, probed string) string {
	t.Helper()
	example, err := os.ReadFile(hashmodExample)
	if err != nil {
		t.Fatal(err)
	}
	config := string(example)
	for _, replacement := range []struct {
		old, new string
		times    int
	}{
		{`"0" # this server`, fmt.Sprintf("%q", strconv.Itoa(ordinal)), 3},
		{"hedera-exporter-0:10102", shards[0], 1},
		{"hedera-exporter-1:10102", shards[1], 1},
		{"hedera-exporter-2:10102", shards[2], 1},
		{"hedera-exporter:10102", probed, 3}, // once in the comment
		{"scrape_interval: 1m\n  scrape_timeout: 10s", "scrape_interval: 30s\n  scrape_timeout: 30s", 1},
		{"  - job_name: hedera_shards\n", "  - job_name: hedera_shards\n" + keptOfAccounts, 1},
		{"  - job_name: hedera_accounts\n", "  - job_name: hedera_accounts\n" + keptOfAccounts, 1},
	} {
		config = replaced(t, config, replacement.old, replacement.new, replacement.times)
	}
	return startPrometheusOn(t, config)
}

// keptOfAccounts is one series an account: all of them would take ten times the
// memory.
const keptOfAccounts = `    metric_relabel_configs:
      - {source_labels: [__name__], regex: hedera_account_exists, action: keep}
`

// exported is a query for the number of accounts in a job that is cheap enough to
// be repeated. An account that is there twice counts twice.
func exported(job string) string {
	return fmt.Sprintf("sum(scrape_samples_post_metric_relabeling{job=%q})", job)
}

// sumOf adds the results of a query on each of the servers.
func sumOf(t *testing.T, servers []string, expression string) int {
	t.Helper()
	sum := 0.0
	for _, server := range servers {
		for _, s := range query(t, server, expression) {
			sum += s.value(t)
		}
	}
	return int(sum)
}

// accountsOf returns how many times each account is exported to the servers.
func accountsOf(t *testing.T, job string, servers []string) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, server := range servers {
		for _, s := range query(t, server, fmt.Sprintf("hedera_account_exists{job=%q}", job)) {
			times[s.Metric["account_id"]]++
		}
	}
	return times
}

func wantEachOnce(t *testing.T, what string, times map[string]int, accounts int) {
	t.Helper()
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s: %s is exported %d times", what, id, n)
		}
	}
	for i := range accounts {
		if id := fmt.Sprintf("0.0.%d", 1001+i); times[id] == 0 {
			t.Errorf("%s: %s is not exported", what, id)
		}
	}
	if len(times) != accounts+otherAccounts {
		t.Errorf("%s: %d accounts, want %d", what, len(times), accounts+otherAccounts)
	}
}

func TestEveryAccountIsOfOneShardAndOnePrometheus(t *testing.T) {
	simulated := func(accounts int) string {
		n := strconv.Itoa(accounts)
		return startSimulatorProcess(t, "--static", "--nodes=1", "--accounts="+n, "--config.accounts="+n).config
	}
	shards := &fleet{config: simulated(shardAccounts)}
	shards.start(t, 3)
	_, probed := startExporterProcess(t, simulated(probedAccounts), "--network=simulated")
	probed = strings.TrimPrefix(probed, "http://")
	servers := []string{
		startHashmod(t, 0, shards.addresses, probed),
		startHashmod(t, 1, shards.addresses, probed),
	}
	for job, accounts := range map[string]int{"hedera_shards": shardAccounts, "hedera_accounts": probedAccounts} {
		awaitTrue(t, "Prometheus has all accounts by "+job, func() bool { return sumOf(t, servers, exported(job)) == accounts+otherAccounts })
		wantEachOnce(t, job, accountsOf(t, job, servers), accounts)
	}
	for i, server := range servers {
		// One server with all of them would have each once as well.
		if n := sumOf(t, servers[i:i+1], exported("hedera_accounts")); n < probedAccounts/3 {
			t.Errorf("server %d has %d of %d accounts", i, n, probedAccounts)
		}
		awaitTrue(t, fmt.Sprintf("no scrape of server %d fails", i), func() bool { return len(query(t, server, `up == 0`)) == 0 })
	}

	// One shard less: Prometheus forgets what has moved from one to another.
	shards.start(t, 2)
	awaitTrue(t, "Prometheus has scraped two shards", func() bool {
		return sumOf(t, servers, `count(up{job="hedera_shards"} == 1)`) == 2 && sumOf(t, servers, exported("hedera_shards")) == shardAccounts+otherAccounts
	})
	wantEachOnce(t, "two shards", accountsOf(t, "hedera_shards", servers), shardAccounts)

	// More shards than the servers know of.
	shards.start(t, 5)
	times := map[string]int{}
	for _, address := range shards.addresses {
		_, body := get(t, "http://"+address+"/metrics?collect[]=accounts", nil)
		if !strings.Contains(body, "\nhedera_exporter_total_shards 5\n") {
			t.Errorf("%s does not say that it is one of five shards", address)
		}
		ids := accountsIn(body)
		if len(ids) < shardAccounts/10 {
			t.Errorf("a shard of five exports %d accounts", len(ids))
		}
		for _, id := range ids {
			times[id]++
		}
	}
	wantEachOnce(t, "five shards", times, shardAccounts)
}

func accountsIn(body string) []string {
	var ids []string
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, `hedera_account_exists{account_id="`); ok {
			id, _, _ := strings.Cut(rest, `"`)
			ids = append(ids, id)
		}
	}
	return ids
}
