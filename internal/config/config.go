// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads, checks and completes the exporter's configuration: the
// YAML file of docs/configuration.md, the --network and --account flags and the
// operator's environment variables. Every problem is reported in one go, each
// with the line it stands on.
package config

import (
	"net/url"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	promconfig "github.com/prometheus/common/config"
)

// Config is a complete, checked configuration. It is never changed after Load
// has returned it, so it may be shared between goroutines.
type Config struct {
	// Networks is sorted by name and has at least one element.
	Networks []Network
	// MinInterval holds, by collector, the min_interval of those that have one
	// in the file.
	MinInterval map[string]time.Duration
}

// Network is one Hedera network and what is watched on it.
type Network struct {
	Name string
	// LedgerID is nil for a network of one's own without ledger_id.
	LedgerID *hiero.LedgerID
	// Mirror is nil only with BalanceSourceConsensus and static Consensus.Nodes.
	Mirror        *Mirror
	Consensus     Consensus
	BalanceSource BalanceSource
	// Accounts has those of the file first, then those of the flags.
	Accounts []Account
	// Tokens, Topics and Contracts are empty without a Mirror.
	Tokens    []Entity
	Topics    []Entity
	Contracts []Entity
	// ScheduleCreators are the accounts whose pending schedules are watched. It
	// is empty without a Mirror.
	ScheduleCreators []Entity
	// Operator is nil when no credentials were given.
	Operator *Operator
}

// BalanceSource says where a network's balances are read.
type BalanceSource string

const (
	// BalanceSourceMirror asks the mirror node's REST API.
	BalanceSourceMirror BalanceSource = "mirror"
	// BalanceSourceConsensus sends CryptoGetBalance to consensus nodes, which
	// the public networks no longer answer (FACTS.md 2.1).
	BalanceSourceConsensus BalanceSource = "consensus"
)

// Mirror says how to reach a mirror node. Formatting or marshalling it shows
// its address without the path, which is where paid mirrors have the API key.
type Mirror struct {
	// URL is the base URL, without /api/v1 and without a trailing slash.
	URL *url.URL
	// JavaURL is the base URL of the Java module where it is another one than
	// URL (FACTS.md 1.0), else nil.
	JavaURL *url.URL
	// GRPCAddress is host:port, or empty for a mirror without gRPC.
	GRPCAddress string
	GRPCTLS     bool
	HTTPClient  promconfig.HTTPClientConfig
	// RateLimit is in requests per second; 0 is unlimited.
	RateLimit float64
	// MaxConcurrency is the number of requests in flight at most.
	MaxConcurrency int
	// Timeout bounds one request.
	Timeout time.Duration
}

// Consensus says how to talk to the network's consensus nodes.
type Consensus struct {
	// TLSPorts are the ports on which endpoints speak TLS; all others are
	// plaintext.
	TLSPorts []int
	// ProbeTimeout bounds the probe of one endpoint.
	ProbeTimeout time.Duration
	// ReconnectInterval is the age at which a TLS connection is renewed, so
	// that a swapped certificate is noticed.
	ReconnectInterval time.Duration
	// MaxConcurrency is the number of CryptoGetBalance queries in flight at most.
	MaxConcurrency int
	// Nodes is the static address book of a network without a mirror.
	Nodes []Node
}

// Node is an entry of the static address book.
type Node struct {
	ID          int64
	AccountID   hiero.AccountID
	Description string
	// CertificateHash is the SHA-384 of the PEM-encoded certificate in
	// lower-case hex without 0x (FACTS.md 3), or empty when unknown.
	CertificateHash string
	// Endpoints are host:port.
	Endpoints []string
}

// Account is a watched account.
type Account struct {
	// ID has neither alias nor checksum, so that it can be compared and used as
	// a map key.
	ID hiero.AccountID
	// Name is the id where none was given. It is unique within the network.
	Name string
	// Thresholds is in the order info, warning, critical, of those configured.
	Thresholds []Threshold
	// AllTokens is whether every token relationship is watched, rather than
	// those with Network.Tokens. Like Transactions and Allowances it is false
	// without a Mirror.
	AllTokens bool
	// Transactions is whether the account's transactions are counted.
	Transactions bool
	// Allowances is whether the allowances that the account has granted are
	// watched.
	Allowances bool
	// Heartbeat is the longest time between transactions that is nothing to
	// worry about; 0 where none was given. It comes with Transactions only.
	Heartbeat time.Duration
	// Cold is whether the balance is meant not to change.
	Cold bool
}

// Entity is a watched token, topic, contract or creator of schedules.
type Entity struct {
	// ID is shard.realm.num, without a checksum.
	ID string
	// Name is the id where none was given. It is unique within its list.
	Name string
	// Heartbeat is the longest time between messages of a topic that is
	// nothing to worry about; 0 where none was given.
	Heartbeat time.Duration
}

// Threshold is the balance below which an alert of the severity is due.
type Threshold struct {
	// Severity is info, warning or critical.
	Severity string
	Minimum  hiero.Hbar
}
