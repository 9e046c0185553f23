// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

var (
	errIDForm  = errors.New("is not of the form shard.realm.num")
	errIDAlias = errors.New("is an alias or EVM address")
)

// entityIDs parses ids and verifies their checksums on one ledger. Accounts,
// tokens, topics and contracts are numbered in one sequence and have the same
// form and checksum (HIP-15), so the type of an account's id serves them all.
type entityIDs struct {
	ledgerID *hiero.LedgerID // nil: unknown
	client   *hiero.Client
}

func (e *entityIDs) account(text string) (hiero.AccountID, error) {
	return e.parse(text, "an account", "/api/v1/accounts/ADDRESS names, or use /probe")
}

func (e *entityIDs) creator(text string) (hiero.AccountID, error) {
	return e.parse(text, "an account", "/api/v1/accounts/ADDRESS names")
}

func (e *entityIDs) contract(text string) (hiero.AccountID, error) {
	return e.parse(text, "a contract", "/api/v1/contracts/ADDRESS names")
}

func (e *entityIDs) token(text string) (hiero.AccountID, error) {
	return e.parse(text, "a token", "")
}

func (e *entityIDs) topic(text string) (hiero.AccountID, error) {
	return e.parse(text, "a topic", "")
}

// parse returns the id without its checksum. Lookup ends the advice on
// addresses and is empty for what has none.
func (e *entityIDs) parse(text, noun, lookup string) (hiero.AccountID, error) {
	id, err := parseID(text)
	switch {
	case errors.Is(err, errIDAlias) && lookup != "":
		return hiero.AccountID{}, fmt.Errorf("%q %w: configure the 0.0.x id that the mirror's %s", text, err, lookup)
	case err != nil:
		return hiero.AccountID{}, fmt.Errorf("%q is not %s id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum", text, noun)
	}
	return e.verify(id)
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
func (e *entityIDs) verify(id hiero.AccountID) (hiero.AccountID, error) {
	plain := hiero.AccountID{Shard: id.Shard, Realm: id.Realm, Account: id.Account}
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
	right, err := plain.ToStringWithChecksum(client)
	if err != nil {
		return plain, fmt.Errorf("the checksum of %s cannot be verified: %w", plain, err)
	}
	return plain, fmt.Errorf("the checksum of %s is wrong, on ledger %s the id is %s", plain, e.ledgerID, right)
}

// offlineClient is what the SDK takes the ledger from. Without nodes and mirror
// it opens no connection and starts no goroutine (FACTS.md 4).
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
