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

// transactionAccounts is how many accounts have their transactions counted.
const transactionAccounts = 5

const (
	// coldAccount, staking rewards, takes no part in the traffic.
	coldAccount = "0.0.800"
	heartbeat   = "1h"
)

// ownLabels are of no team: alerts of the demo go where they go without labels.
var ownLabels = map[string]string{"env": "demo"}

type exporterConfig struct {
	Networks map[string]networkConfig `yaml:"networks"`
}

type networkConfig struct {
	Mirror    mirrorConfig    `yaml:"mirror"`
	Consensus consensusConfig `yaml:"consensus"`
	Accounts  []accountConfig `yaml:"accounts"`
	Tokens    []entityConfig  `yaml:"tokens,omitempty"`
	Topics    []entityConfig  `yaml:"topics,omitempty"`
	Contracts []entityConfig  `yaml:"contracts,omitempty"`
	Schedules []creatorConfig `yaml:"schedules,omitempty"`
	Canary    *canaryConfig   `yaml:"canary,omitempty"`
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
	ID              string                `yaml:"id"`
	Name            string                `yaml:"name"`
	Labels          map[string]string     `yaml:"labels,omitempty,flow"`
	Thresholds      *thresholds           `yaml:"thresholds,omitempty,flow"`
	Maximum         *thresholds           `yaml:"maximum,omitempty,flow"`
	TokenThresholds map[string]thresholds `yaml:"token_thresholds,omitempty,flow"`
	Tokens          string                `yaml:"tokens,omitempty"`
	Transactions    bool                  `yaml:"transactions,omitempty"`
	Allowances      bool                  `yaml:"allowances,omitempty"`
	Heartbeat       string                `yaml:"heartbeat,omitempty"`
	Budget          int                   `yaml:"budget,omitempty"`
	Cold            bool                  `yaml:"cold,omitempty"`
}

// entityConfig is a token, topic or contract.
type entityConfig struct {
	ID        string            `yaml:"id"`
	Name      string            `yaml:"name,omitempty"`
	Labels    map[string]string `yaml:"labels,omitempty,flow"`
	Heartbeat string            `yaml:"heartbeat,omitempty"`
}

type creatorConfig struct {
	Creator string `yaml:"creator"`
}

// thresholds are of balances in hbar or whole tokens.
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
			Tokens:    s.configuredEntities(s.TokenIDs()),
			Topics:    s.configuredEntities(s.TopicIDs()),
			Contracts: s.configuredEntities(s.ContractIDs()),
			Schedules: s.configuredCreators(),
			Canary:    s.configuredCanary(),
		},
	}}
}

func (s *Simulator) configuredAccounts() []accountConfig {
	minimum := &thresholds{Warning: 1000, Critical: 100}
	var accounts []accountConfig
	for _, system := range systemAccounts() {
		accounts = append(accounts, accountConfig{ID: s.local(system.id), Name: system.name, Thresholds: minimum, Cold: system.id == coldAccount})
	}
	for i := range min(s.options.ConfigAccounts, s.options.Accounts) {
		num := firstAccountNum + i
		account := accountConfig{
			ID:           s.local(fmt.Sprintf("0.0.%d", num)),
			Name:         fmt.Sprintf("account-%d", num),
			Thresholds:   minimum,
			Transactions: i < transactionAccounts,
		}
		if i == 0 {
			account.Tokens, account.Allowances, account.Heartbeat = "all", true, heartbeat
			account.Labels = ownLabels
			account.Maximum = &thresholds{Warning: 1_000_000_000, Critical: 2_000_000_000}
			account.TokenThresholds = map[string]thresholds{s.local(usdToken): {Warning: 2, Critical: 1}}
			account.Budget = 1_000_000
		}
		accounts = append(accounts, account)
	}
	if s.options.ConfigWell {
		return accounts
	}
	return append(accounts, accountConfig{ID: s.local(unknownAccount), Name: "missing"})
}

// names are what an operator would call the deterministic entities.
var names = map[string]string{
	usdToken: "usd", sauceToken: "sauce", nftToken: "collection", pausedToken: "paused", bareToken: "bare",
	busyTopic: "audit-log", quietTopic: "quiet", bareTopic: "closed",
	plainContract: "wrapper", richContract: "exchange", bareContract: "destroyed",
}

func (s *Simulator) configuredEntities(ids []string) []entityConfig {
	local := make(map[string]string)
	for id, name := range names {
		local[s.local(id)] = name
	}
	entities := make([]entityConfig, 0, len(ids))
	for _, id := range ids {
		if s.options.ConfigWell && (id == s.local(pausedToken) || id == s.local(bareContract)) {
			continue
		}
		entity := entityConfig{ID: id, Name: local[id], Labels: ownLabels}
		if id == s.local(busyTopic) {
			entity.Heartbeat = heartbeat
		}
		entities = append(entities, entity)
	}
	return entities
}

func (s *Simulator) local(id string) string { return s.ledger.local(id) }

func (s *Simulator) configuredCreators() []creatorConfig {
	var creators []creatorConfig
	for _, id := range s.ScheduleCreators() {
		creators = append(creators, creatorConfig{id})
	}
	return creators
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
	if err := s.writeCanaryKey(); err != nil {
		return err
	}
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
