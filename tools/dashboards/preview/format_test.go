// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestFormat(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		unit     string
		decimals *float64
		value    float64
		want     string
	}{
		{"currency:ℏ", nil, 50e9, "ℏ50B"},
		{"currency:ℏ", nil, -1234.5, "-ℏ1.23K"},
		{"currencyUSD", new(4.0), 0.19899, "$0.1990"},
		{"s", nil, 0.0125, "12.5 ms"},
		{"s", new(0.0), 187, "3 mins"},
		{"s", nil, 0, "0 s"},
		{"percentunit", new(1.0), 0.957, "95.7%"},
		{"suffix:×", nil, 0.042, "0.0420×"},
		{"bytes", nil, 20 * 1024 * 1024, "20 MiB"},
		{"short", nil, 21e6, "21 Mil"},
		{"dateTimeFromNow", nil, 999_820_000, "3 mins ago"},
		{"none", nil, 113531065, "113531065"},
	} {
		if got := format(c.unit, c.decimals, c.value, now); got != c.want {
			t.Errorf("%v in %s is %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}
