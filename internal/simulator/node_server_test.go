// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// presented returns the hash of the certificate that an endpoint shows.
func presented(t *testing.T, address string) string {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(testContext(t), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	state := conn.(*tls.Conn).ConnectionState()
	return certificateHash(state.PeerCertificates[0].Raw)
}

func endpointOf(t *testing.T, node Node, useTLS bool) string {
	t.Helper()
	for _, e := range node.Endpoints {
		if e.TLS == useTLS {
			return e.Address
		}
	}
	t.Fatalf("node %d has no such endpoint", node.NodeID)
	return ""
}

func TestEveryTLSEndpointPresentsTheBooksCertificate(t *testing.T) {
	s := startStatic(t, Options{})
	endpoints, checked := 0, 0
	for _, node := range s.Nodes() {
		for _, e := range node.Endpoints {
			endpoints++
			if !e.TLS {
				continue
			}
			checked++
			if got := presented(t, e.Address); got != node.CertHash {
				t.Errorf("node %d at %s presents %s, the book says %s", node.NodeID, e.Address, got, node.CertHash)
			}
		}
	}
	if len(s.Nodes()) != 29 || endpoints != 118 || checked != len(s.TLSPorts()) {
		t.Errorf("%d nodes, %d endpoints, %d of them TLS, %d TLS ports", len(s.Nodes()), endpoints, checked, len(s.TLSPorts()))
	}
}

func TestStopAndStartNode(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2})
	stopped, other := s.Nodes()[0], s.Nodes()[1]
	if err := s.StopNode(stopped.NodeID); err != nil {
		t.Fatal(err)
	}
	for _, e := range stopped.Endpoints {
		if !refuses(t, e.Address) {
			t.Errorf("%s answers after its node was stopped", e.Address)
		}
	}
	for _, e := range other.Endpoints {
		if refuses(t, e.Address) {
			t.Errorf("%s of another node was stopped", e.Address)
		}
	}

	if err := s.StartNode(stopped.NodeID); err != nil {
		t.Fatal(err)
	}
	for _, e := range stopped.Endpoints {
		if refuses(t, e.Address) {
			t.Errorf("%s refuses after its node was started again", e.Address)
		}
	}
	if got := presented(t, endpointOf(t, stopped, true)); got != stopped.CertHash {
		t.Errorf("the certificate changed to %s", got)
	}
}

func TestStopEndpointAlone(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	endpoints := s.Nodes()[0].Endpoints
	if err := s.StopEndpoint(endpoints[1].Address); err != nil {
		t.Fatal(err)
	}
	for i, e := range endpoints {
		if got := refuses(t, e.Address); got != (i == 1) {
			t.Errorf("endpoint %d refuses: %t", i, got)
		}
	}
	if err := s.StartEndpoint(endpoints[1].Address); err != nil {
		t.Fatal(err)
	}
	if refuses(t, endpoints[1].Address) {
		t.Error("the endpoint did not come back")
	}
}

func TestStartKeepsConnections(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	node := s.Nodes()[0]
	conn := rawConnection(t, endpointOf(t, node, false))
	if err := s.StartNode(node.NodeID); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("starting a running node ended its connection: %v", err)
	}
}

func TestHangEndpoint(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	address := s.Nodes()[0].Endpoints[0].Address
	if err := s.HangEndpoint(address); err != nil {
		t.Fatal(err)
	}
	conn := rawConnection(t, address)
	if _, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); !errors.Is(err, os.ErrDeadlineExceeded) || len(answer) > 0 {
		t.Fatalf("got %q, %v, want silence", answer, err)
	}

	if err := s.StartEndpoint(address); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the hanging connection was not dropped: %v", err)
	}
	if refuses(t, address) {
		t.Error("the endpoint did not come back")
	}
}

func TestSwapCertificate(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2})
	swapped, other := s.Nodes()[0], s.Nodes()[1]
	secure := endpointOf(t, swapped, true)
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	held, err := dialer.DialContext(testContext(t), "tcp", secure)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()

	if err := s.SwapCertificate(swapped.NodeID); err != nil {
		t.Fatal(err)
	}
	if err := held.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(held); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the TLS connection outlived the swap")
	}
	first := presented(t, secure)
	if first == swapped.CertHash {
		t.Error("the old certificate is still presented")
	}
	if s.Nodes()[0].CertHash != swapped.CertHash {
		t.Error("the address book changed")
	}
	if presented(t, endpointOf(t, other, true)) != other.CertHash {
		t.Error("another node's certificate changed")
	}
	if err := s.SwapCertificate(swapped.NodeID); err != nil {
		t.Fatal(err)
	}
	if second := presented(t, secure); second == first || second == swapped.CertHash {
		t.Error("the second swap gave no new certificate")
	}
}

func TestSwapLeavesStoppedEndpointsStopped(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	node := s.Nodes()[0]
	secure := endpointOf(t, node, true)
	if err := s.StopEndpoint(secure); err != nil {
		t.Fatal(err)
	}
	if err := s.SwapCertificate(node.NodeID); err != nil {
		t.Fatal(err)
	}
	if !refuses(t, secure) {
		t.Fatal("the swap started a stopped endpoint")
	}
	if err := s.StartEndpoint(secure); err != nil {
		t.Fatal(err)
	}
	if presented(t, secure) == node.CertHash {
		t.Error("the old certificate came back")
	}
}

func TestRemoveNode(t *testing.T) {
	s := startStatic(t, Options{Nodes: 3})
	removed := s.Nodes()[1]
	if err := s.RemoveNode(removed.NodeID); err != nil {
		t.Fatal(err)
	}
	for _, node := range s.Nodes() {
		if node.NodeID == removed.NodeID {
			t.Error("the node is still in the book")
		}
	}
	if !refuses(t, removed.Endpoints[0].Address) {
		t.Error("the removed node still answers")
	}
	if err := s.StartNode(removed.NodeID); !errors.Is(err, errUnknown) {
		t.Errorf("start of a removed node: %v", err)
	}
}

func TestUnknownNodesAndEndpoints(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for name, err := range map[string]error{
		"StopNode":        s.StopNode(77),
		"StartNode":       s.StartNode(77),
		"SwapCertificate": s.SwapCertificate(77),
		"RemoveNode":      s.RemoveNode(77),
		"SetPrecheck":     s.Update(func(l *Ledger) error { return l.SetPrecheck(77, services.ResponseCodeEnum_BUSY) }),
		"StopEndpoint":    s.StopEndpoint("127.0.0.1:1"),
		"StartEndpoint":   s.StartEndpoint("127.0.0.1:1"),
		"HangEndpoint":    s.HangEndpoint("127.0.0.1:1"),
	} {
		if !errors.Is(err, errUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func rawConnection(t *testing.T, address string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(testContext(t), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

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

// checkedTLS verifies the certificate against the address book's hash.
func checkedTLS(hash string) credentials.TransportCredentials {
	return credentials.NewTLS(&tls.Config{
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if certificateHash(state.PeerCertificates[0].Raw) != hash {
				return errors.New("certificate is not the address book's")
			}
			return nil
		},
	})
}

func accountInfoHeader(t *testing.T, conn *grpc.ClientConn, query *services.Query) *services.ResponseHeader {
	t.Helper()
	answer, err := services.NewCryptoServiceClient(conn).GetAccountInfo(testContext(t), query)
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetCryptoGetInfo().GetHeader()
}

func TestCostAnswer(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	node := s.Nodes()[0]
	for name, conn := range map[string]*grpc.ClientConn{
		"plaintext": dialGRPC(t, endpointOf(t, node, false), nil),
		"TLS":       dialGRPC(t, endpointOf(t, node, true), checkedTLS(node.CertHash)),
	} {
		t.Run(name, func(t *testing.T) {
			header := accountInfoHeader(t, conn, costQuery(2))
			if header.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_OK || header.GetCost() == 0 {
				t.Errorf("got %v", header)
			}
			if header.GetResponseType() != services.ResponseType_COST_ANSWER {
				t.Errorf("response type is %v", header.GetResponseType())
			}
		})
	}
	if got := s.Requests()["grpc getAccountInfo"]; got != 2 {
		t.Errorf("counted %d requests, want 2", got)
	}
}

func TestSwappedCertificateFailsTheHashCheck(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	node := s.Nodes()[0]
	if err := s.SwapCertificate(node.NodeID); err != nil {
		t.Fatal(err)
	}
	conn := dialGRPC(t, endpointOf(t, node, true), checkedTLS(node.CertHash))
	_, err := services.NewCryptoServiceClient(conn).GetAccountInfo(testContext(t), costQuery(2))
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestAccountInfoPrechecks(t *testing.T) {
	s := startStatic(t, Options{Nodes: 2, Accounts: 1})
	if err := s.Update(func(l *Ledger) error { return l.DeleteAccount("0.0.1001") }); err != nil {
		t.Fatal(err)
	}
	busy, fine := s.Nodes()[0], s.Nodes()[1]
	if err := s.Update(func(l *Ledger) error {
		return l.SetPrecheck(busy.NodeID, services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE)
	}); err != nil {
		t.Fatal(err)
	}
	paid := costQuery(2)
	paid.GetCryptoGetInfo().Header.ResponseType = services.ResponseType_ANSWER_ONLY
	headless := costQuery(2)
	headless.GetCryptoGetInfo().Header = nil
	alias := costQuery(2)
	alias.GetCryptoGetInfo().AccountID = &services.AccountID{Account: &services.AccountID_Alias{Alias: []byte{1}}}

	for _, tc := range []struct {
		name  string
		node  Node
		query *services.Query
		want  services.ResponseCodeEnum
	}{
		{"set", busy, costQuery(2), services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE},
		{"other node", fine, costQuery(2), services.ResponseCodeEnum_OK},
		{"unknown account", fine, costQuery(5000), services.ResponseCodeEnum_INVALID_ACCOUNT_ID},
		{"negative account", fine, costQuery(-1), services.ResponseCodeEnum_INVALID_ACCOUNT_ID},
		{"alias", fine, alias, services.ResponseCodeEnum_INVALID_ACCOUNT_ID},
		{"deleted account", fine, costQuery(1001), services.ResponseCodeEnum_ACCOUNT_DELETED},
		{"unpaid answer", fine, paid, services.ResponseCodeEnum_INVALID_TRANSACTION},
		{"no header", fine, headless, services.ResponseCodeEnum_MISSING_QUERY_HEADER},
		{"empty query", fine, &services.Query{}, services.ResponseCodeEnum_MISSING_QUERY_HEADER},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := accountInfoHeader(t, dialGRPC(t, endpointOf(t, tc.node, false), nil), tc.query)
			if got := header.GetNodeTransactionPrecheckCode(); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if (header.GetCost() > 0) != (tc.want == services.ResponseCodeEnum_OK) {
				t.Errorf("cost is %d", header.GetCost())
			}
		})
	}
}

func TestCryptoGetBalance(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 2})
	if err := s.Update(func(l *Ledger) error { return l.DeleteAccount("0.0.1002") }); err != nil {
		t.Fatal(err)
	}
	client := services.NewCryptoServiceClient(dialGRPC(t, endpointOf(t, s.Nodes()[0], false), nil))
	ask := func(num int64) *services.CryptoGetAccountBalanceResponse {
		answer, err := client.CryptoGetBalance(testContext(t), &services.Query{
			Query: &services.Query_CryptogetAccountBalance{CryptogetAccountBalance: &services.CryptoGetAccountBalanceQuery{
				Header:        &services.QueryHeader{},
				BalanceSource: &services.CryptoGetAccountBalanceQuery_AccountID{AccountID: accountNum(num)},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetCryptogetAccountBalance()
	}

	if code := ask(2).GetHeader().GetNodeTransactionPrecheckCode(); code != services.ResponseCodeEnum_BUSY {
		t.Errorf("by default: got %v, want BUSY", code)
	}

	_ = s.Update(func(l *Ledger) error { l.AnswerBalanceQueries(true); return nil })
	treasury, _ := s.Balance("0.0.2")
	if got := ask(2); got.GetBalance() != uint64(treasury) || got.GetAccountID().GetAccountNum() != 2 {
		t.Errorf("treasury: got %v, want %d", got, treasury)
	}
	for num, want := range map[int64]services.ResponseCodeEnum{
		1001: services.ResponseCodeEnum_OK,
		1002: services.ResponseCodeEnum_ACCOUNT_DELETED,
		5000: services.ResponseCodeEnum_INVALID_ACCOUNT_ID,
	} {
		answer := ask(num)
		if got := answer.GetHeader().GetNodeTransactionPrecheckCode(); got != want {
			t.Errorf("0.0.%d: got %v, want %v", num, got, want)
		}
		if want != services.ResponseCodeEnum_OK && answer.GetBalance() != 0 {
			t.Errorf("0.0.%d: got a balance with %v", num, want)
		}
	}
	if got := s.Requests()["grpc cryptoGetBalance"]; got != 5 {
		t.Errorf("counted %d requests, want 5", got)
	}
}

func TestUnimplementedCalls(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	conn := dialGRPC(t, endpointOf(t, s.Nodes()[0], false), nil)
	_, healthErr := healthpb.NewHealthClient(conn).Check(testContext(t), &healthpb.HealthCheckRequest{})
	_, recordsErr := services.NewCryptoServiceClient(conn).GetAccountRecords(testContext(t), &services.Query{})
	for name, err := range map[string]error{"health": healthErr, "records": recordsErr} {
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
