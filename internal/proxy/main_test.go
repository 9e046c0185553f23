// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
