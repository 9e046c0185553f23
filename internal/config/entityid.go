// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// EntityID is the id of an account, token, topic or contract: they are numbered
// in one sequence. It is parsed once and keeps its text, so that it can be
// compared, used as a map key and shown at no cost. The zero value is no id.
type EntityID struct {
	shard, realm, num uint64
	text              string // shard.realm.num, without a checksum
}

// ParseEntityID reads an id of the form shard.realm.num without a checksum.
func ParseEntityID(text string) (EntityID, error) {
	id, err := parseID(text)
	if err != nil || id.GetChecksum() != nil {
		return EntityID{}, fmt.Errorf("%q %w", text, errIDForm)
	}
	return newEntityID(id), nil
}

func newEntityID(id hiero.AccountID) EntityID {
	return EntityID{
		shard: id.Shard, realm: id.Realm, num: id.Account,
		text: fmt.Sprintf("%d.%d.%d", id.Shard, id.Realm, id.Account),
	}
}

// String is shard.realm.num, empty for the zero value.
func (id EntityID) String() string { return id.text }

// IsZero reports whether id is no id.
func (id EntityID) IsZero() bool { return id == EntityID{} }

// AccountID is the id as consensus nodes are asked about it.
func (id EntityID) AccountID() hiero.AccountID {
	return hiero.AccountID{Shard: id.shard, Realm: id.realm, Account: id.num}
}

// MarshalText implements [encoding.TextMarshaler].
func (id EntityID) MarshalText() ([]byte, error) { return []byte(id.text), nil }

var (
	errIDForm  = errors.New("is not of the form shard.realm.num")
	errIDAlias = errors.New("is an alias or EVM address")
)

// entityIDs parses ids and verifies their checksums on one ledger. The ids of
// accounts, tokens, topics and contracts have the same form and checksum
// (HIP-15), so the SDK's type of an account's id serves them all.
type entityIDs struct {
	ledgerID *hiero.LedgerID // nil: unknown
	client   *hiero.Client
	first    EntityID // the others have its shard and realm
}

func (e *entityIDs) account(text string) (EntityID, error) {
	return e.parse(text, "an account", "/api/v1/accounts/ADDRESS names, or use /probe")
}

func (e *entityIDs) creator(text string) (EntityID, error) {
	return e.parse(text, "an account", "/api/v1/accounts/ADDRESS names")
}

func (e *entityIDs) contract(text string) (EntityID, error) {
	return e.parse(text, "a contract", "/api/v1/contracts/ADDRESS names")
}

func (e *entityIDs) token(text string) (EntityID, error) {
	return e.parse(text, "a token", "")
}

func (e *entityIDs) topic(text string) (EntityID, error) {
	return e.parse(text, "a topic", "")
}

// parse returns the id without its checksum. Lookup ends the advice on
// addresses; it is empty where there is no such advice.
func (e *entityIDs) parse(text, noun, lookup string) (EntityID, error) {
	id, err := parseID(text)
	switch {
	case errors.Is(err, errIDAlias) && lookup != "":
		return EntityID{}, fmt.Errorf("%q %w: configure the 0.0.x id that the mirror's %s", text, err, lookup)
	case err != nil:
		return EntityID{}, fmt.Errorf("%q is not %s id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum", text, noun)
	}
	return e.sameRealm(id)
}

// sameRealm refuses an id of another shard or realm than the network's, which are
// those of its first id: the mirror node has one of each.
func (e *entityIDs) sameRealm(id hiero.AccountID) (EntityID, error) {
	plain, err := e.verify(id)
	if err != nil {
		return plain, err
	}
	if e.first.IsZero() {
		e.first = plain
	}
	if plain.shard != e.first.shard || plain.realm != e.first.realm {
		return plain, fmt.Errorf("%s is of another shard or realm than %s; a network has one shard and one realm, so correct one of the ids", plain, e.first)
	}
	return plain, nil
}

// parseID leaves the text out of its errors.
func parseID(text string) (hiero.AccountID, error) {
	id, err := hiero.AccountIDFromString(text)
	if err != nil {
		return hiero.AccountID{}, errIDForm
	}
	if id.AliasKey != nil || id.AliasEvmAddress != nil {
		return hiero.AccountID{}, errIDAlias
	}
	plain, _, _ := strings.Cut(text, "-")
	if id.String() != plain || id.IsZero() {
		return hiero.AccountID{}, errIDForm
	}
	return id, nil
}

// verify checks the checksum of an id that has one (HIP-15), and removes it.
func (e *entityIDs) verify(id hiero.AccountID) (EntityID, error) {
	plain := newEntityID(id)
	if id.GetChecksum() == nil {
		return plain, nil
	}
	if e.ledgerID == nil {
		return plain, fmt.Errorf("the checksum of %s cannot be verified: set the network's ledger_id or remove the checksum", plain)
	}
	client := e.offlineClient()
	if err := id.ValidateChecksum(client); err == nil {
		return plain, nil
	}
	right, err := plain.AccountID().ToStringWithChecksum(client)
	if err != nil {
		return plain, fmt.Errorf("the checksum of %s cannot be verified: %w", plain, err)
	}
	return plain, fmt.Errorf("the checksum of %s is wrong, on ledger %s the id is %s", plain, e.ledgerID, right)
}

// offlineClient is what the SDK takes the ledger from. Without nodes and mirror
// it opens no connection and starts no goroutine (docs/hedera.md 4).
func (e *entityIDs) offlineClient() *hiero.Client {
	if e.client == nil {
		e.client = hiero.ClientForNetwork(nil) //nolint:forbidigo // without nodes and mirror it does nothing by itself
		e.client.GetLogger().SetSilent(true)
		e.client.SetLedgerID(*e.ledgerID)
	}
	return e.client
}

func (e *entityIDs) close() {
	if e.client != nil {
		_ = e.client.Close()
	}
}

// ParseAccountID returns the account id that text names: shard.realm.num, with
// an optional checksum (HIP-15) that is verified against the network's ledger
// id. The error quotes the text.
func (n Network) ParseAccountID(text string) (EntityID, error) {
	ids := &entityIDs{ledgerID: n.LedgerID}
	defer ids.close()
	return ids.parse(text, "an account", "")
}
