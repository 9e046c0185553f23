// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads, checks and completes the exporter's configuration: the
// YAML file of docs/configuration.md and the --network and --account flags. All
// problems are reported at once, each with its line.
//
// The types have the keys of the file in the order of docs/configuration.md as
// their YAML tags, for display only: Load reads the file key by key.
package config

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Config is a complete, checked configuration. It is never changed after Load
// has returned it, so it may be shared between goroutines.
type Config struct {
	// Networks is sorted by name and has at least one element.
	Networks []Network
	// DefaultNetwork is the network that is meant where none is named; empty if
	// there are several, and none is mainnet or given by --network.
	DefaultNetwork string
	// MinInterval holds the configured min_interval by collector.
	MinInterval map[string]time.Duration
	// Exclude holds the names of the metrics that are left out, by collector.
	Exclude map[string][]string
	// Files are those of the configuration, to be watched for changes.
	Files Files
	// LabelNames are the names of the labels of all entities, sorted.
	LabelNames []string
}

// String is the effective configuration, defaults included, as YAML for
// display. Header values and the paths of URLs are redacted.
func (c *Config) String() string {
	out, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Sprintf("# the configuration cannot be shown: %s\n", err)
	}
	return string(out)
}

type collectorConfig struct {
	MinInterval *model.Duration `yaml:"min_interval,omitempty"`
	Exclude     []string        `yaml:"exclude,omitempty"`
}

// MarshalYAML implements [yaml.Marshaler].
func (c Config) MarshalYAML() (any, error) {
	collectors := map[string]collectorConfig{}
	for name, interval := range c.MinInterval {
		collectors[name] = collectorConfig{MinInterval: new(model.Duration(interval))}
	}
	for name, metrics := range c.Exclude {
		shown := collectors[name]
		shown.Exclude = metrics
		collectors[name] = shown
	}
	networks := map[string]Network{}
	for _, n := range c.Networks {
		networks[n.Name] = n
	}
	return struct {
		Collectors map[string]collectorConfig `yaml:"collectors,omitempty"`
		Networks   map[string]Network         `yaml:"networks"`
	}{collectors, networks}, nil
}
