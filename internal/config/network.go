// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// Network is one Hedera network and what is watched on it.
type Network struct {
	Name string `yaml:"-"`
	// Shard and Realm are those of all configured ids; 0 without any.
	Shard uint64 `yaml:"-"`
	Realm uint64 `yaml:"-"`
	// LedgerID is nil for a private network without ledger_id.
	LedgerID *hiero.LedgerID `yaml:"-"`
	// Mirror is nil only with BalanceSourceConsensus and static Consensus.Nodes.
	Mirror        *Mirror       `yaml:"mirror,omitempty"`
	Consensus     Consensus     `yaml:"consensus"`
	BalanceSource BalanceSource `yaml:"balance_source"`
	// Accounts has the accounts of the file first, then those of accounts_file, then
	// those of the flags.
	Accounts []Account `yaml:"accounts,omitempty"`
	// Tokens, Topics, Contracts and ScheduleCreators are empty without a Mirror.
	Tokens    []Entity   `yaml:"tokens,omitempty"`
	Topics    []Topic    `yaml:"topics,omitempty"`
	Contracts []Contract `yaml:"contracts,omitempty"`
	// ScheduleCreators are the accounts whose pending schedules are watched.
	ScheduleCreators []ScheduleCreator `yaml:"schedules,omitempty"`
	// Canary is nil if the exporter submits nothing.
	Canary *Canary `yaml:"canary,omitempty"`
}

// MarshalYAML implements [yaml.Marshaler].
func (n Network) MarshalYAML() (any, error) {
	type plain Network // without this method
	shown := struct {
		LedgerID string `yaml:"ledger_id,omitempty"`
		plain    `yaml:",inline"`
	}{plain: plain(n)}
	if n.LedgerID != nil {
		shown.LedgerID = "0x" + hex.EncodeToString(n.LedgerID.ToBytes())
	}
	return shown, nil
}

// BalanceSource says where a network's balances are read.
type BalanceSource string

const (
	// BalanceSourceMirror asks the mirror node's REST API.
	BalanceSourceMirror BalanceSource = "mirror"
	// BalanceSourceConsensus sends CryptoGetBalance to consensus nodes, which
	// the public networks no longer answer (docs/hedera.md 2.1).
	BalanceSourceConsensus BalanceSource = "consensus"
)

// networks reads the networks of the file and adds the one of the flags.
func (l *loader) networks(s *section) []Network {
	var networks []Network
	l.setDefaultNetwork(s)
	for _, e := range s.all() {
		if _, err := parseNetworkName(e.key); err != nil {
			l.problem(e.line, "%s: %w", s.path, err)
		}
		networks = append(networks, l.network(e.key, l.newSection(e.path, e.line, e.value)))
	}
	if len(s.entries) == 0 || !s.has(l.defaultNetwork) && len(l.src.Accounts) > 0 {
		networks = append(networks, l.flagNetwork()...)
	}
	slices.SortFunc(networks, func(a, b Network) int { return strings.Compare(a.Name, b.Name) })
	return networks
}

// setDefaultNetwork determines which network the flags are about, given the
// networks of the file.
func (l *loader) setDefaultNetwork(s *section) {
	switch name := l.src.Network; {
	case name != "":
		l.defaultNetwork = name
		if len(s.entries) > 0 && !s.has(name) && len(l.src.Accounts) == 0 {
			l.errs.add(fmt.Sprintf("--network %q", name), 0, fmt.Errorf("is not in %s, and there is no --account for it%s", l.src.File, suggest(name, s.keys())))
		}
	case len(s.entries) == 0 || s.has(mainnet):
		l.defaultNetwork = mainnet
	case len(s.entries) == 1:
		l.defaultNetwork = s.entries[0].key
	}
}

// flagNetwork is the network of the flags that the file does not have.
func (l *loader) flagNetwork() []Network {
	name := l.defaultNetwork
	if name == "" {
		l.errs.add("--account", 0, fmt.Errorf("needs --network, as %s has several networks and mainnet is not one of them", l.src.File))
		return nil
	}
	if !slices.Contains(presetNames, name) {
		l.errs.add(fmt.Sprintf("--network %q", name), 0,
			fmt.Errorf("is neither in the configuration file nor a preset%s", suggest(name, presetNames)))
		return nil
	}
	return []Network{l.network(name, l.newSection(path{parent: &path{key: "networks"}, key: name}, 0, nil))}
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
	var held []heldToken
	n.Accounts, held = l.accounts(n, s, ids)
	n.Tokens = entities(l, n, s, "tokens", "id", ids.token, Entity.read)
	checkHeld(held, n.Tokens)
	n.Topics = entities(l, n, s, "topics", "id", ids.topic, Topic.read)
	n.Contracts = entities(l, n, s, "contracts", "id", ids.contract, Contract.read)
	n.ScheduleCreators = entities(l, n, s, "schedules", "creator", ids.creator, ScheduleCreator.read)
	n.Canary = l.canary(n, s, ids)
	s.refuse("the operator is one of the canary; move the key below canary, or remove it", "operator_id", "operator_key", "operator_key_file")
	n.Shard, n.Realm = ids.first.shard, ids.first.realm
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
