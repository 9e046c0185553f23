// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"testing"
	"time"
)

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
