// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"
	"testing/synctest"
	"time"

	"hedera_exporter/internal/memnet"
)

// inBubble runs a test whose deadlines, backoff and latencies pass at once. It
// hands over a network in memory for the simulator and its clients.
func inBubble(t *testing.T, test func(t *testing.T, memory *memnet.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// A bubble's clock starts in 2000, when there was no Hedera.
		time.Sleep(time.Until(time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)))
		test(t, &memnet.Network{})
	})
}
