// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// The functions here read one value each. Their errors repeat the value, except
// for those of URLs, which may hold a password or an API key.

func parseDuration(text string) (model.Duration, error) {
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 5s or 1m30s", text)
	}
	return d, nil
}

func parsePositiveDuration(text string) (model.Duration, error) {
	d, err := parseDuration(text)
	if err == nil && d == 0 {
		return 0, errors.New("must be longer than 0s")
	}
	return d, err
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a whole number of at least 1", text)
	}
	return n, nil
}

func parsePort(text string) (int, error) {
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > math.MaxUint16 {
		return 0, fmt.Errorf("%q is not a port between 1 and 65535", text)
	}
	return port, nil
}

func parseRate(text string) (float64, error) {
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
		return 0, fmt.Errorf("%q is not a number of requests per second, 0 for no limit", text)
	}
	return rate, nil
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

// parseLabel accepts one line of printable text.
func parseLabel(text string) (string, error) {
	if text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", fmt.Errorf("%q is not a line of text", text)
	}
	return text, nil
}

func parseHex(text string) ([]byte, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("%q is not a string of hexadecimal bytes such as \"0x00\"", text)
	}
	return b, nil
}

var hostname = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_.])?$`)

// HostPort is the address of a server.
type HostPort struct {
	Host string
	Port int
}

// String is host:port, empty for the zero value.
func (h HostPort) String() string {
	if h == (HostPort{}) {
		return ""
	}
	return net.JoinHostPort(h.Host, strconv.Itoa(h.Port))
}

// MarshalText implements [encoding.TextMarshaler].
func (h HostPort) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func parseHostPort(text string) (HostPort, error) {
	host, portText, err := net.SplitHostPort(text)
	if err != nil || !validHost(host) {
		return HostPort{}, fmt.Errorf("%q is not of the form host:port", text)
	}
	port, err := parsePort(portText)
	if err != nil {
		return HostPort{}, err
	}
	return HostPort{Host: host, Port: port}, nil
}

func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return hostname.MatchString(host)
}

// parseBaseURL accepts the URL that /api/v1 is appended to.
func parseBaseURL(text string) (*url.URL, error) {
	u, err := parseURL(strings.TrimRight(text, "/"))
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("must begin with http:// or https://")
	}
	if strings.ContainsAny(text, "?#") {
		return nil, errors.New("must have neither a query nor a fragment")
	}
	if strings.HasSuffix(u.Path, "/api/v1") {
		return nil, errors.New("must end before /api/v1, which is added to it")
	}
	return u, nil
}

// parseURL accepts an absolute URL without credentials.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || !validHost(u.Hostname()) {
		return nil, errors.New("is not a URL such as https://mirror.example.com")
	}
	if port := u.Port(); port != "" {
		if _, err := parsePort(port); err != nil {
			return nil, err
		}
	}
	if u.User != nil {
		return nil, errUserinfo
	}
	return u, nil
}

var errUserinfo = errors.New("must not contain a user or password")
