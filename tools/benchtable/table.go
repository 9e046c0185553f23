// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// row is a number of accounts in BenchmarkExporter. A goal of 0 is none.
type row struct {
	accounts                         int
	latency                          string
	concurrency                      int
	ratioGoal, cpuGoal, residentGoal float64 // as in measured

	// measured, in seconds
	scrape, bare, sdk, eth float64
	ratio                  float64 // of scrape and bare
	cpu                    float64 // µs a series
	resident               float64 // kB an account, beyond those of a process with few
}

// rows has what is measured in the rows of the table.
func (r results) rows() ([]row, error) {
	rows := []row{
		{accounts: 100, latency: "50ms", concurrency: 10, ratioGoal: 1.1},
		{accounts: 1_000, latency: "50ms", concurrency: 10, ratioGoal: 1.2, cpuGoal: 1.5},
		{accounts: 10_000, latency: "50ms", concurrency: 10, ratioGoal: 1.3, cpuGoal: 1.5, residentGoal: 4},
		{accounts: 100_000, latency: "20ms", concurrency: 50, ratioGoal: 1.5, cpuGoal: 1.5, residentGoal: 3},
	}
	few := 0.0
	for i := range rows {
		w := &rows[i]
		benchmark := fmt.Sprintf("Exporter/accounts=%d/latency=%s/concurrency=%d", w.accounts, w.latency, w.concurrency)
		for unit, value := range map[string]*float64{
			"scrape-s": &w.scrape, "bare-s": &w.bare, "sdk-s": &w.sdk, "eth-s": &w.eth,
			"scrape/bare": &w.ratio, "cpu-µs/series": &w.cpu, "resident-B": &w.resident,
		} {
			var err error
			if *value, err = r.median(benchmark, unit); err != nil {
				return nil, err
			}
		}
		if few == 0 {
			few = w.resident
		}
		w.resident = (w.resident - few) / 1000 / float64(w.accounts)
	}
	return rows, nil
}

// table is that of docs/scaling.md.
func (r results) table() (string, error) {
	rows, err := r.rows()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s cores, %s/%s, %s, version %s. A goal that is missed has its figure in bold.\n\n",
		r.config["date"], r.config["cpu"], r.config["cores"], r.config["goos"], r.config["goarch"], r.config["go"], r.config["version"])
	line(&b, "accounts", "mirror", "scrape", "bare requests", "scrape / bare", "goal", "CPU a series", "goal", "resident an account", "goal",
		"one by one, SDK", "/ scrape", "one by one, eth_getBalance", "/ scrape")
	line(&b, slices.Repeat([]string{"---"}, 14)...)
	for _, w := range rows {
		resident := "" // it is what the others are compared with
		if w.accounts > rows[0].accounts {
			resident = withGoal(w.resident, w.residentGoal, "%.2f kB")
		}
		line(&b, thousands(w.accounts), fmt.Sprintf("%s, %d at a time", w.latency, w.concurrency),
			seconds(w.scrape), seconds(w.bare),
			withGoal(w.ratio, w.ratioGoal, "%.2f"), goal(w.ratioGoal, ""),
			withGoal(w.cpu, w.cpuGoal, "%.2f µs"), goal(w.cpuGoal, " µs"),
			resident, goal(w.residentGoal, " kB"),
			seconds(w.sdk), times(w.sdk/w.scrape), seconds(w.eth), times(w.eth/w.scrape))
	}
	own, err := r.median("Write", "sec/sample")
	if err != nil {
		return "", err
	}
	registry, err := r.median("Write", "registry-sec/sample")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "\nWithout compression and without kept text, a series takes %.0f ns to be written. A registry and expfmt take %.0f ns for the same bytes, %s times as much.\n",
		own*1e9, registry*1e9, times(registry/own))
	return b.String(), nil
}

// summary is the table of README.md.
func (r results) summary() (string, error) {
	rows, err := r.rows()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line(&b, "accounts", "one scrape", "bare requests", "one by one", "one by one / scrape")
	line(&b, slices.Repeat([]string{"---"}, 5)...)
	for _, w := range rows {
		line(&b, thousands(w.accounts), seconds(w.scrape), seconds(w.bare), seconds(w.sdk), times(w.sdk/w.scrape))
	}
	return b.String(), nil
}

func line(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// withGoal is bold above the goal, as rounded.
func withGoal(value, goal float64, format string) string {
	text := fmt.Sprintf(format, value)
	if rounded, _ := strconv.ParseFloat(strings.Fields(text)[0], 64); goal > 0 && rounded > goal {
		return "**" + text + "**"
	}
	return text
}

func goal(value float64, unit string) string {
	if value == 0 {
		return ""
	}
	return fmt.Sprintf("%g%s", value, unit)
}

func seconds(value float64) string {
	switch {
	case value < 1:
		return fmt.Sprintf("%.3f s", value)
	case value < 10:
		return fmt.Sprintf("%.2f s", value)
	default:
		return fmt.Sprintf("%.0f s", value)
	}
}

// times has two digits.
func times(ratio float64) string {
	digits := math.Pow10(max(int(math.Log10(ratio))-1, 0))
	return fmt.Sprintf("%.0f", math.Round(ratio/digits)*digits)
}

// thousands has a comma between them.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
