// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"regexp"

	"hedera_exporter/collector"
	"hedera_exporter/internal/config"
)

var (
	evmAddress = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
	// keyAlias is the base32 of a public key's protobuf (HIP-32), which is
	// longer than any number.
	keyAlias = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[A-Z2-7]{32,}$`)
)

var errNoTarget = errors.New("no target: name an account, such as target=0.0.98")

// parseTargets reads the targets of a probe: account ids with or without a
// checksum, EVM addresses and aliases. Repeated texts are one target. The error
// names the text that is none of them, and tells why.
func parseTargets(n config.Network, texts []string) ([]collector.Target, error) {
	if len(texts) == 0 {
		return nil, errNoTarget
	}
	targets := make([]collector.Target, 0, len(texts))
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		if seen[text] {
			continue
		}
		seen[text] = true
		target, err := parseTarget(n, text)
		if err != nil {
			return nil, fmt.Errorf("network %s: %w", n.Name, err)
		}
		targets = append(targets, target)
	}
	return targets, nil
}

func parseTarget(n config.Network, text string) (collector.Target, error) {
	if !evmAddress.MatchString(text) && !keyAlias.MatchString(text) {
		id, err := n.ParseAccountID(text)
		return collector.Target{Text: text, ID: id}, err
	}
	if n.BalanceSource == config.BalanceSourceConsensus {
		return collector.Target{}, fmt.Errorf("%q is an alias or EVM address, which only a mirror node can look up, and balance_source is consensus: give the shard.realm.num", text)
	}
	return collector.Target{Text: text}, nil
}
