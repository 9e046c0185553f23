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
		mirror, java string
		grpc         config.HostPort
		local        bool
	}{
		"public":             {"https://mainnet.mirrornode.hedera.com", "", config.HostPort{Host: "mainnet.mirrornode.hedera.com", Port: 443}, false},
		"private":            {"http://10.0.0.1:5551", "", config.HostPort{}, false},
		"loopback":           {"http://127.0.0.1:5551", "", config.HostPort{}, true},
		"localhost":          {"http://localhost:5551", "http://[::1]:8084", config.HostPort{Host: "localhost", Port: 5600}, true},
		"gRPC alone on it":   {"https://mirror.example.com", "", config.HostPort{Host: "127.0.0.1", Port: 5600}, false},
		"REST alone on it":   {"http://127.0.0.1:5551", "", config.HostPort{Host: "mirror.example.com", Port: 443}, false},
		"Java elsewhere":     {"http://127.0.0.1:5551", "https://mirror.example.com", config.HostPort{}, false},
		"name like loopback": {"http://127.0.0.1.example.com", "", config.HostPort{}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			at, err := url.Parse(test.mirror)
			if err != nil {
				t.Fatal(err)
			}
			network := config.Network{Mirror: &config.Mirror{URL: at, GRPCAddress: test.grpc}}
			if test.java != "" {
				if network.Mirror.JavaURL, err = url.Parse(test.java); err != nil {
					t.Fatal(err)
				}
			}
			if got := bookOptions(network).Local; got != test.local {
				t.Errorf("local %v", got)
			}
		})
	}
	if bookOptions(config.Network{}).Local {
		t.Error("a network without a mirror has a book of this host")
	}
}
