// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

// answering is a network whose mirror gives each URL its body, and 404 to any
// other: for answers that the simulator does not give.
func answering(t *testing.T, bodies map[string]string) Network {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[r.URL.RequestURI()]
		if !ok {
			body, ok = bodies[r.URL.Path]
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: base})
	if err != nil {
		t.Fatal(err)
	}
	network := withoutMirror()
	network.Mirror = client
	return network
}

func withoutMirror() Network {
	return Network{
		Name:        "simulated",
		Log:         log.NewNopLogger(),
		State:       NewState(),
		AddressBook: NewAddressBook(StaticBook(nil), 0),
		Prober:      consensus.NewProber(consensus.ProberOptions{}),
	}
}

// scrapeCosting is one scrape, of which it checks how many requests it sent to
// which routes.
func scrapeCosting(t *testing.T, sim *simulator.Simulator, set *Set, want map[string]int) string {
	t.Helper()
	sim.ResetRequests()
	body := scrapeText(t, set, testDeadline)
	if got := sim.Requests(); !maps.Equal(got, want) {
		t.Errorf("requests %v, want %v", got, want)
	}
	return body
}

// wantOnly checks that body has these samples and no other of the collector's
// families.
func wantOnly(t *testing.T, body, collector string, lines ...string) {
	t.Helper()
	wantLines(t, body, append(lines, successLine(collector, true))...)
	wanted := map[string]bool{}
	for _, line := range lines {
		wanted[line] = true
	}
	for _, m := range Metrics() {
		if m.Collector != collector {
			continue
		}
		for _, line := range linesWith(body, m.Name+"{") {
			if !wanted[line] {
				t.Errorf("unexpected: %s", line)
			}
		}
	}
}

// TestCollectorsWithNothingToReadSendNothing is about networks without a mirror
// and about mirrors of which nothing is watched.
func TestCollectorsWithNothingToReadSendNothing(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 2})
	watchless := networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.1001", "a"))
	for _, name := range []string{"tokens", "allowances", "topics", "contracts", "schedules"} {
		body := scrapeCosting(t, sim, setOn(t, watchless, name), map[string]int{})
		wantOnly(t, body, name)
	}
	for _, name := range []string{"mirror", "network", "tokens", "allowances", "topics", "contracts", "schedules"} {
		network := withoutMirror()
		network.Accounts = []config.Account{{Name: "a", AllTokens: true, Allowances: true}}
		network.Tokens = []config.Entity{entity("0.0.1", "a")}
		network.Topics, network.Contracts, network.ScheduleCreators = topicsOf(network.Tokens), contractsOf(network.Tokens), creatorsOf(network.Tokens)
		wantOnly(t, scrapeText(t, setOn(t, network, name), testDeadline), name)
	}
}
