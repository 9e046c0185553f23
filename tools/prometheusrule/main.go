// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command prometheusrule writes the rule files as one PrometheusRule, the
// custom resource in which the Prometheus operator takes rules.
//
// It is run in the repository's root. With -check it writes nothing and fails
// where the file there is not what it would write.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

func main() {
	rules := flag.String("rules", "alerts/hedera.*.yml", "glob of the rule files")
	output := flag.String("output", "deploy/kubernetes/prometheusrule.yaml", "file to write")
	check := flag.Bool("check", false, "compare with the file instead of writing it")
	flag.Parse()

	if err := run(*rules, *output, *check); err != nil {
		fmt.Fprintln(os.Stderr, "prometheusrule:", err)
		os.Exit(1)
	}
}

func run(rules, output string, check bool) error {
	generated, err := generate(rules)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(output, generated, 0o644) //nolint:gosec // a manifest is no secret
	}
	existing, err := os.ReadFile(output) //nolint:gosec // named by whoever runs the check
	if err != nil {
		return err
	}
	if !bytes.Equal(existing, generated) {
		return fmt.Errorf("%s is not what %s make of it; run make prometheusrule", output, rules)
	}
	return nil
}

// prometheusRule is the custom resource, of which the operator's own type would
// bring all of Kubernetes.
type prometheusRule struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       struct {
		Groups []*yaml.Node `yaml:"groups"`
	} `yaml:"spec"`
}

type metadata struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

const header = "# Generated from alerts/hedera.*.yml by make prometheusrule; change those.\n"

// generate returns the groups of all files as one PrometheusRule.
func generate(rules string) ([]byte, error) {
	resource := prometheusRule{
		APIVersion: "monitoring.coreos.com/v1",
		Kind:       "PrometheusRule",
		Metadata: metadata{
			Name:   "hedera-exporter",
			Labels: map[string]string{"app.kubernetes.io/name": "hedera-exporter"},
		},
	}
	groups, err := loadGroups(rules)
	if err != nil {
		return nil, err
	}
	resource.Spec.Groups = groups

	out := bytes.NewBufferString(header)
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(resource); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// loadGroups keeps the nodes as they are, comments included.
func loadGroups(rules string) ([]*yaml.Node, error) {
	matches, err := filepath.Glob(rules)
	if err != nil {
		return nil, err
	}
	var groups []*yaml.Node
	for _, path := range matches {
		content, err := os.ReadFile(path) //nolint:gosec // named by whoever runs it
		if err != nil {
			return nil, err
		}
		var file struct {
			Groups yaml.Node `yaml:"groups"`
		}
		if err := yaml.Unmarshal(content, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		groups = append(groups, file.Groups.Content...)
	}
	if len(groups) == 0 {
		return nil, errors.New("no groups in " + rules)
	}
	return groups, nil
}
