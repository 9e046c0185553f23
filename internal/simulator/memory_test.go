// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"testing"

	"hedera_exporter/internal/memnet"
)

// newMemoryHTTPClient is newHTTPClient in a bubble.
func newMemoryHTTPClient(t *testing.T, memory *memnet.Network) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: memory.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: deadline}
}

// latestBlock is the number of the latest block that the mirror lists.
func latestBlock(t *testing.T, client *http.Client, s *Simulator) int64 {
	t.Helper()
	answer, err := trySend(t, client, s, http.MethodGet, "/api/v1/blocks?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	var list blockList
	if err := json.Unmarshal(answer.body, &list); err != nil || len(list.Blocks) != 1 {
		t.Fatalf("%v: %s", err, answer.body)
	}
	return list.Blocks[0].Number
}
