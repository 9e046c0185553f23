// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// entityID is shard.realm.num packed the way the mirror node packs it, so that
// comparing two ids compares their numbers. The sign bit stays free.
type entityID int64

const (
	numBits   = 38
	realmBits = 16
	shardBits = 9
)

// parseEntityID reads "shard.realm.num" or a bare "num" of shard 0, realm 0.
func parseEntityID(s string) (entityID, error) {
	parts := strings.Split(s, ".")
	if len(parts) == 1 {
		parts = []string{"0", "0", s}
	}
	if len(parts) != 3 {
		return 0, fmt.Errorf("entity id %q: want shard.realm.num", s)
	}
	var id entityID
	for i, bits := range []int{shardBits, realmBits, numBits} {
		n, err := strconv.ParseUint(parts[i], 10, bits)
		if err != nil {
			return 0, fmt.Errorf("entity id %q: want shard.realm.num: %w", s, err)
		}
		id = id<<bits | entityID(n) //nolint:gosec // 63 bits in all
	}
	return id, nil
}

// String renders the id as shard.realm.num.
func (id entityID) String() string {
	num := id & (1<<numBits - 1)
	realm := id >> numBits & (1<<realmBits - 1)
	shard := id >> (numBits + realmBits)
	return fmt.Sprintf("%d.%d.%d", shard, realm, num)
}
