// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// order brings a transaction to consensus after the network's delay and, on a
// network that stands still, to the mirror after the mirror's. Other networks
// show it with the block that it is in.
func (s *Simulator) order(t *submission) {
	delays := view(s, func(l *Ledger) delays { return l.delays })
	s.background.Go(func() {
		if !s.pause(delays.consensus) {
			return
		}
		_ = s.Update(func(l *Ledger) error { l.handle(t); return nil })
		if s.options.Static && s.pause(delays.mirror) {
			_ = s.Update(func(l *Ledger) error { l.showWhenDue(t); return nil })
		}
	})
}

// pause waits, and tells whether the network is still there.
func (s *Simulator) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.closing:
		return false
	case <-timer.C:
		return true
	}
}

// delays are from the answer of a node to consensus, and from there to the
// mirror.
type delays struct{ consensus, mirror time.Duration }

func (d delays) validate() error {
	if d.consensus < 0 || d.mirror < 0 {
		return fmt.Errorf("delays: %s and %s must not be negative", d.consensus, d.mirror)
	}
	return nil
}

// SetDelays sets how long transactions take from now on, from the answer of a
// node to consensus, and from there to the mirror. A network that moves by
// itself shows them with their block, which ends up to 2 s later and is delayed
// like them.
func (l *Ledger) SetDelays(consensus, mirror time.Duration) error {
	d := delays{consensus, mirror}
	if err := d.validate(); err != nil {
		return err
	}
	l.delays = d
	return nil
}

// handle is consensus: it gives the transaction a time, charges the fee and,
// where nothing speaks against it, does what it says (DispatchValidator and the
// handlers of hiero-consensus-node).
func (l *Ledger) handle(t *submission) {
	at := l.nextConsensus(t)
	status, paid, transfers := l.judge(t, at)
	if status == services.ResponseCodeEnum_OK && t.fault.Kind == FaultFail {
		status = t.fault.code()
	}
	t.receipt = &services.TransactionReceipt{ExchangeRate: l.currentRates().proto()}
	if status == services.ResponseCodeEnum_OK {
		status = services.ResponseCodeEnum_SUCCESS
		l.doMessage(t, at)
	} else {
		transfers = nil
	}
	t.receipt.Status = status
	t.record = l.recordOf(t, at, status, paid, transfers)
	t.unpublished = true
	l.unpublished = append(l.unpublished, t)
	for _, moved := range t.record.transfers {
		l.pending[moved.account] += moved.amount
	}
}

// nextConsensus is now, but after all that was ordered before.
func (l *Ledger) nextConsensus(t *submission) time.Time {
	at := l.now()
	after := l.lastConsensus
	if topic := l.topics[packTopicID(t.body.GetConsensusSubmitMessage().GetTopicID())]; topic != nil && topic.last.After(after) {
		after = topic.last
	}
	if !at.After(after) {
		at = after.Add(time.Nanosecond)
	}
	l.lastConsensus = at
	return at
}

// charged is who pays what for a transaction.
type charged struct {
	payer entityID
	fee   int64
}

// judge tells whether the transaction can be done, with OK, else why not, who
// pays for it and which transfers it asks for.
func (l *Ledger) judge(t *submission, at time.Time) (services.ResponseCodeEnum, charged, []transfer) {
	charge := l.feesOf(t)
	if code, _ := precheckOf(t.checkTime(at, 0)); code != services.ResponseCodeEnum_OK {
		// The node should have known: it pays, as far as it can.
		return code, charged{t.node, min(charge.network, l.balanceAtConsensus(t.node))}, nil
	}
	if slices.ContainsFunc(l.submissions[t.id], func(other *submission) bool { return other != t && other.receipt != nil }) {
		return services.ResponseCodeEnum_DUPLICATE_TRANSACTION, l.charge(t, charge.withoutService()), nil
	}
	if code, _ := precheckOf(l.checkSolvency(t, charge)); code != services.ResponseCodeEnum_OK {
		return code, l.charge(t, charge.withoutService()), nil
	}
	paid := l.charge(t, charge.total())
	if data := t.body.GetConsensusSubmitMessage(); data != nil {
		return l.judgeMessage(t, data), paid, nil
	}
	code, transfers := l.judgeTransfer(t, paid)
	return code, paid, transfers
}

// charge is the fee, or what the payer has left.
func (l *Ledger) charge(t *submission, fee int64) charged {
	return charged{t.payer, max(0, min(fee, l.balanceAtConsensus(t.payer)))}
}

func (l *Ledger) judgeMessage(t *submission, data *services.ConsensusSubmitMessageTransactionBody) services.ResponseCodeEnum {
	topic := l.topics[packTopicID(data.GetTopicID())]
	code, _ := precheckOf(refuseIf(
		refusal{topic == nil || topic.deleted(), services.ResponseCodeEnum_INVALID_TOPIC_ID},
		refusal{
			topic != nil && topic.SubmitKey != nil && !t.signatures.satisfy(topic.SubmitKey.proto()),
			services.ResponseCodeEnum_INVALID_SIGNATURE,
		},
		refusal{len(data.GetMessage()) > maxMessageBytes, services.ResponseCodeEnum_MESSAGE_SIZE_TOO_LARGE},
	))
	if chunk := data.GetChunkInfo(); chunk != nil && code == services.ResponseCodeEnum_OK {
		code = t.judgeChunk(chunk)
	}
	return code
}

// judgeChunk is ConsensusSubmitMessageHandler.validateChunkInfo.
func (t *submission) judgeChunk(chunk *services.ConsensusMessageChunkInfo) services.ResponseCodeEnum {
	first := chunk.GetInitialTransactionID()
	payer, _ := packAccountID(first.GetAccountID())
	start := first.GetTransactionValidStart()
	initial := transactionID{payer, start.GetSeconds(), start.GetNanos()}
	code, _ := precheckOf(refuseIf(
		refusal{chunk.GetNumber() < 1 || chunk.GetNumber() > chunk.GetTotal(), services.ResponseCodeEnum_INVALID_CHUNK_NUMBER},
		refusal{payer != t.payer, services.ResponseCodeEnum_INVALID_CHUNK_TRANSACTION_ID},
		refusal{chunk.GetNumber() == 1 && initial != t.id, services.ResponseCodeEnum_INVALID_CHUNK_TRANSACTION_ID},
	))
	return code
}

func (l *Ledger) judgeTransfer(t *submission, paid charged) (services.ResponseCodeEnum, []transfer) {
	amounts := t.body.GetCryptoTransfer().GetTransfers().GetAccountAmounts()
	if len(amounts) > maxTransfers {
		return services.ResponseCodeEnum_TRANSFER_LIST_SIZE_LIMIT_EXCEEDED, nil
	}
	transfers := make([]transfer, len(amounts))
	for i, a := range amounts {
		id, _ := packAccountID(a.GetAccountID())
		balance := l.balanceAtConsensus(id)
		if id == paid.payer {
			balance -= paid.fee
		}
		if err := l.judgeAmount(t, id, a, balance); err != nil {
			code, _ := precheckOf(err)
			return code, nil
		}
		transfers[i] = transfer{id, a.GetAmount()}
	}
	return services.ResponseCodeEnum_OK, transfers
}

func (l *Ledger) judgeAmount(t *submission, id entityID, a *services.AccountAmount, balance int64) error {
	account := l.accounts[id]
	if account == nil {
		return refuse(services.ResponseCodeEnum_INVALID_ACCOUNT_ID)
	}
	debit := a.GetAmount() < 0
	mustSign := debit || account.ReceiverSigRequired != nil && *account.ReceiverSigRequired
	return refuseIf(
		refusal{account.isDeleted(), services.ResponseCodeEnum_ACCOUNT_DELETED},
		refusal{
			!debit && account.ID == l.local(feeAccount),
			services.ResponseCodeEnum_TRANSFER_TO_FEE_COLLECTION_ACCOUNT_NOT_ALLOWED,
		},
		refusal{debit && a.GetIsApproval(), services.ResponseCodeEnum_SPENDER_DOES_NOT_HAVE_ALLOWANCE},
		refusal{mustSign && !t.signatures.satisfy(account.Key.proto()), services.ResponseCodeEnum_INVALID_SIGNATURE},
		refusal{balance < -a.GetAmount(), services.ResponseCodeEnum_INSUFFICIENT_ACCOUNT_BALANCE},
	)
}

// doMessage gives the message its place in the topic.
func (l *Ledger) doMessage(t *submission, at time.Time) {
	data := t.body.GetConsensusSubmitMessage()
	if data == nil {
		return
	}
	t.topic = l.topics[packTopicID(data.GetTopicID())]
	m := t.topic.next(at, t.payer, data.GetMessage())
	m.chunk = data.GetChunkInfo()
	m.hiddenREST = t.fault.Kind == FaultInvisibleREST
	m.hiddenGRPC = t.fault.Kind == FaultInvisibleGRPC
	t.message = &m
	t.receipt.TopicSequenceNumber = uint64(m.sequence) //nolint:gosec // it counts from 1
	t.receipt.TopicRunningHash = m.runningHash
	t.receipt.TopicRunningHashVersion = runningHashVersion
}

// recordOf is what the mirror will have of the transaction.
func (l *Ledger) recordOf(t *submission, at time.Time, status services.ResponseCodeEnum, paid charged, transfers []transfer) *record {
	amounts := map[string]int64{}
	for _, moved := range transfers {
		amounts[moved.account.String()] += moved.amount
	}
	if paid.fee > 0 {
		amounts[paid.payer.String()] -= paid.fee
		amounts[l.local(feeAccount)] += paid.fee
	}
	transaction := Transaction{
		Consensus:  at,
		Payer:      t.payer.String(),
		ValidStart: t.id.validStart(),
		Name:       cryptoTransfer,
		Result:     status.String(),
		Fee:        paid.fee,
		Transfers:  amounts,
		Node:       t.node.String(),
	}
	if data := t.body.GetConsensusSubmitMessage(); data != nil {
		transaction.Name = submitMessage
		if topic := l.topics[packTopicID(data.GetTopicID())]; topic != nil {
			transaction.EntityID = topic.ID
		}
	}
	r, err := newRecord(transaction)
	if err != nil {
		panic(err) // made of parsed ids and known names
	}
	r.explicit, r.submission = true, t
	return r
}

// balanceAtConsensus is an account's balance in tinybar as the nodes know it,
// which the mirror does not yet.
func (l *Ledger) balanceAtConsensus(id entityID) int64 {
	account := l.accounts[id]
	if account == nil {
		return 0
	}
	return account.tinybar() + l.pending[id]
}

// showWhenDue shows a transaction on the mirror, or, while it is stopped, as
// soon as it is started again.
func (l *Ledger) showWhenDue(t *submission) {
	t.overdue = true
	l.showOverdue()
}

func (l *Ledger) showOverdue() {
	if !l.blocksStopped {
		l.show(func(t *submission) bool { return t.overdue })
	}
}

// showUntil shows what reached consensus by the end of a block.
func (l *Ledger) showUntil(end time.Time) {
	l.show(func(t *submission) bool { return !t.record.Consensus.After(end) })
}

// show makes transactions part of the mirror, in the order of consensus.
func (l *Ledger) show(due func(*submission) bool) {
	var later []*submission
	for _, t := range l.unpublished {
		if !due(t) {
			later = append(later, t)
			continue
		}
		for _, moved := range t.record.transfers {
			l.pending[moved.account] -= moved.amount
			if l.pending[moved.account] == 0 {
				delete(l.pending, moved.account)
			}
		}
		l.apply(t.record)
		if t.message != nil {
			t.topic.show(*t.message)
		}
	}
	l.unpublished = later
}

// runningHashVersion is the version of the running hash of topics.
const runningHashVersion = 3

// emptyRunningHash is that of a topic without messages.
var emptyRunningHash = make([]byte, sha512.Size384)

// runningHash is the SHA-384 of a Java object stream of the previous hash, the
// numbers and the message's own hash (ConsensusSubmitMessageHandler of
// hiero-consensus-node; Java Object Serialization Specification, 6.4).
func runningHash(previous []byte, payer, topic entityID, at time.Time, sequence int64, body []byte) []byte {
	const (
		header    = "\xac\xed\x00\x05"
		array     = "\x75"
		class     = "\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00\x78\x70"
		sameClass = "\x71\x00\x7e\x00\x00"
		block     = "\x77\x4c" // of 76 bytes
	)
	buffer := []byte(header + array + class)
	buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(previous))) //nolint:gosec // 48
	buffer = append(append(buffer, previous...), block...)
	long := func(n int64) { buffer = binary.BigEndian.AppendUint64(buffer, uint64(n)) } //nolint:gosec // as Java does
	long(runningHashVersion)
	for _, id := range []entityID{payer, topic} {
		shard, realm, num := id.parts()
		long(shard)
		long(realm)
		long(num)
	}
	long(at.Unix())
	buffer = binary.BigEndian.AppendUint32(buffer, uint32(at.Nanosecond())) //nolint:gosec // below 1e9
	long(sequence)
	hash := sha512.Sum384(body)
	buffer = append(buffer, array+sameClass...)
	buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(hash)))
	sum := sha512.Sum384(append(buffer, hash[:]...))
	return sum[:]
}

func packTopicID(id *services.TopicID) entityID {
	packed, ok := pack(id.GetShardNum(), id.GetRealmNum(), id.GetTopicNum())
	if !ok {
		return noEntity
	}
	return packed
}

func (r exchangeRates) proto() *services.ExchangeRateSet {
	rate := func(r ExchangeRate) *services.ExchangeRate {
		return &services.ExchangeRate{
			HbarEquiv:      r.Hbar,
			CentEquiv:      r.Cents,
			ExpirationTime: &services.TimestampSeconds{Seconds: r.Expiration.Unix()},
		}
	}
	return &services.ExchangeRateSet{CurrentRate: rate(r.current), NextRate: rate(r.next)}
}

func consensusControls() map[string]controlCall {
	type body struct {
		Consensus string `json:"consensus"`
		Mirror    string `json:"mirror"`
	}
	return map[string]controlCall{
		"GET /simulator/delays": reading(func(l *Ledger, _ *http.Request) (any, error) {
			return body{l.delays.consensus.String(), l.delays.mirror.String()}, nil
		}),
		"PUT /simulator/delays": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			d := l.delays
			for _, change := range []struct {
				text string
				to   *time.Duration
			}{{b.Consensus, &d.consensus}, {b.Mirror, &d.mirror}} {
				if change.text == "" {
					continue
				}
				var err error
				if *change.to, err = time.ParseDuration(change.text); err != nil {
					return nil, errors.New(`delays: want {"consensus":"2.5s","mirror":"2s"}`)
				}
			}
			return nil, l.SetDelays(d.consensus, d.mirror)
		}),
	}
}
