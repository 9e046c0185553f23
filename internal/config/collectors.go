// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

// collectors reads min_interval by collector.
func (l *loader) collectors(s *section) map[string]time.Duration {
	intervals := map[string]time.Duration{}
	known := slices.Collect(maps.Keys(l.src.Collectors))
	for _, e := range s.all() {
		longest, ok := l.src.Collectors[e.key]
		if !ok {
			l.problem(e.line, "%s: unknown collector %q%s", s.path, e.key, suggest(e.key, known))
			continue
		}
		l.collector(l.newSection(e.path, e.line, e.value), e.key, longest, intervals)
	}
	return intervals
}

func (l *loader) collector(s *section, name string, longest time.Duration, intervals map[string]time.Duration) {
	defer s.done()
	var interval model.Duration
	line := read(s, "min_interval", &interval, parseDuration)
	if line == 0 {
		return
	}
	if err := checkInterval(time.Duration(interval), longest); err != nil {
		l.problem(line, "%s.min_interval: %w", s.path, err)
		return
	}
	intervals[name] = time.Duration(interval)
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
