// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const nanosPerSecond = int64(time.Second)

// Timestamp is a time in nanoseconds since the Unix epoch. In JSON it is the
// string "seconds.nanoseconds" (FACTS.md 1.0).
type Timestamp int64

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

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Timestamp) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimestamp(string(text))
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (t Timestamp) MarshalText() ([]byte, error) {
	return []byte(t.String()), nil
}

// TimestampRange is the time from From, inclusive, to To, exclusive. To is nil
// while the range has not ended.
type TimestampRange struct {
	From Timestamp  `json:"from"`
	To   *Timestamp `json:"to"`
}
