// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"hedera_exporter/internal/config"
)

// fileWatch reloads the configuration when the content of its file changes.
// Kubernetes replaces a file of a ConfigMap without a signal, and its time and
// inode say nothing.
type fileWatch struct {
	file     string
	interval time.Duration
	seen     string
}

// newFileWatch looks at the file as it is now. Call it before the file is loaded,
// so that no change in between is missed.
func newFileWatch(file string, interval time.Duration) *fileWatch {
	w := &fileWatch{file: file, interval: interval}
	w.changed()
	return w
}

// changed is true once for each content, or reason why there is none.
func (w *fileWatch) changed() bool {
	sum, err := config.Checksum(w.file)
	state := string(sum[:])
	if err != nil {
		state = err.Error()
	}
	before := w.seen
	w.seen = state
	return state != before
}

// run returns when ctx ends, or at once if there is nothing to watch.
func (w *fileWatch) run(ctx context.Context, reload func() error) {
	if w.file == "" || w.interval == 0 {
		return
	}
	ticker := time.NewTicker(w.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if w.changed() {
				_ = reload() // logged, and shown in a metric
			}
		case <-ctx.Done():
			return
		}
	}
}
