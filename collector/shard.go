// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Shard is the share of the configured accounts that one of several exporters
// with the same configuration exports. The zero value is all of them.
type Shard struct {
	Ordinal int // from 0
	Total   int
}

// NewShard checks its parameters, the values of --shard and --total-shards.
func NewShard(ordinal, total int) (Shard, error) {
	if total < 1 {
		return Shard{}, fmt.Errorf("%d shards in total, want at least 1", total)
	}
	if ordinal < 0 || ordinal >= total {
		return Shard{}, fmt.Errorf("shard %d is not one of %d shards, which are numbered from 0", ordinal, total)
	}
	return Shard{Ordinal: ordinal, Total: total}, nil
}

// PodOrdinal returns the number at the end of the name of a StatefulSet's pod: 2
// for hedera-exporter-2.
func PodOrdinal(pod string) (int, error) {
	at := strings.LastIndexByte(pod, '-')
	ordinal, err := strconv.ParseUint(pod[at+1:], 10, 31)
	if at < 0 || err != nil {
		return 0, fmt.Errorf("pod %q does not end in a hyphen and a number, as the pods of a StatefulSet do", pod)
	}
	return int(ordinal), nil
}

// first reports whether the shard also exports what is not tied to an account.
func (s Shard) first() bool { return s.Ordinal == 0 }

// of returns the shard's share of the network.
func (s Shard) of(n Network) Network {
	if !s.first() {
		n.accountsOnly, n.OwnNodes = true, nil
	}
	if s.Total <= 1 {
		return n
	}
	all := n.Accounts
	n.Accounts = nil
	for _, account := range all {
		if s.has(account.ID.String()) {
			n.Accounts = append(n.Accounts, account)
		}
	}
	return n
}

func (s Shard) has(accountID string) bool {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(accountID)) // never fails
	return jump(hash.Sum64(), s.Total) == s.Ordinal
}

// jump is the jump consistent hash of Lamping and Veach (arXiv:1406.2294), as in
// kube-state-metrics: when n buckets become n+1, one key in n+1 moves.
func jump(key uint64, buckets int) int {
	var bucket, next int64 = -1, 0
	for next < int64(buckets) {
		bucket = next
		key = key*2862933555777941757 + 1
		next = int64(float64(bucket+1) * (float64(int64(1)<<31) / float64((key>>33)+1)))
	}
	return int(bucket)
}
