// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// newReloader loads configurations from the file that it returns.
func newReloader(t *testing.T, config string) (*reloader, string) {
	t.Helper()
	file := writeFile(t, "c.yml", config)
	rl := &reloader{
		flags:  parseFlags(t, "--config.file="+file),
		self:   collector.NewSelf(prometheus.NewRegistry()),
		logger: log.NewNopLogger(),
	}
	if err := rl.reload(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rl.close)
	return rl, file
}

func TestReloadKeepsClientsOfTheSameConfiguration(t *testing.T) {
	const config = `
networks:
  one:
    mirror: {url: "http://127.0.0.1:1", rate_limit: 5, http_client: {basic_auth: {username: u, password_file: p}, tls_config: {insecure_skip_verify: true}, proxy_url: "http://127.0.0.1:3"}}
    consensus: {probe_timeout: 1s, nodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["127.0.0.1:2"]}]}
    accounts: [{id: 0.0.98}]
  two:
    mirror: {url: "http://127.0.0.1:1"}
`
	tests := map[string]struct {
		old, new string
		kept     bool
	}{
		"nothing":      {"", "", true},
		"account":      {"{id: 0.0.98}", "{id: 0.0.2}", true},
		"token":        {"accounts:", "tokens: [{id: 0.0.5}]\n    accounts:", true},
		"rate limit":   {"rate_limit: 5", "rate_limit: 6", false},
		"credentials":  {"password_file: p", "password_file: q", false},
		"proxy":        {"127.0.0.1:3", "127.0.0.1:4", false},
		"probes":       {"probe_timeout: 1s", "probe_timeout: 2s", false},
		"own nodes":    {"probe_timeout: 1s", "probe_timeout: 1s, own_nodes: [0]", true},
		"web3":         {"rate_limit: 5", "rate_limit: 5, web3: true", false},
		"other mirror": {"rate_limit: 5", `rate_limit: 5, others: [{name: o, url: "http://127.0.0.1:4"}]`, false},
		"nodes":        {"account_id: 0.0.3", "account_id: 0.0.4", false},
		"min_interval": {"networks:", "collectors: {address_book: {min_interval: 5s}}\nnetworks:", false},
		"name":         {"one:", "other:", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rl, file := newReloader(t, config)
			before := rl.current.networks[0].clients
			if err := os.WriteFile(file, []byte(strings.Replace(config, test.old, test.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := rl.reload(); err != nil {
				t.Fatal(err)
			}
			after := rl.current.networks[0]
			if kept := after.clients == before; kept != test.kept {
				t.Errorf("the clients were kept: %v, want %v", kept, test.kept)
			}
			if after.collector.Mirror != after.clients.mirror || after.clients.users != 1 {
				t.Errorf("the collectors use other clients, or %d runtimes are counted", after.clients.users)
			}
			if want := map[bool]int{true: 1, false: 0}[test.kept]; before.users != want {
				t.Errorf("the previous clients have %d users, want %d", before.users, want)
			}
		})
	}
}

// TestClientsAreClosedAfterTheirLastRequest has a runtime survive its
// replacement while a request uses it.
func TestClientsAreClosedAfterTheirLastRequest(t *testing.T) {
	rl, file := newReloader(t, `networks: {one: {mirror: {url: "http://127.0.0.1:1"}}}`)
	first := rl.current
	rl.serve(httptest.NewRecorder(), func(*runtime) {
		if err := os.WriteFile(file, []byte(`networks: {one: {mirror: {url: "http://127.0.0.1:2"}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := rl.reload(); err != nil {
			t.Fatal(err)
		}
		if first.users != 1 || first.networks[0].clients.users != 1 {
			t.Errorf("%d users, %d of the clients; want the request", first.users, first.networks[0].clients.users)
		}
	})
	if first.users != 0 || first.networks[0].clients.users != 0 {
		t.Errorf("%d users, %d of the clients are left", first.users, first.networks[0].clients.users)
	}

	last := rl.current
	rl.serve(httptest.NewRecorder(), func(*runtime) {
		rl.close()
		if last.users != 1 {
			t.Errorf("%d users, want the request", last.users)
		}
		if err := rl.reload(); err != nil || rl.current != nil {
			t.Errorf("a reload after the end: %v, %v", err, rl.current)
		}
	})
	if last.users != 0 || last.networks[0].clients.users != 0 {
		t.Errorf("%d users, %d of the clients are left", last.users, last.networks[0].clients.users)
	}
	recorder := httptest.NewRecorder()
	rl.serve(recorder, func(*runtime) { t.Error("a request was served after the end") })
	if recorder.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", recorder.Code)
	}
}

func TestReloadDoesNotWaitForScrapes(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
		e := newMemoryExporter(t, memory, sim)
		if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultHang}); err != nil {
			t.Fatal(err)
		}
		ended := make(chan int)
		go func() {
			status, _ := e.get(t.Context(), "/metrics", http.Header{scrapeTimeoutHeader: {"60"}})
			ended <- status
		}()
		synctest.Wait()
		start := time.Now()
		if status, body := e.request(t.Context(), http.MethodPost, "/-/reload", nil); status != http.StatusOK {
			t.Errorf("status %d: %s", status, body)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("the reload took %s", took)
		}
		if status := <-ended; status != http.StatusOK {
			t.Errorf("the scrape got %d", status)
		}
	})
}

// TestReloadKeepsSamples counts the requests of scrapes with reloads between
// them: what is kept for a while is not read again.
func TestReloadKeepsSamples(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	config := string(sim.ExporterConfig())
	file := writeFile(t, "c.yml", config)
	e := startExporter(t, file)
	for i := range 5 {
		// The second half of the reloads changes an account.
		content := config
		if i > 2 {
			content = strings.Replace(config, "name: fees", fmt.Sprintf("name: fees%d", i), 1)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, body := request(t, http.MethodPost, e.url+"/-/reload", nil); status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		if _, body := get(t, e.url+"/metrics", nil); !strings.Contains(body, "hedera_network_supply_hbar{") || strings.Contains(body, "_success{} 0") {
			t.Errorf("scrape %d has no supply", i)
		}
	}
	requests := sim.Requests()
	for _, once := range []string{"GET /api/v1/network/supply", "GET /api/v1/network/stake", "GET /api/v1/network/nodes"} {
		if requests[once] != 1 {
			t.Errorf("%s: %d requests, want 1 of %v", once, requests[once], requests)
		}
	}
	if n := requests["GET /api/v1/accounts"]; n != 5 {
		t.Errorf("accounts were read %d times, want 5", n)
	}
}
