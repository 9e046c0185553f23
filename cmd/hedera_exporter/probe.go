// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
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
	network    string // if the request has none
	maxTargets int
	timeouts   timeouts
	slots      *slots
	options    promhttp.HandlerOpts
}

func newProbeHandler(flags *flagSet, rl *reloader, timeouts timeouts, logger log.Logger) http.Handler {
	return probeHandler{
		reloader:   rl,
		network:    *flags.network,
		maxTargets: *flags.maxTargets,
		timeouts:   timeouts,
		slots:      newSlots(*flags.maxProbes, " (--probe.max-requests)"),
		options:    promhttpOptions(logger),
	}
}

func (h probeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.timeouts.serve(w, r, h.slots, h.reloader, func(ctx context.Context, rt *runtime) func(context.Context) {
		network, targets, err := h.parse(rt, r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return nil
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(network.collector.Probe(ctx, targets))
		promhttp.HandlerFor(boundErrors(registry), h.options).ServeHTTP(w, r)
		return nil
	})
}

func (h probeHandler) parse(rt *runtime, query string) (openNetwork, []collector.Target, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return openNetwork{}, nil, fmt.Errorf("query %q: %w", cut(query), err)
	}
	network, err := rt.network(cmp.Or(params.Get("network"), h.network))
	if err != nil {
		return openNetwork{}, nil, err
	}
	texts := splitTargets(params["target"])
	if h.maxTargets > 0 && len(texts) > h.maxTargets {
		return openNetwork{}, nil, fmt.Errorf("%d targets exceed the maximum of %d (--probe.max-targets)", len(texts), h.maxTargets)
	}
	targets, err := parseTargets(network.Network, texts)
	return network, targets, err
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
