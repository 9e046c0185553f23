// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/collector"
	"hedera_exporter/internal/proxytest"
	"hedera_exporter/internal/simulator"
)

// proxiedNetwork is a network that has its servers under names which only the proxy
// and the test's dialler know.
type proxiedNetwork struct {
	hosts map[string]string
	proxy *proxytest.Proxy
	// deadline is that of a scrape.
	deadline time.Duration
	log      lockedBuffer

	mu     sync.Mutex
	direct []string
}

func newProxiedNetwork(t *testing.T) *proxiedNetwork {
	t.Helper()
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	n := &proxiedNetwork{deadline: testDeadline, hosts: map[string]string{
		"mirror.test:80":   strings.TrimPrefix(sim.URL(), "http://"),
		"mirror.test:5600": sim.GRPCAddress(),
	}}
	for _, endpoint := range sim.Nodes()[0].Endpoints {
		n.hosts[map[bool]string{false: "node.test:50211", true: "node.test:50212"}[endpoint.TLS]] = endpoint.Address
	}
	n.proxy = proxytest.Start(t, n.hosts)
	for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		t.Setenv(variable, "")
	}
	return n
}

func (n *proxiedNetwork) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address == n.proxy.Address() {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	n.mu.Lock()
	n.direct = append(n.direct, address)
	n.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, n.hosts[address])
}

func (n *proxiedNetwork) directly() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(n.direct)))
}

// scrape returns the samples, and what /config shows.
func (n *proxiedNetwork) scrape(t *testing.T, client, consensus string) (body, config string) {
	t.Helper()
	file := writeFile(t, "c.yml", fmt.Sprintf(`networks:
  test:
    mirror: {url: "http://mirror.test", grpc_address: "mirror.test:5600", http_client: {%s}}
    consensus: {%snodes: [{node_id: 0, account_id: 0.0.3, endpoints: ["node.test:50211", "node.test:50212"]}]}
    accounts: [{id: 0.0.98}]
`, client, consensus))
	rl := &reloader{
		flags:  parseFlags(t, "--config.file="+file, "--no-collector.network", "--no-collector.blocks"),
		self:   collector.NewSelf(prometheus.NewRegistry()),
		logger: log.NewLogfmtLogger(&n.log),
		dial:   n.dial,
	}
	if err := rl.reload(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rl.close)
	ctx, cancel := context.WithTimeout(t.Context(), n.deadline)
	defer cancel()
	families, err := rl.current.set.Gatherer(ctx).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String(), rl.current.config.String()
}

// TestProxies has one rule for the mirror's APIs and the nodes.
func TestProxies(t *testing.T) {
	const rest, grpc, plain, tls = "mirror.test:80", "mirror.test:5600", "node.test:50211", "node.test:50212"
	all := []string{"CONNECT " + grpc, "CONNECT " + plain, "CONNECT " + tls, "GET http://mirror.test"}
	tests := map[string]struct {
		environment       map[string]string // PROXY stands for the proxy
		client, consensus string
		through, direct   []string
	}{
		"environment":            {map[string]string{"HTTP_PROXY": "PROXY", "HTTPS_PROXY": "PROXY"}, "", "", all, nil},
		"environment, no nodes":  {map[string]string{"HTTP_PROXY": "PROXY", "HTTPS_PROXY": "PROXY", "NO_PROXY": "node.test"}, "", "", []string{all[0], all[3]}, []string{plain, tls}},
		"environment, one port":  {map[string]string{"HTTP_PROXY": "PROXY", "HTTPS_PROXY": "PROXY", "NO_PROXY": "node.test:50211"}, "", "", []string{all[0], all[2], all[3]}, []string{plain}},
		"environment for http":   {map[string]string{"HTTP_PROXY": "PROXY"}, "", "", []string{all[3]}, []string{grpc, plain, tls}},
		"environment turned off": {map[string]string{"HTTP_PROXY": "PROXY", "HTTPS_PROXY": "PROXY"}, "proxy_from_environment: false", "", nil, []string{grpc, rest, plain, tls}},
		"nodes go without it":    {map[string]string{"HTTP_PROXY": "PROXY", "HTTPS_PROXY": "PROXY"}, "", "use_proxy: false, ", []string{all[0], all[3]}, []string{plain, tls}},
		"proxy_url":              {map[string]string{"HTTPS_PROXY": "http://other.test"}, "proxy_url: 'http://PROXY'", "", all, nil},
		"proxy_url and no_proxy": {nil, "proxy_url: 'http://PROXY', no_proxy: mirror.test", "", []string{all[1], all[2]}, []string{grpc, rest}},
		"none":                   {nil, "", "", nil, []string{grpc, rest, plain, tls}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			n := newProxiedNetwork(t)
			for variable, value := range test.environment {
				t.Setenv(variable, strings.ReplaceAll(value, "PROXY", n.proxy.Address()))
			}
			body, _ := n.scrape(t, strings.ReplaceAll(test.client, "PROXY", n.proxy.Address()), test.consensus)
			for _, want := range []string{
				`hedera_mirror_up{network="test"} 1`, `hedera_mirror_grpc_up{network="test"} 1`, `hedera_account_exists{account_id="0.0.98",name="0.0.98",network="test"} 1`,
				`hedera_node_endpoint_up{address="node.test:50211",network="test",node_id="0",transport="plaintext"} 1`,
				`hedera_node_endpoint_up{address="node.test:50212",network="test",node_id="0",transport="tls"} 1`,
			} {
				if !strings.Contains(body, want+"\n") {
					t.Errorf("no sample %s", want)
				}
			}
			if seen := n.proxy.Seen(); !slices.Equal(seen, test.through) {
				t.Errorf("the proxy has seen %q, want %q", seen, test.through)
			}
			if direct := n.directly(); !slices.Equal(direct, test.direct) {
				t.Errorf("without the proxy: %q, want %q", direct, test.direct)
			}
		})
	}
}

// TestProxyThatFails: the mirror is down, what is known of the nodes is nothing, the
// log names the proxy, and no secret is shown.
func TestProxyThatFails(t *testing.T) {
	for _, status := range []int{407, 502} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			n := newProxiedNetwork(t)
			n.proxy.Answer(status)
			n.deadline = 3 * time.Second // the mirror is asked again and again
			t.Setenv("HTTP_PROXY", "http://me:hunter2@"+n.proxy.Address())
			t.Setenv("HTTPS_PROXY", "http://me:hunter2@"+n.proxy.Address())
			body, config := n.scrape(t, "", "")
			for _, want := range []string{
				`hedera_mirror_up{network="test"} 0`, `hedera_mirror_grpc_up{network="test"} 0`,
				`hedera_scrape_collector_success{collector="node_probe",network="test"} 0`,
			} {
				if !strings.Contains(body, want+"\n") {
					t.Errorf("no sample %s", want)
				}
			}
			if strings.Contains(body, "hedera_node_endpoint_up{") {
				t.Errorf("nodes are up or down behind a proxy that does not work:\n%s", body)
			}
			logged := n.log.String()
			for _, want := range []string{
				fmt.Sprintf("proxy %s: CONNECT node.test:502", n.proxy.Address()),
				map[int]string{407: "set the user and password of the proxy ", 502: "this may be the answer of the proxy "}[status] + n.proxy.Address(),
			} {
				if !strings.Contains(logged, want) {
					t.Errorf("the log has no %q:\n%s", want, logged)
				}
			}
			if text := body + config + logged; strings.Contains(text, "hunter2") || strings.Contains(text, "bWU6aHVudGVyMg") {
				t.Errorf("a secret is shown:\n%s", text)
			}
			if got := n.proxy.Credentials(); len(got) != 1 {
				t.Errorf("the proxy was sent %d different credentials, want 1", len(got))
			}
		})
	}
}

// TestNodesBehindAProxy: the address book of a mirror elsewhere must not have the
// proxy connect to itself.
func TestNodesBehindAProxy(t *testing.T) {
	for name, test := range map[string]struct {
		config  string
		refused bool
	}{
		"mirror elsewhere":    {`{url: "https://mirror.example.com", http_client: {proxy_url: "%s"}}`, true},
		"mirror of one's own": {`{url: "http://localhost:5551", http_client: {proxy_url: "%s"}}`, false},
	} {
		through := proxytest.Start(t, nil)
		file := writeFile(t, "c.yml", "networks: {test: {mirror: "+fmt.Sprintf(test.config, through.URL())+"}}")
		c, err := parseFlags(t, "--config.file="+file).loadConfig(false)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := nodeDialer(c.Networks[0], nil)(t.Context(), "tcp", through.Address())
		if err == nil {
			_ = conn.Close()
		}
		if refused := err != nil && strings.Contains(err.Error(), "address of this host"); refused != test.refused || refused == (len(through.Seen()) > 0) {
			t.Errorf("%s: %v; the proxy has seen %q", name, err, through.Seen())
		}
	}
}

// TestCanaryGoesThroughTheProxy, to a node and to the mirror's two APIs.
func TestCanaryGoesThroughTheProxy(t *testing.T) {
	through := proxytest.Start(t, nil)
	sim, err := simulator.Start(simulator.Options{Nodes: 1, Accounts: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance(canaryPayer, 100_00000000) }); err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(canaryConfig(t, sim, ", topic: "+emptyTopic), "mirror:\n", "mirror:\n      http_client: {proxy_url: \""+through.URL()+"\"}\n", 1)
	ran := runCommand(t.Context(), t, "--config.file="+writeFile(t, "c.yml", config), "canary", "--once")
	ran.want(t, 0)
	wantParts(t, ran.stdout, "result              SUCCESS", "mirror_rest", "mirror_grpc")
	seen := through.Seen()
	for _, want := range []string{"CONNECT " + sim.GRPCAddress(), "GET " + sim.URL()} {
		if !slices.Contains(seen, want) {
			t.Errorf("the proxy has seen %q, want %q", seen, want)
		}
	}
	if !slices.ContainsFunc(sim.Nodes()[0].Endpoints, func(e simulator.Endpoint) bool { return e.TLS && slices.Contains(seen, "CONNECT "+e.Address) }) {
		t.Errorf("the proxy has seen %q, and no endpoint of the node with TLS", seen)
	}
}
