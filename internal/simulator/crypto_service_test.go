// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/tls"
	"errors"
	"testing"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

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
	if err := s.DeleteAccount("0.0.1001"); err != nil {
		t.Fatal(err)
	}
	busy, fine := s.Nodes()[0], s.Nodes()[1]
	if err := s.SetPrecheck(busy.NodeID, services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE); err != nil {
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
	if err := s.DeleteAccount("0.0.1002"); err != nil {
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

	s.AnswerBalanceQueries(true)
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
