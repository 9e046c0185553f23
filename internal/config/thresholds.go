// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"go.yaml.in/yaml/v3"
)

// Threshold is the balance below which an alert of the severity is due.
type Threshold struct {
	// Severity is info, warning or critical.
	Severity string
	Minimum  hiero.Hbar
}

// Thresholds has the configured thresholds in the order info, warning, critical.
type Thresholds []Threshold

// MarshalYAML implements [yaml.Marshaler]. Amounts are decimal numbers.
func (t Thresholds) MarshalYAML() (any, error) {
	amounts := map[string]*yaml.Node{}
	for _, threshold := range t {
		amounts[threshold.Severity] = &yaml.Node{Kind: yaml.ScalarNode, Value: formatHbar(threshold.Minimum)}
	}
	return amounts, nil
}

// severities is in the order in which a falling balance reaches them.
var severities = []string{"info", "warning", "critical"}

// thresholds reads the minimum balances, each of which must be less than the
// one of the milder severity.
func thresholds(s *section) Thresholds {
	defer s.done()
	var (
		minima   Thresholds
		lastLine int
	)
	for _, severity := range severities {
		t := Threshold{Severity: severity}
		line := read(s, severity, &t.Minimum, parseHbar)
		if line == 0 {
			continue
		}
		if n := len(minima); n > 0 && t.Minimum.AsTinybar() >= minima[n-1].Minimum.AsTinybar() {
			s.l.problem(line, "%s.%s: %s hbar must be less than the %s hbar of %s on line %d", s.path, severity,
				formatHbar(t.Minimum), formatHbar(minima[n-1].Minimum), minima[n-1].Severity, lastLine)
		}
		minima, lastLine = append(minima, t), line
	}
	return minima
}

// tinybarDecimals is log10 of the 100,000,000 tinybar of an hbar.
const tinybarDecimals = 8

const maxInt64Digits = 19

var (
	hbarForm       = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$`)
	errNegative    = errors.New("must not be negative")
	errTooPrecise  = errors.New("has more than 8 decimals, a tinybar is the eighth")
	errTooMuchHbar = errors.New("is more than an int64 of tinybar can hold")
)

// parseHbar reads a decimal amount of hbar exactly. It may have an exponent, as
// Helm writes small and large numbers.
func parseHbar(text string) (hiero.Hbar, error) {
	if strings.HasPrefix(text, "-") {
		return hiero.Hbar{}, fmt.Errorf("%q %w", text, errNegative)
	}
	m := hbarForm.FindStringSubmatch(text)
	if m == nil {
		return hiero.Hbar{}, fmt.Errorf("%q is not an amount of hbar such as 1000 or 0.5", text)
	}
	exponent, _ := strconv.Atoi(m[3]) // 0 without one
	tinybar, err := shiftPoint(m[1]+m[2], tinybarDecimals-len(m[2])+exponent)
	if err != nil {
		return hiero.Hbar{}, fmt.Errorf("%q %w", text, err)
	}
	return hiero.HbarFromTinybar(tinybar), nil
}

// shiftPoint returns the number of the digits, times 10 to the power of places.
func shiftPoint(digits string, places int) (int64, error) {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	whole := strings.TrimRight(digits, "0")
	zeros := len(digits) - len(whole) + places
	if zeros < 0 {
		return 0, errTooPrecise
	}
	if len(whole)+zeros > maxInt64Digits {
		return 0, errTooMuchHbar
	}
	n, err := strconv.ParseInt(whole+strings.Repeat("0", zeros), 10, 64)
	if err != nil {
		return 0, errTooMuchHbar
	}
	return n, nil
}

// formatHbar is the inverse of parseHbar for amounts that are not negative.
func formatHbar(amount hiero.Hbar) string {
	digits := fmt.Sprintf("%0*d", tinybarDecimals+1, amount.AsTinybar())
	point := len(digits) - tinybarDecimals
	return strings.TrimRight(strings.TrimRight(digits[:point]+"."+digits[point:], "0"), ".")
}
