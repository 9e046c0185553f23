// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

const blocksPath = "/api/v1/blocks"

func TestMirror(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 2, Now: func() time.Time {
		return time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)
	}})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry())), "mirror")
	cost := map[string]int{"GET /api/v1/blocks": 1, "grpc getNodes": 1}

	wantOnly(
		t, scrapeCosting(t, sim, set, cost), "mirror",
		`hedera_mirror_up{network="simulated"} 1`,
		`hedera_mirror_grpc_up{network="simulated"} 1`,
		`hedera_mirror_latest_block_timestamp_seconds{network="simulated"} 1.7935344e+09`,
	)
	addBlock(sim)
	wantLines(t, scrapeText(t, set, testDeadline),
		`hedera_mirror_latest_block_timestamp_seconds{network="simulated"} 1.793534402e+09`)
}

// TestDeadMirrorIsASample expects neither the collector to fail nor the mirror's
// other API to be down.
func TestDeadMirrorIsASample(t *testing.T) {
	for path, broken := range map[string]string{blocksPath: "hedera_mirror_up", simulator.GetNodesFault: "hedera_mirror_grpc_up"} {
		for name, fault := range faultsAt(path) {
			t.Run(broken+"/"+name, func(t *testing.T) {
				memnet.Test(t, func(t *testing.T, memory *memnet.Network) { testDeadMirror(t, memory, fault, broken) })
			})
		}
	}
}

func testDeadMirror(t *testing.T, memory *memnet.Network, fault simulator.Fault, broken string) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
	set := setOn(t, networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry())), "mirror")
	if _, err := sim.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, time.Second)
	limited := fault.Status == http.StatusTooManyRequests
	for _, metric := range []string{"hedera_mirror_up", "hedera_mirror_grpc_up"} {
		switch {
		case metric != broken:
			wantLines(t, body, metric+`{network="simulated"} 1`)
		case limited: // it may be well, nobody knows
			wantNone(t, body, metric+"{")
		default:
			wantLines(t, body, metric+`{network="simulated"} 0`)
		}
	}
	wantLines(t, body, successLine("mirror", !limited))
	if shown := len(linesWith(body, "hedera_mirror_latest_block")) > 0; shown != (fault.Path != blocksPath) {
		t.Errorf("latest block shown: %v", shown)
	}
}

// TestLimitedRouteIsNoDeadMirror has another route answer 429 and ask for a pause
// that is longer than the scrape, and one that is shorter.
func TestLimitedRouteIsNoDeadMirror(t *testing.T) {
	for pause, known := range map[string]bool{"60": false, "1": true} {
		t.Run(pause, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
				network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
				if _, err := sim.InjectFault(simulator.Fault{Kind: simulator.FaultStatus, Path: nodesPath, Status: 429, RetryAfter: pause}); err != nil {
					t.Fatal(err)
				}
				scrapeText(t, setOn(t, network, "address_book"), testDeadline)
				body := scrapeText(t, setOn(t, network, "mirror"), faultDeadline)
				wantLines(t, body, successLine("mirror", known), `hedera_mirror_grpc_up{network="simulated"} 1`)
				if known {
					wantLines(t, body, `hedera_mirror_up{network="simulated"} 1`)
				} else {
					wantNone(t, body, "hedera_mirror_up{")
				}
			})
		})
	}
}

func TestMirrorWithoutGRPCAndNulls(t *testing.T) {
	network := answering(t, map[string]string{
		blocksPath: `{"blocks":[{"number":1,"count":0,"gas_used":null,"hapi_version":null,"size":null,
			"timestamp":{"from":"1.000000000","to":null}}],"links":{"next":null}}`,
	})
	wantOnly(t, scrapeText(t, setOn(t, network, "mirror"), testDeadline), "mirror",
		`hedera_mirror_up{network="simulated"} 1`)
}
