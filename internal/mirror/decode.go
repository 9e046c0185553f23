// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// list returns the decoder of a page of the list called name. It is an error if
// there is no list at all: {} must not pass for a network without accounts.
func list[T any](name string) func([]byte) (page[T], error) {
	return func(body []byte) (page[T], error) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(body, &fields); err != nil {
			return page[T]{}, err
		}
		var (
			p     page[T]
			links struct {
				Next string `json:"next"`
			}
		)
		err := errors.Join(unmarshal(fields[name], &p.rows), unmarshal(fields["links"], &links))
		if err == nil && p.rows == nil {
			err = fmt.Errorf("it has no list of %s", name)
		}
		p.next = links.Next
		return p, err
	}
}

func unmarshal(data json.RawMessage, v any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal(data, v)
}

// object returns the decoder of a single object that check accepts.
func object[T any](check func(T) error) func([]byte) (T, error) {
	return func(body []byte) (T, error) {
		var v T
		err := json.Unmarshal(body, &v)
		if err == nil {
			err = check(v)
		}
		return v, err
	}
}

const nanosPerSecond = int64(time.Second)

// Timestamp is a consensus time in nanoseconds since the Unix epoch. In JSON it
// is the string "seconds.nanoseconds" or, of all the mirror's times only for
// the expiry of tokens, the nanoseconds as a number (docs/hedera.md 1.0, 1.2).
type Timestamp int64

// TimestampOf is a time as a Timestamp.
func TimestampOf(t time.Time) Timestamp {
	return Timestamp(t.UnixNano())
}

// Time is the timestamp as a time.
func (t Timestamp) Time() time.Time {
	return time.Unix(0, int64(t))
}

// Add is the timestamp d later.
func (t Timestamp) Add(d time.Duration) Timestamp {
	return t + Timestamp(d)
}

// ParseTimestamp reads "seconds" or "seconds.nanoseconds" with one to nine
// decimals.
func ParseTimestamp(s string) (Timestamp, error) {
	whole, fraction, ok := strings.Cut(s, ".")
	if !isDigits(whole) || (ok && !isDigits(fraction)) || len(fraction) > 9 {
		return 0, fmt.Errorf("timestamp %.40q is not seconds.nanoseconds", s)
	}
	// Together they are the nanoseconds, so that ParseInt checks the range.
	ns, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("timestamp %.40q is out of range", s)
	}
	return Timestamp(ns), nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Seconds is the time in seconds since the Unix epoch, as Prometheus has it.
func (t Timestamp) Seconds() float64 {
	return float64(t/Timestamp(nanosPerSecond)) + float64(t%Timestamp(nanosPerSecond))/float64(nanosPerSecond)
}

// String is the form that the mirror's API has, "seconds.nanoseconds".
func (t Timestamp) String() string {
	return fmt.Sprintf("%d.%09d", int64(t)/nanosPerSecond, int64(t)%nanosPerSecond)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Timestamp) UnmarshalJSON(data []byte) (err error) {
	if text, ok := bytes.CutPrefix(data, []byte(`"`)); ok {
		*t, err = ParseTimestamp(string(bytes.TrimSuffix(text, []byte(`"`))))
		return err
	}
	return json.Unmarshal(data, (*int64)(t))
}

// MarshalJSON implements [json.Marshaler].
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.String() + `"`), nil
}

// TimestampRange is the time from From, inclusive, to To, exclusive. To is nil
// while the range has not ended.
type TimestampRange struct {
	From Timestamp  `json:"from"`
	To   *Timestamp `json:"to"`
}
