// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestNextLink(t *testing.T) {
	const path = "/api/v1/network/nodes"
	tests := []struct {
		name, base, link string
		want, err        string
	}{
		{name: "relative", base: "https://m.example", link: path + "?limit=25&node.id=gt:24", want: "limit=25&node.id=gt%3A24"},
		{name: "absolute", base: "https://m.example", link: "https://M.example" + path + "?limit=1", want: "limit=1"},
		{name: "not prefixed", base: "https://m.example/secret/", link: path + "?limit=1", want: "limit=1"},
		{name: "prefixed", base: "https://m.example/secret", link: "/secret" + path + "?limit=1", want: "limit=1"},
		{name: "prefixed and absolute", base: "https://m.example/secret", link: "https://m.example/secret" + path + "?limit=1", want: "limit=1"},
		{name: "foreign host", base: "https://m.example", link: "https://evil.example" + path + "?limit=1", want: "limit=1"},
		{name: "foreign host without scheme", base: "https://m.example", link: "//evil.example" + path + "?limit=1", want: "limit=1"},
		{name: "foreign port", base: "https://m.example", link: "https://m.example:8443" + path + "?limit=1", want: "limit=1"},
		{name: "host as user", base: "https://m.example", link: "https://m.example@evil.example" + path + "?limit=1", want: "limit=1"},
		{name: "other scheme", base: "https://m.example", link: "http://m.example" + path + "?limit=1", want: "limit=1"},
		{name: "file", base: "https://m.example", link: "file:///etc/passwd", err: "another route"},
		{name: "opaque", base: "https://m.example", link: "mailto:x" + path, err: "another route"},
		{name: "other route", base: "https://m.example", link: "/api/v1/accounts?limit=1", err: "another route"},
		{name: "not a URL", base: "https://m.example", link: "http://[::1", err: "not a URL"},
		{name: "bad query", base: "https://m.example", link: path + "?a=%zz", err: "invalid query"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := newBase(mustParse(t, tt.base))
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.next(tt.link, path)
			if tt.err != "" {
				wantError(t, err, tt.err)
				return
			}
			if err != nil || got.Encode() != tt.want {
				t.Errorf("got %q, %v, want %q", got.Encode(), err, tt.want)
			}
		})
	}
}

// TestNextLinkWithAHost has the link that a mirror with includeHostInLink makes
// behind a gateway.
func TestNextLinkWithAHost(t *testing.T) {
	foreign := newServer(t, answer(200, `{"nodes":[]}`))
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("node.id") {
			answer(200, `{"nodes":[{"node_id":1}],"links":{"next":null}}`)(w, r)
			return
		}
		answer(200, fmt.Sprintf(`{"nodes":[{"node_id":0}],"links":{"next":"%s/api/v1/network/nodes?limit=25&node.id=gt:0"}}`, foreign.URL))(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL)
	nodes, err := c.NetworkNodes(t.Context())
	if err != nil || len(nodes) != 2 {
		t.Errorf("got %d nodes, %v, want 2", len(nodes), err)
	}
	if foreign.requests.Load() != 0 || srv.requests.Load() != 2 {
		t.Errorf("%d requests to a foreign host, %d to the mirror", foreign.requests.Load(), srv.requests.Load())
	}
}

func TestPagingLoops(t *testing.T) {
	tests := []struct {
		name     string
		next     func(n int64, q url.Values) string
		err      string
		requests int64
	}{
		{"to itself", func(_ int64, q url.Values) string { return q.Encode() }, "page already seen", 1},
		{"between two", func(n int64, _ url.Values) string { return fmt.Sprintf("page=%d", n%2) }, "page already seen", 3},
		{"without end", func(n int64, _ url.Values) string { return fmt.Sprintf("page=%d", n) }, "more than 40 pages", 40},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var srv *testServer
			srv = newServer(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = fmt.Fprintf(w, `{"nodes":[],"links":{"next":"%s?%s"}}`, r.URL.Path, tt.next(srv.requests.Load(), r.URL.Query()))
			})
			c, _, _ := newTestClient(t, srv.URL)
			_, err := c.NetworkNodes(t.Context())
			wantError(t, err, tt.err)
			if srv.requests.Load() != tt.requests {
				t.Errorf("%d requests, want %d", srv.requests.Load(), tt.requests)
			}
		})
	}
}

func TestPathPrefix(t *testing.T) {
	for _, prefix := range []string{"", "/", "/v1/some-api-key", "/v1/some-api-key/", "/a%2Fb"} {
		for _, inLink := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s in link %t", prefix, inLink), func(t *testing.T) {
				trimmed := strings.TrimSuffix(prefix, "/")
				srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.EscapedPath() != trimmed+"/api/v1/network/nodes" {
						http.NotFound(w, r)
						return
					}
					if r.URL.Query().Get("node.id") != "" {
						_, _ = fmt.Fprint(w, `{"nodes":[{"node_id":1}],"links":{"next":null}}`)
						return
					}
					link := "/api/v1/network/nodes"
					if inLink {
						link = trimmed + "/api/v1/network/nodes"
					}
					_, _ = fmt.Fprintf(w, `{"nodes":[{"node_id":0}],"links":{"next":"%s?node.id=gt:0"}}`, link)
				})
				c, _, _ := newTestClient(t, srv.URL+prefix)
				nodes, err := c.NetworkNodes(t.Context())
				if err != nil || len(nodes) != 2 {
					t.Errorf("got %d nodes, %v", len(nodes), err)
				}
			})
		}
	}
}
