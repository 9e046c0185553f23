//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

// canaryProcess is one exporter after another, all with the same payer.
type canaryProcess struct {
	*canaryTest
	options  CanaryOptions
	stop     func()
	fees     int64               // tinybar, as the earlier ones have counted them
	pending  map[string]struct{} // transactions that they knew nothing of at their end
	restarts int
}

func (p *canaryProcess) begin() {
	p.options.State = NewState()
	canary := NewCanary(p.options)
	ctx, cancel := context.WithCancel(p.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		canary.Run(ctx)
	}()
	p.stop = func() { cancel(); <-ended }
}

func (p *canaryProcess) end() {
	p.stop()
	state := &p.options.State.canary
	p.fees += state.fees
	for id := range state.spending.pending {
		p.pending[id] = struct{}{}
	}
}

// TestCanaryFeesAreTheLedgers runs two exporters with one payer for 500 runs and
// 20 restarts, through faults. No day passes the budget, and what they have
// counted is what the ledger has charged.
func TestCanaryFeesAreTheLedgers(t *testing.T) {
	withCanary(t, "", func(t *canaryTest) {
		const (
			budget   = 300 * transferFee // of 576 runs a day
			interval = 5 * time.Minute
			restarts = 20
			length   = 42 * time.Hour
		)
		chance := rand.New(rand.NewPCG(13, 13))
		for i, kind := range []string{simulator.FaultUnanswered, simulator.FaultLost, simulator.FaultNoReceipt} {
			fault := submitFault(kind)
			fault.Rate, fault.Seed = 0.03, int64(i+1)
			t.inject(fault)
		}
		t.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultFail, Code: "INVALID_ACCOUNT_ID", Rate: 0.03, Seed: 7})
		t.inject(simulator.Fault{Path: "/api/v1/", Kind: simulator.FaultStatus, Status: 503, Rate: 0.05, Seed: 8})

		processes := make([]*canaryProcess, 2)
		for i := range processes {
			network := networkOver(t.T, t.memory.DialContext, t.sim, NewSelf(prometheus.NewRegistry()))
			t.Cleanup(func() { closeNetwork(network) })
			p := &canaryProcess{canaryTest: t, pending: map[string]struct{}{}}
			p.options = canaryOptions(t.T, network, t.sim, t.memory.DialContext, canaryPayer, "")
			p.options.Config.Budget, p.options.Config.Interval = config.Amount{Units: budget, Decimals: 8}, model.Duration(interval)
			processes[i] = p
			p.begin()
		}
		for range restarts {
			time.Sleep(length/restarts - time.Minute + time.Duration(chance.Int64N(int64(2*time.Minute))))
			p := processes[chance.IntN(2)]
			if chance.IntN(2) == 0 { // in the middle of a run
				time.Sleep(time.Until(p.options.State.canary.nextRun().Add(time.Duration(chance.Int64N(int64(8 * time.Second))))))
			}
			p.end()
			p.begin()
			p.restarts++
		}
		time.Sleep(15 * time.Minute)
		for _, p := range processes {
			p.stop()
		}
		time.Sleep(15 * time.Minute)
		t.sim.ClearFaults()
		for _, p := range processes {
			if err := p.options.State.canary.readAll(t, p.options); err != nil {
				t.Fatal(err)
			}
		}
		checkFees(t, processes, budget)
	})
}

// readAll reads what the mirror has in the end.
func (s *canaryState) readAll(t *canaryTest, options CanaryOptions) error {
	return NewCanary(options).readSpending(t.Context())
}

func checkFees(t *canaryTest, processes []*canaryProcess, budget int64) {
	t.Helper()
	days, byID, runs := t.ledgerFees()
	if runs < 500 {
		t.Errorf("%d transactions, want 500", runs)
	}
	for day, fees := range days {
		if fees > budget {
			t.Errorf("%s: %d tinybar were charged, the budget is %d", day.Format(time.DateOnly), fees, budget)
		}
	}
	if most := max(days[canaryDay(time.Now())], days[canaryDay(time.Now().AddDate(0, 0, -1))]); most < budget*95/100 {
		t.Errorf("at most %d of %d tinybar were spent in a day: the test shows nothing", most, budget)
	}
	var counted int64
	seen := map[string]struct{}{}
	for _, p := range processes {
		counted += p.fees + p.options.State.canary.fees
		for id := range p.pending {
			if _, twice := seen[id]; !twice {
				counted += byID[id]
			}
			seen[id] = struct{}{}
		}
		if spent, _ := p.options.State.canary.spending.spent(time.Now()); spent != days[canaryDay(time.Now())] {
			t.Errorf("today's spending is %d tinybar, the ledger has %d", spent, days[canaryDay(time.Now())])
		}
	}
	if charged := t.sim.AccountTotals(canaryPayer).Fees; counted != charged {
		t.Errorf("%d tinybar were counted, %d were charged", counted, charged)
	}
}

// ledgerFees are the payer's fees by day and by transaction id, as the mirror has
// them.
func (t *canaryTest) ledgerFees() (days map[time.Time]int64, byID map[string]int64, runs int) {
	t.Helper()
	days, byID = map[time.Time]int64{}, map[string]int64{}
	for from := mirror.Timestamp(1); ; {
		page, err := t.network.Mirror.Transactions(t.Context(), []string{canaryPayer}, from)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			if row.Payer() != canaryPayer || byID[row.ID] != 0 {
				continue
			}
			runs++
			byID[row.ID] = row.ChargedTxFee.Or(0)
			days[row.ConsensusTimestamp.Time().UTC().Truncate(24*time.Hour)] += row.ChargedTxFee.Or(0)
		}
		if !page.More {
			return days, byID, runs
		}
		from = page.Rows[len(page.Rows)-1].ConsensusTimestamp
	}
}
