// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package proxytest has an HTTP proxy for tests.
package proxytest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Proxy is an HTTP proxy on loopback that knows some host names, and records who
// comes through. Loopback addresses themselves go through no proxy that is of the
// environment.
type Proxy struct {
	server *httptest.Server
	hosts  map[string]string
	done   chan struct{}

	mu          sync.Mutex
	seen        []string
	credentials []string
	answer      http.HandlerFunc
	tunnels     []net.Conn
}

// Start starts a proxy that connects host:port of hosts to addresses.
func Start(t testing.TB, hosts map[string]string) *Proxy {
	t.Helper()
	p := &Proxy{hosts: hosts, done: make(chan struct{})}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		close(p.done)
		p.mu.Lock()
		for _, conn := range p.tunnels {
			_ = conn.Close()
		}
		p.mu.Unlock()
		p.server.Close()
	})
	return p
}

// URL is that of the proxy.
func (p *Proxy) URL() string { return p.server.URL }

// Address is the proxy's host:port.
func (p *Proxy) Address() string { return p.server.Listener.Addr().String() }

// Answer has the proxy answer this status to everything, 0 for working again.
func (p *Proxy) Answer(status int) {
	p.AnswerBy(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hunter2", status) })
	if status == 0 {
		p.AnswerBy(nil)
	}
}

// Hang has the proxy answer nothing.
func (p *Proxy) Hang() { p.AnswerBy(func(http.ResponseWriter, *http.Request) { <-p.done }) }

// AnswerBy has answer take the place of the proxy.
func (p *Proxy) AnswerBy(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// Seen is what came through, sorted and each once, such as "CONNECT host:443" and
// "GET http://host".
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(p.seen)))
}

// Credentials are the values of Proxy-Authorization, each once.
func (p *Proxy) Credentials() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(p.credentials)))
}

// ServeHTTP implements [http.Handler].
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := r.Method + " " + r.Host
	if r.Method != http.MethodConnect {
		entry = r.Method + " " + r.URL.Scheme + "://" + r.Host
	}
	p.mu.Lock()
	p.seen = append(p.seen, entry)
	if sent := r.Header.Get("Proxy-Authorization"); sent != "" {
		p.credentials = append(p.credentials, sent)
	}
	answer := p.answer
	p.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	default:
		p.forward(w, r)
	}
}

func (p *Proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if known, ok := p.hosts[address]; ok {
		address = known
	} else if host, _, _ := strings.Cut(address, ":"); net.ParseIP(host) == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (p *Proxy) forward(w http.ResponseWriter, r *http.Request) {
	transport := &http.Transport{DialContext: p.dial, DisableKeepAlives: true}
	proxy := httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: r.In.Host})
	}}
	proxy.ServeHTTP(w, r)
}

func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	target, err := p.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = target.Close()
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.mu.Lock()
	p.tunnels = append(p.tunnels, client, target)
	p.mu.Unlock()
	// With the first bytes of the target, if it speaks first.
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(target, client); _ = target.Close() })
	both.Go(func() { _, _ = io.Copy(client, target); _ = client.Close() })
	both.Wait()
}
