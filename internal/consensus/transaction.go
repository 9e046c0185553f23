// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// TransactionHeader is what every transaction says (docs/hedera.md 2.5).
type TransactionHeader struct {
	Payer         hiero.AccountID
	Node          hiero.AccountID // that it is for; others refuse it
	ValidStart    time.Time       // with the payer, its id
	ValidDuration time.Duration   // 15 to 180 s, whole seconds
	MaxFee        uint64          // tinybar
	Memo          string
}

// NewTransfer is a transfer of tinybar from the payer to another account.
func NewTransfer(header TransactionHeader, to hiero.AccountID, tinybar int64) *services.TransactionBody {
	body := header.body()
	body.Data = &services.TransactionBody_CryptoTransfer{CryptoTransfer: &services.CryptoTransferTransactionBody{
		Transfers: &services.TransferList{AccountAmounts: []*services.AccountAmount{
			{AccountID: protoAccountID(header.Payer), Amount: -tinybar},
			{AccountID: protoAccountID(to), Amount: tinybar},
		}},
	}}
	return body
}

// NewMessage is a message for a topic.
func NewMessage(header TransactionHeader, topic hiero.TopicID, message []byte) *services.TransactionBody {
	body := header.body()
	body.Data = &services.TransactionBody_ConsensusSubmitMessage{ConsensusSubmitMessage: &services.ConsensusSubmitMessageTransactionBody{
		TopicID: protoTopicID(topic),
		Message: message,
	}}
	return body
}

func (h TransactionHeader) body() *services.TransactionBody {
	return &services.TransactionBody{
		TransactionID: &services.TransactionID{
			AccountID: protoAccountID(h.Payer),
			TransactionValidStart: &services.Timestamp{
				Seconds: h.ValidStart.Unix(),
				Nanos:   int32(h.ValidStart.Nanosecond()), //nolint:gosec // below 1e9
			},
		},
		NodeAccountID:            protoAccountID(h.Node),
		TransactionFee:           h.MaxFee,
		TransactionValidDuration: &services.Duration{Seconds: int64(h.ValidDuration / time.Second)},
		Memo:                     h.Memo,
	}
}

func protoAccountID(id hiero.AccountID) *services.AccountID {
	return &services.AccountID{
		ShardNum: int64(id.Shard),                                               //nolint:gosec // parsed from a string of non-negative int64
		RealmNum: int64(id.Realm),                                               //nolint:gosec // likewise
		Account:  &services.AccountID_AccountNum{AccountNum: int64(id.Account)}, //nolint:gosec // likewise
	}
}

func protoTopicID(id hiero.TopicID) *services.TopicID {
	return &services.TopicID{
		ShardNum: int64(id.Shard), //nolint:gosec // parsed from a string of non-negative int64
		RealmNum: int64(id.Realm), //nolint:gosec // likewise
		TopicNum: int64(id.Topic), //nolint:gosec // likewise
	}
}

// signTransaction signs with an ED25519 or an ECDSA secp256k1 key.
func signTransaction(body *services.TransactionBody, key hiero.PrivateKey) (*services.Transaction, error) {
	content, err := proto.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	pair := &services.SignaturePair{PubKeyPrefix: key.PublicKey().BytesRaw()}
	if signature := key.Sign(content); len(pair.GetPubKeyPrefix()) == ecdsaKeyBytes {
		pair.Signature = &services.SignaturePair_ECDSASecp256K1{ECDSASecp256K1: signature}
	} else {
		pair.Signature = &services.SignaturePair_Ed25519{Ed25519: signature}
	}
	signed, err := proto.Marshal(&services.SignedTransaction{
		BodyBytes: content,
		SigMap:    &services.SignatureMap{SigPair: []*services.SignaturePair{pair}},
	})
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	return &services.Transaction{SignedTransactionBytes: signed}, nil
}

// ecdsaKeyBytes is the length of a compressed public key of secp256k1.
const ecdsaKeyBytes = 33

// CertificateError is a node that presented another certificate than the address
// book has, or one that cannot be compared with it.
type CertificateError struct {
	Presented, Book string // hashes (docs/hedera.md 3)
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("certificate hash %s is not the address book's %q", e.Presented, e.Book)
}

// errUnverified is an endpoint that transactions are not sent to.
var errUnverified = errors.New("it has no TLS, or the address book has no certificate hash of it: a transaction goes to verified nodes only")

// NodeClient submits transactions to one endpoint of a node, over a connection
// whose certificate is the address book's. Its methods send nothing twice, and
// end with their context. Close it.
type NodeClient struct {
	node       Node
	endpoint   Endpoint
	connection *connection

	mu       sync.Mutex
	mismatch *CertificateError // of the last handshake
}

// NewNodeClient connects with the first call. It fails for an endpoint that cannot
// be verified. A nil dialContext is TCP.
func NewNodeClient(node Node, endpoint Endpoint, dialContext DialContextFunc) (*NodeClient, error) {
	c := &NodeClient{node: node, endpoint: endpoint}
	if !endpoint.TLS || node.CertificateHash == "" {
		return nil, c.failed("connect", errUnverified)
	}
	var err error
	if c.connection, err = dial(endpoint, slowly(dialContext), c.verify); err != nil {
		return nil, c.failed("connect", err)
	}
	return c, nil
}

// Connect opens the connection, so that the first call does not take the time for
// it. It fails with the first attempt, and with ctx.
func (c *NodeClient) Connect(ctx context.Context) error {
	c.connection.grpc.Connect()
	for {
		state := c.connection.grpc.GetState()
		switch {
		case state == connectivity.Ready:
			return nil
		case state == connectivity.TransientFailure || state == connectivity.Shutdown:
			return c.failed("connect", cmp.Or(c.connection.failure(), status.Error(codes.Unavailable, "the TLS handshake failed")))
		case !c.connection.grpc.WaitForStateChange(ctx, state):
			return c.failed("connect", status.FromContextError(ctx.Err()).Err())
		}
	}
}

// Close closes the connection. Calls that run fail.
func (c *NodeClient) Close() { c.connection.close() }

func (c *NodeClient) verify(presented *Certificate) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mismatch = nil
	if presented.Hash == c.node.CertificateHash {
		return nil
	}
	c.mismatch = &CertificateError{presented.Hash, c.node.CertificateHash}
	return c.mismatch
}

// failed says of whom what was asked. A certificate that is not the node's is a
// [CertificateError], which gRPC has as text only; other failures of calls have
// a gRPC status.
func (c *NodeClient) failed(what string, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mismatch != nil {
		err = c.mismatch
	}
	return fmt.Errorf("node %d (%s) at %s: %s: %w", c.node.ID, c.node.AccountID, c.endpoint.Address, what, cutError(err))
}

// Precheck is what a node says to a transaction.
type Precheck struct {
	Code services.ResponseCodeEnum // OK: the node took it
	// Fee is what would have done, in tinybar, where the fee or the balance does not.
	Fee uint64
}

// Submit signs the transaction and sends it once. After an error nobody knows
// whether the node has taken it, but for a [CertificateError]: then nothing was
// sent. The key is in no error.
func (c *NodeClient) Submit(ctx context.Context, body *services.TransactionBody, key hiero.PrivateKey) (Precheck, error) {
	transaction, err := signTransaction(body, key)
	if err != nil {
		return Precheck{}, c.failed("submit", err)
	}
	what, submit := "cryptoTransfer", services.NewCryptoServiceClient(c.connection.grpc).CryptoTransfer
	if body.GetConsensusSubmitMessage() != nil {
		what, submit = "submitMessage", services.NewConsensusServiceClient(c.connection.grpc).SubmitMessage
	}
	response, err := submit(ctx, transaction)
	if err != nil {
		return Precheck{}, c.failed(what, err)
	}
	return Precheck{response.GetNodeTransactionPrecheckCode(), response.GetCost()}, nil
}

// Receipt asks once, and free of charge, what became of a transaction. As long
// as it is not final, its status is UNKNOWN, or why the node has none, such as
// RECEIPT_NOT_FOUND or BUSY.
func (c *NodeClient) Receipt(ctx context.Context, id *services.TransactionID) (receipt *services.TransactionReceipt, final bool, err error) {
	response, err := services.NewCryptoServiceClient(c.connection.grpc).GetTransactionReceipts(ctx, &services.Query{
		Query: &services.Query_TransactionGetReceipt{TransactionGetReceipt: &services.TransactionGetReceiptQuery{
			Header:        &services.QueryHeader{ResponseType: services.ResponseType_ANSWER_ONLY},
			TransactionID: id,
		}},
	})
	if err != nil {
		return nil, false, c.failed("getTransactionReceipts", err)
	}
	answer := response.GetTransactionGetReceipt()
	if answer.GetHeader() == nil {
		return nil, false, c.failed("getTransactionReceipts", errors.New("the answer has no header"))
	}
	if code := answer.GetHeader().GetNodeTransactionPrecheckCode(); code != services.ResponseCodeEnum_OK {
		return &services.TransactionReceipt{Status: code}, false, nil
	}
	receipt = answer.GetReceipt()
	if receipt == nil {
		return nil, false, c.failed("getTransactionReceipts", errors.New("the answer has no receipt"))
	}
	return receipt, receipt.GetStatus() != services.ResponseCodeEnum_UNKNOWN, nil
}
