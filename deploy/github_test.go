//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func decode(t *testing.T, path string, to any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, path)), to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestActionsArePinned wants each action by its commit, with the version as a
// comment, which dependabot keeps up to date.
func TestActionsArePinned(t *testing.T) {
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(workflows) == 0 {
		t.Fatal(workflows, err)
	}
	pinned := regexp.MustCompile(`^[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, workflow := range workflows {
		uses := regexp.MustCompile(`(?m)^ *-? *uses: *(.*)$`).FindAllStringSubmatch(readFile(t, workflow), -1)
		if len(uses) == 0 {
			t.Errorf("%s uses no action", workflow)
		}
		for _, action := range uses {
			if !pinned.MatchString(action[1]) {
				t.Errorf("%s: %s is not pinned", workflow, action[1])
			}
		}
	}
}

// TestDependabotKnowsAll has every module, Dockerfile and compose file.
func TestDependabotKnowsAll(t *testing.T) {
	var dependabot struct {
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directory   string   `yaml:"directory"`
			Directories []string `yaml:"directories"`
		} `yaml:"updates"`
	}
	decode(t, "../.github/dependabot.yml", &dependabot)
	known := map[string][]string{}
	for _, update := range dependabot.Updates {
		known[update.Ecosystem] = append(update.Directories, update.Directory)
	}
	for ecosystem, pattern := range map[string]string{"gomod": "go.mod", "docker": "Dockerfile", "docker-compose": "compose.yml", "github-actions": ".github"} {
		found := 0
		for _, depth := range []string{"", "*/", "*/*/"} {
			files, err := filepath.Glob("../" + depth + pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				found++
				directory := "/" + strings.TrimPrefix(strings.TrimPrefix(filepath.Dir(file), ".."), "/")
				if !slices.Contains(known[ecosystem], directory) {
					t.Errorf("%s: no updates of %s", ecosystem, directory)
				}
			}
		}
		if found == 0 {
			t.Errorf("no %s", pattern)
		}
	}
}
