//go:build unix

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
)

// fileKinds are the files of an HTTP client's configuration.
var fileKinds = map[string]func(c *promconfig.HTTPClientConfig, name string){
	"bearer_token_file": func(c *promconfig.HTTPClientConfig, name string) { c.BearerTokenFile = name },
	"username_file": func(c *promconfig.HTTPClientConfig, name string) {
		c.BasicAuth = &promconfig.BasicAuth{UsernameFile: name}
	},
	"password_file": func(c *promconfig.HTTPClientConfig, name string) {
		c.BasicAuth = &promconfig.BasicAuth{PasswordFile: name}
	},
	"credentials_file": func(c *promconfig.HTTPClientConfig, name string) {
		c.Authorization = &promconfig.Authorization{Type: "Bearer", CredentialsFile: name}
	},
	"client_secret_file": func(c *promconfig.HTTPClientConfig, name string) {
		c.OAuth2 = &promconfig.OAuth2{ClientID: "id", ClientSecretFile: name, TokenURL: "http://127.0.0.1:1/"}
	},
	"files of a header": func(c *promconfig.HTTPClientConfig, name string) {
		c.HTTPHeaders = &promconfig.Headers{Headers: map[string]promconfig.Header{"X-API-Key": {Files: []string{name}}}}
	},
	"ca_file": func(c *promconfig.HTTPClientConfig, name string) { c.TLSConfig.CAFile = name },
	"ca_file of oauth2": func(c *promconfig.HTTPClientConfig, name string) {
		c.OAuth2 = &promconfig.OAuth2{ClientID: "id", ClientSecret: "x", TokenURL: "http://127.0.0.1:1/", TLSConfig: promconfig.TLSConfig{CAFile: name}}
	},
	"cert_file": func(c *promconfig.HTTPClientConfig, name string) {
		c.TLSConfig.CertFile, c.TLSConfig.KeyFile = name, name
	},
}

// TestFilesThatCannotBeReadAtOnce has each file of the client be a FIFO, from the
// start and later, and one that is too long. The request or the reload must not
// wait for a writer.
func TestFilesThatCannotBeReadAtOnce(t *testing.T) {
	srv := newServer(t, serveAccounts(100))
	dir := t.TempDir()
	fifo, long := filepath.Join(dir, "fifo"), filepath.Join(dir, "long")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, set := range fileKinds {
		t.Run(kind, func(t *testing.T) {
			for target, want := range map[string]string{fifo: "is not a regular file", long: "more than 1048576 bytes"} {
				var config promconfig.HTTPClientConfig
				set(&config, target)
				err := within(t, fifo, func() error {
					_, err := New(Options{URL: mustParse(t, srv.URL), HTTPClient: config})
					return err
				})
				wantError(t, err, target, want)
			}

			// A link, as Kubernetes has them, that later is to something else.
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(writePEM(t, expiredCertificate(t)), link); err != nil {
				t.Fatal(err)
			}
			c, clk, _ := newTestClient(t, srv.URL, func(o *Options) { set(&o.HTTPClient, link) })
			if err := os.Remove(link); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(fifo, link); err != nil {
				t.Fatal(err)
			}
			err := within(t, fifo, func() error { return c.Accounts(t.Context(), []string{"0.0.2"}).Err() })
			wantError(t, err, link+" is not a regular file")
			if len(clk.sleeps()) > 0 {
				t.Errorf("it was tried again after %v", clk.sleeps())
			}
		})
	}
}

// within fails if f waits for somebody to write to fifo.
func within(t *testing.T, fifo string, f func() error) error {
	t.Helper()
	waits := time.AfterFunc(10*time.Second, func() {
		t.Error("it waits for a writer")
		if writer, err := os.OpenFile(fifo, os.O_RDWR, 0); err == nil {
			_ = writer.Close()
		}
	})
	defer waits.Stop()
	return f()
}

func writePEM(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writeSecret(t, pemOf(certificate)+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}
