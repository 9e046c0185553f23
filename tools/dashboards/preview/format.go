// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// format writes a value as Grafana would in the unit.
func format(unit string, decimals *float64, value float64, now time.Time) string {
	if math.IsNaN(value) {
		return "NaN"
	}
	if symbol, is := strings.CutPrefix(unit, "currency:"); is {
		return money(symbol, decimals, value)
	}
	if suffix, is := strings.CutPrefix(unit, "suffix:"); is {
		return digits(decimals, value) + suffix
	}
	switch unit {
	case "currencyUSD":
		return money("$", decimals, value)
	case "s":
		return duration(decimals, value)
	case "percentunit":
		return digits(decimals, value*100) + "%"
	case "ops":
		return short(decimals, value) + " ops/s"
	case "reqps":
		return short(decimals, value) + " req/s"
	case "bytes":
		return scaled(decimals, value, 1024, []string{" B", " KiB", " MiB", " GiB", " TiB"})
	case "dateTimeFromNow":
		return ago(now.Sub(time.UnixMilli(int64(value))))
	case "short":
		return short(decimals, value)
	}
	return digits(decimals, value)
}

func money(symbol string, decimals *float64, value float64) string {
	sign := ""
	if value < 0 {
		sign, value = "-", -value
	}
	return sign + symbol + scaled(decimals, value, 1000, []string{"", "K", "M", "B", "T"})
}

func short(decimals *float64, value float64) string {
	return scaled(decimals, value, 1000, []string{"", " K", " Mil", " Bil", " Tri"})
}

func scaled(decimals *float64, value, base float64, suffixes []string) string {
	i := 0
	for ; math.Abs(value) >= base && i < len(suffixes)-1; i++ {
		value /= base
	}
	return digits(decimals, value) + suffixes[i]
}

// digits has the given decimals, else about three significant digits.
func digits(decimals *float64, value float64) string {
	if decimals != nil {
		return strconv.FormatFloat(value, 'f', int(*decimals), 64)
	}
	places := 0
	if size := math.Abs(value); size > 0 && size < 100 && value != math.Trunc(value) {
		places = min(2-int(math.Floor(math.Log10(size))), 8)
	}
	return strconv.FormatFloat(value, 'f', places, 64)
}

func duration(decimals *float64, value float64) string {
	steps := []struct {
		size float64
		name string
	}{{365 * 86400, " years"}, {7 * 86400, " weeks"}, {86400, " days"}, {3600, " hours"}, {60, " mins"}, {1, " s"}, {1e-3, " ms"}, {1e-6, " µs"}}
	for _, step := range steps {
		if math.Abs(value) >= step.size {
			return digits(decimals, value/step.size) + step.name
		}
	}
	return "0 s"
}

func ago(age time.Duration) string {
	if age < 0 {
		return "in " + duration(nil, math.Round(-age.Seconds()))
	}
	return fmt.Sprint(duration(new(0.0), math.Round(age.Seconds())), " ago")
}
