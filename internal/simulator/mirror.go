// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// MirrorSettings are what differs between mirror nodes. The zero value is that
// of the public ones. Names of settings are those of the mirror's own
// configuration (its docs/configuration.md).
type MirrorSettings struct {
	// MaxLimit is response.limit.max, rows a page. Default 100.
	MaxLimit int `json:"max_limit"`
	// MaxRepeated is query.maxRepeatedQueryParameters. Default 100.
	MaxRepeated int `json:"max_repeated"`
	// HostInLinks is response.includeHostInLink.
	HostInLinks bool `json:"host_in_links"`
	// OpenRange ends the window of 60 days that a list of transactions is about
	// (query.bindTimestampRange of false, a private mirror's default).
	OpenRange bool `json:"open_range"`
	// Starting is a mirror that has no block yet, and nothing else but the
	// address book, which it begins with (docs/hedera.md 2.3).
	Starting bool `json:"starting"`
	// NoAddressBook is a mirror without nodes: lists of them are empty.
	NoAddressBook bool `json:"no_address_book"`
	// Missing are the routes below /api/v1/network/ that answer 404 for ever, as
	// on partial mirrors (hiero-mirror-node#12423, #11179, #11240) and on those of
	// an older version: "exchangerate", "fees", "registered-nodes", "stake",
	// "supply". "fee-estimates" is the POST of "fees": 405. "contracts-call" is that
	// of the Web3 module: 404.
	Missing []string `json:"missing"`
}

// Defaults of the mirror's configuration.
const (
	defaultMaxLimit    = 100
	defaultMaxRepeated = 100
	transactionWindow  = 60 * 24 * time.Hour // query.maxTransactionsTimestampRange
)

var optionalRoutes = []string{"contracts-call", "exchangerate", "fee-estimates", "fees", "registered-nodes", "stake", "supply"}

func (m MirrorSettings) maxLimit() int {
	if m.MaxLimit == 0 {
		return defaultMaxLimit
	}
	return m.MaxLimit
}

func (m MirrorSettings) maxRepeated() int {
	if m.MaxRepeated == 0 {
		return defaultMaxRepeated
	}
	return m.MaxRepeated
}

func (m MirrorSettings) validate() error {
	if m.MaxLimit < 0 || m.MaxRepeated < 0 {
		return errors.New("mirror: max_limit and max_repeated must not be negative")
	}
	for _, route := range m.Missing {
		if !slices.Contains(optionalRoutes, route) {
			return fmt.Errorf("mirror: missing route %q: want one of %v", route, optionalRoutes)
		}
	}
	return nil
}

// SetMirror replaces the settings of the mirror. It fails for those that make no
// sense.
func (l *Ledger) SetMirror(settings MirrorSettings) error {
	if err := settings.validate(); err != nil {
		return err
	}
	l.mirror = settings
	return nil
}

// SetReplicaLag puts a second replica behind the mirror's address, which answers
// every other request and is up to so many blocks older than the first, as
// behind a load balancer (docs/hedera.md 1.0). 0 takes it away. On a network that
// stands still it is as old as this call.
func (l *Ledger) SetReplicaLag(blocks int) error {
	if blocks < 0 {
		return fmt.Errorf("replica lag: %d blocks is negative", blocks)
	}
	l.replicaLag, l.replica = blocks, nil
	if blocks > 0 {
		l.replica = l.copy()
	}
	return nil
}

// renewReplica keeps the older replica within its lag.
func (l *Ledger) renewReplica() {
	if l.replica != nil && l.latestNumber()-l.replica.latestNumber() > int64(l.replicaLag) {
		l.replica = l.copy()
	}
}

// copy is the ledger as it is now. Only what is changed in place is copied.
func (l *Ledger) copy() *Ledger {
	c := *l
	c.replica = nil
	c.accounts = copyValues(l.accounts)
	c.contracts = copyValues(l.contracts)
	c.schedules = copyValues(l.schedules)
	c.tokens = copyValues(l.tokens)
	for _, t := range c.tokens {
		t.holders = maps.Clone(t.holders)
	}
	c.topics = copyValues(l.topics)
	for _, t := range c.topics {
		t.messages = slices.Clone(t.messages)
	}
	c.ids = slices.Clone(l.ids)
	c.blocks = slices.Clone(l.blocks)
	c.nodes = slices.Clone(l.nodes)
	c.transactions = slices.Clone(l.transactions)
	c.allowances = maps.Clone(l.allowances)
	c.serviceFees = maps.Clone(l.serviceFees)
	c.nftAllowances = slices.Clone(l.nftAllowances)
	return &c
}

func copyValues[T any](of map[entityID]*T) map[entityID]*T {
	copied := make(map[entityID]*T, len(of))
	for id, value := range of {
		copied[id] = new(*value)
	}
	return copied
}

// served is the ledger that a request is answered from.
func (l *Ledger) served(request int64) *Ledger {
	if l.mirror.Starting {
		empty := newEmptyLedger(l.seed, l.now, l.shard, l.realm)
		empty.nodes, empty.mirror = l.nodes, l.mirror
		return empty
	}
	if l.replica != nil && request%2 == 1 {
		older := *l.replica
		older.mirror = l.mirror
		return &older
	}
	return l
}

// missing tells whether a route is one of Missing.
func (l *Ledger) missing(route string) bool { return slices.Contains(l.mirror.Missing, route) }

func mirrorControls() map[string]controlCall {
	type lag struct {
		Blocks *int `json:"blocks"`
	}
	return map[string]controlCall{
		"GET /simulator/mirror": reading(func(l *Ledger, _ *http.Request) (any, error) { return l.mirror, nil }),
		"PUT /simulator/mirror": updating(func(l *Ledger, _ *http.Request, body json.RawMessage) (any, error) {
			settings := l.mirror
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&settings); err != nil {
				return nil, fmt.Errorf("body is not the JSON expected: %w", err)
			}
			return nil, l.SetMirror(settings)
		}),
		"PUT /simulator/replica": updating(func(l *Ledger, _ *http.Request, b lag) (any, error) {
			if b.Blocks == nil {
				return nil, missing("blocks", "N")
			}
			return nil, l.SetReplicaLag(*b.Blocks)
		}),
	}
}
