// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

// autoReload calls reload when the content of a file of the configuration is no
// longer as it was when it was last loaded, or was to be loaded. Kubernetes replaces
// a file of a ConfigMap without a signal, and its time and inode say nothing. It
// returns when ctx ends, or at once without an interval.
func autoReload(ctx context.Context, interval time.Duration, changed func() bool, reload func() error) {
	if interval == 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if changed() {
				_ = reload() // logged, and shown in a metric
			}
		case <-ctx.Done():
			return
		}
	}
}
