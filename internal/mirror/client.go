// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package mirror is a client of the Hedera mirror node REST API.
//
// Requests of all callers of one [Client] share a token bucket, a bound on
// requests in flight and a pool of connections. Failures that may pass are
// retried inside the caller's context and never beyond it. Amounts are int64
// tinybar, as they exceed 2^53 (docs/hedera.md 1.0).
package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
)

const (
	defaultMaxConcurrency = 10
	defaultTimeout        = 10 * time.Second
	defaultMaxAttempts    = 4
	defaultMaxBodyBytes   = 32 << 20
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
	// HTTPClient sets TLS, credentials, headers and proxy.
	HTTPClient promconfig.HTTPClientConfig
	// RateLimit is in requests per second; 0 is unlimited.
	RateLimit float64
	// Burst is how many requests may be sent at once under RateLimit. Default: a
	// quarter of a second's, so that the first second stays near the limit.
	Burst int
	// MaxConcurrency bounds the requests in flight, all callers together.
	// Default: 10.
	MaxConcurrency int
	// Timeout bounds one attempt, the body included. Default: 10s.
	Timeout time.Duration
	// MaxAttempts bounds how often one request is sent. Default: 4.
	MaxAttempts int
	// MaxBodyBytes bounds a response after decompression. Default: 32 MiB.
	MaxBodyBytes int64
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
}

// Client talks to one mirror node. It is safe for concurrent use.
type Client struct {
	network      string
	rest         base
	java         base
	http         *http.Client
	slots        chan struct{}
	limiter      *limiter
	timeout      time.Duration
	maxAttempts  int
	maxBodyBytes int64
	observer     Observer
	clock        clock
	jitter       func() float64
}

// New returns a client, or why the options are unusable. It does not connect.
func New(o Options) (*Client, error) {
	rest, err := newBase(o.URL)
	if err != nil {
		return nil, fmt.Errorf("mirror url: %w", err)
	}
	java := rest
	if o.JavaURL != nil {
		if java, err = newBase(o.JavaURL); err != nil {
			return nil, fmt.Errorf("mirror java url: %w", err)
		}
	}
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("mirror %s: %w", rest, err)
	}
	hc, err := newHTTPClient(o)
	if err != nil {
		return nil, fmt.Errorf("mirror %s: http client: %w", rest, err)
	}
	return &Client{
		network:      o.Network,
		rest:         rest,
		java:         java,
		http:         hc,
		slots:        make(chan struct{}, o.MaxConcurrency),
		limiter:      newLimiter(o.RateLimit, o.Burst, o.Observer.RateLimitWait),
		timeout:      o.Timeout,
		maxAttempts:  o.MaxAttempts,
		maxBodyBytes: o.MaxBodyBytes,
		observer:     o.Observer,
		clock:        systemClock,
		jitter:       rand.Float64,
	}, nil
}

// Close closes idle connections. Requests in flight are left to their contexts.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
}

func (o *Options) setDefaults() error {
	if o.RateLimit < 0 || o.Burst < 0 || o.MaxConcurrency < 0 || o.Timeout < 0 || o.MaxAttempts < 0 || o.MaxBodyBytes < 0 {
		return errors.New("rate limit, burst, concurrency, timeout, attempts and body size must not be negative")
	}
	o.Burst = cmp.Or(o.Burst, max(1, int(math.Ceil(o.RateLimit/4))))
	o.MaxConcurrency = cmp.Or(o.MaxConcurrency, defaultMaxConcurrency)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, defaultMaxAttempts)
	o.MaxBodyBytes = cmp.Or(o.MaxBodyBytes, defaultMaxBodyBytes)
	if o.Observer.Request == nil {
		o.Observer.Request = func(string, string, time.Duration) {}
	}
	if o.Observer.RateLimitWait == nil {
		o.Observer.RateLimitWait = func(time.Duration) {}
	}
	return nil
}

// newHTTPClient follows redirects within a host only: credentials are added by
// the transport to every request, whatever host it is for.
func newHTTPClient(o Options) (*http.Client, error) {
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
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		if !sameOrigin(req.URL, via[0].URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return hc, nil
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Host, b.Host)
}
