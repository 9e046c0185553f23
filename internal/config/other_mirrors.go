// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	promconfig "github.com/prometheus/common/config"
)

// maxOtherMirrors bounds the mirrors that a network's own is compared with: each
// is asked in every scrape.
const maxOtherMirrors = 5

// OtherMirror is a mirror of the same network that only its latest block is read
// of. Formatting or marshalling it shows its address without the path, as for
// [Mirror].
type OtherMirror struct {
	// Name is unique among the others of a network.
	Name string
	// URL is the base URL, as of Mirror.
	URL        *url.URL
	HTTPClient promconfig.HTTPClientConfig
}

// String shows the mirror's address without the path.
func (m OtherMirror) String() string { return redactURL(m.URL) }

// Format keeps the path of the URL out of every verb of package fmt.
func (m OtherMirror) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, m.String()) }

// MarshalText keeps the path of the URL out of JSON and logs.
func (m OtherMirror) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// MarshalYAML implements [yaml.Marshaler], redacted as for Mirror.
func (m OtherMirror) MarshalYAML() (any, error) {
	return struct {
		Name       string `yaml:"name"`
		URL        string `yaml:"url"`
		HTTPClient any    `yaml:"http_client,omitempty"`
	}{m.Name, redactURL(m.URL), shownHTTPClient(m.HTTPClient)}, nil
}

// otherMirrors reads the others of a mirror from its section.
func (l *loader) otherMirrors(s *section, m *Mirror) []OtherMirror {
	list, _ := s.take("others")
	elements := s.list("others")
	if len(elements) > maxOtherMirrors {
		l.problem(list.line, "%s: has %d mirrors, %d are allowed: each is asked in every scrape", list.path, len(elements), maxOtherMirrors)
		return nil
	}
	names, urls := map[string]place{}, map[string]place{}
	var others []OtherMirror
	for _, e := range elements {
		others = append(others, l.otherMirror(l.newSection(e.path, e.line, e.value), m.URL, names, urls))
	}
	return others
}

func (l *loader) otherMirror(s *section, own *url.URL, names, urls map[string]place) OtherMirror {
	defer s.done()
	m := OtherMirror{HTTPClient: defaultHTTPClient()}
	line := required(s, "name", &m.Name, parseLabelValue)
	once(s, "name", line, m.Name, names)
	before := len(l.errs.Problems)
	line = l.baseURL(s, &m.URL)
	switch {
	case line > 0 && sameURL(m.URL, own):
		l.problem(line, "%s: is the mirror that it is to be compared with; give another one's url", s.path)
	case line > 0:
		l.onceURL(s, line, m.URL, urls)
	case len(l.errs.Problems) == before:
		s.missing("url")
	}
	l.httpClient(s, &m.HTTPClient)
	return m
}

// onceURL reports a URL that is in the list already. It does not repeat it, as
// its path may be a secret.
func (l *loader) onceURL(s *section, line int, u *url.URL, places map[string]place) {
	key := urlKey(u)
	if place, ok := places[key]; ok {
		l.problem(line, "%s: the mirror is already at %s", s.path, place)
		return
	}
	places[key] = l.at(line)
}

func sameURL(a, b *url.URL) bool { return a != nil && b != nil && urlKey(a) == urlKey(b) }

func urlKey(u *url.URL) string {
	return strings.ToLower(u.Scheme+"://"+u.Host) + u.EscapedPath()
}
