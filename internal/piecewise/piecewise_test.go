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
	text  string
	piece bool
}

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
	"only pieces":               {{lines(100), true}, {lines(10000), true}, {lines(1), true}},
	"a piece without a text":    {{"", true}, {"a", false}, {"", true}},
	"text before":               {{lines(10), false}, {lines(10), true}},
	"text after":                {{lines(10), true}, {lines(10), false}},
	"text in between":           {{lines(500), false}, {lines(500), true}, {lines(500), false}, {lines(500), false}, {"\n", true}, {"# EOF\n", false}},
	"the same, again and again": {{lines(7), true}, {lines(7), true}, {lines(7), true}},
}

func write(t *testing.T, w *piecewise.Writer, parts []part) {
	t.Helper()
	for _, p := range parts {
		var err error
		if p.piece {
			err = w.WritePiece(piecewise.Compress([]byte(p.text)))
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
	f.Add(lines(3), "", lines(40), uint8(2))
	f.Fuzz(func(t *testing.T, a, b, c string, pieces uint8) {
		var compressed bytes.Buffer
		w := piecewise.NewWriter()
		w.Reset(&compressed)
		write(t, w, []part{{a, pieces&1 != 0}, {b, pieces&2 != 0}, {c, pieces&4 != 0}, {a, pieces&8 != 0}})
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
