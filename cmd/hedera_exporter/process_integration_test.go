//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"hedera_exporter/internal/processtest"
)

// program is the path in an environment variable that make test-integration sets.
func program(t *testing.T, variable string, elements ...string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Fatalf("%s is not set; run make test-integration", variable)
	}
	return filepath.Join(append([]string{value}, elements...)...)
}

// process is a program under test.
type process struct {
	*processtest.Process
	output *processtest.Output
}

func startProcess(t *testing.T, path string, args ...string) *process {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	p := processtest.Run(t, exec.CommandContext(t.Context(), path, args...))
	return &process{p, p.Output}
}

// stop asks the process to end and returns its exit status.
func (p *process) stop(t *testing.T, signal os.Signal) int {
	t.Helper()
	if err := p.Signal(signal); err != nil {
		t.Fatal(err)
	}
	return p.wait(t)
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	status, err := p.Wait(withDeadline(t))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// address returns the base URL of a program that uses the exporter-toolkit.
func (p *process) address(t *testing.T) string {
	t.Helper()
	address, err := p.AwaitAddress(withDeadline(t))
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + address
}

// startReady starts Prometheus or Alertmanager and returns its base URL.
func startReady(t *testing.T, path string, args ...string) string {
	t.Helper()
	p := startProcess(t, path, append(args, "--web.listen-address=127.0.0.1:0")...)
	url := p.address(t)
	if err := p.AwaitOK(withDeadline(t), url+"/-/ready"); err != nil {
		t.Fatal(err)
	}
	return url
}

func withDeadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	t.Cleanup(cancel)
	return ctx
}

// simulatorProcess is the built hedera_simulator on free ports.
type simulatorProcess struct {
	*process
	url    string
	config string // an exporter configuration
}

func startSimulatorProcess(t *testing.T, args ...string) simulatorProcess {
	t.Helper()
	config := filepath.Join(t.TempDir(), "hedera_exporter.yml")
	p := startProcess(t, program(t, "BIN", "hedera_simulator"), append([]string{
		"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0",
		"--node.base-port=0", "--write-config=" + config,
	}, args...)...)
	url, err := p.AwaitSimulator(withDeadline(t))
	if err != nil {
		t.Fatal(err)
	}
	return simulatorProcess{p, url, config}
}

func (s simulatorProcess) control(t *testing.T, method, path, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/simulator"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		answer, _ := io.ReadAll(response.Body)
		t.Fatalf("%s %s: %s: %s", method, path, response.Status, answer)
	}
}

func startExporterProcess(t *testing.T, config string, args ...string) (*process, string) {
	t.Helper()
	p := startProcess(t, program(t, "BIN", "hedera_exporter"),
		append([]string{"--config.file=" + config, "--web.listen-address=127.0.0.1:0"}, args...)...)
	return p, p.address(t)
}

// startPrometheus scrapes target each three seconds.
func startPrometheus(t *testing.T, target string) string {
	t.Helper()
	return startPrometheusOn(t, fmt.Sprintf(`
scrape_configs:
  - job_name: hedera
    scrape_interval: 3s
    scrape_timeout: 3s
    static_configs: [{targets: ["%s"]}]
`, strings.TrimPrefix(target, "http://")))
}

// sample is one element of an instant query's answer.
type sample struct {
	Metric map[string]string  `json:"metric"`
	Value  [2]json.RawMessage `json:"value"` // time, and the value as a string
}

func (s sample) value(t *testing.T) float64 {
	t.Helper()
	var text string
	if err := json.Unmarshal(s.Value[1], &text); err != nil {
		t.Fatal(err)
	}
	var value float64
	if _, err := fmt.Sscan(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func query(t *testing.T, prometheus, expression string) []sample {
	t.Helper()
	status, body := get(t, prometheus+"/api/v1/query?query="+url.QueryEscape(expression), nil)
	if status != http.StatusOK {
		t.Fatalf("query %s: %d: %s", expression, status, body)
	}
	var answer struct {
		Data struct {
			Result []sample `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data.Result
}

// mirrorRows asks the simulated mirror itself, page by page.
func mirrorRows[T any](t *testing.T, base, path, field string) []T {
	t.Helper()
	var all []T
	for path != "" {
		status, body := get(t, base+path, nil)
		if status != http.StatusOK {
			t.Fatalf("%s: %d: %s", path, status, body)
		}
		var page map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		var rows []T
		if err := json.Unmarshal(page[field], &rows); err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
		var links struct{ Next *string }
		if err := json.Unmarshal(page["links"], &links); err != nil {
			t.Fatal(err)
		}
		path = ""
		if links.Next != nil {
			path = *links.Next
		}
	}
	return all
}

func TestPrometheusReadsBackWhatTheNetworkHolds(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--accounts=50", "--config.accounts=50")
	sim.control(t, http.MethodPut, "/accounts/0.0.1001/balance", `{"tinybar":1}`)
	sim.control(t, http.MethodPut, "/accounts/0.0.1002/balance", `{"tinybar":9007199254740993}`)
	sim.control(t, http.MethodPut, "/accounts/0.0.1003/balance", `{"tinybar":0}`)
	_, exporter := startExporterProcess(t, sim.config)
	prometheus := startPrometheus(t, exporter)

	// A busy machine may be late for a part of a scrape.
	awaitTrue(t, "Prometheus has the stakes, the balances of 50 accounts and 5 system accounts, and all 118 endpoints of the mainnet address book up", func() bool {
		for expression, want := range map[string]float64{
			"count(hedera_node_stake_hbar) > bool 0": 1, "count(hedera_account_balance_hbar)": 55, "count(hedera_node_endpoint_up == 1)": 118,
		} {
			if got := query(t, prometheus, expression); len(got) != 1 || got[0].value(t) != want {
				return false
			}
		}
		return true
	})

	balances := map[string]float64{}
	for _, s := range query(t, prometheus, "last_over_time(hedera_account_balance_hbar[5m])") {
		balances[s.Metric["account_id"]] = s.value(t)
	}
	type row struct {
		Account string
		Balance struct{ Balance int64 }
	}
	compared := 0
	for _, account := range mirrorRows[row](t, sim.url, "/api/v1/accounts?limit=100", "accounts") {
		if got, watched := balances[account.Account]; watched {
			compared++
			wantTinybar(t, "balance of "+account.Account, got, account.Balance.Balance)
		}
	}
	if compared != len(balances) {
		t.Errorf("%d of %d balances were compared", compared, len(balances))
	}

	type node struct {
		ID    int64 `json:"node_id"`
		Stake *int64
	}
	stakes := map[string]float64{}
	for _, s := range query(t, prometheus, "last_over_time(hedera_node_stake_hbar[5m])") {
		stakes[s.Metric["node_id"]] = s.value(t)
	}
	nodes := mirrorRows[node](t, sim.url, "/api/v1/network/nodes?limit=25", "nodes")
	if len(nodes) != 29 {
		t.Errorf("%d nodes, want 29", len(nodes))
	}
	for _, n := range nodes {
		got, shown := stakes[strconv.FormatInt(n.ID, 10)]
		if shown != (n.Stake != nil) {
			t.Errorf("node %d: stake shown is %v", n.ID, shown)
		}
		if n.Stake != nil {
			wantTinybar(t, fmt.Sprintf("stake of node %d", n.ID), got, *n.Stake)
		}
	}
}

// wantTinybar compares with the float64 nearest to tinybar / 100,000,000, by
// exact arithmetic: within 2^53 tinybar each tinybar has a float64 of its own.
func wantTinybar(t *testing.T, what string, got float64, tinybar int64) {
	t.Helper()
	exact := new(big.Rat).SetFrac64(tinybar, 100_000_000)
	if want, _ := exact.Float64(); got != want {
		t.Errorf("%s: %v hbar, want %v for %d tinybar", what, got, want, tinybar)
	}
}

func TestPromtoolFindsNothing(t *testing.T) {
	sim := startSimulatorProcess(t)
	_, exporter := startExporterProcess(t, sim.config)
	_, body := get(t, exporter+"/metrics", nil)
	check := exec.CommandContext(t.Context(), program(t, "PROMTOOL"), "check", "metrics")
	check.Stdin = strings.NewReader(body)
	if output, err := check.CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, output)
	}
}

func TestSIGTERMLetsASlowScrapeFinish(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			sim := startSimulatorProcess(t, "--static", "--nodes=1")
			exporter, address := startExporterProcess(t, sim.config)
			sim.control(t, http.MethodPost, "/faults", `{"path":"/api/v1/accounts","kind":"latency","latency":"2s"}`)
			bodies := make(chan string, 1)
			go func() {
				_, body := get(t, address+"/metrics", nil)
				bodies <- body
			}()
			awaitTrue(t, "the scrape is under way", func() bool {
				_, requests := get(t, sim.url+"/simulator/requests", nil)
				return strings.Contains(requests, `"GET /api/v1/accounts"`)
			})
			if status := exporter.stop(t, signal); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if body := <-bodies; !strings.Contains(body, `hedera_scrape_collector_success{collector="accounts",network="simulated"} 1`) {
				t.Errorf("the scrape under way was cut short: %.500s", body)
			}
		})
	}
}

func TestHangupReloads(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--nodes=1")
	exporter, address := startExporterProcess(t, sim.config)
	content, err := os.ReadFile(sim.config)
	if err != nil {
		t.Fatal(err)
	}
	reloaded := func(content, want string) {
		t.Helper()
		if err := os.WriteFile(sim.config, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := exporter.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		awaitTrue(t, "there is "+want, func() bool {
			_, body := get(t, address+"/metrics", nil)
			return strings.Contains(body, want)
		})
	}
	reloaded("networks: [", "hedera_exporter_config_last_reload_successful 0")
	reloaded(strings.ReplaceAll(string(content), "name: fees", "name: renamed"), `name="renamed"`)
}

// TestChangedFileReloads sends no signal.
func TestChangedFileReloads(t *testing.T) {
	sim := startSimulatorProcess(t, "--static", "--nodes=1")
	_, address := startExporterProcess(t, sim.config, "--config.auto-reload-interval=1s")
	content, err := os.ReadFile(sim.config)
	if err != nil {
		t.Fatal(err)
	}
	next := filepath.Join(t.TempDir(), "next.yml")
	if err := os.WriteFile(next, []byte(strings.ReplaceAll(string(content), "name: fees", "name: renamed")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, sim.config); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "the account is renamed", func() bool {
		_, body := get(t, address+"/metrics", nil)
		return strings.Contains(body, `name="renamed"`)
	})
}

func TestTLSAndBasicAuth(t *testing.T) {
	const user, password = "prometheus", "correct horse battery staple"
	dir := t.TempDir()
	pool := writeCertificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	webConfig := filepath.Join(dir, "web.yml")
	if err := os.WriteFile(webConfig, fmt.Appendf(nil,
		"tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {%s: %s}\n", user, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	sim := startSimulatorProcess(t, "--static", "--nodes=1")
	_, address := startExporterProcess(t, sim.config, "--web.config.file="+webConfig)

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	scrape := func(authenticate func(*http.Request)) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(address, "http://", "https://", 1)+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		authenticate(r)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, body := scrape(func(*http.Request) {}); status != http.StatusUnauthorized || strings.Contains(body, "hedera_") {
		t.Errorf("without credentials: %d %.200s", status, body)
	}
	if status, _ := scrape(func(r *http.Request) { r.SetBasicAuth(user, "wrong") }); status != http.StatusUnauthorized {
		t.Errorf("with a wrong password: %d", status)
	}
	if status, body := scrape(func(r *http.Request) { r.SetBasicAuth(user, password) }); status != http.StatusOK || !strings.Contains(body, "hedera_account_balance_hbar{") {
		t.Errorf("with credentials: %d %.200s", status, body)
	}
	if status, _ := get(t, address+"/metrics", nil); status == http.StatusOK {
		t.Error("plaintext was answered")
	}
}

// writeCertificate writes cert.pem and key.pem for 127.0.0.1.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}

func TestDemo(t *testing.T) {
	address := processtest.FreeAddress(t)
	cmd := exec.CommandContext(t.Context(), "../../deploy/demo/demo.sh", program(t, "BIN"))
	cmd.Env = append(os.Environ(), "DEMO_LISTEN_ADDRESS="+address, "DEMO_FREE_PORTS=1")
	demo := processtest.Run(t, cmd)
	if _, err := demo.AwaitOutput(withDeadline(t), regexp.MustCompile("Press Ctrl-C to stop")); err != nil {
		t.Fatal(err)
	}
	awaitFamilies(t, "http://"+address+"/metrics")
	if status, err := demo.Stop(withDeadline(t), syscall.SIGINT); err != nil || status != 0 {
		t.Errorf("exit status %d, %v", status, err)
	}
}

// TestDemoWithATakenPort has another program answer where the demo's exporter
// would.
func TestDemoWithATakenPort(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hedera_of_another 1") }))
	defer other.Close()
	address := other.Listener.Addr().String()
	cmd := exec.CommandContext(t.Context(), "../../deploy/demo/demo.sh", program(t, "BIN"))
	cmd.Env = append(os.Environ(), "DEMO_LISTEN_ADDRESS="+address, "DEMO_FREE_PORTS=1")
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "another program listens on "+address) || !strings.Contains(string(output), "DEMO_FREE_PORTS=1 make demo") {
		t.Errorf("%v: %s", err, output)
	}
}

// notInTheDemo are families that begin with what the simulated network does not
// do by itself (a value that cannot be read, a topic without messages, an
// upgrade), or that its configuration does not ask for: nodes of one's own, other
// mirrors, the mirror's EVM, and minimums of contracts, which have no hbar.
var notInTheDemo = []string{
	"hedera_mirror_decode_failures_total", "hedera_topic_deleted", "hedera_network_last_freeze_transaction_timestamp_seconds",
	"hedera_contract_balance_minimum_hbar", "hedera_node_own", "hedera_node_exists", "hedera_node_account_balance_hbar", "hedera_node_reward_hbar",
	"hedera_mirror_other_up", "hedera_mirror_other_latest_block_number", "hedera_mirror_other_latest_block_timestamp_seconds", "hedera_mirror_web3_up",
}

// awaitFamilies waits until there are samples of every family of the golden
// scrape: some begin with the first transaction of a watched account.
func awaitFamilies(t *testing.T, address string) {
	t.Helper()
	golden, err := os.ReadFile("../../collector/testdata/scrape.prom")
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	defer func() {
		if t.Failed() {
			t.Logf("not shown: %s", missing)
		}
	}()
	awaitTrue(t, "every family is shown", func() bool {
		_, body := get(t, address, nil)
		missing = nil
		for line := range strings.Lines(string(golden)) {
			if strings.HasPrefix(line, "# TYPE ") && !strings.Contains(body, line) && !slices.Contains(notInTheDemo, strings.Fields(line)[2]) {
				missing = append(missing, line)
			}
		}
		return len(missing) == 0
	})
}
