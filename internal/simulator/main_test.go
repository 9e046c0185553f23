// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"hedera_exporter/internal/leaktest"
)

func TestMain(m *testing.M) {
	leaktest.VerifyTestMain(m)
}

// deadline is generous: it ends a test that would otherwise hang.
const deadline = 20 * time.Second

// fixedNow is the clock of static networks in these tests.
func fixedNow() time.Time {
	return time.Date(2026, time.November, 23, 12, 0, 1, 0, time.UTC)
}

// startStatic starts a network that does not move by itself.
func startStatic(t *testing.T, opts Options) *Simulator {
	t.Helper()
	opts.Static = true
	opts.Now = fixedNow
	return startNetwork(t, opts)
}

func startNetwork(t *testing.T, opts Options) *Simulator {
	t.Helper()
	s, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newHTTPClient has a transport of its own, so that goleak sees what a test
// leaves behind.
func newHTTPClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: deadline}
}

type response struct {
	status int
	header http.Header
	body   []byte
}

// send makes one request; path begins with "/".
func send(t *testing.T, s *Simulator, method, path string, body io.Reader) response {
	t.Helper()
	answer, err := trySend(t, newHTTPClient(t), s, method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func trySend(t *testing.T, client *http.Client, s *Simulator, method, path string, body io.Reader) (response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, content}, err
}

// getJSON expects 200 and decodes the body.
func getJSON[T any](t *testing.T, s *Simulator, path string) T {
	t.Helper()
	answer := send(t, s, http.MethodGet, path, nil)
	if answer.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, answer.status, answer.body)
	}
	var value T
	if err := json.Unmarshal(answer.body, &value); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, answer.body)
	}
	return value
}

// dialGRPC connects in plaintext, or with creds.
func dialGRPC(t *testing.T, address string, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

// costQuery asks a node what the information about an account costs.
func costQuery(num int64) *services.Query {
	return &services.Query{Query: &services.Query_CryptoGetInfo{CryptoGetInfo: &services.CryptoGetInfoQuery{
		Header:    &services.QueryHeader{ResponseType: services.ResponseType_COST_ANSWER},
		AccountID: accountNum(num),
	}}}
}

func accountNum(num int64) *services.AccountID {
	return &services.AccountID{Account: &services.AccountID_AccountNum{AccountNum: num}}
}

// refuses tells whether nothing listens at the address.
func refuses(t *testing.T, address string) bool {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(testContext(t), "tcp", address)
	if err != nil {
		return true
	}
	_ = conn.Close()
	return false
}

func addBlock(s *Simulator) (block Block) {
	_ = s.Update(func(l *Ledger) error { block = l.AddBlock(); return nil })
	return block
}

func addBlockWith(s *Simulator, count int, gasUsed int64) (block Block) {
	_ = s.Update(func(l *Ledger) error { block = l.AddBlockWith(count, gasUsed); return nil })
	return block
}

func addMessage(s *Simulator, topic string, at time.Time) (sequence int64, err error) {
	err = s.Update(func(l *Ledger) error { sequence, err = l.AddTopicMessage(topic, at); return err })
	return sequence, err
}
