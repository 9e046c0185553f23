// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"reflect"
	"slices"

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
	Contracts        []config.Contract
	ScheduleCreators []config.ScheduleCreator
	OwnNodes         []int64  // ids
	LabelNames       []string // of the configuration file, for all entities
	Exclude          Exclusion

	State       *State                   // never nil
	Mirror      *mirror.Client           // nil: the network has no mirror node
	AddressBook *AddressBook             // never nil
	Prober      *consensus.Prober        // never nil
	Balances    *consensus.BalanceClient // nil: balances come from the mirror

	MirrorGRPC   *consensus.AddressBookClient // nil: the mirror has no gRPC
	MirrorWeb3   bool                         // whether the EVM of Mirror is watched
	OtherMirrors []OtherMirror                // to compare Mirror with

	Canary *Canary // nil: the network has none, or the process runs none

	accountsOnly bool // another shard exports what is not tied to an account
}

// sameClients reports whether both are the same network with the same clients.
func (n Network) sameClients(other Network) bool {
	return n.Name == other.Name && n.State == other.State && n.Mirror == other.Mirror && n.AddressBook == other.AddressBook &&
		n.Prober == other.Prober && n.Balances == other.Balances && n.MirrorGRPC == other.MirrorGRPC &&
		n.MirrorWeb3 == other.MirrorWeb3 && slices.Equal(n.OtherMirrors, other.OtherMirrors)
}

// sameEntities reports whether the same is watched.
func (n Network) sameEntities(other Network) bool {
	return n.accountsOnly == other.accountsOnly && reflect.DeepEqual(n.Accounts, other.Accounts) &&
		reflect.DeepEqual(n.Tokens, other.Tokens) && reflect.DeepEqual(n.Topics, other.Topics) &&
		reflect.DeepEqual(n.Contracts, other.Contracts) && reflect.DeepEqual(n.ScheduleCreators, other.ScheduleCreators) &&
		slices.Equal(n.OwnNodes, other.OwnNodes) && slices.Equal(n.LabelNames, other.LabelNames) &&
		n.Canary == other.Canary
}
