// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// minRuns are needed for a median.
const minRuns = 5

// results are what benchmarks have measured.
type results struct {
	file   string
	values map[string][]float64 // of all runs, by benchmark without the number of cores, a space, and the unit
	config map[string]string    // of the file
}

func read(file string) (results, error) {
	content, err := os.ReadFile(file) //nolint:gosec // named on the command line
	if err != nil {
		return results{}, err
	}
	r := results{file: file, values: map[string][]float64{}, config: map[string]string{}}
	reader := benchfmt.NewReader(bytes.NewReader(content), file)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return results{}, record
		case *benchfmt.Result:
			r.add(record)
		}
	}
	return r, reader.Err()
}

func (r results) add(record *benchfmt.Result) {
	for _, config := range record.Config {
		r.config[config.Key] = string(config.Value)
	}
	name, cores, _ := strings.Cut(record.Name.String(), "-")
	r.config["cores"] = cores
	for _, value := range record.Values {
		key := name + " " + value.Unit
		r.values[key] = append(r.values[key], value.Value)
	}
}

// median is of the runs of a benchmark, as benchstat computes it.
func (r results) median(benchmark, unit string) (float64, error) {
	values := slices.Sorted(slices.Values(r.values[benchmark+" "+unit]))
	n := len(values)
	if n < minRuns {
		return 0, fmt.Errorf("%s: %d runs of %s with %s, want at least %d", r.file, n, benchmark, unit, minRuns)
	}
	return (values[n/2] + values[(n-1)/2]) / 2, nil
}
