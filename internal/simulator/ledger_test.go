// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"testing"
	"time"
)

func newTestLedger(t *testing.T, accounts int, now func() time.Time) *Ledger {
	t.Helper()
	l, err := newLedger(Options{Seed: 1, Now: now, Accounts: accounts})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTickMovesBalancesAndKeepsTheSupply(t *testing.T) {
	now := fixedNow()
	l := newTestLedger(t, 50, func() time.Time { return now })
	before := balances(l)
	first := l.blocks[len(l.blocks)-1].Number

	now = now.Add(3 * blockPeriod)
	l.tick()

	after := balances(l)
	var supply int64
	changed := 0
	for id, tinybar := range after {
		supply += tinybar
		if tinybar != before[id] {
			changed++
		}
	}
	if supply != totalSupplyTinybar {
		t.Errorf("supply is %d, want %d", supply, int64(totalSupplyTinybar))
	}
	if changed == 0 {
		t.Error("no balance moved")
	}
	if got := l.blocks[len(l.blocks)-1].Number; got != first+3 {
		t.Errorf("latest block is %d, want %d", got, first+3)
	}
}

func TestTickLeavesDeletedAccountsAlone(t *testing.T) {
	l := newTestLedger(t, 3, fixedNow)
	if err := l.DeleteAccount("0.0.1001"); err != nil {
		t.Fatal(err)
	}
	before := balances(l)["0.0.1001"]
	for range 200 {
		l.tick()
	}
	if after := balances(l)["0.0.1001"]; after != before {
		t.Errorf("deleted account went from %d to %d", before, after)
	}
}

func TestBlocksAreBounded(t *testing.T) {
	l := newTestLedger(t, 0, fixedNow)
	latest := l.latestBlock()
	l.blocks = append(make([]Block, maxBlocks-1), latest)
	l.AddBlock()
	if len(l.blocks) != maxBlocks || l.latestBlock().Number != latest.Number+1 {
		t.Errorf("%d blocks are kept, the latest is %d, want %d and %d", len(l.blocks), l.latestBlock().Number, maxBlocks, latest.Number+1)
	}
}

func TestAccountChanges(t *testing.T) {
	l := newTestLedger(t, 1, fixedNow)
	for name, err := range map[string]error{
		"set unknown":    l.SetBalance("0.0.5000", 1),
		"delete unknown": l.DeleteAccount("0.0.5000"),
		"remove unknown": l.RemoveAccount("0.0.5000"),
	} {
		if !errors.Is(err, errUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := l.SetBalance("0.0.1001", -1); err == nil {
		t.Error("a negative balance was accepted")
	}
	if err := l.AddAccount(Account{ID: "0.0.1001"}); err == nil {
		t.Error("an account was added twice")
	}
	if err := l.AddAccount(Account{ID: "nonsense"}); err == nil {
		t.Error("an account without an id was added")
	}

	if err := l.AddAccount(Account{ID: "500"}); err != nil {
		t.Fatal(err)
	}
	if ids := sortedIDs(l.accounts); ids[2] != "0.0.500" {
		t.Errorf("ids are %v, want 0.0.500 third", ids)
	}
	if err := l.RemoveAccount("0.0.500"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.findAccount("0.0.500"); !errors.Is(err, errUnknown) {
		t.Errorf("removed account: got %v", err)
	}
}

func balances(l *Ledger) map[string]int64 {
	all := make(map[string]int64)
	for id, account := range l.accounts {
		all[id.String()] = account.tinybar()
	}
	return all
}

func TestParseEntityID(t *testing.T) {
	for _, tc := range []struct {
		in, want string // no want: an error
	}{
		{"0.0.98", "0.0.98"},
		{"98", "0.0.98"},
		{"511.65535.274877906943", "511.65535.274877906943"},
		{"1023.0.1", "1023.0.1"},
		{"1024.0.1", ""},
		{"0.65536.1", ""},
		{"0.0.274877906944", ""},
		{"0.0.-1", ""},
		{"0.1", ""},
		{"0.0.1-abcde", ""},
		{"", ""},
	} {
		id, err := parseEntityID(tc.in)
		if tc.want == "" {
			if err == nil {
				t.Errorf("%q: got %s, want an error", tc.in, id)
			}
			continue
		}
		if err != nil || id.String() != tc.want {
			t.Errorf("%q: got %s, %v, want %s", tc.in, id, err, tc.want)
		}
	}
}

func TestEntityIDsCompareByNumber(t *testing.T) {
	low, _ := parseEntityID("0.0.99")
	high, _ := parseEntityID("0.0.1001")
	realm, _ := parseEntityID("0.1.1")
	if low >= high || high >= realm {
		t.Errorf("order of %d, %d, %d is wrong", low, high, realm)
	}
}

func TestParseTimestamp(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"1", 1_000_000_000, true},
		{"1.5", 1_500_000_000, true},
		{"1795305600.000000001", 1_795_305_600_000_000_001, true},
		{"1.0000000001", 0, false},
		{"-1", 0, false},
		{"now", 0, false},
		{"1.-1", 0, false},
	} {
		got, err := parseTimestamp(tc.in)
		if got != tc.want || (err == nil) != tc.ok {
			t.Errorf("%q: got %d, %v", tc.in, got, err)
		}
	}
}

func TestFormatTimestampRoundTrip(t *testing.T) {
	at := time.Date(2026, time.November, 23, 1, 2, 3, 4, time.UTC)
	got, err := parseTimestamp(formatTimestamp(at))
	if err != nil || got != at.UnixNano() {
		t.Errorf("got %d, %v, want %d", got, err, at.UnixNano())
	}
}
