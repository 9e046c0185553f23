// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// infoSeverity is of minimums that tell something without it being a problem.
const infoSeverity = "info"

// accountReport is what query account prints.
type accountReport struct {
	verdict
	Accounts []*accountState `json:"accounts"`
}

// accountState has nil for what the network does not tell.
type accountState struct {
	AccountID   string     `json:"account_id"` // empty: the address of an unknown account
	Name        string     `json:"name"`
	State       string     `json:"state"` // ok, unknown, deleted or low
	BalanceHbar *float64   `json:"balance_hbar"`
	Expiry      *time.Time `json:"expiry"`

	deleted  bool
	minimums []minimum
}

type minimum struct {
	severity string
	hbar     float64
}

const (
	stateOK      = "ok"
	stateUnknown = "unknown"
	stateDeleted = "deleted"
	stateLow     = "low" // below a minimum
)

func newAccountReport(network string, samples []reading) report {
	r := accountReport{Accounts: newAccountStates(samples)}
	var problems []string
	for _, s := range samples {
		if s.name == "probe_success" && s.value == 0 && len(r.Accounts) == 0 {
			problems = append(problems, fmt.Sprintf("network %s could not be read", network))
		}
	}
	slices.SortStableFunc(r.Accounts, func(a, b *accountState) int {
		// Numbers without leading zeros: the shorter one is the less.
		return cmp.Or(cmp.Compare(len(a.AccountID), len(b.AccountID)), cmp.Compare(a.AccountID, b.AccountID))
	})
	for _, account := range r.Accounts {
		if problem := account.judge(); problem != "" {
			problems = append(problems, problem)
		}
	}
	r.verdict = newVerdict(network, problems)
	return r
}

func newAccountStates(samples []reading) []*accountState {
	type key struct{ id, name string }
	states := []*accountState{}
	byKey := map[key]*accountState{}
	for _, s := range samples {
		k := key{s.labels["account_id"], s.labels["name"]}
		if s.name == "hedera_account_exists" {
			byKey[k] = &accountState{AccountID: k.id, Name: k.name, State: stateOK}
			if s.value == 0 {
				byKey[k].State = stateUnknown
			}
			states = append(states, byKey[k])
		}
	}
	for _, s := range samples {
		if account := byKey[key{s.labels["account_id"], s.labels["name"]}]; account != nil {
			account.add(s)
		}
	}
	return states
}

func (a *accountState) add(s reading) {
	switch s.name {
	case "hedera_account_balance_hbar":
		a.BalanceHbar = &s.value
	case "hedera_account_balance_minimum_hbar":
		a.minimums = append(a.minimums, minimum{s.labels["severity"], s.value})
	case "hedera_account_deleted":
		a.deleted = s.value == 1
	case "hedera_account_expiry_timestamp_seconds":
		expiry := s.timestamp()
		a.Expiry = &expiry
	}
}

// judge sets the state and returns what is wrong, if anything is.
func (a *accountState) judge() string {
	switch lowest, low := a.breached(); {
	case a.State == stateUnknown:
		return a.title() + " is not known to the network"
	case a.deleted:
		a.State = stateDeleted
		return a.title() + " is deleted"
	case low:
		a.State = stateLow
		return fmt.Sprintf("%s has %s hbar, less than the %s of %s", a.title(), formatNumber(a.BalanceHbar), formatNumber(&lowest.hbar), lowest.severity)
	}
	return ""
}

// breached returns the lowest minimum that the balance is below.
func (a *accountState) breached() (lowest minimum, found bool) {
	if a.BalanceHbar == nil {
		return minimum{}, false
	}
	for _, m := range a.minimums {
		if m.severity == infoSeverity || *a.BalanceHbar >= m.hbar {
			continue
		}
		if !found || m.hbar < lowest.hbar {
			lowest, found = m, true
		}
	}
	return lowest, found
}

func (a *accountState) title() string {
	switch a.AccountID {
	case "", a.Name:
		return a.Name
	}
	return fmt.Sprintf("%s (%s)", a.AccountID, a.Name)
}

func (r accountReport) writeTable(w io.Writer) {
	writeRow(w, "ACCOUNT", "NAME", "BALANCE (HBAR)", "EXPIRES", "STATE")
	for _, account := range r.Accounts {
		id := account.AccountID
		if id == "" {
			id = unknownCell
		}
		writeRow(w, id, account.Name, formatNumber(account.BalanceHbar), formatTime(account.Expiry), account.State)
	}
}
