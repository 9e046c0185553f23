// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Amount is a decimal number of hbar or of whole tokens, exactly: Units divided
// by ten to the power of Decimals. It is not negative.
type Amount struct {
	Units    int64 // of hbar: tinybar
	Decimals int   // of hbar: 8
}

// String is the decimal number, without zeros at its end.
func (a Amount) String() string {
	digits := fmt.Sprintf("%0*d", a.Decimals+1, a.Units)
	point := len(digits) - a.Decimals
	return strings.TrimRight(strings.TrimRight(digits[:point]+"."+digits[point:], "0"), ".")
}

// MarshalYAML implements [yaml.Marshaler].
func (a Amount) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: a.String()}, nil
}

func (a Amount) compare(b Amount) int {
	if a.Decimals == b.Decimals {
		return cmp.Compare(a.Units, b.Units)
	}
	return a.rat().Cmp(b.rat())
}

func (a Amount) rat() *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.Decimals)), nil)
	return new(big.Rat).SetFrac(big.NewInt(a.Units), scale)
}

// unit is what an amount is of.
type unit struct {
	name     string
	decimals int // at most
	fixed    bool
	// The errors of amounts that are too precise and too great.
	errTooPrecise, errTooMuch error
}

var (
	// hbarUnit has 100,000,000 tinybar.
	hbarUnit = unit{
		name: "hbar", decimals: 8, fixed: true,
		errTooPrecise: errors.New("has more than 8 decimals, a tinybar is the eighth"),
		errTooMuch:    errors.New("is more than an int64 of tinybar can hold"),
	}
	// tokenUnit is a whole token. The network counts its smallest unit in an int64.
	tokenUnit = unit{
		name: "tokens", decimals: 18,
		errTooPrecise: errors.New("has more than 18 decimals"),
		errTooMuch:    errors.New("is more than an int64 of the token's smallest unit can hold"),
	}

	decimalForm = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$`)
	errNegative = errors.New("must not be negative")
)

// maxInt64Digits is the length of the longest int64.
const maxInt64Digits = 19

// parse reads a decimal amount exactly. It may have an exponent, as Helm writes
// small and large numbers.
func (u unit) parse(text string) (Amount, error) {
	if strings.HasPrefix(text, "-") {
		return Amount{}, fmt.Errorf("%q %w", text, errNegative)
	}
	if whole, err := strconv.ParseUint(text, 10, 32); err == nil { // as most are
		amount := Amount{Units: int64(whole)}
		for u.fixed && amount.Decimals < u.decimals {
			amount.Units, amount.Decimals = 10*amount.Units, amount.Decimals+1
		}
		return amount, nil
	}
	m := decimalForm.FindStringSubmatch(text)
	if m == nil {
		return Amount{}, fmt.Errorf("%q is not an amount of %s such as 1000 or 0.5", text, u.name)
	}
	digits := strings.TrimLeft(m[1]+m[2], "0")
	significant := strings.TrimRight(digits, "0")
	exponent, _ := strconv.Atoi(m[3]) // 0 without one
	decimals := len(m[2]) - exponent - (len(digits) - len(significant))
	if significant == "" {
		significant, decimals = "0", 0
	}
	if decimals > u.decimals {
		return Amount{}, fmt.Errorf("%q %w", text, u.errTooPrecise)
	}
	amount := Amount{Decimals: max(decimals, 0)}
	if u.fixed {
		amount.Decimals = u.decimals
	}
	zeros := amount.Decimals - decimals
	if len(significant)+zeros > maxInt64Digits {
		return Amount{}, fmt.Errorf("%q %w", text, u.errTooMuch)
	}
	var err error
	if amount.Units, err = strconv.ParseInt(significant+strings.Repeat("0", zeros), 10, 64); err != nil {
		return Amount{}, fmt.Errorf("%q %w", text, u.errTooMuch)
	}
	return amount, nil
}

var errNoBudget = errors.New("must be more than 0 hbar")

func parseBudget(text string) (Amount, error) {
	amount, err := hbarUnit.parse(text)
	if err == nil && amount.Units == 0 {
		err = fmt.Errorf("%q %w", text, errNoBudget)
	}
	return amount, err
}
