//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// clientAttacks are clients of the exporter.
var clientAttacks = []attack{
	{name: "200 clients send a byte of a header a second", short: true, start: clients(200, slowHeader("GET /metrics HTTP/1.1\r\nHost: x\r\nX: "))},
	{name: "200 clients send a byte of a body a second", start: clients(200, slowHeader("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"))},
	{name: "50 clients read a byte of /metrics a second", short: true, start: clients(50, slowReader(request("GET", "/metrics")))},
	{name: "40 pipelined GET /metrics, unread", memory: true, short: true, start: clients(1, unread(strings.Repeat(request("GET", "/metrics"), 40)))},
	{name: "45 clients do not read /metrics", memory: true, start: clients(45, unread(request("GET", "/metrics")))},
	{name: "300 clients do not read /sd and /config", memory: true, short: true, start: clients(300, unread(request("GET", "/sd")+request("GET", "/config")+request("GET", "/sd?kind=nodes")))},
	{name: "1,000 idle connections", short: true, start: clients(1000, unread(""))},
	{name: "1,000 connections idle after a request", start: clients(1000, unread(request("GET", "/-/healthy")))},
	{name: "connections that come and reset", start: clients(50, comeAndReset)},
	{name: "40 clients scrape without pause", memory: true, short: true, start: clients(40, requests(func(int) *http.Request { return get("/metrics") }))},
	{name: "50 clients probe giant aliases", short: true, start: clients(50, requests(giantAlias))},
	{name: "50 clients probe accounts that are not there", start: clients(50, requests(randomTargets))},
	{name: "odd headers", short: true, start: clients(4, requests(oddHeaders))},
	{name: "other methods", short: true, start: clients(10, requests(otherMethods))},
	{name: "cross-site POST /-/reload", short: true, start: clients(10, requests(crossSite))},
	{name: "50 clients reload without pause", memory: true, crowded: true, start: clients(50, requests(func(int) *http.Request { return newRequest(http.MethodPost, "/-/reload") }))},
	{name: "endless body", start: clients(20, endlessBody)},
	{name: "noise, and TLS to the plaintext port", start: clients(50, noise)},
	{name: "header of 10 MB", start: clients(20, requests(func(int) *http.Request {
		r := get("/metrics")
		r.Header.Set("X-Long", strings.Repeat("x", 10<<20))
		return r
	}))},
}

// clients runs so many clients until the attack ends. One that returns begins
// again, but not at once: a flood of connections is not for a program to stop.
func clients(n int, client func(context.Context, *environment)) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				for ctx.Err() == nil {
					client(ctx, e)
					pause(ctx, time.Second)
				}
			})
			pause(ctx, time.Millisecond)
		}
		wg.Wait()
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func request(method, path string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, path)
}

// connect calls use with a connection to the exporter, which ends with ctx.
func (e *environment) connect(ctx context.Context, use func(net.Conn)) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.address)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	use(conn)
}

func slowHeader(start string) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		e.connect(ctx, func(conn net.Conn) {
			_, err := io.WriteString(conn, start)
			for err == nil && ctx.Err() == nil {
				pause(ctx, time.Second)
				_, err = io.WriteString(conn, "x")
			}
		})
	}
}

func slowReader(text string) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		e.connect(ctx, func(conn net.Conn) {
			_ = conn.(*net.TCPConn).SetReadBuffer(4096)
			_, err := io.WriteString(conn, text)
			e.hostile.Add(1)
			for err == nil && ctx.Err() == nil {
				pause(ctx, time.Second)
				_, err = conn.Read(make([]byte, 1))
			}
		})
	}
}

// unread sends requests and waits.
func unread(text string) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		e.connect(ctx, func(conn net.Conn) {
			_ = conn.(*net.TCPConn).SetReadBuffer(4096)
			_, _ = io.WriteString(conn, text)
			e.hostile.Add(int64(strings.Count(text, "HTTP/1.1")))
			<-ctx.Done()
		})
	}
}

func comeAndReset(ctx context.Context, e *environment) {
	e.connect(ctx, func(conn net.Conn) {
		_, _ = io.WriteString(conn, request("GET", "/metrics"))
		e.hostile.Add(1)
		pause(ctx, 50*time.Millisecond)
		abort(conn)
	})
}

func noise(ctx context.Context, e *environment) {
	e.connect(ctx, func(conn net.Conn) {
		random := make([]byte, 4096)
		_, _ = rand.Read(random)
		_, _ = conn.Write([]byte{0x16, 3, 1})
		_, _ = conn.Write(random)
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 4096))
	})
}

func newRequest(method, path string) *http.Request {
	r, err := http.NewRequest(method, "http://localhost"+path, http.NoBody) //nolint:noctx // requests adds it
	if err != nil {
		panic(err)
	}
	return r
}

func get(path string) *http.Request { return newRequest(http.MethodGet, path) }

// requests sends the requests that next makes of a number, one after the other,
// and looks at what comes back.
func requests(next func(i int) *http.Request) func(context.Context, *environment) {
	return func(ctx context.Context, e *environment) {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		for i := 0; ctx.Err() == nil; i++ {
			r := next(i).WithContext(ctx)
			r.URL.Host = e.address
			e.hostile.Add(1)
			response, err := transport.RoundTrip(r)
			if err != nil {
				return
			}
			answer, _ := io.ReadAll(response.Body)
			response.Body.Close()
			e.saw("an answer to "+r.Method+" "+r.URL.Path, string(answer))
		}
	}
}

func giantAlias(i int) *http.Request {
	alias := "0.0." + strings.Repeat("A", 20_000)
	switch i % 3 {
	case 0:
		return get("/probe?network=torture&target=" + alias)
	case 1:
		return get("/probe?network=torture" + strings.Repeat("&target=0.0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 99))
	default:
		return get("/probe?network=" + alias + "&target=0.0.2")
	}
}

func randomTargets(i int) *http.Request {
	return get(fmt.Sprintf("/probe?network=torture&target=0.0.%d,0x%040x", 10_000_000+i, i))
}

func oddHeaders(i int) *http.Request {
	timeouts := []string{"9e9", "1e400", "-1", "NaN", "0", "1e-9", "0x1p-1074", "٣", strings.Repeat("9", 10_000), ""}
	accept := []string{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=1", "application/openmetrics-text;version=1.0.0", strings.Repeat("text/plain;q=0.1,", 1000), "*/*;q=NaN"}
	r := get("/metrics")
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", timeouts[i%len(timeouts)])
	r.Header.Set("Accept", accept[i%len(accept)])
	r.Header.Set("Accept-Encoding", []string{"gzip", "zstd", "br;q=1e9", strings.Repeat("gzip,", 1000)}[i%4])
	r.Header.Set("Range", "bytes=0-0,5-2")
	r.Host = []string{"localhost", "[::1", strings.Repeat("x", 5000), "a b"}[i%3]
	return r
}

func otherMethods(i int) *http.Request {
	methods := []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "HEAD"}
	paths := []string{"/metrics", "/config", "/sd", "/probe?target=0.0.2", "/-/reload", "/-/healthy", "/debug/pprof/heap", "/../../etc/passwd"}
	if methods[i%len(methods)] == "PUT" && paths[i%len(paths)] == "/-/reload" {
		i++ // as Prometheus, the exporter takes PUT there
	}
	return newRequest(methods[i%len(methods)], paths[i%len(paths)])
}

func crossSite(i int) *http.Request {
	r := newRequest(http.MethodPost, "/-/reload")
	if i%2 == 0 {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	r.Header.Set("Origin", "https://attacker.example")
	return r
}

func endlessBody(ctx context.Context, e *environment) {
	reader, writer := io.Pipe()
	defer context.AfterFunc(ctx, func() { _ = writer.Close() })()
	go func() {
		block := make([]byte, 64<<10)
		for {
			if _, err := writer.Write(block); err != nil {
				return
			}
		}
	}()
	defer func() { _ = reader.Close() }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.address+"/metrics", reader)
	if err != nil {
		return
	}
	e.hostile.Add(1)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}
