// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha256"
	"fmt"
	"os"
)

// canaryAccount pays for the canary of ExporterConfig. It takes no part in the
// traffic, which would be counted as the canary's spending.
const (
	canaryAccount     = "0.0.6200001"
	canaryBalanceHbar = 1000
	canaryBudgetHbar  = 100
	canaryInterval    = "10s"
)

type canaryConfig struct {
	OperatorID      string `yaml:"operator_id"`
	OperatorKeyFile string `yaml:"operator_key_file"`
	Budget          int    `yaml:"budget"`
	Topic           string `yaml:"topic"`
	Interval        string `yaml:"interval"`
}

// addCanaryAccount pays it out of the treasury.
func (l *Ledger) addCanaryAccount() error {
	treasury, err := l.findAccount(l.local(treasuryAccount))
	if err != nil {
		return err
	}
	*treasury.Balance.Tinybar -= canaryBalanceHbar * tinybarPerHbar
	seed := sha256.Sum256(fmt.Appendf(nil, "hedera_simulator canary account %d", l.seed))
	key, private := newED25519Key(seed[:])
	created := formatTimestamp(accountsEpoch)
	return l.AddAccount(Account{
		ID:                            l.local(canaryAccount),
		Balance:                       newBalance(canaryBalanceHbar*tinybarPerHbar, created),
		CreatedTimestamp:              &created,
		AutoRenewPeriod:               new(int64(autoRenewPeriod)),
		Deleted:                       new(false),
		Key:                           key,
		MaxAutomaticTokenAssociations: new(int32(0)),
		ReceiverSigRequired:           new(false),
		private:                       &private,
		idle:                          true,
	})
}

func (s *Simulator) configuredCanary() *canaryConfig {
	if s.options.ConfigCanary == "" {
		return nil
	}
	return &canaryConfig{
		OperatorID: s.local(canaryAccount), OperatorKeyFile: s.options.ConfigCanary,
		Budget: canaryBudgetHbar, Topic: s.local(quietTopic), Interval: canaryInterval,
	}
}

// writeCanaryKey writes the key that the configuration names, for its owner only.
func (s *Simulator) writeCanaryKey() error {
	if s.options.ConfigCanary == "" {
		return nil
	}
	key, err := s.PrivateKey(s.local(canaryAccount))
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.options.ConfigCanary, []byte(key.StringDer()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the canary's key: %w", err)
	}
	return nil
}
