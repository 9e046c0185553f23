// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
)

func TestFaultJSON(t *testing.T) {
	want := Fault{
		Path: "/api/v1/accounts", Kind: FaultLatency, Status: 429,
		RetryAfter: "3", Latency: 250 * time.Millisecond, Count: 2,
	}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	const wire = `{"path":"/api/v1/accounts","kind":"latency","status":429,"retry_after":"3","latency":"250ms","count":2}`
	if string(body) != wire {
		t.Errorf("got %s, want %s", body, wire)
	}
	var got Fault
	if err := json.Unmarshal(body, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, wrong := range []string{`{"latency":"soon"}`, `{"knid":"hang"}`, `{"latency":250}`} {
		if err := json.Unmarshal([]byte(wrong), &got); err == nil {
			t.Errorf("%s: no error", wrong)
		}
	}
}

func TestFaultValidation(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault Fault
		ok    bool
	}{
		{"status", Fault{Path: "/api", Kind: FaultStatus, Status: 503}, true},
		{"status missing", Fault{Path: "/api", Kind: FaultStatus}, false},
		{"status too high", Fault{Path: "/api", Kind: FaultStatus, Status: 600}, false},
		{"gRPC status", Fault{Path: GetNodesFault, Kind: FaultStatus, Status: 14}, true},
		{"HTTP status for gRPC", Fault{Path: GetNodesFault, Kind: FaultStatus, Status: 503}, false},
		{"HTML for gRPC", Fault{Path: GetNodesFault, Kind: FaultHTML502}, false},
		{"latency missing", Fault{Path: "/api", Kind: FaultLatency}, false},
		{"negative count", Fault{Path: "/api", Kind: FaultHang, Count: -1}, false},
		{"no path", Fault{Kind: FaultHang}, false},
		{"control path", Fault{Path: "/simulator/faults", Kind: FaultHang}, false},
		{"unknown kind", Fault{Path: "/api", Kind: "boom"}, false},
		{"hang", Fault{Path: "/api", Kind: FaultHang}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.fault.validate(); (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFaultsActOldestFirstAndRunOut(t *testing.T) {
	var f faults
	for _, fault := range []Fault{
		{Path: "/a", Kind: FaultReset, Count: 2},
		{Path: "/a/b", Kind: FaultHang},
	} {
		if _, err := f.InjectFault(fault); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{FaultReset, FaultReset, FaultHang, FaultHang} {
		if got, ok := f.take("/a/b/c", ""); !ok || got.Kind != want {
			t.Errorf("request %d: got %q, want %q", i, got.Kind, want)
		}
	}
	if got, ok := f.take("/a", ""); ok {
		t.Errorf("got %+v after it ran out", got)
	}
	f.ClearFaults()
	if got, ok := f.take("/a/b", ""); ok {
		t.Errorf("got %+v after clear", got)
	}
}

func TestRESTFaults(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 50})
	for _, tc := range []struct {
		name  string
		fault Fault
		check func(t *testing.T, got response, err error)
	}{
		{"503", Fault{Kind: FaultStatus, Status: 503}, func(t *testing.T, got response, err error) {
			if err != nil || got.status != 503 || got.header.Get("Retry-After") != "" {
				t.Errorf("got %d, %v, %v", got.status, got.header, err)
			}
			if !strings.HasPrefix(string(got.body), `{"_status":`) {
				t.Errorf("body is %s", got.body)
			}
		}},
		{"429 with Retry-After", Fault{Kind: FaultStatus, Status: 429, RetryAfter: "7"}, func(t *testing.T, got response, err error) {
			if err != nil || got.status != 429 || got.header.Get("Retry-After") != "7" {
				t.Errorf("got %d, %v, %v", got.status, got.header, err)
			}
		}},
		{"latency", Fault{Kind: FaultLatency, Latency: time.Millisecond}, func(t *testing.T, got response, err error) {
			if err != nil || got.status != 200 || !json.Valid(got.body) {
				t.Errorf("got %d %s, %v", got.status, got.body, err)
			}
		}},
		{"reset", Fault{Kind: FaultReset}, func(t *testing.T, _ response, err error) {
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want a connection reset", err)
			}
		}},
		{"garbage", Fault{Kind: FaultGarbage}, func(t *testing.T, got response, err error) {
			if err != nil || got.status != 200 || json.Valid(got.body) {
				t.Errorf("got %d %q, %v", got.status, got.body, err)
			}
		}},
		{"truncate", Fault{Kind: FaultTruncate}, func(t *testing.T, got response, err error) {
			if !errors.Is(err, io.ErrUnexpectedEOF) || got.status != 200 {
				t.Errorf("got %d, %v, want an unexpected end", got.status, err)
			}
		}},
		{"html502", Fault{Kind: FaultHTML502}, func(t *testing.T, got response, err error) {
			if err != nil || got.status != 502 || got.header.Get("Content-Type") != "text/html" {
				t.Errorf("got %d, %v, %v", got.status, got.header, err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.fault.Path, tc.fault.Count = "/api/v1/accounts", 1
			if _, err := s.InjectFault(tc.fault); err != nil {
				t.Fatal(err)
			}
			if other := send(t, s, http.MethodGet, "/api/v1/balances", nil); other.status != 200 {
				t.Errorf("another path got %d", other.status)
			}
			client := newHTTPClient(t)
			got, err := trySend(t, client, s, http.MethodGet, "/api/v1/accounts", nil)
			tc.check(t, got, err)
			after, err := trySend(t, client, s, http.MethodGet, "/api/v1/accounts", nil)
			if err != nil || after.status != 200 {
				t.Errorf("after the fault: %d, %v", after.status, err)
			}
		})
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		s := startStatic(t, Options{Nodes: 1, Listen: memory.Listen})
		if _, err := s.InjectFault(Fault{Path: "/api/v1/accounts", Kind: FaultHang}); err != nil {
			t.Fatal(err)
		}
		client := newMemoryHTTPClient(t, memory)
		if _, err := trySend(t, client, s, http.MethodGet, "/api/v1/accounts/0.0.98", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a timeout", err)
		}
		s.ClearFaults()
		if got, err := trySend(t, client, s, http.MethodGet, "/api/v1/accounts/0.0.98", nil); err != nil || got.status != 200 {
			t.Errorf("after ClearFaults: %d, %v", got.status, err)
		}
	})
}

func TestControlIsNeverDisturbed(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if _, err := s.InjectFault(Fault{Path: "/", Kind: FaultStatus, Status: 503}); err != nil {
		t.Fatal(err)
	}
	if got := send(t, s, http.MethodGet, "/simulator/faults", nil); got.status != 200 {
		t.Errorf("control got %d", got.status)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/blocks", nil); got.status != 503 {
		t.Errorf("mirror got %d, want 503", got.status)
	}
}

func TestLatencyDelaysTheMirrorOnly(t *testing.T) {
	const latency = 2 * time.Second
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		s := startStatic(t, Options{Nodes: 1, Latency: latency, Listen: memory.Listen})
		client := newMemoryHTTPClient(t, memory)
		for path, want := range map[string]time.Duration{"/api/v1/blocks": latency, "/simulator/requests": 0} {
			start := time.Now()
			got, err := trySend(t, client, s, http.MethodGet, path, nil)
			if took := time.Since(start); err != nil || got.status != 200 || took != want {
				t.Errorf("%s: got %d, %v after %s, want %s", path, got.status, err, took, want)
			}
		}
	})
}

func inject(t *testing.T, s *Simulator, fault Fault) {
	t.Helper()
	if _, err := s.InjectFault(fault); err != nil {
		t.Fatal(err)
	}
}

func TestRowFaults(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	const path = "/api/v1/accounts?account.id=0.0.98&account.id=0.0.1001&order=desc"
	usual := getJSON[accountList](t, s, path).Accounts
	for name, tc := range map[string]struct {
		fault Fault
		want  string
	}{
		"set":           {Fault{Kind: FaultSet, Entity: "0.0.98", Field: "memo", Value: json.RawMessage(`7`)}, `"memo":7`},
		"set nested":    {Fault{Kind: FaultSet, Field: "balance.balance", Value: json.RawMessage(`"odd"`)}, `"balance":{"balance":"odd"`},
		"unknown field": {Fault{Kind: FaultSet, Field: "fresh", Value: json.RawMessage(`9223372036854775808`)}, `"fresh":9223372036854775808`},
	} {
		tc.fault.Path, tc.fault.Query = "/api/v1/accounts", "0.0.98"
		inject(t, s, tc.fault)
		got := send(t, s, http.MethodGet, path, nil)
		if got.status != 200 || strings.Count(string(got.body), tc.want) != 1 {
			t.Errorf("%s: got %d %s, want %s in it once", name, got.status, got.body, tc.want)
		}
		if got := send(t, s, http.MethodGet, "/api/v1/accounts?account.id=0.0.1001", nil); strings.Contains(string(got.body), tc.want) {
			t.Errorf("%s: another query is disturbed: %s", name, got.body)
		}
		s.ClearFaults()
	}
	for kind, want := range map[string][]string{
		FaultDrop: {"0.0.1001"}, FaultDuplicate: {"0.0.1001", "0.0.98", "0.0.98"},
	} {
		inject(t, s, Fault{Path: "/api/v1/accounts", Kind: kind, Entity: "0.0.98", Count: 1})
		if got := accountIDs(getJSON[accountList](t, s, path)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", kind, got, want)
		}
		if got := getJSON[accountList](t, s, path).Accounts; !reflect.DeepEqual(got, usual) {
			t.Errorf("%s: it goes on: %+v", kind, got)
		}
	}
	inject(t, s, Fault{Path: "/api/v1/accounts", Kind: FaultSet, Field: "memo", Value: json.RawMessage(`null`)})
	for path, want := range map[string]int{"/api/v1/accounts/0.0.98": 200, "/api/v1/accounts/0.0.5": 404, "/api/v1/accounts?account.id=0.0.5": 200} {
		if got := send(t, s, http.MethodGet, path, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
	if one := getJSON[map[string]any](t, s, "/api/v1/accounts/0.0.98"); one["memo"] != nil {
		t.Errorf("got %v", one)
	}
}

// Amounts beyond 2^53 stay what they are in an answer that is changed.
func TestRowFaultsKeepNumbers(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.SetBalance("0.0.98", 1<<53+1) }); err != nil {
		t.Fatal(err)
	}
	inject(t, s, Fault{Path: "/api/v1/accounts", Kind: FaultSet, Field: "memo", Value: json.RawMessage(`"x"`)})
	if got := send(t, s, http.MethodGet, "/api/v1/accounts?account.id=0.0.98", nil); !strings.Contains(string(got.body), "9007199254740993") {
		t.Errorf("got %s", got.body)
	}
}

// Chaos disturbs the share of requests that it should, the same ones for the
// same seed.
func TestChaos(t *testing.T) {
	disturbed := func(seed int64) (kinds []string) {
		var f faults
		if _, err := f.InjectFault(Fault{Path: "/", Kind: FaultChaos, Rate: 0.1, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		for range 2000 {
			fault, ok := f.take("/api/v1/accounts", "")
			if ok {
				kinds = append(kinds, fault.Kind)
			}
		}
		return kinds
	}
	kinds := disturbed(1)
	if len(kinds) < 150 || len(kinds) > 250 {
		t.Errorf("%d of 2000 requests are disturbed, want about 200", len(kinds))
	}
	if !slices.Equal(kinds, disturbed(1)) || slices.Equal(kinds, disturbed(2)) {
		t.Error("the disturbances do not follow from the seed")
	}
	for _, kind := range []string{FaultStatus, FaultHTML502, FaultReset, FaultGarbage, FaultTruncate, FaultLatency, faultOdd, FaultDrop, FaultDuplicate} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no request gets %s", kind)
		}
	}
	if slices.Contains(kinds, FaultHang) {
		t.Error("a request hangs")
	}
}

func TestChaosOnRequests(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 30})
	usual := send(t, s, http.MethodGet, "/api/v1/accounts", nil)
	inject(t, s, Fault{Path: "/api/v1", Kind: FaultChaos, Rate: 0.5, Seed: 3})
	client := newHTTPClient(t)
	same, failed, changed := 0, 0, 0
	for range 200 {
		got, err := trySend(t, client, s, http.MethodGet, "/api/v1/accounts", nil)
		switch {
		case err != nil || got.status != 200:
			failed++
		case string(got.body) == string(usual.body):
			same++
		default:
			changed++
		}
	}
	if same < 80 || failed < 20 || changed < 20 {
		t.Errorf("%d answers are as usual, %d failed, %d are changed", same, failed, changed)
	}
}
