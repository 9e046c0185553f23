// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// verdict is the part that all reports share.
type verdict struct {
	Network  string   `json:"network"`
	OK       bool     `json:"ok"`
	Problems []string `json:"problems"`
}

func newVerdict(network string, problems []string) verdict {
	if problems == nil {
		problems = []string{} // null is not a list
	}
	return verdict{Network: network, OK: len(problems) == 0, Problems: problems}
}

func (v verdict) problems() []string { return v.Problems }

// writeRow writes the cells of a row for a text/tabwriter. Names come from the
// network: what would control the terminal is replaced.
func writeRow(w io.Writer, cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.Map(printable, cell)
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

const unknownCell = "-"

func formatNumber(value *float64) string {
	if value == nil {
		return unknownCell
	}
	return strconv.FormatFloat(*value, 'f', -1, 64)
}

func formatTime(t *time.Time) string {
	if t == nil {
		return unknownCell
	}
	return t.Format(time.RFC3339)
}

func formatBool(value *bool) string {
	if value == nil {
		return unknownCell
	}
	if *value {
		return "yes"
	}
	return "no"
}
