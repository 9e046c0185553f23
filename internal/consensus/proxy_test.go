// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/proxy"
	"hedera_exporter/internal/proxytest"
)

func throughProxy(t *testing.T, p *proxytest.Proxy) DialContextFunc {
	t.Helper()
	u, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("me", "hunter2")
	return proxy.NewDialer(proxy.Options{Config: promconfig.ProxyConfig{ProxyURL: promconfig.URL{URL: u}}}).DialContext
}

// TestThroughProxy has the address book and probes, in plain text and by TLS, go
// through a tunnel, and not by the variables of the environment, which gRPC would
// use by itself.
func TestThroughProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	sim := start(t, 1)
	through := proxytest.Start(t, map[string]string{"mirror.test:5600": sim.GRPCAddress()})
	dial := throughProxy(t, through)
	client := NewAddressBookClient(AddressBookOptions{Address: "mirror.test:5600", Book: BookOptions{TLSPorts: sim.TLSPorts(), Local: true}, DialContext: dial})
	book, err := client.Book(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	prober := NewProber(ProberOptions{Timeout: testDeadline, ReconnectInterval: time.Hour, DialContext: dial})
	defer prober.Close()
	want := []string{"CONNECT mirror.test:5600"}
	for _, result := range probe(deadline(t), prober, book.Nodes) {
		if result.Err != nil || (result.Certificate != nil) != result.Endpoint.TLS {
			t.Errorf("%s: %v, certificate %v", result.Endpoint.Address, result.Err, result.Certificate)
		}
		want = append(want, "CONNECT "+result.Endpoint.Address)
	}
	if seen := through.Seen(); len(want) < 3 || !slices.Equal(seen, slices.Sorted(slices.Values(want))) {
		t.Errorf("the proxy has seen %q, want %q", seen, want)
	}
}

// TestAddressBookByTLSThroughProxy has the handshake be with the mirror, not with the
// proxy.
func TestAddressBookByTLSThroughProxy(t *testing.T) {
	sim := start(t, 1)
	var secure string
	for _, endpoint := range book(t, sim)[0].Endpoints {
		if endpoint.TLS {
			secure = endpoint.Address
		}
	}
	through := proxytest.Start(t, map[string]string{"mirror.test:443": secure})
	err := NewAddressBookClient(AddressBookOptions{Address: "mirror.test:443", TLS: true, DialContext: throughProxy(t, through)}).Check(deadline(t))
	if err == nil || !strings.Contains(err.Error(), "tls: failed to verify certificate") {
		t.Errorf("got %v, want a certificate that is not trusted", err)
	}
	if seen := through.Seen(); !slices.Equal(seen, []string{"CONNECT mirror.test:443"}) {
		t.Errorf("the proxy has seen %q", seen)
	}
}

// TestProxyThatFails has errors name the proxy, without its password.
func TestProxyThatFails(t *testing.T) {
	for _, status := range []int{407, 502} {
		through := proxytest.Start(t, nil)
		through.Answer(status)
		dial := throughProxy(t, through)
		err := NewAddressBookClient(AddressBookOptions{Address: "mirror.test:443", DialContext: dial}).Check(deadline(t))
		prober := NewProber(ProberOptions{Timeout: testDeadline, DialContext: dial})
		results := probe(deadline(t), prober, manyNodes[:1])
		prober.Close()
		if err == nil || len(results) == 0 || results[0].Unknown == nil {
			t.Fatalf("got %v, %+v", err, results)
		}
		for _, text := range []string{err.Error(), results[0].Unknown.Error()} {
			if !strings.Contains(text, "proxy "+through.Address()+": CONNECT ") || strings.Contains(text, "hunter2") {
				t.Errorf("%d: got %s", status, text)
			}
		}
	}
}

// TestProxyThatHangs is bounded by the probe's timeout, and by the context.
func TestProxyThatHangs(t *testing.T) {
	through := proxytest.Start(t, nil)
	through.Hang()
	dial := throughProxy(t, through)
	prober := NewProber(ProberOptions{Timeout: 100 * time.Millisecond, DialContext: dial})
	defer prober.Close()
	for _, result := range probe(deadline(t), prober, manyNodes[:1]) {
		if result.Err == nil || result.Unknown == nil || !strings.Contains(result.Unknown.Error(), "proxy "+through.Address()+": CONNECT ") {
			t.Errorf("%v, unknown %v; want what the proxy has not answered", result.Err, result.Unknown)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := NewAddressBookClient(AddressBookOptions{Address: "mirror.test:443", DialContext: dial}).Check(ctx); err == nil {
		t.Error("no error")
	}
}

func TestCheckRemote(t *testing.T) {
	for host, want := range map[string]error{"127.0.0.1": errLocal, "localhost": errLocal, "::1": errLocal, "35.237.200.180": nil, "node.example.com": nil} {
		if err := CheckRemote(host); err != want { //nolint:errorlint // exactly that
			t.Errorf("%s: %v, want %v", host, err, want)
		}
	}
}
