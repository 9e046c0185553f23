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
	maxConfigBytes = 32 << 20 // 100,000 accounts with all options are 20 MB
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

// Files are the files that a configuration was read from, with their states.
type Files map[string]FileState

// FileState tells the contents of a file apart. It is a checksum, or the reason why
// there is no content.
type FileState string

// read reads a file and remembers its state.
func (f Files) read(name string) ([]byte, error) {
	content, err := readFile(name, maxConfigBytes)
	f[name] = fileState(content, err)
	return content, err
}

// Changed reports whether a file is no longer as it was when it was read.
func (f Files) Changed() bool {
	for name, state := range f {
		if fileState(readFile(name, maxConfigBytes)) != state {
			return true
		}
	}
	return false
}

func fileState(content []byte, err error) FileState {
	if err != nil {
		return FileState(err.Error())
	}
	sum := sha256.Sum256(content)
	return FileState(sum[:])
}
