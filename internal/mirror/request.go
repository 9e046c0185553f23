// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// maxErrorBodyBytes bounds what is read of an answer other than 2xx.
const maxErrorBodyBytes = 64 << 10

var errTooLarge = errors.New("response too large")

// base is the root of a REST API. It prints as scheme and host alone, as the
// rest of the URL may hold credentials.
type base struct {
	url   *url.URL
	scrub *strings.Replacer
}

func newBase(u *url.URL) (base, error) {
	if u == nil {
		return base{}, errors.New("not set")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return base{}, errors.New("must be http:// or https:// with a host")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return base{}, errors.New("must have neither query nor fragment")
	}
	return base{url: u, scrub: newScrubber(u)}, nil
}

func (b base) String() string {
	return b.url.Scheme + "://" + b.url.Host
}

// resolve returns the URL of an escaped path below the base.
func (b base) resolve(path string, query url.Values) *url.URL {
	u := b.url.JoinPath(path)
	u.RawQuery = query.Encode()
	return u
}

// next returns the query of the links.next of a page of path. Its path may
// carry a prefix of the gateway or of the mirror, so only the end is compared.
func (b base) next(link, path string) (url.Values, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("next link is not a URL")
	}
	if u.Opaque != "" {
		return nil, errors.New("next link is not a URL of this mirror, not followed")
	}
	if abs := b.url.ResolveReference(u); !sameOrigin(abs, b.url) {
		return nil, fmt.Errorf("next link points to %s://%s, not followed", abs.Scheme, abs.Host)
	}
	if !strings.HasSuffix(u.EscapedPath(), path) {
		return nil, errors.New("next link points to another route, not followed")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("next link has an invalid query")
	}
	return query, nil
}

// request is a GET of one route.
type request struct {
	base base
	// route is path with placeholders, for metrics.
	route string
	path  string
	query url.Values
	// detail says in errors what of the path was asked for.
	detail string
}

// get is a request for a route without placeholders.
func get(b base, route string, query url.Values) request {
	return request{base: b, route: route, path: route, query: query}
}

// entityID is what may stand in a path: an id, an alias or an EVM address. It
// keeps out what has a meaning there, such as "..".
var entityID = regexp.MustCompile(`^[0-9A-Za-z]+(\.[0-9A-Za-z]+)*$`)

// getEntity is a request for a route with an {id}.
func getEntity(b base, route, id string, query url.Values) (request, error) {
	if !entityID.MatchString(id) {
		return request{}, fmt.Errorf("mirror %s: GET %s: %.80q is not an id, an alias or an EVM address", b, route, id)
	}
	r := get(b, route, query)
	r.path = strings.Replace(route, "{id}", id, 1)
	return r, nil
}

// with is r with the values of a query parameter.
func (r request) with(key string, values ...string) request {
	query := url.Values{key: values}
	for k, v := range r.query {
		if k != key {
			query[k] = v
		}
	}
	r.query = query
	return r
}

// wrap says in an error what was asked of whom.
func (r request) wrap(err error) error {
	return fmt.Errorf("mirror %s: %s: %w", r.base, r, err)
}

func (r request) String() string {
	if r.detail == "" {
		return "GET " + r.path
	}
	return fmt.Sprintf("GET %s (%s)", r.path, r.detail)
}

// fetch asks until there is a response that decode accepts, or no hope of one.
func fetch[T any](ctx context.Context, c *Client, r request, decode func([]byte) (T, error)) (T, error) {
	var v T
	err := c.retry(ctx, func() error {
		body, err := c.attempt(ctx, r)
		if err != nil {
			return err
		}
		v, err = decode(body)
		return decodeError(r, body, err)
	})
	if err != nil {
		return v, r.wrap(err)
	}
	return v, nil
}

// decodeError tells what is wrong with a body that could not be decoded.
func decodeError(r request, body []byte, err error) error {
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Errorf("unexpected response: %w", err)
	}
	if syntax.Offset >= int64(len(body)) {
		return &transportError{text: "truncated response: " + err.Error(), err: err}
	}
	if text := excerpt(r.base.scrub.Replace(plainText(body))); text != "" {
		return fmt.Errorf("response is not JSON: %w: %s", err, text)
	}
	return fmt.Errorf("response is HTML, not JSON: %w", err)
}

// attempt sends a request once, when its turn has come.
func (c *Client) attempt(ctx context.Context, r request) ([]byte, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w, waited for earlier requests to end: %w", errNotSent, ctx.Err())
	}
	if err := c.limiter.wait(ctx); err != nil {
		return nil, err
	}

	start := c.clock.now()
	body, code, err := c.send(ctx, r)
	c.observer.Request(r.route, code, c.clock.now().Sub(start))
	return body, err
}

// send returns the body of a 2xx answer, and in any case the code for
// [Observer.Request].
func (c *Client) send(ctx context.Context, r request) ([]byte, string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %s: %w", c.timeout, context.DeadlineExceeded))
	defer cancel()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base.resolve(r.path, r.query).String(), nil)
	if err != nil {
		return nil, outcome(err), newTransportError(r.base, err)
	}
	req.Header.Set("Accept", "application/json")
	// The transport of prometheus/common leaves compression to its user.
	req.Header.Set("Accept-Encoding", "gzip")

	resp, err := c.http.Do(req)
	if err != nil {
		err = timeoutCause(ctx, err)
		return nil, outcome(err), newTransportError(r.base, err)
	}
	defer resp.Body.Close()

	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// Part of a message is better than none.
		body, _ := readBody(resp, maxErrorBodyBytes)
		return nil, strconv.Itoa(resp.StatusCode), c.statusError(r.base, resp, body)
	}
	body, err := readBody(resp, c.maxBodyBytes)
	if errors.Is(err, errTooLarge) {
		return nil, outcome(err), fmt.Errorf("%w: more than %d bytes", err, c.maxBodyBytes)
	}
	if err != nil {
		err = timeoutCause(ctx, err)
		return nil, outcome(err), newTransportError(r.base, fmt.Errorf("reading the response: %w", err))
	}
	return body, strconv.Itoa(resp.StatusCode), nil
}

// timeoutCause tells the end of an attempt's time from that of its caller's.
func timeoutCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil {
		return err
	}
	if cause == context.DeadlineExceeded { //nolint:errorlint // an attempt's own cause wraps it
		return fmt.Errorf("no answer before the deadline: %w", cause)
	}
	return cause
}

// readBody returns the decompressed body. Reading to its end is what makes the
// connection reusable.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		zr, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		body = zr
	}
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(body, limit+1))
	if err != nil {
		return buf.Bytes(), err
	}
	if n > limit {
		return buf.Bytes()[:limit], errTooLarge
	}
	return buf.Bytes(), nil
}
