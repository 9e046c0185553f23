// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
)

// RowDigest tells a row from all others, such as the account's earlier ones, for
// as long as the process runs. The zero value is no row's. A mirror cannot make two
// rows with the same digest, as it does not know the seed.
type RowDigest struct {
	sum   uint64
	bytes int32
}

var digestSeed = maphash.MakeSeed()

func digestOf(row []byte) RowDigest {
	return RowDigest{maphash.Bytes(digestSeed, row), int32(len(row))} //nolint:gosec // an answer has at most maxBodyBytes
}

// knownRows are the rows that accounts had before.
type knownRows struct {
	ids     []string // sorted
	digests []RowDigest
}

// of returns an id as it is among those asked for, and the digest of its row.
func (k knownRows) of(id []byte) (string, RowDigest) {
	i, ok := slices.BinarySearchFunc(k.ids, id, func(asked string, id []byte) int { return cmp.Compare(asked, string(id)) })
	if !ok {
		return "", RowDigest{}
	}
	return k.ids[i], k.digests[i]
}

const (
	// accountsBegin and accountBegin are how the mirror writes a list of accounts and
	// each row. Rows that begin otherwise are decoded, though they may be known.
	accountsBegin = `{"accounts":[`
	accountBegin  = `{"account":"`
	rowDepth      = 2 // in lists and objects
	// maxKnownBytes is the longest row that is not decoded if it is known: one has a
	// key of 12 KiB at most (maxKeyBytes), and 50 tokens.
	maxKnownBytes = 16 << 10
)

// passedRow is a known row, in whose place the decoder got null.
type passedRow struct {
	end int64 // of that null, in bytes given
	row AccountRow
}

// null stands for a row that is known.
const null = "null"

// passKnown passes over the row that begins here if it is the one that the account
// had before, byte for byte. It was valid then, and passed no limit of its own.
// Given is how many bytes the decoder got.
func (g *guard) passKnown(given int64) {
	if !bytes.HasPrefix(g.head, []byte(accountsBegin)) {
		g.known = knownRows{}
		return
	}
	begin, _ := g.r.Peek(len(accountBegin) + maxIDBytes)
	rest, ok := bytes.CutPrefix(begin, []byte(accountBegin))
	text, _, closed := bytes.Cut(rest, []byte{'"'})
	if !ok || !closed {
		return
	}
	id, known := g.known.of(text)
	row, err := g.r.Peek(int(known.bytes)) // an error if it is longer than the buffer
	if known == (RowDigest{}) || err != nil || digestOf(row) != known || !g.pass(row) {
		return
	}
	g.null = null
	g.passed = append(g.passed, passedRow{given + int64(len(null)), AccountRow{ID: id, Digest: known}})
}

// passedAt returns the known row in whose place the decoder got the null that ends
// at an offset.
func (g *guard) passedAt(offset int64) (row AccountRow, ok bool) {
	if len(g.passed) == 0 || g.passed[0].end != offset {
		return row, false
	}
	row = g.passed[0].row
	g.passed = g.passed[1:]
	return row, true
}
