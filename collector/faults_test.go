// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

const (
	accountsPath = "/api/v1/accounts"
	nodesPath    = "/api/v1/network/nodes"
	// faultDeadline leaves the other collectors time for the pause that a 429
	// with Retry-After: 1 means for all requests.
	faultDeadline = 4 * time.Second
)

// faultsAt are the ways in which an upstream can fail at path.
func faultsAt(path string) map[string]simulator.Fault {
	faults := map[string]simulator.Fault{
		"hang":    {Kind: simulator.FaultHang},
		"reset":   {Kind: simulator.FaultReset},
		"garbage": {Kind: simulator.FaultGarbage},
		"slow":    {Kind: simulator.FaultLatency, Latency: time.Hour},
	}
	if path == simulator.GetNodesFault {
		faults["unavailable"] = simulator.Fault{Kind: simulator.FaultStatus, Status: int(codes.Unavailable)}
	} else {
		faults["truncated"] = simulator.Fault{Kind: simulator.FaultTruncate}
		faults["HTML 502"] = simulator.Fault{Kind: simulator.FaultHTML502}
		faults["429"] = simulator.Fault{Kind: simulator.FaultStatus, Status: 429}
		faults["429 with Retry-After"] = simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "1"}
		faults["500"] = simulator.Fault{Kind: simulator.FaultStatus, Status: 500}
		faults["503"] = simulator.Fault{Kind: simulator.FaultStatus, Status: 503}
		faults["404"] = simulator.Fault{Kind: simulator.FaultStatus, Status: 404}
	}
	for name, fault := range faults {
		fault.Path = path
		faults[name] = fault
	}
	return faults
}

// collectorFamilies are the beginnings of each collector's series.
var collectorFamilies = map[string][]string{
	"accounts":     {"hedera_account_balance_hbar{", "hedera_account_exists{", "hedera_account_info{"},
	"blocks":       {"hedera_block_number{", "hedera_network_transactions_total{"},
	"transactions": {"hedera_transactions_backlog_seconds{", "hedera_account_transferred_hbar_total{"},
	"address_book": {"hedera_node_stake"}, // the book itself has two sources
	"node_probe":   {"hedera_node_endpoint_"},
}

// TestFaultCostsItsCollectorOnly injects each fault at each upstream that a
// collector depends on and looks at all the others.
func TestFaultCostsItsCollectorOnly(t *testing.T) {
	dependents := map[string]string{
		accountsPath:           "accounts",
		"/api/v1/blocks":       "blocks",
		"/api/v1/transactions": "transactions",
		nodesPath:              "address_book",
	}
	for path, broken := range dependents {
		for name, fault := range faultsAt(path) {
			t.Run(broken+"/"+path+"/"+name, func(t *testing.T) {
				t.Parallel()
				memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testFault(t, memory, fault, broken) })
			})
		}
	}
}

func testFault(t *testing.T, memory *memnet.Network, fault simulator.Fault, broken string) {
	sim := startSimulator(t, simulator.Options{Nodes: 3, Accounts: 1, Listen: memory.Listen})
	watched := account("0.0.1001", "a")
	watched.Transactions = true
	set := setOn(t, networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()), watched))
	scrapeText(t, set, testDeadline) // so that a value is there to go stale
	if _, err := sim.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, faultDeadline)
	for name, prefixes := range collectorFamilies {
		success := name != broken
		wantLines(t, body, successLine(name, success))
		for _, prefix := range prefixes {
			if shown := len(linesWith(body, prefix)) > 0; shown != success {
				t.Errorf("samples of %s...: %v", prefix, shown)
			}
		}
	}
	if down := downEndpoints(body); len(down) > 0 {
		t.Errorf("down: %v, but only %s is broken", down, fault.Path)
	}

	sim.ClearFaults()
	body = scrapeText(t, set, testDeadline)
	for name := range collectorFamilies {
		wantLines(t, body, successLine(name, true))
	}
}

func successLine(collector string, success bool) string {
	return fmt.Sprintf(`hedera_scrape_collector_success{collector="%s",network="simulated"} %v`, collector, boolValue(success))
}

// TestScrapesWithFaultsLeaveNothingBehind is the leak test of issue 2: goleak
// looks while the exporter's set and its connections are closed.
func TestScrapesWithFaultsLeaveNothingBehind(t *testing.T) {
	memnet.Test(t, testScrapesWithFaults)
}

func testScrapesWithFaults(t *testing.T, memory *memnet.Network) {
	sim := startSimulator(t, simulator.Options{Nodes: 2, Accounts: 150, Listen: memory.Listen})
	watched := []config.Account{}
	for i := range 150 {
		watched = append(watched, account("0.0."+itoa(1001+i), itoa(i)))
	}
	before := goleak.IgnoreCurrent()
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()), watched...)
	set := setOn(t, network)

	faults := []simulator.Fault{}
	for _, path := range []string{accountsPath, nodesPath, simulator.GetNodesFault} {
		for _, fault := range faultsAt(path) {
			faults = append(faults, fault)
		}
	}
	const scrapes = 200
	for i := range scrapes {
		if i%2 == 1 {
			if _, err := sim.InjectFault(faults[i/2%len(faults)]); err != nil {
				t.Fatal(err)
			}
		}
		scrapeText(t, set, 100*time.Millisecond)
		sim.ClearFaults()
	}
	closeNetwork(network)
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
