//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"hedera_exporter/internal/processtest"
)

// startDeadline is for a program to start or end.
const startDeadline = 120 * time.Second

// Secrets of the configuration. Errors must have no part of them: their first
// secretPart characters stand nowhere else.
const (
	bearerToken = "hgTvQ2xkcanarybearertokenpLmW93"
	apiKey      = "zRk8Yw4ucanaryapikeyqNcB71"
	secretPart  = 8
)

// environment is an exporter, and what it works with.
type environment struct {
	t        testing.TB
	accounts int

	simulator string // host:port

	mirror *mirror // REST, of both networks
	rest   *front
	grpc   *front // of the network torture-grpc
	config string // path
	good   string // content of config

	exporter *processtest.Process
	command  *exec.Cmd
	network  *exec.Cmd // the simulator's
	address  string
	client   *http.Client // the honest Prometheus'

	hostile atomic.Int64 // requests by hostile clients
	reached atomic.Int64 // requests and connections to hostile servers
	signals atomic.Int64 // of hangups

	mu    sync.Mutex
	leaks []string
}

// counted counts the connections in reached.
func (e *environment) counted(serve func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		e.reached.Add(1)
		serve(conn)
	}
}

func program(t testing.TB, name string) string {
	t.Helper()
	bin := os.Getenv("BIN")
	if bin == "" {
		t.Fatal("BIN is not set; run make test-integration")
	}
	return filepath.Join(bin, name)
}

// newEnvironment starts a simulated network of so many accounts and an exporter,
// with Go's memory limit as it is in a container of memoryLimit.
func newEnvironment(t testing.TB, accounts int, memoryLimit int64) *environment {
	t.Helper()
	e := &environment{t: t, accounts: accounts, client: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	t.Cleanup(e.client.CloseIdleConnections)
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), startDeadline)
	defer cancel()

	written := filepath.Join(dir, "simulated.yml")
	e.network = exec.CommandContext(t.Context(), program(t, "hedera_simulator"),
		"--rest.listen-address=127.0.0.1:0", "--grpc.listen-address=127.0.0.1:0", "--node.base-port=0", "--static",
		"--nodes=10", "--accounts="+strconv.Itoa(accounts), "--config.accounts="+strconv.Itoa(accounts), "--write-config="+written)
	address, err := processtest.Run(t, e.network).AwaitSimulator(ctx)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"token": bearerToken, "key": apiKey} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.simulator = base.Host
	e.mirror = newMirror(base)
	e.rest = newFront(t, serveHTTP(t.Context(), e.mirror))
	simulated := parse(t, content)
	e.grpc = newFront(t, forward(t.Context(), grpcAddress(simulated)))
	e.config = filepath.Join(dir, "hedera_exporter.yml")
	e.good = configuration(t, simulated, e.rest.address(), e.grpc.address())
	e.writeConfig()
	e.start(memoryLimit)
	return e
}

type document = map[string]any

func parse(t testing.TB, content []byte) document {
	t.Helper()
	var d document
	if err := yaml.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func grpcAddress(simulated document) string {
	return simulated["networks"].(document)["simulated"].(document)["mirror"].(document)["grpc_address"].(string)
}

// configuration has the accounts and entities in the network torture, which has
// the address book of the REST API. The network torture-grpc has that of the
// gRPC API. Nothing is kept from scrape to scrape.
func configuration(t testing.TB, simulated document, rest, grpc string) string {
	t.Helper()
	network := simulated["networks"].(document)["simulated"].(document)
	consensus := network["consensus"]
	mirror := func(grpcAddress string) document {
		return document{
			"url": "http://" + rest, "grpc_address": grpcAddress, "grpc_tls": false, "rate_limit": 1000,
			"http_client": document{
				"authorization": document{"credentials_file": "token"},
				"http_headers":  document{"X-Api-Key": document{"files": []string{"key"}}},
			},
		}
	}
	network["mirror"] = mirror("")
	fresh := document{"min_interval": "0s"}
	content, err := yaml.Marshal(document{
		"collectors": document{"address_book": fresh, "network": fresh, "schedules": fresh, "tokens": fresh},
		"networks":   document{"torture": network, "torture-grpc": document{"mirror": mirror(grpc), "consensus": consensus}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (e *environment) writeConfig() {
	if err := os.WriteFile(e.config, []byte(e.good), 0o600); err != nil {
		e.t.Error(err)
	}
}

// start starts the exporter.
func (e *environment) start(memoryLimit int64) {
	e.t.Helper()
	e.command = exec.CommandContext(e.t.Context(), program(e.t, "hedera_exporter"), "--config.file="+e.config, "--web.listen-address="+cmp.Or(e.address, "127.0.0.1:0"))
	e.command.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit/10*9)) // as of a control group
	e.exporter = processtest.Run(e.t, e.command)
	ctx, cancel := context.WithTimeout(e.t.Context(), startDeadline)
	defer cancel()
	address, err := e.exporter.AwaitAddress(ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	if e.address == "" { // it is the same when the exporter starts again
		e.address = address
	}
}

// stop sends SIGTERM and waits for the end.
func (e *environment) stop() {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), startDeadline)
	defer cancel()
	if status, err := e.exporter.Stop(ctx, syscall.SIGTERM); err != nil || status != 0 {
		e.t.Errorf("after SIGTERM: exit status %d, %v", status, err)
	}
}

func (e *environment) signal(signal os.Signal) {
	if err := e.exporter.Signal(signal); err != nil {
		e.t.Error(err)
	}
}

// secretForms are what must be nowhere.
var secretForms = func() []string {
	var forms []string
	for _, secret := range []string{bearerToken, apiKey} {
		forms = append(forms, secret[:secretPart], secret[len(secret)-secretPart:],
			base64.StdEncoding.EncodeToString([]byte(secret))[:secretPart], fmt.Sprintf("%x", secret)[:2*secretPart])
	}
	return forms
}()

// saw looks for secrets in what others than the mirror get.
func (e *environment) saw(where, text string) {
	for _, form := range secretForms {
		i := strings.Index(text, form)
		if i < 0 {
			continue
		}
		e.mu.Lock()
		e.leaks = append(e.leaks, fmt.Sprintf("%s: …%s…", where, text[max(0, i-100):min(len(text), i+100)]))
		e.mu.Unlock()
		return
	}
}

func (e *environment) takeLeaks() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	leaks := e.leaks
	e.leaks = nil
	return leaks
}

// read returns the body of a response.
func (e *environment) read(where string, response *http.Response) (string, error) {
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	e.saw(where, string(content))
	return string(content), err
}

// status returns a value of /proc/PID/status in bytes.
func (e *environment) status(key string) int64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.command.Process.Pid))
	if err != nil {
		e.t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if value, found := strings.CutPrefix(line, key+":"); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				e.t.Fatal(err)
			}
			return kib << 10
		}
	}
	e.t.Fatalf("no %s in %s", key, content)
	return 0
}

// resetPeak begins a new measurement of VmHWM.
func (e *environment) resetPeak() {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", e.command.Process.Pid), []byte("5"), 0); err != nil {
		e.t.Fatal(err)
	}
}
