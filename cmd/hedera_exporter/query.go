// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
)

// networkQuery asks one network once.
type networkQuery struct {
	flags   *flagSet
	network openNetwork
	log     log.Logger
}

// report is what a query has found. It marshals to the JSON of --output=json.
type report interface {
	problems() []string
	writeTable(w io.Writer)
}

// run writes nothing where ctx has ended.
func (q networkQuery) run(ctx context.Context, command string, stdout io.Writer) error {
	gather, newReport, err := q.plan(command)
	if err != nil {
		return usageError{err}
	}
	timeoutCtx, cancel := context.WithTimeout(ctx, *q.flags.query.timeout)
	defer cancel()
	result, err := scrapeOnce(gather(timeoutCtx))
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	report := newReport(q.network.Name, result.samples)
	if err := q.write(stdout, report, result.text); err != nil {
		return err
	}
	if problems := report.problems(); len(problems) > 0 {
		return downError(problems)
	}
	return nil
}

type (
	gatherFunc func(context.Context) prometheus.Gatherer
	reportFunc func(network string, samples []reading) report
)

// plan says how to ask and what to make of the answer.
func (q networkQuery) plan(command string) (gatherFunc, reportFunc, error) {
	switch command {
	case commandQueryAccount:
		gather, err := q.accounts()
		return gather, newAccountReport, err
	case commandQueryNodes:
		gather, err := q.collectors("address_book", "node_probe")
		return gather, newNodeReport, err
	default:
		gather, err := q.collectors("mirror", "blocks", "network")
		return gather, newNetworkReport, err
	}
}

func (q networkQuery) accounts() (gatherFunc, error) {
	targets, err := parseTargets(q.network.Network, *q.flags.query.accounts)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) prometheus.Gatherer {
		return q.network.collector.ProbeGatherer(ctx, targets)
	}, nil
}

// collectors are those of names that the flags leave on.
func (q networkQuery) collectors(names ...string) (gatherFunc, error) {
	options := collector.Options{Enabled: func(name string) bool { return slices.Contains(names, name) && q.flags.enabled(name) }}
	set, err := collector.NewSet([]collector.Network{q.network.collector}, options, q.log)
	if err != nil {
		return nil, err
	}
	return set.Gatherer, nil
}

func (q networkQuery) write(w io.Writer, report report, text []byte) error {
	switch *q.flags.query.output {
	case outputJSON:
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(report)
	case outputProm:
		_, err := w.Write(text)
		return err
	default:
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		report.writeTable(table)
		return table.Flush()
	}
}
