// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import "testing"

func TestParseEntityID(t *testing.T) {
	for _, tc := range []struct {
		in, want string // no want: an error
	}{
		{"0.0.98", "0.0.98"},
		{"98", "0.0.98"},
		{"511.65535.274877906943", "511.65535.274877906943"},
		{"512.0.1", ""},
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
