// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command hedera_simulator runs a local Hedera network: mirror node, consensus
// nodes and an HTTP control API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"

	"hedera_exporter/internal/simulator"
)

const (
	name = "hedera_simulator"

	restFlag     = "rest.listen-address"
	grpcFlag     = "grpc.listen-address"
	basePortFlag = "node.base-port"
)

func main() {
	logger := newLogger(os.Stderr)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], logger)
	stop()
	if err != nil {
		_ = level.Error(logger).Log("msg", "simulator failed", "err", err)
		os.Exit(1)
	}
}

func newLogger(w io.Writer) log.Logger {
	return log.With(log.NewLogfmtLogger(log.NewSyncWriter(w)), "ts", log.DefaultTimestampUTC)
}

// run serves until the context ends.
func run(ctx context.Context, args []string, logger log.Logger) error {
	var opts simulator.Options
	app := kingpin.New(name, "A local Hedera network for demos, tests and benchmarks.")
	app.Version(version.Print(name))
	app.HelpFlag.Short('h')
	app.Flag(restFlag, "Address of the mirror's REST API and of the control API under /simulator/.").
		Default("127.0.0.1:15551").StringVar(&opts.RESTAddress)
	app.Flag(grpcFlag, "Address of the mirror's gRPC API, plaintext.").
		Default("127.0.0.1:15600").StringVar(&opts.GRPCAddress)
	app.Flag(basePortFlag, "Port of the first node endpoint on 127.0.0.1, the others follow; 0 takes free ports.").
		Default("15700").IntVar(&opts.NodeBasePort)
	app.Flag("nodes", "How many nodes of the mainnet address book; 0 is all of them.").
		Default("0").IntVar(&opts.Nodes)
	app.Flag("accounts", "How many accounts from 0.0.1001 on, beside the system accounts.").
		Default("100").IntVar(&opts.Accounts)
	app.Flag("shard", "Shard of every entity.").Default("0").Int64Var(&opts.Shard)
	app.Flag("realm", "Realm of every entity.").Default("0").Int64Var(&opts.Realm)
	app.Flag("latency", "Added to every answer of the mirror's REST API.").
		Default("0s").DurationVar(&opts.Latency)
	app.Flag("consensus.delay", "From a node's answer to a transaction to consensus.").
		Default("2.5s").DurationVar(&opts.ConsensusDelay)
	app.Flag("mirror.delay", "From consensus, or the end of a block, to the mirror.").
		Default("0s").DurationVar(&opts.MirrorDelay)
	app.Flag("seed", "Accounts, blocks and certificates follow from it.").
		Default("1").Int64Var(&opts.Seed)
	app.Flag("static", "Balances and blocks change by the control API and submitted transactions only.").
		BoolVar(&opts.Static)
	app.Flag("config.accounts", "How many of the accounts --write-config lists; 0 is at most 20.").
		Default("0").IntVar(&opts.ConfigAccounts)
	app.Flag("config.well", "Have --write-config leave out what alerts fire for from the start: an unknown account, a paused token, a destroyed contract.").
		BoolVar(&opts.ConfigWell)
	app.Flag("config.canary-key", "Have --write-config ask for a canary, and write the key of its account to FILE.").
		PlaceHolder("FILE").StringVar(&opts.ConfigCanary)
	configFile := app.Flag("write-config", "Write a hedera_exporter configuration for this network to FILE.").
		PlaceHolder("FILE").String()
	if _, err := app.Parse(args); err != nil {
		return fmt.Errorf("%w, try --help", err)
	}
	if opts.ConfigCanary != "" {
		file, err := filepath.Abs(opts.ConfigCanary)
		if err != nil {
			return fmt.Errorf("--config.canary-key: %w", err)
		}
		opts.ConfigCanary = file
	}
	return serve(ctx, opts, *configFile, logger)
}

func serve(ctx context.Context, opts simulator.Options, configFile string, logger log.Logger) (err error) {
	network, err := simulator.Start(opts) //nolint:contextcheck // it runs until Close
	if err != nil {
		return nameFlag(err)
	}
	defer func() { err = errors.Join(err, network.Close()) }()

	if configFile != "" {
		if err := network.WriteExporterConfig(configFile); err != nil {
			return fmt.Errorf("--write-config: %w", err)
		}
		_ = level.Info(logger).Log("msg", "wrote exporter configuration", "file", configFile)
	}
	_ = level.Info(logger).Log("msg", "simulated network is up",
		"rest", network.URL(),
		"grpc", network.GRPCAddress(),
		"control", network.URL()+"/simulator/",
		"nodes", len(network.Nodes()),
		"accounts", len(network.AccountIDs()),
	)
	<-ctx.Done()
	_ = level.Info(logger).Log("msg", "shutting down")
	return nil
}

// nameFlag says which flag moves a port that is taken.
func nameFlag(err error) error {
	var listenErr *simulator.ListenError
	if !errors.As(err, &listenErr) {
		return err
	}
	flags := map[string]string{
		"RESTAddress":  restFlag,
		"GRPCAddress":  grpcFlag,
		"NodeBasePort": basePortFlag,
	}
	return fmt.Errorf("cannot listen on %s, choose another --%s: %w",
		listenErr.Address, flags[listenErr.Option], listenErr.Err)
}
