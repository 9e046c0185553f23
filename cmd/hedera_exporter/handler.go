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
	landing, err := newLandingPage(*flags.telemetryPath, *flags.network)
	if err != nil {
		return nil, err
	}
	limited := limitInFlight(*flags.maxRequests)
	timeouts := timeouts{fallback: *flags.scrapeTimeout, offset: *flags.timeoutOffset}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.Handle(*flags.telemetryPath, limited(newMetricsHandler(current, registry, timeouts, logger)))
	mux.Handle("GET /probe", limited(newProbeHandler(flags, current, timeouts, logger)))
	mux.Handle("GET /sd", discoveryHandler{current: current, timeout: *flags.scrapeTimeout})
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { writeConfig(w, current) })
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "healthy") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { writeReadiness(w, ready) })
	reload := func(w http.ResponseWriter, _ *http.Request) { writeReload(w, current) }
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
			{Address: telemetryPath, Text: "Metrics", Description: "what Prometheus scrapes"},
			{Address: "/probe?target=0.0.98", Text: "Probe", Description: "accounts of your choice, see below"},
			{Address: "/sd", Text: "Service discovery", Description: "the configured accounts, for probes; with kind=nodes the endpoints of nodes"},
			{Address: "/config", Text: "Configuration", Description: "the one in force, without secrets"},
			{Address: "/-/healthy", Text: "Health", Description: "is the process alive"},
			{Address: "/-/ready", Text: "Readiness", Description: "does it take scrapes"},
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
