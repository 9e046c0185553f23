// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"hash/maphash"
)

// RowDigest tells a row from all others, such as the account's earlier ones, for
// as long as the process runs. The zero value is no row's. A mirror cannot make two
// rows with the same digest on purpose, as it does not know the seed.
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
	next    int // after the last that was found
}

// of returns an id as it is among those asked for, and the digest of its row.
func (k *knownRows) of(id []byte) (string, RowDigest) {
	i, ok := find(k.ids, string(id), k.next)
	if !ok {
		return "", RowDigest{}
	}
	k.next = i + 1
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

// guardedRow is a row that the guard has seen. The decoder got null in the place of
// one that is known.
type guardedRow struct {
	end int64 // in bytes given
	row AccountRow
}

// null stands for a row that is known.
const null = "null"

// rowBounds finds where rows begin and end, and the end of their list.
func (g *guard) rowBounds(b byte) {
	switch {
	case g.depth < rowDepth && (b == ']' || b == '}'):
		g.known, g.hashing = nil, false
	case g.depth > rowDepth:
	case b == '[', b == ',':
		g.rowBegins = g.known != nil && g.depth == rowDepth
	case b == ']', b == '}':
		g.rowEnds = g.hashing
	}
}

// passKnown passes over the row that begins here if it is the one that the account
// had before, byte for byte. It was valid then, and passed no limit of its own. Any
// other one is hashed on its way. Given is how many bytes the decoder got.
func (g *guard) passKnown(given int64) {
	if !bytes.HasPrefix(g.head, []byte(accountsBegin)) {
		g.known = nil
		return
	}
	g.hashing, g.hashed = true, 0
	g.hash.SetSeed(digestSeed)
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
	g.null, g.hashing = null, false
	g.rows = append(g.rows, guardedRow{given + int64(len(null)), AccountRow{ID: id, Digest: known}})
}

// hashRow adds text, which is within a row or ends it. Given is how many bytes the
// decoder got with it.
func (g *guard) hashRow(text []byte, given int64) {
	if !g.hashing {
		return
	}
	_, _ = g.hash.Write(text)    // it never fails
	g.hashed += int32(len(text)) //nolint:gosec // an answer has at most maxBodyBytes
	if g.rowEnds {
		g.rows = append(g.rows, guardedRow{given, AccountRow{Digest: RowDigest{g.hash.Sum64(), g.hashed}}})
		g.hashing, g.rowEnds = false, false
	}
}

// rowAt returns the row that ends at an offset of what the decoder got: the known one
// in whose place it got null, or the digest of another. There is none in the place of
// a null of the mirror's.
func (g *guard) rowAt(offset int64) AccountRow {
	for len(g.rows) > 0 && g.rows[0].end <= offset {
		row := g.rows[0]
		g.rows = g.rows[1:]
		if row.end == offset {
			return row.row
		}
	}
	return AccountRow{}
}
