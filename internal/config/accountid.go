// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

var errAccountIDForm = errors.New("is not an account id of the form shard.realm.num, such as 0.0.98 or 0.0.98-checksum")

// accountIDs parses account ids and verifies their checksums on one ledger.
type accountIDs struct {
	ledgerID *hiero.LedgerID // nil: unknown
	client   *hiero.Client
}

// parse returns the id without its checksum.
func (a *accountIDs) parse(text string) (hiero.AccountID, error) {
	id, err := parseAccountID(text)
	if err != nil {
		return hiero.AccountID{}, fmt.Errorf("%q %w", text, err)
	}
	return a.verify(id)
}

// parseAccountID leaves the text out of its errors.
func parseAccountID(text string) (hiero.AccountID, error) {
	id, err := hiero.AccountIDFromString(text)
	if err != nil {
		return hiero.AccountID{}, errAccountIDForm
	}
	if id.AliasKey != nil || id.AliasEvmAddress != nil {
		return hiero.AccountID{}, errors.New("is an alias or EVM address: configure the 0.0.x id that the mirror's /api/v1/accounts/ADDRESS names, or use /probe")
	}
	plain, _, _ := strings.Cut(text, "-")
	if id.String() != plain || id.IsZero() {
		return hiero.AccountID{}, errAccountIDForm
	}
	return id, nil
}

// verify checks the checksum of an id that has one (HIP-15), and removes it.
func (a *accountIDs) verify(id hiero.AccountID) (hiero.AccountID, error) {
	plain := hiero.AccountID{Shard: id.Shard, Realm: id.Realm, Account: id.Account}
	if id.GetChecksum() == nil {
		return plain, nil
	}
	if a.ledgerID == nil {
		return plain, fmt.Errorf("the checksum of %s cannot be verified: set the network's ledger_id or remove the checksum", plain)
	}
	client := a.offlineClient()
	if err := id.ValidateChecksum(client); err == nil {
		return plain, nil
	}
	right, err := plain.ToStringWithChecksum(client)
	if err != nil {
		return plain, fmt.Errorf("the checksum of %s cannot be verified: %w", plain, err)
	}
	return plain, fmt.Errorf("the checksum of %s is wrong, on ledger %s the id is %s", plain, a.ledgerID, right)
}

// offlineClient is what the SDK takes the ledger from. Without nodes and mirror
// it opens no connection and starts no goroutine (FACTS.md 4).
func (a *accountIDs) offlineClient() *hiero.Client {
	if a.client == nil {
		a.client = hiero.ClientForNetwork(nil) //nolint:forbidigo // without nodes and mirror it does nothing by itself
		a.client.GetLogger().SetSilent(true)
		a.client.SetLedgerID(*a.ledgerID)
	}
	return a.client
}

func (a *accountIDs) close() {
	if a.client != nil {
		_ = a.client.Close()
	}
}
