// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"

	"hedera_exporter/collector"
)

const (
	readHeaderTimeout = 10 * time.Second
	// shutdownTimeout is for scrapes in progress to finish; Kubernetes kills
	// after 30 s.
	shutdownTimeout = 25 * time.Second
)

// serve runs the exporter until ctx ends or a signal stops it; scrapes in
// progress finish first.
func serve(ctx context.Context, flags *flagSet, logger log.Logger, webLogger *slog.Logger) error {
	level.Info(logger).Log("msg", "starting", "version", version.Info(), "build", version.BuildContext())

	registry := newRegistry()
	rl := &reloader{flags: flags, self: collector.NewSelf(registry), logger: logger}
	rl.self.Sharded(flags.shard)
	if err := rl.reload(); err != nil {
		return errors.New("the configuration is invalid")
	}
	defer rl.replace(nil)

	var ready atomic.Bool
	handler, err := newHandler(flags, rl, registry, &ready, logger)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout}

	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		ready.Store(true)
		return ignoreClosed(web.ListenAndServe(server, flags.web, webLogger))
	})
	group.Go(func() error {
		<-ctx.Done()
		stop() // a second signal ends the process at once
		ready.Store(false)
		level.Info(logger).Log("msg", "shutting down")
		return shutdown(server) //nolint:contextcheck // ctx has ended; requests in progress have not
	})
	group.Go(func() error {
		reloadOnHangup(ctx, rl)
		return nil
	})
	return group.Wait()
}

func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		versioncollector.NewCollector(exporterName),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	return server.Shutdown(ctx)
}

func reloadOnHangup(ctx context.Context, rl *reloader) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			_ = rl.reload() // logged, and shown in a metric
		case <-ctx.Done():
			return
		}
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func newHandler(flags *flagSet, rl *reloader, registry *prometheus.Registry, ready *atomic.Bool, logger log.Logger) (http.Handler, error) {
	landing, err := newLandingPage(*flags.telemetryPath, *flags.network)
	if err != nil {
		return nil, err
	}
	limited := limitInFlight(*flags.maxRequests)
	timeouts := timeouts{fallback: *flags.scrapeTimeout, offset: *flags.timeoutOffset}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.Handle(*flags.telemetryPath, limited(newMetricsHandler(rl, registry, timeouts, logger)))
	mux.Handle("GET /probe", limited(newProbeHandler(flags, rl, timeouts, logger)))
	mux.Handle("GET /sd", discoveryHandler{reloader: rl, timeout: *flags.scrapeTimeout})
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { writeConfig(w, rl) })
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "healthy") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { writeReadiness(w, ready) })
	reload := func(w http.ResponseWriter, _ *http.Request) { writeReload(w, rl) }
	mux.HandleFunc("POST /-/reload", reload)
	mux.HandleFunc("PUT /-/reload", reload)
	return mux, nil
}

func newLandingPage(telemetryPath, network string) (http.Handler, error) {
	return web.NewLandingPage(web.LandingConfig{
		Name:        exporterName,
		Description: "Prometheus exporter for Hedera networks",
		Version:     version.Info(),
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: telemetryPath, Text: "Metrics", Description: "scraped by Prometheus"},
			{Address: "/probe?target=0.0.98", Text: "Probe", Description: "accounts of your choice, see below"},
			{Address: "/sd", Text: "Service discovery", Description: "configured accounts, for probes; with kind=nodes the endpoints of the nodes"},
			{Address: "/config", Text: "Configuration", Description: "the active configuration, without secrets"},
			{Address: "/-/healthy", Text: "Health", Description: "liveness"},
			{Address: "/-/ready", Text: "Readiness", Description: "ready for scrapes"},
		},
		Form: web.LandingForm{
			Action: "/probe",
			Inputs: []web.LandingFormInput{
				{Label: "Target", Type: "text", Name: "target", Placeholder: "0.0.98", Value: "0.0.98"},
				{Label: "Network", Type: "text", Name: "network", Placeholder: network, Value: network},
			},
		},
	})
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, text)
}

func writeReadiness(w http.ResponseWriter, ready *atomic.Bool) {
	if !ready.Load() {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	writeText(w, "ready")
}

func writeReload(w http.ResponseWriter, rl *reloader) {
	if err := rl.reload(); err != nil {
		http.Error(w, fmt.Sprintf("the previous configuration stays active:\n%s", err), http.StatusInternalServerError)
		return
	}
	writeText(w, "reloaded")
}

func writeConfig(w http.ResponseWriter, rl *reloader) {
	rt, release := rl.acquire()
	defer release()
	if rt == nil {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	writeText(w, rt.config.String())
}
