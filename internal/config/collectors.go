// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// collectors reads the settings of the collectors into cfg.
func (l *loader) collectors(s *section, cfg *Config) {
	known := slices.Collect(maps.Keys(l.src.Collectors))
	for _, e := range s.all() {
		c, ok := l.src.Collectors[e.key]
		if !ok {
			l.problem(e.line, "%s: unknown collector %q%s", s.path, e.key, suggest(e.key, known))
			continue
		}
		settings := l.newSection(e.path, e.line, e.value)
		l.minInterval(settings, e.key, c.MaxMinInterval, cfg)
		if excluded := l.exclude(settings, e.key, c.Metrics); len(excluded) > 0 {
			cfg.Exclude[e.key] = excluded
		}
		settings.done()
	}
}

func (l *loader) minInterval(s *section, name string, longest time.Duration, cfg *Config) {
	var interval model.Duration
	line := read(s, "min_interval", &interval, parseDuration)
	if line == 0 {
		return
	}
	if err := checkInterval(time.Duration(interval), longest); err != nil {
		l.problem(line, "%s.min_interval: %w", s.path, err)
		return
	}
	cfg.MinInterval[name] = time.Duration(interval)
}

// exclude returns the names of the metrics that are left out, sorted. Known are
// those of the collector by the names that the file may use.
func (l *loader) exclude(s *section, name string, known map[string]string) []string {
	var metrics []string
	places := map[string]place{}
	for _, e := range s.list("exclude") {
		metric, ok := parseEntry(l, e, func(text string) (string, error) {
			if metric, ok := known[text]; ok {
				return metric, nil
			}
			return "", fmt.Errorf("%q is no metric of the collector %s; these are: %s", text, name, shortest(known))
		})
		if ok && once(s, "exclude", e.line, metric, places) {
			metrics = append(metrics, metric)
		}
	}
	slices.Sort(metrics)
	return metrics
}

// shortest lists the shortest name of each metric.
func shortest(known map[string]string) string {
	short := map[string]string{}
	for name, metric := range known {
		if other, ok := short[metric]; !ok || len(name) < len(other) {
			short[metric] = name
		}
	}
	return strings.Join(slices.Sorted(maps.Values(short)), ", ")
}

func checkInterval(interval, longest time.Duration) error {
	if interval <= longest {
		return nil
	}
	if longest == 0 {
		return fmt.Errorf("must be 0s: this collector reads the network on every scrape")
	}
	return fmt.Errorf("%s is too long: values would be stale after %s", model.Duration(interval), model.Duration(longest))
}
