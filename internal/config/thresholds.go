// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Threshold is the balance below or above which an alert of the severity is due.
type Threshold struct {
	// Severity is info, warning or critical.
	Severity string
	// Balance is of hbar, or of whole tokens.
	Balance Amount
}

// Thresholds has the configured thresholds in the order info, warning, critical.
type Thresholds []Threshold

// MarshalYAML implements [yaml.Marshaler]. Amounts are decimal numbers.
func (t Thresholds) MarshalYAML() (any, error) {
	amounts := map[string]*yaml.Node{}
	for _, threshold := range t {
		amounts[threshold.Severity] = &yaml.Node{Kind: yaml.ScalarNode, Value: threshold.Balance.String()}
	}
	return amounts, nil
}

// TokenThreshold has the minimum balances of an account in a token.
type TokenThreshold struct {
	Token   EntityID
	Minimum Thresholds
}

// TokenThresholds are in the order of their ids.
type TokenThresholds []TokenThreshold

// MarshalYAML implements [yaml.Marshaler].
func (t TokenThresholds) MarshalYAML() (any, error) {
	minima := map[string]Thresholds{}
	for _, threshold := range t {
		minima[threshold.Token.String()] = threshold.Minimum
	}
	return minima, nil
}

// severities is in the order in which a balance reaches them.
var severities = [...]string{"info", "warning", "critical"}

// minimum reads the balances that alerts are due below, each of which must be less
// than the one of the milder severity.
func minimum(s *section, u unit) Thresholds { return thresholds(s, u, "less", -1) }

// maximum reads those that alerts are due above, each of which must be more.
func maximum(s *section, u unit) Thresholds { return thresholds(s, u, "more", +1) }

func thresholds(s *section, u unit, than string, order int) Thresholds {
	if len(s.entries) == 0 {
		return nil
	}
	defer s.done()
	var (
		all      [len(severities)]Threshold
		list     = Thresholds(all[:0])
		lastLine int
	)
	for _, severity := range severities {
		t := Threshold{Severity: severity}
		line := read(s, severity, &t.Balance, u.parse)
		if line == 0 {
			continue
		}
		if n := len(list); n > 0 && t.Balance.compare(list[n-1].Balance) != order {
			s.l.problem(line, "%s.%s: %s %s must be %s than the %s %s of %s on line %d", s.path, severity,
				t.Balance, u.name, than, list[n-1].Balance, u.name, list[n-1].Severity, lastLine)
		}
		list, lastLine = append(list, t), line
	}
	if len(list) == 0 {
		return nil
	}
	return shared(s.l.sharedThresholds, all, func() Thresholds { return slices.Clone(list) }) // many accounts have the same
}

// checkMaximum reports a maximum that is not above every minimum.
func checkMaximum(s *section, minima, maxima Thresholds) {
	if len(minima) == 0 || len(maxima) == 0 {
		return
	}
	least, highest := maxima[0], minima[0]
	if least.Balance.compare(highest.Balance) <= 0 {
		entry, _ := s.take("maximum")
		s.l.problem(entry.line, "%s.%s: %s hbar must be more than the %s hbar of thresholds.%s", entry.path, least.Severity,
			least.Balance, highest.Balance, highest.Severity)
	}
}

// heldToken is a token that thresholds of an account name.
type heldToken struct {
	token EntityID
	l     *loader // of its file
	path  path
	line  int
}

// checkHeld reports tokens of which no balance is read.
func checkHeld(held []heldToken, watched []Entity) {
	ids := make(map[EntityID]bool, len(watched))
	for _, token := range watched {
		ids[token.ID] = true
	}
	for _, h := range held {
		if !ids[h.token] {
			h.l.problem(h.line, "%s: is not watched: add the token to the network's tokens, or set tokens: all for the account", h.path)
		}
	}
}

// tokenThresholds reads the minimum balances of an account in tokens.
func (r *roster) tokenThresholds(s *section, all AllTokens) TokenThresholds {
	if len(s.entries) == 0 {
		return nil
	}
	if r.mirror == nil {
		s.l.problem(s.line, "%s: %w", s.path, errNoMirror)
		return nil
	}
	var list TokenThresholds
	places := map[EntityID]place{}
	for _, e := range s.all() {
		id, err := r.ids.token(e.key)
		if err != nil {
			s.l.problem(e.line, "%s: %w", s.path, err)
			continue
		}
		minima := minimum(s.l.newSection(e.path, e.line, e.value), tokenUnit)
		if !once(s, e.key, e.line, id, places) || len(minima) == 0 {
			continue
		}
		if !all {
			r.held = append(r.held, heldToken{token: id, l: s.l, path: e.path, line: e.line})
		}
		list = append(list, TokenThreshold{Token: id, Minimum: minima})
	}
	slices.SortFunc(list, func(a, b TokenThreshold) int { return cmp.Compare(a.Token.num, b.Token.num) })
	return list
}
