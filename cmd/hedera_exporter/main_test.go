// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"go.uber.org/goleak"

	"hedera_exporter/internal/leaktest"
	"hedera_exporter/internal/processtest"
	"hedera_exporter/internal/simulator"
)

func TestMain(m *testing.M) {
	leaktest.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/signal.loop"))
}

// Long enough for a busy machine: only what fails waits for it.
const testDeadline = 5 * time.Minute

// exporter is run in this process, as main runs it.
type exporter struct {
	url    string
	stderr *lockedBuffer
	stop   context.CancelFunc
	status chan int
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func startSimulator(t *testing.T, options simulator.Options) *simulator.Simulator {
	t.Helper()
	options.Static = true
	sim, err := simulator.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func startExporter(t *testing.T, configFile string, args ...string) *exporter {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	e := &exporter{stderr: &lockedBuffer{}, stop: stop, status: make(chan int, 1)}
	args = append([]string{"--config.file=" + configFile, "--web.listen-address=127.0.0.1:0"}, args...)
	go func() { e.status <- run(ctx, args, io.Discard, e.stderr) }()
	t.Cleanup(func() {
		stop()
		http.DefaultClient.CloseIdleConnections()
		e.status <- <-e.status // wait, and leave it for others
	})
	awaitTrue(t, "the exporter listens", func() bool {
		match := processtest.Listening.FindStringSubmatch(e.stderr.String())
		if match == nil {
			if len(e.status) > 0 {
				t.Fatalf("the exporter has ended: %s", e.stderr)
			}
			return false
		}
		e.url = "http://" + match[1]
		return true
	})
	awaitTrue(t, "the exporter is ready", func() bool {
		status, _ := get(t, e.url+"/-/ready", nil)
		return status == http.StatusOK
	})
	return e
}

// awaitTrue polls until condition holds.
func awaitTrue(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(testDeadline)
	defer deadline.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", testDeadline, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func get(t *testing.T, url string, header http.Header) (status int, body string) {
	t.Helper()
	return request(t, http.MethodGet, url, header)
}

// request returns status 0 where there was no answer.
func request(t *testing.T, method, url string, header http.Header) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range header {
		r.Header[key] = values
	}
	r.Host = header.Get("Host")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// command is the result of a command.
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

// onSimulated returns the flags of a command on the network of sim.
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

func TestInvalidStart(t *testing.T) {
	config := writeFile(t, "c.yml", "networks: {simulated: {mirror: {url: 'http://127.0.0.1:1'}}}")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().String()
	tests := map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"unknown flag":   {[]string{"--colour"}, 2, "--colour"},
		"bad log level":  {[]string{"--log.level=loud"}, 2, "loud"},
		"no such file":   {[]string{"--config.file=/nonexistent.yml"}, 1, "/nonexistent.yml"},
		"bad account":    {[]string{"--account=0.0.x"}, 1, "0.0.x"},
		"port taken":     {[]string{"--config.file=" + config, "--web.listen-address=" + taken}, 1, taken},
		"bad web config": {[]string{"--config.file=" + config, "--web.listen-address=127.0.0.1:0", "--web.config.file=/nonexistent.yml"}, 1, "/nonexistent.yml"},
		"check":          {[]string{"--config.check", "--account=0.0.98-aaaaa"}, 1, "checksum"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stderr := &lockedBuffer{}
			ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
			defer cancel()
			if status := run(ctx, test.args, io.Discard, stderr); status != test.status || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("status %d, want %d; stderr without %q: %s", status, test.status, test.stderr, stderr)
			}
		})
	}
}

func TestConfigCheck(t *testing.T) {
	var stdout bytes.Buffer
	status := run(t.Context(), []string{"--config.check", "--account=0.0.98=fees", "--account=0.0.2"}, &stdout, io.Discard)
	if want := "configuration is valid\nnetwork mainnet: 2 accounts: 0.0.98 fees, 0.0.2\n"; status != 0 || stdout.String() != want {
		t.Errorf("status %d, stdout %q; want %q", status, stdout.String(), want)
	}
}

func TestConfigCheckNamesWhatIsWatched(t *testing.T) {
	var accounts strings.Builder
	for i := range 12 {
		fmt.Fprintf(&accounts, "      - {id: 0.0.%d}\n", 1001+i)
	}
	config := writeFile(t, "c.yml", "networks:\n  testnet:\n  mainnet:\n    accounts:\n"+accounts.String()+"    tokens: [{id: 0.0.456858}]\n    schedules: [{creator: 0.0.2}]\n")
	c := runCommand(t.Context(), t, "--config.check", "--config.file="+config)
	c.want(t, 0)
	want := "configuration is valid\nnetwork mainnet: 12 accounts: 0.0.1001, 0.0.1002, 0.0.1003, 0.0.1004, 0.0.1005, 0.0.1006, 0.0.1007, 0.0.1008, 0.0.1009, 0.0.1010 and 2 more; 1 tokens; 1 schedules\nnetwork testnet: 0 accounts\n"
	if c.stdout != want {
		t.Errorf("stdout %s, want %s", c.stdout, want)
	}
}

// TestConfigCheckReadsFiles has files that are missing, and a bad web
// configuration, at once.
func TestConfigCheckReadsFiles(t *testing.T) {
	config := writeFile(t, "c.yml", "networks: {mainnet: {mirror: {http_client: {bearer_token_file: nowhere}}}}\n")
	webConfig := writeFile(t, "web.yml", "tls_server_config: {cert_file: nowhere.crt, key_file: nowhere.key}\n")
	c := runCommand(t.Context(), t, "--config.check", "--config.file="+config, "--web.config.file="+webConfig)
	c.want(t, 1, config+":1: networks.mainnet.mirror.http_client.bearer_token_file: the file cannot be read: no such file or directory\n",
		"--web.config.file="+webConfig+": ", "nowhere.crt")
}

// TestVersionAndHelpReadNoVariable has variables that .env files have for other
// reasons.
func TestVersionAndHelpReadNoVariable(t *testing.T) {
	t.Setenv("HEDERA_EXPORTER_VERSION", "v0.1.0")
	t.Setenv("HEDERA_EXPORTER_HELP", "ask the team")
	runCommand(t.Context(), t, "--config.check").want(t, 0)
}

func TestBadVariables(t *testing.T) {
	for variable, test := range map[string]struct {
		value, want string
		args        []string
	}{
		"HEDERA_EXPORTER_WEB_MAX_REQUESTS": {"many", "HEDERA_EXPORTER_WEB_MAX_REQUESTS=many: invalid syntax; try --help", nil},
		"HEDERA_EXPORTER_SCRAPE_TIMEOUT":   {"10", `HEDERA_EXPORTER_SCRAPE_TIMEOUT=10: time: missing unit in duration "10"`, nil},
		"HEDERA_EXPORTER_CONFIG_CHECK":     {"yes", "HEDERA_EXPORTER_CONFIG_CHECK=yes: invalid syntax", nil},
		"HEDERA_EXPORTER_LOG_LEVEL":        {"loud", "HEDERA_EXPORTER_LOG_LEVEL=loud: enum value must be one of debug,info,warn,error", nil},
		"HEDERA_EXPORTER_TIMEOUT":          {"soon", "HEDERA_EXPORTER_TIMEOUT=soon: ", []string{"query", "network"}},
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, test.value)
			runCommand(t.Context(), t, test.args...).want(t, statusUsage, test.want)
		})
	}
}

func TestFlagsReadTheEnvironment(t *testing.T) {
	t.Setenv("HEDERA_EXPORTER_ACCOUNT", "0.0.98=fees\n0.0.2")
	t.Setenv("HEDERA_EXPORTER_NETWORK", "testnet")
	var stdout bytes.Buffer
	if status := run(t.Context(), []string{"--config.check"}, &stdout, io.Discard); status != 0 || !strings.Contains(stdout.String(), "testnet: 2 accounts") {
		t.Errorf("status %d, stdout %q", status, stdout.String())
	}
}

func TestInvalidCommandLine(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	config := "--config.file=" + writeFile(t, "c.yml", string(sim.ExporterConfig()))
	several := writeFile(t, "several.yml", "networks: {testnet: , previewnet: }")
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
		"unknown network":    {[]string{config, "--network=mainnet", "query", "nodes"}, 1, `--network "mainnet": is not in`},
		"several networks":   {[]string{"--config.file=" + several, "query", "nodes"}, 2, "--network: no network is given; configured are: previewnet, testnet"},
		"several, account":   {[]string{"--config.file=" + several, "--account=0.0.98"}, 1, "--account: needs --network"},
		"no query time":      {[]string{config, "query", "nodes", "--timeout=0s"}, 2, "--timeout: 0s must be greater than 0"},
		"no time at all":     {[]string{"healthcheck", "--timeout=-1s"}, 2, "--timeout: -1s must be greater than 0"},
		"bad number":         {[]string{"--web.max-requests=many"}, 2, "--web.max-requests=many: invalid syntax"},
		"bad duration":       {[]string{"--scrape.timeout=10"}, 2, `--scrape.timeout=10: time: missing unit in duration "10"`},
		"bad enumeration":    {[]string{"--log.format=xml"}, 2, "--log.format=xml: enum value"},
		"bad URL":            {[]string{"healthcheck", "--url=:"}, 2, "--url=:: "},
		"no file":            {[]string{config, "textfile"}, 2, "--output.file"},
		"bad configuration":  {[]string{broken, "query", "nodes"}, 1, "colour"},
		"unwritable":         {[]string{config, "textfile", "--output.file=/nonexistent/x.prom"}, 1, "/nonexistent/"},
		"not a path":         {[]string{"--web.telemetry-path=metrics"}, 2, "--web.telemetry-path"},
		"a path of its own":  {[]string{"--web.telemetry-path=/sd"}, 2, "--web.telemetry-path"},
		"root":               {[]string{"--web.telemetry-path=/"}, 2, "--web.telemetry-path"},
		"empty path":         {[]string{"--web.telemetry-path="}, 2, "--web.telemetry-path"},
		"the probe's path":   {[]string{"--web.telemetry-path=/probe"}, 2, "--web.telemetry-path"},
		"less than no time":  {[]string{"--scrape.timeout=-1s"}, 2, "--scrape.timeout"},
		"no time":            {[]string{"--scrape.timeout=0s"}, 2, "--scrape.timeout"},
		"too much time":      {[]string{"--scrape.timeout=1h"}, 2, "10m"},
		"negative offset":    {[]string{"--scrape.timeout-offset=-1s"}, 2, "--scrape.timeout-offset"},
		"short look":         {[]string{"--config.auto-reload-interval=10ms"}, 2, "--config.auto-reload-interval: 10ms must be 0 or at least 1s"},
		"no connections":     {[]string{"--web.max-connections=0"}, 2, "--web.max-connections"},
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

func TestInvalidShards(t *testing.T) {
	for args, want := range map[string]string{
		"--shard=1":                    "shard 1 is not one of 1 shards",
		"--shard=-1 --total-shards=2":  "shard -1 is not one of 2 shards",
		"--total-shards=0":             "0 shards in total, want at least 1",
		"--pod=exporter-7d4b9c-x2lqk":  "StatefulSet",
		"--pod=e-3 --total-shards=3":   "shard 3 is not one of 3 shards",
		"--shard=two --total-shards=3": "two",
	} {
		var stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), io.Discard, &stderr); status != statusUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, want %d; stderr without %q: %s", args, status, statusUsage, want, &stderr)
		}
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
			awaitTrue(t, "the mirror is asked", func() bool { return len(sim.Requests()) > 0 })
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

func parseFlags(t *testing.T, args ...string) *flagSet {
	t.Helper()
	app := kingpin.New("test", "")
	flags := addFlags(app)
	if _, err := app.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}
