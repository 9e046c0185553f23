//go:build unix

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesThatAreNoFiles has neither the configuration nor a secret be read
// from what would block, has no end, or is too large.
func TestFilesThatAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	fifo, large := filepath.Join(dir, "fifo"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, large, "")
	if err := os.Truncate(large, maxConfigBytes+1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		fifo:        "is not a regular file",
		"/dev/zero": "is not a regular file",
		dir:         "is not a regular file",
		large:       "is larger than ",
	} {
		if _, err := Load(Source{File: name}); err == nil || !strings.Contains(err.Error(), name+": cannot be read: "+want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		_, err := loadText(t, "networks: {n: {mirror: {url_file: "+name+"}}}", Source{})
		if err == nil || !strings.Contains(err.Error(), "cannot be read: "+want) || strings.Contains(err.Error(), name) {
			t.Errorf("url_file %s: got %v, want %s", name, err, want)
		}
	}
}
