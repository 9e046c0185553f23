// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
)

func writeSecret(t *testing.T, secret string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCredentials has a mirror that requires credentials of every kind and
// quotes what it was asked back.
func TestCredentials(t *testing.T) {
	const bearer, apiKey, pathKey = "bearer-secret", "header-secret", "path-secret"
	echo := func(r *http.Request) string {
		return fmt.Sprintf("cannot GET %s", r.URL)
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		wantErr string
	}{
		{"ok", serveAccounts(100), ""},
		{"401", func(w http.ResponseWriter, r *http.Request) {
			answer(401, fmt.Sprintf(`{"_status":{"messages":[{"message":"%s %v"}]}}`, echo(r), r.Header))(w, r)
		}, "401"},
		{"403", func(w http.ResponseWriter, r *http.Request) { answer(403, fmt.Sprint(echo(r), r.Header))(w, r) }, "403"},
		{"404", func(w http.ResponseWriter, r *http.Request) { answer(404, echo(r))(w, r) }, "404 Not Found: cannot GET"},
		{"429", func(w http.ResponseWriter, r *http.Request) { answer(429, echo(r))(w, r) }, "429"},
		{"garbage", func(w http.ResponseWriter, r *http.Request) { answer(200, echo(r))(w, r) }, "not JSON"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example"+r.URL.String(), http.StatusFound)
		}, "redirect to https://other.example not followed"},
		{"next link", func(w http.ResponseWriter, r *http.Request) {
			answer(200, accountsBody("https://other.example"+r.URL.String()))(w, r)
		}, "it has neither their rows nor its end"},
		{"reset", reset, "reset"},
		{"hang", hang, "no answer"},
		{"truncated", truncated, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Authorization"); got != "Bearer "+bearer {
					t.Errorf("Authorization is %q", got)
				}
				if got := r.Header.Get("X-Api-Key"); got != apiKey {
					t.Errorf("X-API-Key is %q", got)
				}
				if !strings.HasPrefix(r.URL.Path, "/v1/"+pathKey+"/api/v1/") {
					t.Errorf("path is %q", r.URL.Path)
				}
				tt.handler(w, r)
			})
			c, _, _ := newTestClient(t, srv.URL+"/v1/"+pathKey, func(o *Options) {
				o.Timeout = time.Second
				o.HTTPClient.FollowRedirects = true
				o.HTTPClient.Authorization = &promconfig.Authorization{Type: "Bearer", CredentialsFile: writeSecret(t, bearer)}
				o.HTTPClient.HTTPHeaders = &promconfig.Headers{Headers: map[string]promconfig.Header{"X-API-Key": {Files: []string{writeSecret(t, apiKey)}}}}
			})
			if tt.name == "hang" {
				c.timeout = 20 * time.Millisecond
			}
			err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
			if tt.wantErr == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, tt.wantErr, "mirror "+srv.URL+": GET /api/v1/accounts")
			for _, secret := range []string{bearer, apiKey, pathKey} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q is in error %q", secret, err)
				}
			}
		})
	}
}

func TestUserinfo(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "operator" || password != "user-secret" {
			t.Errorf("basic auth is %q, %q", user, password)
		}
		if slices.Contains(r.URL.Query()["account.id"], "0.0.1099") {
			answer(400, fmt.Sprintf("%s:%s is out of luck", user, password))(w, r)
			return
		}
		serveAccounts(40)(w, r)
	})
	c, _, _ := newTestClient(t, strings.Replace(srv.URL, "http://", "http://operator:user-secret@", 1))
	if err := c.Accounts(t.Context(), accountIDs(90)).Err(); err != nil {
		t.Fatal(err)
	}
	if srv.requests.Load() != 3 {
		t.Errorf("%d requests, want 3 pages", srv.requests.Load())
	}
	err := c.Accounts(t.Context(), accountIDs(100)).Err()
	wantError(t, err, "mirror "+srv.URL+": ", "400 Bad Request: <hidden> is out of luck")
}

func TestPathPrefixIsHidden(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		answer(404, "no route "+r.URL.Path)(w, r)
	})
	c, _, _ := newTestClient(t, srv.URL+"/k3y/")
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "404 Not Found: no route <hidden>/api/v1/accounts")
}

func TestMissingSecretFile(t *testing.T) {
	srv := newServer(t, serveAccounts(100))
	c, _, _ := newTestClient(t, srv.URL, func(o *Options) {
		o.HTTPClient.Authorization = &promconfig.Authorization{Type: "Bearer", CredentialsFile: "/does/not/exist"}
	})
	err := c.Accounts(t.Context(), []string{"0.0.2"}).Err()
	wantError(t, err, "/does/not/exist")
	if srv.requests.Load() != 0 {
		t.Error("a request was sent without credentials")
	}
}
