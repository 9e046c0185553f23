// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// targetGroup is an element of what Prometheus' http_sd_configs reads.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discoveryHandler serves the configured accounts, or the endpoints of the
// nodes, to Prometheus' http_sd_configs. It returns all of them or an error;
// after an error Prometheus keeps its current targets.
type discoveryHandler struct {
	reloader *reloader
	timeout  time.Duration
	logger   log.Logger
}

func (h discoveryHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	h.reloader.serve(w, func(rt *runtime) { h.respond(ctx, w, r, rt) })
}

func (h discoveryHandler) respond(ctx context.Context, w http.ResponseWriter, r *http.Request, rt *runtime) {
	networks, discover, err := parseDiscovery(rt, r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	groups := []targetGroup{}
	for _, network := range networks {
		found, err := discover(ctx, network)
		if err != nil {
			// The error may quote the mirror, which is not for every client.
			level.Error(h.logger).Log("msg", "service discovery failed", "network", network.Name, "err", err)
			http.Error(w, fmt.Sprintf("network %s: the address book cannot be read, see the exporter's log", network.Name), http.StatusServiceUnavailable)
			return
		}
		groups = append(groups, found...)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(groups) // strings in memory cannot fail
}

type discoverFunc func(context.Context, openNetwork) ([]targetGroup, error)

// parseDiscovery returns the networks of a query, by default all, and the
// function that discovers their targets.
func parseDiscovery(rt *runtime, query string) ([]openNetwork, discoverFunc, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, nil, fmt.Errorf("query %q: %w", cut(query), err)
	}
	names := rt.networkNames()
	if name := params.Get("network"); name != "" {
		names = []string{name}
	}
	networks := make([]openNetwork, 0, len(names))
	for _, name := range names {
		network, err := rt.network(name)
		if err != nil {
			return nil, nil, err
		}
		networks = append(networks, network)
	}
	switch kind := params.Get("kind"); kind {
	case "", "accounts":
		return networks, discoverAccounts, nil
	case "nodes":
		return networks, discoverNodes, nil
	default:
		return nil, nil, fmt.Errorf("kind %q is invalid: must be accounts or nodes", cut(kind))
	}
}

func discoverAccounts(_ context.Context, network openNetwork) ([]targetGroup, error) {
	groups := make([]targetGroup, 0, len(network.Accounts))
	for _, account := range network.Accounts {
		id := account.ID.String()
		labels := map[string]string{
			"__meta_hedera_network":      network.Name,
			"__meta_hedera_account_id":   id,
			"__meta_hedera_account_name": account.Name,
		}
		for name, value := range account.Labels {
			labels["__meta_hedera_account_label_"+name] = value
		}
		groups = append(groups, targetGroup{Targets: []string{id}, Labels: labels})
	}
	return groups, nil
}

// discoverNodes fails if there are no endpoints: Prometheus would drop all
// targets.
func discoverNodes(ctx context.Context, network openNetwork) ([]targetGroup, error) {
	endpoints, err := network.collector.AddressBook.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	if len(endpoints) == 0 {
		return nil, errors.New("the address book has no endpoints")
	}
	groups := make([]targetGroup, 0, len(endpoints))
	for _, endpoint := range endpoints {
		groups = append(groups, targetGroup{
			Targets: []string{endpoint.Address},
			Labels: map[string]string{
				"__meta_hedera_network":          network.Name,
				"__meta_hedera_node_id":          endpoint.NodeID,
				"__meta_hedera_node_account_id":  endpoint.NodeAccountID,
				"__meta_hedera_node_description": endpoint.Description,
				"__meta_hedera_node_transport":   endpoint.Transport,
			},
		})
	}
	return groups, nil
}
