// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command hedera_exporter exports metrics of a Hedera network's accounts, nodes
// and mirror node to Prometheus.
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

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailure     = 1   // also: something is down
	statusUsage       = 2   // an error on the command line
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
	app.VersionFlag.NoEnvar()
	app.HelpFlag.Short('h').NoEnvar()
	for _, name := range []string{"help-long", "help-man", "completion-bash", "completion-script-bash", "completion-script-zsh"} {
		app.GetFlag(name).NoEnvar()
	}
	app.DefaultEnvars()
	flags := addFlags(app)

	command, err := app.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s; try --help\n", exporterName, nameFlag(app, args, err))
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
	limitMemory(logger)
	err := serve(ctx, flags, logger, newSlog(stderr, *flags.logLevel, *flags.logFormat))
	if err != nil && !errors.Is(err, context.Canceled) {
		level.Error(logger).Log("msg", "stopped", "err", err)
		return statusFailure
	}
	return statusOK
}

func checkConfig(flags *flagSet, stdout, stderr io.Writer) int {
	c, err := flags.loadConfig(true)
	if file := *flags.web.WebConfigFile; file != "" {
		if webErr := web.Validate(file); webErr != nil {
			err = errors.Join(err, fmt.Errorf("--web.config.file=%s: %w", file, webErr))
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s\n", err)
		return statusFailure
	}
	fmt.Fprintln(stdout, "configuration is valid")
	for _, network := range c.Networks {
		fmt.Fprintln(stdout, describe(network))
	}
	return statusOK
}

// maxNamed is how many accounts of a network are named.
const maxNamed = 10

// describe says what is watched on a network.
func describe(n config.Network) string {
	var accounts []string
	for _, account := range n.Accounts[:min(len(n.Accounts), maxNamed)] {
		text := account.ID.String()
		if account.Name != text {
			text += " " + account.Name
		}
		accounts = append(accounts, text)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "network %s: %d accounts", n.Name, len(n.Accounts))
	if len(accounts) > 0 {
		text.WriteString(": " + strings.Join(accounts, ", "))
	}
	if more := len(n.Accounts) - len(accounts); more > 0 {
		fmt.Fprintf(&text, " and %d more", more)
	}
	for _, list := range []struct {
		noun   string
		length int
	}{{"tokens", len(n.Tokens)}, {"topics", len(n.Topics)}, {"contracts", len(n.Contracts)}, {"schedules", len(n.ScheduleCreators)}} {
		if list.length > 0 {
			fmt.Fprintf(&text, "; %d %s", list.length, list.noun)
		}
	}
	return text.String()
}

// usageError is an error on the command line that only the configuration shows.
type usageError struct{ error }

// downError lists what is down, a line each.
type downError []string

func (e downError) Error() string { return strings.Join(e, "\n") }

// runOnce runs a command that ends by itself and returns the exit status.
func runOnce(ctx context.Context, command string, flags *flagSet, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	var output bytes.Buffer
	err := once(ctx, command, flags, &output, stderr)
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "%s: interrupted\n", exporterName)
		return statusInterrupted
	}
	if _, writeErr := stdout.Write(output.Bytes()); writeErr != nil {
		err = errors.Join(err, writeErr)
	}
	return exitStatus(err, stderr)
}

// once runs the command on its own runtime.
func once(ctx context.Context, command string, flags *flagSet, stdout, stderr io.Writer) error {
	logger := newLogger(log.NewSyncWriter(stderr), *flags.logLevel, *flags.logFormat)
	rl := &reloader{flags: flags, self: collector.NewSelf(prometheus.NewRegistry()), logger: logger}
	rt, err := rl.load()
	if err != nil {
		return err
	}
	defer rl.release(rt)
	switch command {
	case commandTextfile:
		return textfile(ctx, rt, flags.textfile)
	case commandCanary:
		return canaryOnce(ctx, rt, flags, stdout)
	}
	return runQuery(ctx, command, rt, flags, stdout, logger)
}

// exitStatus prints err, a line at a time, and returns its exit status.
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
