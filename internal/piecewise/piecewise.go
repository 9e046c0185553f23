// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package piecewise writes gzip of which parts were compressed before.
package piecewise

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// level is the fastest one at which a scrape is as small as at the highest.
const level = 3

// Piece is compressed text. It is the same within any response.
type Piece struct {
	blocks []byte // of deflate, none of which is the last
	size   uint32 // of the text, modulo 2^32
	crc    uint32 // of the text
	// shift is what the checksum of a text is multiplied by if this one comes
	// after it.
	shift uint32
}

// compressors are not in use. The tables of one have 1 MB.
var compressors = sync.Pool{New: func() any { return newDeflater() }}

func newDeflater() *flate.Writer {
	w, err := flate.NewWriter(io.Discard, level)
	if err != nil {
		panic(err) // not at this level
	}
	return w
}

// Compress makes a piece of text.
func Compress(text []byte) Piece {
	deflate := compressors.Get().(*flate.Writer) //nolint:forcetypeassert // nothing else is in it
	defer compressors.Put(deflate)
	return newPiece(text, func(to io.Writer) error {
		deflate.Reset(to)
		defer deflate.Reset(io.Discard) // it would keep to
		_, err := deflate.Write(text)
		return errors.Join(err, deflate.Flush())
	})
}

// CompressFast is Compress in less time, as its tables fit the processor's cache, and
// with up to a tenth more bytes. It is for text that may soon be another.
func CompressFast(text []byte) Piece {
	return newPiece(text, func(to io.Writer) error { return flate.StatelessDeflate(to, text, false, nil) })
}

// buffers are not in use.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func newPiece(text []byte, deflate func(to io.Writer) error) Piece {
	blocks := buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // nothing else is in it
	defer buffers.Put(blocks)
	blocks.Reset()
	if err := deflate(blocks); err != nil {
		panic(err) // a buffer never fails
	}
	return Piece{
		blocks: bytes.Clone(blocks.Bytes()), // as long as it is, for as long as it is kept
		size:   uint32(len(text)),           //nolint:gosec // as gzip has it
		crc:    crc32.ChecksumIEEE(text),
		shift:  shift(len(text)),
	}
}

// Writer compresses what is written to it, but for pieces. It is ready for use
// after Reset.
type Writer struct {
	to      io.Writer
	deflate *flate.Writer
	pending bool // deflate has text that it has not written yet
	crc     uint32
	size    uint32
	err     error
}

// NewWriter returns a writer to nothing.
func NewWriter() *Writer {
	w := &Writer{deflate: newDeflater()}
	w.Reset(io.Discard)
	return w
}

// Reset begins a new response.
func (w *Writer) Reset(to io.Writer) {
	w.to, w.pending, w.crc, w.size = to, false, 0, 0
	w.deflate.Reset(to)
	// Of the header, only that it is gzip, with deflate, from an unknown system.
	_, w.err = to.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
}

// Write compresses p.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.pending = true
	w.crc = crc32.Update(w.crc, crc32.IEEETable, p)
	w.size += uint32(len(p)) //nolint:gosec // modulo 2^32, as gzip has it
	var n int
	n, w.err = w.deflate.Write(p)
	return n, w.err
}

// WritePiece writes a piece as it is.
func (w *Writer) WritePiece(p Piece) error {
	if w.err == nil && w.pending {
		w.err = w.deflate.Flush()
		w.deflate.Reset(w.to) // it must not refer to what is before the piece
		w.pending = false
	}
	if w.err != nil {
		return w.err
	}
	w.crc = multiply(p.shift, w.crc) ^ p.crc
	w.size += p.size
	_, w.err = w.to.Write(p.blocks)
	return w.err
}

// Close ends the response.
func (w *Writer) Close() error {
	if w.err == nil {
		w.err = w.deflate.Close()
	}
	if w.err == nil {
		var trailer [8]byte
		binary.LittleEndian.PutUint32(trailer[:4], w.crc)
		binary.LittleEndian.PutUint32(trailer[4:], w.size)
		_, w.err = w.to.Write(trailer[:])
	}
	return w.err
}

// A checksum is a polynomial over GF(2) modulo that of CRC-32, whose highest bit is
// that of x^0. That of two texts is the first one's, multiplied by x for each bit of
// the second text, plus the second one's.

const (
	one    uint32 = 1 << 31
	xPow8         = one >> 8
	xPow31        = 1
)

// shift is x to the power of the bits of so many bytes.
func shift(length int) uint32 {
	power, square := one, xPow8
	for n := length; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return power
}

// multiply returns the product of two polynomials.
func multiply(a, b uint32) uint32 {
	var product uint32
	for bit := one; bit > 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&xPow31 != 0 {
			b = b>>1 ^ crc32.IEEE
		} else {
			b >>= 1
		}
	}
	return product
}
