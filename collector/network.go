// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

// Network is what the collectors of one network need.
type Network struct {
	Name string
	Log  Logger

	Accounts         []config.Account
	Tokens           []config.Entity
	Topics           []config.Topic
	Contracts        []config.Entity
	ScheduleCreators []config.ScheduleCreator

	State       *State                   // never nil
	Mirror      *mirror.Client           // nil: the network has no mirror node
	AddressBook *AddressBook             // never nil
	Prober      *consensus.Prober        // never nil
	Balances    *consensus.BalanceClient // nil: balances come from the mirror

	MirrorGRPC *consensus.AddressBookClient // nil: the mirror has no gRPC

	accountsOnly bool // another shard exports what is not tied to an account
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
