// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// Labels are the operator's own labels of an entity, by name.
type Labels map[string]string

const (
	// maxLabelNames bounds the names of a file: each is on every entity.
	maxLabelNames = 10
	// maxLabelLength bounds names and values, in characters.
	maxLabelLength = 64
)

// reservedLabels are labels of targets, of alerts and of the exporter's other
// metrics. One of the operator's own with such a name would be lost or take the
// other's place, where rules join metrics.
var reservedLabels = []string{
	// Targets.
	"container", "endpoint", "instance", "job", "namespace", "pod", "service",
	// Alerts.
	"alertname", "alertstate", "depends_on", "severity", "subject",
	// Histograms and summaries.
	"le", "quantile",
	// Other metrics.
	"account_id", "address", "certificate_hash", "code", "collector", "contract_id", "creator_account_id", "decimals",
	"description", "direction", "evm_address", "field", "key_fingerprint", "key_type", "kind", "memo", "mirror", "name", "network",
	"node_account_id", "node_id", "period", "phase", "reason", "registered_node_id", "result", "route", "schedule_id", "spender",
	"stage", "staked_account_id", "staked_node_id", "symbol", "token_id", "token_name", "topic_id", "transaction_type",
	"transport", "treasury_account_id", "type", "version",
}

// labels reads the labels of an entity. Entities with the same labels share them.
func (l *loader) labels(s *section) Labels {
	if len(s.entries) == 0 {
		return nil
	}
	var key strings.Builder
	for _, e := range s.all() {
		if err := l.addLabelName(e.key); err != nil {
			l.problem(e.line, "%s: the label name %q %w", s.path, e.key, err)
			continue
		}
		if value, ok := parseEntry(l, e, parseLabelValue); ok {
			key.WriteString(e.key + "\x00" + value + "\x00") // neither has a control character
		}
	}
	if key.Len() == 0 {
		return nil
	}
	return shared(l.sharedLabels, key.String(), func() Labels { return splitLabels(key.String()) })
}

func splitLabels(key string) Labels {
	labels := Labels{}
	for len(key) > 0 {
		var name, value string
		name, key, _ = strings.Cut(key, "\x00")
		value, key, _ = strings.Cut(key, "\x00")
		labels[name] = value
	}
	return labels
}

// shared returns the value that all with the same key share.
func shared[K comparable, V any](known map[K]V, key K, create func() V) V {
	value, ok := known[key]
	if !ok {
		value = create()
		known[key] = value
	}
	return value
}

var (
	errLabelForm     = errors.New("may only have letters, digits and underscores, and must not begin with a digit")
	errLabelInternal = errors.New("begins with __, which is reserved for Prometheus itself")
	errLabelReserved = errors.New("is that of a label which targets, alerts or other metrics of the exporter have; choose another one")
	errLabelLength   = fmt.Errorf("is longer than %d characters", maxLabelLength)
	errLabelNames    = fmt.Errorf("is one too many: a file may have %d different ones", maxLabelNames)
)

func checkLabelName(name string) error {
	switch {
	case !model.LegacyValidation.IsValidLabelName(name):
		return errLabelForm
	case strings.HasPrefix(name, model.ReservedLabelPrefix):
		return errLabelInternal
	case len(name) > maxLabelLength:
		return errLabelLength
	case slices.Contains(reservedLabels, name):
		return errLabelReserved
	}
	return nil
}

func (l *loader) addLabelName(name string) error {
	if l.labelNames[name] {
		return nil
	}
	if err := checkLabelName(name); err != nil {
		return err
	}
	if len(l.labelNames) == maxLabelNames {
		return errLabelNames
	}
	l.labelNames[strings.Clone(name)] = true
	return nil
}

func (l *loader) sortedLabelNames() []string {
	return slices.Sorted(maps.Keys(l.labelNames))
}

func parseLabelValue(text string) (string, error) {
	if utf8.RuneCountInString(text) > maxLabelLength {
		return "", fmt.Errorf("%q %w", text, errLabelLength)
	}
	return parseLabel(text)
}
