// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	root   = "../.."
	output = root + "/dashboards"
)

// metrics are the names that queries may use, and whether their series have a
// network.
type metrics map[string]bool

// foreign metrics are not of a collector: Prometheus makes them, client_golang, or
// blackbox_exporter.
var foreign = []string{
	"up", "scrape_duration_seconds", "scrape_samples_scraped", "ALERTS",
	"hedera_exporter_build_info", "promhttp_metric_handler_errors_total",
	"go_goroutines", "go_memstats_heap_inuse_bytes",
	"probe_success", "probe_duration_seconds", "probe_http_status_code",
	"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds",
}

var sampleName = regexp.MustCompile(`^[a-z0-9_]+`)

// exported reads the golden scrape.
func exported(t *testing.T) metrics {
	t.Helper()
	golden, err := os.ReadFile(root + "/collector/testdata/scrape.prom")
	if err != nil {
		t.Fatal(err)
	}
	found := metrics{}
	for line := range strings.Lines(string(golden)) {
		if !strings.HasPrefix(line, "#") {
			found[sampleName.FindString(line)] = strings.Contains(line, `network="`)
		}
	}
	if len(found) < 90 {
		t.Fatalf("%d metrics in the golden scrape", len(found))
	}
	return found
}

type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Record, Alert string
			Annotations   struct {
				Runbook string `yaml:"runbook_url"`
			}
		}
	}
}

// rules reads what the rule files record and the runbooks of their alerts.
func rules(t *testing.T) (recorded, pages map[string]bool) {
	t.Helper()
	paths, err := filepath.Glob(root + "/alerts/hedera.*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("rule files: %v %v", paths, err)
	}
	paths = append(paths, root+"/deploy/prometheus/relay.rules.yml")
	recorded, pages = map[string]bool{}, map[string]bool{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file ruleFile
		if err := yaml.Unmarshal(content, &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				recorded[rule.Record] = true
				pages[strings.TrimPrefix(rule.Annotations.Runbook, runbooks)] = true
			}
		}
	}
	return recorded, pages
}

// known is every name that a query may use.
func known(t *testing.T) metrics {
	t.Helper()
	all := exported(t)
	recorded, _ := rules(t)
	for name := range recorded {
		all[name] = !strings.HasPrefix(name, "hedera:threshold:")
	}
	for _, name := range foreign {
		all[name] = name == "ALERTS" || strings.HasPrefix(name, "probe_")
	}
	return all
}

func TestCommittedFilesAreGenerated(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(output, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("dashboards/%s is not what make dashboards writes (%v)", name, err)
		}
	}
	committed, err := filepath.Glob(output + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range committed {
		if _, generated := files[filepath.Base(path)]; !generated {
			t.Errorf("%s is not generated", path)
		}
	}
}

func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct{ Name, Type, URL string }
	}
	readYAML(t, output+"/provisioning/datasources.yml", &sources)
	if sources.APIVersion != 1 || len(sources.Datasources) != 1 || sources.Datasources[0].Type != *source.Type {
		t.Errorf("datasources.yml: %+v, want one of type %s", sources, *source.Type)
	}
	var providers struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	readYAML(t, output+"/provisioning/dashboards.yml", &providers)
	if providers.APIVersion != 1 || len(providers.Providers) != 1 || providers.Providers[0].Type != "file" || providers.Providers[0].Options.Path == "" {
		t.Errorf("dashboards.yml: %+v, want one provider of files", providers)
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
