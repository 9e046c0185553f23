// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

const (
	tinybarPerHbar = 100_000_000
	maxExact       = 1 << 53 // the largest integer up to which a float64 has all of them
)

// hbar converts an amount from tinybar: 1 hbar is 100,000,000 tinybar. Beyond
// 2^53 tinybar the result is rounded to a float64's precision (FACTS.md,
// section 5), so differences are to be taken before the conversion.
func hbar(tinybar int64) float64 {
	if -maxExact <= tinybar && tinybar <= maxExact {
		return float64(tinybar) / tinybarPerHbar
	}
	// Dividing a rounded numerator would round twice.
	return float64(tinybar/tinybarPerHbar) + float64(tinybar%tinybarPerHbar)/tinybarPerHbar
}
