// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package config

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// ownedFile is a file of a user.
type ownedFile struct {
	os.FileInfo

	mode  os.FileMode
	owner uint32
}

func (f ownedFile) Mode() os.FileMode { return f.mode }
func (f ownedFile) Sys() any          { return &syscall.Stat_t{Uid: f.owner} }

func TestKeyFilesOfRoot(t *testing.T) {
	tests := []struct {
		mode  os.FileMode
		owner uint32
		user  int
		open  bool
	}{
		{0o400, 65534, 65534, false},
		{0o600, 0, 0, false},
		{0o440, 65534, 65534, true}, // the user could close it
		{0o440, 0, 0, true},
		{0o440, 0, 65534, false}, // fsGroup, LoadCredential
		{0o640, 0, 65534, false},
		{0o460, 0, 65534, true},
		{0o444, 0, 65534, true},
		{0o440, 1000, 65534, true},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s of %d for %d", test.mode, test.owner, test.user), func(t *testing.T) {
			if open := openToOthers(ownedFile{mode: test.mode, owner: test.owner}, test.user); open != test.open {
				t.Errorf("open: %t", open)
			}
		})
	}
}
