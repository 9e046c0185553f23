// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"hedera_exporter/internal/memnet"
)

// allocated is how many bytes f allocates, the test's server included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestSmallAnswersCannotTakeMemory has answers that took up to 4.5 GB.
func TestSmallAnswersCannotTakeMemory(t *testing.T) {
	const most = 64 << 20
	rows := func(list, row string, size int) string {
		return `{"` + list + `":[` + strings.Repeat(row+",", size/(len(row)+1)) + row + `],"links":{"next":null}}`
	}
	accounts := func(ctx context.Context, c *Client) error { return c.Accounts(ctx, accountIDs(100)).Err() }
	nodes := func(ctx context.Context, c *Client) error { return second(c.NetworkNodes(ctx)) }
	tests := []struct {
		name string
		body string
		call func(context.Context, *Client) error
		want string
	}{
		{"accounts", rows("accounts", "{}", 31<<20), accounts, "more than 100 accounts, which is what was asked for"},
		{"transactions", rows("transactions", "{}", 31<<20), func(ctx context.Context, c *Client) error {
			return second(c.Transactions(ctx, accountIDs(1), 0))
		}, "more than 100 transactions, which"},
		{"nodes", rows("nodes", "{}", 12<<20), nodes, "more than 25 nodes, which"},
		{"fees", rows("fees", "{}", 12<<20), func(ctx context.Context, c *Client) error { return second(c.Fees(ctx)) }, "more than 100 fees, which"},
		{"endpoints", `{"nodes":[{"node_id":1,"service_endpoints":[` + strings.Repeat("{},", 4<<20) + `{}]}]}`, nodes, "more than 1000 elements in a list or object"},
		{"tokens", `{"accounts":[{"account":"0.0.1000","balance":{"tokens":[` + strings.Repeat("{},", 4<<20) + `{}]}}]}`, accounts, "more than 1000 elements in a list or object"},
		{"description", `{"nodes":[{"node_id":1,"description":"` + strings.Repeat("x", 12<<20) + `"}]}`, nodes, "more than 262144 bytes in a string, number or white space"},
		{"a number", `{"nodes":[{"node_id":1` + strings.Repeat("0", 12<<20) + `}]}`, nodes, "more than 262144 bytes in a string, number or white space"},
		{"a key", `{"nodes":[{"` + strings.Repeat("x", 12<<20) + `":1}]}`, nodes, "more than 262144 bytes in a string, number or white space"},
		{"a field that nobody reads", `{"nodes":[{"node_id":1,"file_id":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}]}`, nodes, "more than 32 nested lists and objects"},
		{"many fields that nobody reads", `{` + strings.Repeat(`"a":{},`, 2<<20) + `"nodes":[]}`, nodes, "more than 1000 elements in a list or object"},
		{"many lists", `{` + strings.Repeat(`"nodes":[{}],`, 1<<20) + `"nodes":[]}`, nodes, "more than 25 nodes, which"},
		{"white space", `{"nodes":[` + strings.Repeat(" ", 12<<20) + `]}`, nodes, "more than 262144 bytes in a string, number or white space"},
		{"many long strings", `{"nodes":[],"x":[` + padding(12<<20) + `]}`, nodes, "more than 8388608 bytes after decompression"},
	}
	for _, tt := range tests {
		for name, h := range map[string]http.HandlerFunc{"plain": answer(200, tt.body), "gzip": rawGzip(compress(tt.body))} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				srv := newServer(t, h)
				c, _, _ := newTestClient(t, srv.URL)
				var err error
				if n := allocated(func() { err = tt.call(t.Context(), c) }); n > most {
					t.Errorf("%d MB were allocated for %d MB, want at most %d MB", n>>20, len(tt.body)>>20, most>>20)
				}
				wantError(t, err, tt.want)
			})
		}
	}
}

// TestInterimResponsesAreBounded has a mirror that sends 103 Early Hints without
// end. Reading ten megabytes of them would take a processor a second.
func TestInterimResponsesAreBounded(t *testing.T) {
	const hint = "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"
	for hints, want := range map[int]string{maxInterimResponses: "", 10_000: "more than 5 interim responses"} {
		srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			body := `{"accounts":[]}`
			_, _ = fmt.Fprintf(conn, "%sHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", strings.Repeat(hint, hints), len(body), body)
		})
		c, _, _ := newTestClient(t, srv.URL)
		err := c.Accounts(t.Context(), accountIDs(1)).Err()
		if want == "" && err != nil {
			t.Errorf("%d hints: %v", hints, err)
		} else if want != "" {
			wantError(t, err, want)
		}
	}
}

// padding is so many bytes of strings for a list.
func padding(bytes int) string {
	const stretch = maxTokenBytes / 2
	return strings.Repeat(`"`+strings.Repeat("x", stretch-3)+`",`, bytes/stretch) + `"` + strings.Repeat("x", bytes%stretch) + `"`
}

func rawGzip(body []byte) http.HandlerFunc {
	return withHeader("Content-Encoding", "gzip", answer(200, string(body)))
}

// TestLongestHonestAnswers has a page of each list as long as the API's own
// bounds allow.
func TestLongestHonestAnswers(t *testing.T) {
	repeat := func(n int, row func(i int) string) string {
		rows := make([]string, n)
		for i := range rows {
			rows[i] = row(i)
		}
		return strings.Join(rows, ",")
	}
	tokens := repeat(50, func(i int) string { return fmt.Sprintf(`{"token_id":"0.0.%d","balance":9223372036854775807}`, i) })
	p, failures, err := decodeBody(decodeAccounts, `{"accounts":[`+repeat(100, func(i int) string {
		return fmt.Sprintf(`{"account":"0.0.%d","key":{"_type":"ProtobufEncoded","key":"%s"},"balance":{"tokens":[%s]}}`, i, strings.Repeat("ab", 6<<10), tokens)
	})+`]}`)
	if err != nil || len(failures) > 0 || len(p.rows) != 100 {
		t.Errorf("%d accounts, %q, %v", len(p.rows), failures, err)
	}
	signatures := repeat(100, func(int) string {
		return fmt.Sprintf(`{"consensus_timestamp":"1.0","public_key_prefix":"%s","signature":"%s","type":"ED25519"}`, strings.Repeat("A", 44), strings.Repeat("A", 88))
	})
	s, failures, err := decodeBody(decodeSchedules, `{"schedules":[`+repeat(100, func(i int) string {
		return fmt.Sprintf(`{"schedule_id":"0.0.%d","signatures":[%s],"transaction_body":"%s"}`, i, signatures, strings.Repeat("A", 8<<10))
	})+`]}`)
	if err != nil || len(failures) > 0 || len(s.rows) != 100 {
		t.Errorf("%d schedules, %q, %v", len(s.rows), failures, err)
	}
	a, failures, err := decodeBody(decodeAccount, `{"account":"0.0.2","balance":{"tokens":[`+repeat(1000, func(i int) string { return fmt.Sprintf(`{"token_id":"0.0.%d","balance":1}`, i) })+`]}}`)
	if err != nil || len(failures) > 0 || len(a.Balance.Or(AccountBalance{}).Tokens.Or(nil)) != 1000 {
		t.Errorf("%q, %v", failures, err)
	}
}

// TestLongAnswersWaitForEachOther has as many long answers under way as there
// may be.
func TestLongAnswersWaitForEachOther(t *testing.T) { memnet.Test(t, testLongAnswers) }

func testLongAnswers(t *testing.T, memory *memnet.Network) {
	srv := newMemoryServer(t, memory, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/nodes") {
			answer(200, `{"x":[`+padding(smallBytes)+`],"nodes":[]}`)(w, r)
			return
		}
		serveAccounts(100)(w, r)
	})
	c, _, rec := newTestClient(t, srv.URL, func(o *Options) { o.DialContext = memory.DialContext })
	for range largeAnswers {
		c.large <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.NetworkNodes(ctx)
	wantError(t, err, "no answer before the deadline")
	if err := c.Accounts(t.Context(), accountIDs(100)).Err(); err != nil {
		t.Errorf("a short answer has to wait as well: %v", err)
	}
	<-c.large
	for range 2 * largeAnswers {
		if _, err := c.NetworkNodes(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if want := "/api/v1/network/nodes timeout"; rec.seen()[0] != want {
		t.Errorf("observed %q, want %q", rec.seen()[0], want)
	}
}

func TestManyRequestsShareTheirBytes(t *testing.T) {
	for concurrency, want := range map[int]int64{1: smallBytes, 4: smallBytes, 1000: networkBytes / 1000} {
		c, _, _ := newTestClient(t, "http://localhost", func(o *Options) { o.MaxConcurrency = concurrency })
		if c.small != want {
			t.Errorf("with %d requests in flight each may have %d bytes, want %d", concurrency, c.small, want)
		}
	}
}

func TestGuardReadsStrings(t *testing.T) {
	quoted := strings.Repeat(`[{,\"\\`, 5000) // not structure
	body := `{"accounts":[{"account":"0.0.2","memo":"","alias":"` + quoted + `"}]}`
	p, failures, err := decodeBody(decodeAccounts, body)
	if err != nil || len(failures) > 0 || len(p.rows) != 1 {
		t.Errorf("%d rows, %q, %v", len(p.rows), failures, err)
	}
}

// TestLimitsDoNotDependOnReads reads the same in pieces of several sizes: the
// decoder sees the same of it.
func TestLimitsDoNotDependOnReads(t *testing.T) {
	tests := map[string]struct {
		text string
		want int // that are read
	}{
		"string":         {`["` + strings.Repeat("a", maxTokenBytes-2) + `"]`, maxTokenBytes + 2},
		"longer string":  {`["` + strings.Repeat("a", maxTokenBytes+10) + `"]`, maxTokenBytes + 2},
		"escaped quotes": {`["` + strings.Repeat(`\"`, maxTokenBytes) + `"]`, maxTokenBytes + 2},
		"white space":    {`[1,` + strings.Repeat(" ", 2*maxTokenBytes) + `2]`, maxTokenBytes + 3},
		"depth":          {strings.Repeat("[", 2*maxDepth), maxDepth},
		"elements":       {"[" + strings.Repeat("1,", 2*maxElements), 2 * maxElements},
		"within strings": {`["` + strings.Repeat("[,{", 2*maxElements) + `"]`, 6*maxElements + 4},
	}
	for name, test := range tests {
		for _, size := range []int{1, 7, 4096, len(test.text)} {
			g := guard{r: bufio.NewReader(strings.NewReader(test.text)), small: maxBodyBytes}
			read := 0
			var err error
			for p := make([]byte, size); err == nil; {
				var n int
				n, err = g.Read(p)
				read += n
			}
			want := min(test.want, len(test.text))
			if read != want || errors.Is(err, io.EOF) != (want == len(test.text)) {
				t.Errorf("%s: %d bytes at a time: %d read, %v, want %d", name, size, read, err, want)
			}
		}
	}
}
