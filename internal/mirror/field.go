// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Field is a value of an answer. It may be null or left out, and it may be
// unreadable: then it is missing, but nothing else is. [Observer.DecodeFailure]
// is told of it.
type Field[T any] struct {
	value          T
	ok, unreadable bool
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

// Unreadable reports whether there is a value that could not be read.
func (f Field[T]) Unreadable() bool {
	return f.unreadable
}

func (f *Field[T]) read(a *response) error {
	*f = Field[T]{}
	found, err := a.readValue(&f.value)
	if err == nil {
		err = checkLength(&f.value)
	}
	if err == nil || a.broken(err) {
		f.ok = found && err == nil
		return err
	}
	*f = Field[T]{unreadable: true}
	a.note(err)
	return nil
}

// note keeps a failure for each name only, however many elements a list has.
func (a *response) note(err error) {
	name := strings.Join(a.path, ".")
	if i := slices.IndexFunc(a.failures, func(f failure) bool { return f.name == name }); i >= 0 {
		a.failures[i].n++
		return
	}
	a.failures = append(a.failures, failure{name, 1, err})
}

func checkLength(v any) error {
	switch v := v.(type) {
	case *string:
		if len(*v) > maxTextBytes {
			return &LimitError{Input: "bytes of text", Limit: maxTextBytes}
		}
	case *Key:
		if len(v.Type)+len(v.Key) > maxKeyBytes {
			return &LimitError{Input: "bytes of a key", Limit: maxKeyBytes}
		}
	}
	return nil
}

// failure is a field that could not be read, n times.
type failure struct {
	name string
	n    int
	err  error // the first time
}

// read reads the value that comes next, to its end, into what v points to. Null
// changes nothing. An error is either of the answer ([response.broken]) or of the
// value; unreadable fields are in a.failures.
func (a *response) read(v any) error {
	if f, ok := v.(interface{ read(a *response) error }); ok {
		return f.read(a)
	}
	_, err := a.readValue(v)
	return err
}

// readValue is read for what is not a [Field]. It tells null from a value.
func (a *response) readValue(v any) (found bool, err error) {
	switch v.(type) {
	case *string, *int64, *int32, *bool, *float64, *Timestamp, *nanoTimestamp:
		data, err := a.ReadValue()
		if err != nil || string(data) == "null" {
			return false, err
		}
		return true, scan(data, v)
	}
	target := reflect.ValueOf(v).Elem()
	begin, read := jsontext.KindBeginObject, a.readMembers
	if target.Kind() == reflect.Slice {
		begin, read = jsontext.KindBeginArray, a.readElements
	}
	if a.PeekKind() == begin {
		return true, read(target)
	}
	data, err := a.ReadValue()
	if err != nil || string(data) == "null" {
		return false, err
	}
	return true, wrongType(data)
}

// readMembers reads those members of an object that the struct has fields for.
func (a *response) readMembers(target reflect.Value) (failed error) {
	if _, err := a.ReadToken(); err != nil {
		return err
	}
	members := membersOf(target.Type())
	for a.PeekKind() == '"' {
		name, err := a.ReadValue()
		if err != nil {
			return err
		}
		m, ok := members[string(name)]
		if !ok || m.name == a.asked.skipped {
			err = a.SkipValue()
		} else {
			a.path = append(a.path, m.name)
			err = a.read(target.Field(m.index).Addr().Interface())
			a.path = a.path[:len(a.path)-1]
		}
		switch {
		case err == nil:
		case a.broken(err):
			return err
		default:
			failed = cmp.Or(failed, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	if _, err := a.ReadToken(); err != nil {
		return err
	}
	return failed
}

func (a *response) readElements(target reflect.Value) (failed error) {
	if _, err := a.ReadToken(); err != nil {
		return err
	}
	target.Set(reflect.MakeSlice(target.Type(), 0, 0))
	for kind := a.PeekKind(); kind != jsontext.KindEndArray && kind != jsontext.KindInvalid; kind = a.PeekKind() {
		target.Set(reflect.Append(target, reflect.Zero(target.Type().Elem())))
		switch err := a.read(target.Index(target.Len() - 1).Addr().Interface()); {
		case err == nil:
		case a.broken(err):
			return err
		default:
			failed = cmp.Or(failed, err)
		}
	}
	if _, err := a.ReadToken(); err != nil {
		return err
	}
	return failed
}

// member is a field of a struct.
type member struct {
	name  string
	index int
}

var knownMembers sync.Map // of reflect.Type

// membersOf returns the fields of a struct by their names in JSON, in quotes.
func membersOf(t reflect.Type) map[string]member {
	if known, ok := knownMembers.Load(t); ok {
		return known.(map[string]member) //nolint:forcetypeassert // nothing else is stored
	}
	members := map[string]member{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("json"); name != "" {
			members[strconv.Quote(name)] = member{name, i}
		}
	}
	knownMembers.Store(t, members)
	return members
}

// scan reads a value that is neither a list nor an object, nor null. An integer may
// be a string, as the mirror has both.
func scan(data []byte, v any) (err error) {
	switch v := v.(type) {
	case *int64:
		*v, err = parseInt(data, 64)
		return err
	case *int32:
		n, err := parseInt(data, 32)
		*v = int32(n) //nolint:gosec // it has 32 bits
		return err
	case *Timestamp:
		*v, err = scanTimestamp(data)
		return err
	case *nanoTimestamp:
		*v, err = scanNanoTimestamp(data)
		return err
	case *string:
		// Nearly all have nothing to be unescaped or replaced.
		if data[0] == '"' && bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data) {
			*v = string(data[1 : len(data)-1])
			return nil
		}
	}
	if json.Unmarshal(data, v, lenient) != nil {
		return wrongType(data)
	}
	return nil
}

func parseInt(data []byte, bits int) (int64, error) {
	digits := data
	if digits[0] == '"' {
		digits = digits[1 : len(digits)-1]
	}
	n, err := strconv.ParseInt(string(digits), 10, bits)
	if err != nil {
		return 0, fmt.Errorf("not an integer of %d bits: %s", bits, value(data))
	}
	return n, nil
}

func wrongType(data []byte) error {
	return fmt.Errorf("not of the right type: %s", value(data))
}

// value is a value of an answer as errors have it: at their end, where a secret
// is hidden even if it is cut.
func value[T string | []byte](data T) string {
	return string(data[:min(len(data), maxTextBytes)])
}
