// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/url"
	"strings"
	"testing"
)

func mustQuery(t *testing.T, raw string) query {
	t.Helper()
	q, err := parseQuery(&url.URL{Path: "/p", RawQuery: raw}, []string{"id", "limit", "order", "flag"})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestParseQueryRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"unknown parameter": "limit=1&nope=2",
		"101 repeats":       strings.Repeat("id=1&", 100) + "id=1",
		"bad escape":        "id=%zz",
	} {
		if _, err := parseQuery(&url.URL{RawQuery: raw}, []string{"id", "limit"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	mustQuery(t, strings.TrimSuffix(strings.Repeat("id=1&", 100), "&"))
}

func TestLimit(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		want int // 0: an error
	}{
		{"", 25},
		{"limit=7", 7},
		{"limit=100", 100},
		{"limit=101", 100},
		{"limit=9223372036854775807", 100},
		{"limit=3&limit=4", 4},
		{"limit=0", 0},
		{"limit=-1", 0},
		{"limit=x", 0},
		{"limit=", 0},
	} {
		got, err := mustQuery(t, tc.raw).limit(25, 100)
		if got != tc.want || (err == nil) != (tc.want > 0) {
			t.Errorf("%q: got %d, %v", tc.raw, got, err)
		}
	}
}

func TestOrderAndBoolean(t *testing.T) {
	if got, err := mustQuery(t, "order=DESC").order(ascending); got != descending || err != nil {
		t.Errorf("order: got %q, %v", got, err)
	}
	if _, err := mustQuery(t, "order=up").order(ascending); err == nil {
		t.Error("order=up was accepted")
	}
	if got, err := mustQuery(t, "flag=False").boolean("flag"); got || err != nil {
		t.Errorf("flag: got %t, %v", got, err)
	}
	if _, err := mustQuery(t, "flag=1").boolean("flag"); err == nil {
		t.Error("flag=1 was accepted")
	}
}

func TestFilters(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		want string // of 1 … 6
	}{
		{"", "123456"},
		{"id=3", "3"},
		{"id=eq:3&id=5", "35"},
		{"id=ne:3&id=ne:4", "1256"},
		{"id=gt:4", "56"},
		{"id=gte:4&id=lt:6", "45"},
		{"id=lte:2", "12"},
		{"id=2&id=5&id=gt:2", "5"},
	} {
		f, err := mustQuery(t, tc.raw).filters("id", parseNumber)
		if err != nil {
			t.Errorf("%q: %v", tc.raw, err)
			continue
		}
		var got strings.Builder
		for n := range int64(6) {
			if f.match(n + 1) {
				got.WriteByte('1' + byte(n))
			}
		}
		if got.String() != tc.want {
			t.Errorf("%q: matches %s, want %s", tc.raw, got.String(), tc.want)
		}
	}
	for _, raw := range []string{"id=about:3", "id=x", "id=gt:", "id=-1"} {
		if _, err := mustQuery(t, raw).filters("id", parseNumber); err == nil {
			t.Errorf("%q: no error", raw)
		}
	}
}

func TestNextLink(t *testing.T) {
	for _, tc := range []struct{ raw, order, want string }{
		{"limit=2", ascending, "/p?limit=2&id=gt:9"},
		{"", descending, "/p?id=lt:9"},
		{"id=gte:3&id=lt:20&limit=2", ascending, "/p?id=lt:20&limit=2&id=gt:9"},
		{"id=gte:3&id=lt:20&limit=2", descending, "/p?id=gte:3&limit=2&id=lt:9"},
	} {
		got := mustQuery(t, tc.raw).next(true, tc.order, "id", "9")
		if got == nil || *got != tc.want {
			t.Errorf("%q: got %v, want %s", tc.raw, got, tc.want)
		}
	}
	if got := mustQuery(t, "").next(false, ascending, "id", "9"); got != nil {
		t.Errorf("a page that is not full links to %s", *got)
	}
}
