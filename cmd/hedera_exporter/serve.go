// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
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

// serve runs the exporter until ctx ends or a signal stops it. Scrapes in
// progress finish first, within shutdownTimeout.
func serve(ctx context.Context, flags *flagSet, logger log.Logger, webLogger *slog.Logger) error {
	// From the start: until then, SIGHUP would end the process.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	level.Info(logger).Log("msg", "starting", "version", version.Info(), "build", version.BuildContext())

	registry := newRegistry()
	rl := &reloader{flags: flags, self: collector.NewSelf(registry), logger: logger, canaries: newCanaries(ctx)}
	rl.self.Sharded(flags.shard)
	if err := rl.reload(); err != nil {
		return errors.New("the configuration is invalid")
	}
	defer rl.close()

	var ready atomic.Bool
	handler, err := newHandler(flags, rl, registry, &ready, logger)
	if err != nil {
		return err
	}
	server := newServer(handler, newConnections(*flags.maxConnections))

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
		return shutdown(server, shutdownTimeout, logger) //nolint:contextcheck // ctx has ended; requests in progress have not
	})
	group.Go(func() error {
		rl.check(ctx)
		return nil
	})
	group.Go(func() error {
		reloadOnHangup(ctx, rl, hangup)
		return nil
	})
	group.Go(func() error {
		autoReload(ctx, *flags.autoReload, rl.filesChanged, rl.reload)
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

// newServer returns a server that no client can hold for longer than the limits.
func newServer(handler http.Handler, connections *connections) *http.Server {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		WriteTimeout:      writeTimeout, // for responses by others; connections sets its own
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	connections.watch(server)
	return server
}

// shutdown lets requests in progress finish until the timeout, and then closes
// their connections.
func shutdown(server *http.Server, timeout time.Duration, logger log.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		level.Warn(logger).Log("msg", "requests did not finish in time, closing their connections", "timeout", timeout)
		return server.Close()
	}
	return err
}

func reloadOnHangup(ctx context.Context, rl *reloader, hangup <-chan os.Signal) {
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
	landing, err := newLandingPage(flags, rl)
	if err != nil {
		return nil, err
	}
	timeouts := timeouts{fallback: *flags.scrapeTimeout, offset: *flags.timeoutOffset, rendering: new(atomic.Int64)}
	scrapes := newSlots(*flags.maxRequests, " (--web.max-requests)")
	reads := newSlots(maxReads, "").handler
	reloads := newSlots(maxReloads, "").handler
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.Handle("GET "+*flags.telemetryPath, newMetricsHandler(rl, registry, timeouts, scrapes, logger))
	mux.Handle("GET /probe", newProbeHandler(flags, rl, timeouts, logger))
	mux.Handle("GET /sd", reads(discoveryHandler{reloader: rl, timeout: *flags.scrapeTimeout, logger: logger}))
	mux.Handle("GET /config", reads(allow(*flags.enableConfig, "--web.enable-config", func(w http.ResponseWriter, _ *http.Request) { writeConfig(w, rl) })))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "healthy") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { writeReadiness(w, ready) })
	reload := reloads(allow(*flags.enableLifecycle, "--web.enable-lifecycle", func(w http.ResponseWriter, _ *http.Request) { writeReload(w, rl) }))
	mux.Handle("POST /-/reload", reload)
	mux.Handle("PUT /-/reload", reload)
	return allowHosts(*flags.allowedHosts, http.NewCrossOriginProtection().Handler(mux)), nil
}

// allow answers 403 unless the endpoint is enabled.
func allow(enabled bool, flag string, handler http.HandlerFunc) http.Handler {
	if enabled {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "disabled by --no-"+strings.TrimPrefix(flag, "--"), http.StatusForbidden)
	})
}

// allowHosts answers 403 to requests for other hosts than those, such as a
// browser's that was led here by another site's DNS entry. None is no limit.
// Liveness and readiness probes have any host and learn nothing.
func allowHosts(hosts []string, next http.Handler) http.Handler {
	if len(hosts) == 0 {
		return next
	}
	allowed := map[string]bool{}
	for _, host := range hosts {
		allowed[strings.ToLower(host)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host // without a port
		}
		if !allowed[strings.ToLower(strings.Trim(host, "[]"))] && r.URL.Path != "/-/healthy" && r.URL.Path != "/-/ready" {
			http.Error(w, fmt.Sprintf("host %q is not allowed (--web.allowed-host)", cut(host)), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// newLandingPage returns the page for the networks at the start.
func newLandingPage(flags *flagSet, rl *reloader) (http.Handler, error) {
	network := cmp.Or(rl.current.config.DefaultNetwork, rl.current.networkNames()[0])
	return web.NewLandingPage(web.LandingConfig{
		Name:        exporterName,
		Description: "Prometheus exporter for Hedera networks",
		Version:     version.Info(),
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: *flags.telemetryPath, Text: "Metrics", Description: "scraped by Prometheus"},
			{Address: "/probe?target=0.0.98&network=" + url.QueryEscape(network), Text: "Probe", Description: "accounts of your choice, see below"},
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
	fmt.Fprintln(w, text) //nolint:gosec // as plain text
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
	rl.serve(w, func(rt *runtime) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = rt.config.Write(w) // the client is gone
	})
}
