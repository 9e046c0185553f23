// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"hedera_exporter/internal/memnet"
)

// submitter is a client of the nodes of a network in a bubble.
type submitter struct {
	t       *testing.T
	s       *Simulator
	memory  *memnet.Network
	http    *http.Client
	conns   map[int64]*grpc.ClientConn
	counter atomic.Int64
}

const (
	edPayer    = "0.0.1002" // of the deterministic accounts
	ecdsaPayer = "0.0.1001"
	payerHbar  = 100 * tinybarPerHbar
	openTopic  = "0.0.7002"
	validFor   = 30 * time.Second
)

// withSubmitter starts a network of two nodes in a bubble, with a topic that
// anybody may write to.
func withSubmitter(t *testing.T, opts Options, test func(t *testing.T, c *submitter)) {
	t.Helper()
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		opts.Nodes, opts.Accounts, opts.Listen = 2, 20, memory.Listen
		s := startNetwork(t, opts)
		c := &submitter{t: t, s: s, memory: memory, http: newMemoryHTTPClient(t, memory), conns: make(map[int64]*grpc.ClientConn)}
		c.update(func(l *Ledger) error {
			for _, payer := range []string{edPayer, ecdsaPayer} {
				if err := l.SetBalance(payer, payerHbar); err != nil {
					return err
				}
			}
			return l.AddTopic(Topic{ID: openTopic})
		})
		test(t, c)
	})
}

func (c *submitter) update(change func(*Ledger) error) {
	c.t.Helper()
	if err := c.s.Update(change); err != nil {
		c.t.Fatal(err)
	}
}

func (c *submitter) key(account string) hiero.PrivateKey {
	c.t.Helper()
	key, err := c.s.PrivateKey(account)
	if err != nil {
		c.t.Fatal(err)
	}
	return key
}

func (c *submitter) dial(address string) *grpc.ClientConn {
	c.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return c.memory.DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// node is a connection to one of the nodes.
func (c *submitter) node(nodeID int64) *grpc.ClientConn {
	c.t.Helper()
	if c.conns[nodeID] == nil {
		c.conns[nodeID] = c.dial(endpointOf(c.t, c.s.Nodes()[nodeID], false))
	}
	return c.conns[nodeID]
}

// draft is a transaction before it is signed.
type draft struct {
	*services.TransactionBody

	signers []hiero.PrivateKey
}

func (c *submitter) draft(payer string) draft {
	c.t.Helper()
	start := time.Now().Add(-2*time.Second + time.Duration(c.counter.Add(1)))
	return draft{
		TransactionBody: &services.TransactionBody{
			TransactionID: &services.TransactionID{
				AccountID:             protoAccount(c.t, payer),
				TransactionValidStart: &services.Timestamp{Seconds: start.Unix(), Nanos: int32(start.Nanosecond())},
			},
			NodeAccountID:            protoAccount(c.t, c.s.Nodes()[0].AccountID),
			TransactionFee:           tinybarPerHbar,
			TransactionValidDuration: &services.Duration{Seconds: int64(validFor / time.Second)},
		},
		signers: []hiero.PrivateKey{c.key(payer)},
	}
}

// transfer moves tinybar between accounts, given as pairs.
func (c *submitter) transfer(payer string, amounts ...any) draft {
	c.t.Helper()
	d := c.draft(payer)
	list := &services.TransferList{}
	for i := 0; i < len(amounts); i += 2 {
		list.AccountAmounts = append(list.AccountAmounts, &services.AccountAmount{
			AccountID: protoAccount(c.t, amounts[i].(string)),
			Amount:    int64(amounts[i+1].(int)),
		})
	}
	d.Data = &services.TransactionBody_CryptoTransfer{CryptoTransfer: &services.CryptoTransferTransactionBody{Transfers: list}}
	return d
}

// canaryTransfer is a valid one.
func (c *submitter) canaryTransfer(payer string) draft {
	c.t.Helper()
	return c.transfer(payer, payer, -1, c.s.Nodes()[0].AccountID, 1)
}

func (c *submitter) message(payer, topic, text string) draft {
	c.t.Helper()
	d := c.draft(payer)
	id, err := parseEntityID(topic)
	if err != nil {
		c.t.Fatal(err)
	}
	_, _, num := id.parts()
	d.Data = &services.TransactionBody_ConsensusSubmitMessage{ConsensusSubmitMessage: &services.ConsensusSubmitMessageTransactionBody{
		TopicID: &services.TopicID{TopicNum: num},
		Message: []byte(text),
	}}
	return d
}

func protoAccount(t *testing.T, id string) *services.AccountID {
	t.Helper()
	packed, err := parseEntityID(id)
	if err != nil {
		t.Fatal(err)
	}
	return packed.proto()
}

// sign makes the transaction that goes over the wire.
func (d draft) sign(t *testing.T) *services.Transaction {
	t.Helper()
	body, err := proto.Marshal(d.TransactionBody)
	if err != nil {
		t.Fatal(err)
	}
	signed := &services.SignedTransaction{BodyBytes: body, SigMap: &services.SignatureMap{}}
	for _, key := range d.signers {
		pair := &services.SignaturePair{PubKeyPrefix: key.PublicKey().BytesRaw()}
		if len(pair.PubKeyPrefix) == 33 {
			pair.Signature = &services.SignaturePair_ECDSASecp256K1{ECDSASecp256K1: key.Sign(body)}
		} else {
			pair.Signature = &services.SignaturePair_Ed25519{Ed25519: key.Sign(body)}
		}
		signed.SigMap.SigPair = append(signed.SigMap.SigPair, pair)
	}
	return wrap(t, signed)
}

func wrap(t *testing.T, signed *services.SignedTransaction) *services.Transaction {
	t.Helper()
	serialized, err := proto.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	return &services.Transaction{SignedTransactionBytes: serialized}
}

// send submits to the node by the method of its type.
func (c *submitter) send(nodeID int64, d draft) (*services.TransactionResponse, error) {
	c.t.Helper()
	return c.sendRaw(nodeID, d.sign(c.t), d.GetConsensusSubmitMessage() != nil)
}

func (c *submitter) sendRaw(nodeID int64, transaction *services.Transaction, message bool) (*services.TransactionResponse, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), deadline)
	defer cancel()
	if message {
		return services.NewConsensusServiceClient(c.node(nodeID)).SubmitMessage(ctx, transaction)
	}
	return services.NewCryptoServiceClient(c.node(nodeID)).CryptoTransfer(ctx, transaction)
}

// mustSend submits what passes the precheck.
func (c *submitter) mustSend(d draft) draft {
	c.t.Helper()
	answer, err := c.send(0, d)
	if err != nil || answer.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_OK {
		c.t.Fatalf("got %v, %v", answer, err)
	}
	return d
}

// receipt asks a node once; the status is that of the header where that is not OK.
func (c *submitter) receipt(nodeID int64, d draft) (string, *services.TransactionGetReceiptResponse) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), deadline)
	defer cancel()
	answer, err := services.NewCryptoServiceClient(c.node(nodeID)).GetTransactionReceipts(ctx, &services.Query{
		Query: &services.Query_TransactionGetReceipt{TransactionGetReceipt: &services.TransactionGetReceiptQuery{
			Header: &services.QueryHeader{}, TransactionID: d.GetTransactionID(), IncludeDuplicates: true,
		}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	receipt := answer.GetTransactionGetReceipt()
	if code := receipt.GetHeader().GetNodeTransactionPrecheckCode(); code != services.ResponseCodeEnum_OK {
		return code.String(), receipt
	}
	return receipt.GetReceipt().GetStatus().String(), receipt
}

// rows are those of the mirror's list of the payer's transactions.
func (c *submitter) rows(payer string) []restTransaction {
	c.t.Helper()
	return getMemoryJSON[transactionList](c, "/api/v1/transactions?account.id="+payer).Transactions
}

func decodeAs[T any](t *testing.T, body []byte) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return value
}

func getMemoryJSON[T any](c *submitter, path string) T {
	c.t.Helper()
	answer, err := trySend(c.t, c.http, c.s, http.MethodGet, path, nil)
	if err != nil || answer.status != http.StatusOK {
		c.t.Fatalf("GET %s: %v, %d %s", path, err, answer.status, answer.body)
	}
	return decodeAs[T](c.t, answer.body)
}

func (c *submitter) balance(account string) int64 {
	c.t.Helper()
	tinybar, ok := c.s.Balance(account)
	if !ok {
		c.t.Fatalf("%s is unknown", account)
	}
	return tinybar
}

// settled waits longer than the delays.
func (c *submitter) settled() {
	d := view(c.s, func(l *Ledger) delays { return l.delays })
	time.Sleep(d.consensus + d.mirror + time.Millisecond)
}

func (d draft) id() string {
	account, _ := packAccountID(d.GetTransactionID().GetAccountID())
	start := d.GetTransactionID().GetTransactionValidStart()
	return fmt.Sprintf("%s-%d-%09d", account, start.GetSeconds(), start.GetNanos())
}

// transferFee is that of a plain transfer: 1,000,000 tinycents at 596,987 cents
// for 30,000 hbar, the parts rounded down one by one.
const (
	transferFee = 5_025 + 45_227
	messageFee  = transferFee + 351_766
)

func TestPrechecks(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		c.update(func(l *Ledger) error {
			if err := l.AddAccount(Account{ID: "0.0.5001", Balance: newBalance(payerHbar, "1.0"), Deleted: new(true)}); err != nil {
				return err
			}
			if err := l.AddAccount(Account{ID: "0.0.5002", Balance: newBalance(payerHbar, "1.0")}); err != nil {
				return err
			}
			if err := l.AddAccount(Account{ID: "0.0.5003", Balance: newBalance(transferFee, "1.0")}); err != nil {
				return err
			}
			if err := l.AddAccount(Account{ID: "0.0.5004", Balance: newBalance(transferFee-1, "1.0")}); err != nil {
				return err
			}
			for _, poor := range []string{"0.0.5003", "0.0.5004"} {
				if err := l.SetKey(poor, mustKey(l, edPayer)); err != nil {
					return err
				}
			}
			return nil
		})
		payAs := func(d draft, payer string) { d.TransactionID.AccountID = protoAccount(t, payer) }
		first := c.mustSend(c.canaryTransfer(edPayer))
		for _, tc := range []struct {
			name   string
			want   string
			change func(d *draft)
		}{
			{"as it is", "OK", func(*draft) {}},
			{"too long", "TRANSACTION_OVERSIZE", func(d *draft) {
				d.Data = c.message(edPayer, openTopic, strings.Repeat("x", maxTransactionBytes)).Data
			}},
			{"unknown fields", "TRANSACTION_HAS_UNKNOWN_FIELDS", func(d *draft) {
				d.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 9999, protowire.VarintType), 1))
			}},
			{"unknown fields inside", "TRANSACTION_HAS_UNKNOWN_FIELDS", func(d *draft) {
				amount := d.GetCryptoTransfer().GetTransfers().GetAccountAmounts()[1]
				amount.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 9999, protowire.VarintType), 1))
			}},
			{"no data", "INVALID_TRANSACTION_BODY", func(d *draft) { d.Data = nil }},
			{"no transaction id", "INVALID_TRANSACTION_ID", func(d *draft) { d.TransactionID = nil }},
			{"no payer", "PAYER_ACCOUNT_NOT_FOUND", func(d *draft) { d.TransactionID.AccountID = nil }},
			{"payer 0", "PAYER_ACCOUNT_NOT_FOUND", func(d *draft) { payAs(*d, "0.0.0") }},
			{"payer of another realm", "PAYER_ACCOUNT_NOT_FOUND", func(d *draft) { payAs(*d, "0.1.1002") }},
			{"two signatures of a key", "KEY_PREFIX_MISMATCH", func(d *draft) { d.signers = append(d.signers, d.signers[0]) }},
			{"nonce", "TRANSACTION_ID_FIELD_NOT_ALLOWED", func(d *draft) { d.TransactionID.Nonce = 1 }},
			{"scheduled", "TRANSACTION_ID_FIELD_NOT_ALLOWED", func(d *draft) { d.TransactionID.Scheduled = true }},
			{"no valid start", "INVALID_TRANSACTION_START", func(d *draft) { d.TransactionID.TransactionValidStart = nil }},
			{"long memo", "MEMO_TOO_LONG", func(d *draft) { d.Memo = strings.Repeat("x", 101) }},
			{"zero byte", "INVALID_ZERO_BYTE_IN_STRING", func(d *draft) { d.Memo = "a\x00b" }},
			{"negative fee", "INSUFFICIENT_TX_FEE", func(d *draft) { d.TransactionFee = math.MaxUint64 }},
			{"no duration", "INVALID_TRANSACTION_DURATION", func(d *draft) { d.TransactionValidDuration = nil }},
			{"another node", "INVALID_NODE_ACCOUNT", func(d *draft) { d.NodeAccountID = protoAccount(t, c.s.Nodes()[1].AccountID) }},
			{"no node", "INVALID_NODE_ACCOUNT", func(d *draft) { d.NodeAccountID = nil }},
			{"short duration", "INVALID_TRANSACTION_DURATION", func(d *draft) { d.TransactionValidDuration.Seconds = 14 }},
			{"long duration", "INVALID_TRANSACTION_DURATION", func(d *draft) { d.TransactionValidDuration.Seconds = 181 }},
			{"longest duration", "OK", func(d *draft) { d.TransactionValidDuration.Seconds = 180 }},
			{"expired, but for the buffer", "TRANSACTION_EXPIRED", func(d *draft) { d.TransactionID.TransactionValidStart.Seconds -= 20 }},
			{"old", "TRANSACTION_EXPIRED", func(d *draft) { d.TransactionID.TransactionValidStart.Seconds -= 200 }},
			{"in the future", "INVALID_TRANSACTION_START", func(d *draft) { d.TransactionID.TransactionValidStart.Seconds += 3 }},
			{"duplicate", "DUPLICATE_TRANSACTION", func(d *draft) { d.TransactionID = first.TransactionID }},
			{"account create", "NOT_SUPPORTED", func(d *draft) {
				d.Data = &services.TransactionBody_CryptoCreateAccount{CryptoCreateAccount: &services.CryptoCreateTransactionBody{}}
			}},
			{"tokens", "NOT_SUPPORTED", func(d *draft) {
				d.GetCryptoTransfer().TokenTransfers = []*services.TokenTransferList{{}}
			}},
			{"not balanced", "INVALID_ACCOUNT_AMOUNTS", func(d *draft) { d.Data = c.transfer(edPayer, edPayer, -1, "0.0.3", 2).Data }},
			{"no account", "INVALID_ACCOUNT_ID", func(d *draft) {
				d.GetCryptoTransfer().GetTransfers().GetAccountAmounts()[1].AccountID = nil
			}},
			{"to oneself", "ACCOUNT_REPEATED_IN_ACCOUNT_AMOUNTS", func(d *draft) { d.Data = c.transfer(edPayer, edPayer, -1, edPayer, 1).Data }},
			{"no topic", "INVALID_TOPIC_ID", func(d *draft) {
				d.Data = c.message(edPayer, openTopic, "x").Data
				d.GetConsensusSubmitMessage().TopicID = nil
			}},
			{"no message", "INVALID_TOPIC_MESSAGE", func(d *draft) { d.Data = c.message(edPayer, openTopic, "").Data }},
			{"unknown payer", "PAYER_ACCOUNT_NOT_FOUND", func(d *draft) { payAs(*d, "0.0.999999") }},
			{"contract", "PAYER_ACCOUNT_NOT_FOUND", func(d *draft) { payAs(*d, plainContract) }},
			{"deleted payer", "PAYER_ACCOUNT_DELETED", func(d *draft) { payAs(*d, "0.0.5001") }},
			{"payer without a key", "UNAUTHORIZED", func(d *draft) { payAs(*d, "0.0.5002") }},
			{"not signed", "INVALID_SIGNATURE", func(d *draft) { d.signers = nil }},
			{"signed by another", "INVALID_SIGNATURE", func(d *draft) { d.signers = []hiero.PrivateKey{c.key(ecdsaPayer)} }},
			{"no fee", "INSUFFICIENT_TX_FEE", func(d *draft) { d.TransactionFee = 0 }},
			{"a tinybar too little", "INSUFFICIENT_TX_FEE", func(d *draft) { d.TransactionFee = transferFee - 1 }},
			{"just enough", "OK", func(d *draft) { d.TransactionFee = transferFee }},
			{"the service fee is not asked for", "OK", func(d *draft) {
				d.Data, d.TransactionFee = c.message(edPayer, openTopic, "x").Data, transferFee
			}},
			{"poor payer", "INSUFFICIENT_PAYER_BALANCE", func(d *draft) { payAs(*d, "0.0.5004") }},
			{"enough for the fee", "OK", func(d *draft) { payAs(*d, "0.0.5003") }},
			{"not for the transfer", "INSUFFICIENT_PAYER_BALANCE", func(d *draft) {
				payAs(*d, "0.0.5003")
				d.Data = c.transfer(edPayer, "0.0.5003", -1, "0.0.3", 1).Data
			}},
		} {
			d := c.transfer(edPayer, edPayer, -1, c.s.Nodes()[0].AccountID, 1)
			tc.change(&d)
			answer, err := c.send(0, d)
			if got := answer.GetNodeTransactionPrecheckCode().String(); err != nil || got != tc.want {
				t.Errorf("%s: got %s, %v, want %s", tc.name, got, err, tc.want)
			}
			if asked := answer.GetCost(); strings.HasPrefix(tc.want, "INSUFFICIENT") && tc.name != "negative fee" && asked != transferFee {
				t.Errorf("%s: the node asks for %d tinybar", tc.name, asked)
			}
		}
	})
}

func mustKey(l *Ledger, account string) string {
	key, err := l.privateKey(account)
	if err != nil {
		panic(err)
	}
	return key.StringDer()
}

// What is wrong first is what the real node answers.
func TestPrechecksAreInOrder(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		first := c.mustSend(c.canaryTransfer(edPayer))
		d := c.transfer(edPayer, edPayer, -1, edPayer, 2)
		d.Memo = strings.Repeat("x", 101)
		d.NodeAccountID = nil
		start := d.TransactionID.TransactionValidStart
		d.TransactionID.TransactionValidStart = &services.Timestamp{Seconds: start.Seconds - 1000}
		d.TransactionValidDuration.Seconds = 5
		d.TransactionFee = 0
		d.signers = nil
		for _, tc := range []struct {
			want string
			mend func()
		}{
			{"MEMO_TOO_LONG", func() { d.Memo = "" }},
			{"INVALID_NODE_ACCOUNT", func() { d.NodeAccountID = first.NodeAccountID }},
			{"INVALID_TRANSACTION_DURATION", func() { d.TransactionValidDuration.Seconds = 30 }},
			{"TRANSACTION_EXPIRED", func() { d.TransactionID = first.TransactionID }},
			{"DUPLICATE_TRANSACTION", func() {
				d.TransactionID = c.draft(edPayer).TransactionID
				d.TransactionID.AccountID = protoAccount(t, "0.0.999999")
			}},
			{"INVALID_ACCOUNT_AMOUNTS", func() { d.GetCryptoTransfer().GetTransfers().GetAccountAmounts()[1].Amount = 1 }},
			{"ACCOUNT_REPEATED_IN_ACCOUNT_AMOUNTS", func() { d.Data = c.canaryTransfer(edPayer).Data }},
			{"PAYER_ACCOUNT_NOT_FOUND", func() { d.TransactionID.AccountID = first.TransactionID.AccountID }},
			{"INVALID_SIGNATURE", func() { d.signers = first.signers }},
			{"INSUFFICIENT_TX_FEE", func() { d.TransactionFee = transferFee }},
			{"OK", func() {}},
		} {
			answer, err := c.send(0, d)
			if got := answer.GetNodeTransactionPrecheckCode().String(); err != nil || got != tc.want {
				t.Fatalf("got %s, %v, want %s", got, err, tc.want)
			}
			tc.mend()
		}
	})
}

// Forms of a transaction that no SDK sends.
func TestTransactionForms(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		signed := new(services.SignedTransaction)
		if err := proto.Unmarshal(c.canaryTransfer(edPayer).sign(t).GetSignedTransactionBytes(), signed); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name        string
			transaction *services.Transaction
			want        string
		}{
			{"nothing", &services.Transaction{}, "INVALID_TRANSACTION_BODY"},
			{"no message", &services.Transaction{SignedTransactionBytes: []byte(garbage)}, "INVALID_TRANSACTION"},
			{"both forms", &services.Transaction{SignedTransactionBytes: []byte{1}, BodyBytes: []byte{1}}, "INVALID_TRANSACTION"}, //nolint:staticcheck // nodes know it
			{"no signatures", wrap(t, &services.SignedTransaction{BodyBytes: signed.GetBodyBytes()}), "INVALID_TRANSACTION_BODY"},
			{"no body", wrap(t, &services.SignedTransaction{BodyBytes: []byte(garbage), SigMap: signed.GetSigMap()}), "INVALID_TRANSACTION_BODY"},
			{"the deprecated form", &services.Transaction{BodyBytes: signed.GetBodyBytes(), SigMap: signed.GetSigMap()}, "OK"}, //nolint:staticcheck // nodes still take it
		} {
			answer, err := c.sendRaw(0, tc.transaction, false)
			if got := answer.GetNodeTransactionPrecheckCode().String(); err != nil || got != tc.want {
				t.Errorf("%s: got %s, %v, want %s", tc.name, got, err, tc.want)
			}
		}
	})
}

func TestKeys(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 150})
	for _, id := range s.AccountIDs() {
		account := getJSON[accountDetail](t, s, "/api/v1/accounts/"+id)
		private, err := s.PrivateKey(id)
		if account.Key == nil || err != nil {
			num := strings.TrimPrefix(id, "0.0.")
			if account.Key != nil && len(num) <= 4 && num < "1101" {
				t.Errorf("%s: %v", id, err)
			}
			continue
		}
		if got := *restKey(private.PublicKey()); got != *account.Key {
			t.Errorf("%s: the mirror has %v, of the private key it is %v", id, *account.Key, got)
		}
		if account.Key.Type == keyECDSA && *account.EVMAddress != "0x"+private.PublicKey().ToEvmAddress() {
			t.Errorf("%s: the address is %s, of the key it is 0x%s", id, *account.EVMAddress, private.PublicKey().ToEvmAddress())
		}
	}
	if _, err := s.PrivateKey("0.0.1150"); err == nil {
		t.Error("the last account's private key is known")
	}

	for _, generate := range []func() (hiero.PrivateKey, error){hiero.PrivateKeyGenerateEd25519, hiero.PrivateKeyGenerateEcdsa} {
		key, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		mustControl(t, s, "PUT", "accounts/0.0.1001/key", fmt.Sprintf(`{"key":%q}`, key.StringDer()))
		if got := mustControl(t, s, "GET", "accounts/0.0.1001/key", ""); got != fmt.Sprintf(`{"key":%q}`, key.StringDer()) {
			t.Errorf("got %s", got)
		}
		mustControl(t, s, "PUT", "accounts/0.0.1001/key", fmt.Sprintf(`{"key":%q}`, key.PublicKey().StringDer()))
		if got := getJSON[accountDetail](t, s, "/api/v1/accounts/0.0.1001").Key; *got != *restKey(key.PublicKey()) {
			t.Errorf("got %v", got)
		}
		if got := control(t, s, "GET", "accounts/0.0.1001/key", ""); got.status != 404 {
			t.Errorf("the private key of a public one: %d %s", got.status, got.body)
		}
	}
	if err := s.Update(func(l *Ledger) error { return l.SetKey("0.0.1001", "302e00") }); err == nil || strings.Contains(err.Error(), "302e00") {
		t.Errorf("got %v, want an error that does not repeat what may be a key", err)
	}
}

// Keys that are lists are satisfied as HAPI says.
func TestKeyLists(t *testing.T) {
	signed := []byte("body")
	var keys []*services.Key
	var pairs []*services.SignaturePair
	for i := range 3 {
		key, private := newED25519Key([]byte(strings.Repeat(strconv.Itoa(i), 32)))
		keys = append(keys, key.proto())
		pairs = append(pairs, &services.SignaturePair{
			PubKeyPrefix: private.PublicKey().BytesRaw()[:4],
			Signature:    &services.SignaturePair_Ed25519{Ed25519: private.Sign(signed)},
		})
	}
	list := &services.Key{Key: &services.Key_KeyList{KeyList: &services.KeyList{Keys: keys}}}
	threshold := &services.Key{Key: &services.Key_ThresholdKey{ThresholdKey: &services.ThresholdKey{
		Threshold: 2, Keys: &services.KeyList{Keys: keys},
	}}}
	empty := &services.Key{Key: &services.Key_KeyList{KeyList: &services.KeyList{}}}
	for _, tc := range []struct {
		name  string
		key   *services.Key
		pairs []*services.SignaturePair
		want  bool
	}{
		{"list, all", list, pairs, true},
		{"list, two of three", list, pairs[:2], false},
		{"threshold, two of three", threshold, pairs[:2], true},
		{"threshold, one of three", threshold, pairs[:1], false},
		{"empty list", empty, pairs, false},
		{"no key", nil, pairs, false},
	} {
		serialized, err := proto.Marshal(tc.key)
		if err != nil {
			t.Fatal(err)
		}
		key := &Key{Type: keyProtobuf, Key: hex.EncodeToString(serialized)}
		if got := (signatures{signed, tc.pairs}).satisfy(key.proto()); got != tc.want {
			t.Errorf("%s: got %t", tc.name, got)
		}
	}
	for _, wrong := range []*Key{{Type: keyED25519, Key: "x"}, {Type: keyProtobuf, Key: "ff"}, {Type: keyED25519, Key: "00"}} {
		if (signatures{signed, pairs}).satisfy(wrong.proto()) {
			t.Errorf("%v was satisfied", wrong)
		}
	}
}
