// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package config

import (
	"os"
	"syscall"
)

// openToOthers reports whether more than the user may read the file. Kubernetes
// (fsGroup) and systemd (LoadCredential) hand over files of root that the user can
// read by a group of its own only: these are as closed as they can be.
func openToOthers(info os.FileInfo, user int) bool {
	open := info.Mode().Perm() & 0o077
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == 0 && user != 0 {
		open &^= 0o040
	}
	return open != 0
}
