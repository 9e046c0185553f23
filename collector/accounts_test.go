// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

func ptr[T any](v T) *T { return &v }

func TestAccounts(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	full := simulator.Account{
		ID:               "0.0.5001",
		AutoRenewPeriod:  ptr(int64(7776000)),
		Balance:          &simulator.Balance{Tinybar: ptr(int64(123456789012)), Timestamp: ptr("1700000000.000000001")},
		CreatedTimestamp: ptr("1600000000.500000000"),
		Deleted:          ptr(false),
		EthereumNonce:    ptr(int64(42)),
		EVMAddress:       ptr("0x000000000000000000000000000000000000138a"),
		ExpiryTimestamp:  ptr("1800000000.000000000"),
		Key:              &simulator.Key{Type: "ED25519", Key: "aa"},
		Memo:             ptr(strings.Repeat("ä", 70)),
		PendingReward:    150000000,
		StakedNodeID:     ptr(int64(0)),
	}
	null := simulator.Account{ID: "0.0.5002"}
	deleted := simulator.Account{
		ID:              "0.0.5003",
		Deleted:         ptr(true),
		Balance:         &simulator.Balance{Tinybar: ptr(int64(0))},
		StakedAccountID: ptr("0.0.800"),
	}
	for _, a := range []simulator.Account{full, null, deleted} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddAccount(a) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance("0.0.2", 1<<53+1) }); err != nil {
		t.Fatal(err)
	}
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()),
		account("0.0.5001", "full", minimum("warning", 100000000000), minimum("critical", 1)),
		account("0.0.5002", "null"),
		account("0.0.5003", "deleted"),
		account("0.0.5004", "missing", minimum("warning", 5)),
		account("0.0.2", "treasury"),
	), "accounts")

	body := scrapeText(t, set, testDeadline)
	wantLines(
		t, body,
		`hedera_account_balance_hbar{account_id="0.0.5001",name="full",network="simulated"} 1234.56789012`,
		`hedera_account_balance_minimum_hbar{account_id="0.0.5001",name="full",network="simulated",severity="warning"} 1000`,
		`hedera_account_balance_minimum_hbar{account_id="0.0.5001",name="full",network="simulated",severity="critical"} 1e-08`,
		`hedera_account_exists{account_id="0.0.5001",name="full",network="simulated"} 1`,
		`hedera_account_deleted{account_id="0.0.5001",name="full",network="simulated"} 0`,
		`hedera_account_expiry_timestamp_seconds{account_id="0.0.5001",name="full",network="simulated"} 1.8e+09`,
		`hedera_account_created_timestamp_seconds{account_id="0.0.5001",name="full",network="simulated"} 1.6000000005e+09`,
		`hedera_account_auto_renew_period_seconds{account_id="0.0.5001",name="full",network="simulated"} 7.776e+06`,
		`hedera_account_pending_reward_hbar{account_id="0.0.5001",name="full",network="simulated"} 1.5`,
		`hedera_account_ethereum_nonce{account_id="0.0.5001",name="full",network="simulated"} 42`,
		`hedera_account_info{account_id="0.0.5001",evm_address="0x000000000000000000000000000000000000138a",key_type="ED25519",memo="`+
			strings.Repeat("ä", 63)+`…",name="full",network="simulated",staked_account_id="",staked_node_id="0"} 1`,
		`hedera_account_exists{account_id="0.0.5002",name="null",network="simulated"} 1`,
		`hedera_account_deleted{account_id="0.0.5003",name="deleted",network="simulated"} 1`,
		`hedera_account_exists{account_id="0.0.5004",name="missing",network="simulated"} 0`,
		`hedera_account_balance_minimum_hbar{account_id="0.0.5004",name="missing",network="simulated",severity="warning"} 5e-08`,
		`hedera_account_balance_hbar{account_id="0.0.2",name="treasury",network="simulated"} 9.007199254740994e+07`,
		`hedera_scrape_collector_success{collector="accounts",network="simulated"} 1`,
	)
	for _, line := range linesWith(body, `account_id="0.0.5002"`) {
		name, _, _ := strings.Cut(line, "{")
		if !slices.Contains([]string{"hedera_account_exists", "hedera_account_info", "hedera_account_pending_reward_hbar"}, name) {
			t.Errorf("a null became a sample: %s", line)
		}
	}
	if lines := linesWith(body, `account_id="0.0.5004"`); len(lines) != 2 {
		t.Errorf("an unknown account has %q, want exists and its minimum", lines)
	}
}

func TestAccountsFollowTheNetwork(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	set := setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.1001", "a")), "accounts")
	for _, tinybar := range []int64{1, 250000000, 0} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance("0.0.1001", tinybar) }); err != nil {
			t.Fatal(err)
		}
		want := map[int64]string{1: "1e-08", 250000000: "2.5", 0: "0"}[tinybar]
		wantLines(t, scrapeText(t, set, testDeadline), `hedera_account_balance_hbar{account_id="0.0.1001",name="a",network="simulated"} `+want)
	}
	if err := sim.Update(func(l *simulator.Ledger) error { return l.RemoveAccount("0.0.1001") }); err != nil {
		t.Fatal(err)
	}
	body := scrapeText(t, set, testDeadline)
	wantLines(t, body, `hedera_account_exists{account_id="0.0.1001",name="a",network="simulated"} 0`)
	wantNone(t, body, "hedera_account_balance_hbar")
}

// TestSamplesOfAnAccountThatDidNotChange are those of the scrape before.
func TestSamplesOfAnAccountThatDidNotChange(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Static: true, Nodes: 1, Accounts: 3})
	registry := prometheus.NewRegistry()
	network := networkOn(t, sim, NewSelf(registry), account("0.0.1001", "a"), account("0.0.1002", "b"), account("0.0.1003", "c"))
	collector, err := newAccounts(network)
	if err != nil {
		t.Fatal(err)
	}
	scrape := func() map[string][]*sample { // by account
		t.Helper()
		metrics, err := sent(func(ch chan<- prometheus.Metric) {
			if err := collector.Update(t.Context(), ch); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		samples := map[string][]*sample{}
		for _, metric := range metrics {
			one := metric.(*sample) //nolint:forcetypeassert // nothing else is sent
			samples[one.labels.at(accountIDLabel)] = append(samples[one.labels.at(accountIDLabel)], one)
		}
		return samples
	}
	change := func(change func(l *simulator.Ledger) error) {
		t.Helper()
		if err := sim.Update(change); err != nil {
			t.Fatal(err)
		}
	}
	inject := func(fault simulator.Fault) {
		t.Helper()
		fault.Path = "/api/v1/accounts"
		if _, err := sim.InjectFault(fault); err != nil {
			t.Fatal(err)
		}
	}

	before := scrape()
	change(func(l *simulator.Ledger) error { return l.SetBalance("0.0.1001", 5) })
	change(func(l *simulator.Ledger) error { return l.RemoveAccount("0.0.1003") })
	after := scrape()
	if slices.Equal(after["0.0.1001"], before["0.0.1001"]) || !slices.Equal(after["0.0.1002"], before["0.0.1002"]) || len(after["0.0.1003"]) != 1 {
		t.Errorf("the samples %v became %v", before, after)
	}
	if again := scrape(); !slices.Equal(again["0.0.1001"], after["0.0.1001"]) {
		t.Errorf("the samples %v became %v", after["0.0.1001"], again["0.0.1001"])
	}

	inject(simulator.Fault{Kind: simulator.FaultSet, Entity: "0.0.1002", Field: "memo", Value: []byte(`5`)})
	for range 2 {
		if odd := scrape(); len(odd["0.0.1002"]) != len(before["0.0.1002"]) {
			t.Errorf("%d samples of an account with an odd memo, want %d", len(odd["0.0.1002"]), len(before["0.0.1002"]))
		}
	}
	wantLines(t, samplesOf(gather(t, registry)), `hedera_mirror_decode_failures_total{field="memo",network="simulated",route="/api/v1/accounts"} 2`)
}

func TestAccountsByConsensus(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 4, Accounts: 3})
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()),
		account("0.0.1001", "a", minimum("warning", 100000000)), account("0.0.1002", "gone"), account("0.0.9999", "missing"))
	network.Balances = consensus.NewBalanceClient(consensus.BalanceOptions{MaxConcurrency: 4, Timeout: 5 * time.Second})
	set := setOn(t, network, "accounts")

	body := scrapeText(t, set, testDeadline)
	wantLines(
		t, body,
		`hedera_scrape_collector_success{collector="accounts",network="simulated"} 0`,
		`hedera_scrape_collector_incomplete{collector="accounts",network="simulated"} 3`,
		`hedera_account_balance_minimum_hbar{account_id="0.0.1001",name="a",network="simulated",severity="warning"} 1`,
	)
	if lines := linesWith(body, "hedera_account_"); len(lines) != 1 {
		t.Errorf("nodes that do not answer give %q, want what is configured", lines)
	}

	_ = sim.Update(func(l *simulator.Ledger) error { l.AnswerBalanceQueries(true); return nil })
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance("0.0.1001", 350000000) }); err != nil {
		t.Fatal(err)
	}
	if err := sim.Update(func(l *simulator.Ledger) error { return l.DeleteAccount("0.0.1002") }); err != nil {
		t.Fatal(err)
	}
	body = scrapeText(t, set, testDeadline)
	wantLines(
		t, body,
		`hedera_account_balance_hbar{account_id="0.0.1001",name="a",network="simulated"} 3.5`,
		`hedera_account_balance_minimum_hbar{account_id="0.0.1001",name="a",network="simulated",severity="warning"} 1`,
		`hedera_account_exists{account_id="0.0.1001",name="a",network="simulated"} 1`,
		`hedera_account_deleted{account_id="0.0.1001",name="a",network="simulated"} 0`,
		`hedera_account_exists{account_id="0.0.1002",name="gone",network="simulated"} 1`,
		`hedera_account_deleted{account_id="0.0.1002",name="gone",network="simulated"} 1`,
		`hedera_account_exists{account_id="0.0.9999",name="missing",network="simulated"} 0`,
	)
	if requests := sim.Requests()["GET /api/v1/accounts"]; requests != 0 {
		t.Errorf("%d requests went to the mirror", requests)
	}
}

func TestTenThousandAccountsAreAHundredRequests(t *testing.T) {
	memnet.Test(t, testTenThousandAccounts)
}

func testTenThousandAccounts(t *testing.T, memory *memnet.Network) {
	const accounts = 10_000
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: accounts, Listen: memory.Listen})
	watched := make([]config.Account, 0, accounts)
	for i := range accounts {
		watched = append(watched, account("0.0."+itoa(1001+i), itoa(i)))
	}
	set := setOn(t, networkOver(t, memory.DialContext, sim, NewSelf(prometheus.NewRegistry()), watched...), "accounts")

	if n := countSamples(t, set, accountBalance.desc); n != accounts {
		t.Errorf("%d balances, want %d", n, accounts)
	}
	if n := sim.Requests()["GET /api/v1/accounts"]; n != 100 {
		t.Errorf("%d account requests, want 100", n)
	}

	sim.ResetRequests()
	counts := make(chan int)
	// The mirror answers neither scrape before both have come.
	if _, err := sim.InjectFault(simulator.Fault{Path: "/api/v1/accounts", Kind: simulator.FaultLatency, Latency: time.Second / 10, Count: 100}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		go func() { counts <- countSamples(t, set, accountBalance.desc) }()
	}
	for range 2 {
		if n := <-counts; n != accounts {
			t.Errorf("%d balances in one of two simultaneous scrapes, want %d", n, accounts)
		}
	}
	if n := sim.Requests()["GET /api/v1/accounts"]; n != 100 {
		t.Errorf("two simultaneous scrapes made %d account requests, want 100", n)
	}
}

// countSamples counts those of one metric in one scrape. It spares the time to
// sort and write tens of thousands of samples.
func countSamples(t *testing.T, set *Set, desc *prometheus.Desc) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	count := 0
	for _, c := range set.Scrape(ctx) {
		for sample := range c.result.all {
			if sample.Desc() == desc {
				count++
			}
		}
	}
	return count
}

// TestKeyFingerprint compares with sha256sum of type and digits. Different keys,
// and the same digits as keys of different types, differ.
func TestKeyFingerprint(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	for id, key := range map[string]*simulator.Key{
		"0.0.5001": {Type: "ED25519", Key: "aa"},
		"0.0.5002": {Type: "ECDSA_SECP256K1", Key: "aa"},
		"0.0.5003": {Type: "ED25519", Key: "ab"},
		"0.0.5004": nil,
	} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddAccount(simulator.Account{ID: id, Key: key}) }); err != nil {
			t.Fatal(err)
		}
	}
	body := scrapeText(t, setOn(t, networkOn(t, sim, NewSelf(prometheus.NewRegistry()), account("0.0.5001", "a"),
		account("0.0.5002", "b"), account("0.0.5003", "c"), account("0.0.5004", "d")), "accounts"), testDeadline)
	wantLines(
		t, body,
		`hedera_account_key_info{account_id="0.0.5001",key_fingerprint="1a76711f1f405291",key_type="ED25519",name="a",network="simulated"} 1`,
		`hedera_account_key_info{account_id="0.0.5002",key_fingerprint="7fd4b3d357c832dc",key_type="ECDSA_SECP256K1",name="b",network="simulated"} 1`,
		`hedera_account_key_info{account_id="0.0.5003",key_fingerprint="d4933fd227784e38",key_type="ED25519",name="c",network="simulated"} 1`,
	)
	wantNone(t, body, "hedera_account_key_info", `account_id="0.0.5004"`)
}

// TestSamplesOfAResponseWaitForNoOther holds back the last of three responses until
// the samples of the first one are there.
func TestSamplesOfAResponseWaitForNoOther(t *testing.T) {
	const accounts = 300
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: accounts})
	first, last := make(chan struct{}), "0.0.1300"
	through := httputil.NewSingleHostReverseProxy(parseURL(t, sim.URL()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(r.URL.Query()["account.id"], last) {
			select {
			case <-first:
			case <-r.Context().Done():
			}
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	client, err := mirror.New(mirror.Options{Network: "simulated", URL: parseURL(t, server.URL)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	network.Mirror = client
	for i := range accounts {
		network.Accounts = append(network.Accounts, account("0.0."+itoa(1001+i), "a"+itoa(i)))
	}
	collector, err := newAccounts(network)
	if err != nil {
		t.Fatal(err)
	}

	ch := make(chan prometheus.Metric)
	failed := make(chan error, 1)
	go func() {
		defer close(ch)
		failed <- collector.Update(t.Context(), ch)
	}()
	var ids []string
	for metric := range ch {
		if one := metric.(*sample); one.family == accountBalance.metricFamily { //nolint:forcetypeassert // nothing else is sent
			ids = append(ids, one.labels.at(accountIDLabel))
			if len(ids) == 1 {
				close(first)
			}
		}
	}
	if err := <-failed; err != nil || len(ids) != accounts {
		t.Errorf("%d balances, error %v", len(ids), err)
	}
}
