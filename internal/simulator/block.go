// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// Block is one entry of GET /api/v1/blocks (FACTS.md 1.4). Size is bytes.
type Block struct {
	Count        int64          `json:"count"`
	GasUsed      *int64         `json:"gas_used"`
	HapiVersion  *string        `json:"hapi_version"`
	Hash         string         `json:"hash"`
	LogsBloom    *string        `json:"logs_bloom"`
	Name         string         `json:"name"`
	Number       int64          `json:"number"`
	PreviousHash string         `json:"previous_hash"`
	Size         *int64         `json:"size"`
	Timestamp    TimestampRange `json:"timestamp"`

	from, to time.Time
}

// TimestampRange is a range of consensus timestamps; a nil To is open.
type TimestampRange struct {
	From string  `json:"from"`
	To   *string `json:"to"`
}

const (
	blockPeriod   = 2 * time.Second
	genesisBlocks = 150
	maxBlocks     = 50_000
	hapiVersion   = "0.77.5"
)

// streamStart is when mainnet opened. Block numbers count from there, so they
// go on growing when the simulator is started again.
var streamStart = time.Date(2019, time.September, 13, 22, 0, 0, 0, time.UTC)

// blockNumberAt returns the number of the block that holds t.
func blockNumberAt(t time.Time) int64 {
	return int64(t.Sub(streamStart) / blockPeriod)
}

// newBlock derives the whole block from the seed and its number.
func newBlock(seed, number int64) Block {
	from := streamStart.Add(time.Duration(number) * blockPeriod)
	to := from.Add(blockPeriod - time.Nanosecond)
	rng := blockRand(seed, number)
	count := rng.Int64N(60)
	bloom := "0x" + hex.EncodeToString(make([]byte, 256))
	return Block{
		Count:        count,
		GasUsed:      new(count * 21_000),
		HapiVersion:  new(hapiVersion),
		Hash:         blockHash(seed, number),
		LogsBloom:    &bloom,
		Name:         from.Format("2006-01-02T15_04_05.000000000Z") + ".rcd",
		Number:       number,
		PreviousHash: blockHash(seed, number-1),
		Size:         new(800 + count*350),
		Timestamp:    TimestampRange{From: formatTimestamp(from), To: new(formatTimestamp(to))},
		from:         from,
		to:           to,
	}
}

func blockHash(seed, number int64) string {
	rng := blockRand(^seed, number)
	return "0x" + randomHex(rng, 48)
}

func blockRand(seed, number int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), uint64(number))) //nolint:gosec // reproducible on purpose
}
