// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/url"
	"testing"

	"hedera_exporter/internal/config"
)

func TestAddressesOfThisHost(t *testing.T) {
	tests := map[string]struct {
		mirror, grpc string
		local        bool
	}{
		"public":             {"https://mainnet.mirrornode.hedera.com", "mainnet.mirrornode.hedera.com", false},
		"private":            {"http://10.0.0.1:5551", "", false},
		"loopback":           {"http://127.0.0.1:5551", "", true},
		"localhost":          {"http://localhost:5551", "localhost", true},
		"gRPC alone on it":   {"https://mirror.example.com", "127.0.0.1", true},
		"name like loopback": {"http://127.0.0.1.example.com", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			at, err := url.Parse(test.mirror)
			if err != nil {
				t.Fatal(err)
			}
			network := config.Network{Mirror: &config.Mirror{URL: at, GRPCAddress: config.HostPort{Host: test.grpc, Port: 5600}}}
			if got := bookOptions(network).Local; got != test.local {
				t.Errorf("local %v", got)
			}
		})
	}
	if bookOptions(config.Network{}).Local {
		t.Error("a network without a mirror has a book of this host")
	}
}
