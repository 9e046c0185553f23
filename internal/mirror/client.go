// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package mirror is a client of the Hedera mirror node REST API.
//
// Requests of all callers of one [Client] share a token bucket, a bound on
// requests in flight and a pool of connections. Failures that may pass are
// retried inside the caller's context and never beyond it. What an answer may
// have is limited (see [LimitError]), and a value in it that cannot be read costs
// no other (see [Field]). Amounts are int64
// tinybar, as they exceed 2^53 (docs/hedera.md 1.0).
package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/proxy"
)

const (
	// defaultMaxConcurrency leaves most of a REST instance's 10 database
	// connections to others.
	defaultMaxConcurrency = 4
	defaultTimeout        = 10 * time.Second
	// maxRedirects is how often one request is sent elsewhere at its origin.
	maxRedirects = 3
)

// Options configure a [Client]. Only URL is required.
type Options struct {
	// Network names the network in error texts.
	Network string
	// URL is the base of the REST API: scheme, host and an optional path
	// prefix, to which "/api/v1/…" is appended.
	URL *url.URL
	// JavaURL is the base for the routes of the Java module, which listens on a
	// port of its own on self-hosted mirrors (docs/hedera.md 1.0). Default: URL.
	JavaURL *url.URL
	// Web3URL is the base for the routes of the Web3 module, likewise. Default: URL.
	Web3URL *url.URL
	// HTTPClient sets TLS, credentials, headers and proxy.
	HTTPClient promconfig.HTTPClientConfig
	// RateLimit is in requests per second; 0 is unlimited.
	RateLimit float64
	// MaxConcurrency bounds the requests in flight, all callers together.
	// Default: 4.
	MaxConcurrency int
	// Timeout bounds one attempt, the body included. Default: 10s.
	Timeout time.Duration
	// MaxAttempts is how often a request is sent that fails in a way that may pass.
	// Default: 10.
	MaxAttempts int
	// Observer is told of every attempt.
	Observer Observer
	// DialContext opens connections, in tests; nil is TCP.
	DialContext promconfig.DialContextFunc
	// UserAgent is sent with every request.
	UserAgent string
}

// Observer measures a client. Its functions are called concurrently; one that
// is nil is not called.
type Observer struct {
	// Request is called after every attempt. Route is the template of the path,
	// such as "/api/v1/tokens/{id}"; code is the HTTP status, or "timeout",
	// "canceled" or "error" when there was no complete response.
	Request func(route, code string, d time.Duration)
	// RateLimitWait is called with the time a request was held back by the rate
	// limit, the client's own or the one the mirror answered 429 for.
	RateLimitWait func(d time.Duration)
	// DecodeFailure is called once for every answer and field, named by its path
	// such as "balance.tokens", that could not be read in n rows. A row is left
	// out where it is what tells it from the others, or where an earlier row had
	// the same. First names one of the rows and has its value.
	DecodeFailure func(route, field string, n int, first error)
}

// Client talks to one mirror node. It is safe for concurrent use.
type Client struct {
	network     string
	rest        base
	java        base
	web3        base
	http        httpClients
	proxy       *proxy.Dialer
	files       []string      // that http reads
	slots       chan struct{} // requests in flight
	small       int64         // bytes of an answer that is not large
	large       chan struct{} // answers under way that are larger
	queue       *queue
	limiter     *limiter
	breaker     breaker
	pageSize    *pageSize
	timeout     time.Duration
	maxAttempts int
	secrets     secrets
	observer    Observer
	clock       clock
	jitter      func() float64
}

// New returns a client, or why the options are unusable. It does not connect.
func New(o Options) (*Client, error) {
	rest, err := newBase(o.URL)
	if err != nil {
		return nil, fmt.Errorf("mirror url: %w", err)
	}
	java, web3 := rest, rest
	if o.JavaURL != nil {
		if java, err = newBase(o.JavaURL); err != nil {
			return nil, fmt.Errorf("mirror java url: %w", err)
		}
	}
	if o.Web3URL != nil {
		if web3, err = newBase(o.Web3URL); err != nil {
			return nil, fmt.Errorf("mirror web3 url: %w", err)
		}
	}
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("mirror %s: %w", rest, err)
	}
	limiter := newLimiter(o.RateLimit, o.Observer.RateLimitWait)
	dialer := proxy.NewDialer(proxy.Options{Config: o.HTTPClient.ProxyConfig, Dial: o.DialContext})
	clients, err := newHTTPClients(o, limiter, dialer)
	if err != nil {
		return nil, fmt.Errorf("mirror %s: http client: %w", rest, err)
	}
	return &Client{
		network:     o.Network,
		rest:        rest,
		java:        java,
		web3:        web3,
		http:        clients,
		proxy:       dialer,
		files:       clientFiles(o.HTTPClient),
		slots:       make(chan struct{}, o.MaxConcurrency),
		small:       min(smallBytes, int64(networkBytes/o.MaxConcurrency)),
		large:       make(chan struct{}, largeAnswers),
		queue:       newQueue(),
		limiter:     limiter,
		pageSize:    &pageSize{clock: systemClock},
		timeout:     o.Timeout,
		maxAttempts: o.MaxAttempts,
		secrets:     newSecrets(o, dialer),
		observer:    o.Observer,
		clock:       systemClock,
		jitter:      rand.Float64,
	}, nil
}

// Close closes idle connections. Requests in flight are left to their contexts.
func (c *Client) Close() {
	c.http.plain.CloseIdleConnections()
	c.http.secure.CloseIdleConnections()
}

func (o *Options) setDefaults() error {
	if o.RateLimit < 0 || o.MaxConcurrency < 0 || o.Timeout < 0 || o.MaxAttempts < 0 {
		return errors.New("rate limit, concurrency, timeout and attempts must not be negative")
	}
	o.MaxConcurrency = cmp.Or(o.MaxConcurrency, defaultMaxConcurrency)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, maxAttempts)
	if o.Observer.Request == nil {
		o.Observer.Request = func(string, string, time.Duration) {}
	}
	if o.Observer.RateLimitWait == nil {
		o.Observer.RateLimitWait = func(time.Duration) {}
	}
	if o.Observer.DecodeFailure == nil {
		o.Observer.DecodeFailure = func(string, string, int, error) {}
	}
	return nil
}

var errRedirects = fmt.Errorf("stopped after %d redirects", maxRedirects)

// httpClients are for http and https. Plain requests are made to a proxy, others go
// through a tunnel of the proxy that is opened here, so that its errors are told from
// the mirror's.
type httpClients struct {
	plain, secure *http.Client
}

func (c httpClients) of(u *url.URL) *http.Client {
	if u.Scheme == "https" {
		return c.secure
	}
	return c.plain
}

func newHTTPClients(o Options, l *limiter, dialer *proxy.Dialer) (clients httpClients, err error) {
	if err := checkFiles(clientFiles(o.HTTPClient)); err != nil {
		return clients, err
	}
	if clients.plain, err = newHTTPClient(o, l); err != nil {
		return clients, err
	}
	o.HTTPClient.ProxyConfig, o.DialContext = promconfig.ProxyConfig{}, dialer.DialContext
	clients.secure, err = newHTTPClient(o, l)
	return clients, err
}

// newHTTPClient follows redirects within an origin only: credentials are added
// by the transport to every request, whatever host it is for. A redirect is a
// request as far as the limiter is concerned.
func newHTTPClient(o Options, l *limiter) (*http.Client, error) {
	options := []promconfig.HTTPClientOption{promconfig.WithUserAgent(o.UserAgent)}
	if o.DialContext != nil {
		options = append(options, promconfig.WithDialContextFunc(o.DialContext))
	}
	hc, err := promconfig.NewClientFromConfig(o.HTTPClient, "mirror", options...)
	if err != nil {
		return nil, err
	}
	if !o.HTTPClient.FollowRedirects {
		return hc, nil
	}
	hc.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errRedirects
		}
		if !sameOrigin(req.URL, via[0].URL) {
			return http.ErrUseLastResponse
		}
		if err := l.wait(req.Context()); err != nil {
			return &heldRedirectError{code: req.Response.StatusCode, err: err}
		}
		return nil
	}
	return hc, nil
}

// heldRedirectError is a redirect that the rate limit leaves no time for: the
// mirror has answered.
type heldRedirectError struct {
	code int
	err  error
}

func (e *heldRedirectError) Error() string { return e.err.Error() }
func (e *heldRedirectError) Unwrap() error { return e.err }

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Host, b.Host)
}
