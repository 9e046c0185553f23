// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
)

func newHandler(flags *flagSet, current *generations, registry *prometheus.Registry, ready *atomic.Bool, logger log.Logger) (http.Handler, error) {
	landing, err := newLandingPage(*flags.telemetryPath)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.Handle(*flags.telemetryPath, newMetricsHandler(flags, current, registry, logger))
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { writeConfig(w, current) })
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "healthy") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { writeReadiness(w, ready) })
	reload := func(w http.ResponseWriter, _ *http.Request) { writeReload(w, current) }
	mux.HandleFunc("POST /-/reload", reload)
	mux.HandleFunc("PUT /-/reload", reload)
	return mux, nil
}

func newLandingPage(telemetryPath string) (http.Handler, error) {
	return web.NewLandingPage(web.LandingConfig{
		Name:        exporterName,
		Description: "Prometheus exporter for Hedera networks",
		Version:     version.Info(),
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: telemetryPath, Text: "Metrics", Description: "what Prometheus scrapes"},
			{Address: "/config", Text: "Configuration", Description: "the one in force, without secrets"},
			{Address: "/-/healthy", Text: "Health", Description: "is the process alive"},
			{Address: "/-/ready", Text: "Readiness", Description: "does it take scrapes"},
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

func writeReload(w http.ResponseWriter, current *generations) {
	if err := current.reload(); err != nil {
		http.Error(w, fmt.Sprintf("the former configuration stays in force:\n%s", err), http.StatusInternalServerError)
		return
	}
	writeText(w, "reloaded")
}

func writeConfig(w http.ResponseWriter, current *generations) {
	generation, release := current.acquire()
	defer release()
	if generation == nil {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	writeText(w, generation.config.String())
}
