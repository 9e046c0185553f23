// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	defaultMaxTargets     = "100"
	defaultMaxProbes      = "10"
	defaultMaxConnections = "100"
	defaultQueryTimeout   = "10s"
	defaultHealthURL      = "http://127.0.0.1:10102/-/healthy"
	defaultHealthTimeout  = "3s"
)

// minAutoReload is the shortest time between two looks at the configuration file.
const minAutoReload = time.Second

// The commands as kingpin names them; serve is the default.
const (
	commandServe        = "serve"
	commandQueryAccount = "query account"
	commandQueryNetwork = "query network"
	commandQueryNodes   = "query nodes"
	commandTextfile     = "textfile"
	commandHealthcheck  = "healthcheck"
	commandCanary       = "canary"
)

type flagSet struct {
	configFile      *string
	configCheck     *bool
	autoReload      *time.Duration
	network         *string
	accounts        *[]string
	web             *web.FlagConfig
	telemetryPath   *string
	maxRequests     *int
	maxConnections  *int
	allowedHosts    *[]string
	enableLifecycle *bool
	enableConfig    *bool
	scrapeTimeout   *time.Duration
	timeoutOffset   *time.Duration
	logLevel        *string
	logFormat       *string
	maxTargets      *int
	maxProbes       *int
	collectors      map[string]*bool
	shard           collector.Shard
	query           queryFlags
	textfile        textfileFlags
	healthcheck     healthcheckFlags
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
		configFile:      app.Flag("config.file", "Path of the configuration file, see docs/configuration.md. Optional with --network and --account.").String(),
		configCheck:     app.Flag("config.check", "Check the configuration, print its errors and exit.").Bool(),
		autoReload:      app.Flag("config.auto-reload-interval", "Look at the content of the configuration file, and of each accounts_file in it, this often, and reload them when one has changed. Use 0 to disable.").Default("0s").Duration(),
		network:         app.Flag("network", "Network for --account, for query and for /probe requests without a network: mainnet, testnet, previewnet or a network of the configuration file. Default: the only network of the file, or mainnet.").String(),
		accounts:        app.Flag("account", "Account to monitor, as ID or ID=NAME. Repeatable.").PlaceHolder("ID[=NAME]").Strings(),
		web:             kingpinflag.AddFlags(app, defaultListenAddress),
		telemetryPath:   app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default(defaultTelemetryPath).String(),
		maxRequests:     app.Flag("web.max-requests", "Maximum number of parallel requests to the metrics path. Use 0 to disable.").Default(defaultMaxRequests).Int(),
		maxConnections:  app.Flag("web.max-connections", "Maximum number of open connections. Above it, the connection that has waited longest for its client is closed.").Default(defaultMaxConnections).Int(),
		allowedHosts:    app.Flag("web.allowed-host", "Host name or IP address by which clients may address the exporter. Repeatable; without it, any. Requests for other hosts are refused, except to /-/healthy and /-/ready.").PlaceHolder("HOST").Strings(),
		enableLifecycle: app.Flag("web.enable-lifecycle", "Enable reload by POST /-/reload. SIGHUP works in any case. Enabled by default because a reload only reads the configuration file again, and browsers cannot request it from another site.").Default("true").Bool(),
		enableConfig:    app.Flag("web.enable-config", "Enable /config, which shows the active configuration, and debug=true of /probe, which shows requests. Enabled by default because secrets are left out.").Default("true").Bool(),
		scrapeTimeout:   app.Flag("scrape.timeout", "Scrape timeout if the request has no X-Prometheus-Scrape-Timeout-Seconds header.").Default(defaultScrapeTimeout).Duration(),
		timeoutOffset:   app.Flag("scrape.timeout-offset", "Offset to subtract from the scrape timeout, so that the response arrives in time.").Default(defaultTimeoutOffset).Duration(),
		logLevel:        app.Flag("log.level", "Only log messages with the given severity or above. One of: [debug, info, warn, error]").Default("info").Enum("debug", "info", "warn", "error"),
		logFormat:       app.Flag("log.format", "Output format of log messages. One of: [logfmt, json]").Default("logfmt").Enum("logfmt", "json"),
		maxTargets:      app.Flag("probe.max-targets", "Maximum number of targets in a /probe request. Use 0 to disable.").Default(defaultMaxTargets).Int(),
		maxProbes:       app.Flag("probe.max-requests", "Maximum number of parallel requests to /probe. Use 0 to disable.").Default(defaultMaxProbes).Int(),
		collectors:      map[string]*bool{},
	}
	for _, r := range collector.Registrations() {
		state := "false"
		if r.DefaultEnabled {
			state = "true"
		}
		f.collectors[r.Name] = app.Flag("collector."+r.Name, "Enable the "+r.Name+" collector: "+r.Help+".").Default(state).Bool()
	}
	shard := f.addShard(app)
	app.Validate(func(*kingpin.Application) error {
		return cmp.Or(shard(), f.validate())
	})
	f.addCommands(app)
	return f
}

// nameFlag says in an error of kingpin's about a value which flag or environment
// variable has it.
func nameFlag(app *kingpin.Application, args []string, err error) error {
	context, _ := app.ParseContext(args)
	if context == nil {
		return err
	}
	blame := func(where string, value kingpin.Value, text string) error {
		if setErr := value.Set(text); setErr == nil || setErr.Error() != err.Error() {
			return nil
		}
		return fmt.Errorf("%s=%s: %w", where, cut(text), withoutFunction(err))
	}
	for _, element := range context.Elements {
		if flag, ok := element.Clause.(*kingpin.FlagClause); ok && element.Value != nil {
			if named := blame("--"+flag.Model().Name, flag.Model().Value, *element.Value); named != nil {
				return named
			}
		}
	}
	for _, flag := range allFlags(app.Model()) {
		for text := range strings.Lines(os.Getenv(flag.Envar)) {
			if named := blame(flag.Envar, flag.Value, strings.TrimRight(text, "\r\n")); named != nil {
				return named
			}
		}
	}
	return err
}

// withoutFunction is err without the function and the input that strconv names.
func withoutFunction(err error) error {
	var number *strconv.NumError
	if errors.As(err, &number) {
		return number.Err
	}
	return err
}

func allFlags(app *kingpin.ApplicationModel) []*kingpin.FlagModel {
	flags := slices.Clone(app.Flags)
	for _, command := range app.FlattenedCommands() {
		flags = append(flags, command.Flags...)
	}
	return flags
}

// reservedPaths are the exporter's own, besides the telemetry path.
var reservedPaths = []string{"/", "/probe", "/sd", "/config", "/-/healthy", "/-/ready", "/-/reload"}

var pathForm = regexp.MustCompile(`^/[\w./-]*$`)

func (f *flagSet) validate() error {
	switch {
	case !pathForm.MatchString(*f.telemetryPath) || path.Clean(*f.telemetryPath) != *f.telemetryPath:
		return fmt.Errorf("--web.telemetry-path: %q must be a path such as /metrics", *f.telemetryPath)
	case slices.Contains(reservedPaths, *f.telemetryPath):
		return fmt.Errorf("--web.telemetry-path: %q has another purpose", *f.telemetryPath)
	case *f.scrapeTimeout <= 0 || *f.scrapeTimeout > maxScrapeTimeout:
		return fmt.Errorf("--scrape.timeout: %s must be greater than 0 and at most %s", *f.scrapeTimeout, maxScrapeTimeout)
	case *f.timeoutOffset < 0:
		return fmt.Errorf("--scrape.timeout-offset: %s must not be negative", *f.timeoutOffset)
	case *f.autoReload != 0 && *f.autoReload < minAutoReload:
		return fmt.Errorf("--config.auto-reload-interval: %s must be 0 or at least %s", *f.autoReload, minAutoReload)
	case *f.maxConnections < 1:
		return fmt.Errorf("--web.max-connections: %d must be at least 1", *f.maxConnections)
	}
	return nil
}

// addShard returns the function that reads the flags of the shard.
func (f *flagSet) addShard(app *kingpin.Application) func() error {
	ordinal := app.Flag("shard", "Index of this shard, from 0. Each shard exports its share of the accounts; shard 0 also exports everything that is not tied to an account.").Default("0").Int()
	total := app.Flag("total-shards", "Number of shards, each an exporter with the same configuration.").Default("1").Int()
	pod := app.Flag("pod", "Name of this StatefulSet pod. Its ordinal replaces --shard.").String()
	return func() (err error) {
		if *pod != "" {
			if *ordinal, err = collector.PodOrdinal(*pod); err != nil {
				return fmt.Errorf("--pod: %w", err)
			}
		}
		if f.shard, err = collector.NewShard(*ordinal, *total); err != nil {
			return fmt.Errorf("--shard, --total-shards: %w", err)
		}
		return nil
	}
}

func (f *flagSet) addCommands(app *kingpin.Application) {
	app.Command(commandServe, "Serve metrics to Prometheus. This is the default.").Default()

	query := app.Command("query", "Query the network of --network once and print the result. The exit status is 1 if something is down.")
	f.query.output = query.Flag("output", "Output format: table, json, or prom for the Prometheus text format.").Default(outputTable).Enum(outputTable, outputJSON, outputProm)
	f.query.timeout = query.Flag("timeout", "Timeout of the query.").Default(defaultQueryTimeout).Duration()
	query.Validate(positive(f.query.timeout))
	f.query.accounts = query.Command("account", "Print balance and state of accounts.").
		Arg("account", "Account id, EVM address or alias.").Required().Strings()
	query.Command("network", "Print the state of the mirror node and the network.")
	query.Command("nodes", "Probe every endpoint of every consensus node.")

	textfile := app.Command("textfile", "Scrape once and write the metrics to a file for the textfile collector of node_exporter.")
	f.textfile.path = textfile.Flag("output.file", "File to write. node_exporter only reads names that end in .prom.").Required().String()
	f.textfile.timeout = textfile.Flag("timeout", "Timeout of the scrape.").Default(defaultQueryTimeout).Duration()
	textfile.Validate(positive(f.textfile.timeout))

	app.Command(commandCanary, "Submit one transaction to the network of --network, as its canary does, and print its stages. It costs hbar. The exit status is 1 if the canary pauses, or if the transaction does not reach every stage.").
		Flag("once", "Do it once. Required, so that nobody spends hbar by accident.").Required().Bool()

	healthcheck := app.Command(commandHealthcheck, "Check whether a running exporter is healthy, for containers without curl. The exit status is 1 if it is not.")
	f.healthcheck.url = healthcheck.Flag("url", "URL of the health endpoint.").Default(defaultHealthURL).URL()
	f.healthcheck.timeout = healthcheck.Flag("timeout", "Timeout of the check.").Default(defaultHealthTimeout).Duration()
	healthcheck.Validate(positive(f.healthcheck.timeout))
	f.healthcheck.insecure = healthcheck.Flag("insecure-skip-verify", "Accept any TLS certificate, for example one for another host name.").Bool()
}

func positive(timeout *time.Duration) kingpin.CmdClauseValidator {
	return func(*kingpin.CmdClause) error {
		if *timeout <= 0 {
			return fmt.Errorf("--timeout: %s must be greater than 0", *timeout)
		}
		return nil
	}
}

// loadConfig loads the configuration; with checkFiles it also reads the files
// that are otherwise read when they are needed.
func (f *flagSet) loadConfig(checkFiles bool) (*config.Config, error) {
	collectors := map[string]config.Collector{}
	for _, r := range collector.Registrations() {
		collectors[r.Name] = config.Collector{MaxMinInterval: r.MaxMinInterval, Metrics: r.Excludable()}
	}
	return config.Load(config.Source{
		File:       *f.configFile,
		Network:    *f.network,
		Accounts:   *f.accounts,
		CheckFiles: checkFiles,
		Collectors: collectors,
	})
}

func (f *flagSet) enabled(name string) bool { return *f.collectors[name] }
