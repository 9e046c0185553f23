// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/go-kit/log"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"golang.org/x/sync/errgroup"

	"hedera_exporter/collector"
	"hedera_exporter/internal/mirror"
)

// Values of --output.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputProm  = "prom"
)

// networkQuery queries one network once.
type networkQuery struct {
	flags   *flagSet
	network openNetwork
	log     log.Logger
}

// report is the result of a query. It marshals to the JSON of --output=json.
type report interface {
	problems() []string
	writeTable(w io.Writer)
}

func runQuery(ctx context.Context, command string, rt *runtime, flags *flagSet, stdout io.Writer, logger log.Logger) error {
	network, err := rt.network(*flags.network)
	if err != nil {
		return usageError{fmt.Errorf("--network: %w", err)}
	}
	return networkQuery{flags: flags, network: network, log: logger}.run(ctx, command, stdout)
}

// run writes nothing if ctx has ended.
func (q networkQuery) run(ctx context.Context, command string, stdout io.Writer) error {
	timeoutCtx, cancel := context.WithTimeout(ctx, *q.flags.query.timeout)
	defer cancel()
	report, samples, err := q.ask(timeoutCtx, command)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	if err := q.write(stdout, report, samples); err != nil {
		return err
	}
	if problems := report.problems(); len(problems) > 0 {
		return downError(problems)
	}
	return nil
}

// ask returns the report, and with --output=prom the samples of the collectors.
func (q networkQuery) ask(ctx context.Context, command string) (report, []byte, error) {
	switch command {
	case commandQueryAccount:
		targets, err := parseTargets(q.network.Network, *q.flags.query.accounts)
		if err != nil {
			return nil, nil, usageError{err}
		}
		probe := q.network.collector.Probe(ctx, targets)
		samples, err := q.samples(probe)
		return newAccountReport(q.network.Name, probe), samples, err
	case commandQueryNodes:
		return q.askWithCollectors(ctx, q.nodes, "address_book", "node_probe")
	default:
		return q.askWithCollectors(ctx, q.facts, "mirror", "blocks", "network")
	}
}

// askWithCollectors runs the collectors at the same time as the query, so that
// an API that hangs does not cost the other its time.
func (q networkQuery) askWithCollectors(ctx context.Context, ask func(context.Context) report, names ...string) (report, []byte, error) {
	options := collector.Options{Enabled: func(name string) bool { return slices.Contains(names, name) && q.flags.enabled(name) }}
	set, err := collector.NewSet([]collector.Network{q.network.collector}, options, q.log)
	if err != nil {
		return nil, nil, usageError{err}
	}
	var (
		group   errgroup.Group
		samples []byte
	)
	group.Go(func() (err error) {
		samples, err = q.samples(set.Scrape(ctx))
		return err
	})
	report := ask(ctx)
	return report, samples, group.Wait()
}

// samples returns nothing without --output=prom.
func (q networkQuery) samples(c prometheus.Collector) ([]byte, error) {
	if *q.flags.query.output != outputProm {
		return nil, nil
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = writeFamilies(&text, families)
	return text.Bytes(), err
}

func writeFamilies(w io.Writer, families []*dto.MetricFamily) error {
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}

func (q networkQuery) write(w io.Writer, report report, samples []byte) error {
	switch *q.flags.query.output {
	case outputJSON:
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(report)
	case outputProm:
		_, err := w.Write(samples)
		return err
	default:
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		report.writeTable(table)
		return table.Flush()
	}
}

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
// network: characters that would control the terminal are replaced.
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

func inHbar(tinybar int64) float64 {
	return hiero.HbarFromTinybar(tinybar).As(hiero.HbarUnits.Hbar)
}

func hbarOf(field mirror.Field[int64]) *float64 {
	tinybar, ok := field.Get()
	if !ok {
		return nil
	}
	return new(inHbar(tinybar))
}

func formatHbar(tinybar int64) string { return formatNumber(new(inHbar(tinybar))) }

func formatNumber(value *float64) string {
	if value == nil {
		return unknownCell
	}
	return strconv.FormatFloat(*value, 'f', -1, 64)
}

func formatInteger(value *int64) string {
	if value == nil {
		return unknownCell
	}
	return strconv.FormatInt(*value, 10)
}

// timeOf is nil for a time that never comes.
func timeOf(field mirror.Field[mirror.Timestamp]) *time.Time {
	t, ok := field.Get()
	if !ok || t.Never() {
		return nil
	}
	return new(t.Time().UTC())
}

func formatTime(t *time.Time) string {
	if t == nil {
		return unknownCell
	}
	return t.Format(time.RFC3339)
}

func formatSeconds(seconds *float64) string {
	if seconds == nil {
		return unknownCell
	}
	return time.Duration(*seconds * float64(time.Second)).Round(10 * time.Microsecond).String()
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
