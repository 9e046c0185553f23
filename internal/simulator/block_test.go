// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"reflect"
	"testing"
)

func TestNewBlock(t *testing.T) {
	block, next := newBlock(1, 100), newBlock(1, 101)
	if !reflect.DeepEqual(block, newBlock(1, 100)) {
		t.Error("the same block differs")
	}
	if next.PreviousHash != block.Hash {
		t.Errorf("block 101 follows %s, want %s", next.PreviousHash, block.Hash)
	}
	if gap := next.from.Sub(block.from); gap != blockPeriod {
		t.Errorf("blocks are %s apart, want %s", gap, blockPeriod)
	}
	if blockNumberAt(block.from) != 100 || blockNumberAt(block.to) != 100 || blockNumberAt(next.from) != 101 {
		t.Error("blockNumberAt contradicts the blocks' times")
	}
	if len(block.Hash) != len("0x")+96 {
		t.Errorf("hash %q is no SHA-384", block.Hash)
	}
}
