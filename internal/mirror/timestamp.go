// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

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
	const zeros = "000000000"
	return nanoseconds(whole + fraction + zeros[len(fraction):]), nil
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
	for _, b := range []byte(s) {
		if b < '0' || b > '9' {
			return false
		}
	}
	return s != ""
}

// Seconds is the time in seconds since the Unix epoch, as Prometheus has it.
func (t Timestamp) Seconds() float64 {
	return float64(t/nanosPerSecond) + float64(t%nanosPerSecond)/float64(nanosPerSecond)
}

// String is the form that the mirror's API has, "seconds.nanoseconds".
func (t Timestamp) String() string {
	return fmt.Sprintf("%d.%09d", t/nanosPerSecond, t%nanosPerSecond)
}

func scanTimestamp(data []byte) (Timestamp, error) {
	if data[0] != '"' {
		return 0, fmt.Errorf("not a timestamp as text: %s", value(data))
	}
	return ParseTimestamp(string(data[1 : len(data)-1]))
}

// nanoTimestamp is a Timestamp that JSON has as a number of nanoseconds.
type nanoTimestamp Timestamp

func scanNanoTimestamp(data []byte) (nanoTimestamp, error) {
	if !isDigits(string(data)) {
		return 0, fmt.Errorf("not a timestamp in nanoseconds: %s", value(data))
	}
	return nanoTimestamp(nanoseconds(string(data))), nil
}

// TimestampRange is the time from From, inclusive, to To, exclusive. To is null
// while the range has not ended.
type TimestampRange struct {
	From Field[Timestamp] `json:"from"`
	To   Field[Timestamp] `json:"to"`
}
