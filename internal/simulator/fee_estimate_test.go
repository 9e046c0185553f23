// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

// serialized is a transaction with so many signatures.
func serialized(t *testing.T, body *services.TransactionBody, signatures int) []byte {
	t.Helper()
	marshal := func(m proto.Message) []byte {
		content, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	pairs := make([]*services.SignaturePair, signatures)
	for i := range pairs {
		pairs[i] = &services.SignaturePair{Signature: &services.SignaturePair_Ed25519{Ed25519: make([]byte, 64)}}
	}
	signed := marshal(&services.SignedTransaction{BodyBytes: marshal(body), SigMap: &services.SignatureMap{SigPair: pairs}})
	return marshal(&services.Transaction{SignedTransactionBytes: signed})
}

func postFees(t *testing.T, s *Simulator, query, contentType string, content []byte) (status int, body string) {
	t.Helper()
	return post(t, s, "/api/v1/network/fees"+query, contentType, content)
}

func post(t *testing.T, s *Simulator, path, contentType string, content []byte) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := newHTTPClient(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestFeeEstimate has the answers of docs/hedera.md 1.3.
func TestFeeEstimate(t *testing.T) {
	const protobuf = "application/protobuf"
	message := &services.TransactionBody{Data: &services.TransactionBody_ConsensusSubmitMessage{ConsensusSubmitMessage: &services.ConsensusSubmitMessageTransactionBody{}}}
	transfer := &services.TransactionBody{Data: &services.TransactionBody_CryptoTransfer{CryptoTransfer: &services.CryptoTransferTransactionBody{}}}
	freeze := &services.TransactionBody{Data: &services.TransactionBody_Freeze{Freeze: &services.FreezeTransactionBody{}}}
	tests := map[string]struct {
		query, contentType string
		content            []byte
		status             int
		want               string
	}{
		"message":                {"", protobuf, serialized(t, message, 1), 200, `"total":8000000}`},
		"message, by state":      {"?mode=STATE", protobuf, serialized(t, message, 1), 200, `"total":8000000}`},
		"two signatures":         {"", "application/x-protobuf", serialized(t, message, 2), 200, `"total":9000000}`},
		"transfer":               {"?mode=INTRINSIC", protobuf, serialized(t, transfer, 1), 200, `"total":1000000}`},
		"another type":           {"", protobuf, serialized(t, freeze, 1), 400, "Unknown transaction type"},
		"nothing":                {"", protobuf, nil, 400, "Transaction must contain"},
		"not a transaction":      {"", protobuf, []byte("no"), 400, "Unable to parse transaction"},
		"JSON":                   {"", "application/json", []byte("{}"), 415, "Unsupported Media Type"},
		"an unknown mode":        {"?mode=GUESS", protobuf, serialized(t, transfer, 1), 400, "mode"},
		"an unknown query param": {"?order=asc", protobuf, serialized(t, transfer, 1), 400, "order"},
	}
	s := startStatic(t, Options{Nodes: 1})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := postFees(t, s, test.query, test.contentType, test.content)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("got %d %s, want %d and %s", status, body, test.status, test.want)
			}
		})
	}

	mustControl(t, s, "PUT", "fee", `{"transaction_type":"CryptoTransfer","tinycents":5}`)
	if status, body := postFees(t, s, "", protobuf, serialized(t, transfer, 1)); status != 200 || !strings.Contains(body, `"total":1000005}`) {
		t.Errorf("after a change: %d %s", status, body)
	}
	if got := control(t, s, "PUT", "fee", `{"transaction_type":"Gift","tinycents":5}`); got.status != 400 {
		t.Errorf("an unknown type: %d", got.status)
	}
	mustControl(t, s, "PUT", "mirror", `{"missing":["fee-estimates"]}`)
	if status, _ := postFees(t, s, "", protobuf, serialized(t, transfer, 1)); status != 405 {
		t.Errorf("an old mirror: %d, want 405", status)
	}
	if got := send(t, s, http.MethodGet, "/api/v1/network/fees", nil); got.status != 200 {
		t.Errorf("the prices of gas: %d", got.status)
	}
}
