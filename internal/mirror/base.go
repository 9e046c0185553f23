// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// minSecretSegment is the length from which a segment of the base URL's path
// is taken for an API key, as hosted mirrors put it there, and hidden wherever
// it appears on its own.
const minSecretSegment = 8

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

// newScrubber hides what a mirror may echo of the URL that it was asked.
func newScrubber(u *url.URL) *strings.Replacer {
	var secrets []string
	if password, ok := u.User.Password(); ok && password != "" {
		secrets = append(secrets, password)
	}
	if name := u.User.Username(); name != "" {
		secrets = append(secrets, name)
	}
	for _, path := range []string{u.Path, u.EscapedPath()} {
		if prefix := strings.TrimRight(path, "/"); prefix != "" {
			secrets = append(secrets, prefix)
		}
		for segment := range strings.SplitSeq(path, "/") {
			if len(segment) >= minSecretSegment {
				secrets = append(secrets, segment)
			}
		}
	}
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		pairs = append(pairs, s, "<hidden>")
	}
	return strings.NewReplacer(pairs...)
}
