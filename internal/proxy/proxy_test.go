// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/proxytest"
)

const testDeadline = 20 * time.Second

// listen serves one connection after the other until the test ends.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	return listener.Addr().String()
}

// greeter is a server that speaks first, and then returns what it reads.
func greeter(t *testing.T) (address string) {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "hello ")
		_, _ = io.CopyN(conn, conn, 4)
		_ = conn.Close()
	})
}

func viaURL(t *testing.T, text, noProxy string) promconfig.ProxyConfig {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return promconfig.ProxyConfig{ProxyURL: promconfig.URL{URL: u}, NoProxy: noProxy}
}

// talk dials the greeter and says something.
func talk(t *testing.T, d *Dialer, address string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	cancel() // the connection outlives the context of its dialling
	if _, err := io.WriteString(conn, "ping"); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	return string(text), err
}

func TestDialer(t *testing.T) {
	server := greeter(t)
	const known = "node.test:50211"
	tests := map[string]struct {
		environment map[string]string // PROXY stands for the address of the proxy
		url         string
		noProxy     string
		through     bool
	}{
		"environment":                  {environment: map[string]string{"HTTPS_PROXY": "http://PROXY"}, through: true},
		"environment without scheme":   {environment: map[string]string{"https_proxy": "PROXY"}, through: true},
		"environment for http only":    {environment: map[string]string{"HTTP_PROXY": "http://PROXY"}},
		"not by NO_PROXY":              {environment: map[string]string{"HTTPS_PROXY": "http://PROXY", "NO_PROXY": ".test"}},
		"not by NO_PROXY of a port":    {environment: map[string]string{"HTTPS_PROXY": "http://PROXY", "NO_PROXY": "node.test:50211"}},
		"NO_PROXY of others":           {environment: map[string]string{"HTTPS_PROXY": "http://PROXY", "NO_PROXY": "test.example.com,10.0.0.0/8"}, through: true},
		"empty environment":            {environment: map[string]string{}},
		"proxy_url":                    {url: "http://PROXY", through: true},
		"proxy_url with no_proxy":      {url: "http://PROXY", noProxy: "node.test"},
		"proxy_url, no_proxy of other": {url: "http://PROXY", noProxy: "other.test", through: true},
		"none":                         {},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			through := proxytest.Start(t, map[string]string{known: server})
			for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
				t.Setenv(variable, strings.ReplaceAll(test.environment[variable], "PROXY", through.Address()))
			}
			config := promconfig.ProxyConfig{ProxyFromEnvironment: test.environment != nil}
			if test.url != "" {
				config = viaURL(t, strings.ReplaceAll(test.url, "PROXY", through.Address()), test.noProxy)
			}
			var direct atomic.Int32
			d := NewDialer(Options{Config: config, DialDirect: func(ctx context.Context, network, _ string) (net.Conn, error) {
				direct.Add(1)
				return new(net.Dialer).DialContext(ctx, network, server)
			}})
			text, err := talk(t, d, known)
			if err != nil || text != "hello ping" {
				t.Errorf("%q, %v", text, err)
			}
			want := []string(nil)
			if test.through {
				want = []string{"CONNECT " + known}
			}
			if seen := through.Seen(); !slices.Equal(seen, want) || (direct.Load() == 0) != test.through {
				t.Errorf("the proxy has seen %q, want %q; %d direct connections", seen, want, direct.Load())
			}
		})
	}
}

// TestEarlyBytes has a proxy send its answer and the first bytes of the target at
// once.
func TestEarlyBytes(t *testing.T) {
	through := proxytest.Start(t, nil)
	through.AnswerBy(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\nhello ")
		_, _ = io.CopyN(conn, conn, 4)
		_ = conn.Close()
	})
	if text, err := talk(t, NewDialer(Options{Config: viaURL(t, through.URL(), "")}), "node.test:1"); err != nil || text != "hello ping" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestCredentials(t *testing.T) {
	server := greeter(t)
	through := proxytest.Start(t, map[string]string{"node.test:1": server})
	t.Setenv("HTTPS_PROXY", "http://me:hunter2@"+through.Address())
	d := NewDialer(Options{Config: promconfig.ProxyConfig{ProxyFromEnvironment: true}})
	if text, err := talk(t, d, "node.test:1"); err != nil || text != "hello ping" {
		t.Errorf("%q, %v", text, err)
	}
	if got := through.Credentials(); len(got) != 1 || got[0] != "Basic bWU6aHVudGVyMg==" {
		t.Errorf("the proxy was sent %q", got)
	}
}

// TestProxyThatFails expects an error that names the proxy and what it was asked
// for, and has nothing that it sent and no credentials.
func TestProxyThatFails(t *testing.T) {
	raw := func(text string) func(*proxytest.Proxy) {
		return func(p *proxytest.Proxy) {
			p.AnswerBy(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, _ := http.NewResponseController(w).Hijack()
				_, _ = io.WriteString(conn, text)
				_ = conn.Close()
			})
		}
	}
	tests := map[string]struct {
		fault     func(*proxytest.Proxy)
		want      string
		status    int
		permanent bool
	}{
		"407":        {func(p *proxytest.Proxy) { p.Answer(407) }, "407 Proxy Authentication Required; set the proxy's user and password in HTTP_PROXY and HTTPS_PROXY", 407, true},
		"403":        {func(p *proxytest.Proxy) { p.Answer(403) }, "403 Forbidden; allow this host and port in the proxy, or go without it (no_proxy, consensus.use_proxy)", 403, true},
		"502":        {func(p *proxytest.Proxy) { p.Answer(502) }, "502 Bad Gateway", 502, false},
		"odd status": {raw("HTTP/1.1 999 hunter2\r\n\r\n"), "999", 999, false},
		"no HTTP":    {raw("hunter2\r\n\r\n"), "no answer of an HTTP proxy: it is not HTTP; check proxy_url, or HTTP_PROXY and HTTPS_PROXY", 0, false},
		"hangs up":   {raw(""), "no answer of an HTTP proxy: unexpected EOF; check proxy_url, or HTTP_PROXY and HTTPS_PROXY", 0, false},
		"endless":    {raw("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: hunter2\r\n", 10_000) + "\r\n"), "no answer of an HTTP proxy: ", 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			through := proxytest.Start(t, nil)
			test.fault(through)
			u := strings.Replace(through.URL(), "http://", "http://me:hunter2@", 1)
			_, err := talk(t, NewDialer(Options{Config: viaURL(t, u, "")}), "node.test:50211")
			var failed *Error
			if !errors.As(err, &failed) || failed.OfTarget || failed.Status != test.status || failed.Permanent() != test.permanent {
				t.Fatalf("got %+v, %v", failed, err)
			}
			if text, want := err.Error(), "proxy "+through.Address()+": CONNECT node.test:50211: "+test.want; !strings.HasPrefix(text, want) || strings.Contains(text, "hunter2") {
				t.Errorf("got %s, want %s", text, want)
			}
		})
	}
}

func TestProxyThatIsNotThere(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:1":         "proxy 127.0.0.1:1: CONNECT node.test:1: dial tcp 127.0.0.1:1: connect: connection refused; check",
		"socks5://me:hunter2@[::]:1": "proxy [::]:1: CONNECT node.test:1: socks connect",
		"ftp://me:hunter2@proxy":     "the proxy's URL does not begin with http://, https:// or socks5://",
	} {
		_, err := talk(t, NewDialer(Options{Config: viaURL(t, text, "")}), "node.test:1")
		var failed *Error
		if !errors.As(err, &failed) || failed.OfTarget || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// untilAsked ends when the proxy has got a request, which it does not answer.
func untilAsked(t *testing.T, through *proxytest.Proxy) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	t.Cleanup(cancel)
	through.AnswerBy(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	return ctx
}

// TestProxyThatHangs is bounded by the context, and leaves no connection.
func TestProxyThatHangs(t *testing.T) {
	through := proxytest.Start(t, nil)
	d := NewDialer(Options{Config: viaURL(t, through.URL(), "")})
	ctx := untilAsked(t, through)
	_, err := d.DialContext(ctx, "tcp", "node.test:1")
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "proxy "+through.Address()+": CONNECT node.test:1: no answer: context canceled") {
		t.Errorf("got %v", err)
	}
}

// TestWhoseFailure tells a proxy that does not work from a target that it does not
// reach: what says 502 to one address and has let others through, works.
func TestWhoseFailure(t *testing.T) {
	server := greeter(t)
	through := proxytest.Start(t, map[string]string{"node.test:1": server})
	d := NewDialer(Options{Config: viaURL(t, through.URL(), "")})
	ofTarget := func(address string) bool {
		t.Helper()
		_, err := talk(t, d, address)
		var failed *Error
		if !errors.As(err, &failed) {
			t.Fatalf("got %v", err)
		}
		return failed.OfTarget
	}
	if ofTarget("other.test:1") {
		t.Error("502 of a proxy that has opened nothing is the target's")
	}
	if _, err := talk(t, d, "node.test:1"); err != nil {
		t.Fatal(err)
	}
	if !ofTarget("other.test:1") {
		t.Error("502 of a proxy that works is the proxy's")
	}
	through.Answer(407)
	if ofTarget("other.test:1") {
		t.Error("407 is the target's")
	}
	ctx := untilAsked(t, through)
	var failed *Error
	if _, err := d.DialContext(ctx, "tcp", "other.test:1"); !errors.As(err, &failed) || !failed.OfTarget {
		t.Errorf("no answer of a proxy that works is the proxy's: %v", err)
	}
	d.opened.Store(time.Now().Add(-trusted).UnixNano())
	through.Answer(503)
	if ofTarget("other.test:1") {
		t.Error("503 of a proxy that has opened nothing for long is the target's")
	}
}

func TestCheckHost(t *testing.T) {
	through := proxytest.Start(t, nil)
	errRefused := errors.New("refused")
	d := NewDialer(Options{Config: viaURL(t, through.URL(), ""), CheckHost: func(host string) error {
		if host == "127.0.0.1" {
			return errRefused
		}
		return nil
	}})
	if _, err := talk(t, d, "127.0.0.1:1"); !errors.Is(err, errRefused) || len(through.Seen()) > 0 {
		t.Errorf("got %v; the proxy has seen %q", err, through.Seen())
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"http://p": "p:80", "https://p": "p:443", "socks5://p": "p:1080", "http://me:hunter2@p:3128/x": "p:3128", "http://[::1]": "[::1]:80",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Address(u); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// socksServer is a SOCKS5 proxy (RFC 1928) that connects every name to address, but
// for down.test, which it does not reach.
func socksServer(t *testing.T, address string) string {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		request := make([]byte, 512)
		_, _ = io.ReadFull(conn, request[:3]) // version, one method: none
		_, _ = conn.Write([]byte{5, 0})
		_, _ = io.ReadFull(conn, request[:5])
		name := request[:request[4]]
		_, _ = io.ReadFull(conn, name)
		_, _ = io.ReadFull(conn, make([]byte, 2))
		if string(name) == "down.test" {
			_, _ = conn.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		target, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		if err != nil {
			return
		}
		defer func() { _ = target.Close() }()
		_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		go func() { _, _ = io.Copy(target, conn) }()
		_, _ = io.Copy(conn, target)
	})
}

func TestSOCKS5(t *testing.T) {
	d := NewDialer(Options{Config: viaURL(t, "socks5://"+socksServer(t, greeter(t)), "")})
	for _, reached := range []bool{false, true} {
		_, err := talk(t, d, "down.test:1")
		var failed *Error
		if !errors.As(err, &failed) || failed.OfTarget != reached {
			t.Errorf("got %v; the proxy works: %t", err, reached)
		}
		if text, err := talk(t, d, "node.test:1"); err != nil || text != "hello ping" {
			t.Errorf("%q, %v", text, err)
		}
	}
}
