// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

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
	"google.golang.org/grpc/status"

	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

// Times of the stages of a transaction, all but the first from the moment before
// it is sent.
const (
	connectTimeout  = 10 * time.Second
	precheckTimeout = 15 * time.Second
	receiptTimeout  = 30 * time.Second
	mirrorTimeout   = 60 * time.Second

	receiptInterval      = 250 * time.Millisecond
	laterReceiptInterval = time.Second
	receiptsSlowDown     = 5 * time.Second
	mirrorStart          = 2 * time.Second
	mirrorInterval       = 500 * time.Millisecond
)

// canaryTransaction is a transaction under way.
type canaryTransaction struct {
	canary *Canary
	run    *CanaryRun
	client *consensus.NodeClient
	body   *services.TransactionBody
	start  time.Time // the moment before it is sent
}

// submit sends a transaction to the next node, and follows it. What was sent is
// not sent again.
func (c *Canary) submit(ctx context.Context, r *CanaryRun, nodes []consensus.Node) {
	turn := c.state.nextTurn()
	r.Node = nodes[turn%len(nodes)]
	endpoint := r.Node.Endpoints[turn/len(nodes)%len(r.Node.Endpoints)]
	r.Address = endpoint.Address
	r.MaxFee = c.state.maxFee()

	client, err := consensus.NewNodeClient(r.Node, endpoint, c.options.DialContext)
	if err != nil {
		c.fail(ctx, r, resultUnreachable, err)
		return
	}
	defer client.Close()
	connectCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	err = client.Connect(connectCtx)
	cancel()
	if err != nil { // nothing was sent
		c.fail(ctx, r, unreached(err, resultUnreachable), err)
		return
	}
	t := &canaryTransaction{canary: c, run: r, client: client}
	if t.body, err = c.newTransaction(r); err != nil {
		c.fail(ctx, r, resultUnreachable, err)
		return
	}
	t.follow(ctx)
}

// newTransaction is a transaction for the run's node.
func (c *Canary) newTransaction(r *CanaryRun) (*services.TransactionBody, error) {
	node, err := hiero.AccountIDFromString(r.Node.AccountID)
	if err != nil {
		return nil, fmt.Errorf("node %d: its account %q: %w", r.Node.ID, r.Node.AccountID, err)
	}
	header := consensus.TransactionHeader{
		Payer: c.options.Config.OperatorID.AccountID(), Node: node,
		ValidStart: time.Now().Add(-canaryBackdated), ValidDuration: canaryValidDuration,
		MaxFee: uint64(r.MaxFee), //nolint:gosec // positive
	}
	r.TransactionID = fmt.Sprintf("%s-%d-%09d", c.payer(), header.ValidStart.Unix(), header.ValidStart.Nanosecond())
	if topic := c.options.Config.Topic; !topic.IsZero() {
		id := topic.AccountID() // all ids have the same form
		return consensus.NewMessage(header, hiero.TopicID{Shard: id.Shard, Realm: id.Realm, Topic: id.Account}, canaryMessage(r)), nil
	}
	return consensus.NewTransfer(header, node, 1), nil
}

// canaryMessage is what a message of the canary says: who sent it, and which one
// it is. It is short enough to cost no more than the least.
func canaryMessage(r *CanaryRun) []byte { return []byte("hedera_exporter canary " + r.TransactionID) }

// fail counts a transaction that was not submitted or failed.
func (c *Canary) fail(ctx context.Context, r *CanaryRun, result string, err error) {
	r.Err = errors.Join(r.Err, err)
	if ctx.Err() != nil { // the exporter's doing
		return
	}
	r.Result = result
	c.state.addResult(nodeID(r.Node), result)
	if result == services.ResponseCodeEnum_INVALID_NODE_ACCOUNT.String() {
		refreshCtx, cancel := context.WithTimeout(ctx, canaryReadTime)
		defer cancel()
		_, err := c.options.AddressBook.refresh(refreshCtx)
		r.Err = errors.Join(r.Err, err)
	}
}

// unreached is the result of a call that failed.
func unreached(err error, otherwise string) string {
	var mismatch *consensus.CertificateError
	if errors.As(err, &mismatch) {
		return resultMismatch
	}
	return otherwise
}

func (t *canaryTransaction) follow(ctx context.Context) {
	c, r := t.canary, t.run
	ctx, cancel := context.WithTimeout(ctx, mirrorTimeout)
	defer cancel()
	arrived := c.stream.expect(canaryMessage(r))

	t.start = time.Now()
	c.state.reserve(r.TransactionID, r.MaxFee, t.start.Add(canaryValidDuration))
	if !t.precheck(ctx) {
		return
	}
	receipt := t.receipt(ctx)
	if receipt == nil {
		return
	}
	var stages sync.WaitGroup
	if arrived != nil {
		stages.Go(func() { t.awaitStream(ctx, arrived) })
	}
	err := t.awaitREST(ctx, receipt)
	stages.Wait()
	r.Err = errors.Join(r.Err, err, t.unarrived())
}

// reached notes a stage.
func (t *canaryTransaction) reached(name string, at time.Time) {
	stage := t.run.stage(name)
	stage.Reached, stage.Took = true, at.Sub(t.start)
	t.canary.state.reached(name, stage.Took, at)
}

// precheck sends the transaction and tells whether the node took it. A node that
// refuses it charges nothing; without an answer nobody knows.
func (t *canaryTransaction) precheck(ctx context.Context) bool {
	c, r := t.canary, t.run
	callCtx, cancel := context.WithTimeout(ctx, precheckTimeout)
	defer cancel()
	precheck, err := c.submitOnce(callCtx, t)
	if err != nil {
		result := resultUnreachable
		if status.Code(err) == codes.DeadlineExceeded {
			result = resultTimeout
		}
		if result = unreached(err, result); result == resultMismatch {
			c.state.release(r.TransactionID) // nothing was sent
		}
		c.fail(ctx, r, result, err)
		return false
	}
	if precheck.Code != services.ResponseCodeEnum_OK {
		c.state.release(r.TransactionID)
		c.refused(ctx, r, precheck.Code, precheck.Fee)
		return false
	}
	t.reached(stagePrecheck, time.Now())
	return true
}

// submitOnce is where the key is used.
func (c *Canary) submitOnce(ctx context.Context, t *canaryTransaction) (consensus.Precheck, error) {
	return t.client.Submit(ctx, t.body, c.options.Config.OperatorKey.PrivateKey())
}

// refused is for a transaction that was refused by a node or failed.
func (c *Canary) refused(ctx context.Context, r *CanaryRun, code services.ResponseCodeEnum, fee uint64) {
	c.fail(ctx, r, codeName(code), fmt.Errorf("node %d: %s: transaction %s", r.Node.ID, codeName(code), r.TransactionID))
	if ctx.Err() == nil {
		c.state.pauseFor(r.Result, fee, time.Now())
	}
}

// codeName is OTHER for a code that the exporter does not know.
func codeName(code services.ResponseCodeEnum) string {
	return cmp.Or(services.ResponseCodeEnum_name[int32(code)], "OTHER")
}

// receipt asks the node until it has the receipt, which it returns if it is
// SUCCESS.
func (t *canaryTransaction) receipt(ctx context.Context) *services.TransactionReceipt {
	callCtx, cancel := context.WithDeadline(ctx, t.start.Add(receiptTimeout))
	defer cancel()
	var last error
	for {
		receipt, final, err := t.client.Receipt(callCtx, t.body.GetTransactionID())
		switch {
		case err == nil && final && receipt.GetStatus() == services.ResponseCodeEnum_SUCCESS:
			t.reached(stageReceipt, time.Now())
			t.run.Result = receipt.GetStatus().String()
			t.canary.state.addResult(nodeID(t.run.Node), t.run.Result)
			return receipt
		case err == nil && final:
			t.canary.refused(ctx, t.run, receipt.GetStatus(), 0)
			return nil
		case err == nil:
			last = fmt.Errorf("node %d: no receipt of transaction %s, the last status was %s", t.run.Node.ID, t.run.TransactionID, codeName(receipt.GetStatus()))
		case callCtx.Err() == nil:
			last = err
		}
		interval := receiptInterval
		if time.Since(t.start) >= receiptsSlowDown {
			interval = laterReceiptInterval
		}
		if !sleepUntil(callCtx, time.Now().Add(interval)) {
			result := resultTimeout
			if status.Code(last) == codes.Unavailable {
				result = resultUnreachable
			}
			t.canary.fail(ctx, t.run, unreached(last, result), cmp.Or(last, callCtx.Err()))
			return nil
		}
	}
}

// awaitREST asks the mirror until it shows the transaction.
func (t *canaryTransaction) awaitREST(ctx context.Context, receipt *services.TransactionReceipt) error {
	var last error
	for at := t.start.Add(mirrorStart); sleepUntil(ctx, at); at = time.Now().Add(mirrorInterval) {
		shown, err := t.shown(ctx, receipt)
		if shown {
			t.reached(stageMirrorREST, time.Now())
			return t.settle(ctx)
		}
		if ctx.Err() == nil {
			last = err
		}
	}
	return cmp.Or(last, fmt.Errorf("transaction %s: not on the mirror's REST API within %s", t.run.TransactionID, mirrorTimeout))
}

// shown asks the mirror once.
func (t *canaryTransaction) shown(ctx context.Context, receipt *services.TransactionReceipt) (bool, error) {
	c := t.canary
	if topic := c.options.Config.Topic; !topic.IsZero() {
		_, ok, err := c.options.Mirror.TopicMessage(ctx, topic.String(), int64(receipt.GetTopicSequenceNumber())) //nolint:gosec // it counts from 1
		return ok, err
	}
	row, err := t.row(ctx)
	return row != nil, err
}

// row is the transaction as the mirror has it, nil if it does not.
func (t *canaryTransaction) row(ctx context.Context) (*mirror.Transaction, error) {
	start := t.body.GetTransactionID().GetTransactionValidStart()
	from := mirror.TimestampOf(time.Unix(start.GetSeconds(), int64(start.GetNanos())))
	page, err := t.canary.options.Mirror.Transactions(ctx, []string{t.canary.payer()}, from)
	for _, row := range page.Rows {
		if row.ID == t.run.TransactionID && row.Nonce.Or(0) == 0 && !row.Scheduled.Or(false) {
			return &row, err
		}
	}
	return nil, err
}

// settle replaces the maximum fee by the charged one. If the mirror does not tell
// it now, the next run asks again.
func (t *canaryTransaction) settle(ctx context.Context) error {
	row, err := t.row(ctx)
	if err != nil || row == nil {
		return err
	}
	t.run.Fee = row.ChargedTxFee.Pointer()
	return t.canary.count([]mirror.Transaction{*row}, time.Now())
}

// awaitStream waits for the message on the subscription.
func (t *canaryTransaction) awaitStream(ctx context.Context, arrived <-chan time.Time) {
	select {
	case at := <-arrived:
		t.reached(stageMirrorGRPC, at)
	case <-ctx.Done():
		t.canary.stream.reopen() // it may have stalled
	}
}

// unarrived is the error of a message that the subscription did not have.
func (t *canaryTransaction) unarrived() error {
	if t.canary.stream == nil || t.run.stage(stageMirrorGRPC).Reached {
		return nil
	}
	return fmt.Errorf("transaction %s: its message was not on the subscription within %s", t.run.TransactionID, mirrorTimeout)
}
