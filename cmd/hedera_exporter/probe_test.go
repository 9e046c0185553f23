// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

const (
	testEVMAddress = "0x1000000000000000000000000000000DeaDBeef0"
	testAlias      = "CIQAAAH4AY2OFK2FL37TSPYEQGPPUJRP4XTKWHD62HKPQX543DTOFFQ"
)

// mainnetChecksums makes the simulated network one whose ids have mainnet's
// checksums.
func mainnetChecksums(sim *simulator.Simulator) string {
	return strings.Replace(string(sim.ExporterConfig()), "simulated:\n", "simulated:\n    ledger_id: \"0x00\"\n", 1)
}

func addAccount(t *testing.T, sim *simulator.Simulator, account simulator.Account) {
	t.Helper()
	if account.Balance == nil {
		account.Balance = &simulator.Balance{Tinybar: new(int64(250_000_000))}
	}
	if err := sim.Update(func(l *simulator.Ledger) error { return l.AddAccount(account) }); err != nil {
		t.Fatal(err)
	}
}

func wantParts(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in:\n%.3000s", part, body)
		}
	}
}

func TestProbe(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addAccount(t, sim, simulator.Account{
		ID: "0.0.5001", EVMAddress: new(strings.ToLower(testEVMAddress)), Alias: new(testAlias), Deleted: new(false),
	})
	addAccount(t, sim, simulator.Account{ID: "0.0.123", Deleted: new(true)})
	e := startExporter(t, writeFile(t, "c.yml", mainnetChecksums(sim)))

	tests := map[string]struct {
		query  string
		exists int // samples of hedera_account_exists
		want   []string
	}{
		"configured": {"target=0.0.98", 1, []string{
			`hedera_account_balance_hbar{account_id="0.0.98",name="fees",network="simulated"} 2.8412345e+07`,
			`hedera_account_balance_minimum_hbar{account_id="0.0.98",name="fees",network="simulated",severity="warning"} 1000`,
			"probe_success 1\n",
			"# TYPE probe_duration_seconds gauge\n",
		}},
		"only network":  {"target=0.0.98", 1, []string{"probe_success 1\n"}},
		"named network": {"target=0.0.98&network=simulated", 1, []string{"probe_success 1\n"}},
		"not configured": {"target=0.0.5001", 1, []string{
			`hedera_account_balance_hbar{account_id="0.0.5001",name="0.0.5001",network="simulated"} 2.5`,
			`hedera_account_deleted{account_id="0.0.5001",name="0.0.5001",network="simulated"} 0`,
			"probe_success 1\n",
		}},
		"EVM address": {"target=" + testEVMAddress, 1, []string{
			`hedera_account_balance_hbar{account_id="0.0.5001",name="` + testEVMAddress + `",network="simulated"} 2.5`,
			"probe_success 1\n",
		}},
		"alias": {"target=0.0." + testAlias, 1, []string{
			`hedera_account_balance_hbar{account_id="0.0.5001",name="0.0.` + testAlias + `",network="simulated"} 2.5`,
			"probe_success 1\n",
		}},
		"checksum, deleted": {"target=0.0.123-vfmkw", 1, []string{
			`hedera_account_deleted{account_id="0.0.123",name="0.0.123-vfmkw",network="simulated"} 1`,
			"probe_success 1\n",
		}},
		"several": {"target=0.0.98,0.0.5001,&target=" + testEVMAddress + "&target=0.0.800,%200.0.98", 4, []string{
			`name="fees"`, `name="0.0.5001"`, `name="` + testEVMAddress + `"`, `name="staking-rewards"`,
			"probe_success 1\n",
		}},
		"one account by two texts and one name": {"target=0.0.98,0.0.98-oljor", 1, []string{`name="fees"`, "probe_success 1\n"}},
		"one is unknown": {"target=0.0.98,0.0.7777", 2, []string{
			`hedera_account_balance_hbar{account_id="0.0.98"`,
			`hedera_account_exists{account_id="0.0.7777",name="0.0.7777",network="simulated"} 0`,
			"probe_success 0\n",
		}},
		"unknown address": {"target=0x00000000000000000000000000000000000000ff", 1, []string{
			`hedera_account_exists{account_id="",name="0x00000000000000000000000000000000000000ff",network="simulated"} 0`,
			"probe_success 0\n",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := get(t, e.url+"/probe?"+test.query, nil)
			if status != http.StatusOK {
				t.Fatalf("status %d: %s", status, body)
			}
			wantParts(t, body, test.want...)
			if n := strings.Count(body, "\nhedera_account_exists{"); n != test.exists {
				t.Errorf("%d accounts, want %d", n, test.exists)
			}
			for _, foreign := range []string{"hedera_node_", "go_goroutines", "hedera_scrape_collector_success"} {
				if strings.Contains(body, foreign) {
					t.Errorf("there is %s", foreign)
				}
			}
		})
	}
	if log := e.stderr.String(); strings.Contains(log, "level=error") {
		t.Errorf("the log has errors, perhaps of repeated series:\n%s", log)
	}
}

func TestProbeRefuses(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", mainnetChecksums(sim)), "--probe.max-targets=3")
	tests := map[string]struct {
		method, query string
		header        http.Header
		status        int
		body          string
	}{
		"no target":          {"GET", "network=simulated", nil, 400, "target=0.0.98"},
		"empty target":       {"GET", "network=simulated&target=,", nil, 400, "target=0.0.98"},
		"not an id":          {"GET", "network=simulated&target=0.0.98,0.0.x", nil, 400, `"0.0.x"`},
		"beyond the ids":     {"GET", "network=simulated&target=0.0.98,0.0.274877906944", nil, 400, `"0.0.274877906944" is no id that a network can have`},
		"bare number":        {"GET", "network=simulated&target=98", nil, 400, `"98"`},
		"short EVM address":  {"GET", "network=simulated&target=0xdeadbeef", nil, 400, `"0xdeadbeef"`},
		"wrong checksum":     {"GET", "network=simulated&target=0.0.123-aaaaa", nil, 400, "0.0.123-vfmkw"},
		"too many":           {"GET", "network=simulated&target=0.0.1,0.0.2&target=0.0.3,0.0.4", nil, 400, "4 targets exceed the maximum of 3 (--probe.max-targets)"},
		"long alias":         {"GET", "network=simulated&target=0.0." + strings.Repeat("A", 10000), nil, 400, "AAA…\" is longer than 100 characters"},
		"long network":       {"GET", "network=" + strings.Repeat("a", 10000) + "&target=0.0.98", nil, 400, "aaa…\" is not configured"},
		"unknown network":    {"GET", "network=testnet&target=0.0.98", nil, 400, `network "testnet" is not configured; configured are: simulated`},
		"broken query":       {"GET", "network=simulated&target=%zz", nil, 400, "%zz"},
		"bad timeout header": {"GET", "network=simulated&target=0.0.98", http.Header{scrapeTimeoutHeader: {"soon"}}, 400, "soon"},
		"POST":               {"POST", "network=simulated&target=0.0.98", nil, 405, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := request(t, test.method, e.url+"/probe?"+test.query, test.header)
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("status %d, body %s; want %d with %q", status, body, test.status, test.body)
			}
		})
	}
	if n := sim.Requests()["GET /api/v1/accounts"]; n != 0 {
		t.Errorf("%d requests went to the mirror", n)
	}
}

func TestProbeOfAHundredAccountsIsOneRequest(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 100})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())), "--network=simulated")
	targets := make([]string, 100)
	for i := range targets {
		targets[i] = fmt.Sprintf("0.0.%d", 1001+i)
	}
	_, body := get(t, e.url+"/probe?target="+strings.Join(targets, ","), nil)
	wantParts(t, body, "probe_success 1\n")
	if n := strings.Count(body, "\nhedera_account_balance_hbar{"); n != 100 {
		t.Errorf("%d balances", n)
	}
	if n := sim.Requests()["GET /api/v1/accounts"]; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	// They are counted with those of the scrapes: the client is the same.
	_, metrics := get(t, e.url+"/metrics", nil)
	wantParts(t, metrics, `hedera_mirror_requests_total{code="200",network="simulated",route="/api/v1/accounts"} 2`)
}

func TestProbeOfABrokenMirror(t *testing.T) {
	faults := map[string]simulator.Fault{
		"list fails":   {Path: "/api/v1/accounts", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented},
		"list hangs":   {Path: "/api/v1/accounts", Kind: simulator.FaultHang},
		"lookup fails": {Path: "/api/v1/accounts/0x", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented},
		"garbage":      {Path: "/api/v1/accounts", Kind: simulator.FaultGarbage},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testBrokenProbe(t, memory, fault, name == "lookup fails") })
		})
	}
}

func testBrokenProbe(t *testing.T, memory *memnet.Network, fault simulator.Fault, listed bool) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
	addAccount(t, sim, simulator.Account{ID: "0.0.5001", EVMAddress: new(strings.ToLower(testEVMAddress))})
	e := newMemoryExporter(t, memory, sim)
	if _, err := sim.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	status, body := e.get(t.Context(), "/probe?target=0.0.98,"+testEVMAddress, http.Header{scrapeTimeoutHeader: {"2"}})
	if took := time.Since(start); took >= 2*time.Second {
		t.Errorf("the probe took %s", took)
	}
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	wantParts(t, body, "probe_success 0\n", "probe_duration_seconds ")
	if strings.Contains(body, `hedera_account_balance_hbar{account_id="0.0.98"`) != listed || strings.Contains(body, testEVMAddress) {
		t.Errorf("want what could be read only, the account of an id: %t:\n%s", listed, body)
	}
	wantParts(t, e.stderr.String(), `msg="probe failed" network=simulated`)
}

// consensusConfig is a network of which there are only the nodes of sim.
func consensusConfig(sim *simulator.Simulator) string {
	var b strings.Builder
	b.WriteString("networks:\n  solo:\n    balance_source: consensus\n    consensus:\n      nodes:\n")
	for _, node := range sim.Nodes() {
		fmt.Fprintf(&b, "        - {node_id: %d, account_id: %s, endpoints: [%q]}\n", node.NodeID, node.AccountID, plaintextEndpoint(node))
	}
	b.WriteString("    accounts:\n      - {id: 0.0.98, name: fees, thresholds: {warning: 1000}}\n")
	return b.String()
}

func plaintextEndpoint(node simulator.Node) string {
	for _, endpoint := range node.Endpoints {
		if !endpoint.TLS {
			return endpoint.Address
		}
	}
	return ""
}

func TestProbeByConsensus(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2})
	e := startExporter(t, writeFile(t, "c.yml", consensusConfig(sim)), "--network=solo", "--no-collector.node_probe")

	_, body := get(t, e.url+"/probe?target=0.0.98", nil)
	wantParts(t, body, "probe_success 0\n")
	if strings.Contains(body, "hedera_account_") {
		t.Errorf("busy nodes returned accounts:\n%s", body)
	}

	_ = sim.Update(func(l *simulator.Ledger) error { l.AnswerBalanceQueries(true); return nil })
	_, body = get(t, e.url+"/probe?target=0.0.98,0.0.800", nil)
	wantParts(t, body,
		`hedera_account_balance_hbar{account_id="0.0.98",name="fees",network="solo"} 2.8412345e+07`,
		`hedera_account_balance_minimum_hbar{account_id="0.0.98",name="fees",network="solo",severity="warning"} 1000`,
		`hedera_account_balance_hbar{account_id="0.0.800",name="0.0.800",network="solo"} 2.126e+08`,
		"probe_success 1\n")

	_, body = get(t, e.url+"/probe?target=0.0.98,0.0.7777", nil)
	wantParts(t, body, `hedera_account_exists{account_id="0.0.7777",name="0.0.7777",network="solo"} 0`, "probe_success 0\n")

	for _, address := range []string{testEVMAddress, "0.0." + testAlias} {
		status, body := get(t, e.url+"/probe?target="+address, nil)
		if status != http.StatusBadRequest || !strings.Contains(body, address) || !strings.Contains(body, "balance_source") {
			t.Errorf("%s: status %d, body %s; want 400 with the reason", address, status, body)
		}
	}
}

// TestAnyShardAnswersAnyProbe has a probe find the account's name and the
// discovery all accounts, whichever shard is asked.
func TestAnyShardAnswersAnyProbe(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 20})
	config := filepath.Join(t.TempDir(), "c.yml")
	if err := sim.WriteExporterConfig(config); err != nil {
		t.Fatal(err)
	}
	one := startExporter(t, config, "--network=simulated")
	_, wantDiscovery := get(t, one.url+"/sd", nil)
	_, wantProbe := get(t, one.url+"/probe?target=0.0.98", nil)
	for _, pod := range []string{"e-0", "e-1", "e-2"} {
		shard := startExporter(t, config, "--network=simulated", "--total-shards=3", "--pod="+pod)
		if status, body := get(t, shard.url+"/sd", nil); status != http.StatusOK || body != wantDiscovery {
			t.Errorf("%s discovers %d: %s\nwant %s", pod, status, body, wantDiscovery)
		}
		status, body := get(t, shard.url+"/probe?target=0.0.98", nil)
		if got, want := balances(body), balances(wantProbe); status != http.StatusOK || got != want || want == "" {
			t.Errorf("the probe of %s: %d: %s, want %s", pod, status, got, want)
		}
		_, metrics := get(t, shard.url+"/metrics", nil)
		if want := "hedera_exporter_shard_ordinal " + strings.TrimPrefix(pod, "e-") + "\n"; !strings.Contains(metrics, want) {
			t.Errorf("%s does not export %s", pod, want)
		}
		if first := pod == "e-0"; strings.Contains(metrics, "hedera_node_endpoint_up{") != first {
			t.Errorf("%s exports the nodes' endpoints: %v, want %v", pod, !first, first)
		}
	}
}

func balances(body string) string {
	var lines strings.Builder
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "hedera_account_balance_") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}
