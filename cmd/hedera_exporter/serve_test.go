// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

func TestEndpoints(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))
	tests := []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/", 200, `<a href="/metrics">Metrics</a>`},
		{"GET", "/", 200, `<form action="/probe">`},
		{"GET", "/", 200, `<a href="/sd">Service discovery</a>`},
		{"GET", "/probe?target=0.0.98&network=simulated", 200, "probe_success 1"},
		{"GET", "/sd", 200, `"__meta_hedera_account_id":"0.0.98"`},
		{"GET", "/metrics", 200, "hedera_account_balance_hbar{"},
		{"GET", "/metrics", 200, `hedera_scrape_collector_success{collector="node_probe",network="simulated"} 1`},
		{"GET", "/metrics", 200, "hedera_exporter_build_info{"},
		{"GET", "/metrics", 200, "go_goroutines "},
		{"GET", "/metrics", 200, "process_cpu_seconds_total "},
		{"GET", "/metrics", 200, "promhttp_metric_handler_errors_total{"},
		{"GET", "/config", 200, "simulated:"},
		{"GET", "/-/healthy", 200, "healthy\n"},
		{"GET", "/-/ready", 200, "ready\n"},
		{"POST", "/-/reload", 200, "reloaded\n"},
		{"GET", "/-/reload", 405, ""},
		{"HEAD", "/metrics", 200, ""},
		{"POST", "/metrics", 405, ""},
		{"DELETE", "/metrics", 405, ""},
		{"POST", "/probe?target=0.0.98", 405, ""},
		{"POST", "/sd", 405, ""},
		{"POST", "/config", 405, ""},
		{"POST", "/", 405, ""},
		{"POST", "/-/healthy", 405, ""},
		{"GET", "/nothing", 404, ""},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			status, body := request(t, test.method, e.url+test.path, nil)
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("status %d, want %d; body without %q:\n%.2000s", status, test.status, test.body, body)
			}
		})
	}
}

// TestHungMirror holds the exporter to its promise that /metrics answers within
// the scrape timeout, when Prometheus gives up.
func TestHungMirror(t *testing.T) {
	memnet.Test(t, testHungMirror)
}

func testHungMirror(t *testing.T, memory *memnet.Network) {
	sim := startSimulator(t, simulator.Options{Nodes: 2, Accounts: 1, Listen: memory.Listen})
	e := newMemoryExporter(t, memory, sim)
	if status, _ := e.get(t.Context(), "/metrics", nil); status != http.StatusOK {
		t.Fatalf("status %d before the fault", status)
	}
	for _, path := range []string{"/api/v1", simulator.GetNodesFault} {
		if _, err := sim.InjectFault(simulator.Fault{Path: path, Kind: simulator.FaultHang}); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	_, body := e.get(t.Context(), "/metrics", http.Header{scrapeTimeoutHeader: {"3"}})
	if took := time.Since(start); took >= 3*time.Second {
		t.Errorf("the scrape took %s", took)
	}
	if !strings.Contains(body, `hedera_scrape_collector_success{collector="accounts",network="simulated"} 0`) {
		t.Error("accounts are shown as collected")
	}
	if strings.Contains(body, "hedera_account_balance_hbar{") {
		t.Error("balances are shown")
	}
	up := 0
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "hedera_node_endpoint_up{") && strings.HasSuffix(line, " 1\n") {
			up++
		}
	}
	if want := len(sim.Nodes()[0].Endpoints) + len(sim.Nodes()[1].Endpoints); up != want {
		t.Errorf("%d endpoints are up, want %d", up, want)
	}
}

func TestReload(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	good := string(sim.ExporterConfig())
	file := writeFile(t, "c.yml", good)
	e := startExporter(t, file)
	replace := func(content string) (status int, body string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return request(t, http.MethodPost, e.url+"/-/reload", nil)
	}
	metrics := func() string {
		t.Helper()
		_, body := get(t, e.url+"/metrics", nil)
		return body
	}

	status, body := replace(good + "colour: red\n")
	if status != http.StatusInternalServerError || !strings.Contains(body, "colour") || !strings.Contains(body, file+":") {
		t.Errorf("status %d, body %s: want 500 with the key and its place", status, body)
	}
	after := metrics()
	for _, want := range []string{"hedera_exporter_config_last_reload_successful 0", "hedera_account_balance_hbar{"} {
		if !strings.Contains(after, want) {
			t.Errorf("after a failed reload there is no %s", want)
		}
	}

	// What an interrupted write leaves must not replace 115 accounts by mainnet.
	for _, emptied := range []string{"", "# nothing\n", "networks:\n"} {
		if status, body = replace(emptied); status != http.StatusInternalServerError || !strings.Contains(body, "has no networks") {
			t.Errorf("%q: status %d, body %s: want 500 with the reason", emptied, status, body)
		}
		wantParts(t, metrics(), "hedera_exporter_config_last_reload_successful 0", `network="simulated"`)
	}

	if status, body = replace(strings.ReplaceAll(good, "name: fees", "name: renamed")); status != http.StatusOK {
		t.Errorf("status %d, body %s", status, body)
	}
	after = metrics()
	for _, want := range []string{"hedera_exporter_config_last_reload_successful 1", `name="renamed"`} {
		if !strings.Contains(after, want) {
			t.Errorf("after a reload there is no %s", want)
		}
	}

	if status, _ = replace(strings.ReplaceAll(good, "simulated:", "other:")); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if after = metrics(); strings.Contains(after, `network="simulated"`) || !strings.Contains(after, `hedera_mirror_requests_total{code="200",network="other",route="/api/v1/accounts"}`) {
		t.Error("the series of a network that is gone stayed, or those of the new one are missing")
	}
}

func TestLogFormats(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	for format, want := range map[string]string{"logfmt": ` msg="configuration loaded" file=`, "json": `"msg":"configuration loaded"`} {
		t.Run(format, func(t *testing.T) {
			e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())), "--log.format="+format)
			if log := e.stderr.String(); !strings.Contains(log, want) {
				t.Errorf("no %s in the log:\n%s", want, log)
			}
		})
	}
}

func TestDisabledCollector(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())), "--no-collector.node_probe")
	_, body := get(t, e.url+"/metrics", nil)
	if strings.Contains(body, "hedera_node_endpoint_up{") || !strings.Contains(body, "hedera_account_exists{") {
		t.Error("--no-collector.node_probe did not switch off the probes alone")
	}
	if n := sim.Requests()["grpc getAccountInfo"]; n != 0 {
		t.Errorf("%d probes were made", n)
	}
}

func TestAccess(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	config := writeFile(t, "c.yml", string(sim.ExporterConfig()))
	open := startExporter(t, config)
	closed := startExporter(t, config, "--no-web.enable-lifecycle", "--no-web.enable-config", "--web.allowed-host=127.0.0.1", "--web.allowed-host=Prometheus.example")
	tests := map[string]struct {
		e            *exporter
		method, path string
		host         string
		header       http.Header
		status       int
		body         string
	}{
		"reload":                    {open, "POST", "/-/reload", "", nil, 200, "reloaded"},
		"reload by the same site":   {open, "POST", "/-/reload", "", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200, "reloaded"},
		"reload by another site":    {open, "POST", "/-/reload", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, "cross-origin"},
		"reload by another origin":  {open, "POST", "/-/reload", "", http.Header{"Origin": {"https://evil.example"}}, 403, "cross-origin"},
		"any host":                  {open, "GET", "/config", "evil.example", nil, 200, "networks:"},
		"reload disabled":           {closed, "POST", "/-/reload", "", nil, 403, "--no-web.enable-lifecycle"},
		"config disabled":           {closed, "GET", "/config", "", nil, 403, "--no-web.enable-config"},
		"other host":                {closed, "GET", "/metrics", "evil.example", nil, 403, `"evil.example" is not allowed (--web.allowed-host)`},
		"other host with port":      {closed, "GET", "/sd", "evil.example:80", nil, 403, "--web.allowed-host"},
		"no host":                   {closed, "GET", "/sd", "[::1]:10102", nil, 403, `"::1"`},
		"allowed host":              {closed, "GET", "/sd", "prometheus.EXAMPLE:9090", nil, 200, ""},
		"allowed address":           {closed, "GET", "/sd", "", nil, 200, ""},
		"liveness of any host":      {closed, "GET", "/-/healthy", "10.0.0.1", nil, 200, "healthy"},
		"readiness of any host":     {closed, "GET", "/-/ready", "10.0.0.1", nil, 200, "ready"},
		"long host is not repeated": {closed, "GET", "/sd", strings.Repeat("a", 1000), nil, 403, "aaa…"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for key, values := range test.header {
				header[key] = values
			}
			if test.host != "" {
				header.Set("Host", test.host)
			}
			if status, body := request(t, test.method, test.e.url+test.path, header); status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("status %d, body %.300s; want %d with %q", status, body, test.status, test.body)
			}
		})
	}
}

// TestLandingPage follows its links and its form, with a network that is not
// mainnet.
func TestLandingPage(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	private := string(sim.ExporterConfig())
	for name, config := range map[string]string{
		"one network":      private,
		"several networks": private + "  other:\n    mirror: {url: '" + sim.URL() + "'}\n",
	} {
		t.Run(name, func(t *testing.T) {
			e := startExporter(t, writeFile(t, "c.yml", config))
			_, page := get(t, e.url+"/", nil)
			links := regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(page, -1)
			if len(links) < 6 {
				t.Errorf("%d links:\n%s", len(links), page)
			}
			form := url.Values{}
			for _, input := range regexp.MustCompile(`name="(\w+)"[^>]* value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
				form.Set(input[1], input[2])
			}
			for _, path := range append(links, []string{"", "/probe?" + form.Encode()}) {
				if status, body := get(t, e.url+html.UnescapeString(path[1]), nil); status != http.StatusOK {
					t.Errorf("%s: status %d: %.200s", path[1], status, body)
				}
			}
			if form.Get("target") == "" || form.Get("network") == "" {
				t.Errorf("the form has %v:\n%s", form, page)
			}
		})
	}
}

// hangupAtStart is a log. Before it has the line of the start, everything that
// waits for SIGHUP by then has got one.
type hangupAtStart struct {
	lockedBuffer
	hangup chan os.Signal
}

func (h *hangupAtStart) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("msg=starting")) {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			return 0, err
		}
		<-h.hangup
	}
	return h.lockedBuffer.Write(line)
}

func TestHangupAtTheStart(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	stderr := &hangupAtStart{hangup: make(chan os.Signal, 1)}
	signal.Notify(stderr.hangup, syscall.SIGHUP)
	defer signal.Stop(stderr.hangup)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	args := []string{"--config.file=" + writeFile(t, "c.yml", string(sim.ExporterConfig())), "--web.listen-address=127.0.0.1:0"}
	status := make(chan int, 1)
	go func() { status <- run(ctx, args, io.Discard, stderr) }()
	awaitTrue(t, "the configuration is loaded a second time", func() bool {
		return strings.Count(stderr.String(), `msg="configuration loaded"`) == 2
	})
	stop()
	if got := <-status; got != 0 {
		t.Errorf("status %d: %s", got, stderr)
	}
}

const mirrorThatIsDown = "networks: {n: {mirror: {url: 'http://127.0.0.1:1'}}}\n"

// TestStartWithAMirrorThatIsDown verifies that the log says so before any scrape, and
// that all lines have one key for the time.
func TestStartWithAMirrorThatIsDown(t *testing.T) {
	e := startExporter(t, writeFile(t, "c.yml", mirrorThatIsDown), "--scrape.timeout=1s", "--no-collector.node_probe")
	awaitTrue(t, "the log says that the mirror cannot be read", func() bool {
		return strings.Contains(e.stderr.String(), `level=error`) && strings.Contains(e.stderr.String(), `msg="mirror cannot be read" network=n err="mirror http://127.0.0.1:1`)
	})
	get(t, e.url+"/metrics", nil)
	text := e.stderr.String()
	for line := range strings.Lines(text) {
		if !regexp.MustCompile(`(^| )ts=\d{4}-\d\d-\d\dT[0-9:.]+Z `).MatchString(line) || strings.Contains(line, " time=") {
			t.Errorf("the line has no ts, or another key for it: %s", line)
		}
	}
	if !strings.Contains(text, `msg="Listening on"`) {
		t.Errorf("exporter-toolkit logged nothing:\n%s", text)
	}
}

func TestScrapesDoNotRepeatThatTheMirrorIsDown(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		e := startInMemory(t, memory, "--config.file="+writeFile(t, "c.yml", mirrorThatIsDown), "--scrape.timeout=1s", "--no-collector.node_probe")
		scrape := func() (lines int) {
			e.get(t.Context(), "/metrics", nil)
			return strings.Count(e.stderr.String(), "level=error")
		}
		first := scrape()
		for range 3 {
			if lines := scrape(); lines != first || first == 0 {
				t.Errorf("%d lines after %d:\n%s", lines, first, e.stderr)
			}
		}
	})
}

// TestLabelsOfTheConfiguration follows labels from the file to what shows them,
// and through a reload.
func TestLabelsOfTheConfiguration(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	text := func(labels string) string {
		return `
networks:
  one:
    mirror: {url: ` + sim.URL() + `}
    accounts: [{id: 0.0.98, name: fees, labels: ` + labels + `}]
  two:
    mirror: {url: ` + sim.URL() + `}
    accounts: [{id: 0.0.98, name: fees}]
    tokens: [{id: 0.0.9999, name: coin, labels: {env: prod}}]
`
	}
	config := writeFile(t, "c.yml", text("{team: payments}"))
	e := startExporter(t, config)
	want := func(path string, parts ...string) {
		t.Helper()
		_, body := get(t, e.url+path, nil)
		wantParts(t, body, parts...)
	}
	want("/metrics",
		`hedera_account_labels{account_id="0.0.98",env="",name="fees",network="one",team="payments"} 1`,
		`hedera_account_labels{account_id="0.0.98",env="",name="fees",network="two",team=""} 1`,
		`hedera_token_labels{env="prod",name="coin",network="two",team="",token_id="0.0.9999"} 1`)
	want("/probe?network=one&target=0.0.98,0.0.2",
		`hedera_account_labels{account_id="0.0.98",env="",name="fees",network="one",team="payments"} 1`,
		`hedera_account_labels{account_id="0.0.2",env="",name="0.0.2",network="one",team=""} 1`)
	want("/config", "labels: {team: payments}", "labels: {env: prod}")
	want("/sd", `"__meta_hedera_account_label_team":"payments"`)

	if err := os.WriteFile(config, []byte(text("{owner: treasury}")), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, http.MethodPost, e.url+"/-/reload", nil); status != http.StatusOK {
		t.Fatal(body)
	}
	want("/metrics",
		`hedera_account_labels{account_id="0.0.98",env="",name="fees",network="one",owner="treasury"} 1`,
		`hedera_account_labels{account_id="0.0.98",env="",name="fees",network="two",owner=""} 1`,
		`hedera_token_labels{env="prod",name="coin",network="two",owner="",token_id="0.0.9999"} 1`)

	if err := os.WriteFile(config, []byte(text("{network: mine}")), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, http.MethodPost, e.url+"/-/reload", nil); status != http.StatusInternalServerError || !strings.Contains(body, config+`:5: networks.one.accounts[0].labels: the label name "network" `) {
		t.Errorf("status %d: %s", status, body)
	}
	want("/metrics", `owner="treasury"`)
}
