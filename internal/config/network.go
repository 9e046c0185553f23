// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// networks reads the networks of the file and adds the one of the flags.
func (l *loader) networks(s *section) []Network {
	var networks []Network
	flagged := false
	for _, e := range s.all() {
		if _, err := parseNetworkName(e.key); err != nil {
			l.problem(e.line, "%s: %w", s.path, err)
		}
		flagged = flagged || e.key == l.src.Network
		networks = append(networks, l.network(e.key, l.newSection(e.path, e.line, e.value)))
	}
	if !flagged && (len(l.src.Accounts) > 0 || len(networks) == 0) {
		networks = append(networks, l.flagNetwork()...)
	}
	slices.SortFunc(networks, func(a, b Network) int { return strings.Compare(a.Name, b.Name) })
	return networks
}

// flagNetwork is the network of the flags that the file does not have.
func (l *loader) flagNetwork() []Network {
	name := l.src.Network
	if !slices.Contains(presetNames, name) {
		l.errs.add(fmt.Sprintf("--network %q", name), 0,
			fmt.Errorf("is neither in the configuration file nor a preset%s", suggest(name, presetNames)))
		return nil
	}
	return []Network{l.network(name, l.newSection(join("networks", name), 0, nil))}
}

func (l *loader) network(name string, s *section) Network {
	defer s.done()
	n := Network{Name: name, LedgerID: presetLedgerID(name), BalanceSource: BalanceSourceMirror}
	read(s, "ledger_id", &n.LedgerID, parseLedgerID)
	read(s, "balance_source", &n.BalanceSource, parseBalanceSource)
	ids := &entityIDs{ledgerID: n.LedgerID}
	defer ids.close()

	n.Consensus = l.consensus(s.section("consensus"), ids)
	n.Mirror = l.mirror(n, s)
	n.Accounts = l.accounts(n, s, ids)
	n.Tokens = l.entities(n, s, "tokens", "id", ids.token)
	n.Topics = l.entities(n, s, topicsKey, "id", ids.topic)
	n.Contracts = l.entities(n, s, "contracts", "id", ids.contract)
	n.ScheduleCreators = l.entities(n, s, "schedules", "creator", ids.creator)
	n.Operator = l.operator(n.Name, s, ids)
	return n
}

var networkName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

func parseNetworkName(text string) (string, error) {
	if !networkName.MatchString(text) {
		return "", fmt.Errorf("the name %q may only have letters, digits, dots, hyphens and underscores", text)
	}
	return text, nil
}

func parseLedgerID(text string) (*hiero.LedgerID, error) {
	b, err := parseHex(text)
	if err != nil {
		return nil, err
	}
	return hiero.LedgerIDFromBytes(b), nil
}

func parseBalanceSource(text string) (BalanceSource, error) {
	switch source := BalanceSource(text); source {
	case BalanceSourceMirror, BalanceSourceConsensus:
		return source, nil
	}
	return "", fmt.Errorf("%q is neither mirror nor consensus", text)
}
