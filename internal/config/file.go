// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// Maximum sizes of files, so that a wrong path cannot fill the memory.
const (
	maxConfigBytes = 16 << 20 // 10,000 accounts with all options are 2 MB
	maxSecretBytes = 64 << 10
)

var errNotRegular = errors.New("is not a regular file")

// readFile reads a regular file. To open a FIFO would wait for a writer, and a
// device may have no end. The error leaves the name out.
func readFile(name string, maxBytes int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	file, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, cause(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(len(content)) > maxBytes {
		return nil, fmt.Errorf("is larger than %d bytes", maxBytes)
	}
	return content, nil
}

// Checksum returns the SHA-256 of a configuration file. It fails as Load does for
// a file that cannot be read.
func Checksum(name string) ([sha256.Size]byte, error) {
	content, err := readFile(name, maxConfigBytes)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("%s: %w", name, err)
	}
	return sha256.Sum256(content), nil
}
