// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
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
		{"accounts", rows("accounts", "{}", 31<<20), accounts, ""},
		{"transactions", rows("transactions", "{}", 31<<20), func(ctx context.Context, c *Client) error {
			return second(c.Transactions(ctx, accountIDs(1), 0))
		}, ""},
		{"nodes", rows("nodes", "{}", 12<<20), nodes, ""},
		{"fees", rows("fees", "{}", 12<<20), func(ctx context.Context, c *Client) error { return second(c.Fees(ctx)) }, ""},
		{"endpoints", `{"nodes":[{"node_id":1,"service_endpoints":[` + strings.Repeat("{},", 4<<20) + `{}]}]}`, nodes, ""},
		{"tokens", `{"accounts":[{"account":"0.0.1000","balance":{"tokens":[` + strings.Repeat("{},", 4<<20) + `{}]}}]}`, accounts, ""},
		{"description", `{"nodes":[{"node_id":1,"description":"` + strings.Repeat("x", 12<<20) + `"}]}`, nodes, ""},
		{"a number", `{"nodes":[{"node_id":1` + strings.Repeat("0", 12<<20) + `}]}`, nodes, ""},
		{"a key", `{"nodes":[{"` + strings.Repeat("x", 12<<20) + `":1}]}`, nodes, ""},
		{"a field that nobody reads", `{"nodes":[{"node_id":1,"file_id":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}]}`, nodes, ""},
		{"many fields that nobody reads", `{` + strings.Repeat(`"a":{},`, 2<<20) + `"nodes":[]}`, nodes, ""},
		{"many lists", `{` + strings.Repeat(`"nodes":[{}],`, 1<<20) + `"nodes":[]}`, nodes, ""},
		{"white space", `{"nodes":[` + strings.Repeat(" ", 12<<20) + `]}`, nodes, ""},
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

func rawGzip(body []byte) http.HandlerFunc {
	return withHeader("Content-Encoding", "gzip", answer(200, string(body)))
}
