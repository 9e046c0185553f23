// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// newCertificate makes the self-signed certificate of a node. It depends on
// nothing but its arguments: Ed25519 signatures are deterministic, serial and
// validity are fixed. A higher generation gives another certificate.
func newCertificate(seed, nodeID int64, generation int) (tls.Certificate, error) {
	keySeed := sha256.Sum256(fmt.Appendf(nil, "hedera_simulator %d %d %d", seed, nodeID, generation))
	key := ed25519.NewKeyFromSeed(keySeed[:])
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1 + nodeID),
		Subject:               pkix.Name{CommonName: fmt.Sprintf("simulated node %d", nodeID)},
		NotBefore:             time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2036, time.January, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate of node %d: %w", nodeID, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// certificateHash is what the address book says about a certificate: the hex
// SHA-384 of its PEM encoding (FACTS.md 3).
func certificateHash(der []byte) string {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	sum := sha512.Sum384(block)
	return hex.EncodeToString(sum[:])
}
