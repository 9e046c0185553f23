//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	accountsPath     = "/api/v1/accounts"
	nodesPath        = "/api/v1/network/nodes"
	transactionsPath = "/api/v1/transactions"
	allPaths         = "/api/v1/"
)

// mirrorAttacks are answers of the mirror's REST API.
var mirrorAttacks = []attack{
	{name: "a byte of the body each 100 ms", short: true, fails: "accounts", start: onRoutes(drip, accountsPath)},
	{name: "a byte of the header each 100 ms", fails: "accounts", start: onMirror(dripHeader)},
	{name: "no answer", short: true, fails: "accounts", start: onRoutes(hang, allPaths)},
	{name: "does not read", fails: "accounts", start: onMirror(deaf)},
	{name: "resets connections", short: true, fails: "accounts", start: onMirror(reset)},
	{name: "resets within the body", fails: "accounts", start: onRoutes(resetWithin, accountsPath)},
	{name: "half-closes after the request", fails: "accounts", start: onMirror(halfClose)},
	{name: "accepts and closes", fails: "accounts", start: onMirror(func(conn net.Conn) { _ = conn.Close() })},
	{name: "body shorter than Content-Length", short: true, fails: "accounts", start: onRoutes(wrongLength(1<<20), accountsPath)},
	{name: "body longer than Content-Length", fails: "accounts", start: onRoutes(wrongLength(5), accountsPath)},
	{name: "Content-Length of 9 EB", fails: "accounts", start: onRoutes(wrongLength(1<<63-1), accountsPath)},
	{name: "endless header", fails: "accounts", start: onMirror(endless("HTTP/1.1 200 OK\r\n", "X-Padding: "+strings.Repeat("x", 1000)+"\r\n"))},
	{name: "endless interim responses", fails: "accounts", start: onMirror(endless("", "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"))},
	{name: "endless chunks of white space", short: true, fails: "accounts", start: onMirror(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "800\r\n"+strings.Repeat(" ", 0x800)+"\r\n"))},
	{name: "endless chunk extension", fails: "accounts", start: onMirror(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("x", 1000)))},
	{name: "gzip bomb of one string", fails: "address_book", start: onRoutes(gzipped(bomb(`{"nodes":[{"description":"`, "x", 1<<30, `"}]}`)), nodesPath)},
	{name: "gzip bomb of rows", short: true, fails: "address_book", start: onRoutes(gzipped(bomb(`{"nodes":[`, "{},", 1<<30, `{}]}`)), nodesPath)},
	{name: "gzip bomb of white space", fails: "accounts", start: onRoutes(gzipped(bomb(``, " ", 1<<30, `{}`)), accountsPath)},
	{name: "gzip without end or content", fails: "accounts", start: onRoutes(emptyGzip, accountsPath)},
	{name: "gzip cut off", fails: "accounts", start: onRoutes(gzipped(bomb(`{"accounts":[`, "{},", 1<<20, `{}]}`)[:500]), accountsPath)},
	{name: "nested 5,000,000 deep", short: true, fails: "accounts", start: onRoutes(body(strings.Repeat("[", 5_000_000)), accountsPath)},
	{name: "nested 5,000,000 deep in a row", fails: "accounts", start: onRoutes(body(`{"accounts":[{"account":"0.0.2","odd":`+strings.Repeat(`{"a":`, 5_000_000)), accountsPath)},
	{name: "31 MB of {}, as rows", memory: true, short: true, fails: "accounts", start: onRoutes(emptyRows, allPaths)},
	{name: "31 MB of [], as rows", fails: "accounts", start: onRoutes(body(`{"accounts":[`+strings.Repeat("[],", 31<<20/3)+`[]]}`), accountsPath)},
	{name: "numbers without bounds", short: true, fails: "tokens", start: onRoutes(accountRows(`"balance":{"balance":1e999999999,"timestamp":"99999999999999999999.9"}`, `"balance":{"balance":`+strings.Repeat("9", 100_000)+`}`, `"balance":{"balance":-9223372036854775809}`), accountsPath)},
	{name: "NaN and Infinity", fails: "accounts", start: onRoutes(accountRows(`"balance":{"balance":NaN}`, `"balance":{"balance":-Infinity}`), accountsPath)},
	{name: "invalid UTF-8", short: true, start: onRoutes(nodeRows(25, func(int) string { return `"description":"\xff\xfe\ud800 ` + "\xff\xc0\x80" + `"` }), nodesPath)},
	{name: "wrong types in all fields", start: onRoutes(accountRows(`"balance":[],"deleted":"no","key":7,"memo":{},"evm_address":[[]]`), accountsPath)},
	{name: "the same row 100 times", short: true, start: onRoutes(sameRows, accountsPath)},
	{name: "pages without end", short: true, start: onRoutes(endlessPages, transactionsPath)},
	{name: "next pages elsewhere", fails: "address_book", start: onRoutes(body(`{"nodes":[{"node_id":0}],"links":{"next":"http://elsewhere.invalid/api/v1/other?x=y"}}`), nodesPath)},
	{name: "redirects to itself", short: true, fails: "accounts", start: onRoutes(redirectLoop, accountsPath)},
	{name: "redirects elsewhere", short: true, fails: "accounts", start: redirectElsewhere},
	{name: "status 200 and HTML", fails: "accounts", start: onRoutes(body("<html>"+strings.Repeat("maintenance ", 100_000)), allPaths)},
	{name: "status 204, 304, 999", fails: "accounts", start: onRoutes(statuses(204, 206, 304, 599, 999), accountsPath)},
	{name: "quotes the credentials in 400, 407, 500", short: true, fails: "accounts", start: onRoutes(quoteCredentials(400, 407, 500), allPaths)},
	{name: "quotes the credentials in rows", short: true, fails: "accounts", start: onRoutes(quoteCredentials(200), allPaths)},
	{name: "100,000 nodes in a page", short: true, fails: "address_book", start: onRoutes(nodeRows(100_000, func(i int) string { return fmt.Sprintf(`"node_account_id":"0.0.%d"`, i) }), nodesPath)},
	{name: "100,000 nodes in pages of 25", short: true, fails: "address_book", start: onRoutes(nodePages(100_000, func(i int) string { return fmt.Sprintf(`"node_account_id":"0.0.%d",`, i+3) + endpoints(40) }), nodesPath)},
	{name: "a node of 20,000 endpoints", short: true, fails: "address_book", start: onRoutes(nodeRows(1, func(int) string { return `"node_account_id":"0.0.3",` + endpoints(20_000) }), nodesPath)},
	{name: "25 nodes of 900 endpoints", short: true, start: onRoutes(nodeRows(25, func(i int) string { return fmt.Sprintf(`"node_account_id":"0.0.%d",`, i+3) + endpoints(900) }), nodesPath)},
	{name: "descriptions of 100 KB", short: true, start: onRoutes(nodeRows(25, longTexts), nodesPath)},
	// The last: it pauses the client, and the exporter starts again.
	{name: "429, Retry-After: 9e9, and quotes the credentials", short: true, fails: "accounts", restart: true, start: onRoutes(tooMany, allPaths)},
}

// onRoutes has handler answer the routes of the mirror with one of the prefixes.
func onRoutes(handler http.HandlerFunc, paths ...string) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		e.mirror.attack.Store(&routeAttack{paths: paths, answer: func(w http.ResponseWriter, r *http.Request) {
			e.reached.Add(1)
			// What goes on for long ends with the attack.
			within, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			handler(w, r.WithContext(within))
		}})
		<-ctx.Done()
		e.mirror.attack.Store(nil)
	}
}

// onMirror has serve take the mirror's connections.
func onMirror(serve func(net.Conn)) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		defer e.rest.become(e.counted(serve))()
		<-ctx.Done()
	}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

func drip(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	for _, c := range []byte(`{"accounts":[` + strings.Repeat(`{"account":"0.0.2"},`, 1000)) {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		_, _ = w.Write([]byte{c})
		_ = http.NewResponseController(w).Flush()
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func dripHeader(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for _, c := range []byte("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1000)) {
		if _, err := conn.Write([]byte{c}); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// deaf is closed by the front at the attack's end.
func deaf(net.Conn) {}

// readRequest reads a request without a body.
func readRequest(conn net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		request.Body.Close()
	}
}

func reset(conn net.Conn) {
	readRequest(conn)
	abort(conn)
}

// abort closes with a reset.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func resetWithin(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"accounts":[{"account":"0.0.2",`)
	_ = http.NewResponseController(w).Flush()
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		abort(conn)
	}
}

func halfClose(conn net.Conn) {
	readRequest(conn)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

func wrongLength(length int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, `{"accounts":[],"links":{"next":null}}`)
	}
}

// endless writes more of a response for as long as it is read.
func endless(start, more string) func(net.Conn) {
	return func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		readRequest(conn)
		_, err := io.WriteString(conn, start)
		for err == nil {
			_, err = io.WriteString(conn, more)
		}
	}
}

// bomb is a gzip of n bytes of a repeated text.
func bomb(start, repeated string, n int, end string) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = io.WriteString(w, start)
	block := []byte(strings.Repeat(repeated, 1<<18))
	for written := 0; written < n; written += len(block) {
		_, _ = w.Write(block)
	}
	_, _ = io.WriteString(w, end)
	_ = w.Close()
	return b.Bytes()
}

func gzipped(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(content)
	}
}

// emptyGzip has one empty member after another.
func emptyGzip(w http.ResponseWriter, r *http.Request) {
	member := bytes.Repeat(bomb("", "", 0, ""), 1000)
	w.Header().Set("Content-Encoding", "gzip")
	for r.Context().Err() == nil {
		if _, err := w.Write(member); err != nil {
			return
		}
	}
}

var manyEmptyRows = strings.Repeat("{},", 31<<20/3)

// emptyRows names the list as the route does.
func emptyRows(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	name := segments[len(segments)-1]
	_, _ = io.WriteString(w, `{"`+name+`":[`+manyEmptyRows+`{}],"links":{"next":null}}`)
}

// accountRows are all accounts that are asked for, each with one of the members.
func accountRows(members ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var rows []string
		for i, id := range r.URL.Query()["account.id"] {
			rows = append(rows, fmt.Sprintf(`{"account":%q,%s}`, id, members[i%len(members)]))
		}
		_, _ = io.WriteString(w, `{"accounts":[`+strings.Join(rows, ",")+`],"links":{"next":null}}`)
	}
}

func sameRows(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("account.id")
	row := fmt.Sprintf(`{"account":%q,"balance":{"balance":1,"timestamp":"1700000000.000000000","tokens":[]},"deleted":false}`, id)
	_, _ = io.WriteString(w, `{"accounts":[`+strings.Repeat(row+",", 99)+row+`],"links":{"next":null}}`)
}

var endlessNumber atomic.Int64

func endlessPages(w http.ResponseWriter, r *http.Request) {
	n := endlessNumber.Add(1)
	now := time.Now().Unix()
	fmt.Fprintf(w, `{"transactions":[{"consensus_timestamp":"%d.%09d","name":"CRYPTOTRANSFER","result":"SUCCESS","transaction_id":"0.0.1001-%d-%09d","charged_tx_fee":1}],"links":{"next":"%s?limit=100&timestamp=lt:%d.%09d"}}`,
		now, n, now, n, r.URL.Path, now, n)
}

func redirectLoop(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	count, _ := strconv.Atoi(query.Get("again"))
	query.Set("again", strconv.Itoa(count+1))
	http.Redirect(w, r, r.URL.Path+"?"+query.Encode(), http.StatusTemporaryRedirect)
}

// redirectElsewhere sends the exporter to another host, which keeps what it gets.
func redirectElsewhere(ctx context.Context, e *environment) {
	elsewhere := newFront(e.t, serveHTTP(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request bytes.Buffer
		_ = r.Write(&request)
		e.saw("a host that the mirror redirected to", request.String())
		w.WriteHeader(http.StatusNotFound)
	})))
	onRoutes(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+elsewhere.address()+r.URL.RequestURI(), http.StatusFound)
	}, accountsPath)(ctx, e)
}

func statuses(codes ...int) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[int(n.Add(1))%len(codes)])
	}
}

// quoteCredentials has the request's headers in the status text, in messages, in
// rows and cut off.
func quoteCredentials(codes ...int) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		bearer, key := r.Header.Get("Authorization"), r.Header.Get("X-Api-Key")
		i := int(n.Add(1))
		w.WriteHeader(codes[i%len(codes)])
		all := bearer + " " + key
		switch i / len(codes) % 4 {
		case 0:
			fmt.Fprintf(w, `{"_status":{"messages":[{"message":%q,"detail":%q,"data":%q}]}}`, all, bearer, key)
		case 1:
			fmt.Fprintf(w, `{"accounts":[{"account":%q,"balance":{"balance":%q}}],"nodes":[{"node_id":%q,"description":%q,"node_account_id":%q}],"blocks":[{"number":0,"hapi_version":%q,"name":%q}]}`, all, all, key, all, key, key, bearer)
		case 2:
			fmt.Fprintf(w, "<html>the header %s", strings.Repeat(all, 20))
		default:
			fmt.Fprintf(w, "%s%s", strings.Repeat("x", 150), all) // an excerpt ends within
		}
	}
}

func tooMany(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "9000000000")
	quoteCredentials(http.StatusTooManyRequests)(w, r)
}

func nodeRows(n int, members func(i int) string) http.HandlerFunc {
	var b strings.Builder
	b.WriteString(`{"nodes":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"node_id":%d,%s}`, i, members(i))
	}
	b.WriteString(`],"links":{"next":null}}`)
	return body(b.String())
}

// nodePages are n nodes, 25 in a page.
func nodePages(n int, members func(i int) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		first := 0
		if _, after, found := strings.Cut(r.URL.Query().Get("node.id"), "gt:"); found {
			first, _ = strconv.Atoi(after)
			first++
		}
		var rows []string
		for i := first; i < min(first+25, n); i++ {
			rows = append(rows, fmt.Sprintf(`{"node_id":%d,%s}`, i, members(i)))
		}
		next := "null"
		if first+25 < n {
			next = fmt.Sprintf(`"%s?limit=25&node.id=gt:%d"`, r.URL.Path, first+24)
		}
		fmt.Fprintf(w, `{"nodes":[%s],"links":{"next":%s}}`, strings.Join(rows, ","), next)
	}
}

// endpoints are on this host, where nothing listens.
func endpoints(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"domain_name":"","ip_address_v4":"127.0.%d.%d","port":1}`, 1+i/250, 1+i%250))
	}
	return `"service_endpoints":[` + strings.Join(list, ",") + `]`
}

func longTexts(i int) string {
	long := strings.Repeat("x", 100_000)
	return fmt.Sprintf(`"node_account_id":"0.0.%d","description":%q,"memo":%q,"node_cert_hash":"0x%s","service_endpoints":[{"domain_name":%q,"ip_address_v4":"","port":50211}]`,
		i+3, long, long, strings.Repeat("ab", 50_000), long)
}
