// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	promconfig "github.com/prometheus/common/config"

	"hedera_exporter/internal/proxy"
)

const (
	hidden = "<hidden>"
	// minSecretSegment is the length from which a segment of the base URL's path
	// is taken for an API key, as hosted mirrors put it there, and hidden wherever
	// it appears on its own.
	minSecretSegment = 8
	// minSecretPrefix is how much of a secret at the end of a text is taken for it.
	minSecretPrefix = 4
)

// secrets are what no error may show, whatever a mirror quotes: the credentials
// of the configuration, those in URLs, and all that was sent in headers, which
// has what an OAuth 2 server gave.
type secrets struct {
	texts []string
	files []string // read when needed, as their content may change
}

func newSecrets(o Options, dialer *proxy.Dialer) secrets {
	var s secrets
	for _, u := range []*url.URL{o.URL, o.JavaURL, o.Web3URL} {
		if u != nil {
			through, _ := dialer.Proxy(u) // an error is that of every request
			s.addUser(through)
		}
	}
	s.addURL(o.URL)
	s.addURL(o.JavaURL)
	s.addURL(o.Web3URL)
	s.addClient(o.HTTPClient)
	s.files = credentialFiles(o.HTTPClient)
	return s
}

func (s *secrets) add(texts ...string) {
	s.texts = append(s.texts, texts...)
}

func (s *secrets) addURL(u *url.URL) {
	if u == nil {
		return
	}
	s.addUser(u)
	for _, path := range []string{u.Path, u.EscapedPath()} {
		s.add(strings.TrimRight(path, "/"))
		for segment := range strings.SplitSeq(path, "/") {
			if len(segment) >= minSecretSegment {
				s.add(segment)
			}
		}
	}
}

func (s *secrets) addUser(u *url.URL) {
	if u != nil && u.User != nil {
		password, _ := u.User.Password()
		s.add(u.User.Username(), password, u.User.String())
	}
}

func (s *secrets) addClient(c promconfig.HTTPClientConfig) {
	s.add(string(c.BearerToken))
	if b := c.BasicAuth; b != nil {
		s.add(b.Username, string(b.Password))
	}
	if a := c.Authorization; a != nil {
		s.add(string(a.Credentials))
	}
	if o := c.OAuth2; o != nil {
		s.add(string(o.ClientSecret))
		for _, value := range o.EndpointParams {
			s.add(value)
		}
		if u, err := url.Parse(o.TokenURL); err == nil {
			s.addUser(u)
		}
		s.addProxy(o.ProxyConfig)
	}
	if h := c.HTTPHeaders; h != nil {
		for _, header := range h.Headers {
			s.add(header.Values...)
			for _, secret := range header.Secrets {
				s.add(string(secret))
			}
		}
	}
	s.addProxy(c.ProxyConfig)
}

func (s *secrets) addProxy(p promconfig.ProxyConfig) {
	s.addUser(p.ProxyURL.URL)
	for _, values := range p.ProxyConnectHeader {
		for _, value := range values {
			s.add(string(value))
		}
	}
}

// hide returns text without the secrets and without sent.
func (s secrets) hide(text string, sent []string) string {
	all := slices.Concat(s.texts, sent)
	for _, name := range s.files {
		if checkFiles([]string{name}) != nil {
			continue
		}
		if content, err := os.ReadFile(name); err == nil { //nolint:gosec // the operator's own file
			all = append(all, strings.TrimSpace(string(content)))
		}
	}
	var forms []string
	for _, secret := range all {
		if secret != "" {
			quoted, _ := json.Marshal(secret)
			forms = append(forms, secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret),
				base64.StdEncoding.EncodeToString([]byte(secret)))
		}
	}
	// The longest first: one secret may be part of another.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	for _, form := range forms {
		text = trimPrefixAtEnd(text, form)
	}
	return text
}

// trimPrefixAtEnd cuts the beginning of a secret off the end of a text that may
// have been cut in the middle of it.
func trimPrefixAtEnd(text, secret string) string {
	for n := min(len(secret)-1, len(text)); n >= minSecretPrefix; n-- {
		if strings.HasSuffix(text, secret[:n]) {
			return text[:len(text)-n] + hidden
		}
	}
	return text
}

// sentHeaders are the values of a request's headers that may be credentials.
type sentHeaders struct {
	mu     sync.Mutex
	values []string
}

// trace also limits what comes before the answer.
func (h *sentHeaders) trace() *httptrace.ClientTrace {
	var interim atomic.Int64
	return &httptrace.ClientTrace{WroteHeaderField: h.add, Got1xxResponse: func(int, textproto.MIMEHeader) error {
		if interim.Add(1) > maxInterimResponses {
			return &LimitError{Input: "interim responses", Limit: maxInterimResponses}
		}
		return nil
	}}
}

func (h *sentHeaders) add(name string, values []string) {
	switch strings.ToLower(name) {
	case "host", "user-agent", "accept", "accept-encoding", "connection", ":authority", ":method", ":path", ":scheme":
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, value := range values {
		h.values = append(h.values, value)
		scheme, credentials, ok := strings.Cut(value, " ")
		if !ok {
			continue
		}
		h.values = append(h.values, credentials)
		if decoded, err := base64.StdEncoding.DecodeString(credentials); err == nil && strings.EqualFold(scheme, "basic") {
			user, password, _ := strings.Cut(string(decoded), ":")
			h.values = append(h.values, string(decoded), user, password)
		}
	}
}

func (h *sentHeaders) sent() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.values)
}
