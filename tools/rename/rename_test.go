// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var home = repository{owner: "Some-Owner", name: "hedera_exporter"}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"github.com/owner/hedera_exporter": "",
		"github.com/O-wner1/a.b":           "",
		"":                                 "REPOSITORY is empty; want REPOSITORY=github.com/OWNER/hedera_exporter",
		"hedera_exporter":                  "is no repository of github.com",
		"owner/hedera_exporter":            "is no repository of github.com",
		"https://github.com/owner/hedera_exporter": "has a scheme",
		"github.com/owner/hedera_exporter.git":     "ends in .git",
		"github.com/owner/hedera_exporter/":        "is no repository of github.com",
		"github.com/owner":                         "is no repository of github.com",
		"github.com/owner/..":                      "is no repository of github.com",
		"github.com/-owner/hedera_exporter":        "is no repository of github.com",
		"github.com/ow--ner/hedera_exporter":       "is no repository of github.com",
		"github.com/owner/hedera exporter":         "is no repository of github.com",
		"github.com/owner/hedera\"exporter":        "is no repository of github.com",
		"gitlab.com/owner/hedera_exporter":         "is no repository of github.com",
	} {
		r, err := parse(text)
		if want == "" && (err != nil || r.module() != text) {
			t.Errorf("%s: %v, %v", text, r, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), text)) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

// sources are the files of a small project.
func sources(t *testing.T, module string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod":         "module " + module + "\n\ngo 1.26\n",
		"a.go":           "package a\n\nimport (\n\t\"strings\"\n\n\tx \"" + module + "/internal/x\"\n\t\"hedera_exporter_other/y\"\n)\n\nvar agent = \"hedera_exporter/1\"\n",
		"tools/go.mod":   "module " + module + "/tools\n\ngo 1.26\n\nrequire (\n\texample.org/x v1.0.0\n\t" + module + " v0.0.0\n)\n\nreplace " + module + " => ../\n",
		"new.yml":        "runbook_url: docs/runbooks/New.md\n",
		"bin/new.yml":    "runbook_url: docs/runbooks/New.md\n",
		"data/image.png": "\x00hedera_exporter",
	}
	for _, change := range texts {
		files[change.file] += change.before + "\n"
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func apply(t *testing.T, dir string, to repository) []string {
	t.Helper()
	changed, err := rename(os.DirFS(dir), to)
	if err == nil {
		err = write(dir, changed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(changed))
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRename(t *testing.T) {
	dir := sources(t, homeless)
	apply(t, dir, home)
	for name, want := range map[string]string{
		"go.mod":       "module github.com/Some-Owner/hedera_exporter\n\ngo 1.26\n",
		"a.go":         "package a\n\nimport (\n\t\"strings\"\n\n\tx \"github.com/Some-Owner/hedera_exporter/internal/x\"\n\t\"hedera_exporter_other/y\"\n)\n\nvar agent = \"hedera_exporter/1\"\n",
		"tools/go.mod": "module github.com/Some-Owner/hedera_exporter/tools\n\ngo 1.26\n\nrequire (\n\texample.org/x v1.0.0\n\tgithub.com/Some-Owner/hedera_exporter v0.0.0\n)\n\nreplace github.com/Some-Owner/hedera_exporter => ../\n",
		"new.yml":      "runbook_url: https://github.com/Some-Owner/hedera_exporter/blob/main/docs/runbooks/New.md\n",
		"bin/new.yml":  "runbook_url: docs/runbooks/New.md\n",
	} {
		if got := content(t, dir, name); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	if text := content(t, dir, "deploy/helm/hedera-exporter/values.yaml"); !strings.Contains(text, "ghcr.io/some-owner/hedera_exporter") {
		t.Errorf("the image is not in lower case: %s", text)
	}
	if changed := apply(t, dir, home); len(changed) > 0 {
		t.Errorf("a second time changes %v", changed)
	}
}

func TestRenameOnceMore(t *testing.T) {
	dir, want := sources(t, homeless), sources(t, homeless)
	other := repository{owner: "other", name: "exporter-2"}
	apply(t, want, other)
	apply(t, dir, home)
	neighbour := home.url() + "_2 and " + home.url() + ".\n"
	if err := os.WriteFile(filepath.Join(dir, "links.md"), []byte(neighbour), 0o644); err != nil {
		t.Fatal(err)
	}
	apply(t, dir, other)
	if got, want := content(t, dir, "links.md"), home.url()+"_2 and "+other.url()+".\n"; got != want {
		t.Errorf("links.md: %s, want %s", got, want)
	}
	for _, file := range []string{"go.mod", "a.go", "tools/go.mod", "new.yml", "README.md", "deploy/container/Dockerfile", "deploy/helm/hedera-exporter/values.yaml"} {
		if got, want := content(t, dir, file), content(t, want, file); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", file, got, want)
		}
	}
}

func TestRenameChangesAllOrNothing(t *testing.T) {
	dir := sources(t, homeless)
	for name, text := range map[string]string{"README.md": "nothing", "SECURITY.md": texts[0].before} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := rename(os.DirFS(dir), home)
	if err == nil || !strings.Contains(err.Error(), "README.md has") || !strings.Contains(err.Error(), "SECURITY.md has") || !strings.Contains(err.Error(), "0 times, want it once") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rename(os.DirFS(dir), home); err == nil || !strings.Contains(err.Error(), "module example.org/x is neither") {
		t.Errorf("error %v", err)
	}
}

// TestSources has the sources of this project renamed, in memory.
func TestSources(t *testing.T) {
	changed, err := rename(os.DirFS(root), home)
	if err != nil {
		t.Fatal(err)
	}
	from, err := current(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if from == nil && len(changed) < 100 {
		t.Errorf("only %d files change", len(changed))
	}
	if from == nil {
		return
	}
	if changed, err := rename(os.DirFS(root), *from); err != nil || len(changed) > 0 {
		t.Errorf("not all is of %s: %v, %v", from.module(), slices.Sorted(maps.Keys(changed)), err)
	}
}
