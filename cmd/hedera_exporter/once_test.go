// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/simulator"
)

// command is a command that has ended.
type command struct {
	status         int
	stdout, stderr string
}

func runCommand(ctx context.Context, t *testing.T, args ...string) command {
	t.Helper()
	var stdout bytes.Buffer
	stderr := &lockedBuffer{}
	status := run(ctx, args, &stdout, stderr)
	return command{status, stdout.String(), stderr.String()}
}

// onSimulated are the flags of a command on the network that sim simulates.
func onSimulated(t *testing.T, sim *simulator.Simulator) []string {
	t.Helper()
	return []string{"--config.file=" + writeFile(t, "c.yml", mainnetChecksums(sim)), "--network=simulated"}
}

func (c command) want(t *testing.T, status int, stderr ...string) {
	t.Helper()
	if c.status != status {
		t.Errorf("exit status %d, want %d; stderr: %s", c.status, status, c.stderr)
	}
	wantParts(t, c.stderr, stderr...)
	if len(stderr) == 0 && c.stderr != "" {
		t.Errorf("stderr: %s", c.stderr)
	}
}

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
				"hedera_exporter: 0x00000000000000000000000000000000000000ff is not known to the network\n",
				"hedera_exporter: 0.0.123 (0.0.123-vfmkw) is deleted\n",
				"hedera_exporter: 0.0.801 (node-rewards) has 99 hbar, less than the 100 of critical\n",
				"hedera_exporter: 0.0.7777 is not known to the network\n",
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
    "0.0.7777 is not known to the network"
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
	line := regexp.MustCompile(`(?m)^(\d+) +(\S+) +(.+?)  +(\d+/\d+) +\d\S* +yes +2036-01-01T00:00:00Z$`)
	var got []string
	for _, match := range line.FindAllStringSubmatch(c.stdout, -1) {
		got = append(got, strings.Join(match[1:], "|"))
	}
	var want []string
	for _, node := range sim.Nodes() {
		n := len(node.Endpoints)
		want = append(want, fmt.Sprintf("%d|%s|%s|%d/%d", node.NodeID, node.AccountID, node.Description, n, n))
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
	if !regexp.MustCompile(fmt.Sprintf(`(?m)^%d .* 0/%d +- +- +-$`, stopped.NodeID, n)).MatchString(c.stdout) ||
		!regexp.MustCompile(fmt.Sprintf(`(?m)^%d .* no +2036`, swapped.NodeID)).MatchString(c.stdout) {
		t.Errorf("the table does not show it:\n%s", c.stdout)
	}
}

func TestQueryNetwork(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	flags := append(onSimulated(t, sim), "query", "network")

	c := runCommand(t.Context(), t, append(flags, "--output=json")...)
	c.want(t, 0)
	var report struct {
		Network  string
		OK       bool
		Problems []string
		Metrics  []struct {
			Name   string
			Labels map[string]string
			Value  *float64
		}
	}
	decoder := json.NewDecoder(strings.NewReader(c.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatal(err)
	}
	if report.Network != "simulated" || !report.OK || report.Problems == nil || len(report.Problems) != 0 {
		t.Errorf("%+v", report)
	}
	supply := 0.0
	for _, m := range report.Metrics {
		if m.Name == "hedera_network_supply_hbar" && m.Labels["kind"] == "total" && len(m.Labels) == 1 {
			supply = *m.Value
		}
	}
	if supply != 50_000_000_000 {
		t.Errorf("total supply is %v in %s", supply, c.stdout)
	}

	c = runCommand(t.Context(), t, flags...)
	c.want(t, 0)
	for _, line := range []string{
		`hedera_mirror_up +1`,
		`hedera_network_supply_hbar +kind=total +50000000000`,
		`hedera_mirror_latest_block_timestamp_seconds +\d{4}-\d\d-\d\dT\S+Z`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(c.stdout) {
			t.Errorf("no %s in\n%s", line, c.stdout)
		}
	}
	if strings.Contains(c.stdout, "hedera_scrape_") {
		t.Error("the exporter shows itself")
	}

	c = runCommand(t.Context(), t, append([]string{"--no-collector.mirror", "--no-collector.blocks"}, flags...)...)
	c.want(t, 0)
	if strings.Contains(c.stdout, "hedera_mirror_up") || !strings.Contains(c.stdout, "hedera_network_supply_hbar") {
		t.Errorf("collectors that are off were asked, or others were not:\n%s", c.stdout)
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
		"account 0.0.98": "network simulated could not be read",
		"nodes":          "network simulated: collector node_probe failed",
		"network":        "network simulated: collector network failed",
	} {
		t.Run(query, func(t *testing.T) {
			args := append(onSimulated(t, sim), "query", "--timeout=1s")
			ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
			defer cancel()
			c := runCommand(ctx, t, append(args, strings.Fields(query)...)...)
			c.want(t, 1, "hedera_exporter: "+problem+"\n", "level=error")
		})
	}
}

func TestQueryProm(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	c := runCommand(t.Context(), t, append(onSimulated(t, sim), "query", "account", "0.0.98", "--output=prom")...)
	c.want(t, 0)
	parseText(t, c.stdout)
	wantParts(t, c.stdout, `hedera_account_balance_hbar{account_id="0.0.98",name="fees",network="simulated"} 2.8412345e+07`, "probe_success 1\n")
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	config := "--config.file=" + writeFile(t, "c.yml", string(sim.ExporterConfig()))
	broken := "--config.file=" + writeFile(t, "broken.yml", "colour: red")
	tests := map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"no subcommand":      {[]string{"query"}, 2, "query"},
		"no account":         {[]string{"query", "account"}, 2, "account"},
		"unknown command":    {[]string{"ask"}, 2, "ask"},
		"unknown output":     {[]string{"query", "nodes", "--output=xml"}, 2, "xml"},
		"unknown network":    {[]string{config, "query", "nodes"}, 2, `network "mainnet" is not configured; there are: simulated`},
		"no file":            {[]string{config, "textfile"}, 2, "--output.file"},
		"bad configuration":  {[]string{broken, "query", "nodes"}, 1, "colour"},
		"unwritable":         {[]string{config, "textfile", "--output.file=/nonexistent/x.prom"}, 1, "/nonexistent/"},
		"serve with a query": {[]string{config, "serve", "0.0.98"}, 2, "0.0.98"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
			defer cancel()
			c := runCommand(ctx, t, test.args...)
			c.want(t, test.status, test.stderr)
			if c.stdout != "" {
				t.Errorf("stdout: %s", c.stdout)
			}
		})
	}
}

func TestCommandFlagsReadTheEnvironment(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	t.Setenv("HEDERA_EXPORTER_CONFIG_FILE", writeFile(t, "c.yml", string(sim.ExporterConfig())))
	t.Setenv("HEDERA_EXPORTER_NETWORK", "simulated")
	t.Setenv("HEDERA_EXPORTER_OUTPUT", "json")
	c := runCommand(t.Context(), t, "query", "account", "0.0.98")
	c.want(t, 0)
	wantParts(t, c.stdout, `"balance_hbar": 28412345`)
}

func TestInterruptEndsACommandAtOnce(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1", Kind: simulator.FaultHang}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.prom")
	for name, args := range map[string][]string{
		"query":    {"query", "account", "0.0.98", "--timeout=10m"},
		"textfile": {"textfile", "--output.file=" + file, "--timeout=10m"},
	} {
		t.Run(name, func(t *testing.T) {
			sim.ResetRequests()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			ended := make(chan command, 1)
			args := append(onSimulated(t, sim), args...)
			go func() { ended <- runCommand(ctx, t, args...) }()
			awaitTrue(t, "the mirror is asked", func() bool { return sim.Requests()["GET /api/v1/accounts"] > 0 })
			interrupt()
			select {
			case c := <-ended:
				if c.status != statusInterrupted || c.stdout != "" || !strings.Contains(c.stderr, "interrupted") {
					t.Errorf("%+v", c)
				}
			case <-time.After(testDeadline):
				t.Fatal("the command goes on")
			}
		})
	}
	if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 0 {
		t.Errorf("%v, %v: want no file", files, err)
	}
}

func parseText(t *testing.T, text string) {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(families) == 0 {
		t.Fatal("no metrics")
	}
	for name, family := range families {
		if strings.Count(text, "# TYPE "+name+" ") != 1 || strings.Count(text, "# HELP "+name+" ") != 1 {
			t.Errorf("%s has not one TYPE and one HELP", name)
		}
		for _, metric := range family.GetMetric() {
			if metric.TimestampMs != nil {
				t.Errorf("%s has a timestamp, which node_exporter refuses", name)
			}
		}
	}
}

func TestTextfile(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	dir := t.TempDir()
	file := filepath.Join(dir, "hedera.prom")
	args := append(onSimulated(t, sim), "textfile", "--output.file="+file)
	read := func() string {
		t.Helper()
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != textfileMode {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("there are %v, %v", files, err)
		}
		return string(content)
	}

	runCommand(t.Context(), t, args...).want(t, 0)
	text := read()
	parseText(t, text)
	wantParts(t, text, `hedera_account_balance_hbar{account_id="0.0.98",name="fees",network="simulated"} 2.8412345e+07`,
		"hedera_node_endpoint_up{", "hedera_exporter_build_info{", `hedera_scrape_collector_success{collector="accounts",network="simulated"} 1`)
	if strings.Contains(text, "go_goroutines") {
		t.Error("the file tells of the command's own process")
	}

	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultStatus, Status: http.StatusNotImplemented}); err != nil {
		t.Fatal(err)
	}
	runCommand(t.Context(), t, args...).want(t, 1, "hedera_exporter: network simulated: collector accounts failed\n")
	text = read()
	parseText(t, text)
	wantParts(t, text, `hedera_scrape_collector_success{collector="accounts",network="simulated"} 0`, "hedera_node_endpoint_up{")
	if strings.Contains(text, "hedera_account_balance_hbar{") {
		t.Error("balances of the former scrape stayed")
	}
}

func TestReplaceFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "x.prom")
	if err := os.MkdirAll(filepath.Join(occupied, "y"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(occupied, []byte("x 1\n")); err == nil {
		t.Error("a directory was replaced")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("there are %v, %v", files, err)
	}
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

func TestNodeReportTellsTheWorstEndpoint(t *testing.T) {
	about := func(name, endpoint, phase string, value float64) reading {
		return reading{name, map[string]string{"node_id": "3", "address": endpoint, "phase": phase}, value}
	}
	const duration, expiry = "hedera_node_endpoint_probe_duration_seconds", "hedera_node_endpoint_certificate_expiry_timestamp_seconds"
	report := newNodeReport("n", []reading{
		about(duration, "a", "rpc", 0.1), about(duration, "b", "rpc", 0.3), about(duration, "c", "rpc", 0.2), about(duration, "c", "tls", 9),
		about(expiry, "a", "", 2000), about(expiry, "b", "", 1000), about(expiry, "c", "", 3000),
		about("hedera_node_endpoint_certificate_match", "a", "", 0), about("hedera_node_endpoint_certificate_match", "b", "", 1),
	})
	var table strings.Builder
	report.writeTable(&table)
	if want := "3\t\t\t0/0\t300ms\tno\t1970-01-01T00:16:40Z\n"; !strings.HasSuffix(table.String(), want) {
		t.Errorf("got %q, want at its end %q", table.String(), want)
	}
	if problems := report.problems(); len(problems) != 1 || !strings.HasSuffix(problems[0], ": a") {
		t.Errorf("problems %q, want the certificate of a", problems)
	}
}
