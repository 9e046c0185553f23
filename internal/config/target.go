// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// ParseAccountID returns the account id that text names: shard.realm.num, with
// an optional checksum (HIP-15) that is verified against the network's ledger
// id. The error quotes a text that is none.
func (n Network) ParseAccountID(text string) (hiero.AccountID, error) {
	ids := &entityIDs{ledgerID: n.LedgerID}
	defer ids.close()
	return ids.parse(text, "an account", "")
}
