// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

const mainnet = "mainnet"

// presetNames are the networks that need no address of their own.
var presetNames = []string{mainnet, "previewnet", "testnet"}

// publicHosts are the public mirrors, which allow 50 requests/s to an IP
// (docs/hedera.md 1.0).
var publicHosts = []string{
	"mainnet.mirrornode.hedera.com",
	"mainnet-public.mirrornode.hedera.com",
	"testnet.mirrornode.hedera.com",
	"previewnet.mirrornode.hedera.com",
}

// publicRateLimit leaves some of the 50 requests/s to whatever else is behind
// the same IP.
const publicRateLimit = 40

func presetLedgerID(network string) *hiero.LedgerID {
	switch network {
	case mainnet:
		return hiero.NewLedgerIDMainnet()
	case "testnet":
		return hiero.NewLedgerIDTestnet()
	case "previewnet":
		return hiero.NewLedgerIDPreviewnet()
	}
	return nil
}
