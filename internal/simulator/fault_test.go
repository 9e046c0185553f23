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
	"strings"
	"syscall"
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
	s := startStatic(t, Options{Nodes: 1})
	if _, err := s.InjectFault(Fault{Path: "/api/v1/accounts", Kind: FaultHang}); err != nil {
		t.Fatal(err)
	}
	client := newHTTPClient(t)
	client.Timeout = 200 * time.Millisecond
	if _, err := trySend(t, client, s, http.MethodGet, "/api/v1/accounts/0.0.98", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
	s.ClearFaults()
	if got := send(t, s, http.MethodGet, "/api/v1/accounts/0.0.98", nil); got.status != 200 {
		t.Errorf("after ClearFaults: %d", got.status)
	}
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
	s := startStatic(t, Options{Nodes: 1, Latency: time.Hour})
	client := newHTTPClient(t)
	client.Timeout = 200 * time.Millisecond
	if _, err := trySend(t, client, s, http.MethodGet, "/api/v1/blocks", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("mirror: got %v, want a timeout", err)
	}
	if got := send(t, s, http.MethodGet, "/simulator/requests", nil); got.status != 200 {
		t.Errorf("control: got %d", got.status)
	}
}
