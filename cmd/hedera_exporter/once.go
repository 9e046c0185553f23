// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
)

// usageError is a mistake on the command line that only the configuration
// shows.
type usageError struct{ error }

// downError tells what a command found not to be as it should.
type downError []string

func (e downError) Error() string { return strings.Join(e, "\n") }

// runOnce runs a command that ends by itself and returns the exit status.
func runOnce(ctx context.Context, command string, flags *flagSet, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	progress := newProgress(stderr, command)
	var output bytes.Buffer
	err := once(ctx, command, flags, &output, progress)
	progress.stop()
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "%s: interrupted\n", exporterName)
		return statusInterrupted
	}
	if _, writeErr := stdout.Write(output.Bytes()); writeErr != nil {
		err = errors.Join(err, writeErr)
	}
	return exitStatus(err, stderr)
}

// exitStatus tells what went wrong, a line each.
func exitStatus(err error, stderr io.Writer) int {
	if err == nil {
		return statusOK
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s: %s\n", exporterName, strings.Map(printable, strings.TrimSuffix(line, "\n")))
	}
	var usage usageError
	if errors.As(err, &usage) {
		return statusUsage
	}
	return statusFailure
}

// once runs the command on a generation of its own.
func once(ctx context.Context, command string, flags *flagSet, stdout, stderr io.Writer) error {
	logger := newLogger(stderr, *flags.logLevel, *flags.logFormat)
	generation, err := (&generations{flags: flags, self: collector.NewSelf(prometheus.NewRegistry()), logger: logger}).load()
	if err != nil {
		return err
	}
	defer generation.set.Close()
	if command == commandTextfile {
		return writeTextfile(ctx, generation, flags.textfile)
	}
	network, err := generation.network(*flags.network)
	if err != nil {
		return usageError{fmt.Errorf("--network: %w", err)}
	}
	return networkQuery{flags: flags, network: network, log: logger}.run(ctx, command, stdout)
}
