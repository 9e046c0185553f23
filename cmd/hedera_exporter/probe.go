// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hedera_exporter/collector"
)

// probeHandler collects the accounts that a request asks for.
type probeHandler struct {
	current    *generations
	network    string // where the request names none
	maxTargets int
	timeouts   timeouts
	options    promhttp.HandlerOpts
}

func newProbeHandler(flags *flagSet, current *generations, timeouts timeouts, logger log.Logger) http.Handler {
	return probeHandler{
		current:    current,
		network:    *flags.network,
		maxTargets: *flags.maxTargets,
		timeouts:   timeouts,
		options:    promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, ErrorLog: promhttpLogger{logger}},
	}
}

func (h probeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.current, func(ctx context.Context, generation *generation) {
		network, targets, err := h.parse(generation, r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		promhttp.HandlerFor(network.collector.ProbeGatherer(ctx, targets), h.options).ServeHTTP(w, r)
	})
}

func (h probeHandler) parse(generation *generation, query string) (openNetwork, []collector.Target, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return openNetwork{}, nil, fmt.Errorf("query %q: %w", query, err)
	}
	network, err := generation.network(cmp.Or(params.Get("network"), h.network))
	if err != nil {
		return openNetwork{}, nil, err
	}
	texts := splitTargets(params["target"])
	if h.maxTargets > 0 && len(texts) > h.maxTargets {
		return openNetwork{}, nil, fmt.Errorf("%d targets are more than the %d of --probe.max-targets", len(texts), h.maxTargets)
	}
	targets, err := parseTargets(network.Network, texts)
	return network, targets, err
}

// splitTargets splits values at their commas; empty ones are none.
func splitTargets(values []string) []string {
	var texts []string
	for _, value := range values {
		for text := range strings.SplitSeq(value, ",") {
			if text = strings.TrimSpace(text); text != "" {
				texts = append(texts, text)
			}
		}
	}
	return texts
}
