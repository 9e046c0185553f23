// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"

// hbar converts an amount from tinybar: 1 hbar is 100,000,000 tinybar. Amounts
// above 2^53 tinybar are rounded to a float64's precision (FACTS.md, section 5),
// so differences are to be taken before the conversion.
func hbar(tinybar int64) float64 {
	return hiero.HbarFromTinybar(tinybar).As(hiero.HbarUnits.Hbar)
}
