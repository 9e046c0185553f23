// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/simulator"
)

func feeUSDLine(transactionType, usd string) string {
	return fmt.Sprintf(`hedera_network_fee_usd{network="simulated",transaction_type="%s"} %s`, transactionType, usd)
}

// TestNetworkFees has a scrape for every two fees, and then none for an hour.
func TestNetworkFees(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network")
	var body string
	for scrape, requests := range []int{2, 2, 1, 0} {
		sim.ResetRequests()
		body = scrapeText(t, set, testDeadline)
		if sent := sim.Requests()[feesRoute]; sent != requests {
			t.Errorf("scrape %d: %d requests, want %d", scrape, sent, requests)
		}
	}
	wantLines(
		t, body, successLine("network", true), routeLine(feesRoute, true),
		feeUSDLine("ConsensusSubmitMessage", "0.0008"), feeUSDLine("CryptoCreate", "0.05"), feeUSDLine("CryptoTransfer", "0.0001"),
		feeUSDLine("TokenAssociateToAccount", "0.05"), feeUSDLine("TokenCreate", "1"),
	)
	if collected := linesWith(body, "hedera_network_fee_collected_timestamp_seconds{"); len(collected) != 5 {
		t.Errorf("the age of %q, want that of 5 fees", collected)
	}
}

// TestNetworkFeesOnOldMirrors expects them to be absent, and nothing to fail.
func TestNetworkFeesOnOldMirrors(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	if err := sim.Update(func(l *simulator.Ledger) error {
		return l.SetMirror(simulator.MirrorSettings{Missing: []string{"fee-estimates"}})
	}); err != nil {
		t.Fatal(err)
	}
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network")
	for range 4 {
		sim.ResetRequests()
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, successLine("network", true), routeLine(feesRoute, false), routeLine(feesPath, true))
		wantNone(t, body, "hedera_network_fee_usd")
	}
	if sent := sim.Requests()[feesRoute]; sent != 0 {
		t.Errorf("%d requests after the answers were known, want none for an hour", sent)
	}
}

func TestFeesThatCannotBeReadCostThemselves(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"500":     {Kind: simulator.FaultStatus, Status: http.StatusInternalServerError},
		"garbage": {Kind: simulator.FaultGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Nodes: 1})
			fault.Path = feesPath // of the prices of gas, too
			if _, err := sim.InjectFault(fault); err != nil {
				t.Fatal(err)
			}
			set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "network")
			body := scrapeText(t, set, faultDeadline)
			wantLines(t, body, successLine("network", false), routeLine(stakePath, true))
			wantNone(t, body, "hedera_network_fee_usd")
			sim.ClearFaults()
			wantLines(t, scrapeText(t, set, testDeadline), successLine("network", true), feeUSDLine("ConsensusSubmitMessage", "0.0008"))
		})
	}
}

// TestFeesAreReadOnceAnHour, and one that cannot be read anew is not shown for
// longer.
func TestFeesAreReadOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var state feeState
		types := usualTransactions()
		shown := func() int {
			ch := make(chan prometheus.Metric, 100)
			state.send(ch, "simulated", time.Now())
			return len(ch)
		}
		if first := state.due(time.Now(), types); len(first) != maxFeeRequests || shown() != 0 {
			t.Fatalf("due %q, shown %d", first, shown())
		}
		for _, name := range state.due(time.Now(), types) {
			state.answered(name, knownFee{asked: time.Now(), usd: 1, known: true})
		}
		if shown() != 2*maxFeeRequests+1 { // with its age, and whether the route is there
			t.Errorf("shown %d", shown())
		}
		time.Sleep(time.Minute)
		for range 2 {
			for _, name := range state.due(time.Now(), types) {
				state.answered(name, knownFee{asked: time.Now(), usd: 1, known: true})
			}
		}
		if due := state.due(time.Now(), types); len(due) != 0 {
			t.Errorf("due %q, want none", due)
		}
		time.Sleep(feeInterval - time.Minute)
		if due := state.due(time.Now(), types); len(due) != maxFeeRequests || shown() != 2*len(types)+1 {
			t.Errorf("due %q, shown %d", due, shown())
		}
		time.Sleep(networkCacheAge + time.Minute)
		if shown() != 0 {
			t.Errorf("shown %d after more than an hour", shown())
		}
	})
}
