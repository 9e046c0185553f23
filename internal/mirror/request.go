// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"hedera_exporter/internal/trace"
)

// base is the root of a REST API. It prints as scheme and host alone, as the
// rest of the URL may hold credentials.
type base struct {
	url *url.URL
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
	return base{url: u}, nil
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

// next returns the query of the links.next of a page of path. The rest of the
// link is not used: behind a gateway its host may be the mirror's own, and its
// path may have a prefix of either. It must end as path does.
func (b base) next(link, path string) (url.Values, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("next link is not a URL")
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

// request is a GET of one route or, with a body, a POST.
type request struct {
	base base
	body *body
	// route is path with placeholders, for metrics.
	route string
	path  string
	query url.Values
	class class
	rows  int // how many are asked for, at most
	// expected is how many rows the answer has if the mirror knows all of them.
	expected int
	// skipped is the name of a member that nobody reads.
	skipped string
	// digests returns those of the rows that are known, by sorted ids.
	digests func(ids []string) []RowDigest
	// known are the rows that are not decoded, nil where no row is hashed.
	known *knownRows
	// detail says in errors what of the path was asked for.
	detail string
}

// body is what a POST sends.
type body struct {
	contentType string
	content     []byte
}

// post is a request with a body for a route without placeholders.
func post(b base, route, contentType string, content []byte) request {
	r := get(b, route, nil)
	r.body = &body{contentType, content}
	return r
}

func (r request) method() string {
	if r.body != nil {
		return http.MethodPost
	}
	return http.MethodGet
}

// name is the route for metrics.
func (r request) name() string {
	if r.body != nil {
		return http.MethodPost + " " + r.route
	}
	return r.route
}

func (r request) http(ctx context.Context) (*http.Request, error) {
	url := r.base.resolve(r.path, r.query).String()
	if r.body == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(r.body.content))
	if err == nil {
		req.Header.Set("Content-Type", r.body.contentType)
	}
	return req, err
}

// get is a request for a route without placeholders.
func get(b base, route string, query url.Values) request {
	return request{base: b, route: route, path: route, query: query, rows: maxRepeated}
}

// entityID is what may stand in a path: an id, an alias or an EVM address. It
// keeps out what has a meaning there, such as "..".
var entityID = regexp.MustCompile(`^[0-9A-Za-z]+(\.[0-9A-Za-z]+)*$`)

// as is r with a class.
func (r request) as(class class) request {
	r.class = class
	return r
}

// getEntity is a request for a route with an {id}.
func getEntity(b base, route, id string, query url.Values) (request, error) {
	if len(id) > maxIDBytes || !entityID.MatchString(id) {
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

// limit is r for so many rows at most.
func (r request) limit(rows int) request {
	r = r.with("limit", strconv.Itoa(rows))
	r.rows = rows
	return r
}

// wrap says in an error what was asked of whom.
func (r request) wrap(err error) error {
	return fmt.Errorf("mirror %s: %s: %w", r.base, r, err)
}

func (r request) String() string {
	if r.detail == "" {
		return r.method() + " " + r.path
	}
	return fmt.Sprintf("%s %s (%s)", r.method(), r.path, r.detail)
}

// isID reports whether s is the id of an entity as the mirror writes it: a shard
// below 2^10, a realm below 2^16 and a number below 2^38 (docs/hedera.md 1.0).
func isID(s string) bool {
	shard, rest, _ := strings.Cut(s, ".")
	realm, num, _ := strings.Cut(rest, ".")
	return isDigits(shard) && isDigits(realm) && isDigits(num) && len(shard) <= 4 && len(realm) <= 5 && len(num) <= 12
}

// fetch asks until there is a response that decode accepts, or no hope of one.
func fetch[T any](ctx context.Context, c *Client, r request, decode func(*response) (T, error)) (T, error) {
	var v T
	err := c.retry(ctx, func() error {
		return c.attempt(ctx, r, func(a *response) (err error) {
			v, err = decode(a)
			return err
		})
	})
	if err != nil {
		var none T
		return none, r.wrap(err)
	}
	return v, nil
}

// attempt sends a request once, when its turn has come.
func (c *Client) attempt(ctx context.Context, r request, decode func(*response) error) (err error) {
	defer func() { c.queue.remember(r, !errors.Is(err, errNotSent)) }()
	leave, err := c.breaker.enter(ctx, r.name())
	if err != nil {
		return err
	}
	code := ""
	defer func() { leave(code) }()
	done, err := c.turn(ctx, r)
	if err != nil {
		return err
	}
	defer done()

	start := c.clock.now()
	code, err = c.send(ctx, r, decode)
	took := c.clock.now().Sub(start)
	c.observer.Request(r.name(), code, took)
	trace.Report(ctx, trace.Request{Server: r.base.String(), Text: r.String(), Code: code, Start: start, Duration: took})
	if err == nil {
		c.limiter.answered(took)
	}
	if status := (*StatusError)(nil); errors.As(err, &status) && IsRateLimited(err) && status.RetryAfter > 0 {
		c.limiter.pause(r.class, status.RetryAfter, err)
	}
	return err
}

// send has decode read a 2xx answer. In any case it returns the code for
// [Observer.Request].
func (c *Client) send(ctx context.Context, r request, decode func(*response) error) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %s: %w", c.timeout, context.DeadlineExceeded))
	defer cancel()
	var headers sentHeaders
	hide := func(text string) string { return c.secrets.hide(text, headers.sent()) }
	failed := func(err error) (string, error) {
		if ctx.Err() != nil {
			err = c.throughProxy(r.base.url, ended(ctx))
		}
		return outcome(err), newTransportError(hide, r.base.url.Hostname(), err)
	}

	req, err := r.http(httptrace.WithClientTrace(ctx, headers.trace()))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Accept", "application/json")
	// The transport of prometheus/common leaves compression to its user.
	req.Header.Set("Accept-Encoding", "gzip")

	resp, err := c.do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	code := strconv.Itoa(resp.StatusCode)
	body, done, err := decompress(resp)
	defer done()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// Part of a message is better than none.
		text, _ := io.ReadAll(io.LimitReader(body, maxErrorBytes))
		return code, c.statusError(hide, resp, text)
	}
	if err != nil {
		return failed(fmt.Errorf("reading the response: %w", err))
	}
	failures := fieldFailures{hide: hide}
	large := false
	defer func() {
		if large {
			<-c.large
		}
	}()
	a := newResponse(body, r, c.small, func() error {
		select {
		case c.large <- struct{}{}:
			large = true
			return nil
		case <-ctx.Done():
			return ended(ctx)
		}
	}, failures.add)
	defer a.close()
	err = a.end(decode(a))
	failures.report(r.name(), c.observer.DecodeFailure)
	if readErr := a.guard.err; readErr != nil {
		var limit *LimitError
		if errors.As(readErr, &limit) {
			return outcome(readErr), fmt.Errorf("response too large: %w", limit)
		}
		return failed(fmt.Errorf("reading the response: %w", readErr))
	}
	return code, decodeError(hide, a.guard.beginning, err)
}

func (c *Client) do(req *http.Request) (*http.Response, error) {
	if err := checkFiles(c.files); err != nil {
		return nil, err
	}
	return c.http.of(req.URL).Do(req)
}

// gzipReaders are those that no response is read with.
var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// decompress returns the body of a response, or one without anything in it, and
// what to call when it has been read.
func decompress(resp *http.Response) (body io.Reader, done func(), err error) {
	wire := newCapped(resp.Body, maxWireBytes, "bytes")
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return wire, func() {}, nil
	}
	zr := gzipReaders.Get().(*gzip.Reader) //nolint:forcetypeassert // nothing else is in it
	done = func() { gzipReaders.Put(zr) }
	if err := zr.Reset(wire); err != nil {
		return http.NoBody, done, fmt.Errorf("gzip: %w", err)
	}
	return zr, done, nil
}

// end returns err or, if that is nil, what is wrong with the end of an answer.
// Reading to its end is what makes the connection reusable.
func (a *response) end(err error) error {
	if err != nil {
		return err
	}
	switch _, err := a.ReadToken(); {
	case err == nil:
		return errors.New("it has more than one value")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

var errNotJSON = errors.New("not JSON")

// decodeError tells what is wrong with an answer that could not be decoded. The text
// of a syntax error is not shown, as it quotes the answer and names its members.
func decodeError(hide func(string) string, beginning func() []byte, err error) error {
	var (
		syntax *jsontext.SyntacticError
		limit  *LimitError
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &transportError{text: "truncated response: " + io.ErrUnexpectedEOF.Error(), err: io.ErrUnexpectedEOF}
	case errors.As(err, &limit):
		return fmt.Errorf("unexpected response: %w", limit)
	case !errors.As(err, &syntax):
		return fmt.Errorf("unexpected response: %s", excerpt(hide(err.Error())))
	}
	if text := excerpt(hide(plainText(beginning()))); text != "" {
		return fmt.Errorf("response is %w: %s", errNotJSON, text)
	}
	return fmt.Errorf("response is HTML, %w", errNotJSON)
}

// fieldFailures are what could not be read of one answer, by field.
type fieldFailures struct {
	hide   func(string) string
	fields map[string]*fieldFailure
}

type fieldFailure struct {
	count int
	first error
}

func (f *fieldFailures) add(field string, n int, err error) {
	if f.fields == nil {
		f.fields = map[string]*fieldFailure{}
	}
	if f.fields[field] == nil {
		f.fields[field] = &fieldFailure{first: errors.New(excerpt(f.hide(err.Error())))}
	}
	f.fields[field].count += n
}

func (f *fieldFailures) report(route string, observe func(route, field string, n int, first error)) {
	for field, failure := range f.fields {
		observe(route, field, failure.count, failure.first)
	}
}
