// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/protobuf/proto"
)

const (
	keyED25519  = "ED25519"
	keyECDSA    = "ECDSA_SECP256K1"
	keyProtobuf = "ProtobufEncoded" // any other, as hex of a HAPI Key
)

// keyedAccounts is how many of the deterministic accounts have keys of which
// the private part is known. Those of the others are random bytes: real ones
// take too long to make.
const keyedAccounts = 100

// newED25519Key makes a key of a seed of 32 bytes.
func newED25519Key(seed []byte) (*Key, hiero.PrivateKey) {
	private, err := hiero.PrivateKeyFromSeedEd25519(seed)
	if err != nil {
		panic(err) // any 32 bytes are a seed
	}
	return restKey(private.PublicKey()), private
}

// newECDSAKey makes a key of 32 random bytes, which all but never are beyond
// the order of the curve.
func newECDSAKey(scalar []byte) (*Key, hiero.PrivateKey) {
	private, err := hiero.PrivateKeyFromBytesECDSA(scalar)
	if err != nil {
		panic(err)
	}
	return restKey(private.PublicKey()), private
}

// aliasOf is the alias of an account that was made by sending hbar to its ECDSA
// key: the base32 of the serialised key.
func aliasOf(compressed []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append([]byte{0x3a, 0x21}, compressed...))
}

func restKey(public hiero.PublicKey) *Key {
	if raw := public.BytesRaw(); len(raw) == 33 {
		return &Key{Type: keyECDSA, Key: hex.EncodeToString(raw)}
	}
	return &Key{Type: keyED25519, Key: hex.EncodeToString(public.BytesRaw())}
}

// proto is the key as HAPI has it, nil for one that makes no sense.
func (k *Key) proto() *services.Key {
	if k == nil {
		return nil
	}
	raw, err := hex.DecodeString(k.Key)
	if err != nil {
		return nil
	}
	switch k.Type {
	case keyED25519:
		return &services.Key{Key: &services.Key_Ed25519{Ed25519: raw}}
	case keyECDSA:
		return &services.Key{Key: &services.Key_ECDSASecp256K1{ECDSASecp256K1: raw}}
	}
	key := new(services.Key)
	if proto.Unmarshal(raw, key) != nil {
		return nil
	}
	return key
}

// signatures are those of a transaction.
type signatures struct {
	signed []byte // what was signed: the bytes of the transaction's body
	pairs  []*services.SignaturePair
}

// satisfy tells whether the key has signed: an ECDSA key the Keccak-256 hash
// (HIP-222), of a list all keys, of a threshold key enough of them.
func (s signatures) satisfy(key *services.Key) bool {
	switch k := key.GetKey().(type) {
	case *services.Key_Ed25519:
		public, err := hiero.PublicKeyFromBytesEd25519(k.Ed25519)
		return err == nil && s.verify(public, (*services.SignaturePair).GetEd25519)
	case *services.Key_ECDSASecp256K1:
		public, err := hiero.PublicKeyFromBytesECDSA(k.ECDSASecp256K1)
		return err == nil && s.verify(public, (*services.SignaturePair).GetECDSASecp256K1)
	case *services.Key_KeyList:
		keys := k.KeyList.GetKeys()
		return len(keys) > 0 && !slices.ContainsFunc(keys, func(key *services.Key) bool { return !s.satisfy(key) })
	case *services.Key_ThresholdKey:
		count := 0
		for _, key := range k.ThresholdKey.GetKeys().GetKeys() {
			if s.satisfy(key) {
				count++
			}
		}
		return count > 0 && count >= int(k.ThresholdKey.GetThreshold())
	}
	return false
}

// verify looks for the signature by the prefix of the public key.
func (s signatures) verify(public hiero.PublicKey, signature func(*services.SignaturePair) []byte) bool {
	return slices.ContainsFunc(s.pairs, func(pair *services.SignaturePair) bool {
		signed := signature(pair)
		return len(signed) > 0 && bytes.HasPrefix(public.BytesRaw(), pair.GetPubKeyPrefix()) &&
			public.VerifySignedMessage(s.signed, signed)
	})
}

// SetKey gives an account a key: a private or public one of either kind, in the
// DER encoding of Hedera's tools. The private part of a private one is known to
// PrivateKey from now on.
func (l *Ledger) SetKey(account, key string) error {
	a, err := l.findAccount(account)
	if err != nil {
		return err
	}
	if private, err := hiero.PrivateKeyFromStringDer(key); err == nil {
		a.Key, a.private = restKey(private.PublicKey()), &private
		return nil
	}
	public, err := hiero.PublicKeyFromString(key)
	if err != nil {
		return fmt.Errorf("account %s: key is neither a private nor a public one of ED25519 or ECDSA secp256k1 in DER", account)
	}
	a.Key, a.private = restKey(public), nil
	return nil
}

// PrivateKey signs for an account: the system accounts, those of the nodes, the
// first 100 of the deterministic ones that have a key, and whoever got one by
// SetKey. It fails for all others.
func (s *Simulator) PrivateKey(account string) (hiero.PrivateKey, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ledger.privateKey(account)
}

func (l *Ledger) privateKey(account string) (hiero.PrivateKey, error) {
	a, err := l.findAccount(account)
	if err != nil {
		return hiero.PrivateKey{}, err
	}
	if a.private == nil {
		return hiero.PrivateKey{}, fmt.Errorf("account %s: the private key is %w", account, errUnknown)
	}
	return *a.private, nil
}

func keyControls() map[string]controlCall {
	type body struct {
		Key string `json:"key"`
	}
	return map[string]controlCall{
		"GET /simulator/accounts/{id}/key": reading(func(l *Ledger, r *http.Request) (any, error) {
			private, err := l.privateKey(r.PathValue("id"))
			if err != nil {
				return nil, err
			}
			return body{private.StringDer()}, nil
		}),
		"PUT /simulator/accounts/{id}/key": updating(func(l *Ledger, r *http.Request, b body) (any, error) {
			return nil, l.SetKey(r.PathValue("id"), b.Key)
		}),
	}
}
