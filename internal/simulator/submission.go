// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha512"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Limits of the network (HederaConfig, ConsensusConfig and LedgerConfig of
// hiero-consensus-node).
const (
	maxTransactionBytes = 6144
	maxMemoBytes        = 100
	minValidDuration    = 15 * time.Second
	maxValidDuration    = 180 * time.Second
	validityBuffer      = 10 * time.Second
	maxTransfers        = 10
	maxMessageBytes     = 1024
)

// submission is a transaction that a node was given.
type submission struct {
	id         transactionID
	body       *services.TransactionBody
	signatures signatures
	size       int
	hash       []byte // as the mirror has it

	payer entityID
	node  entityID // account of the node that took it
	fault Fault

	receipt     *services.TransactionReceipt // nil before consensus
	record      *record                      // for the mirror
	message     *message
	topic       *topic
	overdue     bool // the mirror was stopped when it should have shown it
	unpublished bool
}

// transactionID is a HAPI TransactionID without flags, comparable.
type transactionID struct {
	payer   entityID
	seconds int64
	nanos   int32
}

func (id transactionID) validStart() time.Time { return time.Unix(id.seconds, int64(id.nanos)) }

// precheckError is a transaction that a node refuses. Fee is what would have
// done, in tinybar, where that is the reason.
type precheckError struct {
	code services.ResponseCodeEnum
	fee  int64
}

func (e *precheckError) Error() string { return e.code.String() }

func refuse(code services.ResponseCodeEnum) error { return &precheckError{code: code} }

// refuseIf is the error of the first pair that holds.
func refuseIf(conditions ...refusal) error {
	for _, c := range conditions {
		if c.holds {
			return refuse(c.code)
		}
	}
	return nil
}

type refusal struct {
	holds bool
	code  services.ResponseCodeEnum
}

// parseTransaction checks all that no state is needed for, in the order of the
// real node (TransactionChecker of hiero-consensus-node).
func (l *Ledger) parseTransaction(t *services.Transaction) (*submission, error) {
	if err := refuseIf(
		refusal{proto.Size(t) > maxTransactionBytes, services.ResponseCodeEnum_TRANSACTION_OVERSIZE},
		refusal{hasUnknownFields(t.ProtoReflect()), services.ResponseCodeEnum_TRANSACTION_HAS_UNKNOWN_FIELDS},
	); err != nil {
		return nil, err
	}
	signed, serialized, err := signedTransaction(t)
	if err != nil {
		return nil, err
	}
	body := new(services.TransactionBody)
	if proto.Unmarshal(signed.GetBodyBytes(), body) != nil {
		return nil, refuse(services.ResponseCodeEnum_INVALID_TRANSACTION_BODY)
	}
	if err := refuseIf(
		refusal{hasUnknownFields(body.ProtoReflect()), services.ResponseCodeEnum_TRANSACTION_HAS_UNKNOWN_FIELDS},
		refusal{body.GetData() == nil, services.ResponseCodeEnum_INVALID_TRANSACTION_BODY},
		refusal{body.GetTransactionID() == nil, services.ResponseCodeEnum_INVALID_TRANSACTION_ID},
		refusal{body.GetTransactionID().GetAccountID() == nil, services.ResponseCodeEnum_PAYER_ACCOUNT_NOT_FOUND},
		refusal{prefixMismatch(signed.GetSigMap().GetSigPair()), services.ResponseCodeEnum_KEY_PREFIX_MISMATCH},
	); err != nil {
		return nil, err
	}
	payer, err := l.checkBody(body)
	if err != nil {
		return nil, err
	}
	hash := sha512.Sum384(serialized)
	start := body.GetTransactionID().GetTransactionValidStart()
	return &submission{
		id:         transactionID{payer, start.GetSeconds(), start.GetNanos()},
		body:       body,
		signatures: signatures{signed: signed.GetBodyBytes(), pairs: signed.GetSigMap().GetSigPair()},
		size:       len(serialized),
		hash:       hash[:],
		payer:      payer,
	}, nil
}

// signedTransaction is the transaction's content in its current or deprecated
// form, and its bytes.
func signedTransaction(t *services.Transaction) (*services.SignedTransaction, []byte, error) {
	deprecated := t.GetSigMap() != nil || len(t.GetBodyBytes()) > 0 //nolint:staticcheck // nodes still take it
	serialized := t.GetSignedTransactionBytes()
	if len(serialized) > 0 && deprecated {
		return nil, nil, refuse(services.ResponseCodeEnum_INVALID_TRANSACTION)
	}
	signed := &services.SignedTransaction{BodyBytes: t.GetBodyBytes(), SigMap: t.GetSigMap()} //nolint:staticcheck // as above
	var err error
	if len(serialized) > 0 {
		signed.Reset()
		err = proto.Unmarshal(serialized, signed)
	} else {
		serialized, err = proto.Marshal(signed)
	}
	if err != nil {
		return nil, nil, refuse(services.ResponseCodeEnum_INVALID_TRANSACTION)
	}
	return signed, serialized, refuseIf(
		refusal{hasUnknownFields(signed.ProtoReflect()), services.ResponseCodeEnum_TRANSACTION_HAS_UNKNOWN_FIELDS},
		refusal{len(signed.GetBodyBytes()) == 0 || signed.GetSigMap() == nil, services.ResponseCodeEnum_INVALID_TRANSACTION_BODY},
	)
}

// hasUnknownFields tells whether a message, or one in it, has fields that the
// network does not know: it refuses those of newer clients.
func hasUnknownFields(m protoreflect.Message) bool {
	if len(m.GetUnknown()) > 0 {
		return true
	}
	found := false
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil || field.IsMap(): // HAPI transactions have no maps
		case field.IsList():
			for i := range value.List().Len() {
				found = found || hasUnknownFields(value.List().Get(i).Message())
			}
		default:
			found = hasUnknownFields(value.Message())
		}
		return !found
	})
	return found
}

// prefixMismatch tells whether one key could belong to two signatures.
func prefixMismatch(pairs []*services.SignaturePair) bool {
	for i, a := range pairs {
		for j, b := range pairs {
			if i != j && strings.HasPrefix(string(a.GetPubKeyPrefix()), string(b.GetPubKeyPrefix())) {
				return true
			}
		}
	}
	return false
}

func (l *Ledger) checkBody(body *services.TransactionBody) (payer entityID, err error) {
	id := body.GetTransactionID()
	payer, ok := packAccountID(id.GetAccountID())
	account := id.GetAccountID()
	return payer, refuseIf(
		refusal{
			!ok || account.GetShardNum() != l.shard || account.GetRealmNum() != l.realm || account.GetAccountNum() == 0,
			services.ResponseCodeEnum_PAYER_ACCOUNT_NOT_FOUND,
		},
		refusal{id.GetScheduled() || id.GetNonce() != 0, services.ResponseCodeEnum_TRANSACTION_ID_FIELD_NOT_ALLOWED},
		refusal{id.GetTransactionValidStart() == nil, services.ResponseCodeEnum_INVALID_TRANSACTION_START},
		refusal{len(body.GetMemo()) > maxMemoBytes, services.ResponseCodeEnum_MEMO_TOO_LONG},
		refusal{strings.Contains(body.GetMemo(), "\x00"), services.ResponseCodeEnum_INVALID_ZERO_BYTE_IN_STRING},
		refusal{body.GetTransactionFee() > math.MaxInt64, services.ResponseCodeEnum_INSUFFICIENT_TX_FEE},
		refusal{body.GetTransactionValidDuration() == nil, services.ResponseCodeEnum_INVALID_TRANSACTION_DURATION},
	)
}

// ingest checks a transaction in the order of the real node (IngestChecker of
// hiero-consensus-node) and keeps it for consensus. It fails with a
// precheckError.
func (l *Ledger) ingest(nodeID int64, transaction *services.Transaction) (*submission, error) {
	at := slices.IndexFunc(l.nodes, func(n Node) bool { return n.NodeID == nodeID })
	if at < 0 {
		return nil, refuse(services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE)
	}
	if code := l.prechecks[nodeID]; code != services.ResponseCodeEnum_OK {
		return nil, refuse(code)
	}
	t, err := l.parseTransaction(transaction)
	if err != nil {
		return nil, err
	}
	if t.node, err = parseEntityID(l.nodes[at].AccountID); err != nil {
		return nil, err
	}
	if to, ok := packAccountID(t.body.GetNodeAccountID()); !ok || to != t.node {
		return nil, refuse(services.ResponseCodeEnum_INVALID_NODE_ACCOUNT)
	}
	if err := t.checkTime(l.now(), validityBuffer); err != nil {
		return nil, err
	}
	if l.knownTo(t.node, t.id) != nil {
		return nil, refuse(services.ResponseCodeEnum_DUPLICATE_TRANSACTION)
	}
	if err := t.checkPurely(); err != nil {
		return nil, err
	}
	if err := l.checkPayer(t); err != nil {
		return nil, err
	}
	l.forgetOld()
	l.submissions[t.id] = append(l.submissions[t.id], t)
	return t, nil
}

// checkTime refuses what is not valid at the time, or not for so much longer.
func (t *submission) checkTime(now time.Time, buffer time.Duration) error {
	seconds := t.body.GetTransactionValidDuration().GetSeconds()
	start := t.id.validStart()
	return refuseIf(
		refusal{
			seconds < int64(minValidDuration/time.Second) || seconds > int64(maxValidDuration/time.Second),
			services.ResponseCodeEnum_INVALID_TRANSACTION_DURATION,
		},
		refusal{
			start.Add(time.Duration(seconds)*time.Second - buffer).Before(now),
			services.ResponseCodeEnum_TRANSACTION_EXPIRED,
		},
		refusal{start.After(now), services.ResponseCodeEnum_INVALID_TRANSACTION_START},
	)
}

// checkPurely is what the type of transaction asks for. Others than transfers
// of hbar and messages are refused by the simulator alone.
func (t *submission) checkPurely() error {
	switch data := t.body.GetData().(type) {
	case *services.TransactionBody_CryptoTransfer:
		return checkTransfer(data.CryptoTransfer)
	case *services.TransactionBody_ConsensusSubmitMessage:
		return refuseIf(
			refusal{data.ConsensusSubmitMessage.GetTopicID() == nil, services.ResponseCodeEnum_INVALID_TOPIC_ID},
			refusal{len(data.ConsensusSubmitMessage.GetMessage()) == 0, services.ResponseCodeEnum_INVALID_TOPIC_MESSAGE},
		)
	}
	return refuse(services.ResponseCodeEnum_NOT_SUPPORTED)
}

// transferParty is a HAPI AccountID, comparable.
type transferParty struct {
	shard, realm, num int64
	alias             string
}

// checkTransfer is CryptoTransferValidator.pureChecks.
func checkTransfer(transfer *services.CryptoTransferTransactionBody) error {
	if len(transfer.GetTokenTransfers()) > 0 {
		return refuse(services.ResponseCodeEnum_NOT_SUPPORTED)
	}
	amounts := transfer.GetTransfers().GetAccountAmounts()
	var sum int64
	seen := make(map[transferParty]bool)
	missing := false
	for _, a := range amounts {
		sum += a.GetAmount()
		missing = missing || a.GetAccountID().GetAccount() == nil
		id := a.GetAccountID()
		seen[transferParty{id.GetShardNum(), id.GetRealmNum(), id.GetAccountNum(), string(id.GetAlias())}] = true
	}
	return refuseIf(
		refusal{sum != 0, services.ResponseCodeEnum_INVALID_ACCOUNT_AMOUNTS},
		refusal{missing, services.ResponseCodeEnum_INVALID_ACCOUNT_ID},
		refusal{len(seen) < len(amounts), services.ResponseCodeEnum_ACCOUNT_REPEATED_IN_ACCOUNT_AMOUNTS},
	)
}

// checkPayer refuses a payer who is unknown, has not signed or cannot pay.
func (l *Ledger) checkPayer(t *submission) error {
	payer := l.accounts[t.payer]
	if err := refuseIf(
		refusal{payer == nil || l.contracts[t.payer] != nil, services.ResponseCodeEnum_PAYER_ACCOUNT_NOT_FOUND},
		refusal{payer.isDeleted(), services.ResponseCodeEnum_PAYER_ACCOUNT_DELETED},
	); err != nil {
		return err
	}
	key := payer.Key.proto()
	if key == nil {
		return refuse(services.ResponseCodeEnum_UNAUTHORIZED)
	}
	if !t.signatures.satisfy(key) {
		return refuse(services.ResponseCodeEnum_INVALID_SIGNATURE)
	}
	// The service fee is for consensus to ask for.
	charge := l.feesOf(t)
	charge.service = 0
	if err := l.checkSolvency(t, charge); err != nil {
		return err
	}
	if l.balanceAtConsensus(t.payer) < charge.total()+t.debits() {
		return &precheckError{services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE, charge.total()}
	}
	return nil
}

// checkSolvency is that of SolvencyPreCheck of hiero-consensus-node.
func (l *Ledger) checkSolvency(t *submission, charge fees) error {
	offered := int64(min(t.body.GetTransactionFee(), math.MaxInt64))
	switch balance := l.balanceAtConsensus(t.payer); {
	case offered < charge.network:
		return &precheckError{services.ResponseCodeEnum_INSUFFICIENT_TX_FEE, charge.total()}
	case balance < charge.network:
		return &precheckError{services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE, charge.total()}
	case offered < charge.total():
		return &precheckError{services.ResponseCodeEnum_INSUFFICIENT_TX_FEE, charge.total()}
	case balance < charge.total():
		return &precheckError{services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE, charge.total()}
	}
	return nil
}

// debits is what the transaction takes from its payer beside the fee.
func (t *submission) debits() int64 {
	var sum int64
	for _, a := range t.body.GetCryptoTransfer().GetTransfers().GetAccountAmounts() {
		if id, ok := packAccountID(a.GetAccountID()); ok && id == t.payer {
			sum -= a.GetAmount()
		}
	}
	return max(0, sum)
}

// knownTo is a transaction that the node knows of: it took it, or the network
// has ordered it. Others are nil.
func (l *Ledger) knownTo(node entityID, id transactionID) *submission {
	for _, t := range l.submissions[id] {
		if (t.node == node || t.receipt != nil) && !l.isOld(id) {
			return t
		}
	}
	return nil
}

// isOld tells whether nodes have forgotten a transaction (DeduplicationCacheImpl,
// RecordCacheImpl).
func (l *Ledger) isOld(id transactionID) bool {
	return id.seconds < l.now().Add(-maxValidDuration).Unix()
}

func (l *Ledger) forgetOld() {
	for id := range l.submissions {
		if l.isOld(id) {
			delete(l.submissions, id)
		}
	}
}

// precheckOf is the code of an error of a check, and the fee that would have done.
func precheckOf(err error) (services.ResponseCodeEnum, int64) {
	var refused *precheckError
	switch {
	case err == nil:
		return services.ResponseCodeEnum_OK, 0
	case errors.As(err, &refused):
		return refused.code, refused.fee
	}
	return services.ResponseCodeEnum_FAIL_INVALID, 0
}
