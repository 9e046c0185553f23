// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bufio"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
)

// What one mirror may send. None of it bounds an honest one. All of it together
// keeps the answers under way of a hostile one at 32 MiB; a decoder's buffers
// may take three times as much of those that are long.
const (
	// maxRepeated is how often a query may repeat a key, and the longest page
	// that the mirror gives (docs/hedera.md 1.0). A page with more rows than were
	// asked for is refused.
	maxRepeated = 100
	// maxNodeRows is the longest page of consensus nodes, for all that the
	// OpenAPI says (docs/hedera.md 1.0).
	maxNodeRows = 25
	// maxPages of 25 are 1,000 consensus nodes, as many as the address book of
	// the gRPC API may have. Mainnet has 31.
	maxPages = 40

	// maxBodyBytes bounds an answer after decompression: 100 schedules of 6 KiB
	// in base64 with 100 signatures each are 3 MB, other pages under 1 MB.
	maxBodyBytes = 8 << 20
	// maxWireBytes bounds an answer before decompression. Gzip makes none longer
	// but for its header, yet it may go on without anything in it.
	maxWireBytes = maxBodyBytes + 1<<10
	// Every request in flight may have an answer of smallBytes, which a page of
	// 100 accounts with their tokens seldom passes, or its part of networkBytes
	// where very many may be in flight. Only largeAnswers of a network at once
	// may be longer.
	smallBytes   = 512 << 10
	networkBytes = 16 << 20
	largeAnswers = 2
	// maxErrorBytes bounds what is read of an answer other than 2xx.
	maxErrorBytes = 64 << 10

	// maxInterimResponses (1xx) may come before the answer. No mirror has any.
	maxInterimResponses = 5

	// maxDepth is of nested lists and objects; the API's deepest is 6.
	maxDepth = 32
	// maxElements bounds every list and object, at any depth: the longest of the
	// API are an account's 1,000 tokens.
	maxElements = 1000
	// maxTokenBytes bounds every string, number and stretch of white space, read
	// or not: the longest is a transaction of 128 KiB in base64.
	maxTokenBytes = 256 << 10
	// maxTextBytes bounds a text that is read: memos, descriptions, names and
	// symbols have 100 bytes at most, domain names 253.
	maxTextBytes = 1 << 10
	// maxKeyBytes bounds a key: a list of keys fits into a transaction of 6 KiB,
	// in hexadecimal digits 12 KiB.
	maxKeyBytes = 32 << 10
	// maxIDBytes bounds what stands in a path: an alias of 35 bytes in base32 is
	// the longest.
	maxIDBytes = 128

	// maxFileBytes bounds each file of http_client: a bundle of all public
	// certificate authorities has 250 KB.
	maxFileBytes = 1 << 20

	// maxExcerpt bounds, in runes, what an error quotes from a mirror.
	maxExcerpt = 200
)

// LimitError is an answer that passes a limit.
type LimitError struct {
	// Input is what was too much, such as "bytes of the response".
	Input string
	Limit int64
}

// Error names the input and the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("more than %d %s", e.Limit, e.Input)
}

// capped is r up to a limit of bytes, which it is an error to pass.
type capped struct {
	r     io.Reader
	left  int64
	limit LimitError
	err   error // that ended r, as bufio.Reader forgets it when it has peeked
}

func newCapped(r io.Reader, limit int64, input string) *capped {
	return &capped{r: r, left: limit, limit: LimitError{Input: input, Limit: limit}}
}

func (c *capped) Read(p []byte) (n int, err error) {
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, c.err = c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		n, c.err = n-1, &c.limit
	}
	return n, c.err
}

// guard is JSON on its way to a decoder, which sees nothing that passes a
// limit. It knows just enough of JSON to tell strings from structure: what is
// not JSON is left to the decoder to find.
type guard struct {
	r     *bufio.Reader
	small int64        // bytes that may be read without asking
	grow  func() error // asked once, before the answer is longer
	err   error        // why there is no more to read, unless it is the end
	head  []byte       // the beginning of the answer

	read     int64
	depth    int
	elements [maxDepth + 1]int
	token    int // bytes since the last that belongs to the structure
	inString bool
	escaped  bool

	known     *knownRows // nil where no row can be known
	rowBegins bool       // with the next byte, if one that may be known does
	null      string     // what is to be given in the place of one that is known
	hashing   bool       // a row that is not known
	hash      maphash.Hash
	hashed    int32        // bytes
	rowEnds   bool         // with the last byte
	rows      []guardedRow // that the decoder has not read
	given     int64        // bytes to the decoder
}

// maxReadAhead is what a decoder gets at once, however long its buffer is, so that it
// comes to the limit of rows before the guard comes to one further on.
const maxReadAhead = 4 << 10

// maxHead is what of an answer that is not JSON is kept for the error.
const maxHead = 4 * maxExcerpt

// Read does not wait for more than there is, other than the whole of a row that may
// be known.
func (g *guard) Read(p []byte) (n int, err error) {
	defer func() { g.given += int64(n) }()
	p = p[:min(len(p), maxReadAhead)]
	for n < len(p) && g.err == nil {
		if g.rowBegins {
			g.rowBegins = false
			g.passKnown(g.given + int64(n))
			continue
		}
		if g.null != "" {
			copied := copy(p[n:], g.null)
			n, g.null = n+copied, g.null[copied:]
			continue
		}
		if n > 0 && g.r.Buffered() == 0 {
			break
		}
		if _, err := g.r.Peek(1); errors.Is(err, io.EOF) {
			return n, io.EOF
		} else if err != nil {
			g.err = err
			break
		}
		text, _ := g.r.Peek(min(g.r.Buffered(), len(p)-n))
		checked, limitErr := g.check(text)
		copied := copy(p[n:], text[:checked])
		if g.pass(text[:checked]) {
			n += copied
			g.err = limitErr
			g.hashRow(text[:checked], g.given+int64(n))
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, g.err
}

// pass reads text, which comes next, unless the answer gets too long with it.
func (g *guard) pass(text []byte) bool {
	if before := g.read; before <= g.small && before+int64(len(text)) > g.small {
		if g.err = g.grow(); g.err != nil {
			return false
		}
	}
	g.read += int64(len(text))
	g.head = append(g.head, text[:min(len(text), maxHead-len(g.head))]...)
	_, _ = g.r.Discard(len(text)) // it was peeked
	return true
}

// beginning is as much of the answer's as has arrived.
func (g *guard) beginning() []byte {
	more, _ := g.r.Peek(min(g.r.Buffered(), maxHead-len(g.head)))
	return append(g.head, more...)
}

// check returns where p passes a limit, and which, or where a row begins or ends that
// may be known. Most bytes are within strings and numbers, where only their count matters.
func (g *guard) check(p []byte) (int, error) {
	begin := 0 // of what g.token has not counted yet
	for i := 0; i < len(p); i++ {
		if g.escaped {
			g.escaped = false
			continue
		}
		for i < len(p) && !structural[p[i]] {
			i++
		}
		if i == len(p) {
			break
		}
		if g.token += i + 1 - begin; g.token > maxTokenBytes {
			return i + 1 - (g.token - maxTokenBytes), errToken
		}
		begin = i + 1
		if g.inString {
			g.escaped, g.inString = p[i] == '\\', p[i] != '"'
		} else if err := g.structure(p[i]); err != nil {
			return i, err
		} else if g.rowBegins || g.rowEnds {
			return i + 1, nil
		}
	}
	if g.token += len(p) - begin; g.token > maxTokenBytes {
		return len(p) - (g.token - maxTokenBytes), errToken
	}
	return len(p), nil
}

var errToken = &LimitError{Input: "bytes in a string, number or white space", Limit: maxTokenBytes}

// structural are the bytes that structure may be made of.
var structural = [256]bool{'"': true, '\\': true, '[': true, ']': true, '{': true, '}': true, ',': true, ':': true}

func (g *guard) structure(b byte) error {
	switch b {
	case '"':
		g.inString = true
	case '[', '{':
		if g.depth++; g.depth > maxDepth {
			return &LimitError{Input: "nested lists and objects", Limit: maxDepth}
		}
		g.elements[g.depth] = 1
	case ']', '}':
		g.depth = max(0, g.depth-1)
	case ',':
		if g.elements[g.depth]++; g.elements[g.depth] > maxElements {
			return &LimitError{Input: "elements in a list or object", Limit: maxElements}
		}
	case ':':
	default: // a backslash, which the decoder refuses
		return nil
	}
	g.token = 0
	g.rowBounds(b)
	return nil
}
