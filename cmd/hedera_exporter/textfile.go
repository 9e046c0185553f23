// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
)

// textfile scrapes once into a file. If a collector fails, the file shows it and
// the error names it; after any other error the file is unchanged.
func textfile(ctx context.Context, rt *runtime, flags textfileFlags) error {
	timeoutCtx, cancel := context.WithTimeout(ctx, *flags.timeout)
	defer cancel()
	scrape := rt.set.Scrape(timeoutCtx)
	registry := prometheus.NewRegistry()
	registry.MustRegister(scrape, versioncollector.NewCollector(exporterName))
	err := prometheus.WriteToTextfile(*flags.path, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := registry.Gather()
		return families, errors.Join(err, ctx.Err()) // an interrupt leaves the file as it was
	}))
	if err != nil {
		return fmt.Errorf("--output.file: %w", err)
	}
	var problems downError
	for _, failure := range scrape.Failed() {
		problems = append(problems, fmt.Sprintf("network %s: collector %s failed", failure.Network, failure.Collector))
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}
