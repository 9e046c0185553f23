// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// unknownAccount is in the exporter's configuration but not on the network.
const unknownAccount = "0.0.999999"

type exporterConfig struct {
	Networks map[string]networkConfig `yaml:"networks"`
}

type networkConfig struct {
	Mirror    mirrorConfig    `yaml:"mirror"`
	Consensus consensusConfig `yaml:"consensus"`
	Accounts  []accountConfig `yaml:"accounts"`
}

type mirrorConfig struct {
	URL         string `yaml:"url"`
	GRPCAddress string `yaml:"grpc_address"`
	GRPCTLS     bool   `yaml:"grpc_tls"`
	RateLimit   int    `yaml:"rate_limit"`
}

type consensusConfig struct {
	TLSPorts []int `yaml:"tls_ports,flow"`
}

type accountConfig struct {
	ID         string      `yaml:"id"`
	Name       string      `yaml:"name"`
	Thresholds *thresholds `yaml:"thresholds,omitempty,flow"`
}

// thresholds are minimum balances in hbar.
type thresholds struct {
	Warning  int `yaml:"warning"`
	Critical int `yaml:"critical"`
}

// exporterConfig describes the simulated network to hedera_exporter.
func (s *Simulator) exporterConfig() exporterConfig {
	return exporterConfig{Networks: map[string]networkConfig{
		"simulated": {
			Mirror:    mirrorConfig{URL: s.URL(), GRPCAddress: s.GRPCAddress(), RateLimit: 1000},
			Consensus: consensusConfig{TLSPorts: s.TLSPorts()},
			Accounts:  s.configuredAccounts(),
		},
	}}
}

func (s *Simulator) configuredAccounts() []accountConfig {
	minimum := &thresholds{Warning: 1000, Critical: 100}
	var accounts []accountConfig
	for _, system := range systemAccounts() {
		accounts = append(accounts, accountConfig{system.id, system.name, minimum})
	}
	for i := range min(s.options.ConfigAccounts, s.options.Accounts) {
		num := firstAccountNum + i
		accounts = append(accounts, accountConfig{
			ID:         fmt.Sprintf("0.0.%d", num),
			Name:       fmt.Sprintf("account-%d", num),
			Thresholds: minimum,
		})
	}
	return append(accounts, accountConfig{ID: unknownAccount, Name: "missing"})
}

func (c exporterConfig) marshal() []byte {
	var buffer bytes.Buffer
	encoder := yaml.NewEncoder(&buffer)
	encoder.SetIndent(2)
	if err := encoder.Encode(c); err != nil {
		panic(err) // plain structs of strings and numbers
	}
	return buffer.Bytes()
}

// WriteExporterConfig writes ExporterConfig to a file, which is either replaced
// as a whole or left alone.
func (s *Simulator) WriteExporterConfig(path string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".hedera_simulator-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(s.ExporterConfig())
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write exporter configuration: %w", err)
	}
	if err := os.Chmod(file.Name(), 0o644); err != nil { //nolint:gosec // no secrets in it
		return err
	}
	return os.Rename(file.Name(), path)
}
