// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
)

const textfileMode = 0o644 // node_exporter runs as another user

// writeTextfile scrapes once into a file. Where a collector fails the file
// says so, and so does the error; after any other error the former file is left
// as it was.
func writeTextfile(ctx context.Context, generation *generation, flags textfileFlags) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(versioncollector.NewCollector(exporterName))

	timeoutCtx, cancel := context.WithTimeout(ctx, *flags.timeout)
	defer cancel()
	result, err := scrapeOnce(prometheus.Gatherers{generation.set.Gatherer(timeoutCtx), registry})
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	if err := replaceFile(*flags.path, result.text); err != nil {
		return fmt.Errorf("--output.file: %w", err)
	}
	if problems := failedCollectors(result.samples); len(problems) > 0 {
		return downError(problems)
	}
	return nil
}

// replaceFile replaces a file as a whole or leaves it alone, whatever happens
// meanwhile.
func replaceFile(path string, content []byte) error {
	// node_exporter reads *.prom, which the random end of this name is not.
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".")
	if err != nil {
		return err
	}
	err = errors.Join(fill(file, content), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// fill returns once the content is on the disk.
func fill(file *os.File, content []byte) error {
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := file.Chmod(textfileMode); err != nil {
		return err
	}
	return file.Sync()
}
