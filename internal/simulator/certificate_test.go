// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestNewCertificate(t *testing.T) {
	hash := func(seed, nodeID int64, generation int) string {
		certificate, err := newCertificate(seed, nodeID, generation)
		if err != nil {
			t.Fatal(err)
		}
		return certificateHash(certificate.Certificate[0])
	}
	first := hash(1, 3, 0)
	if first != hash(1, 3, 0) {
		t.Error("a certificate is not reproducible")
	}
	for name, other := range map[string]string{
		"seed": hash(2, 3, 0), "node": hash(1, 4, 0), "generation": hash(1, 3, 1),
	} {
		if other == first {
			t.Errorf("another %s gives the same certificate", name)
		}
	}
}

func TestCertificateValidity(t *testing.T) {
	certificate, err := newCertificate(1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2036, time.January, 1, 0, 0, 0, 0, time.UTC); !parsed.NotAfter.Equal(want) {
		t.Errorf("valid until %s, want %s", parsed.NotAfter, want)
	}
}
