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
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"go.yaml.in/yaml/v3"
)

func ed25519Key(t *testing.T) hiero.PrivateKey {
	t.Helper()
	key, err := hiero.PrivateKeyGenerateEd25519()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecdsaKey(t *testing.T) hiero.PrivateKey {
	t.Helper()
	key, err := hiero.PrivateKeyGenerateEcdsa()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const operatorFile = "networks:\n  mainnet:\n    operator_id: 0.0.123-vfmkw\n    operator_key_file: key\n  testnet: {}\n"

func TestOperatorFromFile(t *testing.T) {
	ed, ec := ed25519Key(t), ecdsaKey(t)
	for name, tc := range map[string]struct {
		text string
		want hiero.PrivateKey
	}{
		"ED25519 in DER": {ed.StringDer() + "\n", ed},
		"raw ED25519":    {ed.StringRaw(), ed},
		"ECDSA in DER":   {ec.StringDer(), ec},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "key", tc.text)
			write(t, "config.yml", operatorFile)
			other := env("OPERATOR_ID", "0.0.9", "OPERATOR_KEY", ed25519Key(t).StringDer())
			cfg, err := Load(Source{File: "config.yml", Getenv: other})
			if err != nil {
				t.Fatal(err)
			}
			o := cfg.Networks[0].Operator
			if o == nil || o.ID != entityID(t, "0.0.123") || o.Key.StringDer() != tc.want.StringDer() {
				t.Errorf("got %v, want 0.0.123 with the key of the file", o)
			}
			if cfg.Networks[1].Operator != nil {
				t.Error("testnet has got an operator")
			}
		})
	}
}

func TestOperatorFromEnv(t *testing.T) {
	key := ed25519Key(t)
	getenv := env("OPERATOR_ID", "0.0.1234", "OPERATOR_KEY", " "+key.StringDer()+"\n")
	for _, n := range mustLoad(t, "networks: {mainnet: {}, testnet: {}}\n", Source{Network: "testnet", Getenv: getenv}).Networks {
		if n.Name == "mainnet" && n.Operator != nil {
			t.Error("the environment applies to a network that is not the flag's")
		}
		if n.Name == "testnet" && (n.Operator == nil || n.Operator.Key.StringDer() != key.StringDer()) {
			t.Errorf("testnet: got %v", n.Operator)
		}
	}
}

func TestOperatorErrors(t *testing.T) {
	key := ed25519Key(t).StringDer()
	const path = ": networks.mainnet.operator_"
	for _, tc := range []struct {
		name    string
		network string
		keyFile string
		getenv  func(string) string
		want    string
	}{
		{
			name:    "key in place of the id",
			network: "{operator_id: " + key + ", operator_key_file: key}",
			keyFile: "0.0.1234",
			want:    "config.yml:1" + path + "id: is not an account id such as 0.0.1234\nconfig.yml:1" + path + "key_file: the file does not hold a private key: expected hex of an ED25519 or ECDSA key in DER, or of a raw ED25519 key",
		},
		{
			name:    "key in place of the file",
			network: "{operator_id: 0.0.1234, operator_key_file: " + key + "}",
			want:    "config.yml:1" + path + "key_file: the file cannot be read: no such file or directory",
		},
		{
			name:    "key in the file",
			network: "{operator_id: 0.0.1234, operator_key: " + key + "}",
			want:    "config.yml:1" + path + "id: needs operator_key_file as well\nconfig.yml:1: networks.mainnet: unknown key \"operator_key\", known: accounts, balance_source, consensus, contracts, ledger_id, mirror, operator_id, operator_key_file, schedules, tokens, topics",
		},
		{
			name:    "key behind the id",
			network: "{operator_id: 0.0.1234-" + key + ", operator_key_file: key}",
			keyFile: key,
			want:    "config.yml:1" + path + "id: the checksum of 0.0.1234 is wrong, on ledger mainnet the id is 0.0.1234-pikcw",
		},
		{
			name:    "no id",
			network: "{operator_key_file: key}",
			keyFile: key,
			want:    "config.yml:1" + path + "key_file: needs operator_id as well",
		},
		{
			name:    "truncated key",
			network: "{operator_id: 0.0.1234, operator_key_file: key}",
			keyFile: key[:90],
			want:    "config.yml:1" + path + "key_file: the file does not hold a private key: expected hex of an ED25519 or ECDSA key in DER, or of a raw ED25519 key",
		},
		{
			name:    "mistyped key",
			network: "{operator_id: 0.0.1234, operator_key_file: key}",
			keyFile: key[:50] + "X" + key[51:],
			want:    "config.yml:1" + path + "key_file: the file does not hold a private key: expected hex of an ED25519 or ECDSA key in DER, or of a raw ED25519 key",
		},
		{
			name:    "id of the environment alone",
			network: "{}",
			getenv:  env("OPERATOR_ID", "0.0.1234"),
			want:    "OPERATOR_ID: needs OPERATOR_KEY as well",
		},
		{
			name:    "key of the environment alone",
			network: "{}",
			getenv:  env("OPERATOR_KEY", key),
			want:    "OPERATOR_KEY: needs OPERATOR_ID as well",
		},
		{
			name:    "environment the wrong way round",
			network: "{}",
			getenv:  env("OPERATOR_ID", key, "OPERATOR_KEY", "0.0.1234"),
			want:    "OPERATOR_ID: is not an account id such as 0.0.1234\nOPERATOR_KEY: does not hold a private key: expected hex of an ED25519 or ECDSA key in DER, or of a raw ED25519 key",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "config.yml", "networks: {mainnet: "+tc.network+"}\n")
			if tc.keyFile != "" {
				write(t, "key", tc.keyFile)
			}
			if tc.getenv == nil {
				tc.getenv = noEnv
			}
			_, err := Load(Source{File: "config.yml", Getenv: tc.getenv})
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// TestRedaction shows a configuration in every way there is and looks for the
// secrets in it.
func TestRedaction(t *testing.T) {
	t.Chdir(t.TempDir())
	key := ecdsaKey(t)
	write(t, "key", key.StringDer())
	write(t, "url", "https://mirror.example.com/hunter2/")
	write(t, "config.yml", `networks:
  mainnet:
    mirror:
      url_file: url
      java_url: https://mirror.example.com/hunter2/java
      http_client:
        http_headers: {X-Tenant: {values: [hunter2]}}
        oauth2:
          client_id: me
          client_secret_file: secret
          token_url: https://login.example.com
          endpoint_params: {password: hunter2}
          claims: {sub: hunter2}
    operator_id: 0.0.1234
    operator_key_file: key
`)
	cfg, err := Load(Source{File: "config.yml", Getenv: noEnv})
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
		"Operator": *network.Operator, "*Operator": network.Operator,
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
		key.StringRaw(), key.StringDer(), fmt.Sprintf("%d", key.BytesRaw()[1:31]),
	}
	for how, text := range shown {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(strings.Trim(secret, "[]"))) {
				t.Errorf("%s shows a secret:\n%s", how, text)
			}
		}
	}
	for _, want := range []string{"url: https://mirror.example.com/<redacted>\n", "operator_id: 0.0.1234\n", "operator_key_file: <redacted>\n"} {
		if !strings.Contains(shown["String"], want) {
			t.Errorf("String lacks %q:\n%s", want, shown["String"])
		}
	}
}

// TestRedactedForms verifies that the redaction does not rest on how the SDK
// and net/url happen to be built.
func TestRedactedForms(t *testing.T) {
	operator := Operator{ID: entityID(t, "0.0.1234"), Key: ed25519Key(t)}
	mirror := Mirror{URL: &url.URL{Scheme: "https", Host: "mirror.example.com", Path: "/hunter2"}}
	for want, values := range map[string][]any{
		"0.0.1234 (key redacted)":               {operator, &operator},
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
		_, err := load(t, text, Source{})
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
	_, loadErr := load(t, "", Source{Accounts: []string{"0.0.123-vfmkw"}})
	os.Stdout = stdout
	_ = w.Close()
	out, err := io.ReadAll(r)
	if err != nil || loadErr != nil || len(out) > 0 {
		t.Errorf("Load: %v, wrote %q, %v", loadErr, out, err)
	}
}
