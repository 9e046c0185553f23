// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

const (
	canaryPayer = "0.0.1002" // of the simulator's accounts, with a key of ED25519
	emptyTopic  = "0.0.2450001"

	transferFee = 50_252 // tinybar, of $0.0001
	messageFee  = 402_018
	topicEvery  = 5 * time.Minute
)

// canaryOptions are those of a canary on the network, as cmd/hedera_exporter wires
// it. An empty topic is none.
func canaryOptions(t testing.TB, network Network, sim *simulator.Simulator, dial consensus.DialContextFunc, payer, topic string) CanaryOptions {
	t.Helper()
	key, err := sim.PrivateKey(payer)
	if err != nil {
		t.Fatal(err)
	}
	options := CanaryOptions{
		Network: network.Name, Log: network.Log, State: network.State,
		Mirror: network.Mirror, AddressBook: network.AddressBook, DialContext: dial,
		Config: config.Canary{
			OperatorID: mustID(payer), OperatorKey: config.NewOperatorKey(key),
			Budget: config.Amount{Units: 20_00000000, Decimals: 8}, Interval: model.Duration(time.Minute),
		},
	}
	if topic != "" {
		options.Config.Topic, options.Config.Interval = mustID(topic), model.Duration(topicEvery)
		id, err := hiero.TopicIDFromString(topic)
		if err != nil {
			t.Fatal(err)
		}
		options.Topic = consensus.NewTopicClient(consensus.TopicOptions{Address: sim.GRPCAddress(), Topic: id, DialContext: dial})
	}
	return options
}

// canaryTest is a simulated network in a bubble with a canary that does not run.
type canaryTest struct {
	*testing.T
	memory  *memnet.Network
	sim     *simulator.Simulator
	network Network
	canary  *Canary
}

const (
	consensusDelay = 2 * time.Second
	mirrorDelay    = 3 * time.Second
)

// withCanary runs test with the canary of a network with two nodes. The payer has
// 1,000 hbar, and does nothing else.
func withCanary(t *testing.T, topic string, test func(t *canaryTest)) {
	t.Helper()
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim, err := simulator.Start(simulator.Options{
			Nodes: 2, Accounts: 10, Listen: memory.Listen, ConsensusDelay: consensusDelay, MirrorDelay: mirrorDelay, Static: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := sim.Close(); err != nil {
				t.Error(err)
			}
		})
		ct := &canaryTest{T: t, memory: memory, sim: sim}
		go ct.addBlocks()
		ct.update(func(l *simulator.Ledger) error { return l.SetBalance(canaryPayer, 1000_00000000) })
		ct.network = networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
		t.Cleanup(func() { closeNetwork(ct.network) })
		ct.canary = NewCanary(canaryOptions(t, ct.network, sim, memory.DialContext, canaryPayer, topic))
		test(ct)
	})
}

// addBlocks has the mirror go on. A network that moves by itself has transactions
// of the payer's that are not the canary's.
func (t *canaryTest) addBlocks() {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for range 5 { // of 2 s
				addBlock(t.sim)
			}
		case <-t.Context().Done():
			return
		}
	}
}

func (t *canaryTest) update(change func(*simulator.Ledger) error) {
	t.Helper()
	if err := t.sim.Update(change); err != nil {
		t.Fatal(err)
	}
}

func (t *canaryTest) inject(fault simulator.Fault) {
	t.Helper()
	if _, err := t.sim.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
}

// scrape is what the canary's collector shows.
func (t *canaryTest) scrape() string {
	t.Helper()
	t.network.Canary = t.canary
	set, err := NewSet([]Network{t.network}, Options{Enabled: func(name string) bool { return name == canaryName }}, t.network.Log)
	if err != nil {
		t.Fatal(err)
	}
	return scrapeText(t, set, testDeadline)
}

func TestCanaryTransfer(t *testing.T) {
	withCanary(t, "", func(t *canaryTest) {
		r := t.canary.Once(t.Context())
		if !r.OK() || r.Err != nil || r.Fee == nil || *r.Fee != transferFee || r.SpentTinybar != transferFee {
			t.Fatalf("got %+v", r)
		}
		wantLines(t.T, t.scrape(),
			`hedera_canary_transactions_total{network="simulated",node_id="0",result="SUCCESS"} 1`,
			`hedera_canary_transactions_total{network="simulated",node_id="1",result="SUCCESS"} 0`,
			`hedera_canary_transactions_total{network="simulated",node_id="1",result="timeout"} 0`,
			`hedera_canary_stage_duration_seconds_count{network="simulated",stage="mirror_rest"} 1`,
			`hedera_canary_fees_hbar_total{network="simulated"} 0.00050252`,
			`hedera_canary_budget_hbar{network="simulated"} 20`,
			`hedera_canary_budget_spent_hbar{network="simulated"} 0.00050252`,
			`hedera_canary_paused{network="simulated",reason="budget"} 0`,
		)
		wantNone(t.T, t.scrape(), "mirror_grpc")
	})
}

func TestCanaryMessage(t *testing.T) {
	withCanary(t, emptyTopic, func(t *canaryTest) {
		r := t.canary.Once(t.Context())
		if !r.OK() || r.Err != nil || r.Fee == nil || *r.Fee != messageFee {
			t.Fatalf("got %+v", r)
		}
		wantLines(t.T, t.scrape(),
			`hedera_canary_stage_duration_seconds_count{network="simulated",stage="mirror_grpc"} 1`,
			`hedera_canary_stream_gaps_total{network="simulated"} 0`,
			`hedera_canary_fees_hbar_total{network="simulated"} 0.00402018`,
		)
	})
}

// A node that refuses a transaction charges nothing.
func TestCanaryIsRefused(t *testing.T) {
	withCanary(t, "", func(t *canaryTest) {
		t.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultPrecheck, Code: "BUSY"})
		if r := t.canary.Once(t.Context()); r.Result != "BUSY" || r.SpentTinybar != 0 {
			t.Errorf("got %+v", r)
		}
		wantLines(t.T, t.scrape(),
			`hedera_canary_transactions_total{network="simulated",node_id="0",result="BUSY"} 1`,
			`hedera_canary_budget_spent_hbar{network="simulated"} 0`,
		)
	})
}
