// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
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
			_, err := load(t, httpClientFile(tc.text), Source{})
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
	}
	if got := cfg.Networks[1].Mirror.HTTPClient; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
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
