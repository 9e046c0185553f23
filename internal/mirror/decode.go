// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient reads bytes that are not UTF-8, and the last of two members with the same
// name.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// response is an answer on its way through a decoder.
type response struct {
	*jsontext.Decoder
	buffers *buffers
	guard   *guard
	asked   request
	// failed is told what could not be read.
	failed func(field string, n int, err error)

	path     []string // to the value that is read
	failures []failure
}

// buffers are what an answer is read with.
type buffers struct {
	reader  *bufio.Reader
	head    []byte
	rows    []guardedRow
	decoder *jsontext.Decoder
	seen    map[string]bool // keys of rows
}

// maxPooledBytes is the longest answer whose buffers are kept: a decoder's is as long
// as the longest text in it was.
const maxPooledBytes = 128 << 10

// pooledBuffers are not in use.
var pooledBuffers = sync.Pool{New: func() any {
	return &buffers{
		reader:  bufio.NewReaderSize(nil, maxKnownBytes),
		head:    make([]byte, 0, maxHead),
		rows:    make([]guardedRow, 0, maxRepeated),
		decoder: jsontext.NewDecoder(http.NoBody),
		seen:    make(map[string]bool, maxRepeated),
	}
}}

// newResponse returns an answer, for which close is to be called when it has been
// read.
func newResponse(body io.Reader, r request, small int64, grow func() error, failed func(string, int, error)) *response {
	b := pooledBuffers.Get().(*buffers) //nolint:forcetypeassert // nothing else is in it
	b.reader.Reset(newCapped(body, maxBodyBytes, "bytes after decompression"))
	g := &guard{r: b.reader, head: b.head, rows: b.rows, small: small, grow: grow, known: r.known}
	b.decoder.Reset(g, lenient)
	return &response{Decoder: b.decoder, buffers: b, guard: g, asked: r, failed: failed}
}

func (a *response) close() {
	if a.guard.read > maxPooledBytes {
		return
	}
	a.buffers.reader.Reset(nil)
	a.buffers.decoder.Reset(http.NoBody)
	pooledBuffers.Put(a.buffers)
}

// row is an element of a list. Its key tells it from all others, in a field
// without which the row is of no use.
type row interface {
	key() (field, value string, ok bool)
}

// links are those of a list.
type links struct {
	Next string `json:"next"`
}

// list returns the decoder of a page of the list called name. It is an error if
// there is no list at all, as {} must not pass for a network without accounts,
// or if none of its rows can be read. Rows are decoded into blank.
func list[T row](name string, blank T) func(*response) (page[T], error) {
	return func(a *response) (page[T], error) {
		var (
			p     page[T]
			links links
		)
		err := a.object(func(key string) error {
			switch key {
			case name:
				return decodeRows(a, &p, name, blank)
			case "links":
				return a.read(&links)
			}
			return a.SkipValue()
		})
		switch {
		case err != nil:
			return page[T]{}, err
		case p.rows == nil:
			return page[T]{}, fmt.Errorf("it has no list of %s", name)
		case len(p.rows) == 0 && p.dropped > 0:
			return page[T]{}, fmt.Errorf("none of its %s can be read", name)
		}
		p.next = links.Next
		return p, nil
	}
}

// object returns the decoder of a single object that check accepts.
func object[T any](check func(T) error) func(*response) (T, error) {
	return func(a *response) (T, error) {
		var v T
		if err := a.read(&v); err != nil {
			return v, err
		}
		for _, failure := range a.failures {
			a.failed(failure.name, failure.n, failure.err)
		}
		return v, check(v)
	}
}

// object calls member for each key of an object, to decode the value.
func (a *response) object(member func(key string) error) error {
	token, err := a.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '{' {
		return errors.New("it is not an object")
	}
	for a.PeekKind() == '"' {
		token, err := a.ReadToken()
		if err != nil {
			return err
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
	_, err = a.ReadToken()
	return err
}

// decodeRows reads the list that comes next. A row without a key, and a second one
// with the same key, is left out.
func decodeRows[T row](a *response, p *page[T], name string, blank T) error {
	token, err := a.ReadToken()
	if err != nil || token.Kind() == 'n' { // null
		return err
	}
	if token.Kind() != '[' {
		return fmt.Errorf("its %s are not a list", name)
	}
	p.rows = make([]T, 0, a.asked.expected)
	seen := a.buffers.seen
	clear(seen)
	for kind := a.PeekKind(); kind != jsontext.KindEndArray && kind != jsontext.KindInvalid; kind = a.PeekKind() {
		if len(p.rows)+p.dropped+p.repeated == a.asked.rows {
			return &LimitError{Input: name + ", which is what was asked for", Limit: int64(a.asked.rows)}
		}
		p.rows = append(p.rows, blank)
		last := len(p.rows) - 1
		row := &p.rows[last]
		a.failures = a.failures[:0]
		rowErr := a.read(row)
		if a.broken(rowErr) {
			return cmp.Or(rowErr, a.guard.err)
		}
		field, key, ok := (*row).key()
		switch {
		case !ok, rowErr != nil:
			p.dropped++
			p.rows = p.rows[:last]
			a.failed(field, 1, errors.Join(errors.New("row is left out: no readable "+field), rowErr))
		case seen[key]:
			p.repeated++
			p.rows = p.rows[:last]
			a.failed(field, 1, fmt.Errorf("%s %s: second row is left out", field, key))
		default:
			seen[key] = true
			for _, failure := range a.failures {
				a.failed(failure.name, failure.n, fmt.Errorf("%s %s: %s: %w", field, key, failure.name, failure.err))
			}
		}
	}
	_, err = a.ReadToken()
	return err
}

// broken tells an error of the answer from one of a value in it.
func (a *response) broken(err error) bool {
	if a.guard.err != nil || err == nil {
		return a.guard.err != nil
	}
	var syntax *jsontext.SyntacticError
	return errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
