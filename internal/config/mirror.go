// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// Mirror says how to reach a mirror node. Formatting or marshalling it shows
// its address without the path, which is where paid mirrors have the API key.
type Mirror struct {
	// URL is the base URL, without /api/v1 and without a trailing slash.
	URL *url.URL `yaml:"-"`
	// JavaURL is the base URL of the Java module if it differs from URL
	// (docs/hedera.md 1.0), else nil.
	JavaURL *url.URL `yaml:"-"`
	// Web3 is whether the mirror's EVM is watched.
	Web3 bool `yaml:"web3"`
	// Web3URL is the base URL of the Web3 module if it differs from URL
	// (docs/hedera.md 1.4), else nil. It is only set together with Web3.
	Web3URL *url.URL `yaml:"-"`
	// GRPCAddress is zero for a mirror without gRPC.
	GRPCAddress HostPort `yaml:"grpc_address"`
	GRPCTLS     bool     `yaml:"grpc_tls"`
	// RateLimit is in requests per second; 0 is unlimited.
	RateLimit float64 `yaml:"rate_limit"`
	// MaxConcurrency is the maximum number of requests in flight.
	MaxConcurrency int `yaml:"max_concurrency"`
	// Timeout bounds one request.
	Timeout    model.Duration              `yaml:"timeout"`
	HTTPClient promconfig.HTTPClientConfig `yaml:"-"`
	// Others are mirrors of the same network to compare this one with.
	Others []OtherMirror `yaml:"others,omitempty"`
}

// String shows the mirror's address without the path.
func (m Mirror) String() string {
	return redactURL(m.URL)
}

// Format keeps the path of the URL out of every verb of package fmt.
func (m Mirror) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, m.String())
}

// MarshalText keeps the path of the URL out of JSON and logs.
func (m Mirror) MarshalText() ([]byte, error) {
	return []byte(m.String()), nil
}

// MarshalYAML implements [yaml.Marshaler]. It redacts the paths of the URLs and
// the secrets of the HTTP client, which it leaves out if it has its defaults.
func (m Mirror) MarshalYAML() (any, error) {
	type plain Mirror // without this method
	shown := struct {
		URL        string `yaml:"url"`
		JavaURL    string `yaml:"java_url,omitempty"`
		Web3URL    string `yaml:"web3_url,omitempty"`
		plain      `yaml:",inline"`
		HTTPClient any `yaml:"http_client,omitempty"`
	}{URL: redactURL(m.URL), JavaURL: redactURL(m.JavaURL), Web3URL: redactURL(m.Web3URL), plain: plain(m)}
	shown.HTTPClient = shownHTTPClient(m.HTTPClient)
	return shown, nil
}

const httpsPort = 443

// presetMirror has the hosts and the gRPC port of docs/hedera.md 1.0.
func presetMirror(network string) *Mirror {
	m := &Mirror{
		HTTPClient:     defaultHTTPClient(),
		MaxConcurrency: 4,
		Timeout:        model.Duration(5 * time.Second),
	}
	if slices.Contains(presetNames, network) {
		host := network + ".mirrornode.hedera.com"
		m.URL = &url.URL{Scheme: "https", Host: host}
		m.GRPCAddress = HostPort{Host: host, Port: httpsPort}
	}
	return m
}

// mirror reads the mirror of network n from its section.
func (l *loader) mirror(n Network, network *section) *Mirror {
	s := network.section("mirror")
	defer s.done()
	m := presetMirror(n.Name)
	if m.URL == nil && len(s.entries) == 0 && n.BalanceSource == BalanceSourceConsensus && len(n.Consensus.Nodes) > 0 {
		return nil
	}
	if m.URL == nil && len(s.entries) == 0 && n.BalanceSource == BalanceSourceConsensus && !s.broken {
		l.problem(network.line, "%s.consensus.nodes: is required with balance_source: consensus, unless the network has a mirror", network.path)
		return nil
	}
	l.mirrorAddresses(s, m, n.Name)
	if read(s, "rate_limit", &m.RateLimit, parseRate) == 0 {
		m.RateLimit = defaultRateLimit(m.URL, m.JavaURL)
	}
	read(s, "max_concurrency", &m.MaxConcurrency, parseCount)
	read(s, "timeout", &m.Timeout, parsePositiveDuration)
	l.httpClient(s, &m.HTTPClient)
	m.Others = l.otherMirrors(s, m)
	return m
}

func (l *loader) mirrorAddresses(s *section, m *Mirror, network string) {
	before := len(l.errs.Problems)
	l.baseURL(s, &m.URL)
	if m.URL == nil && len(l.errs.Problems) == before {
		l.problem(s.line, "%s.url: is required, %q is not a preset%s", s.path, network, suggest(network, presetNames))
	}
	if m.URL != nil && !isPublic(m.URL) {
		m.GRPCAddress = HostPort{} // the preset's is another mirror's
	}
	read(s, "java_url", &m.JavaURL, parseBaseURL)
	read(s, "web3", &m.Web3, parseBool)
	if line := read(s, "web3_url", &m.Web3URL, parseBaseURL); line > 0 && !m.Web3 {
		l.problem(line, "%s.web3_url: needs web3: true, without which the Web3 module is not watched", s.path)
	}
	read(s, "grpc_address", &m.GRPCAddress, parseOptionalHostPort)
	m.GRPCTLS = m.GRPCAddress.Port == httpsPort
	read(s, "grpc_tls", &m.GRPCTLS, parseBool)
}

// baseURL reads url or url_file. It returns the line, 0 when there is no usable
// value.
func (l *loader) baseURL(s *section, dst **url.URL) int {
	fromURL := read(s, "url", dst, parseBaseURL)
	fromFile := read(s, "url_file", dst, l.parseURLFile)
	if fromURL > 0 && fromFile > 0 {
		l.problem(fromFile, "%s.url_file: excludes url, on line %d; remove one of them", s.path, fromURL)
	}
	return max(fromURL, fromFile)
}

// parseURLFile reads a base URL from a file: it may contain an API key.
func (l *loader) parseURLFile(name string) (*url.URL, error) {
	text, err := l.readSecret(name)
	if err != nil {
		return nil, err
	}
	u, err := parseBaseURL(text)
	if err != nil {
		return nil, fmt.Errorf("the content of the file %w", err)
	}
	return u, nil
}

// readSecret returns the content of a file without the white space around it.
// Its errors leave out the name, which may be the secret by mistake.
func (l *loader) readSecret(name string) (string, error) {
	if name == "" {
		return "", errors.New("must be the name of a file")
	}
	content, err := readFile(l.path(name), maxSecretBytes)
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

func parseOptionalHostPort(text string) (HostPort, error) {
	if text == "" {
		return HostPort{}, nil
	}
	return parseHostPort(text)
}

func defaultRateLimit(urls ...*url.URL) float64 {
	for _, u := range urls {
		if u != nil && isPublic(u) {
			return publicRateLimit
		}
	}
	return 0
}

func isPublic(u *url.URL) bool { return slices.Contains(publicHosts, strings.ToLower(u.Hostname())) }
