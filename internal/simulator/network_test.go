// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNetworkStake(t *testing.T) {
	s := startStatic(t, Options{})
	stake := getJSON[networkStake](t, s, "/api/v1/network/stake")
	var want int64
	for _, node := range s.Nodes() {
		want += max(0, node.Stake)
	}
	if stake.StakeTotal != want || want <= 1<<53 {
		t.Errorf("total is %d, want %d, which no float64 has", stake.StakeTotal, want)
	}
	// The whole day before the clock's.
	if stake.StakingPeriod.From != "1795305600.000000000" || *stake.StakingPeriod.To != "1795392000.000000000" {
		t.Errorf("period is %+v", stake.StakingPeriod)
	}

	for _, node := range s.Nodes() {
		if err := s.RemoveNode(node.NodeID); err != nil {
			t.Fatal(err)
		}
	}
	got := send(t, s, http.MethodGet, "/api/v1/network/stake", nil)
	const none = `{"_status":{"messages":[{"message":"Not Found","detail":"No network stake data found"}]}}`
	if got.status != 404 || string(got.body) != none {
		t.Errorf("without stake: got %d %s", got.status, got.body)
	}
}

// The whole address book's stake is that of mainnet, StakeTotal in tinybar.
func TestNoMoreIsStakedThanReleased(t *testing.T) {
	s := startStatic(t, Options{Accounts: 3})
	staked := getJSON[networkStake](t, s, "/api/v1/network/stake").StakeTotal
	released := getJSON[networkSupply](t, s, "/api/v1/network/supply").ReleasedSupply
	if share := float64(staked) / float64(released); share < 0.1 || share > 0.9 {
		t.Errorf("%.0f %% of the released supply is staked", share*100)
	}
}

func TestNetworkSupply(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	treasury, _ := s.Balance("0.0.2")
	answer := getJSON[networkSupply](t, s, "/api/v1/network/supply")
	if answer.TotalSupply != totalSupplyTinybar || answer.ReleasedSupply != totalSupplyTinybar-(treasury-heldForOthers) {
		t.Errorf("got %+v, want what the treasury's %d leave", answer, treasury)
	}

	if err := s.Update(func(l *Ledger) error { return l.SetSupply(1<<53+1, 5_000_000_000_000_000_000) }); err != nil {
		t.Fatal(err)
	}
	body := string(send(t, s, http.MethodGet, "/api/v1/network/supply", nil).body)
	if !strings.Contains(body, `"released_supply":"9007199254740993"`) ||
		!strings.Contains(body, `"total_supply":"5000000000000000000"`) {
		t.Errorf("got %s, want strings", body)
	}
	for _, wrong := range []supply{{-1, 5}, {6, 5}} {
		if err := s.Update(func(l *Ledger) error { return l.SetSupply(wrong.released, wrong.total) }); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
}

func TestNetworkExchangeRate(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	hour := fixedNow().Truncate(time.Hour)
	rates := getJSON[networkRates](t, s, "/api/v1/network/exchangerate")
	want := restRate{CentEquivalent: 596_987, ExpirationTime: hour.Add(time.Hour).Unix(), HbarEquivalent: 30_000}
	if rates.CurrentRate != want || rates.NextRate.ExpirationTime != hour.Add(2*time.Hour).Unix() {
		t.Errorf("got %+v, want %+v first", rates, want)
	}

	expiration := fixedNow().Add(time.Minute)
	if err := s.Update(func(l *Ledger) error {
		return l.SetExchangeRate(ExchangeRate{Cents: 7, Hbar: 2, Expiration: expiration}, ExchangeRate{Cents: 8, Hbar: 3})
	}); err != nil {
		t.Fatal(err)
	}
	rates = getJSON[networkRates](t, s, "/api/v1/network/exchangerate")
	if rates.CurrentRate != (restRate{7, expiration.Unix(), 2}) || rates.NextRate.CentEquivalent != 8 {
		t.Errorf("after the change: got %+v", rates)
	}
	if err := s.Update(func(l *Ledger) error {
		return l.SetExchangeRate(ExchangeRate{Cents: 1, Hbar: 1}, ExchangeRate{Cents: 1})
	}); err == nil {
		t.Error("a rate for no hbar was accepted")
	}
}

func TestNetworkFees(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for order, first := range map[string]string{"": "ContractCall", "?order=desc": "EthereumTransaction"} {
		fees := getJSON[networkFees](t, s, "/api/v1/network/fees"+order).Fees
		if len(fees) != 3 || fees[0].TransactionType != first || fees[0].Gas <= 0 {
			t.Errorf("%q: got %+v, want %s first", order, fees, first)
		}
	}
	if got := send(t, s, http.MethodGet, "/api/v1/network/fees?order=up", nil); got.status != 400 {
		t.Errorf("got %d, want 400", got.status)
	}
}

func TestRegisteredNodes(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	const path = "/api/v1/network/registered-nodes"
	for query, want := range map[string][]int64{
		"":                    {1, 2, 3, 4},
		"?order=desc&limit=2": {4, 3},
		"?type=BLOCK_NODE":    {1},
		"?type=rpc_relay":     {4},
		"?registerednode.id=gt:1&registerednode.id=lte:3": {2, 3},
	} {
		list := getJSON[registeredNodeList](t, s, path+query).RegisteredNodes
		ids := make([]int64, len(list))
		for i, node := range list {
			ids[i] = node.ID
		}
		wantRows(t, query, ids, want)
	}
	for _, query := range []string{"?type=NO_NODE", "?registerednode.id=x", "?node.id=1"} {
		if got := send(t, s, http.MethodGet, path+query, nil); got.status != 400 {
			t.Errorf("%s: got %d, want 400", query, got.status)
		}
	}
	page := getJSON[registeredNodeList](t, s, path+"?limit=1")
	if page.Links.Next == nil || *page.Links.Next != path+"?limit=1&registerednode.id=gt:1" {
		t.Errorf("next is %v", page.Links.Next)
	}

	const bare = `{"admin_key":null,"created_timestamp":null,"description":null,"registered_node_id":4,` +
		`"service_endpoints":[{"block_node":null,"domain_name":null,"general_service":null,"ip_address":"203.0.113.8",` +
		`"mirror_node":null,"port":7546,"requires_tls":false,"rpc_relay":{},"type":"RPC_RELAY"}],`
	if body := string(send(t, s, http.MethodGet, path, nil).body); !strings.Contains(body, bare) {
		t.Errorf("got %s, want %s in it", body, bare)
	}
}

func TestOldMirrorsHaveNoRegisteredNodes(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, serve := range []bool{false, true} {
		want, settings := http.StatusNotFound, MirrorSettings{Missing: []string{"registered-nodes"}}
		if serve {
			want, settings = http.StatusOK, MirrorSettings{}
		}
		if err := s.Update(func(l *Ledger) error { return l.SetMirror(settings) }); err != nil {
			t.Fatal(err)
		}
		if got := send(t, s, http.MethodGet, "/api/v1/network/registered-nodes", nil); got.status != want {
			t.Errorf("serve=%t: got %d", serve, got.status)
		}
	}
	if got := s.Requests()["GET /api/v1/network/registered-nodes"]; got != 2 {
		t.Errorf("%d requests were counted", got)
	}
}
