// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/common/model"
)

// Canary says how the exporter submits transactions of its own.
type Canary struct {
	// OperatorID is the account that pays, and OperatorKey its key.
	OperatorID  EntityID    `yaml:"operator_id"`
	OperatorKey OperatorKey `yaml:"-"`
	// OperatorKeyFile is where the key was read.
	OperatorKeyFile string `yaml:"operator_key_file"`
	// Budget is in hbar, for the fees of a day in UTC.
	Budget Amount `yaml:"budget"`
	// Topic is the topic of the messages; zero for transfers.
	Topic EntityID `yaml:"topic,omitempty"`
	// Interval is the least time between two transactions.
	Interval model.Duration `yaml:"interval"`
	// MinBalance is in hbar: at and below it nothing is submitted.
	MinBalance Amount `yaml:"min_balance"`
}

// OperatorKey is a private key that no formatting and no marshalling shows.
type OperatorKey struct {
	key *hiero.PrivateKey
}

// NewOperatorKey hides a key.
func NewOperatorKey(key hiero.PrivateKey) OperatorKey { return OperatorKey{&key} }

// PrivateKey is the key itself.
func (k OperatorKey) PrivateKey() hiero.PrivateKey { return *k.key }

// String is the same for all keys.
func (k OperatorKey) String() string { return redacted }

// Format keeps the key out of every verb of package fmt.
func (k OperatorKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// MarshalText keeps the key out of JSON, YAML and logs.
func (k OperatorKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

const (
	// firstUserAccount is the first number that is not the network's own
	// (docs/hedera.md 2.5).
	firstUserAccount = 1001
	// minCanaryInterval is what a run takes until the mirror shows the transaction.
	minCanaryInterval       = 10 * time.Second
	defaultTransferInterval = time.Minute
	defaultMessageInterval  = 5 * time.Minute
	maxCanaryInterval       = 24 * time.Hour
)

// canary reads the canary of network n, nil if it has none.
func (l *loader) canary(n Network, network *section, ids *entityIDs) *Canary {
	if e, ok := network.take("canary"); !ok || e.null() {
		return nil
	}
	s := network.section("canary")
	defer s.done()
	if n.Mirror == nil {
		l.problem(s.line, "%s: %w", s.path, errNoMirror)
	}
	c := &Canary{Interval: model.Duration(defaultTransferInterval), MinBalance: Amount{Decimals: hbarUnit.decimals}}
	required(s, "operator_id", &c.OperatorID, func(text string) (EntityID, error) { return parseOperator(text, ids) })
	required(s, "operator_key_file", &c.OperatorKey, func(name string) (OperatorKey, error) {
		c.OperatorKeyFile = name
		return l.parseKeyFile(name)
	})
	required(s, "budget", &c.Budget, parseBudget)
	if read(s, "topic", &c.Topic, ids.topic) > 0 {
		c.Interval = model.Duration(defaultMessageInterval)
	}
	read(s, "interval", &c.Interval, parseCanaryInterval)
	read(s, "min_balance", &c.MinBalance, hbarUnit.parse)
	s.refuse("the key belongs in a file: set operator_key_file", "operator_key")
	return c
}

func parseOperator(text string, ids *entityIDs) (EntityID, error) {
	id, err := ids.account(text)
	if err == nil && id.num < firstUserAccount {
		err = fmt.Errorf("%s is an account of the network itself; the operator must be one of yours, from %d.%d.%d on", id, id.shard, id.realm, firstUserAccount)
	}
	return id, err
}

func parseCanaryInterval(text string) (model.Duration, error) {
	d, err := parseDuration(text)
	if err == nil && (time.Duration(d) < minCanaryInterval || time.Duration(d) > maxCanaryInterval) {
		err = fmt.Errorf("%s must be between %s and %s", d, model.Duration(minCanaryInterval), model.Duration(maxCanaryInterval))
	}
	return d, err
}

var (
	errOpenKeyFile = errors.New("the file may be read by its group or by others; chmod it to 0400 or 0600")
	errNoKey       = errors.New("the content of the file is not a private key of ED25519 or ECDSA secp256k1 as hexadecimal DER, which begins with 30")
)

// parseKeyFile reads a private key from a file that only its owner may read. Keys
// without DER are refused: their kind would have to be guessed. No error has the
// name or the content of the file.
func (l *loader) parseKeyFile(name string) (OperatorKey, error) {
	if name == "" {
		return OperatorKey{}, errors.New("must be the name of a file")
	}
	if err := checkKeyFile(l.path(name)); err != nil {
		return OperatorKey{}, err
	}
	text, err := l.readSecret(name)
	if err != nil {
		return OperatorKey{}, err
	}
	der, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(der) < 2 || der[0] != asn1Sequence || int(der[1]) != len(der)-2 {
		return OperatorKey{}, errNoKey
	}
	key, err := hiero.PrivateKeyFromBytesDer(der)
	if err != nil {
		return OperatorKey{}, errNoKey
	}
	return NewOperatorKey(key), nil
}

// asn1Sequence is the tag that a key in DER begins with.
const asn1Sequence = 0x30

// checkKeyFile leaves what cannot be read to the reading.
func checkKeyFile(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() && openToOthers(info, os.Geteuid()) {
		return errOpenKeyFile
	}
	return nil
}
