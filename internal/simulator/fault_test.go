// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"testing"
	"time"
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
	if err := json.Unmarshal(body, &got); err != nil || got != want {
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
		if _, err := f.inject(fault); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{FaultReset, FaultReset, FaultHang, FaultHang} {
		if got, ok := f.take("/a/b/c"); !ok || got.Kind != want {
			t.Errorf("request %d: got %q, want %q", i, got.Kind, want)
		}
	}
	if got, ok := f.take("/a"); ok {
		t.Errorf("got %+v after it ran out", got)
	}
	f.clear()
	if got, ok := f.take("/a/b"); ok {
		t.Errorf("got %+v after clear", got)
	}
}
