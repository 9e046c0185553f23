// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Field is a value of an answer. It may be null or left out, and it may be
// unreadable: then it is missing, but nothing else is. [Observer.DecodeFailure]
// is told of it.
type Field[T any] struct {
	value T
	ok    bool
	err   error
}

// FieldOf is the field that has a value.
func FieldOf[T any](value T) Field[T] {
	return Field[T]{value: value, ok: true}
}

// Get returns the value, if there is one that could be read.
func (f Field[T]) Get() (value T, ok bool) {
	return f.value, f.ok
}

// Or returns the value, or another one where there is none.
func (f Field[T]) Or(other T) T {
	if f.ok {
		return f.value
	}
	return other
}

// Pointer returns the value, or nil where there is none.
func (f Field[T]) Pointer() *T {
	if f.ok {
		return &f.value
	}
	return nil
}

// Err is why the value could not be read; nil if it was, or if it is null.
func (f Field[T]) Err() error {
	return f.err
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom]. What it cannot read is in
// Err.
func (f *Field[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	data, err := d.ReadValue()
	if err == nil {
		f.unmarshal(data)
	}
	return err
}

func (f *Field[T]) unmarshal(data []byte) {
	*f = Field[T]{}
	if string(data) == "null" {
		return
	}
	if f.err = unmarshalField(data, &f.value); f.err != nil {
		*f = Field[T]{err: f.err}
	}
	f.ok = f.err == nil
}

func (f *Field[T]) walk(name func() string, failed func(name string, err error)) {
	if f.err != nil {
		failed(name(), f.err)
	}
	walk(reflect.ValueOf(&f.value).Elem(), name, failed)
}

// walk calls failed for every unreadable field in v, which must be addressable.
// Names are made only for those.
func walk(v reflect.Value, name func() string, failed func(name string, err error)) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), name, failed)
		}
	case reflect.Struct:
		if f, ok := v.Addr().Interface().(interface {
			walk(name func() string, failed func(string, error))
		}); ok {
			f.walk(name, failed)
			return
		}
		for i := range v.NumField() {
			if field := v.Field(i); field.CanInterface() {
				walk(field, func() string {
					return strings.TrimPrefix(name()+"."+v.Type().Field(i).Tag.Get("json"), ".")
				}, failed)
			}
		}
	}
}

func noName() string { return "" }

// unmarshalField reads an integer also from a string, as the mirror has both.
func unmarshalField(data []byte, v any) (err error) {
	switch v := v.(type) {
	case *int64:
		*v, err = parseInt(data, 64)
		return err
	case *int32:
		n, err := parseInt(data, 32)
		*v = int32(n) //nolint:gosec // it has 32 bits
		return err
	case *string:
		if len(data) > maxTextBytes {
			return &LimitError{Input: "bytes of text", Limit: maxTextBytes}
		}
	case *Key:
		if len(data) > maxKeyBytes {
			return &LimitError{Input: "bytes of a key", Limit: maxKeyBytes}
		}
	case *Timestamp:
		return v.UnmarshalJSON(data)
	case *nanoTimestamp:
		return v.UnmarshalJSON(data)
	}
	if unmarshalPlain(data, v) {
		return nil
	}
	if err := json.Unmarshal(data, v, lenient); err != nil {
		return fmt.Errorf("not of the right type: %s", value(data))
	}
	return nil
}

// unmarshalPlain reads a boolean, and a string that has nothing to be unescaped or
// replaced, as nearly all are.
func unmarshalPlain(data []byte, v any) bool {
	switch v := v.(type) {
	case *bool:
		*v = string(data) == "true"
		return *v || string(data) == "false"
	case *string:
		if len(data) < 2 || data[0] != '"' || bytes.IndexByte(data, '\\') >= 0 || !utf8.Valid(data) {
			return false
		}
		*v = string(data[1 : len(data)-1])
		return true
	}
	return false
}

func parseInt(data []byte, bits int) (int64, error) {
	n, err := strconv.ParseInt(string(bytes.Trim(data, `"`)), 10, bits)
	if err != nil {
		return 0, fmt.Errorf("not an integer of %d bits: %s", bits, value(data))
	}
	return n, nil
}

// value is a value of an answer as errors have it: at their end, where a secret
// is hidden even if it is cut.
func value[T string | []byte](data T) string {
	return string(data[:min(len(data), maxTextBytes)])
}

// lenient reads bytes that are not UTF-8, and the last of two members with the same
// name.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// response is an answer on its way through a decoder.
type response struct {
	*jsontext.Decoder
	guard *guard
	rows  int // that were asked for
	// failed is told what could not be read.
	failed func(field string, err error)
}

func newResponse(body io.Reader, rows int, small int64, grow func() error, failed func(string, error)) *response {
	g := &guard{r: newCapped(body, maxBodyBytes, "bytes after decompression"), small: small, grow: grow}
	return &response{Decoder: jsontext.NewDecoder(g, lenient), guard: g, rows: rows, failed: failed}
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
				return a.unmarshal(&links)
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
		if err := a.unmarshal(&v); err != nil {
			return v, err
		}
		walk(reflect.ValueOf(&v).Elem(), noName, a.failed)
		return v, check(v)
	}
}

// unmarshal reads the value that comes next to its end, also if it is of the wrong
// type.
func (a *response) unmarshal(v any) error {
	depth := a.StackDepth()
	err := json.UnmarshalDecode(a.Decoder, v)
	if err == nil || a.broken(err) {
		return err
	}
	for a.StackDepth() > depth {
		skip := a.SkipValue
		if kind := a.PeekKind(); kind == '}' || kind == ']' {
			skip = func() error { _, err := a.ReadToken(); return err }
		}
		if err := skip(); err != nil {
			return err
		}
	}
	return err
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
	p.rows = []T{}
	seen := map[string]bool{}
	for kind := a.PeekKind(); kind != ']' && kind != 0; kind = a.PeekKind() {
		if len(p.rows)+p.dropped+p.repeated == a.rows {
			return &LimitError{Input: name + ", which is what was asked for", Limit: int64(a.rows)}
		}
		row := blank
		rowErr := a.unmarshal(&row)
		if a.broken(rowErr) {
			return rowErr
		}
		field, key, ok := row.key()
		switch {
		case !ok, rowErr != nil:
			p.dropped++
			a.failed(field, errors.Join(errors.New("row is left out: no readable "+field), rowErr))
		case seen[key]:
			p.repeated++
			a.failed(field, fmt.Errorf("%s %s: second row is left out", field, key))
		default:
			seen[key] = true
			p.rows = append(p.rows, row)
			walk(reflect.ValueOf(&row).Elem(), noName, func(name string, err error) {
				a.failed(name, fmt.Errorf("%s %s: %s: %w", field, key, name, err))
			})
		}
	}
	_, err = a.ReadToken()
	return err
}

// broken tells an error of the answer from one of a value in it.
func (a *response) broken(err error) bool {
	var syntax *jsontext.SyntacticError
	return a.guard.err != nil || errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

const nanosPerSecond = Timestamp(time.Second)

// Timestamp is a consensus time in nanoseconds since the Unix epoch. In JSON it
// is the string "seconds.nanoseconds" (docs/hedera.md 1.0).
type Timestamp int64

// Never is the timestamp of all times beyond 2262-04-11, as int64 nanoseconds
// cannot have them. The network has such times for what does not expire (docs/hedera.md 1.0).
const Never Timestamp = math.MaxInt64

// TimestampOf is a time as a Timestamp.
func TimestampOf(t time.Time) Timestamp {
	return Timestamp(t.UnixNano())
}

// Never reports whether the time is beyond what a Timestamp can have.
func (t Timestamp) Never() bool {
	return t == Never
}

// Time is the timestamp as a time.
func (t Timestamp) Time() time.Time {
	return time.Unix(0, int64(t))
}

// Add is the timestamp d later, Never if that is too late.
func (t Timestamp) Add(d time.Duration) Timestamp {
	if d > 0 && t > Never-Timestamp(d) {
		return Never
	}
	return t + Timestamp(d)
}

// ParseTimestamp reads "seconds" or "seconds.nanoseconds" with one to nine
// decimals.
func ParseTimestamp(s string) (Timestamp, error) {
	whole, fraction, ok := strings.Cut(s, ".")
	if !isDigits(whole) || (ok && !isDigits(fraction)) || len(fraction) > 9 {
		return 0, fmt.Errorf("not a timestamp as seconds.nanoseconds: %s", value(s))
	}
	return nanoseconds(whole + fraction + strings.Repeat("0", 9-len(fraction))), nil
}

// nanoseconds are digits as a Timestamp.
func nanoseconds(digits string) Timestamp {
	ns, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Never
	}
	return Timestamp(ns)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Seconds is the time in seconds since the Unix epoch, as Prometheus has it.
func (t Timestamp) Seconds() float64 {
	return float64(t/nanosPerSecond) + float64(t%nanosPerSecond)/float64(nanosPerSecond)
}

// String is the form that the mirror's API has, "seconds.nanoseconds".
func (t Timestamp) String() string {
	return fmt.Sprintf("%d.%09d", t/nanosPerSecond, t%nanosPerSecond)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Timestamp) UnmarshalJSON(data []byte) (err error) {
	if len(data) < 2 || data[0] != '"' {
		return fmt.Errorf("not a timestamp as text: %s", value(data))
	}
	*t, err = ParseTimestamp(string(data[1 : len(data)-1]))
	return err
}

// nanoTimestamp is a Timestamp that JSON has as a number of nanoseconds.
type nanoTimestamp Timestamp

// UnmarshalJSON implements [json.Unmarshaler].
func (t *nanoTimestamp) UnmarshalJSON(data []byte) error {
	if !isDigits(string(data)) {
		return fmt.Errorf("not a timestamp in nanoseconds: %s", value(data))
	}
	*t = nanoTimestamp(nanoseconds(string(data)))
	return nil
}

// TimestampRange is the time from From, inclusive, to To, exclusive. To is null
// while the range has not ended.
type TimestampRange struct {
	From Field[Timestamp] `json:"from"`
	To   Field[Timestamp] `json:"to"`
}
