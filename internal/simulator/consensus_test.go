// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/mirror"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A transfer is unknown, then final, then on the mirror, each after its delay.
func TestTransfer(t *testing.T) {
	opts := Options{Static: true, ConsensusDelay: 2 * time.Second, MirrorDelay: 3 * time.Second}
	withSubmitter(t, opts, func(t *testing.T, c *submitter) {
		node := c.s.Nodes()[0].AccountID
		for _, payer := range []string{edPayer, ecdsaPayer} {
			fees, nodes := c.balance(feeAccount), c.balance(node)
			d := c.canaryTransfer(payer)
			d.Memo = "canary"
			c.mustSend(d)
			time.Sleep(2*time.Second - time.Millisecond)
			if got, _ := c.receipt(0, d); got != "UNKNOWN" {
				t.Errorf("before consensus: %s", got)
			}
			if got, _ := c.receipt(1, d); got != "RECEIPT_NOT_FOUND" {
				t.Errorf("before consensus, another node: %s", got)
			}
			time.Sleep(2 * time.Millisecond)
			for nodeID := range int64(2) {
				got, receipt := c.receipt(nodeID, d)
				if rate := receipt.GetReceipt().GetExchangeRate().GetCurrentRate(); got != "SUCCESS" || rate.GetCentEquiv() != 596_987 {
					t.Errorf("after consensus: %v", receipt)
				}
			}
			time.Sleep(3*time.Second - 2*time.Millisecond)
			if rows := c.rows(payer); len(rows) != 0 || c.balance(payer) != payerHbar {
				t.Errorf("the mirror is early: %v", rows)
			}
			time.Sleep(2 * time.Millisecond)
			rows := c.rows(payer)
			if len(rows) != 1 {
				t.Fatalf("got %d rows", len(rows))
			}
			row := rows[0]
			want := []restTransfer{{node, 1, false}, {feeAccount, transferFee, false}, {payer, -1 - transferFee, false}}
			if !slices.Equal(row.Transfers, want) {
				t.Errorf("got %v, want %v", row.Transfers, want)
			}
			if row.TransactionID != d.id() || row.Result != "SUCCESS" || row.Name != cryptoTransfer || row.ChargedTxFee != transferFee ||
				row.MaxFee != tinybarPerHbar || row.ValidDurationSeconds != 30 || *row.MemoBase64 != "Y2FuYXJ5" || *row.Node != node {
				t.Errorf("got %+v", row)
			}
			if hash, err := base64.StdEncoding.DecodeString(row.TransactionHash); err != nil || len(hash) != 48 {
				t.Errorf("hash is %q, %v", row.TransactionHash, err)
			}
			got := []int64{c.balance(payer), c.balance(feeAccount) - fees, c.balance(node) - nodes}
			if !slices.Equal(got, []int64{payerHbar - transferFee - 1, transferFee, 1}) {
				t.Errorf("balances moved by %v", got)
			}
			if totals := c.s.AccountTotals(payer); totals.Fees != transferFee {
				t.Errorf("totals are %+v", totals)
			}
		}
	})
}

// The nodes count what the mirror has not seen yet.
func TestPrecheckKnowsWhatTheMirrorDoesNot(t *testing.T) {
	withSubmitter(t, Options{Static: true, MirrorDelay: time.Minute}, func(t *testing.T, c *submitter) {
		c.update(func(l *Ledger) error { return l.SetBalance(edPayer, 2*transferFee+1) })
		c.mustSend(c.canaryTransfer(edPayer))
		time.Sleep(time.Second)
		answer, err := c.send(0, c.canaryTransfer(edPayer))
		if got := answer.GetNodeTransactionPrecheckCode(); err != nil || got != services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE {
			t.Errorf("got %s, %v", got, err)
		}
		c.update(func(l *Ledger) error { return l.SetBalance(edPayer, 2*transferFee+2) })
		c.mustSend(c.canaryTransfer(edPayer))
	})
}

// Duplicates by two nodes are ordered both, and the second is charged without
// the service fee.
func TestDuplicates(t *testing.T) {
	withSubmitter(t, Options{Static: true, ConsensusDelay: time.Second}, func(t *testing.T, c *submitter) {
		d := c.message(edPayer, openTopic, "x")
		c.mustSend(d)
		other := d
		other.NodeAccountID = protoAccount(t, c.s.Nodes()[1].AccountID)
		if answer, err := c.send(1, other); err != nil || answer.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_OK {
			t.Fatalf("got %v, %v", answer, err)
		}
		c.settled()
		got, receipt := c.receipt(0, d)
		if duplicates := receipt.GetDuplicateTransactionReceipts(); got != "SUCCESS" || len(duplicates) != 1 ||
			duplicates[0].GetStatus() != services.ResponseCodeEnum_DUPLICATE_TRANSACTION {
			t.Errorf("got %v", receipt)
		}
		if answer, err := c.send(1, other); err != nil || answer.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_DUPLICATE_TRANSACTION {
			t.Errorf("afterwards: got %v, %v", answer, err)
		}
		if fees := c.s.AccountTotals(edPayer).Fees; fees != messageFee+transferFee {
			t.Errorf("charged %d", fees)
		}
		if topic := getMemoryJSON[messageList](c, "/api/v1/topics/"+openTopic+"/messages"); len(topic.Messages) != 1 {
			t.Errorf("got %d messages", len(topic.Messages))
		}

		// Nodes forget.
		time.Sleep(maxValidDuration)
		if got, _ := c.receipt(0, d); got != "RECEIPT_NOT_FOUND" {
			t.Errorf("after 180 s: %s", got)
		}
	})
}

func TestFailuresAtConsensus(t *testing.T) {
	const delay = time.Second
	withSubmitter(t, Options{Static: true, ConsensusDelay: delay}, func(t *testing.T, c *submitter) {
		stranger, poor, closed := "0.0.1003", "0.0.1005", "0.0.7003"
		c.update(func(l *Ledger) error {
			if err := l.SetBalance(poor, 5); err != nil {
				return err
			}
			if err := l.DeleteAccount("0.0.1006"); err != nil {
				return err
			}
			l.accounts[mustParse(t, "0.0.1007")].ReceiverSigRequired = new(true)
			return l.AddTopic(Topic{ID: closed, SubmitKey: restKey(mustPrivate(l, stranger).PublicKey())})
		})
		signedToo := func(d draft, account string) draft {
			d.signers = append(d.signers, c.key(account))
			return d
		}
		const twoSignatures = 2 * transferFee // the second costs as much as the base, on node and network
		for _, tc := range []struct {
			name   string
			d      draft
			want   string
			fee    int64
			during func(l *Ledger) error // between precheck and consensus
		}{
			{name: "unknown topic", d: c.message(edPayer, "0.0.999", "x"), want: "INVALID_TOPIC_ID", fee: messageFee},
			{name: "deleted topic", d: c.message(edPayer, bareTopic, "x"), want: "INVALID_TOPIC_ID", fee: messageFee},
			{name: "no submit key", d: c.message(edPayer, closed, "x"), want: "INVALID_SIGNATURE", fee: messageFee},
			{name: "submit key", d: signedToo(c.message(edPayer, closed, "x"), stranger), want: "SUCCESS", fee: twoSignatures + messageFee - transferFee},
			{name: "long message", d: c.message(edPayer, openTopic, strings.Repeat("x", 1025)), want: "MESSAGE_SIZE_TOO_LARGE", fee: messageFee + 316_087},
			{name: "unknown account", d: c.transfer(edPayer, edPayer, -1, "0.0.999999", 1), want: "INVALID_ACCOUNT_ID", fee: transferFee},
			{name: "deleted account", d: c.transfer(edPayer, edPayer, -1, "0.0.1006", 1), want: "ACCOUNT_DELETED", fee: transferFee},
			{name: "unwilling account", d: c.transfer(edPayer, edPayer, -1, "0.0.1007", 1), want: "INVALID_SIGNATURE", fee: transferFee},
			{name: "fee account", d: c.transfer(edPayer, edPayer, -1, feeAccount, 1), want: "TRANSFER_TO_FEE_COLLECTION_ACCOUNT_NOT_ALLOWED", fee: transferFee},
			{name: "not the payer's money", d: c.transfer(edPayer, poor, -1, edPayer, 1), want: "INVALID_SIGNATURE", fee: transferFee},
			{name: "more than there is", d: signedToo(c.transfer(edPayer, poor, -6, edPayer, 6), poor), want: "INSUFFICIENT_ACCOUNT_BALANCE", fee: twoSignatures},
			{name: "no service fee", d: offering(c.message(edPayer, openTopic, "x"), messageFee-1), want: "INSUFFICIENT_TX_FEE", fee: transferFee},
			{
				name: "the fee schedule changed", d: offering(c.canaryTransfer(edPayer), transferFee), want: "INSUFFICIENT_TX_FEE", fee: transferFee,
				during: func(l *Ledger) error {
					schedule := defaultFees()
					schedule.CryptoTransfer = 1_000_000
					return l.SetFees(schedule)
				},
			},
			{
				name: "spent meanwhile", d: c.canaryTransfer(edPayer), want: "INSUFFICIENT_PAYER_BALANCE", fee: 7,
				during: func(l *Ledger) error { return l.SetBalance(edPayer, 7) },
			},
		} {
			before := c.s.AccountTotals(edPayer).Fees
			d := c.fresh(tc.d)
			c.mustSend(d)
			if tc.during != nil {
				c.update(tc.during)
			}
			c.settled()
			if got, _ := c.receipt(0, d); got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
			}
			if got := c.s.AccountTotals(edPayer).Fees - before; got != tc.fee {
				t.Errorf("%s: charged %d, want %d", tc.name, got, tc.fee)
			}
			rows := c.rows(edPayer)
			if len(rows) == 0 || rows[0].Result != tc.want || rows[0].ChargedTxFee != tc.fee {
				t.Errorf("%s: the mirror has %+v", tc.name, rows)
			}
			c.update(func(l *Ledger) error {
				return errors.Join(l.SetFees(defaultFees()), l.SetBalance(edPayer, payerHbar))
			})
		}
	})
}

func offering(d draft, fee uint64) draft {
	d.TransactionFee = fee
	return d
}

// fresh is the draft as if it was made now.
func (c *submitter) fresh(d draft) draft {
	c.t.Helper()
	d.TransactionID.TransactionValidStart = c.draft(edPayer).TransactionID.TransactionValidStart
	return d
}

func mustParse(t *testing.T, id string) entityID {
	t.Helper()
	parsed, err := parseEntityID(id)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func mustPrivate(l *Ledger, account string) hiero.PrivateKey {
	key, err := l.privateKey(account)
	if err != nil {
		panic(err)
	}
	return key
}

// What expires on the way is the node's fault, which pays.
func TestExpiryAtConsensus(t *testing.T) {
	withSubmitter(t, Options{Static: true, ConsensusDelay: time.Minute}, func(t *testing.T, c *submitter) {
		node := c.s.Nodes()[0].AccountID
		c.update(func(l *Ledger) error { return l.SetBalance(node, 100_000) })
		d := c.mustSend(c.canaryTransfer(edPayer))
		c.settled()
		if got, _ := c.receipt(0, d); got != "TRANSACTION_EXPIRED" {
			t.Errorf("got %s", got)
		}
		if payer, paid := c.balance(edPayer), c.balance(node); payer != payerHbar || paid != 100_000-45_227 {
			t.Errorf("the payer has %d, the node %d", payer, paid)
		}
	})
}

// Vectors by Java: ObjectOutputStream and MessageDigest of OpenJDK.
func TestRunningHash(t *testing.T) {
	payer, topic := entityID(1001), entityID(7002)
	hash := runningHash(emptyRunningHash, payer, topic, time.Unix(1700000000, 5), 1, []byte("hello"))
	const first = "cbd32dc885af65beac104a8ef096932138af17c5bfc11926c6144be667e64ba4bdc0f2953b8e2fc8af336671b14b7cdf"
	if got := hex.EncodeToString(hash); got != first {
		t.Errorf("got %s", got)
	}
	hash = runningHash(hash, payer, topic, time.Unix(1700000001, 123456789), 2, []byte("world"))
	const second = "bf42b12600d0f19eaaaf1d803db7b0d1c4fd80f242fe42d40b23965f49b61107c284fe2fa3159fb79610e2e17e30a665"
	if got := hex.EncodeToString(hash); got != second {
		t.Errorf("got %s", got)
	}
}

// topicStream collects what a stream has.
type topicStream struct {
	messages chan *mirror.ConsensusTopicResponse
	ended    chan error
	cancel   context.CancelFunc
}

func (c *submitter) subscribe(query *mirror.ConsensusTopicQuery) topicStream {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	stream, err := mirror.NewConsensusServiceClient(c.dial(c.s.GRPCAddress())).SubscribeTopic(ctx, query)
	if err != nil {
		c.t.Fatal(err)
	}
	s := topicStream{make(chan *mirror.ConsensusTopicResponse, 100), make(chan error, 1), cancel}
	go func() {
		for {
			m, err := stream.Recv()
			if err != nil {
				s.ended <- err
				return
			}
			s.messages <- m
		}
	}()
	return s
}

// texts are those of the messages that came within a millisecond.
func (s topicStream) texts() []string {
	time.Sleep(time.Millisecond)
	var texts []string
	for len(s.messages) > 0 {
		texts = append(texts, string((<-s.messages).GetMessage()))
	}
	return texts
}

func topicQuery(num int64, start time.Time) *mirror.ConsensusTopicQuery {
	return &mirror.ConsensusTopicQuery{
		TopicID:            &services.TopicID{TopicNum: num},
		ConsensusStartTime: protoTime(start),
	}
}

func protoTime(t time.Time) *services.Timestamp {
	return &services.Timestamp{Seconds: t.Unix(), Nanos: int32(t.Nanosecond())}
}

// A message is on REST and on the stream at the same time, with the receipt's
// numbers.
func TestMessage(t *testing.T) {
	opts := Options{Static: true, ConsensusDelay: 2 * time.Second, MirrorDelay: 3 * time.Second}
	withSubmitter(t, opts, func(t *testing.T, c *submitter) {
		stream := c.subscribe(&mirror.ConsensusTopicQuery{TopicID: &services.TopicID{TopicNum: 7002}})
		path := "/api/v1/topics/" + openTopic + "/messages"
		hash := emptyRunningHash
		for i, text := range []string{"hello", "world"} {
			d := c.message(edPayer, openTopic, text)
			d.GetConsensusSubmitMessage().ChunkInfo = &services.ConsensusMessageChunkInfo{
				InitialTransactionID: d.TransactionID, Number: 1, Total: 1,
			}
			c.mustSend(d)
			time.Sleep(5*time.Second - time.Millisecond)
			got, answer := c.receipt(0, d)
			receipt := answer.GetReceipt()
			if got != "SUCCESS" || receipt.GetTopicSequenceNumber() != uint64(i+1) || receipt.GetTopicRunningHashVersion() != 3 {
				t.Fatalf("got %v", answer)
			}
			if early := getMemoryJSON[messageList](c, path); len(early.Messages) != i || len(stream.messages) != 0 {
				t.Errorf("the mirror is early")
			}
			time.Sleep(2 * time.Millisecond)
			rows := getMemoryJSON[messageList](c, path).Messages
			if len(rows) != i+1 || len(stream.messages) != 1 {
				t.Fatalf("got %d messages by REST and %d by the stream", len(rows), len(stream.messages))
			}
			row, m := rows[i], <-stream.messages
			at := time.Unix(m.GetConsensusTimestamp().GetSeconds(), int64(m.GetConsensusTimestamp().GetNanos()))
			hash = runningHash(hash, mustParse(t, edPayer), mustParse(t, openTopic), at, int64(i+1), []byte(text))
			if !slices.Equal(receipt.GetTopicRunningHash(), hash) || !slices.Equal(m.GetRunningHash(), hash) ||
				row.RunningHash != base64.StdEncoding.EncodeToString(hash) {
				t.Errorf("running hashes: receipt %x, stream %x, REST %s, want %x", receipt.GetTopicRunningHash(), m.GetRunningHash(), row.RunningHash, hash)
			}
			if row.SequenceNumber != int64(i+1) || row.ConsensusTimestamp != formatTimestamp(at) || row.Message != base64.StdEncoding.EncodeToString([]byte(text)) {
				t.Errorf("REST has %+v", row)
			}
			chunk := row.ChunkInfo
			if chunk == nil || chunk.Total != 1 || chunk.InitialTransactionID.AccountID != edPayer || m.GetChunkInfo().GetNumber() != 1 {
				t.Errorf("chunk is %+v, %v", chunk, m.GetChunkInfo())
			}
			if string(m.GetMessage()) != text || m.GetSequenceNumber() != uint64(i+1) {
				t.Errorf("the stream has %v", m)
			}
			list := c.rows(edPayer)
			if list[0].ChargedTxFee != messageFee || *list[0].EntityID != openTopic || list[0].Name != submitMessage {
				t.Errorf("got %+v", list[0])
			}
		}
	})
}

func TestChunks(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		for _, tc := range []struct {
			number, total int32
			another       bool // the first was another's transaction
			want          string
		}{
			{1, 2, false, "SUCCESS"},
			{0, 2, false, "INVALID_CHUNK_NUMBER"},
			{3, 2, false, "INVALID_CHUNK_NUMBER"},
			{1, 2, true, "INVALID_CHUNK_TRANSACTION_ID"},
			{2, 2, true, "SUCCESS"},
		} {
			d := c.message(edPayer, openTopic, "x")
			initial := d.TransactionID
			if tc.another {
				initial = c.draft(edPayer).TransactionID
			}
			d.GetConsensusSubmitMessage().ChunkInfo = &services.ConsensusMessageChunkInfo{
				InitialTransactionID: initial, Number: tc.number, Total: tc.total,
			}
			c.mustSend(d)
			c.settled()
			if got, _ := c.receipt(0, d); got != tc.want {
				t.Errorf("%d of %d: got %s, want %s", tc.number, tc.total, got, tc.want)
			}
		}
	})
}

func TestSubscription(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		begin := time.Now()
		add := func(offset time.Duration) {
			c.update(func(l *Ledger) error {
				_, err := l.AddTopicMessage(openTopic, begin.Add(offset))
				return err
			})
		}
		for i := range 3 {
			add(time.Duration(i-3) * time.Second)
		}
		one, two, three, four := "message 1 of 0.0.7002", "message 2 of 0.0.7002", "message 3 of 0.0.7002", "message 4 of 0.0.7002"
		limited := topicQuery(7002, time.Unix(0, 0))
		limited.Limit = 2
		ending := topicQuery(7002, begin.Add(-2*time.Second))
		ending.ConsensusEndTime = protoTime(begin.Add(time.Second))
		all, since := c.subscribe(topicQuery(7002, time.Unix(0, 0))), c.subscribe(topicQuery(7002, begin.Add(-2*time.Second+1)))
		now, some, until := c.subscribe(&mirror.ConsensusTopicQuery{TopicID: &services.TopicID{TopicNum: 7002}}), c.subscribe(limited), c.subscribe(ending)
		check := func(name string, s topicStream, want ...string) {
			t.Helper()
			if got := s.texts(); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		check("all", all, one, two, three)
		check("since", since, three)
		check("now", now)
		check("limited", some, one, two)
		check("until", until, two, three)
		if err := <-some.ended; !errors.Is(err, io.EOF) {
			t.Errorf("limited: ended with %v", err)
		}
		add(100 * time.Millisecond)
		check("all", all, four)
		check("now", now, four)
		check("until", until, four)
		time.Sleep(time.Second)
		if err := <-until.ended; !errors.Is(err, io.EOF) {
			t.Errorf("until: ended with %v", err)
		}
		all.cancel()
		if err := <-all.ended; status.Code(err) != codes.Canceled {
			t.Errorf("all: ended with %v", err)
		}
	})
}

func TestSubscriptionRefusals(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		ending := topicQuery(7002, time.Now())
		ending.ConsensusEndTime = protoTime(time.Now())
		for name, tc := range map[string]struct {
			query *mirror.ConsensusTopicQuery
			want  codes.Code
		}{
			"no topic":      {&mirror.ConsensusTopicQuery{}, codes.InvalidArgument},
			"unknown topic": {topicQuery(999, time.Now()), codes.NotFound},
			"an account":    {topicQuery(1001, time.Now()), codes.InvalidArgument},
			"future":        {topicQuery(7002, time.Now().Add(time.Second)), codes.InvalidArgument},
			"empty":         {ending, codes.InvalidArgument},
		} {
			if err := <-c.subscribe(tc.query).ended; status.Code(err) != tc.want {
				t.Errorf("%s: got %v, want %s", name, err, tc.want)
			}
		}
		c.update(func(l *Ledger) error { return l.SetMirror(MirrorSettings{Starting: true}) })
		if err := <-c.subscribe(topicQuery(7002, time.Now())).ended; status.Code(err) != codes.NotFound {
			t.Errorf("while the mirror starts: got %v", err)
		}
	})
}

// On a network that moves, a transaction is on the mirror with its block, not
// before, and its block counts it.
func TestTransactionsAreInBlocks(t *testing.T) {
	withSubmitter(t, Options{MirrorDelay: 5 * time.Second}, func(t *testing.T, c *submitter) {
		c.update(func(l *Ledger) error { l.traders = nil; return nil }) // no other transactions
		sent := time.Now()
		c.mustSend(c.canaryTransfer(edPayer))
		for len(c.rows(edPayer)) == 0 {
			if time.Since(sent) > 20*time.Second {
				t.Fatal("it never came")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if waited := time.Since(sent); waited < 5*time.Second || waited > 10*time.Second {
			t.Errorf("it came after %s", waited)
		}
		row := c.rows(edPayer)[0]
		list := getMemoryJSON[blockList](c, "/api/v1/blocks?timestamp=gte:"+row.ConsensusTimestamp+"&order=asc&limit=1")
		if len(list.Blocks) != 1 || list.Blocks[0].Count != 1 || list.Blocks[0].Timestamp.From > row.ConsensusTimestamp {
			t.Errorf("its block is %+v", list.Blocks)
		}

		c.update(func(l *Ledger) error { l.StopBlocks(); return nil })
		d := c.mustSend(c.canaryTransfer(edPayer))
		time.Sleep(time.Minute)
		if got, _ := c.receipt(0, d); got != "SUCCESS" || len(c.rows(edPayer)) != 1 {
			t.Errorf("while the mirror is stopped: %s, %d rows", got, len(c.rows(edPayer)))
		}
		c.update(func(l *Ledger) error { l.StartBlocks(); return nil })
		time.Sleep(2 * blockPeriod)
		if rows := c.rows(edPayer); len(rows) != 2 {
			t.Errorf("after that: %d rows", len(rows))
		}
	})
}

func TestStoppedMirrorHoldsTransactions(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		c.update(func(l *Ledger) error { l.StopBlocks(); return nil })
		c.mustSend(c.canaryTransfer(edPayer))
		time.Sleep(time.Second)
		if rows := c.rows(edPayer); len(rows) != 0 {
			t.Errorf("got %v", rows)
		}
		c.update(func(l *Ledger) error { l.StartBlocks(); return nil })
		if rows := c.rows(edPayer); len(rows) != 1 {
			t.Errorf("got %v", rows)
		}
	})
}

// Closing does not wait for transactions on their way, nor leave them behind.
func TestCloseWithTransactionsOnTheirWay(t *testing.T) {
	withSubmitter(t, Options{Static: true, ConsensusDelay: time.Hour, MirrorDelay: time.Hour}, func(t *testing.T, c *submitter) {
		c.subscribe(topicQuery(7002, time.Now()))
		c.mustSend(c.canaryTransfer(edPayer))
		c.update(func(l *Ledger) error { return l.SetDelays(0, time.Hour) })
		c.mustSend(c.canaryTransfer(edPayer))
		time.Sleep(time.Second)
		closed := time.Now()
		if err := c.s.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(closed); took > time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// However transactions end, no hbar is made or lost, and what the payers were
// charged is what the mirror says.
func TestSupplyStays(t *testing.T) {
	withSubmitter(t, Options{ConsensusDelay: time.Second}, func(t *testing.T, c *submitter) {
		total := func() (sum int64) {
			for _, id := range c.s.AccountIDs() {
				sum += c.balance(id)
			}
			return sum
		}
		before := total()
		rng := rand.New(rand.NewPCG(1, 2))
		var submitted []draft
		for range 200 {
			payer := []string{edPayer, ecdsaPayer}[rng.IntN(2)]
			d := c.transfer(payer, payer, -1-rng.IntN(tinybarPerHbar), "0.0.3", 0)
			amounts := d.GetCryptoTransfer().GetTransfers().GetAccountAmounts()
			amounts[1].Amount = -amounts[0].Amount
			switch rng.IntN(4) {
			case 0:
				d = c.message(payer, openTopic, "x")
			case 1:
				d = c.transfer(payer, payer, -5, "0.0.999999", 5)
			}
			if answer, err := c.send(0, d); err != nil {
				t.Fatal(err)
			} else if answer.GetNodeTransactionPrecheckCode() == services.ResponseCodeEnum_OK {
				submitted = append(submitted, d)
			}
			time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if after := total(); after != before {
			t.Errorf("supply went from %d to %d", before, after)
		}
		found := 0
		for _, d := range submitted {
			list := getMemoryJSON[transactionList](c, "/api/v1/transactions/"+d.id()).Transactions
			found += len(list)
		}
		if found != len(submitted) || found < 100 {
			t.Errorf("%d of %d are on the mirror", found, len(submitted))
		}
	})
}

func TestSubmitFaults(t *testing.T) {
	for _, tc := range []struct {
		kind, code string
		answer     string // precheck code, or of gRPC
		receipt    string
		rest, grpc int // messages that are visible
		fee        int64
	}{
		{FaultPrecheck, "BUSY", "BUSY", "RECEIPT_NOT_FOUND", 0, 0, 0},
		{FaultPrecheck, "PLATFORM_NOT_ACTIVE", "PLATFORM_NOT_ACTIVE", "RECEIPT_NOT_FOUND", 0, 0, 0},
		{FaultStatus, "", "Unavailable", "RECEIPT_NOT_FOUND", 0, 0, 0},
		{FaultHang, "", "DeadlineExceeded", "RECEIPT_NOT_FOUND", 0, 0, 0},
		{FaultUnanswered, "", "DeadlineExceeded", "SUCCESS", 1, 1, messageFee},
		{FaultLatency, "", "OK", "SUCCESS", 1, 1, messageFee},
		{FaultLost, "", "OK", "UNKNOWN", 0, 0, 0},
		{FaultNoReceipt, "", "OK", "UNKNOWN", 1, 1, messageFee},
		{FaultFail, "INVALID_TOPIC_ID", "OK", "INVALID_TOPIC_ID", 0, 0, messageFee},
		{FaultInvisibleREST, "", "OK", "SUCCESS", 0, 1, messageFee},
		{FaultInvisibleGRPC, "", "OK", "SUCCESS", 1, 0, messageFee},
	} {
		t.Run(tc.kind+tc.code, func(t *testing.T) {
			withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
				fault := Fault{Path: SubmitFault, Query: "method=submitMessage&node_id=0&node=0.0.3&", Kind: tc.kind, Code: tc.code, Count: 1}
				switch tc.kind {
				case FaultStatus:
					fault.Status = int(codes.Unavailable)
				case FaultLatency:
					fault.Latency = 5 * time.Second
				}
				if _, err := c.s.InjectFault(fault); err != nil {
					t.Fatal(err)
				}
				c.mustSend(c.canaryTransfer(ecdsaPayer)) // the fault is not about it
				stream := c.subscribe(topicQuery(7002, time.Now()))
				d := c.message(edPayer, openTopic, "x")
				sent := time.Now()
				response, err := c.send(0, d)
				got := response.GetNodeTransactionPrecheckCode().String()
				if err != nil {
					got = status.Code(err).String()
				}
				if got != tc.answer {
					t.Errorf("got %s, %v, want %s", got, err, tc.answer)
				}
				if took := time.Since(sent); tc.kind == FaultLatency && took != 5*time.Second {
					t.Errorf("it took %s", took)
				}
				time.Sleep(time.Second)
				if got, _ := c.receipt(0, d); got != tc.receipt {
					t.Errorf("receipt: got %s, want %s", got, tc.receipt)
				}
				rows := getMemoryJSON[messageList](c, "/api/v1/topics/"+openTopic+"/messages").Messages
				if grpc := len(stream.texts()); len(rows) != tc.rest || grpc != tc.grpc {
					t.Errorf("%d by REST and %d by gRPC, want %d and %d", len(rows), grpc, tc.rest, tc.grpc)
				}
				wantRows := min(1, int(tc.fee))
				if tc.kind == FaultInvisibleREST {
					wantRows = 0
				}
				if rows := c.rows(edPayer); len(rows) != wantRows {
					t.Errorf("the mirror has %d transactions, want %d", len(rows), wantRows)
				}
				if fees := c.s.AccountTotals(edPayer).Fees; fees != tc.fee || c.balance(edPayer) != payerHbar-tc.fee {
					t.Errorf("charged %d, want %d", fees, tc.fee)
				}
				c.mustSend(c.message(edPayer, openTopic, "y")) // the fault is used up
			})
		})
	}
}

// A message that the stream leaves out is a gap in its sequence numbers.
func TestTopicMessageFaults(t *testing.T) {
	for _, tc := range []struct {
		kind   string
		status int
		want   []uint64 // sequence numbers
		ended  codes.Code
	}{
		{FaultDrop, 0, []uint64{1, 3}, codes.OK},
		{FaultDuplicate, 0, []uint64{1, 2, 2, 3}, codes.OK},
		{FaultHang, 0, []uint64{1}, codes.OK},
		{FaultLatency, 0, []uint64{1}, codes.OK},
		{FaultStatus, int(codes.ResourceExhausted), []uint64{1}, codes.ResourceExhausted},
		{FaultReset, 0, []uint64{1}, codes.Unavailable},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
				stream := c.subscribe(topicQuery(7002, time.Now()))
				c.mustSend(c.message(edPayer, openTopic, "1"))
				time.Sleep(time.Second)
				fault := Fault{Path: TopicMessageFault, Kind: tc.kind, Status: tc.status, Count: 1}
				if tc.kind == FaultLatency {
					fault.Latency = time.Minute
				}
				if _, err := c.s.InjectFault(fault); err != nil {
					t.Fatal(err)
				}
				for _, text := range []string{"2", "3"} {
					c.mustSend(c.message(edPayer, openTopic, text))
					time.Sleep(time.Second)
				}
				var got []uint64
				for len(stream.messages) > 0 {
					got = append(got, (<-stream.messages).GetSequenceNumber())
				}
				if !slices.Equal(got, tc.want) {
					t.Errorf("got %v, want %v", got, tc.want)
				}
				ended := codes.OK
				if len(stream.ended) > 0 {
					ended = status.Code(<-stream.ended)
				}
				if ended != tc.ended {
					t.Errorf("ended with %s, want %s", ended, tc.ended)
				}
			})
		})
	}
}

func TestSubscribeFaults(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		for _, tc := range []struct {
			fault Fault
			want  codes.Code
		}{
			{Fault{Kind: FaultStatus, Status: int(codes.NotFound)}, codes.NotFound},
			{Fault{Kind: FaultReset}, codes.Unavailable},
		} {
			tc.fault.Path, tc.fault.Count = SubscribeFault, 1
			if _, err := c.s.InjectFault(tc.fault); err != nil {
				t.Fatal(err)
			}
			if err := <-c.subscribe(topicQuery(7002, time.Now())).ended; status.Code(err) != tc.want {
				t.Errorf("%s: got %v", tc.fault.Kind, err)
			}
		}
	})
}

func TestReceiptFaults(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		d := c.mustSend(c.canaryTransfer(edPayer))
		time.Sleep(time.Second)
		if _, err := c.s.InjectFault(Fault{Path: ReceiptsFault, Kind: FaultPrecheck, Code: "BUSY", Count: 1}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"BUSY", "SUCCESS"} {
			if got, _ := c.receipt(0, d); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		c.update(func(l *Ledger) error { return l.SetPrecheck(0, services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE) })
		if got, _ := c.receipt(0, d); got != "PLATFORM_NOT_ACTIVE" {
			t.Errorf("got %s", got)
		}
		if answer, err := c.send(0, c.canaryTransfer(edPayer)); err != nil || answer.GetNodeTransactionPrecheckCode() != services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE {
			t.Errorf("got %v, %v", answer, err)
		}
	})
}

func TestReceiptQueries(t *testing.T) {
	withSubmitter(t, Options{Static: true}, func(t *testing.T, c *submitter) {
		d := c.draft(edPayer)
		for _, tc := range []struct {
			want   string
			change func()
		}{
			{"RECEIPT_NOT_FOUND", func() {}},
			{"RECEIPT_NOT_FOUND", func() { d.TransactionID.Nonce = 1 }},
			{"INVALID_TRANSACTION_ID", func() { d.TransactionID.AccountID = nil }},
			{"INVALID_TRANSACTION_ID", func() { d.TransactionID = nil }},
		} {
			tc.change()
			if got, _ := c.receipt(0, d); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		}
	})
}

func TestFaultPaths(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	for _, wrong := range []Fault{
		{Path: SubmitFault, Kind: FaultPrecheck, Code: "NOPE"},
		{Path: SubmitFault, Kind: FaultFail},
		{Path: SubmitFault, Kind: FaultReset},
		{Path: ReceiptsFault, Kind: FaultLost},
		{Path: SubscribeFault, Kind: FaultDrop},
		{Path: "/api/v1/blocks", Kind: FaultLost},
		{Path: "grpc:nope", Kind: FaultHang},
	} {
		if _, err := s.InjectFault(wrong); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
	mustControl(t, s, "POST", "faults", `{"path":"grpc:submit","kind":"fail","code":"BUSY","query":"node_id=0&"}`)
	if got := mustControl(t, s, "GET", "faults", ""); got != `{"faults":[{"id":1,"path":"grpc:submit","query":"node_id=0&","kind":"fail","code":"BUSY"}]}` {
		t.Errorf("got %s", got)
	}
}

func TestFees(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 2})
	transfer := func(signers, accounts, size int) int64 {
		list := &services.TransferList{AccountAmounts: make([]*services.AccountAmount, accounts)}
		return view(s, func(l *Ledger) int64 {
			return l.feesOf(&submission{
				size:       size,
				signatures: signatures{pairs: make([]*services.SignaturePair, signers)},
				body: &services.TransactionBody{Data: &services.TransactionBody_CryptoTransfer{
					CryptoTransfer: &services.CryptoTransferTransactionBody{Transfers: list},
				}},
			}).total()
		})
	}
	const dollar = 10_000_000_000 // tinycents
	for _, tc := range []struct {
		signers, accounts, size int
		want                    int64 // tinycents
	}{
		{1, 2, 200, dollar / 10_000},
		{2, 2, 200, 2 * dollar / 10_000},
		{1, 4, 200, 3 * dollar / 10_000},
		{1, 2, 1360, 2 * dollar / 10_000},
	} {
		want := tc.want * 30_000 / 596_987
		if got := transfer(tc.signers, tc.accounts, tc.size); got > want || got < want-2 {
			t.Errorf("%+v: got %d tinybar, want %d", tc, got, want)
		}
	}

	mustControl(t, s, "PUT", "fees", `{"node_base":200000}`)
	if got := mustControl(t, s, "GET", "fees", ""); !strings.HasPrefix(got, `{"node_base":200000,"signature":100000,`) {
		t.Errorf("got %s", got)
	}
	if got := transfer(1, 2, 200); got != 10_050+90_454 {
		t.Errorf("after the change: %d", got)
	}
	mustControl(t, s, "PUT", "delays", `{"consensus":"2.5s","mirror":"1m"}`)
	mustControl(t, s, "PUT", "delays", `{"mirror":"2s"}`)
	if got := mustControl(t, s, "GET", "delays", ""); got != `{"consensus":"2.5s","mirror":"2s"}` {
		t.Errorf("got %s", got)
	}
	for path, wrong := range map[string][]string{
		"fees":   {`{"node_base":-1}`, `{"nope":1}`, `{"network_multiplier":1001}`, ``},
		"delays": {`{"consensus":"x"}`, `{"mirror":"-1s"}`, ``},
	} {
		for _, body := range wrong {
			if got := control(t, s, "PUT", path, body); got.status != 400 {
				t.Errorf("%s %s: got %d %s", path, body, got.status, got.body)
			}
		}
	}
	if _, err := Start(Options{ConsensusDelay: -1}); err == nil {
		t.Error("a negative delay was accepted")
	}
}
