// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

func otherMirror(t *testing.T, dial consensus.DialContextFunc, name, base string) OtherMirror {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: u, MaxAttempts: 1, DialContext: promconfig.DialContextFunc(dial)})
	if err != nil {
		t.Fatal(err)
	}
	return OtherMirror{Name: name, Client: client}
}

// TestOtherMirrors has one that is ahead, and one that has no block yet.
func TestOtherMirrors(t *testing.T) { memnet.Test(t, testOtherMirrors) }

func testOtherMirrors(t *testing.T, memory *memnet.Network) {
	options := simulator.Options{Nodes: 1, Listen: memory.Listen, Now: func() time.Time { return time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC) }}
	sim, ahead, starting := startSimulator(t, options), startSimulator(t, options), startSimulator(t, options)
	var newest simulator.Block
	for range 15 {
		newest = addBlock(ahead)
	}
	if err := starting.Update(func(l *simulator.Ledger) error { return l.SetMirror(simulator.MirrorSettings{Starting: true}) }); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	network := networkOver(t, memory.DialContext, sim, NewSelf(registry))
	network.MirrorGRPC = nil
	network.OtherMirrors = []OtherMirror{otherMirror(t, memory.DialContext, "ahead", ahead.URL()), otherMirror(t, memory.DialContext, "starting", starting.URL())}
	wantOnly(
		t, scrapeText(t, setOn(t, network, "mirror"), testDeadline), "mirror",
		`hedera_mirror_up{network="simulated"} 1`,
		`hedera_mirror_starting{network="simulated"} 0`,
		`hedera_mirror_older_answers_total{network="simulated",route="/api/v1/blocks"} 0`,
		`hedera_mirror_latest_block_timestamp_seconds{network="simulated"} 1.7935344e+09`,
		`hedera_mirror_other_up{mirror="ahead",network="simulated"} 1`,
		`hedera_mirror_other_latest_block_number{mirror="ahead",network="simulated"} `+strconv.FormatFloat(float64(newest.Number), 'g', -1, 64),
		`hedera_mirror_other_latest_block_timestamp_seconds{mirror="ahead",network="simulated"} 1.79353443e+09`,
		`hedera_mirror_other_up{mirror="starting",network="simulated"} 1`,
	)
	// What other mirrors answer is not in the metrics of the network's own.
	wantLines(t, samplesOf(gather(t, registry)), `hedera_mirror_requests_total{code="200",network="simulated",route="/api/v1/blocks"} 1`)
}

// TestDeadOtherMirror has each fault at another mirror: it is a sample of that one,
// and neither costs nor delays any other.
func TestDeadOtherMirror(t *testing.T) {
	for name, fault := range faultsAt(blocksPath) {
		t.Run(name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
				dead := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
				if _, err := dead.InjectFault(fault); err != nil {
					t.Fatal(err)
				}
				network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
				network.OtherMirrors = []OtherMirror{
					otherMirror(t, memory.DialContext, "dead", dead.URL()), otherMirror(t, memory.DialContext, "alive", sim.URL()),
				}
				start := time.Now()
				body := scrapeText(t, setOn(t, network, "mirror"), time.Minute)
				if took := time.Since(start); took > asideTime+100*time.Millisecond {
					t.Errorf("the scrape took %s", took)
				}
				limited := fault.Status == http.StatusTooManyRequests
				wantLines(t, body, successLine("mirror", !limited), `hedera_mirror_up{network="simulated"} 1`, `hedera_mirror_grpc_up{network="simulated"} 1`,
					`hedera_mirror_other_up{mirror="alive",network="simulated"} 1`)
				if limited { // it may be well, nobody knows
					wantNone(t, body, `hedera_mirror_other`, `"dead"`)
					return
				}
				wantNone(t, body, "hedera_mirror_other_latest", `"dead"`)
				wantLines(t, body, `hedera_mirror_other_up{mirror="dead",network="simulated"} 0`)
			})
		})
	}
}

func web3Network(t *testing.T, memory *memnet.Network) (*simulator.Simulator, Network) {
	t.Helper()
	sim := startSimulator(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
	network.MirrorWeb3 = true
	return sim, network
}

func TestWeb3(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim, network := web3Network(t, memory)
		set := setOn(t, network, "mirror")
		body := scrapeCosting(t, sim, set, map[string]int{"GET /api/v1/blocks": 1, "POST /api/v1/contracts/call": 1, "grpc getNodes": 1})
		wantLines(t, body, `hedera_mirror_web3_up{network="simulated"} 1`, routeLine(web3Route, true))

		if err := sim.Update(func(l *simulator.Ledger) error {
			return l.SetMirror(simulator.MirrorSettings{Missing: []string{"contracts-call"}})
		}); err != nil {
			t.Fatal(err)
		}
		body = scrapeText(t, set, testDeadline)
		wantLines(t, body, successLine("mirror", true), routeLine(web3Route, false))
		wantNone(t, body, "hedera_mirror_web3_up")

		network.MirrorWeb3 = false
		wantNone(t, scrapeCosting(t, sim, setOn(t, network, "mirror"), map[string]int{"GET /api/v1/blocks": 1, "grpc getNodes": 1}), web3Route)
	})
}

// TestDeadWeb3 has the EVM fail in each way. What else the mirror has is not
// affected, and not delayed for long.
func TestDeadWeb3(t *testing.T) {
	for name, fault := range faultsAt("/api/v1/contracts/call") {
		t.Run(name, func(t *testing.T) {
			memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
				sim, network := web3Network(t, memory)
				if _, err := sim.InjectFault(fault); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				body := scrapeText(t, setOn(t, network, "mirror"), time.Minute)
				if took := time.Since(start); took > asideTime+100*time.Millisecond {
					t.Errorf("the scrape took %s", took)
				}
				wantLines(t, body, `hedera_mirror_up{network="simulated"} 1`, `hedera_mirror_grpc_up{network="simulated"} 1`)
				switch fault.Status {
				case http.StatusTooManyRequests:
					wantLines(t, body, successLine("mirror", false))
					wantNone(t, body, "hedera_mirror_web3_up")
				case http.StatusNotFound:
					wantLines(t, body, successLine("mirror", true), routeLine(web3Route, false))
					wantNone(t, body, "hedera_mirror_web3_up")
				default:
					wantLines(t, body, successLine("mirror", true), routeLine(web3Route, true), `hedera_mirror_web3_up{network="simulated"} 0`)
				}
			})
		})
	}
}
