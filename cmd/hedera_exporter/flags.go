// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
)

const (
	exporterName          = "hedera_exporter"
	defaultListenAddress  = ":10102"
	defaultScrapeTimeout  = "10s"
	defaultTimeoutOffset  = "0.5s"
	defaultMaxRequests    = "40"
	defaultTelemetryPath  = "/metrics"
	defaultAccountNetwork = "mainnet"
	defaultMaxTargets     = "100"
	defaultQueryTimeout   = "10s"
	defaultHealthURL      = "http://127.0.0.1:10102/-/healthy"
	defaultHealthTimeout  = "3s"
)

// The commands as kingpin names them; serve needs not be given.
const (
	commandServe        = "serve"
	commandQueryAccount = "query account"
	commandQueryNetwork = "query network"
	commandQueryNodes   = "query nodes"
	commandTextfile     = "textfile"
	commandHealthcheck  = "healthcheck"
)

// Values of --output.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputProm  = "prom"
)

type flagSet struct {
	configFile    *string
	configCheck   *bool
	network       *string
	accounts      *[]string
	web           *web.FlagConfig
	telemetryPath *string
	maxRequests   *int
	scrapeTimeout *time.Duration
	timeoutOffset *time.Duration
	logLevel      *string
	logFormat     *string
	maxTargets    *int
	collectors    map[string]*bool
	shard         collector.Shard
	query         queryFlags
	textfile      textfileFlags
	healthcheck   healthcheckFlags
}

type queryFlags struct {
	accounts *[]string
	output   *string
	timeout  *time.Duration
}

type textfileFlags struct {
	path    *string
	timeout *time.Duration
}

type healthcheckFlags struct {
	url      **url.URL
	timeout  *time.Duration
	insecure *bool
}

func addFlags(app *kingpin.Application) *flagSet {
	f := &flagSet{
		configFile:    app.Flag("config.file", "Configuration file; see docs/configuration.md. Without one, --network and --account say what to watch.").String(),
		configCheck:   app.Flag("config.check", "Check the configuration, print what is wrong with it, and exit.").Bool(),
		network:       app.Flag("network", "Network of the --account flags, of query and of a /probe that names none: mainnet, testnet, previewnet or one of the configuration file.").Default(defaultAccountNetwork).String(),
		accounts:      app.Flag("account", "Account to watch, as ID or ID=NAME. Repeatable.").PlaceHolder("ID[=NAME]").Strings(),
		web:           kingpinflag.AddFlags(app, defaultListenAddress),
		telemetryPath: app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default(defaultTelemetryPath).String(),
		maxRequests:   app.Flag("web.max-requests", "Maximum number of parallel scrapes; 0 is no limit.").Default(defaultMaxRequests).Int(),
		scrapeTimeout: app.Flag("scrape.timeout", "Time for a scrape that does not tell its own by X-Prometheus-Scrape-Timeout-Seconds.").Default(defaultScrapeTimeout).Duration(),
		timeoutOffset: app.Flag("scrape.timeout-offset", "Time to leave of the scrape timeout for the answer to arrive.").Default(defaultTimeoutOffset).Duration(),
		logLevel:      app.Flag("log.level", "Only log messages of this severity or above: debug, info, warn, error.").Default("info").Enum("debug", "info", "warn", "error"),
		logFormat:     app.Flag("log.format", "Format of log messages: logfmt or json.").Default("logfmt").Enum("logfmt", "json"),
		maxTargets:    app.Flag("probe.max-targets", "Maximum number of targets of one /probe; 0 is no limit.").Default(defaultMaxTargets).Int(),
		collectors:    map[string]*bool{},
	}
	for _, r := range collector.Registrations() {
		state := "false"
		if r.DefaultEnabled {
			state = "true"
		}
		f.collectors[r.Name] = app.Flag("collector."+r.Name, "Collector: "+r.Help+".").Default(state).Bool()
	}
	f.addShard(app)
	f.addCommands(app)
	return f
}

func (f *flagSet) addShard(app *kingpin.Application) {
	ordinal := app.Flag("shard", "Which of --total-shards this exporter is, from 0: it exports its part of the accounts, and shard 0 also what is of no account.").Default("0").Int()
	total := app.Flag("total-shards", "Number of exporters with this configuration among which the accounts are divided.").Default("1").Int()
	pod := app.Flag("pod", "Name of this pod of a StatefulSet, whose number is taken for --shard.").String()
	app.Validate(func(*kingpin.Application) (err error) {
		if *pod != "" {
			if *ordinal, err = collector.PodOrdinal(*pod); err != nil {
				return fmt.Errorf("--pod: %w", err)
			}
		}
		if f.shard, err = collector.NewShard(*ordinal, *total); err != nil {
			return fmt.Errorf("--shard, --total-shards: %w", err)
		}
		return nil
	})
}

func (f *flagSet) addCommands(app *kingpin.Application) {
	app.Command(commandServe, "Serve metrics to Prometheus.").Default()

	query := app.Command("query", "Ask the network of --network once and print what it tells. The exit status is 1 when something is down.")
	f.query.output = query.Flag("output", "What to print: table, json or prom, which is Prometheus' text format.").Default(outputTable).Enum(outputTable, outputJSON, outputProm)
	f.query.timeout = query.Flag("timeout", "Time for the whole query.").Default(defaultQueryTimeout).Duration()
	f.query.accounts = query.Command("account", "Balance and state of accounts.").
		Arg("account", "Account id, EVM address or alias.").Required().Strings()
	query.Command("network", "What the collectors mirror, blocks and network tell.")
	query.Command("nodes", "Probe every endpoint of every consensus node.")

	textfile := app.Command("textfile", "Scrape once into a file for node_exporter's textfile collector.")
	f.textfile.path = textfile.Flag("output.file", "File to replace; its name must end in .prom for node_exporter to read it.").Required().String()
	f.textfile.timeout = textfile.Flag("timeout", "Time for the whole scrape.").Default(defaultQueryTimeout).Duration()

	healthcheck := app.Command(commandHealthcheck, "Ask a running exporter whether it is well, for containers that have no other program. The exit status is 1 when it is not.")
	f.healthcheck.url = healthcheck.Flag("url", "What to ask.").Default(defaultHealthURL).URL()
	f.healthcheck.timeout = healthcheck.Flag("timeout", "Time for the answer.").Default(defaultHealthTimeout).Duration()
	f.healthcheck.insecure = healthcheck.Flag("insecure-skip-verify", "Accept any certificate, such as one for another name than that in --url.").Bool()
}

func (f *flagSet) loadConfig() (*config.Config, error) {
	minIntervals := map[string]time.Duration{}
	for _, r := range collector.Registrations() {
		minIntervals[r.Name] = r.MaxMinInterval
	}
	return config.Load(config.Source{
		File:       *f.configFile,
		Network:    *f.network,
		Accounts:   *f.accounts,
		Collectors: minIntervals,
	})
}

func (f *flagSet) enabled(name string) bool { return *f.collectors[name] }
