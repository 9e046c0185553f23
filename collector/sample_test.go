// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"math/big"
	"strconv"
	"testing"
)

// TestHbarIsTheNearestFloat compares with exact rational arithmetic.
func TestHbarIsTheNearestFloat(t *testing.T) {
	amounts := []int64{0, 1, -1, 99, 123456789012, maxExact - 1, maxExact, maxExact + 1, 5e18, -5e18, 1.47e18 + 1, math.MaxInt64, math.MinInt64}
	for _, tinybar := range amounts {
		t.Run(strconv.FormatInt(tinybar, 10), func(t *testing.T) {
			exact := new(big.Rat).SetFrac64(tinybar, tinybarPerHbar)
			want, _ := exact.Float64()
			got := hbar(tinybar)
			if ulp := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want); math.Abs(got-want) > ulp {
				t.Errorf("hbar(%d) = %v, want %v within one step of %v", tinybar, got, want, ulp)
			}
			if -maxExact <= tinybar && tinybar <= maxExact && got != want {
				t.Errorf("hbar(%d) = %v, want exactly %v", tinybar, got, want)
			}
		})
	}
}
