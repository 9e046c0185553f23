// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// whole are values that are one as they are, with what is below.
var whole = []string{"config", "resources", "podSecurityContext", "securityContext", "livenessProbe", "readinessProbe", "startupProbe", "dashboards.labels"}

// paths are the values of values.yaml, as the table in README.md has them.
func paths(v values, prefix string) map[string]any {
	found := map[string]any{}
	for key, value := range v {
		path := prefix + key
		section, ok := value.(values)
		if ok && len(section) > 0 && !slices.Contains(whole, path) {
			maps.Copy(found, paths(section, path+"."))
			continue
		}
		found[path] = value
	}
	return found
}

func lookup(v values, path string) (any, bool) {
	key, rest, nested := strings.Cut(path, ".")
	value, ok := v[key]
	if !nested || !ok {
		return value, ok
	}
	section, _ := value.(values)
	return lookup(section, rest)
}

// TestEveryValueIsDocumented compares values.yaml with the table in README.md and
// with the schema, in both directions.
func TestEveryValueIsDocumented(t *testing.T) {
	known := paths(readYAML(t, filepath.Join(chartDir, "values.yaml")), "")
	if len(known) < 100 {
		t.Fatalf("%d values", len(known))
	}
	content, err := os.ReadFile(filepath.Join(chartDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z]\S+) \| \w+ \| .* \| (.*) \|$`).FindAllStringSubmatch(string(content), -1) {
		documented[row[1]] = true
		if _, ok := known[row[1]]; !ok {
			t.Errorf("README.md: there is no value %s", row[1])
		}
		if !strings.HasSuffix(row[2], ".") {
			t.Errorf("README.md: %s has the description %q", row[1], row[2])
		}
	}
	schema := readYAML(t, filepath.Join(chartDir, "values.schema.json"))
	inSchema := schemaPaths(t, schema, schema, "")
	for path := range known {
		if !documented[path] {
			t.Errorf("README.md: %s is missing; run make generate", path)
		}
		if !inSchema[path] {
			t.Errorf("values.schema.json: %s is missing", path)
		}
	}
	for path := range inSchema {
		covered := false
		for value := range known {
			covered = covered || path == value || strings.HasPrefix(path, value+".") || strings.HasPrefix(value, path+".")
		}
		if !covered {
			t.Errorf("values.schema.json: %s is not in values.yaml", path)
		}
	}
}

// schemaPaths are all properties; it fails for a section that takes any.
func schemaPaths(t *testing.T, root, schema values, prefix string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	properties, _ := schema["properties"].(values)
	if schema["additionalProperties"] != false && schema["additionalProperties"] == nil && len(properties) > 0 {
		t.Errorf("values.schema.json: %s takes unknown keys", prefix)
	}
	for key, value := range properties {
		property, _ := value.(values)
		if reference, ok := property["$ref"].(string); ok {
			definition, ok := lookup(root, strings.ReplaceAll(strings.TrimPrefix(reference, "#/"), "/", "."))
			if property, _ = definition.(values); !ok {
				t.Fatalf("no %s", reference)
			}
		}
		found[prefix+key] = true
		maps.Copy(found, schemaPaths(t, root, property, prefix+key+"."))
	}
	return found
}

// TestEveryValueIsSet has each value set to something else than its default by a
// file in ci/, so that what is rendered, validated and applied has all of them.
func TestEveryValueIsSet(t *testing.T) {
	sets := valueSets(t)
	elsewhere := []string{"openshift", "existingConfigMap", "existingSecret", "web.existingSecret", "web.tls"}
	same := []string{"serviceAccount.create", "networkPolicy.enabled", "podDisruptionBudget.enabled"} // off in least
	for path, byDefault := range paths(readYAML(t, filepath.Join(chartDir, "values.yaml")), "") {
		changed := func(set string) bool {
			value, ok := lookup(sets[set], path)
			return ok && !reflect.DeepEqual(value, byDefault)
		}
		switch {
		case slices.Contains(elsewhere, path):
			if !changed("openshift") && !changed("sharded") {
				t.Errorf("%s is not set", path)
			}
		case slices.Contains(same, path):
			if !changed("least") {
				t.Errorf("%s is not set in least", path)
			}
		case !changed("everything"):
			t.Errorf("%s is not set in everything", path)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	for name, v := range map[string]values{
		"unknown key":           {"replicas": 2},
		"unknown key of a part": {"service": values{"ports": 2}},
		"unknown probe field":   {"livenessProbe": values{"period": 2}},
		"unknown scheme":        {"serviceMonitor": values{"scheme": "ftp"}},
		"unknown web section":   {"web": values{"config": values{"tls": values{}}}},
		"no shard":              {"shards": 0},
		"text for port":         {"service": values{"port": "http"}},
		"no duration":           {"serviceMonitor": values{"interval": "often"}},
		"bad digest":            {"image": values{"digest": "latest"}},
		"no config":             {"config": nil},
		"bad name":              {"fullnameOverride": "Hedera Exporter"},
		"switch of a text":      {"prometheusRule": values{"groups": values{"hedera-weeks.rules": "no"}}},
		"severity of a number":  {"prometheusRule": values{"severities": values{"critical": 1}}},
		"accounts as a list":    {"accountsFiles": values{"accounts.yml": []any{"0.0.98"}}},
		"accounts of no format": {"accountsFiles": values{"accounts.xls": "id"}},
		"accounts as config":    {"accountsFiles": values{"hedera_exporter.yml": "id"}},
		"no URL":                {"runbookBaseURL": "wiki"},
	} {
		if _, err := render(t, v); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: %v, want an error of the schema", name, err)
		}
	}
}
