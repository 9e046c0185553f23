// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/simulator"
)

func TestQueryAccount(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addAccount(t, sim, simulator.Account{
		ID: "0.0.5001", EVMAddress: new(strings.ToLower(testEVMAddress)), Alias: new(testAlias),
		ExpiryTimestamp: new("1800000000.000000000"),
	})
	addAccount(t, sim, simulator.Account{ID: "0.0.123", Deleted: new(true)})
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance("0.0.801", 99_00000000) }); err != nil {
		t.Fatal(err)
	}
	flags := onSimulated(t, sim)
	tests := map[string]struct {
		accounts []string
		status   int
		stdout   string
		stderr   []string
	}{
		"all well": {
			[]string{"0.0.5001", "0.0.98"}, 0, `
ACCOUNT   NAME      BALANCE (HBAR)  EXPIRES               STATE
0.0.98    fees      28412345        -                     ok
0.0.5001  0.0.5001  2.5             2027-01-15T08:00:00Z  ok
`, nil,
		},
		"EVM address": {
			[]string{testEVMAddress}, 0, `
ACCOUNT   NAME                                        BALANCE (HBAR)  EXPIRES               STATE
0.0.5001  ` + testEVMAddress + `  2.5             2027-01-15T08:00:00Z  ok
`, nil,
		},
		"something is down": {
			[]string{"0.0.7777", "0.0.123-vfmkw", "0.0.801", "0x00000000000000000000000000000000000000ff"}, 1, `
ACCOUNT   NAME                                        BALANCE (HBAR)  EXPIRES  STATE
-         0x00000000000000000000000000000000000000ff  -               -        unknown
0.0.123   0.0.123-vfmkw                               2.5             -        deleted
0.0.801   node-rewards                                99              -        low
0.0.7777  0.0.7777                                    -               -        unknown
`, []string{
				"hedera_exporter: 0x00000000000000000000000000000000000000ff: the network does not know this account\n",
				"hedera_exporter: 0.0.123 (0.0.123-vfmkw): the account is deleted\n",
				"hedera_exporter: 0.0.801 (node-rewards): balance 99 hbar is below the critical threshold of 100 hbar\n",
				"hedera_exporter: 0.0.7777: the network does not know this account\n",
			},
		},
		"mistake": {[]string{"0.0.x"}, 2, "", []string{`"0.0.x"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := runCommand(t.Context(), t, append(append(flags, "query", "account"), test.accounts...)...)
			c.want(t, test.status, test.stderr...)
			if want := strings.TrimPrefix(test.stdout, "\n"); c.stdout != want {
				t.Errorf("got\n%s\nwant\n%s", c.stdout, want)
			}
		})
	}
}

func TestInfoMinimumIsNoProblem(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	config := "networks: {n: {mirror: {url: " + sim.URL() + "}, accounts: [{id: 0.0.802, thresholds: {info: 50000, warning: %d}}]}}"
	for warning, status := range map[int]int{100: 0, 41001: 1} {
		file := writeFile(t, "c.yml", fmt.Sprintf(config, warning))
		if c := runCommand(t.Context(), t, "--config.file="+file, "--network=n", "query", "account", "0.0.802"); c.status != status {
			t.Errorf("warning below %d hbar: status %d, want %d: %s", warning, c.status, status, c.stderr)
		}
	}
}

// TestMaximumIsAProblem has an account of 41,000 hbar.
func TestMaximumIsAProblem(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	config := "networks: {n: {mirror: {url: " + sim.URL() + "}, accounts: [{id: 0.0.802, name: hot, maximum: %s}]}}"
	for maximum, want := range map[string]string{
		"{info: 1, warning: 41000}":           "",
		"{warning: 40999.99, critical: 1e}":   "is not an amount",
		"{warning: 40999.5, critical: 50000}": "0.0.802 (hot): balance 41000 hbar is above the warning maximum of 40999.5 hbar\n",
		"{warning: 100, critical: 40000}":     "0.0.802 (hot): balance 41000 hbar is above the critical maximum of 40000 hbar\n",
	} {
		file := writeFile(t, "c.yml", fmt.Sprintf(config, maximum))
		c := runCommand(t.Context(), t, "--config.file="+file, "--network=n", "query", "account", "0.0.802")
		if (c.status == 0) != (want == "") || !strings.Contains(c.stderr, want) {
			t.Errorf("maximum %s: status %d, %s, want %q", maximum, c.status, c.stderr, want)
		}
		if high := strings.Contains(c.stdout, " high\n"); high != strings.HasSuffix(want, "\n") {
			t.Errorf("maximum %s: high is %v in\n%s", maximum, high, c.stdout)
		}
	}
}

// TestQueryJSON is the reference of what --output=json prints: keys are added,
// never renamed or removed.
func TestQueryJSON(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addAccount(t, sim, simulator.Account{ID: "0.0.5001", ExpiryTimestamp: new("1800000000.500000000")})
	endpoints := sim.Nodes()[0].Endpoints
	down := endpoints[0].Address
	if err := sim.StopEndpoint(down); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		command []string
		status  int
		want    string
	}{
		{[]string{"account", "0.0.5001", "0.0.7777"}, 1, `{
  "network": "simulated",
  "ok": false,
  "problems": [
    "0.0.7777: the network does not know this account"
  ],
  "accounts": [
    {
      "account_id": "0.0.5001",
      "name": "0.0.5001",
      "state": "ok",
      "balance_hbar": 2.5,
      "expiry": "2027-01-15T08:00:00.5Z"
    },
    {
      "account_id": "0.0.7777",
      "name": "0.0.7777",
      "state": "unknown",
      "balance_hbar": null,
      "expiry": null
    }
  ]
}
`},
		{[]string{"account", "0.0.98"}, 0, `{
  "network": "simulated",
  "ok": true,
  "problems": [],
  "accounts": [
    {
      "account_id": "0.0.98",
      "name": "fees",
      "state": "ok",
      "balance_hbar": 28412345,
      "expiry": null
    }
  ]
}
`},
		{[]string{"nodes"}, 1, fmt.Sprintf(`{
  "network": "simulated",
  "ok": false,
  "problems": [
    "node 0 (0.0.3): 1 of %[1]d endpoints down: %[2]s"
  ],
  "nodes": [
    {
      "node_id": 0,
      "account_id": "0.0.3",
      "description": "Hosted by LG | Singapore",
      "endpoints": %[1]d,
      "endpoints_up": %[3]d,
      "endpoints_ready": %[3]d,
      "slowest_rpc_seconds": SECONDS,
      "certificate_ok": true,
      "certificate_expiry": "2036-01-01T00:00:00Z"
    }
  ]
}
`, len(endpoints), down, len(endpoints)-1)},
	}
	seconds := regexp.MustCompile(`("slowest_rpc_seconds": )[0-9.e-]+`)
	for _, test := range tests {
		t.Run(test.command[0], func(t *testing.T) {
			args := append(onSimulated(t, sim), "query", "--output=json")
			c := runCommand(t.Context(), t, append(args, test.command...)...)
			if c.status != test.status {
				t.Errorf("exit status %d, want %d: %s", c.status, test.status, c.stderr)
			}
			if got := seconds.ReplaceAllString(c.stdout, "${1}SECONDS"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestQueryNodes(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 3})
	flags := append(onSimulated(t, sim), "query", "nodes")

	c := runCommand(t.Context(), t, flags...)
	c.want(t, 0)
	line := regexp.MustCompile(`(?m)^(\d+) +(\S+) +(.+?)  +(\d+/\d+) +(\d+/\d+) +\d\S* +yes +2036-01-01T00:00:00Z$`)
	var got []string
	for _, match := range line.FindAllStringSubmatch(c.stdout, -1) {
		got = append(got, strings.Join(match[1:], "|"))
	}
	var want []string
	for _, node := range sim.Nodes() {
		n := len(node.Endpoints)
		want = append(want, fmt.Sprintf("%d|%s|%s|%d/%d|%d/%d", node.NodeID, node.AccountID, node.Description, n, n, n, n))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q from\n%s", got, want, c.stdout)
	}

	stopped, swapped := sim.Nodes()[0], sim.Nodes()[1]
	if err := errors.Join(sim.StopNode(stopped.NodeID), sim.SwapCertificate(swapped.NodeID)); err != nil {
		t.Fatal(err)
	}
	c = runCommand(t.Context(), t, flags...)
	n := len(stopped.Endpoints)
	c.want(t, 1,
		fmt.Sprintf("hedera_exporter: node %d (%s): %d of %d endpoints down: ", stopped.NodeID, stopped.AccountID, n, n),
		fmt.Sprintf("hedera_exporter: node %d (%s): the certificate is not the one in the address book: ", swapped.NodeID, swapped.AccountID))
	if !regexp.MustCompile(fmt.Sprintf(`(?m)^%d .* 0/%[2]d +0/%[2]d +- +- +-$`, stopped.NodeID, n)).MatchString(c.stdout) ||
		!regexp.MustCompile(fmt.Sprintf(`(?m)^%d .* no +2036`, swapped.NodeID)).MatchString(c.stdout) {
		t.Errorf("the table does not show it:\n%s", c.stdout)
	}
}

// TestQueryNodesThatAreNotReady has nodes that answer, and refuse.
func TestQueryNodesThatAreNotReady(t *testing.T) {
	for code, shown := range map[services.ResponseCodeEnum]string{
		services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE: "PLATFORM_NOT_ACTIVE",
		services.ResponseCodeEnum_BUSY:                "BUSY",
		1_000_000:                                     "OTHER",
	} {
		t.Run(shown, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 2})
			refuses := sim.Nodes()[1]
			if err := sim.Update(func(l *simulator.Ledger) error { return l.SetPrecheck(refuses.NodeID, code) }); err != nil {
				t.Fatal(err)
			}
			c := runCommand(t.Context(), t, append(onSimulated(t, sim), "query", "nodes")...)
			n := len(refuses.Endpoints)
			c.want(t, 1,
				fmt.Sprintf("hedera_exporter: node %d (%s): %d of %d endpoints are up, but not ready: ", refuses.NodeID, refuses.AccountID, n, n),
				refuses.Endpoints[0].Address+" answers "+shown)
			if !regexp.MustCompile(fmt.Sprintf(`(?m)^%d .* %[2]d/%[2]d +0/%[2]d `, refuses.NodeID, n)).MatchString(c.stdout) {
				t.Errorf("the table does not show it:\n%s", c.stdout)
			}
		})
	}
}

func TestQueryNetwork(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	flags := append(onSimulated(t, sim), "query", "network")

	c := runCommand(t.Context(), t, append(flags, "--output=json")...)
	c.want(t, 0)
	var report networkReport
	decoder := json.NewDecoder(strings.NewReader(c.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatal(err)
	}
	if report.Network != "simulated" || !report.OK || report.Problems == nil || len(report.Problems) != 0 {
		t.Errorf("%+v", report)
	}
	if report.Supply == nil || report.Supply.TotalHbar == nil || *report.Supply.TotalHbar != 50_000_000_000 || report.LatestBlock == nil || report.Stake == nil ||
		report.ExchangeRates == nil || report.RegisteredNodes == nil || len(report.GasPriceHbar) == 0 {
		t.Errorf("facts are missing in %s", c.stdout)
	}

	c = runCommand(t.Context(), t, flags...)
	c.want(t, 0)
	for _, line := range []string{
		`mirror up +yes`,
		`mirror gRPC up +yes`,
		`total supply \(hbar\) +50000000000`,
		`latest block ended +\d{4}-\d\d-\d\dT\S+Z`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(c.stdout) {
			t.Errorf("no %s in\n%s", line, c.stdout)
		}
	}

	c = runCommand(t.Context(), t, append([]string{"--no-collector.mirror", "--no-collector.blocks"}, flags...)...)
	c.want(t, 0)
	if strings.Contains(c.stdout, "mirror up") || !strings.Contains(c.stdout, "total supply") {
		t.Errorf("disabled collectors were queried, or others were not:\n%s", c.stdout)
	}
}

func TestQueryNetworkWhenOneRouteFails(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/network/supply", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	c := runCommand(t.Context(), t, append(onSimulated(t, sim), "query", "network")...)
	c.want(t, 1, "hedera_exporter: network simulated: supply: ", "501")
	wantParts(t, c.stdout, "mirror up", "price of an hbar (USD)")
	if strings.Contains(c.stdout, "total supply") {
		t.Errorf("supply is shown:\n%s", c.stdout)
	}
}

func TestQueryOfABrokenMirror(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	for _, path := range []string{"/api/v1", simulator.GetNodesFault} {
		if _, err := sim.InjectFault(simulator.Fault{Path: path, Kind: simulator.FaultHang}); err != nil {
			t.Fatal(err)
		}
	}
	for query, problem := range map[string]string{
		"account 0.0.98": "network simulated: ",
		"nodes":          "network simulated: the address book cannot be read: ",
		"network":        "network simulated: supply: ",
	} {
		t.Run(query, func(t *testing.T) {
			args := append(onSimulated(t, sim), "query", "--timeout=100ms")
			ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
			defer cancel()
			c := runCommand(ctx, t, append(args, strings.Fields(query)...)...)
			c.want(t, 1, "hedera_exporter: "+problem)
		})
	}
}

func TestQueryProm(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	c := runCommand(t.Context(), t, append(onSimulated(t, sim), "query", "account", "0.0.98", "--output=prom")...)
	c.want(t, 0)
	parseText(t, c.stdout)
	wantParts(t, c.stdout, `hedera_account_balance_hbar{account_id="0.0.98",name="fees",network="simulated"} 2.8412345e+07`, "probe_success 1\n")

	c = runCommand(t.Context(), t, append(onSimulated(t, sim), "query", "network", "--output=prom")...)
	c.want(t, 0)
	parseText(t, c.stdout)
	wantParts(t, c.stdout, `hedera_mirror_up{network="simulated"} 1`)

	down := sim.Nodes()[0].Endpoints[0].Address
	if err := sim.StopEndpoint(down); err != nil {
		t.Fatal(err)
	}
	c = runCommand(t.Context(), t, append(onSimulated(t, sim), "query", "nodes", "--output=prom")...)
	c.want(t, 1, down)
	parseText(t, c.stdout)
	wantParts(t, c.stdout, `hedera_node_endpoint_up{address="`+down+`"`, "hedera_address_book_nodes{")
}

// TestTablesDoNotControlTheTerminal holds tables to it, as node descriptions
// are written by others.
func TestTablesDoNotControlTheTerminal(t *testing.T) {
	var b strings.Builder
	writeRow(&b, "node\x1b[2J", "a\tb\nc", "Zürich")
	if got, want := b.String(), "node\uFFFD[2J\ta\uFFFDb\uFFFDc\tZürich\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNodeReportShowsTheWorstEndpoint(t *testing.T) {
	node := consensus.Node{ID: 3, AccountID: "0.0.6", Description: "x", CertificateHash: "aa"}
	result := func(address string, rpc time.Duration, hash string, expiry int64) consensus.Result {
		return consensus.Result{
			Node: node, Endpoint: consensus.Endpoint{Address: address}, RPC: rpc, Handshake: time.Hour,
			Certificate: &consensus.Certificate{Hash: hash, NotAfter: time.Unix(expiry, 0)},
		}
	}
	report := newNodeReport("n", []consensus.Node{node}, []consensus.Result{
		result("a", 100*time.Millisecond, "bb", 2000), result("b", 300*time.Millisecond, "aa", 1000), result("c", 200*time.Millisecond, "aa", 3000),
	})
	var table strings.Builder
	report.writeTable(&table)
	if want := "3\t0.0.6\tx\t3/3\t3/3\t300ms\tno\t1970-01-01T00:16:40Z\n"; !strings.HasSuffix(table.String(), want) {
		t.Errorf("got %q, want at its end %q", table.String(), want)
	}
	if problems := report.problems(); len(problems) != 1 || !strings.HasSuffix(problems[0], ": a") {
		t.Errorf("problems %q, want the certificate of a", problems)
	}
}

// TestQueryExample runs the example of docs/command-line.md.
func TestQueryExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(doc), "\n$ hedera_exporter --config.file=hedera_exporter.yml ")
	if !found {
		t.Fatal("there is no example")
	}
	args, output, _ := strings.Cut(example, "\n")
	output, _, _ = strings.Cut(output, "```")
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 10})
	config := writeFile(t, "c.yml", string(sim.ExporterConfig()))
	c := runCommand(t.Context(), t, append([]string{"--config.file=" + config}, strings.Fields(args)...)...)
	c.want(t, 0)
	if c.stdout != output {
		t.Errorf("got\n%s\nwant\n%s", c.stdout, output)
	}
}
