// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"testing"

	promconfig "github.com/prometheus/common/config"
)

func httpClientFile(text string) string {
	return "networks:\n  mainnet:\n    mirror:\n      http_client:\n" + text
}

func TestHTTPClientErrors(t *testing.T) {
	const path = ": networks.mainnet.mirror.http_client"
	for _, tc := range []struct {
		name string
		text string
		want string
	}{
		{
			name: "inline secrets",
			text: `        bearer_token: hunter2
        basic_auth: {username: me, password: hunter2}
        authorization: {credentials: hunter2}
        http_headers:
          X-API-Key:
            secrets: [hunter2]
        oauth2:
          client_id: me
          client_secret: hunter2
          client_certificate_key: hunter2
        tls_config: {key: hunter2}
        proxy_connect_header: {X: [hunter2]}
`,
			want: "config.yml:5" + path + `.bearer_token: a secret must not be in the configuration file; use bearer_token_file
config.yml:6` + path + `.basic_auth.password: a secret must not be in the configuration file; use password_file
config.yml:7` + path + `.authorization.credentials: a secret must not be in the configuration file; use credentials_file
config.yml:10` + path + `.http_headers.X-API-Key.secrets: secrets must not be in the configuration file; use files
config.yml:13` + path + `.oauth2.client_secret: a secret must not be in the configuration file; use client_secret_file
config.yml:14` + path + `.oauth2.client_certificate_key: a secret must not be in the configuration file; use client_certificate_key_file
config.yml:15` + path + `.tls_config.key: a secret must not be in the configuration file; use key_file
config.yml:16` + path + `.proxy_connect_header: may hold secrets and cannot be read from a file, so it is not supported`,
		},
		{
			name: "secrets in URLs",
			text: `        proxy_url: http://me:hunter2@proxy.example.com
        oauth2: {client_id: me, token_url: "https://me:hunter2@login.example.com"}
`,
			want: "config.yml:5" + path + `.proxy_url: must not contain a user or password
config.yml:6` + path + `.oauth2.token_url: must not contain a user or password`,
		},
		{
			name: "secret manager",
			text: "        basic_auth: {username: me, password_ref: hunter2}\n",
			want: "config.yml:5" + path + `.basic_auth.password_ref: there is no secret manager to refer to; use password_file`,
		},
		{
			name: "unknown keys at every depth",
			text: `        basic_auht: {}
        basic_auth: {user: me}
        http_headers:
          X-API-Key: {file: [key]}
        oauth2:
          tls_config: {cafile: x}
          client_idd: x
`,
			want: "config.yml:5" + path + `: unknown key "basic_auht", did you mean "basic_auth"?
config.yml:6` + path + `.basic_auth: unknown key "user", known: password, password_file, password_ref, username, username_file, username_ref
config.yml:8` + path + `.http_headers.X-API-Key: unknown key "file", did you mean "files"?
config.yml:10` + path + `.oauth2.tls_config: unknown key "cafile", did you mean "ca_file"?
config.yml:11` + path + `.oauth2: unknown key "client_idd", did you mean "client_id"?`,
		},
		{
			name: "wrong shapes",
			text: `        basic_auth: hunter2
        follow_redirects: sometimes
        http_headers: [hunter2]
        oauth2: {scopes: hunter2, endpoint_params: [hunter2]}
        tls_config: {ca_file: [hunter2], min_version: TLS14}
        proxy_url: "http://me:hunter2"
`,
			want: "config.yml:5" + path + `.basic_auth: must be a mapping, not a single value
config.yml:6` + path + `.follow_redirects: "sometimes" is neither true nor false
config.yml:7` + path + `.http_headers: must be a mapping, not a list
config.yml:8` + path + `.oauth2.scopes: must be a list, not a single value
config.yml:8` + path + `.oauth2.endpoint_params: must be a mapping, not a list
config.yml:9` + path + `.tls_config.ca_file: must be a single value, not a list
config.yml:9` + path + `.tls_config.min_version: unknown TLS version: TLS14
config.yml:10` + path + `.proxy_url: is not a URL such as https://mirror.example.com`,
		},
		{
			name: "proxies",
			text: `        proxy_url: ftp://proxy.example.com
        oauth2: {client_id: me, client_secret_file: secret, token_url: "https://login.example.com", proxy_url: "gopher://proxy.example.com"}
`,
			want: "config.yml:5" + path + `.proxy_url: must begin with http://, https:// or socks5://
config.yml:6` + path + `.oauth2.proxy_url: must begin with http://, https:// or socks5://`,
		},
		{
			name: "not a mapping",
			text: "        - hunter2\n",
			want: "config.yml:5" + path + `: must be a mapping, not a list`,
		},
		{
			name: "contradictions found by prometheus/common",
			text: `        tls_config:
          cert_file: cert.pem
        oauth2: {client_id: me, token_url: "https://login.example.com", no_proxy: localhost}
`,
			want: "config.yml:5" + path + `.tls_config: exactly one of key or key_file must be configured when a client certificate is configured
config.yml:7` + path + `.oauth2: if no_proxy is configured, proxy_url must also be configured`,
		},
		{
			name: "contradictions between parts",
			text: "        basic_auth: {username: me}\n        authorization: {credentials_file: token}\n",
			want: "config.yml:4" + path + `: at most one of basic_auth, oauth2 & authorization must be configured`,
		},
		{
			name: "reserved header",
			text: "        http_headers: {authorization: {files: [token]}}\n",
			want: "config.yml:4" + path + `: setting header "Authorization" is not allowed`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := loadText(t, httpClientFile(tc.text), Source{})
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestHTTPClientPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "etc/config.yml", httpClientFile(`        http_headers: {X-API-Key: {files: [key, /run/key]}}
        authorization: {credentials_file: token}
        tls_config: {ca_file: ca.pem}
        proxy_url: http://proxy.example.com:3128
`))
	cfg, err := Load(Source{File: "etc/config.yml"})
	if err != nil {
		t.Fatal(err)
	}
	c := cfg.Networks[0].Mirror.HTTPClient
	headers := c.HTTPHeaders.Headers["X-API-Key"].Files
	got := []string{headers[0], headers[1], c.Authorization.CredentialsFile, c.TLSConfig.CAFile, c.ProxyURL.String()}
	want := []string{"etc/key", "/run/key", "etc/token", "etc/ca.pem", "http://proxy.example.com:3128"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c.Authorization.Type != "Bearer" || !c.FollowRedirects || !c.EnableHTTP2 {
		t.Errorf("the defaults of prometheus/common are missing: %+v", c)
	}
}

func TestHTTPClientMerge(t *testing.T) {
	cfg := mustLoad(t, `networks:
  mainnet:
    mirror:
      http_client: &client {authorization: {credentials_file: /token}, follow_redirects: false}
  testnet:
    mirror:
      http_client:
        <<: *client
        follow_redirects: true
`, Source{})
	want := promconfig.HTTPClientConfig{
		Authorization:   &promconfig.Authorization{Type: "Bearer", CredentialsFile: "/token"},
		FollowRedirects: true,
		EnableHTTP2:     true,
		ProxyConfig:     promconfig.ProxyConfig{ProxyFromEnvironment: true},
	}
	if got := cfg.Networks[1].Mirror.HTTPClient; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestProxy: the environment's is the default, also of the server of OAuth 2, which
// has that of its client otherwise.
func TestProxy(t *testing.T) {
	const oauth2 = "oauth2: {client_id: me, client_secret_file: secret, token_url: 'https://login.example.com'"
	for name, tc := range map[string]struct {
		text            string
		network, oauth2 string
	}{
		"nothing":             {"{}", "environment", ""},
		"other settings":      {"{follow_redirects: false}", "environment", ""},
		"environment":         {"{proxy_from_environment: true}", "environment", ""},
		"none":                {"{proxy_from_environment: false}", "none", ""},
		"url":                 {"{proxy_url: 'http://p:1'}", "http://p:1", ""},
		"url and no_proxy":    {"{proxy_url: 'socks5://p:1', no_proxy: localhost}", "socks5://p:1 but localhost", ""},
		"OAuth 2":             {"{" + oauth2 + "}}", "environment", "environment"},
		"OAuth 2 by url":      {"{proxy_url: 'http://p:1', " + oauth2 + "}}", "http://p:1", "http://p:1"},
		"OAuth 2 by its own":  {"{proxy_url: 'http://p:1', " + oauth2 + ", proxy_url: 'http://q:1'}}", "http://p:1", "http://q:1"},
		"OAuth 2 without any": {"{proxy_url: 'http://p:1', " + oauth2 + ", proxy_from_environment: false}}", "http://p:1", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := mustLoad(t, "networks:\n  mainnet:\n    mirror:\n      http_client: "+tc.text+"\n", Source{})
			describe := func(p promconfig.ProxyConfig) string {
				switch {
				case p.ProxyFromEnvironment && p.ProxyURL.URL == nil:
					return "environment"
				case p.ProxyURL.URL == nil:
					return "none"
				case p.NoProxy != "":
					return p.ProxyURL.String() + " but " + p.NoProxy
				}
				return p.ProxyURL.String()
			}
			if got := describe(cfg.Networks[0].Proxy()); got != tc.network {
				t.Errorf("the proxy is %s, want %s", got, tc.network)
			}
			if o := cfg.Networks[0].Mirror.HTTPClient.OAuth2; o != nil && describe(o.ProxyConfig) != tc.oauth2 {
				t.Errorf("the proxy of OAuth 2 is %s, want %s", describe(o.ProxyConfig), tc.oauth2)
			}
		})
	}
	if !(Network{}).Proxy().ProxyFromEnvironment {
		t.Error("without a mirror there is no proxy of the environment")
	}
}

// TestProxyOfTheEnvironment verifies that one that cannot be used is an error, and
// is not shown. Go's own programs go without it, and say nothing.
func TestProxyOfTheEnvironment(t *testing.T) {
	const wrong = ": is not the URL of a proxy such as http://proxy.example.com:3128: correct or unset it, or set proxy_from_environment: false"
	const off = "networks: {mainnet: {mirror: {http_client: {proxy_from_environment: false}}}}"
	for name, tc := range map[string]struct {
		variable, value, text, want string
	}{
		"url":             {"HTTPS_PROXY", "http://me:hunter2@proxy.example.com:3128", "", ""},
		"without scheme":  {"https_proxy", "proxy.example.com:3128", "", ""},
		"SOCKS":           {"HTTP_PROXY", "socks5://proxy.example.com", "", ""},
		"no url":          {"HTTPS_PROXY", "http://me:hunter2%zz@proxy.example.com:3128", "", "HTTPS_PROXY" + wrong},
		"other scheme":    {"HTTP_PROXY", "ftp://hunter2@proxy.example.com:3128", "", "HTTP_PROXY" + wrong},
		"without a host":  {"http_proxy", "http://:3128", "", "http_proxy" + wrong},
		"not used":        {"HTTPS_PROXY", "ftp://proxy.example.com:3128", off, ""},
		"used by another": {"HTTPS_PROXY", "ftp://proxy", strings.Replace(off, "}}}}", "}, others: [{name: o, url: 'https://o.example.com'}]}}}", 1), "HTTPS_PROXY" + wrong},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
				t.Setenv(variable, "")
			}
			t.Setenv(tc.variable, tc.value)
			_, err := loadText(t, tc.text, Source{})
			if got := fmt.Sprint(err); got != cmp.Or(tc.want, "<nil>") {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestCheckFiles verifies that a check reads the files that requests need, and
// that a start does not.
func TestCheckFiles(t *testing.T) {
	const path = ": networks.mainnet.mirror.http_client."
	for name, tc := range map[string]struct {
		text string
		want string
	}{
		"missing": {"        http_headers: {X-API-Key: {files: [present, nowhere]}}\n        basic_auth: {username: me, password_file: nowhere}\n        tls_config: {ca_file: nowhere}\n", "config.yml:5" + path + "http_headers.X-API-Key.files[1]: the file cannot be read: no such file or directory\n" +
			"config.yml:6" + path + "basic_auth.password_file: the file cannot be read: no such file or directory\n" +
			"config.yml:7" + path + "tls_config.ca_file: the file cannot be read: no such file or directory"},
		"no certificate": {"        tls_config: {ca_file: present}\n", "config.yml:4" + path + "tls_config: unable to use specified CA cert file present"},
		"directory":      {"        bearer_token_file: .\n", "config.yml:5" + path + "bearer_token_file: the file cannot be read: is not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "present", "hunter2")
			write(t, "config.yml", httpClientFile(tc.text))
			_, err := Load(Source{File: "config.yml", CheckFiles: true})
			if err == nil || err.Error() != tc.want {
				t.Errorf("got\n%v\nwant\n%s", err, tc.want)
			}
			if _, err := Load(Source{File: "config.yml"}); err != nil {
				t.Errorf("the start reads the files: %v", err)
			}
		})
	}
}
