//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const probeExample = "../../deploy/prometheus/prometheus-probe.yml"

// startPrometheusOn starts Prometheus with the content of a configuration.
func startPrometheusOn(t *testing.T, config string) string {
	t.Helper()
	return startPrometheusProgram(t, program(t, "PROMETHEUS"), config)
}

func startPrometheusProgram(t *testing.T, path, config string, args ...string) string {
	t.Helper()
	return startReady(t, path, append(args, "--config.file="+writeFile(t, "prometheus.yml", config), "--storage.tsdb.path="+t.TempDir())...)
}

// replaced fails where there is nothing to replace: the example has changed.
func replaced(t *testing.T, text, old, replacement string, times int) string {
	t.Helper()
	if n := strings.Count(text, old); n != times {
		t.Fatalf("%s is there %d times, want %d, in\n%s", old, n, times, text)
	}
	return strings.ReplaceAll(text, old, replacement)
}

func TestPrometheusProbesWhatItDiscovers(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--nodes=1", "--accounts=10", "--config.accounts=10")
	_, exporter := startExporterProcess(t, sim.config)
	example, err := os.ReadFile(probeExample)
	if err != nil {
		t.Fatal(err)
	}
	_, settings, found := strings.Cut(string(example), "\nglobal:")
	if !found {
		t.Fatalf("no global section in %s", probeExample)
	}
	config := replaced(t, "global:"+settings, "localhost:10102", strings.TrimPrefix(exporter, "http://"), 2)
	config = replaced(t, config, "scrape_interval: 1m\n  scrape_timeout: 10s", "scrape_interval: 3s\n  scrape_timeout: 3s", 1)
	prometheus := startPrometheusOn(t, config)

	const configured = 10 + 5 // accounts, those of the system included
	// One more is configured, which the network does not know.
	// A busy machine may be late for a probe.
	awaitTrue(t, "all accounts were probed, with success but for the unknown one", func() bool {
		failed := query(t, prometheus, `probe_success{job="hedera_accounts"} == 0`)
		return len(query(t, prometheus, `probe_success{job="hedera_accounts"} == 1`)) == configured &&
			len(failed) == 1 && failed[0].Metric["instance"] == "simulated/0.0.999999" && len(query(t, prometheus, "up == 0")) == 0
	})
	balances := map[string]float64{}
	for _, s := range query(t, prometheus, `last_over_time(hedera_account_balance_hbar{job="hedera_accounts",network="simulated"}[5m])`) {
		id := s.Metric["account_id"]
		if want := "simulated/" + id; s.Metric["instance"] != want {
			t.Errorf("instance %q, want %q", s.Metric["instance"], want)
		}
		balances[id] = s.value(t)
	}
	type row struct {
		Account string
		Balance struct{ Balance int64 }
	}
	compared := 0
	for _, account := range mirrorRows[row](t, sim.url, "/api/v1/accounts?limit=100", "accounts") {
		if balance, probed := balances[account.Account]; probed {
			compared++
			wantTinybar(t, "balance of "+account.Account, balance, account.Balance.Balance)
		}
	}
	if len(balances) != configured || compared != configured {
		t.Errorf("%d balances, %d of them compared, want %d", len(balances), compared, configured)
	}
}

func TestPromtoolFindsNothingInAProbeAndATextfile(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--nodes=1", "--accounts=3")
	_, exporter := startExporterProcess(t, sim.config, "--network=simulated")
	_, probe := get(t, exporter+"/probe?target=0.0.98,0.0.1001,0.0.4242", nil)

	file := filepath.Join(t.TempDir(), "hedera.prom")
	textfile := startProcess(t, program(t, "BIN", "hedera_exporter"), "--config.file="+sim.config, "textfile", "--output.file="+file)
	if status := textfile.wait(t); status != 0 {
		t.Fatalf("exit status %d: %s", status, textfile.output)
	}
	scrape, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"probe": probe, "textfile": string(scrape)} {
		check := exec.CommandContext(t.Context(), program(t, "PROMTOOL"), "check", "metrics")
		check.Stdin = strings.NewReader(body)
		if output, err := check.CombinedOutput(); err != nil || len(output) > 0 || body == "" {
			t.Errorf("promtool check metrics of the %s: %v\n%s", name, err, output)
		}
	}
}

func TestSignalEndsAQueryProbe(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--nodes=1")
	sim.control(t, http.MethodPost, "/faults", `{"path":"/api/v1","kind":"hang"}`)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			sim.control(t, http.MethodDelete, "/requests", "")
			p := startProcess(t, program(t, "BIN", "hedera_exporter"), "--config.file="+sim.config, "--network=simulated",
				"query", "account", "0.0.98", "--timeout=10m")
			awaitTrue(t, "the mirror is asked", func() bool {
				_, requests := get(t, sim.url+"/simulator/requests", nil)
				return strings.Contains(requests, `"GET /api/v1/accounts"`)
			})
			if status := p.stop(t, signal); status != statusInterrupted {
				t.Errorf("exit status %d", status)
			}
		})
	}
}

func TestHelpNamesTheProbeAndTheCommands(t *testing.T) {
	for args, want := range map[string]string{
		"--help":               "--probe.max-targets",
		"-h":                   "query account <account>...",
		"help query":           "--output=table",
		"query account --help": "Account id, EVM address or alias.",
		"--version":            "hedera_exporter, version ",
	} {
		p := startProcess(t, program(t, "BIN", "hedera_exporter"), strings.Fields(args)...)
		if status := p.wait(t); status != 0 || !strings.Contains(p.output.String(), want) {
			t.Errorf("%s: exit status %d, without %q:\n%s", args, status, want, fmt.Sprintf("%.1000s", p.output))
		}
	}
}
