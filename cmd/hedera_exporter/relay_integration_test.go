//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const relayExamples = "../../deploy/prometheus/"

// startRelay answers JSON-RPC as a relay does, for a chain. Failing is a status, or
// 200 for a JSON-RPC error.
func startRelay(t *testing.T, chain string, failing int) string {
	t.Helper()
	results := map[string]string{"eth_chainId": chain, "eth_blockNumber": "0x5f5e100"}
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Version string `json:"jsonrpc"`
			ID      *int
			Method  string
		}
		err := json.NewDecoder(r.Body).Decode(&call)
		result, known := results[call.Method]
		switch {
		case err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || call.Version != "2.0" || call.ID == nil || !known:
			w.WriteHeader(http.StatusBadRequest)
			t.Errorf("%s %v: %+v, %v", r.Method, r.Header, call, err)
		case failing == http.StatusOK:
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%d,"error":{"code":-32000,"message":"mirror node is down"}}`, *call.ID)
		case failing != 0:
			http.Error(w, result, failing)
		default:
			fmt.Fprintf(w, `{"result":%q,"jsonrpc":"2.0","id":%d}`, result, *call.ID)
		}
	}))
	t.Cleanup(relay.Close)
	return relay.URL
}

// TestRelays has a real blackbox_exporter probe relays with the shipped modules,
// for a real Prometheus with the shipped scrape configurations and rules.
func TestRelays(t *testing.T) {
	blackbox := startProcess(t, program(t, "BLACKBOX_EXPORTER"), "--config.file="+relayExamples+"blackbox-relay.yml", "--web.listen-address=127.0.0.1:0")
	address := strings.TrimPrefix(blackbox.address(t), "http://")
	example, err := os.ReadFile(relayExamples + "prometheus-relay.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs(relayExamples + "relay.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		mainnet      string
		chain, block float64 // probe_success
		alert        string  // that is pending
	}{
		"well":          {startRelay(t, "0x127", 0), 1, 1, ""},
		"other chain":   {startRelay(t, "0x128", 0), 0, 1, "HederaRelayWrongChain"},
		"longer number": {startRelay(t, "0x1270", 0), 0, 1, "HederaRelayWrongChain"},
		"JSON error":    {startRelay(t, "0x127", http.StatusOK), 0, 0, "HederaRelayDown"},
		"down":          {startRelay(t, "0x127", http.StatusServiceUnavailable), 0, 0, "HederaRelayDown"},
	} {
		t.Run(name, func(t *testing.T) {
			testnet := startRelay(t, "0x128", 0)
			config := replaced(t, string(example), "https://mainnet.hashio.io/api", test.mainnet, 2)
			config = replaced(t, config, "https://testnet.hashio.io/api", testnet, 2)
			config = replaced(t, config, `"localhost:9115"`, address, 1)
			config = replaced(t, config, "relay.rules.yml]", rules+"]", 1)
			config = replaced(t, config, "scrape_interval: 30s\n  scrape_timeout: 10s", "scrape_interval: 3s\n  scrape_timeout: 3s\n  evaluation_interval: 1s", 1)
			prometheus := startPrometheusOn(t, config)
			for selector, want := range map[string]float64{
				`network="mainnet",method="eth_chainId",job="hedera_relay_chain"`:     test.chain,
				`network="mainnet",method="eth_blockNumber",job="hedera_relay_block"`: test.block,
				`network="testnet",method="eth_chainId",job="hedera_relay_chain"`:     1,
				`network="testnet",method="eth_blockNumber",job="hedera_relay_block"`: 1,
			} {
				expr := `probe_success{relay="hashio",` + selector + `}`
				// A busy machine may be late for a probe.
				awaitTrue(t, fmt.Sprintf("%s is %g", expr, want), func() bool {
					got := query(t, prometheus, expr)
					return len(got) == 1 && got[0].value(t) == want && strings.HasPrefix(got[0].Metric["instance"], "http://")
				})
			}
			if test.alert != "" {
				awaitTrue(t, test.alert+" is pending", func() bool {
					return len(query(t, prometheus, `ALERTS{alertname="`+test.alert+`",alertstate="pending",network="mainnet",relay="hashio"}`)) == 1
				})
			}
			awaitTrue(t, "no other alert is pending", func() bool {
				return len(query(t, prometheus, `ALERTS{alertname!="`+test.alert+`"}`)) == 0
			})
		})
	}
}
