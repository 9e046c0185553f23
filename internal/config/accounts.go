// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// Account is a watched account.
type Account struct {
	ID EntityID `yaml:"id"`
	// Name is the id if none was given. It is unique within the network.
	Name   string `yaml:"name"`
	Labels Labels `yaml:"labels,omitempty,flow"`
	// Thresholds are of hbar, and balances below them.
	Thresholds Thresholds `yaml:"thresholds,omitempty,flow"`
	// Maximum are of hbar, and balances above them.
	Maximum Thresholds `yaml:"maximum,omitempty,flow"`
	// TokenThresholds are empty without a Mirror.
	TokenThresholds TokenThresholds `yaml:"token_thresholds,omitempty"`
	// AllTokens is whether every token relationship is watched, rather than
	// those with Network.Tokens. Like Transactions and Allowances it is false
	// without a Mirror.
	AllTokens AllTokens `yaml:"tokens"`
	// Transactions is whether the account's transactions are counted.
	Transactions bool `yaml:"transactions"`
	// Allowances is whether the allowances that the account has granted are
	// watched.
	Allowances bool `yaml:"allowances"`
	// Heartbeat is the configured maximum time between transactions; 0 if none.
	// It is only set together with Transactions.
	Heartbeat model.Duration `yaml:"heartbeat,omitempty"`
	// Budget is the most that the account is expected to pay in fees in a day; nil
	// if none. It is only set together with Transactions.
	Budget *Amount `yaml:"budget,omitempty"`
	// Cold is whether the balance is expected never to change.
	Cold bool `yaml:"cold"`
}

// AllTokens is shown as all or configured.
type AllTokens bool

// MarshalText implements [encoding.TextMarshaler].
func (a AllTokens) MarshalText() ([]byte, error) {
	if a {
		return []byte(tokensAll), nil
	}
	return []byte(tokensConfigured), nil
}

// The watched tokens of an account are either all that it is associated with
// or those configured for its network.
const (
	tokensAll        = "all"
	tokensConfigured = "configured"
)

// accounts reads the accounts of a network, those of its accounts_file, and those
// of the flags if they belong to it. Held are the tokens that have to be among those of the network.
func (l *loader) accounts(n Network, s *section, ids *entityIDs) (accounts []Account, held []heldToken) {
	r := roster{l: l, ids: ids, mirror: n.Mirror, places: newPlaces()}
	if list, ok := s.take("accounts"); ok {
		r.addList(l, list)
	}
	r.addFile(s)
	if n.Name == l.defaultNetwork {
		for _, flag := range l.src.Accounts {
			r.addFlag(flag)
		}
	}
	return r.accounts, r.held
}

// roster gathers accounts.
type roster struct {
	l        *loader
	ids      *entityIDs
	mirror   *Mirror
	accounts []Account
	held     []heldToken
	places   places
}

func (r *roster) addList(l *loader, list entry) {
	r.accounts = slices.Grow(r.accounts, l.length(list))
	for e := range l.each(list) {
		r.addSection(l.element(e, "id"))
	}
}

func (r *roster) addSection(s *section) {
	defer s.done()
	var a Account
	a.ID, a.Name = r.places.read(s, "id", r.ids.account)
	a.Labels = s.l.labels(s.section("labels"))
	a.Thresholds = minimum(s.section("thresholds"), hbarUnit)
	a.Maximum = maximum(s.section("maximum"), hbarUnit)
	checkMaximum(s, a.Thresholds, a.Maximum)
	a.AllTokens = readSwitch(r, s, "tokens", parseAllTokens)
	a.TokenThresholds = r.tokenThresholds(s.section("token_thresholds"), a.AllTokens)
	a.Transactions = readSwitch(r, s, "transactions", parseBool)
	a.Allowances = readSwitch(r, s, "allowances", parseBool)
	read(s, "cold", &a.Cold, parseBool)
	if line := read(s, "heartbeat", &a.Heartbeat, parsePositiveDuration); line > 0 && !a.Transactions {
		s.l.problem(line, "%s.heartbeat: needs transactions: true, without which the account's transactions are not watched", s.path)
	}
	a.Budget = r.budget(s, a.Transactions)
	r.accounts = append(r.accounts, a)
}

func (r *roster) budget(s *section, counted bool) *Amount {
	var budget Amount
	line := read(s, "budget", &budget, parseBudget)
	switch {
	case line == 0:
		return nil
	case !counted:
		s.l.problem(line, "%s.budget: needs transactions: true, without which the account's fees are not counted", s.path)
	}
	return &budget
}

// readSwitch reads an option that needs a mirror.
func readSwitch[T ~bool](r *roster, s *section, key string, parse func(string) (T, error)) T {
	var on T
	line := read(s, key, &on, parse)
	if bool(on) && r.mirror == nil {
		s.l.problem(line, "%s.%s: %w", s.path, key, errNoMirror)
	}
	return on
}

func parseAllTokens(text string) (AllTokens, error) {
	switch text {
	case tokensAll:
		return true, nil
	case tokensConfigured:
		return false, nil
	}
	return false, fmt.Errorf("%q is neither %s nor %s", text, tokensAll, tokensConfigured)
}

// addFlag adds the account of ID or ID=NAME.
func (r *roster) addFlag(text string) {
	where := place{where: fmt.Sprintf("--account %q", text)}
	a, err := r.parseFlag(text)
	if err != nil {
		r.l.errs.add(where.where, 0, err)
		return
	}
	r.places.ids[a.ID], r.places.names[a.Name] = where, where
	r.accounts = append(r.accounts, a)
}

func (r *roster) parseFlag(text string) (Account, error) {
	idText, name, named := strings.Cut(text, "=")
	id, err := r.ids.account(idText)
	if err != nil {
		return Account{}, err
	}
	if !named {
		name = id.String()
	}
	if _, err := parseLabel(name); err != nil {
		return Account{}, fmt.Errorf("the name %w", err)
	}
	if place, ok := r.places.ids[id]; ok {
		return Account{}, fmt.Errorf("%s is already at %s", id, place)
	}
	if place, ok := r.places.names[name]; ok {
		return Account{}, fmt.Errorf("the name %s is already at %s", name, place)
	}
	return Account{ID: id, Name: name}, nil
}
