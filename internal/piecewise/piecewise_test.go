// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package piecewise_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"hedera_exporter/internal/piecewise"
)

// part is text that is written, or comes as a piece.
type part struct {
	text     string
	compress func(text []byte) piecewise.Piece // nil if it is written
}

var (
	good = piecewise.Compress
	fast = piecewise.CompressFast
)

func lines(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "hedera_account_balance_hbar{account_id=\"0.0.%d\"} %d\n", 1000+i, i*i)
	}
	return text.String()
}

var responses = map[string][]part{
	"nothing":                   {},
	"no piece":                  {{text: lines(1000)}},
	"only pieces":               {{lines(100), good}, {lines(10000), good}, {lines(1), good}},
	"fast pieces":               {{lines(100), fast}, {lines(10), good}, {"", fast}, {text: lines(10)}, {lines(10000), fast}},
	"a piece without a text":    {{"", good}, {text: "a"}, {"", good}},
	"text before":               {{text: lines(10)}, {lines(10), good}},
	"text after":                {{lines(10), good}, {text: lines(10)}},
	"text in between":           {{text: lines(500)}, {lines(500), good}, {text: lines(500)}, {text: lines(500)}, {"\n", good}, {text: "# EOF\n"}},
	"the same, again and again": {{lines(7), good}, {lines(7), good}, {lines(7), good}},
}

func write(t *testing.T, w *piecewise.Writer, parts []part) {
	t.Helper()
	for _, p := range parts {
		var err error
		if p.compress != nil {
			err = w.WritePiece(p.compress([]byte(p.text)))
		} else {
			_, err = io.WriteString(w, p.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWriter reads what is written with the standard library, as one stream, and
// with the program gzip. Both compare its checksum and its size.
func TestWriter(t *testing.T) {
	w := piecewise.NewWriter() // for all responses, one after the other
	for name, parts := range responses {
		t.Run(name, func(t *testing.T) {
			var compressed bytes.Buffer
			w.Reset(&compressed)
			write(t, w, parts)
			var text strings.Builder
			for _, p := range parts {
				text.WriteString(p.text)
			}
			want := text.String()
			reader, err := gzip.NewReader(bytes.NewReader(compressed.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			reader.Multistream(false)
			if got, err := io.ReadAll(reader); string(got) != want || err != nil {
				t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
			}
			program := exec.CommandContext(t.Context(), "gzip", "--decompress", "--stdout")
			program.Stdin = &compressed
			if got, err := program.Output(); string(got) != want || err != nil {
				t.Errorf("gzip: %d bytes, %v, want %d", len(got), err, len(want))
			}
		})
	}
}

func FuzzWriter(f *testing.F) {
	f.Add("a", "b", "c", uint8(1))
	f.Add(lines(3), "", lines(40), uint8(0b_10_01_00_10))
	f.Fuzz(func(t *testing.T, a, b, c string, how uint8) {
		var parts []part
		for i, text := range []string{a, b, c, a} {
			parts = append(parts, part{text, []func([]byte) piecewise.Piece{nil, good, fast, nil}[how>>(2*i)&3]})
		}
		var compressed bytes.Buffer
		w := piecewise.NewWriter()
		w.Reset(&compressed)
		write(t, w, parts)
		reader, err := gzip.NewReader(&compressed)
		if err != nil {
			t.Fatal(err)
		}
		reader.Multistream(false)
		if got, err := io.ReadAll(reader); string(got) != a+b+c+a || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

type failing struct{ left int }

var errFailed = errors.New("failed")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFailed
	}
	return len(p), nil
}

// TestWriterThatFails fails at each byte of a response.
func TestWriterThatFails(t *testing.T) {
	piece := piecewise.Compress([]byte(lines(10)))
	write := func(left int) error {
		w := piecewise.NewWriter()
		w.Reset(&failing{left})
		for range 2 {
			if _, err := io.WriteString(w, lines(10)); err != nil {
				return err
			}
			if err := w.WritePiece(piece); err != nil {
				return err
			}
		}
		return w.Close()
	}
	n := 0
	for write(n) != nil {
		if err := write(n); !errors.Is(err, errFailed) {
			t.Fatal(err)
		}
		n++
	}
	if n < 100 {
		t.Errorf("a response of %d bytes was written", n)
	}
}
