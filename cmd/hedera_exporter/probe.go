// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
)

// probeHandler collects the accounts that a request names.
type probeHandler struct {
	reloader   *reloader
	maxTargets int
	showDebug  bool // whether debug=true is allowed
	timeouts   timeouts
	slots      *slots
	options    promhttp.HandlerOpts
}

func newProbeHandler(flags *flagSet, rl *reloader, timeouts timeouts, logger log.Logger) http.Handler {
	return probeHandler{
		reloader:   rl,
		maxTargets: *flags.maxTargets,
		showDebug:  *flags.enableConfig,
		timeouts:   timeouts,
		slots:      newSlots(*flags.maxProbes, " (--probe.max-requests)"),
		options:    promhttpOptions(logger),
	}
}

func (h probeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.slots, h.reloader, func(ctx context.Context, rt *runtime) func(context.Context) {
		p, err := h.parse(rt, r.URL.RawQuery)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
			return nil
		case p.debug && !h.showDebug:
			http.Error(w, "debug=true is disabled by --no-web.enable-config", http.StatusForbidden)
			return nil
		case p.debug:
			new(debugProbe).run(ctx, w, p.network.collector, p.targets)
			return nil
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(p.network.collector.Probe(ctx, p.targets))
		promhttp.HandlerFor(boundErrors(registry), h.options).ServeHTTP(w, r)
		return nil
	})
}

// probeRequest is what a request asks for.
type probeRequest struct {
	network openNetwork
	targets []collector.Target
	debug   bool
}

func (h probeHandler) parse(rt *runtime, query string) (probeRequest, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return probeRequest{}, fmt.Errorf("query %q: %w", cut(query), err)
	}
	var p probeRequest
	if p.network, err = rt.network(params.Get("network")); err != nil {
		return p, err
	}
	if p.debug, err = parseDebug(params.Get("debug")); err != nil {
		return p, err
	}
	texts := splitTargets(params["target"])
	if h.maxTargets > 0 && len(texts) > h.maxTargets {
		return p, fmt.Errorf("%d targets exceed the maximum of %d (--probe.max-targets)", len(texts), h.maxTargets)
	}
	p.targets, err = parseTargets(p.network.Network, texts)
	return p, err
}

// splitTargets splits values at commas and drops empty ones.
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

var (
	evmAddress = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
	// keyAlias is the base32 of a public key's protobuf (HIP-32), which is
	// longer than any number.
	keyAlias = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[A-Z2-7]{32,}$`)
)

// maxTargetLength bounds a target, which becomes a label value. The longest are
// aliases of 58 characters with shard and realm.
const maxTargetLength = 100

var errNoTarget = errors.New("target parameter is missing, for example target=0.0.98")

// parseTargets parses the targets of a probe: account ids with or without a
// checksum, EVM addresses and aliases. Repeated texts are one target. The error
// quotes the text that is invalid.
func parseTargets(n config.Network, texts []string) ([]collector.Target, error) {
	if len(texts) == 0 {
		return nil, errNoTarget
	}
	targets := make([]collector.Target, 0, len(texts))
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		if seen[text] {
			continue
		}
		seen[text] = true
		if len(text) > maxTargetLength {
			return nil, fmt.Errorf("target %q is longer than %d characters", cut(text), maxTargetLength)
		}
		target, err := parseTarget(n, text)
		if err != nil {
			return nil, fmt.Errorf("network %s: %w", n.Name, err)
		}
		targets = append(targets, target)
	}
	return targets, nil
}

func parseTarget(n config.Network, text string) (collector.Target, error) {
	if !evmAddress.MatchString(text) && !keyAlias.MatchString(text) {
		id, err := n.ParseAccountID(text)
		return collector.Target{Text: text, ID: id}, err
	}
	if n.BalanceSource == config.BalanceSourceConsensus {
		return collector.Target{}, fmt.Errorf("%q is an alias or EVM address, which needs a mirror node, but balance_source is consensus: use shard.realm.num", text)
	}
	return collector.Target{Text: text}, nil
}
