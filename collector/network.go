// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"time"
	"unicode/utf8"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

// Network is what the collectors of one network work with.
type Network struct {
	Name     string
	Accounts []Account
	Log      Logger

	Tokens           []Entity
	Topics           []Entity
	Contracts        []Entity
	ScheduleCreators []Entity // accounts whose pending schedules are watched

	State       *State                   // never nil
	Mirror      *mirror.Client           // nil: the network has no mirror node
	AddressBook *AddressBook             // never nil
	Prober      *consensus.Prober        // never nil
	Balances    *consensus.BalanceClient // nil: balances come from the mirror

	MirrorGRPC *consensus.AddressBookClient // nil: the mirror has no gRPC

	accountsOnly bool // another shard exports what is of no account
}

// Account is an account that the operator watches.
type Account struct {
	ID       hiero.AccountID
	Name     string // the operator's own
	Minimums []Minimum

	AllTokens    bool // every token relationship, not only those of Network.Tokens
	Transactions bool // count the account's transactions
	Allowances   bool // watch the allowances that the account has granted

	Heartbeat time.Duration // longest time between transactions; 0: not configured
	Cold      bool          // the balance is meant not to change
}

// Entity is a token, topic, contract or account that the operator watches.
type Entity struct {
	ID   string // shard.realm.num
	Name string // the operator's own; the id where none was given
	// Heartbeat is the longest time between a topic's messages; 0: not configured.
	Heartbeat time.Duration
}

// Minimum is the balance below which an alert of a severity is due.
type Minimum struct {
	Severity string
	Tinybar  int64
}

// Close closes the network's connections.
func (n Network) Close() {
	if n.Mirror != nil {
		n.Mirror.Close()
	}
	n.Prober.Close()
	if n.Balances != nil {
		n.Balances.Close()
	}
}

// cut bounds free text from the network for use as a label value: at most max
// characters of valid UTF-8.
func cut(text string, max int) string {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if utf8.RuneCountInString(text) <= max {
		return text
	}
	return string([]rune(text)[:max-1]) + "…"
}

// text is cut for text that may be null.
func text(value *string, max int) string {
	if value == nil {
		return ""
	}
	return cut(*value, max)
}
