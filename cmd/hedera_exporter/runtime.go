// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
)

// runtime is a configuration with its clients and collectors.
type runtime struct {
	config   *config.Config
	networks []collector.Network // in the order of the configuration's
	set      *collector.Set      // owns the networks
	users    sync.WaitGroup
}

func (rt *runtime) networkNames() []string {
	names := make([]string, 0, len(rt.config.Networks))
	for _, network := range rt.config.Networks {
		names = append(names, network.Name)
	}
	return names
}

// openNetwork is one network of a runtime: its configuration, and its clients.
type openNetwork struct {
	config.Network
	collector collector.Network
}

// network returns the network of that name. The error lists the names.
func (rt *runtime) network(name string) (openNetwork, error) {
	for i, network := range rt.config.Networks {
		if network.Name == name {
			return openNetwork{Network: network, collector: rt.networks[i]}, nil
		}
	}
	return openNetwork{}, fmt.Errorf("network %q is not configured; configured are: %s", name, strings.Join(rt.networkNames(), ", "))
}

// reloader hands out the current runtime and replaces it on a reload.
type reloader struct {
	flags  *flagSet
	self   *collector.Self
	logger log.Logger
	states collector.States          // outlive a reload
	dial   consensus.DialContextFunc // opens connections, in tests; nil is TCP

	reloading sync.Mutex // one reload at a time

	mu      sync.Mutex
	current *runtime
}

// reload loads the configuration. If it is invalid, the previous configuration
// stays active. Scrapes in progress finish on the runtime they started with.
func (l *reloader) reload() error {
	l.reloading.Lock()
	defer l.reloading.Unlock()

	next, err := l.load()
	l.self.Reloaded(err == nil)
	if err != nil {
		level.Error(l.logger).Log("msg", "configuration not loaded", "file", *l.flags.configFile, "err", err)
		return err
	}
	level.Info(l.logger).Log("msg", "configuration loaded", "file", *l.flags.configFile)
	l.replace(next)
	return nil
}

func (l *reloader) load() (*runtime, error) {
	c, err := l.flags.loadConfig()
	if err != nil {
		return nil, err
	}
	networks, err := newNetworks(c, l.self, &l.states, l.dial, l.logger)
	if err != nil {
		return nil, err
	}
	set, err := collector.NewSet(networks, collector.Options{
		Enabled:     l.flags.enabled,
		MinInterval: c.MinInterval,
		Shard:       l.flags.shard,
	}, l.logger)
	if err != nil {
		for _, network := range networks {
			network.Close()
		}
		return nil, err
	}
	return &runtime{config: c, networks: networks, set: set}, nil
}

// replace makes next the current runtime, nil for none, and closes the previous
// one when its last user has finished.
func (l *reloader) replace(next *runtime) {
	l.mu.Lock()
	previous := l.current
	l.current = next
	l.mu.Unlock()

	if previous == nil {
		return
	}
	previous.users.Wait()
	previous.set.Close()
	if next != nil {
		l.self.Retain(previous.networkNames(), next.networkNames())
	}
}

// acquire returns the current runtime, nil before the first and after the last.
// The caller calls release when done with it.
func (l *reloader) acquire() (current *runtime, release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil, func() {}
	}
	l.current.users.Add(1)
	return l.current, l.current.users.Done
}
