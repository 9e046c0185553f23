// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/proxy"
	"hedera_exporter/internal/proxytest"
)

// proxied is a mirror at example.com that only the proxy can reach.
func proxied(t *testing.T, scheme string, options ...func(*Options)) (c *Client, through *proxytest.Proxy) {
	t.Helper()
	server := httptest.NewUnstartedServer(answer(200, `{"total_supply":"5"}`))
	port := map[string]string{"http": "80", "https": "443"}[scheme]
	if scheme == "https" {
		server.StartTLS()
		ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
		options = append(options, func(o *Options) { o.HTTPClient.TLSConfig = promconfig.TLSConfig{CA: ca} })
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	through = proxytest.Start(t, map[string]string{"example.com:" + port: server.Listener.Addr().String()})
	withCredentials := promconfig.URL{URL: mustParse(t, strings.Replace(through.URL(), "http://", "http://me:hunter2@", 1))}
	options = append(options, func(o *Options) { o.HTTPClient.ProxyURL = withCredentials })
	c, _, _ = newTestClient(t, scheme+"://example.com", options...)
	return c, through
}

func TestProxy(t *testing.T) {
	for scheme, want := range map[string]string{"http": "GET http://example.com", "https": "CONNECT example.com:443"} {
		t.Run(scheme, func(t *testing.T) {
			c, through := proxied(t, scheme)
			supply, err := c.Supply(t.Context())
			if total, _ := supply.TotalSupply.Get(); err != nil || total != 5 {
				t.Errorf("got %+v, %v", supply, err)
			}
			if seen := through.Seen(); !slices.Equal(seen, []string{want}) {
				t.Errorf("the proxy has seen %q, want %q", seen, want)
			}
			if sent := through.Credentials(); len(sent) != 1 {
				t.Errorf("the proxy was sent the credentials %q", sent)
			}
		})
	}
}

// TestProxyThatFails expects errors that name the proxy, without its password.
func TestProxyThatFails(t *testing.T) {
	const http, https = "http", "https"
	tests := map[string]struct {
		scheme string
		fault  func(*proxytest.Proxy)
		want   string
		tries  bool // again
	}{
		"https 407":      {https, func(p *proxytest.Proxy) { p.Answer(407) }, "proxy ADDRESS: CONNECT example.com:443: 407 Proxy Authentication Required; set the proxy's user and password in", false},
		"https 403":      {https, func(p *proxytest.Proxy) { p.Answer(403) }, "proxy ADDRESS: CONNECT example.com:443: 403 Forbidden; allow this host", false},
		"https 502":      {https, func(p *proxytest.Proxy) { p.Answer(502) }, "proxy ADDRESS: CONNECT example.com:443: 502 Bad Gateway (attempt", true},
		"https hangs":    {https, (*proxytest.Proxy).Hang, "no answer within 100ms: context deadline exceeded (through the proxy ADDRESS) (attempt", true},
		"http 407":       {http, func(p *proxytest.Proxy) { p.Answer(407) }, "407 Proxy Authentication Required: <hidden>; set the user and password of the proxy ADDRESS in HTTP_PROXY", false},
		"http 403":       {http, func(p *proxytest.Proxy) { p.Answer(403) }, "403 Forbidden; check the credentials for the mirror of network \"testnet\"; this may be the answer of the proxy ADDRESS", false},
		"http 502":       {http, func(p *proxytest.Proxy) { p.Answer(502) }, "502 Bad Gateway: <hidden>; this may be the answer of the proxy ADDRESS (attempt", true},
		"http hangs":     {http, (*proxytest.Proxy).Hang, "no answer within 100ms: context deadline exceeded (through the proxy ADDRESS) (attempt", true},
		"http rejected":  {http, func(p *proxytest.Proxy) { p.Answer(404) }, "404 Not Found: <hidden>", false},
		"https rejected": {https, func(p *proxytest.Proxy) { p.Answer(404) }, "proxy ADDRESS: CONNECT example.com:443: 404 Not Found (attempt", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, through := proxied(t, tt.scheme, func(o *Options) {
				o.MaxAttempts = 2
				if strings.HasSuffix(name, "hangs") {
					o.Timeout = 100 * time.Millisecond
				}
			})
			tt.fault(through)
			_, err := c.Supply(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			if want := strings.ReplaceAll(tt.want, "ADDRESS", through.Address()); !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "attempt") != tt.tries {
				t.Errorf("got %v\nwant %s", err, want)
			}
			if text := err.Error() + Reason(err); strings.Contains(text, "hunter2") || strings.Contains(text, "me:") {
				t.Errorf("a secret is shown: %s", text)
			}
			var ofProxy *proxy.Error
			if errors.As(err, &ofProxy) && !strings.Contains(Reason(err), "proxy "+through.Address()) {
				t.Errorf("the reason is %q", Reason(err))
			}
		})
	}
}

func TestProxyThatIsNotThere(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		c, _, _ := newTestClient(t, scheme+"://example.com", func(o *Options) {
			o.HTTPClient.ProxyURL = promconfig.URL{URL: mustParse(t, "http://127.0.0.1:1")}
		})
		_, err := c.Supply(t.Context())
		wantError(t, err, "dial tcp 127.0.0.1:1: connect: connection refused; check proxy_url, or HTTP_PROXY and HTTPS_PROXY")
	}
}

// TestMixedSchemes has one base by http and one by https: each has its own way
// through the proxy.
func TestMixedSchemes(t *testing.T) {
	through := proxytest.Start(t, nil)
	through.AnswerBy(http.NotFound)
	c, _, _ := newTestClient(t, "http://rest.test", func(o *Options) {
		o.JavaURL = mustParse(t, "https://java.test")
		o.HTTPClient.ProxyURL = promconfig.URL{URL: mustParse(t, through.URL())}
		o.MaxAttempts = 1
	})
	_, _ = c.LatestBlock(t.Context())
	_, _ = c.Supply(t.Context())
	if got, want := through.Seen(), []string{"CONNECT java.test:443", "GET http://rest.test"}; !slices.Equal(got, want) {
		t.Errorf("the proxy has seen %q, want %q", got, want)
	}
}
