// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"hedera_exporter/internal/config"
)

func TestExporterConfig(t *testing.T) {
	for _, tc := range []struct{ accounts, configured, want int }{{3, 0, 3}, {30, 0, 20}, {30, 25, 25}, {2, 25, 2}} {
		s := startStatic(t, Options{Nodes: 1, Accounts: tc.accounts, ConfigAccounts: tc.configured})
		var written exporterConfig
		if err := yaml.Unmarshal(s.ExporterConfig(), &written); err != nil {
			t.Fatal(err)
		}
		network := written.Networks["simulated"]
		if network.Mirror.URL != s.URL() || network.Mirror.GRPCAddress != s.GRPCAddress() || network.Mirror.GRPCTLS {
			t.Errorf("mirror is %+v", network.Mirror)
		}
		if !slices.Equal(network.Consensus.TLSPorts, s.TLSPorts()) {
			t.Errorf("TLS ports are %v, want %v", network.Consensus.TLSPorts, s.TLSPorts())
		}
		var unknown []string
		for _, account := range network.Accounts {
			if _, ok := s.Balance(account.ID); !ok {
				unknown = append(unknown, account.Name)
			}
		}
		if got := len(network.Accounts) - len(systemAccounts()) - 1; got != tc.want || !slices.Equal(unknown, []string{"missing"}) {
			t.Errorf("%d accounts are configured, want %d; unknown are %v", got, tc.want, unknown)
		}
	}
}

// TestExporterConfigOfAWellNetwork has nothing that an alert fires for.
func TestExporterConfigOfAWellNetwork(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 3, ConfigWell: true})
	var written exporterConfig
	if err := yaml.Unmarshal(s.ExporterConfig(), &written); err != nil {
		t.Fatal(err)
	}
	network := written.Networks["simulated"]
	names := map[string]bool{}
	for _, account := range network.Accounts {
		names[account.Name] = true
	}
	for _, entity := range append(network.Tokens, network.Contracts...) {
		names[entity.Name] = true
	}
	for name, want := range map[string]bool{"missing": false, "paused": false, "destroyed": false, "fees": true, "usd": true, "exchange": true} {
		if names[name] != want {
			t.Errorf("%s is in the configuration: %v, want %v", name, names[name], want)
		}
	}
}

func TestWriteExporterConfig(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteExporterConfig(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != string(s.ExporterConfig()) {
		t.Errorf("got %q, %v", got, err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("the directory has %v, %v", files, err)
	}
	if err := s.WriteExporterConfig(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("no error for a path that cannot be")
	}
}

// The exporter takes what WriteExporterConfig writes.
func TestExporterReadsItsConfig(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 8})
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := s.WriteExporterConfig(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Source{File: path})
	if err != nil {
		t.Fatal(err)
	}
	network := loaded.Networks[0]
	counted := 0
	for _, account := range network.Accounts {
		if account.Transactions {
			counted++
		}
	}
	got := []int{counted, len(network.Tokens), len(network.Topics), len(network.Contracts), len(network.ScheduleCreators)}
	if want := []int{transactionAccounts, 5, 3, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if network.Tokens[0].Name != "usd" || network.Tokens[0].ID.String() != usdToken {
		t.Errorf("first token is %+v", network.Tokens[0])
	}
}

func TestExporterConfigWithACanary(t *testing.T) {
	directory := t.TempDir()
	key, path := filepath.Join(directory, "key"), filepath.Join(directory, "config.yml")
	s := startStatic(t, Options{Nodes: 1, Accounts: 3, ConfigCanary: key})
	if err := s.WriteExporterConfig(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Source{File: path})
	if err != nil {
		t.Fatal(err)
	}
	canary := loaded.Networks[0].Canary
	if canary == nil {
		t.Fatal("no canary")
	}
	payer, topic := canary.OperatorID.String(), canary.Topic.String()
	if balance, known := s.Balance(payer); !known || balance != 1000*tinybarPerHbar || topic != quietTopic {
		t.Errorf("payer %s has %d tinybar, topic %s", payer, balance, topic)
	}
	want, err := s.PrivateKey(payer)
	if err != nil {
		t.Fatal(err)
	}
	if private := canary.OperatorKey.PrivateKey(); private.StringDer() != want.StringDer() {
		t.Error("the key is not the payer's")
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v, %v", info.Mode(), err)
	}

	without := startStatic(t, Options{Nodes: 1, Accounts: 3})
	if _, known := without.Balance(canaryAccount); known {
		t.Error("there is an account of a canary that is not configured")
	}
}

// TestCanaryAccountIsIdle counts nothing that the canary has not sent itself.
func TestCanaryAccountIsIdle(t *testing.T) {
	l, err := newLedger(Options{Accounts: 3, ConfigCanary: "key"}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	id, err := parseEntityID(canaryAccount)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(l.traders, id) {
		t.Error("it takes part in the traffic")
	}
}
