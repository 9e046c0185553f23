// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	promconfig "github.com/prometheus/common/config"
)

func readDoc(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

func TestDocExamplesLoad(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readDoc(t), -1)
	if len(blocks) < 6 {
		t.Fatalf("found %d examples", len(blocks))
	}
	for _, block := range blocks {
		t.Run("", func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "secrets/mirror_url", "https://mirror.example.com/key")
			write(t, "secrets/operator_key", testKey(t).StringDer())
			if text := block[1]; strings.Contains(text, "networks:") {
				write(t, "config.yml", text)
			} else { // an example of another section
				write(t, "config.yml", text+"networks: {mainnet: }\n")
			}
			_, err := Load(Source{File: "config.yml", Collectors: testCollectors})
			if err != nil {
				t.Fatalf("%v in\n%s", err, block[1])
			}
		})
	}
}

func TestDocAccountsFileLoads(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```csv\n(.*?)```").FindAllStringSubmatch(readDoc(t), -1)
	if len(blocks) != 1 {
		t.Fatalf("found %d examples", len(blocks))
	}
	cfg, err := loadWith(t, "networks: {mainnet: {accounts_file: a.csv}}\n", map[string]string{"a.csv": blocks[0][1]})
	if err != nil {
		t.Fatalf("%v in\n%s", err, blocks[0][1])
	}
	if accounts := cfg.Networks[0].Accounts; len(accounts) != 3 || accounts[1].Name != "payouts, weekly" {
		t.Errorf("got\n%s", cfg)
	}
}

// TestDocHasEveryKey looks for a row of a table for each key of the file.
func TestDocHasEveryKey(t *testing.T) {
	doc := readDoc(t)
	keys := map[string]bool{"collectors": true, "min_interval": true, "exclude": true, "networks": true}
	for _, key := range []string{"ledger_id", "url", "url_file", "accounts_file", "java_url", "http_client", "info", "warning", "critical"} {
		keys[key] = true // these are marshalled by hand, to redact or to convert them
	}
	yamlKeys(reflect.TypeFor[Network](), keys)
	fields := map[string]reflect.Type{}
	yamlFields(reflect.TypeFor[promconfig.HTTPClientConfig](), fields)
	for key, ft := range fields {
		keys[key] = checkSecret(key, ft) == nil && ft != proxyHeaderType
	}
	for key, accepted := range keys {
		if accepted != strings.Contains(doc, "\n| `"+key+"` | ") {
			t.Errorf("key %s: accepted is %t, but its row says otherwise", key, accepted)
		}
	}
	if len(keys) < 30 {
		t.Errorf("only %d keys", len(keys))
	}
}

// yamlKeys collects the YAML keys of our own types.
func yamlKeys(t reflect.Type, keys map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		yamlKeys(t.Elem(), keys)
	case reflect.Struct:
		if t.PkgPath() != reflect.TypeFor[Network]().PkgPath() {
			return
		}
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				keys[name] = true
			}
			if name != "" && name != "-" || options == "inline" {
				yamlKeys(f.Type, keys)
			}
		}
	default:
	}
}
