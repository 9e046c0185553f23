// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"hedera_exporter/internal/proxy"
)

// StatusError is an answer other than 2xx.
type StatusError struct {
	// Code is the HTTP status.
	Code int
	// Message is what the mirror said, if that was readable.
	Message string
	// ByMirror is whether the answer has the form of the mirror's own errors.
	// Others are of a gateway, or of something that is no mirror.
	ByMirror bool
	// Detail is whether the mirror gave details. A 404 of its Java module has
	// them, unless it is the route that is missing.
	Detail bool
	// RetryAfter is how long the mirror asked to wait; 0 if it did not.
	RetryAfter time.Duration
	// Hint is what to do about it; often empty.
	Hint string
}

// Error is the status, the message and the hint in one line.
func (e *StatusError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d", e.Code)
	if text := http.StatusText(e.Code); text != "" {
		s.WriteString(" " + text)
	}
	if e.Message != "" {
		s.WriteString(": " + e.Message)
	}
	if e.Hint != "" {
		s.WriteString("; " + e.Hint)
	}
	return s.String()
}

// IsNotFound reports whether the mirror itself answered 404: it knows neither
// the entity nor, when it is too old, the route. A 404 of a gateway says nothing
// about the entity.
func IsNotFound(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound && status.ByMirror
}

// IsMissingRoute reports whether err is the answer of a mirror, or of a gateway
// in front of it, without the route: any 404 without details. The Node.js module
// gives none for unknown entities either, so this is of use for the routes of
// the Java module only.
func IsMissingRoute(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound && !status.Detail
}

// IsRateLimited reports whether the mirror answered 429: it is up, and what was
// asked for is unknown.
func IsRateLimited(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusTooManyRequests
}

// IsNotSent reports whether a request had no turn, so that nothing is known about the
// mirror.
func IsNotSent(err error) bool {
	var (
		status    *StatusError
		transport *transportError
	)
	return errors.Is(err, errNotSent) && !errors.As(err, &status) && !errors.As(err, &transport)
}

// Reason is why a request failed, without a word of what the mirror sent; empty
// if there is nothing to say without.
func Reason(err error) string {
	var (
		status  *StatusError
		limit   *LimitError
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		through *proxy.Error
	)
	switch {
	case errors.As(err, &through):
		return through.Error()
	case errors.As(err, &status):
		plain := StatusError{Code: status.Code, Hint: status.Hint}
		if status.Code >= 300 && status.Code < 400 {
			plain.Hint = "" // says where to
		}
		return plain.Error()
	case errors.As(err, &limit):
		return "response too large: " + limit.Error()
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.As(err, &cert):
		return "the certificate cannot be verified"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer before the deadline"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, errNotJSON):
		return "response is not JSON"
	}
	return ""
}

// transportError is a failure to get a complete response. Its text is fit to
// print: one bounded line without URL or credentials.
type transportError struct {
	text string
	err  error
}

func (e *transportError) Error() string { return e.text }
func (e *transportError) Unwrap() error { return e.err }

func newTransportError(hide func(string) string, host string, err error) error {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	text := excerpt(hide(err.Error()))
	if hint := transportHint(host, err); hint != "" {
		text += "; " + hint
	}
	return &transportError{text: text, err: err}
}

// publicDomain has the hosts that nobody has to configure.
const publicDomain = ".mirrornode.hedera.com"

func transportHint(host string, err error) string {
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		through *proxy.Error
	)
	switch {
	case errors.As(err, &through):
		return "" // says what to do
	case isProxyConnect(err):
		return "check proxy_url, or HTTP_PROXY and HTTPS_PROXY"
	case errors.As(err, &dns) && strings.HasSuffix(strings.ToLower(host), publicDomain):
		return "check that this host can reach the internet and its DNS"
	case errors.As(err, &dns):
		return "check the host name in the mirror's url"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "check that the mirror runs and that its url has the right port"
	case errors.As(err, &cert):
		return "check tls_config of the mirror"
	}
	return ""
}

// isProxyConnect reports whether a connection to a proxy for http failed.
func isProxyConnect(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "proxyconnect"
}

// throughProxy says in an error for which there is no other word of it that a
// request went through a proxy.
func (c *Client) throughProxy(u *url.URL, err error) error {
	if through, _ := c.proxy.Proxy(u); through != nil {
		return fmt.Errorf("%w (through the proxy %s)", err, proxy.Address(through))
	}
	return err
}

// proxyHint says of an answer to a request by http that it may be the proxy's.
func (c *Client) proxyHint(u *url.URL, code int) string {
	through, err := c.proxy.Proxy(u)
	if u.Scheme != "http" || err != nil || through == nil {
		return ""
	}
	switch code {
	case http.StatusProxyAuthRequired:
		return "set the user and password of the proxy " + proxy.Address(through) + " in HTTP_PROXY"
	case http.StatusForbidden, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "this may be the answer of the proxy " + proxy.Address(through)
	}
	return ""
}

// statusError leaves out what 401 and 403 say, as that may quote credentials.
func (c *Client) statusError(hide func(string) string, resp *http.Response, body []byte) *StatusError {
	e := &StatusError{
		Code:       resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.clock.now()),
	}
	switch {
	case e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden:
		e.Hint = "check the credentials for the mirror" + c.ofNetwork()
		if hint := c.proxyHint(resp.Request.URL, e.Code); hint != "" {
			e.Hint += "; " + hint
		}
		return e
	case c.proxyHint(resp.Request.URL, e.Code) != "":
		e.Hint = c.proxyHint(resp.Request.URL, e.Code)
	case e.Code == http.StatusTooManyRequests:
		e.Hint = "lower rate_limit or use a paid mirror"
	case e.Code >= 300 && e.Code < 400:
		e.Hint = excerpt(hide(redirectHint(resp)))
	}
	e.Message, e.ByMirror, e.Detail = errorMessage(body)
	e.Message = excerpt(hide(e.Message))
	return e
}

func (c *Client) ofNetwork() string {
	if c.network == "" {
		return ""
	}
	return fmt.Sprintf(" of network %q", c.network)
}

func redirectHint(resp *http.Response) string {
	location, err := resp.Location()
	if err != nil {
		return "redirects are not followed"
	}
	return fmt.Sprintf("redirect to %s://%s not followed, set the mirror's url to where it is", location.Scheme, location.Host)
}

// errorMessage reads the _status of docs/hedera.md 1.0. Gateways in front of a
// mirror answer in plain text, JSON of their own or, not worth quoting, HTML.
func errorMessage(body []byte) (message string, byMirror, detail bool) {
	var r struct {
		Status struct {
			Messages []struct {
				Message string `json:"message"`
				Detail  string `json:"detail"`
			} `json:"messages"`
		} `json:"_status"`
	}
	if err := json.Unmarshal(body, &r); err != nil || len(r.Status.Messages) == 0 {
		return plainText(body), false, false
	}
	texts := make([]string, 0, len(r.Status.Messages))
	for _, m := range r.Status.Messages {
		text := m.Message
		if m.Detail != "" {
			text += " (" + m.Detail + ")"
			detail = true
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", "), true, detail
}

func plainText(body []byte) string {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "<") {
		return ""
	}
	return text
}

// excerpt makes one bounded line of printable text.
func excerpt(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, " "))
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt]) + "…"
	}
	return string(runes)
}

// outcome is the code label of a request without a complete response.
func outcome(err error) string {
	var (
		held    *heldRedirectError
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &held):
		return strconv.Itoa(held.code)
	case errors.As(err, &timeout) && timeout.Timeout():
		return codeTimeout
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "error"
}

const codeTimeout = "timeout"

// ended is why ctx has ended. A deadline is one also where somebody else who
// had it was quicker, and cancelled.
func ended(ctx context.Context) error {
	err := ctx.Err()
	cause := context.Cause(ctx)
	deadline, ok := ctx.Deadline()
	switch {
	case err == nil || (errors.Is(cause, context.DeadlineExceeded) && cause != context.DeadlineExceeded): //nolint:errorlint // an attempt's own cause wraps it
		return cause
	case errors.Is(err, context.DeadlineExceeded) || (ok && !time.Now().Before(deadline)):
		return fmt.Errorf("no answer before the deadline: %w", context.DeadlineExceeded)
	}
	return cause
}

// safely turns a panic into an error.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %s", excerpt(fmt.Sprint(p)))
		}
	}()
	return f()
}
