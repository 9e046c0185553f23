// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"maps"
	"net/url"
	"reflect"
	"slices"

	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

const redacted = "<redacted>"

// shownHTTPClient is nil for the default settings.
func shownHTTPClient(c promconfig.HTTPClientConfig) any {
	if reflect.DeepEqual(c, defaultHTTPClient()) {
		return nil
	}
	shown := redactHTTPClient(c)
	if c.ProxyFromEnvironment || c.ProxyURL.URL != nil {
		return shown
	}
	// The type leaves false out, which is not the default here.
	var node yaml.Node
	if err := node.Encode(shown); err != nil || node.Kind != yaml.MappingNode {
		return shown
	}
	node.Content = append(node.Content,
		&yaml.Node{Kind: yaml.ScalarNode, Value: "proxy_from_environment"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "false"})
	return &node
}

// redactHTTPClient returns a copy without what may be a secret. What the type
// knows to be secret is redacted by its own marshalling.
func redactHTTPClient(c promconfig.HTTPClientConfig) *promconfig.HTTPClientConfig {
	if c.HTTPHeaders != nil {
		headers := maps.Clone(c.HTTPHeaders.Headers)
		for name, h := range headers {
			h.Values = redactAll(h.Values)
			headers[name] = h
		}
		c.HTTPHeaders = &promconfig.Headers{Headers: headers}
	}
	if c.OAuth2 != nil {
		oauth := *c.OAuth2
		oauth.EndpointParams, oauth.Claims = maps.Clone(oauth.EndpointParams), maps.Clone(oauth.Claims)
		for name := range oauth.EndpointParams {
			oauth.EndpointParams[name] = redacted
		}
		for name := range oauth.Claims {
			oauth.Claims[name] = redacted
		}
		c.OAuth2 = &oauth
	}
	return &c
}

func redactAll(values []string) []string {
	return slices.Repeat([]string{redacted}, len(values))
}

// redactURL leaves the scheme and the host.
func redactURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	root := u.Scheme + "://" + u.Host
	if u.Path == "" {
		return root
	}
	return root + "/" + redacted
}
