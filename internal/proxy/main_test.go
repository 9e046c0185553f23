// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"testing"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.VerifyTestMain(m) }
