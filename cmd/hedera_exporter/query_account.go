// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"hedera_exporter/collector"
)

// accountReport is the result of query account.
type accountReport struct {
	verdict
	Accounts []accountState `json:"accounts"`
}

// accountState has nil where the network returned no value.
type accountState struct {
	AccountID   string     `json:"account_id"` // empty: the address of an unknown account
	Name        string     `json:"name"`
	State       string     `json:"state"` // ok, unknown, deleted, low or high
	BalanceHbar *float64   `json:"balance_hbar"`
	Expiry      *time.Time `json:"expiry"`
}

func newAccountReport(network string, probe collector.Probe) report {
	r := accountReport{Accounts: []accountState{}}
	var problems []string
	if probe.Err != nil {
		problems = append(problems, fmt.Sprintf("network %s: %s", network, probe.Err))
	}
	slices.SortStableFunc(probe.Accounts, func(a, b collector.ProbedAccount) int {
		// Numbers without leading zeros: the shorter one is the smaller one.
		return cmp.Or(cmp.Compare(len(a.AccountID), len(b.AccountID)), cmp.Compare(a.AccountID, b.AccountID))
	})
	for _, account := range probe.Accounts {
		state := accountState{AccountID: account.AccountID, Name: account.Name, Expiry: account.Expiry}
		if account.Tinybar != nil {
			state.BalanceHbar = new(inHbar(*account.Tinybar))
		}
		var problem string
		if state.State, problem = judge(account); problem != "" {
			problems = append(problems, title(account)+": "+problem)
		}
		r.Accounts = append(r.Accounts, state)
	}
	r.verdict = newVerdict(network, problems)
	return r
}

// infoSeverity is a threshold that is no problem.
const infoSeverity = "info"

// judge returns the account's state and its problem, if there is one.
func judge(account collector.ProbedAccount) (state, problem string) {
	switch {
	case !account.Exists:
		return "unknown", "the network does not know this account"
	case account.Deleted:
		return "deleted", "the account is deleted"
	case account.Tinybar == nil:
		return "ok", ""
	}
	// The last threshold is the most severe one.
	for _, threshold := range slices.Backward(account.Thresholds) {
		if minimum := threshold.Balance.Units; threshold.Severity != infoSeverity && *account.Tinybar < minimum {
			return "low", fmt.Sprintf("balance %s hbar is below the %s threshold of %s hbar",
				formatHbar(*account.Tinybar), threshold.Severity, formatHbar(minimum))
		}
	}
	for _, threshold := range slices.Backward(account.Maximum) {
		if maximum := threshold.Balance.Units; threshold.Severity != infoSeverity && *account.Tinybar > maximum {
			return "high", fmt.Sprintf("balance %s hbar is above the %s maximum of %s hbar",
				formatHbar(*account.Tinybar), threshold.Severity, formatHbar(maximum))
		}
	}
	return "ok", ""
}

func title(account collector.ProbedAccount) string {
	switch account.AccountID {
	case "", account.Name:
		return account.Name
	}
	return fmt.Sprintf("%s (%s)", account.AccountID, account.Name)
}

func (r accountReport) writeTable(w io.Writer) {
	writeRow(w, "ACCOUNT", "NAME", "BALANCE (HBAR)", "EXPIRES", "STATE")
	for _, account := range r.Accounts {
		writeRow(w, cmp.Or(account.AccountID, unknownCell), account.Name, formatNumber(account.BalanceHbar), formatTime(account.Expiry), account.State)
	}
}
