// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command hedera_exporter exposes what a Hedera network tells about accounts,
// nodes and itself to Prometheus.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailure     = 1   // also: something is down
	statusUsage       = 2   // a mistake on the command line
	statusInterrupted = 130 // by a signal, as shells have it for SIGINT
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := kingpin.New(exporterName, "Prometheus exporter for Hedera networks.")
	app.UsageWriter(stdout).ErrorWriter(stderr)
	app.Version(version.Print(exporterName))
	app.HelpFlag.Short('h')
	app.DefaultEnvars()
	flags := addFlags(app)

	command, err := app.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s; try --help\n", exporterName, err)
		return statusUsage
	}
	if *flags.configCheck {
		return checkConfig(flags, stdout, stderr)
	}
	switch command {
	case commandServe:
		return runServer(ctx, flags, stderr)
	case commandHealthcheck:
		return exitStatus(healthcheck(ctx, flags.healthcheck), stderr)
	}
	return runOnce(ctx, command, flags, stdout, stderr)
}

func runServer(ctx context.Context, flags *flagSet, stderr io.Writer) int {
	stderr = log.NewSyncWriter(stderr)
	logger := newLogger(stderr, *flags.logLevel, *flags.logFormat)
	err := serve(ctx, flags, logger, newSlog(stderr, *flags.logLevel, *flags.logFormat))
	if err != nil && !errors.Is(err, context.Canceled) {
		level.Error(logger).Log("msg", "stopped", "err", err)
		return statusFailure
	}
	return statusOK
}

func checkConfig(flags *flagSet, stdout, stderr io.Writer) int {
	c, err := flags.loadConfig()
	if err != nil {
		fmt.Fprintf(stderr, "%s\n", err)
		return statusFailure
	}
	accounts := 0
	for _, network := range c.Networks {
		accounts += len(network.Accounts)
	}
	fmt.Fprintf(stdout, "configuration is valid: %d networks, %d accounts\n", len(c.Networks), accounts)
	return statusOK
}
