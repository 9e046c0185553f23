// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestGenesisAccounts(t *testing.T) {
	build := func(seed uint64) []Account {
		return genesisAccounts(rand.New(rand.NewPCG(seed, 0)), 40)
	}
	accounts := build(1)
	if !reflect.DeepEqual(accounts, build(1)) {
		t.Error("the same seed gives other accounts")
	}
	if reflect.DeepEqual(accounts, build(2)) {
		t.Error("another seed gives the same accounts")
	}

	var supply int64
	var nulls, evm, staked int
	for _, account := range accounts {
		supply += account.tinybar()
		if account.Deleted == nil && account.Key == nil && account.Memo == nil {
			nulls++
		}
		if account.EVMAddress != nil {
			evm++
		}
		if account.StakedNodeID != nil {
			staked++
		}
	}
	if supply != totalSupplyTinybar {
		t.Errorf("supply is %d, want %d", supply, int64(totalSupplyTinybar))
	}
	if nulls == 0 || evm == 0 || staked == 0 {
		t.Errorf("got %d accounts of nulls, %d with an EVM address, %d staked, want some of each", nulls, evm, staked)
	}
	if first := accounts[0]; first.ID != "0.0.2" || first.tinybar() <= 1<<53 {
		t.Errorf("treasury is %s with %d tinybar, want more than 2^53", first.ID, first.tinybar())
	}
}
