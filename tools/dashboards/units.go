// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

const (
	hbar     = "currency:ℏ"
	usd      = units.Dollars
	seconds  = units.Seconds
	perSec   = units.OpsPerSecond
	requests = units.RequestsPerSecond
	ratio    = units.PercentUnit
	count    = units.Short
	size     = units.BytesIEC
	since    = units.DateTimeFromNow // of milliseconds
)

const (
	green  = "green"
	yellow = "yellow"
	orange = "orange"
	red    = "red"
	blue   = "blue"
	grey   = "text"
)

type steps []dashboard.Threshold

// from is a colour and then, value by value, the next ones.
func from(base string) steps {
	return steps{{Color: base}}
}

func (s steps) at(value float64, colour string) steps {
	return append(s[:len(s):len(s)], dashboard.Threshold{Value: &value, Color: colour})
}

var (
	neutral     = from(blue)
	anyIsBad    = from(green).at(1, red)
	anyIsWarn   = from(green).at(1, orange)
	zeroIsBad   = from(red).at(1, green)
	partIsBad   = from(red).at(0.000001, orange).at(1, green)
	mirrorLag   = from(green).at(30, orange).at(120, red) // as HederaMirrorLagging
	stakeUp     = from(red).at(2.0/3, orange).at(1, green)
	timeLeft    = from(red).at(86400, orange).at(7*86400, green)
	expiry      = from(red).at(7*86400, orange).at(30*86400, green)
	errorRatio  = from(green).at(0.01, orange).at(0.05, red) // the objective is 99 %
	ofBudget    = from(green).at(0.8, orange).at(1, red)
	burnRate    = from(green).at(1, orange).at(14.4, red)
	balanceOver = from(red).at(1, orange).at(2, green) // as a multiple of the minimum
)

type word struct{ text, colour string }

// words shows 0, 1 and so on as words.
func words(list ...word) []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{}
	for value, w := range list {
		options[strconv.Itoa(value)] = dashboard.ValueMappingResult{Text: &w.text, Color: &w.colour}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{
		Type:    dashboard.MappingTypeValueToText,
		Options: options,
	}}}
}

// named shows 0 and 1 as words.
func named(zero, zeroColour, one, oneColour string) []dashboard.ValueMapping {
	return words(word{zero, zeroColour}, word{one, oneColour})
}

// between shows the values of a range as a word.
func between(low, high float64, w word) dashboard.ValueMapping {
	return dashboard.ValueMapping{RangeMap: &dashboard.RangeMap{
		Type:    dashboard.MappingTypeRangeToText,
		Options: dashboard.DashboardRangeMapOptions{From: &low, To: &high, Result: dashboard.ValueMappingResult{Text: &w.text, Color: &w.colour}},
	}}
}

// Each word has a sign, for who does not tell red from green.
var (
	upOrDown = named("✗ down", red, "✓ up", green)
	yesIsBad = named("✓ no", green, "✗ yes", red)
	noIsBad  = named("✗ no", red, "✓ yes", green)

	upInPart     = append(upOrDown[:1:1], between(0.000001, 0.999999, word{"◐ in part", orange}))
	mirrorStates = words(word{"✗ down", red}, word{"✓ up", green}, word{"◐ starting", orange})
	noneIsGood   = words(word{"✓ none", green})
	allIsGood    = named("✗ none", red, "✓ all", green)
)
