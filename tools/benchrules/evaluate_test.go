// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestReach(t *testing.T) {
	for expr, want := range map[string]time.Duration{
		`x`:                                           0,
		`x offset 1h`:                                 time.Hour,
		`max_over_time(x[5m])`:                        5 * time.Minute,
		`max_over_time(x[5m] offset 1h)`:              65 * time.Minute,
		`x unless on (a) last_over_time(x[30m])`:      30 * time.Minute,
		`max_over_time(timestamp(x)[5m:15s])`:         5 * time.Minute,
		`max_over_time(rate(x[1m])[5m:15s])`:          6 * time.Minute,
		`max_over_time((x offset 1m)[5m:] offset 1h)`: 66 * time.Minute,
	} {
		parsed, err := promQL.ParseExpr(expr)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]time.Duration{}
		addReach(got, parsed)
		if reach, read := got["x"]; !read || reach != want {
			t.Errorf("%s reaches %v back, want %s", expr, got, want)
		}
	}
}
