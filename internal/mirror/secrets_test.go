// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
		{"truncated below a member", answer(200, `{"`+bearer+`":{"`+apiKey+`":[{"`+pathKey+`":`), "truncated response: unexpected EOF"},
		{"bad escape", answer(200, `{"accounts":[{"account":"\ux`+bearer+`"}]}`), "not JSON"},
		{"wrong type below a member", answer(200, `{"links":{"next":{"`+bearer+`":1}},"accounts":[]}`), "not of the right type"},
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

// TestQuotedCredentials has a mirror that answers with every header that it was
// sent and with its own URL, in several encodings.
func TestQuotedCredentials(t *testing.T) {
	const secret = "s3cr3t/with+\"odd\" characters"
	token := newServer(t, withHeader("Content-Type", "application/json", answer(200, `{"access_token":"given-access-token","token_type":"bearer","expires_in":3600}`)))
	configs := map[string]func(*Options){
		"credentials_file": func(o *Options) {
			o.HTTPClient.Authorization = &promconfig.Authorization{Type: "Bearer", CredentialsFile: writeSecret(t, secret)}
		},
		"credentials": func(o *Options) {
			o.HTTPClient.Authorization = &promconfig.Authorization{Type: "Token", Credentials: secret}
		},
		"bearer_token": func(o *Options) { o.HTTPClient.BearerToken = secret },
		"basic_auth": func(o *Options) {
			o.HTTPClient.BasicAuth = &promconfig.BasicAuth{Username: "operator-7", Password: secret}
		},
		"basic_auth files": func(o *Options) {
			o.HTTPClient.BasicAuth = &promconfig.BasicAuth{UsernameFile: writeSecret(t, "operator-7"), PasswordFile: writeSecret(t, secret)}
		},
		"http_headers": func(o *Options) {
			o.HTTPClient.HTTPHeaders = &promconfig.Headers{Headers: map[string]promconfig.Header{
				"X-Api-Key": {Files: []string{writeSecret(t, secret)}}, "X-Value": {Values: []string{secret}}, "X-Secret": {Secrets: []promconfig.Secret{secret}},
			}}
		},
		"oauth2": func(o *Options) {
			o.HTTPClient.OAuth2 = &promconfig.OAuth2{ClientID: "id", ClientSecret: secret, TokenURL: token.URL}
		},
		"userinfo": func(o *Options) { o.URL.User = url.UserPassword("operator-7", secret) },
		"path":     func(o *Options) { o.URL.Path = "/" + "path-secret" },
	}
	for name, configure := range configs {
		t.Run(name, func(t *testing.T) {
			var quoted, status atomic.Int64
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				var said []string
				for _, values := range r.Header {
					said = append(said, values...)
				}
				user, password, _ := r.BasicAuth()
				said = append(said, user, password, r.URL.Path)
				for _, text := range slices.Clone(said) {
					said = append(said, url.QueryEscape(text), url.PathEscape(text), base64.StdEncoding.EncodeToString([]byte(text)))
				}
				if r.Header.Get("Authorization") != "" || r.Header.Get("X-Api-Key") != "" || strings.Contains(r.URL.Path, "path-secret") {
					quoted.Add(1)
				}
				text, _ := json.Marshal(said)
				switch code := int(status.Load()); code {
				case 200:
					_, _ = fmt.Fprintf(w, `{"accounts":[{"account":"0.0.2","balance":%s,"memo":%s},{"account":%s}]}`, text, text, text)
				case 302:
					w.Header().Set("Location", "http://host.example/"+url.PathEscape(string(text)))
					w.WriteHeader(code)
				default:
					answer(code, string(text))(w, r)
				}
			})
			c, _, rec := newTestClient(t, srv.URL, configure)
			c.maxAttempts = 1
			for _, code := range []int64{200, 302, 400, 404, 407, 418, 429, 500, 503} {
				status.Store(code)
				var texts []string
				if err := c.Accounts(t.Context(), []string{"0.0.2", "0.0.3"}).Err(); err != nil {
					texts = append(texts, err.Error())
				} else if code != 200 {
					t.Errorf("%d is no error", code)
				}
				texts = append(texts, rec.failures...)
				for _, text := range texts {
					for _, hidden := range []string{secret, "s3cr3t", "given-access-token", "operator-7", "path-secret", base64.StdEncoding.EncodeToString([]byte(secret))} {
						if strings.Contains(text, hidden) {
							t.Errorf("%d: %q is in %q", code, hidden, text)
						}
					}
					if len(text) > 1000 {
						t.Errorf("%d: %d bytes of text", code, len(text))
					}
				}
				c.limiter.until = time.Time{}
			}
			if quoted.Load() == 0 {
				t.Error("no credential was sent")
			}
			if len(rec.failures) == 0 {
				t.Error("no failure was observed")
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

func TestHide(t *testing.T) {
	s := secrets{texts: []string{"d", "h", "", "api-key-1", "api-key-10"}}
	tests := []struct{ in, want string }{
		{"", ""},
		{"x=api-key-1,y=api-key-10", "x=<hidden>,y=<hidden>"},
		{"d", "<hidden>"},
		{"in the middle: api-ke", "in t<hidden>e mi<hidden><hidden>le: <hidden>"},
		{"sent too", "<hidden> too"},
	}
	for _, tt := range tests {
		if got := s.hide(tt.in, []string{"sent"}); got != tt.want {
			t.Errorf("hide(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
