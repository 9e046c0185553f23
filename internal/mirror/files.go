// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"os"
	"slices"

	promconfig "github.com/prometheus/common/config"
)

// credentialFiles are the files whose content is secret.
func credentialFiles(c promconfig.HTTPClientConfig) []string {
	files := []string{c.BearerTokenFile}
	if b := c.BasicAuth; b != nil {
		files = append(files, b.UsernameFile, b.PasswordFile)
	}
	if a := c.Authorization; a != nil {
		files = append(files, a.CredentialsFile)
	}
	if o := c.OAuth2; o != nil {
		files = append(files, o.ClientSecretFile)
	}
	if h := c.HTTPHeaders; h != nil {
		for _, header := range h.Headers {
			files = append(files, header.Files...)
		}
	}
	return named(files)
}

// clientFiles are all files that the HTTP client reads, before each request.
func clientFiles(c promconfig.HTTPClientConfig) []string {
	files := append(credentialFiles(c), tlsFiles(c.TLSConfig)...)
	if o := c.OAuth2; o != nil {
		files = append(files, tlsFiles(o.TLSConfig)...)
	}
	return files
}

func tlsFiles(t promconfig.TLSConfig) []string {
	return named([]string{t.CAFile, t.CertFile, t.KeyFile})
}

// named are the files that are configured.
func named(files []string) []string {
	return slices.DeleteFunc(files, func(name string) bool { return name == "" })
}

// checkFiles is an error if one of the files cannot be read at once: a FIFO would
// wait for a writer, and a device may have no end. Those that are not there are
// for the client to find.
func checkFiles(names []string) error {
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err != nil:
		case !info.Mode().IsRegular():
			return &fileError{fmt.Errorf("file %s is not a regular file", name)}
		case info.Size() > maxFileBytes:
			return &fileError{fmt.Errorf("file %s: %w", name, &LimitError{Input: "bytes", Limit: maxFileBytes})}
		}
	}
	return nil
}

// fileError is a mistake of the configuration.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }
