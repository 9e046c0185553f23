// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
)

// defaultHTTPClient goes through the proxy of the environment, if there is one.
func defaultHTTPClient() promconfig.HTTPClientConfig {
	c := promconfig.DefaultHTTPClientConfig
	c.ProxyFromEnvironment = true
	return c
}

// httpClient reads the HTTP client settings of prometheus/common. That package
// reports one mistake at a time and takes secrets from the file, so the
// structure is checked here against its types first.
func (l *loader) httpClient(s *section, dst *promconfig.HTTPClientConfig) {
	e, ok := s.take("http_client")
	if !ok || e.null() {
		return
	}
	var c promconfig.HTTPClientConfig
	if !l.checkType(e, reflect.TypeOf(c)) {
		return
	}
	if err := e.value.Decode(&c); err != nil {
		l.problem(e.line, "%s: %w", e.path, err)
		return
	}
	c.SetDirectory(filepath.Dir(l.src.File))
	l.setProxy(e, &c)
	if l.src.CheckFiles {
		if _, err := promconfig.NewTLSConfig(&c.TLSConfig); err != nil {
			l.problem(e.line, "%s.tls_config: %w", e.path, err)
		}
	}
	*dst = c
}

// setProxy completes the proxy of a client: it is the environment's unless the file
// says something else, and that of the OAuth 2 server is the client's.
func (l *loader) setProxy(e entry, c *promconfig.HTTPClientConfig) {
	s := l.newSection(e.path, e.line, e.value)
	l.checkProxyURL(s, c.ProxyURL)
	if c.ProxyURL.URL == nil && !s.has("proxy_from_environment") {
		c.ProxyFromEnvironment = true
	}
	if c.OAuth2 == nil {
		return
	}
	oauth2 := s.section("oauth2")
	l.checkProxyURL(oauth2, c.OAuth2.ProxyURL)
	if c.OAuth2.ProxyURL.URL == nil && !oauth2.has("proxy_from_environment") {
		c.OAuth2.ProxyConfig = c.ProxyConfig
	}
}

var errProxyScheme = errors.New("must begin with http://, https:// or socks5://")

func (l *loader) checkProxyURL(s *section, u promconfig.URL) {
	if u.URL == nil || slices.Contains(proxySchemes, u.Scheme) {
		return
	}
	e, _ := s.take("proxy_url")
	l.problem(e.line, "%s: %w", e.path, errProxyScheme)
}

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// checkProxyEnvironment reports a proxy in the environment that cannot be used. It is
// not repeated, as it may have a password.
func (l *loader) checkProxyEnvironment() {
	for _, names := range [][]string{{"http_proxy", "HTTP_PROXY"}, {"https_proxy", "HTTPS_PROXY"}} {
		for _, name := range names {
			text := os.Getenv(name)
			if text == "" {
				continue
			}
			if !usableProxy(text) {
				l.errs.add(name, 0, errProxyForm)
			}
			break // the others are not looked at
		}
	}
}

var errProxyForm = errors.New("is not the URL of a proxy such as http://proxy.example.com:3128: correct or unset it, or set proxy_from_environment: false")

// usableProxy reports whether a proxy of the environment can be used. It may lack its
// scheme.
func usableProxy(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		if u, err = url.Parse("http://" + text); err != nil {
			return false
		}
	}
	return slices.Contains(proxySchemes, u.Scheme) && validHost(u.Hostname())
}

// usesProxyEnvironment reports whether a connection of the network may go through a
// proxy of the environment.
func (n Network) usesProxyEnvironment() bool {
	if n.Mirror == nil {
		return n.Consensus.UseProxy
	}
	return n.Mirror.HTTPClient.ProxyFromEnvironment || slices.ContainsFunc(n.Mirror.Others, func(other OtherMirror) bool {
		return other.HTTPClient.ProxyFromEnvironment
	})
}

// Proxy says which proxy the connections of the network go through, other than those
// to other mirrors.
func (n Network) Proxy() promconfig.ProxyConfig {
	if n.Mirror == nil {
		return promconfig.ProxyConfig{ProxyFromEnvironment: true}
	}
	return n.Mirror.HTTPClient.ProxyConfig
}

// parseFileName accepts the name of a file that can be read.
func (l *loader) parseFileName(name string) (string, error) {
	if name == "" {
		return "", errors.New("must be the name of a file")
	}
	if _, err := readFile(l.path(name), maxConfigBytes); err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	return name, nil
}

// validated is a type of prometheus/common that checks itself when decoded.
type validated interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

var (
	secretType      = reflect.TypeFor[promconfig.Secret]()
	secretsType     = reflect.TypeFor[[]promconfig.Secret]()
	proxyHeaderType = reflect.TypeFor[promconfig.ProxyHeader]()
	urlType         = reflect.TypeFor[promconfig.URL]()
	claimsType      = reflect.TypeFor[map[string]any]()
)

// checkType reports what does not fit the type, and says whether all does.
func (l *loader) checkType(e entry, t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	before := len(l.errs.Problems)
	l.checkShape(e, t)
	return len(l.errs.Problems) == before && l.validate(e, t)
}

func (l *loader) checkShape(e entry, t reflect.Type) {
	switch {
	case t == proxyHeaderType:
		l.problem(e.line, "%s: may hold secrets and cannot be read from a file, so it is not supported", e.path)
	case t == urlType, t.Kind() == reflect.String && strings.HasSuffix(e.key, "_url"):
		parseEntry(l, e, parseURL)
	case t.Kind() == reflect.Struct:
		l.checkStruct(e, t)
	case t == claimsType:
		l.newSection(e.path, e.line, e.value)
	case t.Kind() == reflect.Map:
		l.checkMap(e, t.Elem())
	case t.Kind() == reflect.Slice:
		l.checkSlice(e, t.Elem())
	case t.Kind() == reflect.Bool:
		parseEntry(l, e, parseBool)
	case l.src.CheckFiles && (strings.HasSuffix(e.key, "_file") || e.key == "files"):
		parseEntry(l, e, l.parseFileName)
	default:
		parseEntry(l, e, func(text string) (string, error) { return text, nil })
	}
}

// validate lets a type check itself once its parts are in order.
func (l *loader) validate(e entry, t reflect.Type) bool {
	v, ok := reflect.New(t).Interface().(validated)
	if !ok || e.null() {
		return true
	}
	if err := e.value.Decode(v); err != nil {
		l.problem(e.line, "%s: %w", e.path, err)
		return false
	}
	return true
}

func (l *loader) checkStruct(e entry, t reflect.Type) {
	fields := map[string]reflect.Type{}
	other := yamlFields(t, fields)
	s := l.newSection(e.path, e.line, e.value)
	for name := range fields {
		s.asked = append(s.asked, name)
	}
	for _, field := range s.entries {
		ft, known := fields[field.key]
		if !known && other != nil {
			s.asked = append(s.asked, field.key)
			ft, known = other, true
		}
		if !known {
			continue
		}
		if err := checkSecret(field.key, ft); err != nil {
			l.problem(field.line, "%s: %w", field.path, err)
			continue
		}
		l.checkType(field, ft)
	}
	s.done()
}

func (l *loader) checkMap(e entry, elem reflect.Type) {
	for _, value := range l.newSection(e.path, e.line, e.value).all() {
		value.key = ""
		l.checkType(value, elem)
	}
}

func (l *loader) checkSlice(e entry, elem reflect.Type) {
	if e.null() {
		return
	}
	for _, value := range l.elements(e) {
		value.key = e.key
		l.checkType(value, elem)
	}
}

// yamlFields adds the keys of a struct type to fields. It returns the type of
// the values of all other keys, nil when there may be none.
func yamlFields(t reflect.Type, fields map[string]reflect.Type) reflect.Type {
	var other reflect.Type
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch inline := strings.Contains(options, "inline"); {
		case inline && f.Type.Kind() == reflect.Map:
			other = f.Type.Elem()
		case inline:
			other = yamlFields(f.Type, fields)
		case name != "":
			fields[name] = f.Type
		}
	}
	return other
}

// checkSecret rejects keys that hold a secret, or that refer to a secret
// manager, which the exporter does not have.
func checkSecret(key string, t reflect.Type) error {
	switch {
	case t == secretType:
		return fmt.Errorf("a secret must not be in the configuration file; use %s_file", key)
	case t == secretsType:
		return errors.New("secrets must not be in the configuration file; use files")
	case strings.HasSuffix(key, "_ref"):
		return fmt.Errorf("there is no secret manager to refer to; use %s_file", strings.TrimSuffix(key, "_ref"))
	}
	return nil
}
