// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

// TestCollectorsDoNotStarveEachOther has more to ask for than one scrape has
// time for: the tokens of each of 800 accounts are a request. The others have
// to be complete all the same.
func TestCollectorsDoNotStarveEachOther(t *testing.T) { memnet.Test(t, testStarvation) }

func testStarvation(t *testing.T, memory *memnet.Network) {
	const (
		accounts, tokens, counted, listed = 5_000, 10, 500, 800

		perSecond = 40
		interval  = 10 * time.Second
		timeout   = 9500 * time.Millisecond // --scrape.timeout-offset is 0.5s
		scrapes   = 3
		enough    = 3 // scrapes for the tokens
	)
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: accounts, Latency: 50 * time.Millisecond, Listen: memory.Listen})
	network := networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()))
	network.Mirror.Close()
	network.Mirror = limitedMirror(t, memory, sim, perSecond)
	for i := range accounts {
		watched := account("0.0."+itoa(1001+i), itoa(i))
		watched.Transactions, watched.AllTokens = i < counted, i >= accounts-listed
		network.Accounts = append(network.Accounts, watched)
	}
	for i := range tokens {
		token := simulator.Token{ID: "0.0." + itoa(90_001+i), Name: "T" + itoa(i), Symbol: "T", TreasuryAccountID: new("0.0.1001")}
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddToken(token) }); err != nil {
			t.Fatal(err)
		}
		network.Tokens = append(network.Tokens, entity(token.ID, token.Name))
	}
	set := setOn(t, network, "accounts blocks mirror network tokens transactions")

	reached := map[string]bool{} // accounts whose tokens have been listed
	for n := range scrapes {
		sim.ResetRequests()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		scrape := set.Scrape(ctx)
		cancel()
		took := time.Since(start)
		for _, r := range scrape {
			shown := map[*prometheus.Desc]int{}
			for sample := range r.result.all {
				shown[sample.Desc()]++
				if sample.Desc() == accountTokensTruncated.desc {
					reached[labelValue(t, sample, "account_id")] = true
				}
			}
			switch r.collector {
			case "accounts":
				t.Logf("scrape %d: %d of %d balances", n, shown[accountBalance.desc], accounts)
				if shown[accountBalance.desc] != accounts || r.err != nil {
					t.Errorf("scrape %d: %d of %d balances: %v", n, shown[accountBalance.desc], accounts, r.err)
				}
			case "transactions":
				asked := sim.Requests()["GET /api/v1/transactions"]
				t.Logf("scrape %d: transactions of %d of %d accounts, %d requests", n, shown[accountFees.desc], counted, asked)
				if n > 0 && asked < counted/100 {
					t.Errorf("scrape %d: %d requests for transactions, want %d: %v", n, asked, counted/100, r.err)
				}
			case "tokens":
				lists := shown[accountTokensTruncated.desc]
				t.Logf("scrape %d: %d of %d tokens, the lists of %d of %d accounts, %d so far, %d missing", n, shown[tokenExists.desc], tokens, lists, listed, len(reached), missing(r.err))
				if lists+missing(r.err) != listed {
					t.Errorf("scrape %d: %d lists are shown and %d missing, of %d: %v", n, lists, missing(r.err), listed, r.err)
				}
			case "mirror", "blocks":
				if r.err != nil {
					t.Errorf("scrape %d: %s: %v", n, r.collector, r.err)
				}
			}
		}
		requests := 0
		for _, n := range sim.Requests() {
			requests += n
		}
		t.Logf("scrape %d: %d requests in %s", n, requests, took)
		if n+1 == enough && len(reached) != listed {
			t.Errorf("after %d scrapes the tokens of %d of %d accounts have been listed", enough, len(reached), listed)
		}
		time.Sleep(interval - took)
	}
}

func labelValue(t *testing.T, sample prometheus.Metric, name string) string {
	t.Helper()
	var m dto.Metric
	if err := sample.Write(&m); err != nil {
		t.Fatal(err)
	}
	for _, label := range m.GetLabel() {
		if label.GetName() == name {
			return label.GetValue()
		}
	}
	return ""
}

func limitedMirror(t *testing.T, memory *memnet.Network, sim *simulator.Simulator, perSecond float64) *mirror.Client {
	t.Helper()
	base, err := url.Parse(sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: base, RateLimit: perSecond, DialContext: promconfig.DialContextFunc(memory.DialContext)})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
