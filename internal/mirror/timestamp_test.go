// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"math"
	"testing"
	"time"
)

func TestParseTimestamp(t *testing.T) {
	tests := []struct {
		in   string
		want Timestamp
		err  string
	}{
		{in: "0.0", want: 0},
		{in: "1586567700", want: 1586567700_000000000},
		{in: "1586567700.453054000", want: 1586567700_453054000},
		{in: "1586567700.5", want: 1586567700_500000000},
		{in: "0.000000001", want: 1},
		{in: "9223372036.854775807", want: math.MaxInt64},
		{in: "9223372036.854775808", want: Never},
		{in: "31556888202959784.000000000", want: Never}, // mainnet 0.0.400
		{in: "147339525398400.000000000", want: Never},
		{in: "99999999999999999999999", want: Never},
		{in: "", err: `: `},
		{in: ".", err: `: .`},
		{in: "1.", err: `: 1.`},
		{in: ".5", err: `: .5`},
		{in: "1.0000000001", err: `: 1.0000000001`},
		{in: "-1.5", err: `: -1.5`},
		{in: "+1.5", err: `: +1.5`},
		{in: "1.-5", err: `: 1.-5`},
		{in: "1e9", err: `: 1e9`},
		{in: "1.5.5", err: `: 1.5.5`},
		{in: " 1", err: `:  1`},
		{in: "٣.5", err: `: ٣.5`},
	}
	for _, tt := range tests {
		got, err := ParseTimestamp(tt.in)
		if tt.err != "" {
			wantError(t, err, tt.err)
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("ParseTimestamp(%q) = %d, %v, want %d", tt.in, got, err, tt.want)
		}
	}
}

func TestTimestampForms(t *testing.T) {
	ts := Timestamp(1586567700_000000042)
	if got, want := ts.String(), "1586567700.000000042"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got, want := Timestamp(1586567700_500000000).Seconds(), 1586567700.5; got != want {
		t.Errorf("Seconds() = %f, want %f", got, want)
	}
	var read, none Timestamp
	if _, err := readText(`"1.000000001"`, &read); err != nil || read != 1_000000001 {
		t.Errorf("read %v, %v", read, err)
	}
	if _, err := readText("null", &none); err != nil || none != 0 {
		t.Errorf("read %v, %v", none, err)
	}
}

func FuzzParseTimestamp(f *testing.F) {
	for _, s := range []string{"0.0", "1586567700.453054000", "9223372036.854775807", "1", "1.", "-1.5", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ts, err := ParseTimestamp(s)
		if err != nil {
			return
		}
		again, err := ParseTimestamp(ts.String())
		if err != nil || again != ts {
			t.Errorf("%q is %d, which prints as %s and reads as %d, %v", s, ts, ts, again, err)
		}
	})
}

func TestTimestampAndTime(t *testing.T) {
	at := time.Unix(1586567700, 42)
	ts := TimestampOf(at)
	if ts != 1586567700_000000042 || !ts.Time().Equal(at) || ts.Add(time.Second) != 1586567701_000000042 {
		t.Errorf("%s is %d, %s again and %d a second later", at, ts, ts.Time(), ts.Add(time.Second))
	}
}

func TestTimestampAsNumber(t *testing.T) {
	tests := []struct {
		in   string
		want Timestamp
		err  string
	}{
		{in: "1893456000000000001", want: 1893456000_000000001},
		{in: "31556888202959784000000000", want: Never},
		{in: "1.5", err: `: 1.5`},
		{in: "-1", err: `: -1`},
		{in: "1e9", err: `: 1e9`},
		{in: "true", err: `: true`},
	}
	for _, tt := range tests {
		var ts nanoTimestamp
		_, err := readText(tt.in, &ts)
		if tt.err != "" {
			wantError(t, err, tt.err)
		} else if err != nil || Timestamp(ts) != tt.want {
			t.Errorf("%s is %d, %v", tt.in, ts, err)
		}
	}
}

func TestNever(t *testing.T) {
	if !Never.Never() || Timestamp(0).Never() {
		t.Error("Never is wrong")
	}
	if got := Never.Add(time.Hour); !got.Never() {
		t.Errorf("an hour later it is %s", got)
	}
	if got := Timestamp(5).Add(-2); got != 3 {
		t.Errorf("got %d, want 3", got)
	}
}
