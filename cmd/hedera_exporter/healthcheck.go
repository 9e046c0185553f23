// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
)

// healthcheck asks a running exporter whether it is healthy. One that asks for a
// password is.
func healthcheck(ctx context.Context, flags healthcheckFlags) error {
	ctx, cancel := context.WithTimeout(ctx, *flags.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, (*flags.url).String(), http.NoBody)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: *flags.insecure}} //nolint:gosec // the user set the flag, and nothing secret is sent
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("GET %s: %s", (*flags.url).Redacted(), response.Status)
	}
	return nil
}
