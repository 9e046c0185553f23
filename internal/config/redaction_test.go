// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"go.yaml.in/yaml/v3"
)

// TestOperatorKeys verifies that the keys of earlier versions are refused, and
// what is in their place not shown.
func TestOperatorKeys(t *testing.T) {
	for _, key := range []string{"operator_id", "operator_key", "operator_key_file"} {
		_, err := loadText(t, "networks:\n  mainnet:\n    "+key+": hunter2\n", Source{})
		if want := "config.yml:3: networks.mainnet." + key + ": the operator is one of the canary; move the key below canary, or remove it"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestOperatorEnvironment has variables of other programs.
func TestOperatorEnvironment(t *testing.T) {
	t.Setenv("OPERATOR_ID", "hunter2")
	t.Setenv("OPERATOR_KEY", "")
	mustLoad(t, "networks: {mainnet: {}}\n", Source{})
}

// TestRedaction shows a configuration in every way there is and looks for the
// secrets in it.
func TestRedaction(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "url", "https://mirror.example.com/hunter2/")
	write(t, "config.yml", `networks:
  mainnet:
    mirror:
      url_file: url
      java_url: https://mirror.example.com/hunter2/java
      web3: true
      web3_url: https://mirror.example.com/hunter2/web3
      others:
        - name: backup
          url: https://other.example.com/hunter2
          http_client: {http_headers: {X-Tenant: {values: [hunter2]}}}
      http_client:
        http_headers: {X-Tenant: {values: [hunter2]}}
        oauth2:
          client_id: me
          client_secret_file: secret
          token_url: https://login.example.com
          endpoint_params: {password: hunter2}
          claims: {sub: hunter2}
`)
	cfg, err := Load(Source{File: "config.yml"})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Networks[0].Mirror.URL.String(); !strings.Contains(got, "hunter2") {
		t.Fatalf("the mirror's URL is %s, without what the test looks for", got)
	}
	shown := map[string]string{"String": cfg.String()}
	network := cfg.Networks[0]
	for name, value := range map[string]any{
		"Config": *cfg, "*Config": cfg, "Network": network, "*Network": &network,
		"Mirror": *network.Mirror, "*Mirror": network.Mirror,
		"OtherMirror": network.Mirror.Others[0], "OtherMirrors": network.Mirror.Others,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			shown[name+" "+verb] = fmt.Sprintf(verb, value)
		}
		shown[name+" JSON"] = toJSON(t, value)
		shown[name+" YAML"] = toYAML(t, value)
		shown[name+" slog"] = toSlog(value)
		shown[name+" go-kit/log"] = toGoKitLog(value)
	}
	secrets := []string{
		"hunter2", hex.EncodeToString([]byte("hunter2")), fmt.Sprintf("%d", []byte("hunter2")[1:6]),
	}
	for how, text := range shown {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(strings.Trim(secret, "[]"))) {
				t.Errorf("%s shows a secret:\n%s", how, text)
			}
		}
	}
	for _, want := range []string{"url: https://mirror.example.com/<redacted>\n", "web3_url: https://mirror.example.com/<redacted>\n", "url: https://other.example.com/<redacted>\n"} {
		if !strings.Contains(shown["String"], want) {
			t.Errorf("String lacks %q:\n%s", want, shown["String"])
		}
	}
}

// TestRedactedForms verifies that the redaction does not rest on how the SDK
// and net/url happen to be built.
func TestRedactedForms(t *testing.T) {
	mirror := Mirror{URL: &url.URL{Scheme: "https", Host: "mirror.example.com", Path: "/hunter2"}}
	for want, values := range map[string][]any{
		"https://mirror.example.com/<redacted>": {mirror, &mirror},
	} {
		for _, value := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				if got := fmt.Sprintf(verb, value); got != want {
					t.Errorf("%s of %T: got %s, want %s", verb, value, got, want)
				}
			}
			var unquoted string
			if err := json.Unmarshal([]byte(toJSON(t, value)), &unquoted); err != nil || unquoted != want {
				t.Errorf("JSON of %T: got %q, %v; want %s", value, unquoted, err, want)
			}
		}
	}
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func toYAML(t *testing.T, value any) string {
	t.Helper()
	out, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func toSlog(value any) string {
	var text, json bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("", "value", value)
	slog.New(slog.NewJSONHandler(&json, nil)).Info("", "value", value)
	return text.String() + json.String()
}

func toGoKitLog(value any) string {
	var text, json bytes.Buffer
	_ = log.NewLogfmtLogger(&text).Log("value", value)
	_ = log.NewJSONLogger(&json).Log("value", value)
	return text.String() + json.String()
}

// TestErrorsKeepSecrets makes every mistake around a secret that quotes values.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, text := range []string{
		"*hunter2\n",
		"networks: {mainnet: {mirror: {url: *hunter2}}}\n",
		"networks: {mainnet: {mirror: {url: 'https://me:hunter2@h'}}}\n",
		"networks: {mainnet: {mirror: {url: 'https://me:hunter2'}}}\n",
		"networks: {mainnet: {mirror: {url: 'https://h h/hunter2'}}}\n",
		"networks: {mainnet: {mirror: {url: 'https://h/%hunter2'}}}\n",
		"networks: {mainnet: {mirror: {url: 'https://h/hunter2?x'}}}\n",
		"networks: {mainnet: {mirror: {url_file: hunter2}}}\n",
		httpClientFile("        basic_auth: hunter2\n"),
		httpClientFile("        basic_auth: {username: [hunter2]}\n"),
		httpClientFile("        basic_auth: {password: hunter2}\n"),
		httpClientFile("        bearer_token: hunter2\n"),
		httpClientFile("        bearer_token: [hunter2]\n"),
		httpClientFile("        proxy_url: 'http://me:hunter2'\n"),
		httpClientFile("        proxy_url: 'http://me:hunter2@%zz'\n"),
		httpClientFile("        http_headers: {X: {secrets: hunter2}}\n"),
		httpClientFile("        http_headers: {X: hunter2}\n"),
	} {
		_, err := loadText(t, text, Source{})
		if err == nil {
			t.Errorf("no error for\n%s", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

// TestSDKIsSilent verifies that checking a checksum logs nothing, whatever the
// environment tells the SDK.
func TestSDKIsSilent(t *testing.T) {
	t.Setenv("HEDERA_SDK_GO_LOG_LEVEL", "TRACE")
	stdout := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = w
	_, loadErr := loadText(t, "", Source{Accounts: []string{"0.0.123-vfmkw"}})
	os.Stdout = stdout
	_ = w.Close()
	out, err := io.ReadAll(r)
	if err != nil || loadErr != nil || len(out) > 0 {
		t.Errorf("Load: %v, wrote %q, %v", loadErr, out, err)
	}
}
