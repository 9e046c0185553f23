// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/mirror/mirrortest"
	"hedera_exporter/internal/simulator"
)

const mirrorTestdata = "../internal/mirror/testdata"

// through is a network whose mirror is asked through a proxy, which tells of
// every request.
func through(t *testing.T, sim *simulator.Simulator, network Network, asked func(*http.Request)) Network {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(parseURL(t, sim.URL()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked(r)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	network.Mirror.Close()
	network.Mirror = clientOf(t, server.URL)
	return network
}

func clientOf(t *testing.T, server string) *mirror.Client {
	t.Helper()
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: parseURL(t, server)})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestEveryRequestIsAllowed compares all requests of the exporter with the
// parameters and operators of the mirror's OpenAPI.
func TestEveryRequestIsAllowed(t *testing.T) {
	routes := mirrortest.Routes(t, mirrorTestdata)
	for name, settings := range map[string]simulator.MirrorSettings{
		"public mirror":      {},
		"mirror with limits": {MaxLimit: 3, MaxRepeated: 2, HostInLinks: true, OpenRange: true},
	} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 5, Accounts: 10})
			if err := sim.Update(func(l *simulator.Ledger) error { return l.SetMirror(settings) }); err != nil {
				t.Fatal(err)
			}
			for i := range listedTokens + 1 {
				id := "0.0." + itoa(7001+i)
				addTokens(t, sim, simulator.Token{ID: id, TreasuryAccountID: ptr("0.0.1001")})
				setTokenBalance(t, sim, id, "0.0.1001", 1)
				setTokenBalance(t, sim, id, "0.0.1003", 1)
			}
			var mu sync.Mutex
			used := map[string]bool{}
			network := through(t, sim, everythingOn(t, nil, sim, NewSelf(prometheus.NewRegistry())), func(r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				route, ok := mirrortest.FindRoute(routes, r.URL.Path)
				if !ok {
					t.Errorf("GET %s is no route of the mirror", r.URL.Path)
					return
				}
				used[route.Path] = true
				if err := route.Check(r.URL.Query()); err != nil {
					t.Errorf("GET %s: %v", r.URL, err)
				}
			})
			set := setOn(t, network)
			scrapeText(t, set, testDeadline)
			for range 5 {
				addBlockWith(sim, 3, 1)
			}
			addHistory(t, sim)
			scrapeText(t, set, testDeadline)
			network.Probe(t.Context(), []Target{{Text: "0.0.98", ID: mustID("0.0.98")}, {Text: "0x00000000000000000000000000000000000003e9"}})
			for _, path := range []string{
				"/api/v1/accounts", "/api/v1/accounts/{id}", "/api/v1/accounts/{id}/tokens", "/api/v1/accounts/{id}/allowances/crypto",
				"/api/v1/accounts/{id}/allowances/tokens", "/api/v1/accounts/{id}/allowances/nfts", "/api/v1/balances", "/api/v1/blocks", "/api/v1/contracts",
				"/api/v1/network/exchangerate", "/api/v1/network/fees", "/api/v1/network/nodes", "/api/v1/network/registered-nodes",
				"/api/v1/network/stake", "/api/v1/network/supply", "/api/v1/schedules", "/api/v1/tokens/{id}", "/api/v1/topics/{id}",
				"/api/v1/topics/{id}/messages", "/api/v1/transactions",
			} {
				if !used[path] {
					t.Errorf("the exporter did not ask for %s", path)
				}
			}
		})
	}
}

func parseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
