// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

const (
	ecdsaPayer = "0.0.1001" // of the simulator's accounts
	edPayer    = "0.0.1002"
	emptyTopic = "0.0.2450001"

	transferFee = 50_252 // tinybar, of $0.0001
	messageFee  = 402_018
)

// payer submits transactions of a simulated network to its first node.
type payer struct {
	t       *testing.T
	sim     *simulator.Simulator
	client  *NodeClient
	node    Node
	account hiero.AccountID
	key     hiero.PrivateKey
}

// withPayer runs test in a bubble, with a second from the answer to consensus.
func withPayer(t *testing.T, account string, test func(t *testing.T, p *payer)) {
	t.Helper()
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim := startWith(t, simulator.Options{Nodes: 1, Accounts: 2, Listen: memory.Listen, ConsensusDelay: time.Second})
		key, err := sim.PrivateKey(account)
		if err != nil {
			t.Fatal(err)
		}
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance(account, 1_000_000_000) }); err != nil {
			t.Fatal(err)
		}
		book := sim.Nodes()[0]
		node := Node{ID: book.NodeID, AccountID: book.AccountID, CertificateHash: book.CertHash}
		client, err := NewNodeClient(node, secureEndpoint(t, sim), memory.DialContext)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		test(t, &payer{t, sim, client, node, parseAccount(t, account), key})
	})
}

func secureEndpoint(t *testing.T, sim *simulator.Simulator) Endpoint {
	t.Helper()
	for _, e := range sim.Nodes()[0].Endpoints {
		if e.TLS {
			return Endpoint(e)
		}
	}
	t.Fatal("no endpoint has TLS")
	return Endpoint{}
}

func parseAccount(t *testing.T, id string) hiero.AccountID {
	t.Helper()
	account, err := hiero.AccountIDFromString(id)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func (p *payer) header() TransactionHeader {
	p.t.Helper()
	return TransactionHeader{
		Payer: p.account, Node: parseAccount(p.t, p.node.AccountID), Memo: "canary",
		ValidStart: time.Now().Add(-2 * time.Second), ValidDuration: 30 * time.Second, MaxFee: 100_000_000,
	}
}

func (p *payer) transfer() *services.TransactionBody {
	p.t.Helper()
	return NewTransfer(p.header(), parseAccount(p.t, p.node.AccountID), 1)
}

func (p *payer) message() *services.TransactionBody {
	p.t.Helper()
	topic, err := hiero.TopicIDFromString(emptyTopic)
	if err != nil {
		p.t.Fatal(err)
	}
	return NewMessage(p.header(), topic, []byte("canary"))
}

func (p *payer) inject(fault simulator.Fault) {
	p.t.Helper()
	if _, err := p.sim.InjectFault(fault); err != nil {
		p.t.Fatal(err)
	}
}

// wantReceipt asks once.
func (p *payer) wantReceipt(body *services.TransactionBody, status string, final bool) *services.TransactionReceipt {
	p.t.Helper()
	receipt, got, err := p.client.Receipt(deadline(p.t), body.GetTransactionID())
	if err != nil || receipt.GetStatus().String() != status || got != final {
		p.t.Errorf("receipt: got %v, %t, %v, want %s, %t", receipt, got, err, status, final)
	}
	return receipt
}

func TestSubmit(t *testing.T) {
	for _, tc := range []struct {
		name    string
		account string
		body    func(*payer) *services.TransactionBody
		kind    string
		fee     int64
	}{
		{"transfer, ED25519", edPayer, (*payer).transfer, "CRYPTOTRANSFER", transferFee},
		{"transfer, ECDSA", ecdsaPayer, (*payer).transfer, "CRYPTOTRANSFER", transferFee},
		{"message, ED25519", edPayer, (*payer).message, "CONSENSUSSUBMITMESSAGE", messageFee},
		{"message, ECDSA", ecdsaPayer, (*payer).message, "CONSENSUSSUBMITMESSAGE", messageFee},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withPayer(t, tc.account, func(t *testing.T, p *payer) {
				body := tc.body(p)
				p.wantReceipt(body, "RECEIPT_NOT_FOUND", false)
				precheck, err := p.client.Submit(deadline(t), body, p.key)
				if err != nil || precheck.Code != services.ResponseCodeEnum_OK {
					t.Fatalf("got %+v, %v", precheck, err)
				}
				p.wantReceipt(body, "UNKNOWN", false)
				time.Sleep(2 * time.Second)
				receipt := p.wantReceipt(body, "SUCCESS", true)
				if isMessage := tc.fee == messageFee; isMessage != (receipt.GetTopicSequenceNumber() == 1) {
					t.Errorf("got %v", receipt)
				}
				totals := p.sim.AccountTotals(tc.account)
				if totals.Fees != tc.fee || totals.ByTypeResult[[2]string{tc.kind, "SUCCESS"}] != 1 {
					t.Errorf("the ledger has %+v", totals)
				}
			})
		})
	}
}

func TestSubmitIsRefused(t *testing.T) {
	withPayer(t, edPayer, func(t *testing.T, p *payer) {
		poor := p.transfer()
		poor.TransactionFee = transferFee - 1
		for _, tc := range []struct {
			name string
			body *services.TransactionBody
			want Precheck
		}{
			{"small fee", poor, Precheck{services.ResponseCodeEnum_INSUFFICIENT_TX_FEE, transferFee}},
			{"to oneself", NewTransfer(p.header(), p.account, 1), Precheck{Code: services.ResponseCodeEnum_ACCOUNT_REPEATED_IN_ACCOUNT_AMOUNTS}},
		} {
			precheck, err := p.client.Submit(deadline(t), tc.body, p.key)
			if err != nil || precheck != tc.want {
				t.Errorf("%s: got %+v, %v, want %+v", tc.name, precheck, err, tc.want)
			}
		}
		p.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultPrecheck, Code: "BUSY"})
		if precheck, err := p.client.Submit(deadline(t), p.transfer(), p.key); err != nil || precheck.Code != services.ResponseCodeEnum_BUSY {
			t.Errorf("got %+v, %v", precheck, err)
		}
	})
}

// Each failure is an error that names node and endpoint, and costs one call.
func TestSubmitFails(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(p *payer)
		want  codes.Code
		calls int
	}{
		{"status", func(p *payer) {
			p.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultStatus, Status: int(codes.Unavailable), Count: 1})
		}, codes.Unavailable, 1},
		{"no answer", func(p *payer) {
			p.inject(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultHang})
		}, codes.DeadlineExceeded, 1},
		{"stopped", func(p *payer) {
			if err := p.sim.StopNode(p.node.ID); err != nil {
				p.t.Fatal(err)
			}
		}, codes.Unavailable, 0},
		{"hanging endpoint", func(p *payer) {
			if err := p.sim.HangEndpoint(p.client.endpoint.Address); err != nil {
				p.t.Fatal(err)
			}
		}, codes.DeadlineExceeded, 0},
		{"closed", func(p *payer) { p.client.Close() }, codes.Canceled, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withPayer(t, edPayer, func(t *testing.T, p *payer) {
				tc.fault(p)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := p.client.Submit(ctx, p.transfer(), p.key)
				if status.Code(err) != tc.want {
					t.Errorf("got %v, want %s", err, tc.want)
				}
				if err != nil && !strings.HasPrefix(err.Error(), "node 0 (0.0.3) at "+p.client.endpoint.Address+": cryptoTransfer: ") {
					t.Errorf("got %q", err)
				}
				if err != nil && strings.Contains(err.Error(), p.key.StringRaw()) {
					t.Error("the key is in the error")
				}
				if calls := p.sim.Requests()["grpc cryptoTransfer"]; calls != tc.calls {
					t.Errorf("the node had %d calls, want %d", calls, tc.calls)
				}
			})
		})
	}
}

func TestSubmitToAnotherCertificate(t *testing.T) {
	withPayer(t, edPayer, func(t *testing.T, p *payer) {
		if err := p.sim.SwapCertificate(p.node.ID); err != nil {
			t.Fatal(err)
		}
		_, err := p.client.Submit(deadline(t), p.transfer(), p.key)
		var mismatch *CertificateError
		if !errors.As(err, &mismatch) || mismatch.Book != p.node.CertificateHash || mismatch.Presented == mismatch.Book {
			t.Errorf("got %v", err)
		}
		if calls := p.sim.Requests()["grpc cryptoTransfer"]; calls != 0 {
			t.Error("the transaction was sent")
		}
	})
}

func TestSubmitToVerifiedEndpointsOnly(t *testing.T) {
	hash := strings.Repeat("ab", 48)
	for name, tc := range map[string]struct {
		node     Node
		endpoint Endpoint
	}{
		"plaintext": {Node{CertificateHash: hash}, Endpoint{Address: "192.0.2.1:50211"}},
		"no hash":   {Node{}, Endpoint{Address: "192.0.2.1:50212", TLS: true}},
	} {
		if client, err := NewNodeClient(tc.node, tc.endpoint, nil); !errors.Is(err, errUnverified) {
			client.Close()
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What the network loses stays UNKNOWN, what it refuses is final.
func TestReceiptOfFaults(t *testing.T) {
	for _, tc := range []struct {
		fault simulator.Fault
		want  string
		final bool
	}{
		{simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultLost}, "UNKNOWN", false},
		{simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultNoReceipt}, "UNKNOWN", false},
		{simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultFail, Code: "INVALID_TOPIC_ID"}, "INVALID_TOPIC_ID", true},
		{simulator.Fault{Path: simulator.ReceiptsFault, Kind: simulator.FaultPrecheck, Code: "BUSY"}, "BUSY", false},
	} {
		t.Run(tc.fault.Kind, func(t *testing.T) {
			withPayer(t, edPayer, func(t *testing.T, p *payer) {
				p.inject(tc.fault)
				body := p.message()
				if precheck, err := p.client.Submit(deadline(t), body, p.key); err != nil || precheck.Code != services.ResponseCodeEnum_OK {
					t.Fatalf("got %+v, %v", precheck, err)
				}
				time.Sleep(2 * time.Second)
				p.wantReceipt(body, tc.want, tc.final)
			})
		})
	}
}

// A node that goes away between the stages costs this client only.
func TestReceiptFromAStoppedNode(t *testing.T) {
	withPayer(t, edPayer, func(t *testing.T, p *payer) {
		body := p.transfer()
		if _, err := p.client.Submit(deadline(t), body, p.key); err != nil {
			t.Fatal(err)
		}
		if err := p.sim.StopNode(p.node.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.client.Receipt(deadline(t), body.GetTransactionID()); status.Code(err) != codes.Unavailable {
			t.Errorf("got %v", err)
		}
		if err := p.sim.StartNode(p.node.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		p.wantReceipt(body, "SUCCESS", true)
	})
}
