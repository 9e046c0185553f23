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
)

// generation is one configuration at work.
type generation struct {
	config   *config.Config
	networks []collector.Network // in the order of the configuration's
	set      *collector.Set      // owns the networks
	users    sync.WaitGroup
}

func (g *generation) networkNames() []string {
	names := make([]string, 0, len(g.config.Networks))
	for _, network := range g.config.Networks {
		names = append(names, network.Name)
	}
	return names
}

// openNetwork is one network of a generation: as configured, and at work.
type openNetwork struct {
	config.Network
	collector collector.Network
}

// network returns the network of that name; the error names those there are.
func (g *generation) network(name string) (openNetwork, error) {
	for i, network := range g.config.Networks {
		if network.Name == name {
			return openNetwork{Network: network, collector: g.networks[i]}, nil
		}
	}
	return openNetwork{}, fmt.Errorf("network %q is not configured; there are: %s", name, strings.Join(g.networkNames(), ", "))
}

// generations hands out the generation in force and replaces it on a reload.
type generations struct {
	flags  *flagSet
	self   *collector.Self
	logger log.Logger
	states collector.States // outlive a reload

	reloading sync.Mutex // one reload at a time

	mu      sync.Mutex
	current *generation
}

// reload puts the configuration into force, or leaves the former one there and
// says why. Scrapes under way finish on the generation they started with.
func (g *generations) reload() error {
	g.reloading.Lock()
	defer g.reloading.Unlock()

	next, err := g.load()
	g.self.Reloaded(err == nil)
	if err != nil {
		level.Error(g.logger).Log("msg", "configuration not loaded", "file", *g.flags.configFile, "err", err)
		return err
	}
	level.Info(g.logger).Log("msg", "configuration loaded", "file", *g.flags.configFile)
	g.replace(next)
	return nil
}

func (g *generations) load() (*generation, error) {
	c, err := g.flags.loadConfig()
	if err != nil {
		return nil, err
	}
	networks, err := newNetworks(c, g.self, &g.states, g.logger)
	if err != nil {
		return nil, err
	}
	set, err := collector.NewSet(networks, collector.Options{
		Enabled:     g.flags.enabled,
		MinInterval: c.MinInterval,
		Shard:       g.flags.shard,
	}, g.logger)
	if err != nil {
		for _, network := range networks {
			network.Close()
		}
		return nil, err
	}
	return &generation{config: c, networks: networks, set: set}, nil
}

// replace puts next into force and closes the former generation once its last
// user has gone. A nil next leaves none in force.
func (g *generations) replace(next *generation) {
	g.mu.Lock()
	former := g.current
	g.current = next
	g.mu.Unlock()

	if former == nil {
		return
	}
	former.users.Wait()
	former.set.Close()
	if next != nil {
		g.self.Retain(former.networkNames(), next.networkNames())
	}
}

// acquire returns the generation in force, nil before the first and after the
// last. The caller calls release when done with it.
func (g *generations) acquire() (current *generation, release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current == nil {
		return nil, func() {}
	}
	g.current.users.Add(1)
	return g.current, g.current.users.Done
}
