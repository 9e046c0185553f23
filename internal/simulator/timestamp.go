// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// formatTimestamp renders a consensus timestamp, "seconds.nnnnnnnnn".
func formatTimestamp(t time.Time) string {
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// parseTimestamp reads "seconds" or "seconds.n…" into nanoseconds since 1970.
func parseTimestamp(s string) (int64, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseUint(whole, 10, 33)
	if err != nil {
		return 0, fmt.Errorf("timestamp %q: want seconds.nanoseconds: %w", s, err)
	}
	if len(fraction) > 9 {
		return 0, fmt.Errorf("timestamp %q: more than nine digits after the point", s)
	}
	nanos, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("timestamp %q: want seconds.nanoseconds: %w", s, err)
	}
	return int64(seconds)*int64(time.Second) + int64(nanos), nil
}
