// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package consensus talks gRPC to consensus nodes and to the mirror node's
// address book service, with the generated stubs of hiero-sdk-go on
// connections of its own: hiero.Client has no context, skips nodes in backoff
// and leaves certificates unverified (docs/hedera.md 4).
package consensus
