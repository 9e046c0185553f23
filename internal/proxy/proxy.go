// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package proxy opens TCP connections through HTTP proxies (CONNECT) and SOCKS5
// proxies, by the rules that the HTTP clients of Prometheus' programs have:
// proxy_url and no_proxy, or HTTPS_PROXY and NO_PROXY in the environment.
package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/proxy"
)

// DialContextFunc opens a connection as [net.Dialer.DialContext] does.
type DialContextFunc = func(ctx context.Context, network, address string) (net.Conn, error)

const (
	// maxAnswerBytes bounds what a proxy answers to CONNECT.
	maxAnswerBytes = 64 << 10
	// trusted is how long a proxy that has opened a tunnel is taken to work. It is
	// longer than connections to nodes are kept.
	trusted = 10 * time.Minute
)

// Options configure a [Dialer].
type Options struct {
	// Config says which proxy is for which host.
	Config promconfig.ProxyConfig
	// Dial opens connections to proxies; nil is TCP.
	Dial DialContextFunc
	// DialDirect opens connections without a proxy; nil is Dial.
	DialDirect DialContextFunc
	// CheckHost refuses hosts that a proxy must not be asked for; nil refuses none.
	CheckHost func(host string) error
}

// Dialer opens connections, through a proxy where there is one for the host. It is
// safe for concurrent use.
type Dialer struct {
	options Options
	choose  func(*http.Request) (*url.URL, error) // nil: there is no proxy
	header  http.Header                           // of CONNECT
	opened  atomic.Int64                          // when the last tunnel was, in nanoseconds
}

// NewDialer returns a dialer. What it reads from the environment, it reads now.
func NewDialer(o Options) *Dialer {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.DialDirect == nil {
		o.DialDirect = o.Dial
	}
	config := o.Config // which keeps the function that it returns
	return &Dialer{options: o, choose: config.Proxy(), header: config.GetProxyConnectHeader()}
}

// Proxy returns the proxy for a URL, nil for none.
func (d *Dialer) Proxy(u *url.URL) (*url.URL, error) {
	if d.choose == nil {
		return nil, nil //nolint:nilnil // as net/http has it
	}
	return d.choose(&http.Request{URL: u})
}

// DialContext opens a TCP connection to host:port. Failures of the proxy are an
// [Error].
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	through, err := d.Proxy(&url.URL{Scheme: "https", Host: address})
	if err != nil {
		return nil, err
	}
	if through == nil {
		return d.options.DialDirect(ctx, network, address)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if d.options.CheckHost != nil {
		if err := d.options.CheckHost(host); err != nil {
			return nil, err
		}
	}
	conn, err := d.tunnel(ctx, through, address)
	if err != nil {
		return nil, err
	}
	d.opened.Store(time.Now().UnixNano())
	return conn, nil
}

// Error is a proxy that was not reached, or that has not opened a tunnel. It has
// nothing of what the proxy has sent, and no credentials.
type Error struct {
	Proxy  string // host:port
	Target string // host:port
	// Status is the proxy's answer; 0 without one.
	Status int
	// OfTarget is whether the proxy works, as it has opened other tunnels, and says
	// that it has not reached the target, or says nothing yet. Otherwise nothing is
	// known about that.
	OfTarget bool
	Err      error // nil if there is a Status
}

// Error is one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("proxy %s: CONNECT %s: ", e.Proxy, e.Target)
	switch {
	case e.Status == 0:
		return text + e.Err.Error() + "; check proxy_url, or HTTP_PROXY and HTTPS_PROXY"
	case http.StatusText(e.Status) == "":
		text += strconv.Itoa(e.Status)
	default:
		text += fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	}
	switch e.Status {
	case http.StatusProxyAuthRequired:
		text += "; set the proxy's user and password in HTTP_PROXY and HTTPS_PROXY"
	case http.StatusForbidden, http.StatusMethodNotAllowed:
		text += "; allow this host and port in the proxy, or go without it (no_proxy, consensus.use_proxy)"
	}
	return text
}

// Unwrap returns what went wrong without an answer.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether the proxy refuses, and would refuse again.
func (e *Error) Permanent() bool {
	return e.Status == http.StatusProxyAuthRequired || e.Status == http.StatusForbidden || e.Status == http.StatusMethodNotAllowed
}

// Address is the host and port of a proxy.
func Address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (d *Dialer) tunnel(ctx context.Context, through *url.URL, target string) (net.Conn, error) {
	failed := &Error{Proxy: Address(through), Target: target}
	switch through.Scheme {
	case "http", "https":
	case "socks5", "socks5h":
		return d.socks(ctx, through, failed)
	default:
		failed.Err = errors.New("the proxy's URL does not begin with http://, https:// or socks5://")
		return nil, failed
	}
	conn, err := d.dialProxy(ctx, through)
	if err != nil {
		failed.Err = err
		return nil, failed
	}
	tunnel, status, err := connect(ctx, conn, d.request(through, target))
	if err == nil && status == http.StatusOK {
		return tunnel, nil
	}
	_ = conn.Close() // nothing was sent through it
	failed.Status, failed.Err = status, err
	notReached := []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	if slices.Contains(notReached, status) || ctx.Err() != nil {
		failed.OfTarget = d.works()
	}
	return nil, failed
}

// works reports whether the proxy has opened a tunnel lately.
func (d *Dialer) works() bool {
	return time.Since(time.Unix(0, d.opened.Load())) < trusted
}

func (d *Dialer) dialProxy(ctx context.Context, through *url.URL) (net.Conn, error) {
	conn, err := d.options.Dial(ctx, "tcp", Address(through))
	if err != nil || through.Scheme == "http" {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: through.Hostname()})
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

func (d *Dialer) request(through *url.URL, target string) *http.Request {
	header := d.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if through.User != nil {
		password, _ := through.User.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(through.User.Username() + ":" + password))
		header.Set("Proxy-Authorization", "Basic "+credentials)
	}
	return &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: header}
}

// connect asks for a tunnel within ctx. What the other side has sent already, it is
// read from the connection that is returned.
func connect(ctx context.Context, conn net.Conn, request *http.Request) (net.Conn, int, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends reads and writes
	reader := bufio.NewReader(io.LimitReader(conn, maxAnswerBytes))
	err := request.Write(conn)
	var response *http.Response
	if err == nil {
		response, err = http.ReadResponse(reader, request) //nolint:bodyclose // see below
	}
	if !stop() {
		return nil, 0, fmt.Errorf("no answer: %w", ctx.Err())
	}
	if err != nil {
		return nil, 0, fmt.Errorf("no answer of an HTTP proxy: %w", plainError(err))
	}
	// The body is not closed: that would read it, and it may be what comes through the
	// tunnel.
	if response.StatusCode != http.StatusOK {
		return nil, response.StatusCode, nil
	}
	early, _ := reader.Peek(reader.Buffered()) // they are there
	return &tunnel{Conn: conn, early: early}, http.StatusOK, nil
}

var errMalformed = errors.New("it is not HTTP")

// plainError leaves out errors of net/http, which quote the answer.
func plainError(err error) error {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return errMalformed
}

// tunnel is a connection of which the first bytes were read with the answer.
type tunnel struct {
	net.Conn
	early []byte
}

func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.early) == 0 {
		return t.Conn.Read(p)
	}
	n := copy(p, t.early)
	t.early = t.early[n:]
	return n, nil
}

func (d *Dialer) socks(ctx context.Context, through *url.URL, failed *Error) (net.Conn, error) {
	var auth *proxy.Auth
	if through.User != nil {
		password, _ := through.User.Password()
		auth = &proxy.Auth{User: through.User.Username(), Password: password}
	}
	forward := &forwarder{dial: d.options.Dial}
	dialer, err := proxy.SOCKS5("tcp", failed.Proxy, auth, forward)
	if err != nil {
		failed.Err = err
		return nil, failed
	}
	conn, err := dialer.(proxy.ContextDialer).DialContext(ctx, "tcp", failed.Target) //nolint:forcetypeassert // SOCKS5 documents it
	if err != nil {
		failed.Err, failed.OfTarget = err, forward.reached && d.works()
		return nil, failed
	}
	return conn, nil
}

// forwarder opens one connection to a SOCKS5 proxy.
type forwarder struct {
	dial    DialContextFunc
	reached bool
}

// Dial implements [proxy.Dialer].
func (f *forwarder) Dial(network, address string) (net.Conn, error) {
	return f.DialContext(context.Background(), network, address)
}

// DialContext implements [proxy.ContextDialer].
func (f *forwarder) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := f.dial(ctx, network, address)
	f.reached = err == nil
	return conn, err
}
