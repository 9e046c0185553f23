// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import "testing"

func TestReadBook(t *testing.T) {
	for _, tc := range []struct{ count, want int }{{0, 29}, {1, 1}, {29, 29}, {30, -1}, {-1, -1}} {
		entries, err := readBook(tc.count)
		if tc.want < 0 {
			if err == nil {
				t.Errorf("%d nodes: no error", tc.count)
			}
			continue
		}
		if err != nil || len(entries) != tc.want {
			t.Errorf("%d nodes: got %d, %v", tc.count, len(entries), err)
		}
	}
}
