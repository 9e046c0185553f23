// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads, checks and completes the exporter's configuration: the
// YAML file of docs/configuration.md and the --network and --account flags. All
// problems are reported at once, each with its line.
//
// The types have the keys of the file in the order of docs/configuration.md as
// their YAML tags, for display only (accounts come last, as they may be many): Load reads the file key by key.
package config

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
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

// String is what Write writes.
func (c *Config) String() string {
	var text strings.Builder
	if err := c.Write(&text); err != nil {
		return fmt.Sprintf("# the configuration cannot be shown: %s\n", err)
	}
	return text.String()
}

type collectorConfig struct {
	MinInterval *model.Duration `yaml:"min_interval,omitempty"`
	Exclude     []string        `yaml:"exclude,omitempty"`
}

// shownAtOnce is how many accounts are marshalled at once: the YAML library keeps
// all of a text in memory, many times over.
const shownAtOnce = 100

// Write writes the effective configuration, defaults included, as YAML for display.
// Header values and the paths of URLs are redacted.
func (c *Config) Write(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	out := yamlWriter{w: buffered}
	if len(c.MinInterval)+len(c.Exclude) > 0 {
		out.value("", map[string]any{"collectors": c.collectors()})
	}
	out.line("networks:")
	for _, n := range c.Networks {
		out.key("    ", n.Name)
		accounts := n.Accounts
		n.Accounts = nil
		out.value("        ", n)
		if len(accounts) > 0 {
			out.line("        accounts:")
		}
		for some := range slices.Chunk(accounts, shownAtOnce) {
			out.value("            ", some)
		}
	}
	if out.err != nil {
		return out.err
	}
	return buffered.Flush()
}

func (c *Config) collectors() map[string]collectorConfig {
	collectors := map[string]collectorConfig{}
	for name, interval := range c.MinInterval {
		collectors[name] = collectorConfig{MinInterval: new(model.Duration(interval))}
	}
	for name, metrics := range c.Exclude {
		shown := collectors[name]
		shown.Exclude = metrics
		collectors[name] = shown
	}
	return collectors
}

// yamlWriter writes parts of a document. It stops at the first error.
type yamlWriter struct {
	w   io.StringWriter
	err error
}

func (y *yamlWriter) line(text string) {
	if y.err == nil {
		_, y.err = y.w.WriteString(text + "\n")
	}
}

// key begins the mapping of a name.
func (y *yamlWriter) key(indent, name string) {
	text, err := yaml.Marshal(name) // quoted where it has to be
	y.err = cmp.Or(y.err, err)
	y.line(indent + strings.TrimSpace(string(text)) + ":")
}

// value writes a value, indented.
func (y *yamlWriter) value(indent string, value any) {
	text, err := yaml.Marshal(value)
	y.err = cmp.Or(y.err, err)
	for line := range strings.Lines(string(text)) {
		y.line(indent + strings.TrimSuffix(line, "\n"))
	}
}
