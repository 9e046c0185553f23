// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
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
	// shutdownTimeout is what scrapes under way get to finish; Kubernetes kills
	// after 30 s.
	shutdownTimeout = 25 * time.Second
)

// serve runs the exporter until ctx ends or a signal asks it to stop; scrapes
// under way are finished first.
func serve(ctx context.Context, flags *flagSet, logger log.Logger, webLogger *slog.Logger) error {
	level.Info(logger).Log("msg", "starting", "version", version.Info(), "build", version.BuildContext())

	registry := newRegistry()
	current := &generations{flags: flags, self: collector.NewSelf(registry), logger: logger}
	current.self.Sharded(flags.shard)
	if err := current.reload(); err != nil {
		return errors.New("the configuration is not valid")
	}
	defer current.replace(nil)

	var ready atomic.Bool
	handler, err := newHandler(flags, current, registry, &ready, logger)
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
		return shutdown(server) //nolint:contextcheck // ctx has ended; what is under way has not
	})
	group.Go(func() error {
		reloadOnHangup(ctx, current)
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

func reloadOnHangup(ctx context.Context, current *generations) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			_ = current.reload() // logged, and shown in a metric
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
