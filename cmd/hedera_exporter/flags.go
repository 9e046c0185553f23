// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
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
	collectors    map[string]*bool
}

func addFlags(app *kingpin.Application) *flagSet {
	f := &flagSet{
		configFile:    app.Flag("config.file", "Configuration file; see docs/configuration.md. Without one, --network and --account say what to watch.").String(),
		configCheck:   app.Flag("config.check", "Check the configuration, print what is wrong with it, and exit.").Bool(),
		network:       app.Flag("network", "Network of the --account flags: mainnet, testnet, previewnet or one of the configuration file.").Default(defaultAccountNetwork).String(),
		accounts:      app.Flag("account", "Account to watch, as ID or ID=NAME. Repeatable.").PlaceHolder("ID[=NAME]").Strings(),
		web:           kingpinflag.AddFlags(app, defaultListenAddress),
		telemetryPath: app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default(defaultTelemetryPath).String(),
		maxRequests:   app.Flag("web.max-requests", "Maximum number of parallel scrapes; 0 is no limit.").Default(defaultMaxRequests).Int(),
		scrapeTimeout: app.Flag("scrape.timeout", "Time for a scrape that does not tell its own by X-Prometheus-Scrape-Timeout-Seconds.").Default(defaultScrapeTimeout).Duration(),
		timeoutOffset: app.Flag("scrape.timeout-offset", "Time to leave of the scrape timeout for the answer to arrive.").Default(defaultTimeoutOffset).Duration(),
		logLevel:      app.Flag("log.level", "Only log messages of this severity or above: debug, info, warn, error.").Default("info").Enum("debug", "info", "warn", "error"),
		logFormat:     app.Flag("log.format", "Format of log messages: logfmt or json.").Default("logfmt").Enum("logfmt", "json"),
		collectors:    map[string]*bool{},
	}
	for _, r := range collector.Registrations() {
		state := "false"
		if r.DefaultEnabled {
			state = "true"
		}
		f.collectors[r.Name] = app.Flag("collector."+r.Name, "Collector: "+r.Help+".").Default(state).Bool()
	}
	return f
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
