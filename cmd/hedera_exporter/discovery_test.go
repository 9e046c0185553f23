// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

func discover(t *testing.T, url string) []targetGroup {
	t.Helper()
	status, body := get(t, url, nil)
	if status != http.StatusOK {
		t.Fatalf("%s: status %d: %s", url, status, body)
	}
	return targetGroups(t, body)
}

func targetGroups(t *testing.T, body string) []targetGroup {
	t.Helper()
	var groups []targetGroup
	if err := json.Unmarshal([]byte(body), &groups); err != nil {
		t.Fatal(err)
	}
	if groups == nil {
		t.Fatal("null is not a list")
	}
	return groups
}

func TestDiscoverAccounts(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	mirror := "mirror: {url: " + sim.URL() + "}"
	e := startExporter(t, writeFile(t, "c.yml", `
networks:
  one: {`+mirror+`, accounts: [{id: 0.0.98, name: fees}, {id: 0.0.2}]}
  two: {`+mirror+`, accounts: [{id: 0.0.98, name: others, labels: {team: payments}}]}
  three: {`+mirror+`}
`))
	group := func(network, id, name string) targetGroup {
		return targetGroup{Targets: []string{id}, Labels: map[string]string{
			"__meta_hedera_network": network, "__meta_hedera_account_id": id, "__meta_hedera_account_name": name,
		}}
	}
	one := []targetGroup{group("one", "0.0.98", "fees"), group("one", "0.0.2", "0.0.2")}
	two := []targetGroup{group("two", "0.0.98", "others")}
	two[0].Labels["__meta_hedera_account_label_team"] = "payments"
	tests := map[string][]targetGroup{
		"":                           append(one[:2:2], two...),
		"?kind=accounts":             append(one[:2:2], two...),
		"?network=one":               one,
		"?network=two&kind=accounts": two,
		"?network=three":             {},
	}
	for query, want := range tests {
		t.Run(query, func(t *testing.T) {
			if got := discover(t, e.url+"/sd"+query); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestDiscoverNodes(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 3})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))
	want := map[string]map[string]string{}
	for _, node := range sim.Nodes() {
		for _, endpoint := range node.Endpoints {
			transport := "plaintext"
			if endpoint.TLS {
				transport = "tls"
			}
			want[endpoint.Address] = map[string]string{
				"__meta_hedera_network":          "simulated",
				"__meta_hedera_node_id":          map[int64]string{0: "0", 1: "1", 4: "4"}[node.NodeID],
				"__meta_hedera_node_account_id":  node.AccountID,
				"__meta_hedera_node_description": node.Description,
				"__meta_hedera_node_transport":   transport,
			}
		}
	}
	got := map[string]map[string]string{}
	for _, group := range discover(t, e.url+"/sd?kind=nodes&network=simulated") {
		for _, target := range group.Targets {
			got[target] = group.Labels
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestDiscoveryNeverReturnsNothing: an empty response would make Prometheus drop
// its targets.
func TestDiscoveryNeverReturnsNothing(t *testing.T) {
	faults := map[string]simulator.Fault{
		"unavailable": {Kind: simulator.FaultStatus, Status: 14},
		"hangs":       {Kind: simulator.FaultHang},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testBrokenDiscovery(t, memory, fault) })
		})
	}
}

func testBrokenDiscovery(t *testing.T, memory *memnet.Network, fault simulator.Fault) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
	for _, path := range []string{simulator.GetNodesFault, "/api/v1/network/nodes"} { // the sources of the book
		fault.Path = path
		if _, err := sim.InjectFault(fault); err != nil {
			t.Fatal(err)
		}
		fault.Status = http.StatusServiceUnavailable
	}
	e := newMemoryExporter(t, memory, sim, "--scrape.timeout=2s")
	start := time.Now()
	status, body := e.get(t.Context(), "/sd?kind=nodes", nil)
	if status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "network simulated: ") {
		t.Errorf("status %d: %s; want 503 with the reason", status, body)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	sim.ClearFaults()
	_, body = e.get(t.Context(), "/sd?kind=nodes", nil)
	if got := targetGroups(t, body); len(got) != len(sim.Nodes()[0].Endpoints) {
		t.Errorf("afterwards there are %d endpoints", len(got))
	}
}

func TestDiscoveryOfAnEmptyBook(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	if err := sim.RemoveNode(0); err != nil {
		t.Fatal(err)
	}
	for source, config := range map[string]string{
		"gRPC": string(sim.ExporterConfig()),
		"REST": "networks: {simulated: {mirror: {url: " + sim.URL() + "}}}",
	} {
		t.Run(source, func(t *testing.T) {
			e := startExporter(t, writeFile(t, "c.yml", config))
			status, body := get(t, e.url+"/sd?kind=nodes", nil)
			if status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "network simulated: ") {
				t.Errorf("status %d: %s; want 503 with the reason", status, body)
			}
		})
	}
}

func TestDiscoveryRefuses(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))
	tests := []struct {
		method, query string
		status        int
		body          string
	}{
		{"GET", "?network=mainnet", 400, "configured are: simulated"},
		{"GET", "?kind=tokens", 400, `"tokens"`},
		{"GET", "?kind=%zz", 400, "%zz"},
		{"POST", "", 405, ""},
	}
	for _, test := range tests {
		t.Run(test.method+test.query, func(t *testing.T) {
			if status, body := request(t, test.method, e.url+"/sd"+test.query, nil); status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("status %d, body %s; want %d with %q", status, body, test.status, test.body)
			}
		})
	}
}

// TestDiscoveryDoesNotQuoteTheMirror has a mirror repeat the credentials that it
// was sent: clients of /sd must not see them.
func TestDiscoveryDoesNotQuoteTheMirror(t *testing.T) {
	token := writeFile(t, "token", "s3cret")
	for _, status := range []int{400, 407, 429, 500} {
		memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
			mirror := startMirror(t, memory, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"_status":{"messages":[{"message":"you sent %s"}]}}`, r.Header.Get("Authorization"))
			})
			config := writeFile(t, "c.yml", `networks: {n: {mirror: {url: "`+mirror+`", http_client: {authorization: {credentials_file: "`+token+`"}}}}}`)
			e := startInMemory(t, memory, "--config.file="+config, "--scrape.timeout=1s")
			for _, path := range []string{"/sd?kind=nodes", "/probe?network=n&target=0.0.98"} {
				_, body := e.get(t.Context(), path, nil)
				if strings.Contains(body, "s3cret") || strings.Contains(body, "you sent") {
					t.Errorf("%s with status %d: %s", path, status, body)
				}
			}
		})
	}
}
