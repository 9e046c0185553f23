// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "os"

// openToOthers is false, as modes say nothing of others here.
func openToOthers(os.FileInfo, int) bool { return false }
