// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/simulator"
)

// start runs the canary until the function that it returns is called, which
// waits for its end.
func (t *canaryTest) start() (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.canary.Run(ctx)
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

func submitFault(kind string) simulator.Fault {
	return simulator.Fault{Path: simulator.SubmitFault, Kind: kind}
}

// TestCanaryResults has each result produced by its fault. The fee is what is
// known of it at the end of the run: nothing where the node has refused the
// transaction, its maximum where nobody knows.
func TestCanaryResults(t *testing.T) {
	const none, charged, unknown = "none", "charged", "unknown"
	precheck := func(code string) func(*canaryTest) {
		return func(t *canaryTest) {
			t.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultPrecheck, Code: code})
		}
	}
	inject := func(fault simulator.Fault) func(*canaryTest) { return func(t *canaryTest) { t.inject(fault) } }
	for name, tc := range map[string]struct {
		topic   string
		fault   func(t *canaryTest)
		result  string
		fee     string
		reached string
	}{
		"success":            {"", func(*canaryTest) {}, "SUCCESS", charged, "precheck receipt mirror_rest"},
		"busy":               {"", precheck("BUSY"), "BUSY", none, ""},
		"not active":         {"", precheck("PLATFORM_NOT_ACTIVE"), "PLATFORM_NOT_ACTIVE", none, ""},
		"other node":         {"", precheck("INVALID_NODE_ACCOUNT"), "INVALID_NODE_ACCOUNT", none, ""},
		"lost":               {"", inject(submitFault(simulator.FaultLost)), "timeout", unknown, "precheck"},
		"no answer":          {"", inject(submitFault(simulator.FaultUnanswered)), "timeout", unknown, ""},
		"no receipt":         {"", inject(submitFault(simulator.FaultNoReceipt)), "timeout", unknown, "precheck"},
		"broken call":        {"", inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultStatus, Status: int(codes.Unavailable)}), "unreachable", unknown, ""},
		"failed":             {emptyTopic, inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultFail, Code: "INVALID_TOPIC_ID"}), "INVALID_TOPIC_ID", unknown, "precheck"},
		"invisible on REST":  {emptyTopic, inject(submitFault(simulator.FaultInvisibleREST)), "SUCCESS", unknown, "precheck receipt mirror_grpc"},
		"invisible on gRPC":  {emptyTopic, inject(submitFault(simulator.FaultInvisibleGRPC)), "SUCCESS", charged, "precheck receipt mirror_rest"},
		"stopped node":       {"", func(t *canaryTest) { t.must(t.sim.StopNode(0)) }, "unreachable", none, ""},
		"other certificate":  {"", func(t *canaryTest) { t.must(t.sim.SwapCertificate(0)) }, "certificate_mismatch", none, ""},
		"stream that stalls": {emptyTopic, inject(simulator.Fault{Path: simulator.TopicMessageFault, Kind: simulator.FaultHang}), "SUCCESS", charged, "precheck receipt mirror_rest"},
	} {
		t.Run(name, func(t *testing.T) {
			withCanary(t, tc.topic, func(t *canaryTest) {
				if _, err := t.network.AddressBook.Nodes(t.Context()); err != nil {
					t.Fatal(err)
				}
				t.canary.options.AddressBook.maxAge = time.Hour // the book is from before the fault
				tc.fault(t)
				r := t.canary.Once(t.Context())
				var reached []string
				for _, stage := range r.Stages {
					if stage.Reached {
						reached = append(reached, stage.Name)
					}
				}
				if got := strings.Join(reached, " "); r.Result != tc.result || got != tc.reached {
					t.Errorf("got %s with %q, %v; want %s with %q", r.Result, got, r.Err, tc.result, tc.reached)
				}
				fee := map[string]int64{none: 0, unknown: r.MaxFee, charged: transferFee}[tc.fee]
				if tc.fee == charged && tc.topic != "" {
					fee = messageFee
				}
				if r.SpentTinybar != fee {
					t.Errorf("%d tinybar are spent, want %d", r.SpentTinybar, fee)
				}
				wantLines(t.T, t.scrape(), `hedera_canary_transactions_total{network="simulated",node_id="0",result="`+tc.result+`"} 1`)
			})
		})
	}
}

func (t *canaryTest) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCanaryPauses has each pause begin for its reason, and end without it.
func TestCanaryPauses(t *testing.T) {
	fees := simulator.FeeSchedule{
		NodeBase: 100_000, Signature: 100_000, ProcessingByte: 10_000, NetworkMultiplier: 9,
		Account: 1_000_000, SubmitMessage: 7_000_000, MessageByte: 6_800,
	}
	dear := fees
	dear.NodeBase *= 3
	dearMessage := fees
	dearMessage.SubmitMessage *= 3
	balance := func(tinybar int64) func(*canaryTest) {
		return func(t *canaryTest) {
			t.update(func(l *simulator.Ledger) error { return l.SetBalance(canaryPayer, tinybar) })
		}
	}
	setFees := func(schedule simulator.FeeSchedule) func(*canaryTest) {
		return func(t *canaryTest) {
			t.update(func(l *simulator.Ledger) error { return l.SetFees(schedule) })
		}
	}
	var secured atomic.Bool // the nodes
	clearFaults := func(t *canaryTest) { t.sim.ClearFaults() }
	for name, tc := range map[string]struct {
		topic      string
		reason     string
		begin, end func(t *canaryTest)
		within     time.Duration
	}{
		"min_balance": {"", pauseMinBalance, balance(5_00000000), balance(6_00000000), 3 * time.Minute},
		"balance":     {"", pausePayerBalance, balance(transferFee), balance(6_00000000), 3 * time.Minute},
		"fee":         {"", pauseFee, setFees(dear), setFees(fees), 65 * time.Minute},
		"fee at consensus": {
			emptyTopic, pauseFee, setFees(dearMessage), setFees(fees), 70 * time.Minute,
		},
		"clock": {"", pauseStart, func(t *canaryTest) {
			t.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultPrecheck, Code: pauseStart})
		}, clearFaults, 13 * time.Minute},
		"mirror": {"", pauseUnknownSpent, func(t *canaryTest) {
			t.inject(simulator.Fault{Path: "/api/v1/transactions", Kind: simulator.FaultStatus, Status: 500})
		}, clearFaults, 3 * time.Minute},
		"nodes": {"", pauseNode, func(t *canaryTest) {
			plain := StaticBook([]consensus.Node{{ID: 0, AccountID: "0.0.3", Endpoints: []consensus.Endpoint{{Address: "127.0.0.1:1"}}}})
			t.canary.options.AddressBook = NewAddressBook(func(ctx context.Context) (*consensus.Book, error) {
				if secured.Load() {
					return t.network.AddressBook.source(ctx)
				}
				return plain(ctx)
			}, 0)
		}, func(*canaryTest) { secured.Store(true) }, 3 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			withCanary(t, tc.topic, func(t *canaryTest) {
				if tc.reason == pauseMinBalance {
					t.canary.options.Config.MinBalance.Units = 5_00000000
				}
				tc.begin(t)
				t.start()
				time.Sleep(8 * time.Minute)
				wantLines(t.T, t.scrape(), `hedera_canary_paused{network="simulated",reason="`+tc.reason+`"} 1`)
				before := t.sim.Requests()
				time.Sleep(2 * time.Minute)
				for _, call := range []string{"grpc cryptoTransfer", "grpc submitMessage"} {
					if n := t.sim.Requests()[call] - before[call]; n > 0 && tc.reason != pauseStart {
						t.Errorf("%d transactions in a pause", n)
					}
				}
				tc.end(t)
				time.Sleep(tc.within)
				text := t.scrape()
				wantNone(t.T, text, "hedera_canary_paused", "} 1")
				if lines := linesWith(text, "hedera_canary_last_success_timestamp_seconds", stageReceipt); len(lines) != 1 {
					t.Error("no transaction after the pause")
				}
			})
		})
	}
}

// TestCanaryBudget has the budget be spent, and the canary go on the next day.
func TestCanaryBudget(t *testing.T) {
	withCanary(t, "", func(t *canaryTest) {
		const budget = 10 * transferFee
		t.canary.options.Config.Budget = config.Amount{Units: budget, Decimals: 8}
		t.start()
		time.Sleep(11*time.Hour + 59*time.Minute) // it is noon
		today := t.sim.AccountTotals(canaryPayer).Fees
		if today > budget || today < budget/2 {
			t.Errorf("%d of %d tinybar are spent", today, budget)
		}
		wantLines(t.T, t.scrape(), `hedera_canary_paused{network="simulated",reason="budget"} 1`)
		time.Sleep(5 * time.Minute)
		wantNone(t.T, t.scrape(), `reason="budget"} 1`)
		time.Sleep(11 * time.Hour)
		if tomorrow := t.sim.AccountTotals(canaryPayer).Fees - today; tomorrow > budget || tomorrow < budget/2 {
			t.Errorf("%d of %d tinybar are spent the next day", tomorrow, budget)
		}
	})
}

// TestCanaryStages checks durations against the delays that are injected.
func TestCanaryStages(t *testing.T) {
	withCanary(t, emptyTopic, func(t *canaryTest) {
		const answer, consensus, mirror = 4 * time.Second, 10 * time.Second, 8 * time.Second
		t.update(func(l *simulator.Ledger) error { return l.SetDelays(consensus, mirror) })
		t.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultLatency, Latency: answer})
		r := t.canary.Once(t.Context())
		for _, want := range []struct {
			stage       string
			least, most time.Duration // of polling
		}{
			{stagePrecheck, answer, answer},
			{stageReceipt, answer + consensus, answer + consensus + laterReceiptInterval},
			{stageMirrorREST, answer + consensus + mirror, answer + consensus + mirror + mirrorInterval},
			{stageMirrorGRPC, answer + consensus + mirror, answer + consensus + mirror},
		} {
			took := r.stage(want.stage).Took
			if ratio, most := took.Seconds()/want.least.Seconds(), want.most.Seconds()/want.least.Seconds(); ratio < 1 || ratio > 1.05*most {
				t.Errorf("%s took %s, %.2f of the delay, want 1 to %.2f of it", want.stage, took, ratio, most)
			}
		}
	})
}

// TestCanarySurvives has what is asked fail at each stage: it costs that run, and
// the ones after it are whole.
func TestCanarySurvives(t *testing.T) {
	node := func(t *canaryTest) (kill, mend func()) {
		return func() {
				t.must(t.sim.StopNode(0))
				t.must(t.sim.StopNode(1))
			}, func() {
				t.must(t.sim.StartNode(0))
				t.must(t.sim.StartNode(1))
			}
	}
	hang := func(path string) func(t *canaryTest) (kill, mend func()) {
		return func(t *canaryTest) (kill, mend func()) {
			return func() { t.inject(simulator.Fault{Path: path, Kind: simulator.FaultHang}) }, func() { t.sim.ClearFaults() }
		}
	}
	reset := func(path string) func(t *canaryTest) (kill, mend func()) {
		return func(t *canaryTest) (kill, mend func()) {
			return func() { t.inject(simulator.Fault{Path: path, Kind: simulator.FaultReset}) }, func() { t.sim.ClearFaults() }
		}
	}
	for name, kind := range map[string]func(t *canaryTest) (kill, mend func()){
		"node": node, "mirror": hang("/api/v1/"), "stream": reset(simulator.TopicMessageFault), "stalled stream": hang(simulator.TopicMessageFault),
	} {
		t.Run(name, func(t *testing.T) {
			withCanary(t, emptyTopic, func(t *canaryTest) {
				stop := t.start()
				kill, mend := kind(t)
				time.Sleep(11 * time.Minute)
				for _, after := range []time.Duration{time.Millisecond, time.Second, 3 * time.Second, 6 * time.Second} {
					// The killing begins so long after the next submission.
					time.Sleep(time.Until(t.canary.state.nextRun().Add(after)))
					kill()
					time.Sleep(time.Until(t.canary.state.nextRun().Add(-time.Minute)))
					mend()
					before := t.count(stageMirrorREST)
					time.Sleep(time.Until(t.canary.state.nextRun().Add(90 * time.Second)))
					if n := t.count(stageMirrorREST) - before; n != 1 {
						t.Errorf("killed after %s: %v of the next transaction were seen", after, n)
					}
				}
				if t.count(stageMirrorGRPC) < 4 {
					t.Errorf("%v messages arrived", t.count(stageMirrorGRPC))
				}
				stop()
			})
		})
	}
}

// count is how many transactions have reached a stage.
func (t *canaryTest) count(stage string) (count int) {
	t.Helper()
	lines := linesWith(t.scrape(), "hedera_canary_stage_duration_seconds_count", `stage="`+stage+`"`)
	if len(lines) != 1 {
		t.Fatalf("got %q", lines)
	}
	_, value, _ := strings.Cut(lines[0], "} ")
	for _, digit := range value {
		count = 10*count + int(digit-'0')
	}
	return count
}

// TestCanaryStreamGap has the subscription leave out a message, also when it is
// opened again because of that.
func TestCanaryStreamGap(t *testing.T) {
	withCanary(t, emptyTopic, func(t *canaryTest) {
		t.start()
		time.Sleep(6 * time.Minute)
		t.inject(simulator.Fault{Path: simulator.TopicMessageFault, Kind: simulator.FaultDrop, Count: 2})
		time.Sleep(15 * time.Minute)
		wantLines(t.T, t.scrape(), `hedera_canary_stream_gaps_total{network="simulated"} 1`)
	})
}
