// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"strings"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// Operator is the account that signs and pays for transactions. However it is
// formatted, logged or marshalled, the key is not shown.
type Operator struct {
	ID  EntityID
	Key hiero.PrivateKey
}

// String shows the id only.
func (o Operator) String() string {
	return o.ID.String() + " (key redacted)"
}

// Format keeps the key out of every verb of package fmt.
func (o Operator) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, o.String())
}

// MarshalText keeps the key out of JSON, YAML and logs.
func (o Operator) MarshalText() ([]byte, error) {
	return []byte(o.String()), nil
}

const (
	envOperatorID  = "OPERATOR_ID"
	envOperatorKey = "OPERATOR_KEY"
)

// The errors about credentials do not repeat any value, not even the id: a key
// may have been put in its place. Nor do they wrap those of the SDK.
var (
	errOperatorID  = errors.New("is not an account id such as 0.0.1234")
	errOperatorKey = errors.New("does not hold a private key: expected hex of an ED25519 or ECDSA key in DER, or of a raw ED25519 key")
)

// operator reads the credentials of the file, or of the environment for the
// network of the flags.
func (l *loader) operator(network string, s *section, ids *entityIDs) *Operator {
	var o Operator
	id, hasID := s.take("operator_id")
	key, hasKey := s.take("operator_key_file")
	idLine := read(s, "operator_id", &o.ID, ids.parseOperatorID)
	keyLine := read(s, "operator_key_file", &o.Key, l.parseKeyFile)
	switch {
	case hasID && !hasKey:
		l.problem(id.line, "%s: needs operator_key_file as well", id.path)
	case hasKey && !hasID:
		l.problem(key.line, "%s: needs operator_id as well", key.path)
	case !hasID && !hasKey && network == l.src.Network:
		return l.operatorFromEnv(ids)
	case idLine > 0 && keyLine > 0:
		return &o
	}
	return nil
}

func (l *loader) operatorFromEnv(ids *entityIDs) *Operator {
	idText := strings.TrimSpace(l.src.Getenv(envOperatorID))
	keyText := strings.TrimSpace(l.src.Getenv(envOperatorKey))
	switch {
	case idText == "" && keyText == "":
		return nil
	case keyText == "":
		l.errs.add(envOperatorID, 0, errors.New("needs "+envOperatorKey+" as well"))
		return nil
	case idText == "":
		l.errs.add(envOperatorKey, 0, errors.New("needs "+envOperatorID+" as well"))
		return nil
	}
	id, idErr := ids.parseOperatorID(idText)
	if idErr != nil {
		l.errs.add(envOperatorID, 0, idErr)
	}
	key, keyErr := parseKey(keyText)
	if keyErr != nil {
		l.errs.add(envOperatorKey, 0, keyErr)
	}
	if idErr != nil || keyErr != nil {
		return nil
	}
	return &Operator{ID: id, Key: key}
}

func (e *entityIDs) parseOperatorID(text string) (EntityID, error) {
	id, err := parseID(text)
	if err != nil {
		return EntityID{}, errOperatorID
	}
	return e.sameRealm(id)
}

func (l *loader) parseKeyFile(name string) (hiero.PrivateKey, error) {
	text, err := l.readSecret(name)
	if err != nil {
		return hiero.PrivateKey{}, err
	}
	key, err := parseKey(text)
	if err != nil {
		return hiero.PrivateKey{}, fmt.Errorf("the file %w", err)
	}
	return key, nil
}

func parseKey(text string) (hiero.PrivateKey, error) {
	key, err := hiero.PrivateKeyFromString(text)
	if err != nil {
		return hiero.PrivateKey{}, errOperatorKey
	}
	return key, nil
}
