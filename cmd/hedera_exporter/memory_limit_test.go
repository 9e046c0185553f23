// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"math"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
)

func TestMemoryLimit(t *testing.T) {
	const mib = 1 << 20
	group := func(limit uint64, err error) memlimit.Provider {
		return func() (uint64, error) { return limit, err }
	}
	unreadable := errors.New("unreadable")
	for name, test := range map[string]struct {
		provider memlimit.Provider
		before   int64 // as the runtime takes it from GOMEMLIMIT
		set      bool  // GOMEMLIMIT
		want     int64
		log      string // "" is no line
	}{
		"of the control group":      {group(1000*mib, nil), math.MaxInt64, false, 900 * mib, `level=info msg="memory limit" GOMEMLIMIT=943718400`},
		"GOMEMLIMIT has precedence": {group(1000*mib, nil), 100 * mib, true, 100 * mib, `level=info msg="memory limit" GOMEMLIMIT=104857600`},
		"none":                      {group(0, memlimit.ErrNoLimit), math.MaxInt64, false, math.MaxInt64, ""},
		"no control group":          {group(0, memlimit.ErrNoCgroup), math.MaxInt64, false, math.MaxInt64, ""},
		"unreadable":                {group(0, unreadable), math.MaxInt64, false, math.MaxInt64, "level=warn"},
	} {
		t.Run(name, func(t *testing.T) {
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(test.before))
			if test.set {
				t.Setenv("GOMEMLIMIT", "as before")
			}
			stderr := &lockedBuffer{}
			limitMemory(newBareLogger(stderr, "info", "logfmt"), memlimit.WithProvider(test.provider))
			if limit := debug.SetMemoryLimit(-1); limit != test.want {
				t.Errorf("limit %d, want %d", limit, test.want)
			}
			lines := strings.Count(stderr.String(), "\n")
			if !strings.Contains(stderr.String(), test.log) || (lines == 1) != (test.log != "") {
				t.Errorf("log %q, want %q", stderr, test.log)
			}
		})
	}
}

func TestGCPercent(t *testing.T) {
	for environment, want := range map[string]int{"": gcPercent, "100": 100} {
		defer debug.SetGCPercent(debug.SetGCPercent(100)) // as the runtime takes it from GOGC, or by default
		t.Setenv("GOGC", environment)
		limitMemory(log.NewNopLogger(), memlimit.WithProvider(func() (uint64, error) { return 0, memlimit.ErrNoLimit }))
		if percent := debug.SetGCPercent(100); percent != want {
			t.Errorf("GOGC=%q: %d, want %d", environment, percent, want)
		}
	}
}
