//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// processors is the time of all processors since the start, in ticks.
type processors struct{ total, busy, ours float64 }

// processors reads it from proc(5).
func (e *environment) processors() processors {
	e.t.Helper()
	var p processors
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		e.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(content), "\n")
	// user nice system idle iowait irq softirq steal; guests are in the first two.
	// Interrupts are of nobody, and may be ours.
	for i, field := range strings.Fields(line)[1:9] {
		p.total += e.ticks(field)
		if i < 3 || i == 7 {
			p.busy += e.ticks(field)
		}
	}
	for _, pid := range []int{os.Getpid(), e.command.Process.Pid, e.network.Process.Pid} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			e.t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(content), ") ")
		fields := strings.Fields(after)
		p.ours += e.ticks(fields[11]) + e.ticks(fields[12]) // utime and stime
	}
	return p
}

func (e *environment) ticks(field string) float64 {
	e.t.Helper()
	ticks, err := strconv.ParseFloat(field, 64)
	if err != nil {
		e.t.Fatal(err)
	}
	return ticks
}

// othersSince is the part of the processors that other programs, or other machines
// on the same processors, have had.
func (p processors) othersSince(before processors) float64 {
	return (p.busy - before.busy - (p.ours - before.ours)) / (p.total - before.total)
}
