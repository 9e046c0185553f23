// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// gcPercent is the GOGC of a heap of which most is kept from scrape to scrape: a
// higher one costs memory and saves next to no CPU.
const gcPercent = 50

// limitMemory sets Go's memory limit to 90 % of the control group's, for the
// garbage collector to work harder before the kernel kills the process, and the
// collector's target. A GOMEMLIMIT or GOGC in the environment has precedence.
func limitMemory(logger log.Logger, options ...memlimit.Option) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	limit, err := memlimit.Set(options...)
	switch {
	case errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
		level.Debug(logger).Log("msg", "no memory limit", "reason", err)
	case err != nil:
		level.Warn(logger).Log("msg", "memory limit not set", "err", err)
	case limit < math.MaxInt64:
		level.Info(logger).Log("msg", "memory limit", "GOMEMLIMIT", limit)
	}
}
