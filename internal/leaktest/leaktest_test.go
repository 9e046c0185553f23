// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package leaktest

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { VerifyTestMain(m) }

func TestFind(t *testing.T) {
	for left, leaks := range map[time.Duration]bool{patience / 2: false, time.Hour: true} {
		synctest.Test(t, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			go time.Sleep(left)
			if err := Find(before); (err != nil) != leaks {
				t.Errorf("a goroutine that ends after %s: %v", left, err)
			}
			time.Sleep(left) // for its end
		})
	}
}
