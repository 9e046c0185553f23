// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"time"

	"github.com/go-kit/log/level"
)

const (
	// remindInterval is how often a failure that goes on is logged.
	remindInterval = time.Hour
	// maxReasons bounds the reasons that are remembered.
	maxReasons = 50
)

// failureLog logs the failures of one thing that is done again and again: the
// first, the first for another reason, each reason once an hour while it goes on
// or comes back, and the end of what was logged. The others are logged at level
// debug. The zero value is ready.
type failureLog struct {
	mu       sync.Mutex
	told     map[string]time.Time // by reason, when it was logged
	since    time.Time            // of the failures in progress; zero without
	failures int                  // since then
	open     bool                 // one of these was logged
}

// failed logs a failure. What says what has failed.
func (f *failureLog) failed(logger Logger, what string, err error, keyvals ...any) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures == 0 {
		f.since = now
	}
	f.failures++
	log := level.Debug(logger)
	reason := Reason(err)
	if at, told := f.told[reason]; !told || now.Sub(at) >= remindInterval {
		if f.told == nil || len(f.told) >= maxReasons {
			f.told = map[string]time.Time{}
		}
		f.told[reason] = now
		f.open = true
		log = level.Error(logger)
	}
	if f.failures > 1 {
		keyvals = append(keyvals, "failures", f.failures, "since", f.since.UTC().Format(time.RFC3339))
	}
	log.Log(append(append([]any{"msg", what + " failed"}, keyvals...), "err", err)...)
}

// succeeded logs the end of failures.
func (f *failureLog) succeeded(logger Logger, what string, keyvals ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures == 0 {
		return
	}
	log := level.Debug(logger)
	if f.open {
		log = level.Info(logger)
	}
	log.Log(append([]any{"msg", what + " works again"}, append(keyvals, "failures", f.failures, "since", f.since.UTC().Format(time.RFC3339))...)...)
	f.failures, f.open = 0, false
}
