// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

var (
	quoted       = regexp.MustCompile("`([^`]+)`")
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	makeTarget   = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// TestEachPromiseHasATest looks for the tests that SECURITY.md names.
func TestEachPromiseHasATest(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := provers(t)
	rows := 0
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.HasPrefix(cells[0], " **") {
			continue
		}
		rows++
		names := quoted.FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 && !strings.HasPrefix(cells[2], " none: ") {
			t.Errorf("%s: no test is named", cells[0])
		}
		for _, name := range names {
			if !known[name[1]] {
				t.Errorf("%s: there is no test, file or target %s", cells[0], name[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d threats in SECURITY.md", rows)
	}
}

// provers are the names of all tests, their files and the targets of make.
func provers(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{"go test": true}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		known[filepath.ToSlash(name)] = true
		for _, function := range testFunction.FindAllSubmatch(content, -1) {
			known[string(function[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range makeTarget.FindAllSubmatch(content, -1) {
		known["make "+string(target[1])] = true
	}
	return known
}
