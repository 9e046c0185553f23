// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"runtime/debug"
	"testing"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // the tests' networks in memory make much garbage
	leaktest.VerifyTestMain(m)
}
