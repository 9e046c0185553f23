// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// accounts reads the accounts of a network, and those of the flags if they
// belong to it.
func (l *loader) accounts(network string, s *section, ids *accountIDs) []Account {
	r := roster{l: l, ids: ids, idPlaces: map[hiero.AccountID]string{}, namePlaces: map[string]string{}}
	for _, e := range s.list("accounts") {
		r.addSection(l.newSection(e.path, e.line, e.value))
	}
	if network == l.src.Network {
		for _, flag := range l.src.Accounts {
			r.addFlag(flag)
		}
	}
	return r.accounts
}

// roster gathers accounts and remembers where each id and name stands, for
// neither may come twice.
type roster struct {
	l          *loader
	ids        *accountIDs
	accounts   []Account
	idPlaces   map[hiero.AccountID]string
	namePlaces map[string]string
}

func (r *roster) addSection(s *section) {
	defer s.done()
	var a Account
	idLine := required(s, "id", &a.ID, r.ids.parse)
	nameLine := read(s, "name", &a.Name, parseLabel)
	a.Thresholds = thresholds(s.section("thresholds"))
	if once(s, "id", idLine, a.ID, r.idPlaces) && nameLine == 0 {
		a.Name, nameLine = a.ID.String(), idLine
	}
	once(s, "name", nameLine, a.Name, r.namePlaces)
	r.accounts = append(r.accounts, a)
}

// addFlag adds the account of ID or ID=NAME.
func (r *roster) addFlag(text string) {
	where := fmt.Sprintf("--account %q", text)
	a, err := r.parseFlag(text)
	if err != nil {
		r.l.errs.add(where, 0, err)
		return
	}
	r.idPlaces[a.ID], r.namePlaces[a.Name] = where, where
	r.accounts = append(r.accounts, a)
}

func (r *roster) parseFlag(text string) (Account, error) {
	idText, name, named := strings.Cut(text, "=")
	id, err := r.ids.parse(idText)
	if err != nil {
		return Account{}, err
	}
	if !named {
		name = id.String()
	}
	if _, err := parseLabel(name); err != nil {
		return Account{}, fmt.Errorf("the name %w", err)
	}
	if place, ok := r.idPlaces[id]; ok {
		return Account{}, fmt.Errorf("%s is already at %s", id, place)
	}
	if place, ok := r.namePlaces[name]; ok {
		return Account{}, fmt.Errorf("the name %s is already at %s", name, place)
	}
	return Account{ID: id, Name: name}, nil
}
