// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestCacheControl(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for path, want := range map[string]string{
		"/api/v1/accounts":        "public, max-age=10",
		"/api/v1/accounts/0.0.98": "public, max-age=2",
		"/api/v1/balances":        "public, max-age=1",
		"/api/v1/blocks":          "public, max-age=1",
		"/api/v1/network/nodes":   "public, max-age=60",
		"/api/v1/network/stake":   "public, max-age=60",
		"/api/v1/network/supply":  "public, max-age=60",

		"/api/v1/network/exchangerate":     "public, max-age=60",
		"/api/v1/network/fees":             "public, max-age=60",
		"/api/v1/network/registered-nodes": "public, max-age=60",
		"/api/v1/transactions":             "public, max-age=2",
		"/api/v1/tokens/" + usdToken:       "public, max-age=5",
		"/api/v1/topics/" + busyTopic:      "public, max-age=5",
		"/api/v1/contracts":                "public, max-age=10",
		"/api/v1/schedules":                "public, max-age=10",

		"/api/v1/topics/" + busyTopic + "/messages": "public, max-age=1",
	} {
		got := send(t, s, http.MethodGet, path, nil)
		if got.header.Get("Cache-Control") != want || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: headers are %v", path, got.header)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, tc := range []struct {
		path   string
		status int
		body   string
	}{
		{"/api/v1/accounts?foo=1", 400, `{"_status":{"messages":[{"message":"Unknown query parameter: foo"}]}}`},
		{"/api/v1/accounts?limit=0", 400, `{"_status":{"messages":[{"message":"Invalid parameter: limit"}]}}`},
		{"/api/v1/accounts/0.0.5000", 404, `{"_status":{"messages":[{"message":"Not found"}]}}`},
		{"/api/v1/nonsense", 404, `{"_status":{"messages":[{"message":"Not found"}]}}`},
		{"/", 404, `{"_status":{"messages":[{"message":"Not found"}]}}`},
	} {
		got := send(t, s, http.MethodGet, tc.path, nil)
		if got.status != tc.status || string(got.body) != tc.body {
			t.Errorf("%s: got %d %s", tc.path, got.status, got.body)
		}
	}
}

func TestGzip(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 20})
	plain := send(t, s, http.MethodGet, "/api/v1/accounts", nil)

	client := newHTTPClient(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/v1/accounts", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip") // by hand, so that the transport does not undo it
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers are %v", answer.Header)
	}
	reader, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(body, plain.body) {
		t.Errorf("the gzipped answer differs, %v", err)
	}
}

func TestETag(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	client := newHTTPClient(t)
	ask := func(tag string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/v1/accounts", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("If-None-Match", tag)
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("ETag")
	}
	_, tag := ask("")
	if status, _ := ask(tag); status != http.StatusNotModified {
		t.Errorf("unchanged: got %d", status)
	}
	if err := s.Update(func(l *Ledger) error { return l.SetBalance("0.0.1001", 5) }); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(tag); status != http.StatusOK {
		t.Errorf("changed: got %d", status)
	}
}

func TestLinkHeader(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	full := send(t, s, http.MethodGet, "/api/v1/accounts?limit=2", nil)
	if got := full.header.Get("Link"); got != `</api/v1/accounts?limit=2&account.id=gt:0.0.3>; rel="next"` {
		t.Errorf("got %q", got)
	}
	last := send(t, s, http.MethodGet, "/api/v1/accounts", nil)
	if got := last.header.Get("Link"); got != "" {
		t.Errorf("the last page has %q", got)
	}
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, path := range []string{
		"/api/v1/accounts", "/api/v1/accounts/0.0.2", "/api/v1/accounts/0.0.98", "/api/v1/accounts?nope=1",
		"/api/v1/network/nodes", "/api/v1/unheard-of", "/simulator/requests",
		"/api/v1/tokens/0.0.1", "/api/v1/tokens/0.0.2/balances", "/api/v1/topics/0.0.1/messages", "/api/v1/blocks/1",
		"/api/v1/accounts/0.0.2/allowances/crypto", "/api/v1/schedules", "/api/v1/contracts/0.0.1",
	} {
		send(t, s, http.MethodGet, path, nil)
	}
	want := map[string]int{
		"GET /api/v1/accounts":      2,
		"GET /api/v1/accounts/{id}": 2,
		"GET /api/v1/network/nodes": 1,
		"GET unknown":               1,

		"GET /api/v1/tokens/{id}":                     1,
		"GET /api/v1/tokens/{id}/balances":            1,
		"GET /api/v1/topics/{id}/messages":            1,
		"GET /api/v1/blocks/{hashOrNumber}":           1,
		"GET /api/v1/accounts/{id}/allowances/crypto": 1,
		"GET /api/v1/schedules":                       1,
		"GET /api/v1/contracts/{id}":                  1,
	}
	got := s.Requests()
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for kind, count := range want {
		if got[kind] != count {
			t.Errorf("%s: got %d, want %d", kind, got[kind], count)
		}
	}
	s.ResetRequests()
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("after the reset: %v", got)
	}
}

func mustQuery(t *testing.T, raw string) query {
	t.Helper()
	q := query{path: "/p"}
	if err := q.parse(raw); err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQueryRefuses(t *testing.T) {
	known := []string{"account.id", "limit", "order", "timestamp"}
	for _, tc := range []struct{ raw, want string }{
		{"limit=1&nope=2", "400 Unknown query parameter: nope"},
		{strings.Repeat("account.id=1&", 100) + "account.id=1", "400 Array limit exceeded. Only 100 elements allowed in an array."},
		{"limit=%zz", "400 Invalid query string"},
		{"limit=0&order=up&nope=1", "400 Invalid parameter: limit, Invalid parameter: order, Unknown query parameter: nope"},
		{"account.id=99999.0.1", "400 Invalid parameter: account.id"},
		{"account.id=0.0.1&account.id=about:0.0.2", "400 Invalid parameter: account.id"},
		{"timestamp=12345678901", "400 Invalid parameter: timestamp"},
		{strings.TrimSuffix(strings.Repeat("account.id=1&", 100), "&"), ""},
		{"timestamp=gte:1234567890.1&account.id=0.1&account.id=0x" + strings.Repeat("0", 40), ""},
	} {
		q := query{}
		err := q.parse(tc.raw)
		if err == nil {
			err = q.check(route{params: known})
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%.60s: got %q, want %q", tc.raw, got, tc.want)
		}
	}
}

// Ids as the mirror reads them (rest/entityId.js).
func TestQueryEntity(t *testing.T) {
	q := query{shard: 5}
	for _, tc := range []struct{ in, want string }{
		{"0.0.98", "0.0.98"},
		{"98", "0.0.98"},
		{"3.98", "5.3.98"},
		{"1023.65535.274877906943", "1023.65535.274877906943"},
		{"0x" + strings.Repeat("0", 38) + "62", "0.0.98"},
		{"0.0." + strings.Repeat("0", 38) + "62", "0.0.98"},
		{"0x" + strings.Repeat("f", 40), noEntity.String()},
		{"0.0.274877906944", ""},
		{"0.65536.1", ""},
		{"1024.0.1", ""},
		{"9223372036854775808", ""},
	} {
		id, err := q.entity(tc.in)
		if tc.want == "" {
			if err == nil || err.Error() != fmt.Sprintf("400 Invalid entity ID %q", tc.in) {
				t.Errorf("%s: got %s, %v", tc.in, id, err)
			}
		} else if err != nil || id.String() != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.in, id, err, tc.want)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		want int // 0: an error
	}{
		{"", 25},
		{"limit=7", 7},
		{"limit=100", 100},
		{"limit=101", 100},
		{"limit=9223372036854775807", 100},
		{"limit=3&limit=4", 4},
		{"limit=0", 0},
		{"limit=-1", 0},
		{"limit=x", 0},
		{"limit=", 0},
	} {
		got, err := mustQuery(t, tc.raw).limit(25, 100)
		if got != tc.want || (err == nil) != (tc.want > 0) {
			t.Errorf("%q: got %d, %v", tc.raw, got, err)
		}
	}
}

func TestOrderAndBoolean(t *testing.T) {
	if got, err := mustQuery(t, "order=DESC").order(ascending); got != descending || err != nil {
		t.Errorf("order: got %q, %v", got, err)
	}
	if _, err := mustQuery(t, "order=up").order(ascending); err == nil {
		t.Error("order=up was accepted")
	}
	if got, err := mustQuery(t, "flag=False").boolean("flag"); got || err != nil {
		t.Errorf("flag: got %t, %v", got, err)
	}
	if _, err := mustQuery(t, "flag=1").boolean("flag"); err == nil {
		t.Error("flag=1 was accepted")
	}
}

func TestFilters(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		want string // of 1 … 6
	}{
		{"", "123456"},
		{"id=3", "3"},
		{"id=eq:3&id=5", "35"},
		{"id=ne:3&id=ne:4", "1256"},
		{"id=gt:4", "56"},
		{"id=gte:4&id=lt:6", "45"},
		{"id=lte:2", "12"},
		{"id=2&id=5&id=gt:2", "5"},
	} {
		f, err := mustQuery(t, tc.raw).filters("id", parseNumber)
		if err != nil {
			t.Errorf("%q: %v", tc.raw, err)
			continue
		}
		var got strings.Builder
		for n := range int64(6) {
			if f.match(n + 1) {
				got.WriteByte('1' + byte(n))
			}
		}
		if got.String() != tc.want {
			t.Errorf("%q: matches %s, want %s", tc.raw, got.String(), tc.want)
		}
	}
	for _, raw := range []string{"id=about:3", "id=x", "id=gt:", "id=-1"} {
		if _, err := mustQuery(t, raw).filters("id", parseNumber); err == nil {
			t.Errorf("%q: no error", raw)
		}
	}
}

// The links of the real server (recorded; rest/utils.js).
func TestNextLink(t *testing.T) {
	for _, tc := range []struct{ raw, order, want string }{
		{"limit=2", ascending, "/p?limit=2&id=gt:9"},
		{"", descending, "/p?id=lt:9"},
		{"id=gte:3&id=lt:20&limit=2", ascending, "/p?id=lt:20&id=gt:9&limit=2"},
		{"id=gte:3&limit=2&id=lt:20", descending, "/p?id=gte:3&id=lt:9&limit=2"},
		{"id=gte:3&limit=2", ascending, "/p?limit=2&id=gt:9"},
		{"id=1&limit=2&id=9", ascending, "/p?id=1&id=9&limit=2"},
		{"id=9&limit=1", ascending, "/p?id=9&limit=1"},
		{"id=lt:20&limit=2", ascending, "/p?id=lt:20&id=gt:9&limit=2"},
	} {
		got := mustQuery(t, tc.raw).next(tc.order, cursor{key: "id", value: "9"})
		if got == nil || *got != tc.want {
			t.Errorf("%q: got %v, want %s", tc.raw, got, tc.want)
		}
	}
	q := mustQuery(t, "limit=1")
	q.mirror.HostInLinks, q.host = true, "127.0.0.1:5551"
	got := q.next(ascending, cursor{key: "a", value: "1", inclusive: true}, cursor{key: "b", value: "2"})
	if want := "http://127.0.0.1:5551/p?limit=1&a=gte:1&b=gt:2"; *got != want {
		t.Errorf("got %s, want %s", *got, want)
	}
}

// What the real server says of wrong paths, and of a slash at the end (recorded;
// names of parameters as it writes them).
func TestPaths(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3})
	wrong := func(message string) string { return `400 {"_status":{"messages":[{"message":"` + message + `"}]}}` }
	for path, want := range map[string]string{
		"schedules/x":               wrong("Invalid parameter: scheduleid"),
		"tokens/x":                  wrong("Invalid parameter: tokenid"),
		"tokens/0.0.274877906944":   wrong("Invalid parameter: tokenid"),
		"topics/x/messages":         wrong("Invalid parameter: topic.id"),
		"contracts/x":               wrong("Invalid parameter: contractid"),
		"accounts/0.0.274877906944": wrong("Invalid parameter: idOrAliasOrEvmAddress"),
		"accounts/0.0.1001/allowances/tokens?token.id=1":                 wrong("token.id without a spender.id parameter filter"),
		"accounts?account.id=0.0.999999":                                 `200 {"accounts":[],"links":{"next":null}}`,
		"accounts/?account.id=0.0.999999":                                `200 {"accounts":[],"links":{"next":null}}`,
		"balances?account.id=0xffffffffffffffffffffffffffffffffffffffff": `200 {"timestamp":null,"balances":[],"links":{"next":null}}`,
		"accounts/0.0.1001/allowances/tokens?spender.id=ne:9":            wrong("Invalid parameter: spender.id"),
		"accounts/0.0.1001/tokens?token.id=ne:9":                         wrong("Invalid parameter: token.id"),
		"blocks?block.number=ne:9":                                       wrong("Invalid parameter: block.number"),
		"transactions?timestamp=gt:1&timestamp=gte:2":                    wrong("Multiple gt or gte operators not permitted for timestamp param"),
		"transactions?timestamp=lt:1&timestamp=lte:2":                    wrong("Multiple lt or lte operators not permitted for timestamp param"),
		"transactions?timestamp=1&timestamp=lte:2":                       wrong("Cannot combine eq with ne, gt, gte, lt, or lte for timestamp param"),
		"network/nodes?limit=1&limit=2":                                  `400 {"_status":{"messages":[{"message":"Bad Request","detail":"Only a single instance is supported for limit"}]}}`,
		"network/registered-nodes?limit=101":                             `400 {"_status":{"messages":[{"message":"Bad Request","detail":"limit must be less than or equal to 100"}]}}`,
		"schedules?account.id=0.0.1001&account.id=0.0.1002":              `200 {"schedules":[],"links":{"next":null}}`,
		"balances?timestamp=1":                                           `200 {"timestamp":null,"balances":[],"links":{"next":null}}`,
	} {
		got := send(t, s, http.MethodGet, "/api/v1/"+path, nil)
		if text := fmt.Sprintf("%d %s", got.status, got.body); text != want {
			t.Errorf("%s: got %s, want %s", path, text, want)
		}
		if got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Vary is %q", path, got.header.Get("Vary"))
		}
	}
	if got := s.Requests()["GET /api/v1/accounts"]; got != 2 {
		t.Errorf("%d requests of accounts were counted, want those with and without the slash", got)
	}
	first := getJSON[accountList](t, s, "/api/v1/accounts/?limit=1")
	if got := *first.Links.Next; got != "/api/v1/accounts?limit=1&account.id=gt:0.0.2" {
		t.Errorf("next is %s", got)
	}
	evm := *getJSON[accountList](t, s, "/api/v1/accounts?account.id=0.0.1001").Accounts[0].EVMAddress
	if got := getJSON[balanceList](t, s, "/api/v1/balances?account.id="+evm).Balances; len(got) != 1 || got[0].Account != "0.0.1001" {
		t.Errorf("%s: got %+v", evm, got)
	}
	if got := getJSON[accountList](t, s, "/api/v1/accounts?account.id="+evm).Accounts; len(got) != 0 {
		t.Errorf("%s: got %+v", evm, got)
	}
}
