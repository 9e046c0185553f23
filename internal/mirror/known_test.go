// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"hedera_exporter/internal/mirror/mirrortest"
)

// digests are what is known of accounts.
type digests map[string]RowDigest

func (d digests) of(ids []string) []RowDigest {
	known := make([]RowDigest, 0, len(ids))
	for _, id := range ids {
		known = append(known, d[id])
	}
	return known
}

// rows are what is known of all of them.
func (d digests) rows() *knownRows {
	ids := slices.Sorted(maps.Keys(d))
	return &knownRows{ids: ids, digests: d.of(ids)}
}

func digestsOf(rows []AccountRow) digests {
	known := digests{}
	for _, row := range rows {
		known[row.ID] = row.Digest
	}
	return known
}

// rowsRead is what came of an answer of [Client.AccountParts].
type rowsRead struct {
	page[AccountRow]
	failures []string
	grown    int // how often it was asked for more bytes
	err      error
}

func readRows(body io.Reader, small int64, known digests) (read rowsRead) {
	grow := func() error { read.grown++; return nil }
	failed := func(field string, n int, err error) {
		read.failures = append(read.failures, slices.Repeat([]string{field + ": " + err.Error()}, n)...)
	}
	a := newResponse(body, request{rows: maxRepeated, expected: maxRepeated, skipped: "tokens", known: known.rows()}, small, grow, failed)
	defer a.close()
	read.page, read.err = decodeAccountRows(a)
	read.err = a.end(read.err)
	return read
}

// decoded are the ids of the rows that were.
func (r rowsRead) decoded() []string {
	ids := []string{}
	for _, row := range r.rows {
		if row.Account != nil {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// differs returns how it differs from the same answer read with nothing known.
func (r rowsRead) differs(from rowsRead, known digests) error {
	if failed := r.err != nil; failed != (from.err != nil) {
		return fmt.Errorf("error %w, want %w", r.err, from.err)
	} else if failed {
		return nil //nolint:nilerr // both failed
	}
	if !slices.Equal(r.failures, from.failures) || len(r.rows) != len(from.rows) || r.dropped != from.dropped || r.repeated != from.repeated || r.next != from.next || r.grown != from.grown {
		return fmt.Errorf("got  %+v\nwant %+v", r, from)
	}
	for i, row := range r.rows {
		want := from.rows[i]
		if row.ID != want.ID || row.Digest != want.Digest {
			return fmt.Errorf("row %d is %+v, want %+v", i, row, want)
		}
		if row.Account == nil && (row.Digest == RowDigest{} || row.Digest != known[row.ID]) {
			return fmt.Errorf("row %d was not decoded, but is not known: %+v", i, row)
		}
		if row.Account != nil && !reflect.DeepEqual(row.Account, want.Account) {
			return fmt.Errorf("row %d is %+v, want %+v", i, row.Account, want.Account)
		}
	}
	return nil
}

// chunked are ways that a body may arrive.
var chunked = map[string]func(io.Reader) io.Reader{
	"whole":          func(r io.Reader) io.Reader { return r },
	"byte by byte":   iotest.OneByteReader,
	"half":           iotest.HalfReader,
	"end with bytes": iotest.DataErrReader,
	"7 bytes":        func(r io.Reader) io.Reader { return pieces{r, 7} },
	"100 bytes":      func(r io.Reader) io.Reader { return pieces{r, 100} },
}

type pieces struct {
	r    io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(p.size, len(b))]) }

// TestKnownRows reads answers in which rows are known, and the same with nothing
// known.
func TestKnownRows(t *testing.T) {
	row := func(id string, balance int) string {
		return fmt.Sprintf(`{"account":"0.0.%s","balance":{"balance":%d,"timestamp":"1.000000002","tokens":[]},"memo":"[\"a\",{}"}`, id, balance)
	}
	answer := func(rows ...string) string {
		return `{"accounts":[` + strings.Join(rows, ",") + `],"links":{"next":"/api/v1/accounts?limit=3"}}`
	}
	long := func(size int) string {
		const begin, end = `{"account":"0.0.1","alias":"`, `"}`
		return begin + strings.Repeat("a", size-len(begin)-len(end)) + end
	}
	var many []string
	for i := range maxRepeated + 1 {
		many = append(many, row(strconv.Itoa(i), i))
	}
	var tooLong []string // in the row that follows
	for left := maxBodyBytes - len(accountsBegin) - 20; left > 0; left -= maxTokenBytes / 2 {
		tooLong = append(tooLong, long(min(left, maxTokenBytes/2)-1))
	}
	a, b, c := row("1", 1), row("2", 2), row("3", 3)
	before := answer(a, b, c)
	tests := []struct {
		name, before, body string
		decoded            []string
		err                string
	}{
		{name: "all", body: before},
		{name: "none", body: answer(row("1", 7), row("2", 8), row("3", 9)), decoded: []string{"0.0.1", "0.0.2", "0.0.3"}},
		{name: "all but the first", body: answer(row("1", 7), b, c), decoded: []string{"0.0.1"}},
		{name: "all but one in the middle", body: answer(a, row("2", 7), c), decoded: []string{"0.0.2"}},
		{name: "all but the last", body: answer(a, b, row("3", 7)), decoded: []string{"0.0.3"}},
		{name: "the first", body: answer(a, row("2", 7), row("3", 7)), decoded: []string{"0.0.2", "0.0.3"}},
		{name: "the last", body: answer(row("1", 7), row("2", 7), c), decoded: []string{"0.0.1", "0.0.2"}},
		{name: "another order", body: answer(c, a, b)},
		{name: "new account", body: answer(a, row("4", 4), c), decoded: []string{"0.0.4"}},
		{name: "empty", body: answer()},
		{name: "only one", body: answer(b)},
		{name: "null of the mirror", body: answer("null", a, "null", "null", b, row("3", 7), "null"), decoded: []string{"0.0.3"}},
		{name: "odd rows", body: answer("5", a, `"x"`, "[]", b, "{}", c)},
		{name: "twice", body: answer(a, b, a, b)},
		{name: "changed and known", body: answer(row("1", 7), a), decoded: []string{"0.0.1"}},
		{name: "known and changed", body: answer(a, row("1", 7))},
		{name: "exchanged", body: answer(row("2", 1), row("1", 2), c), decoded: []string{"0.0.2", "0.0.1"}},
		{name: "exchanged, two known", before: answer(row("1", 5), row("2", 6), c), body: answer(row("1", 6), row("2", 5), c), decoded: []string{"0.0.1", "0.0.2"}},
		{name: "id of two", before: answer(`{"account":"0.0.1","account":"0.0.2"}`), body: answer(`{"account":"0.0.1","account":"0.0.2"}`), decoded: []string{"0.0.2"}},
		{name: "no id", before: answer(`{"account":"x"}`, a), body: answer(`{"account":"x"}`, a)},
		{name: "field that cannot be read", before: answer(`{"account":"0.0.1","memo":5}`), body: answer(`{"account":"0.0.1","memo":5}`), decoded: []string{"0.0.1"}},
		{name: "known row in a row", body: answer(`{"account":"0.0.4","x":[`+a+`,`+b+`]}`, c), decoded: []string{"0.0.4"}},
		{name: "known row in a text", body: answer(`{"account":"0.0.4","memo":",{\"account\":\"0.0.1\""}`, c), decoded: []string{"0.0.4"}},

		{name: "space after rows", body: answer(a+" ", b+"\n", c)},
		{name: "space before rows", body: answer(a, " "+b, "\n"+c), decoded: []string{"0.0.2", "0.0.3"}},
		{name: "space before the list", body: strings.Replace(before, ":[", ": [", 1), decoded: []string{"0.0.1", "0.0.2", "0.0.3"}},
		{name: "space in a row", body: answer(a, strings.Replace(b, `":"`, `": "`, 1), c), decoded: []string{"0.0.2"}},
		{name: "list comes second", body: `{"links":{},` + before[1:], decoded: []string{"0.0.1", "0.0.2", "0.0.3"}},
		{name: "list comes twice", body: `{"accounts":[` + a + `,` + b + `],"accounts":[` + c + `,` + a + `]}`, decoded: []string{"0.0.3", "0.0.1"}},
		{name: "empty list comes first", body: `{"accounts":[],` + before[1:], decoded: []string{"0.0.1", "0.0.2", "0.0.3"}},
		{name: "other list after", body: `{"accounts":[` + a + `],"x":[` + b + `,` + c + `]}`},
		{name: "list of lists", body: `{"accounts":[[` + a + `,` + b + `],` + c + `]}`},

		{name: "truncated in a row", body: before[:len(before)/2], err: "unexpected EOF"},
		{name: "truncated after a row", body: `{"accounts":[` + a, err: "unexpected EOF"},
		{name: "truncated after a comma", body: `{"accounts":[` + a + `,`, err: "unexpected EOF"},
		{name: "row goes on", body: answer(a+`x`, b, c), err: "invalid character 'x'"},
		{name: "row goes on with a row", body: answer(a+b, c), err: "invalid character '{'"},
		{name: "row goes on with null", body: answer(a+`null`, c), err: "invalid character 'n'"},
		{name: "row goes on with a member", body: answer(a+`:1`, c), err: "invalid character ':'"},
		{name: "no comma", body: answer(a+" "+b, c), err: "invalid character '{'"},
		{name: "two commas", body: answer(a, "", b, c), err: "invalid character ','"},
		{name: "not closed", body: `{"accounts":[` + a + `}`, err: "invalid character '}'"},
		{name: "two answers", body: before + before, err: "more than one value"},
		{name: "none can be read", body: answer("null", "null"), err: "none of its accounts can be read"},

		{name: "as long as the buffer", before: answer(long(maxKnownBytes), b), body: answer(long(maxKnownBytes), b)},
		{name: "longer than the buffer", before: answer(long(maxKnownBytes+1), b), body: answer(long(maxKnownBytes+1), b), decoded: []string{"0.0.1"}},
		{name: "as many as asked for", before: answer(many[1:]...), body: answer(many[1:]...)},
		{name: "more than asked for", before: answer(many[1:]...), body: answer(many...), err: "more than 100 accounts, which is what was asked for"},
		{name: "the same for ever", body: answer(slices.Repeat([]string{a}, 2*maxElements)...), err: "more than 100 accounts"},
		{name: "too many elements after", body: `{"accounts":[` + a + `],"x":[` + strings.Repeat("1,", maxElements) + `1]}`, err: "more than 1000 elements"},
		{name: "too long a token after", body: `{"accounts":[` + a + `],"x":"` + strings.Repeat("x", maxTokenBytes+1) + `"}`, err: "more than 262144 bytes in a string"},
		{name: "too long an answer in a row", body: answer(append(tooLong, a)...), err: "more than 8388608 bytes after decompression"},
		{name: "too long an answer", body: `{"accounts":[` + a + `],"x":[` + padding(maxBodyBytes) + `]}`, err: "more than 8388608 bytes after decompression"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.before == "" {
				tt.before = before
			}
			known := digestsOf(readRows(strings.NewReader(tt.before), smallBytes, nil).rows)
			want := readRows(strings.NewReader(tt.body), smallBytes, nil)
			if tt.err != "" {
				wantError(t, want.err, tt.err)
			}
			for name, arrives := range chunked {
				if len(tt.body) > 1<<20 && name != "whole" {
					continue
				}
				got := readRows(arrives(strings.NewReader(tt.body)), smallBytes, known)
				if err := got.differs(want, known); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if tt.err != "" {
					wantError(t, got.err, tt.err)
				} else if got.err != nil || !slices.Equal(got.decoded(), tt.decoded) {
					t.Errorf("%s: %q were decoded, %v, want %q", name, got.decoded(), got.err, tt.decoded)
				}
			}
		})
	}
}

// TestKnownRowsCountForTheAnswer has an answer that is no longer small with a known
// row.
func TestKnownRowsCountForTheAnswer(t *testing.T) {
	body := accountsBody("", accountIDs(10)...)
	known := digestsOf(readRows(strings.NewReader(body), smallBytes, nil).rows)
	for _, small := range []int{0, 1, len(accountsBegin), len(accountsBegin) + 1, len(body) / 2, len(body) - 1, len(body), len(body) + 1} {
		got := readRows(strings.NewReader(body), int64(small), known)
		if err := got.differs(readRows(strings.NewReader(body), int64(small), nil), known); err != nil || len(got.decoded()) > 0 {
			t.Errorf("small is %d: %v, %q were decoded", small, err, got.decoded())
		}
	}
	a := newResponse(strings.NewReader(body), request{rows: maxRepeated, known: known.rows()}, int64(len(body)/2), func() error { return io.ErrNoProgress }, nil)
	if _, err := decodeAccountRows(a); err == nil || a.guard.err != io.ErrNoProgress { //nolint:errorlint // it is not wrapped
		t.Errorf("%v, %v, want that the answer may not be longer", err, a.guard.err)
	}
}

// TestKnownRowsAreNotDecoded asks for the same accounts again when one has changed
// and one has a field that cannot be read.
func TestKnownRowsAreNotDecoded(t *testing.T) {
	row := func(id, balance string) string {
		return `{"account":"` + id + `","balance":{"balance":` + balance + `,"timestamp":"1.000000002","tokens":[]}}`
	}
	body := `{"accounts":[` + row("0.0.1", "1") + `,` + row("0.0.2", "2") + `,` + row("0.0.3", `"odd"`) + `]}`
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	c, _, rec := newTestClient(t, srv.URL)
	known := digests{}
	read := func() Batch[AccountRow] {
		t.Helper()
		var batch Batch[AccountRow]
		c.AccountParts(t.Context(), []string{"0.0.1", "0.0.2", "0.0.3", "0.0.4"}, known.of, func(_ []string, part Batch[AccountRow]) { batch = part })
		if len(batch.Rows) != 3 || batch.Err() != nil {
			t.Fatalf("%d rows, %v", len(batch.Rows), batch.Err())
		}
		for id, row := range batch.Rows {
			if row.ID != id {
				t.Errorf("the row of %s is that of %s", id, row.ID)
			}
		}
		return batch
	}
	wantBalance := func(row *AccountRow, want int64) {
		t.Helper()
		if row.Account == nil || row.Account.ID != row.ID || row.Account.Balance.Or(AccountBalance{}).Balance.Or(-1) != want {
			t.Errorf("%+v has not the balance %d", row, want)
		}
	}

	first := read()
	for id, row := range first.Rows {
		if (row.Digest == RowDigest{}) != (id == "0.0.3") {
			t.Errorf("%s has the digest %d", id, row.Digest)
		}
		known[id] = row.Digest
	}
	wantBalance(first.Rows["0.0.1"], 1)
	wantBalance(first.Rows["0.0.3"], -1)

	body = strings.Replace(body, row("0.0.2", "2"), row("0.0.2", "3"), 1)
	second := read()
	if row := second.Rows["0.0.1"]; row.Account != nil || row.Digest != first.Rows["0.0.1"].Digest {
		t.Errorf("a known row was decoded: %+v", row)
	}
	if row := second.Rows["0.0.2"]; row.Digest == first.Rows["0.0.2"].Digest {
		t.Error("a row that has changed has the same digest")
	}
	wantBalance(second.Rows["0.0.2"], 3)
	if n := len(rec.failures); n != 2 {
		t.Errorf("the field that cannot be read was counted %d times in 2 responses: %q", n, rec.failures)
	}
}

// recordedPage is what the mirror sent of 100 accounts.
func recordedPage(tb testing.TB) string {
	tb.Helper()
	for _, answer := range mirrortest.ReadLines[mirrortest.Answer](tb, filepath.Join("testdata", "recorded", "mirror-rest-0.160.jsonl")) {
		if strings.HasPrefix(answer.Request, "/api/v1/accounts?") && strings.Count(answer.Request, "account.id=") == maxRepeated {
			var page bytes.Buffer
			if err := json.Compact(&page, answer.Body); err != nil {
				tb.Fatal(err)
			}
			return page.String()
		}
	}
	tb.Fatal("there is no page of 100 accounts")
	return ""
}

// TestRecordedRowsAreKnown has rows as the mirror sends them.
func TestRecordedRowsAreKnown(t *testing.T) {
	page := recordedPage(t)
	first := readRows(strings.NewReader(page), smallBytes, nil)
	known := digestsOf(first.rows)
	second := readRows(strings.NewReader(page), smallBytes, known)
	if err := second.differs(first, known); err != nil || second.err != nil || len(second.rows) != maxRepeated || len(second.decoded()) > 0 {
		t.Errorf("%v, %v, %d rows, of which %q were decoded", err, second.err, len(second.rows), second.decoded())
	}
}

// BenchmarkKnownRows reads a page of 100 accounts that are all known, one with a
// tenth changed, and beside them in the same run one of which none are known.
func BenchmarkKnownRows(b *testing.B) {
	page := recordedPage(b)
	known := digestsOf(readRows(strings.NewReader(page), smallBytes, nil).rows)
	rows := strings.SplitAfter(page, `,"memo":"`)
	for i := 10; i < len(rows); i += 10 {
		rows[i] = "changed " + rows[i]
	}
	changed := strings.Join(rows, "")
	read := func(body string, known digests, decoded int) float64 {
		start := time.Now()
		got := readRows(strings.NewReader(body), smallBytes, known)
		took := time.Since(start)
		if n := len(got.decoded()); got.err != nil || n != decoded {
			b.Fatalf("%d rows were decoded, %v, want %d", n, got.err, decoded)
		}
		return float64(took.Nanoseconds()) / maxRepeated
	}
	var all, most, none []float64
	for b.Loop() {
		all = append(all, read(page, known, 0))
		most = append(most, read(changed, known, maxRepeated/10))
		none = append(none, read(page, nil, maxRepeated))
	}
	median := func(times []float64) float64 {
		slices.Sort(times)
		return times[len(times)/2]
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(all), "known-ns/row")
	b.ReportMetric(median(most), "tenth-changed-ns/row")
	b.ReportMetric(median(none), "decoded-ns/row")
	b.ReportMetric(median(none)/median(all), "decoded/known")
	b.ReportMetric(median(none)/median(most), "decoded/tenth-changed")
}
