// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
)

// presetMirror has the hosts and the gRPC port of FACTS.md 1.0.
func presetMirror(network string) *Mirror {
	m := &Mirror{
		HTTPClient:     promconfig.DefaultHTTPClientConfig,
		MaxConcurrency: 10,
		Timeout:        5 * time.Second,
	}
	if slices.Contains(presetNames, network) {
		host := network + ".mirrornode.hedera.com"
		m.URL = &url.URL{Scheme: "https", Host: host}
		m.GRPCAddress = net.JoinHostPort(host, "443")
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
	l.mirrorAddresses(s, m, n.Name)
	if read(s, "rate_limit", &m.RateLimit, parseRate) == 0 {
		m.RateLimit = defaultRateLimit(m.URL, m.JavaURL)
	}
	read(s, "max_concurrency", &m.MaxConcurrency, parseCount)
	read(s, "timeout", &m.Timeout, parsePositiveDuration)
	l.httpClient(s, &m.HTTPClient)
	return m
}

func (l *loader) mirrorAddresses(s *section, m *Mirror, network string) {
	before := len(l.errs.Problems)
	fromURL := read(s, "url", &m.URL, parseBaseURL)
	fromFile := read(s, "url_file", &m.URL, l.parseURLFile)
	switch {
	case fromURL > 0 && fromFile > 0:
		l.problem(fromFile, "%s.url_file: excludes url, on line %d; remove one of them", s.path, fromURL)
	case m.URL == nil && len(l.errs.Problems) == before:
		l.problem(s.line, "%s.url: is required, %q is not a preset%s", s.path, network, suggest(network, presetNames))
	}
	read(s, "java_url", &m.JavaURL, parseBaseURL)
	read(s, "grpc_address", &m.GRPCAddress, parseOptionalHostPort)
	_, port, _ := net.SplitHostPort(m.GRPCAddress)
	m.GRPCTLS = port == "443"
	read(s, "grpc_tls", &m.GRPCTLS, parseBool)
}

// parseURLFile reads a base URL from a file, for those with an API key inside.
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
// Its errors leave out the name, which may be the secret itself by mistake.
func (l *loader) readSecret(name string) (string, error) {
	if name == "" {
		return "", errors.New("must be the name of a file")
	}
	content, err := os.ReadFile(l.path(name))
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", cause(err))
	}
	return strings.TrimSpace(string(content)), nil
}

func parseOptionalHostPort(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return parseHostPort(text)
}

func defaultRateLimit(urls ...*url.URL) float64 {
	for _, u := range urls {
		if u != nil && slices.Contains(publicHosts, strings.ToLower(u.Hostname())) {
			return publicRateLimit
		}
	}
	return 0
}
