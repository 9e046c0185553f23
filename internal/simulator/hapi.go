// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"fmt"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// consensusService is the ConsensusService of one node.
type consensusService struct {
	services.UnimplementedConsensusServiceServer

	node *cryptoService
}

// SubmitMessage takes a message for a topic.
func (c *consensusService) SubmitMessage(ctx context.Context, t *services.Transaction) (*services.TransactionResponse, error) {
	return c.node.submit(ctx, "submitMessage", t)
}

// CryptoTransfer takes a transfer of hbar.
func (c *cryptoService) CryptoTransfer(ctx context.Context, t *services.Transaction) (*services.TransactionResponse, error) {
	return c.submit(ctx, "cryptoTransfer", t)
}

// submit answers with the precheck code. Like the real node it looks at the
// transaction, not at the method, for what is to be done.
func (c *cryptoService) submit(ctx context.Context, method string, transaction *services.Transaction) (*services.TransactionResponse, error) {
	fault, err := c.disturb(ctx, SubmitFault, method)
	if err != nil {
		return nil, err
	}
	if fault.Kind == FaultPrecheck {
		return &services.TransactionResponse{NodeTransactionPrecheckCode: fault.code()}, nil
	}
	var taken *submission
	err = c.simulator.Update(func(l *Ledger) error {
		var err error
		if taken, err = l.ingest(c.nodeID, transaction); err == nil {
			taken.fault = fault
		}
		return err
	})
	code, fee := precheckOf(err)
	if code == services.ResponseCodeEnum_OK && fault.Kind != FaultLost {
		c.simulator.order(taken)
	}
	if fault.Kind == FaultUnanswered {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	return &services.TransactionResponse{NodeTransactionPrecheckCode: code, Cost: uint64(fee)}, nil //nolint:gosec // never negative
}

// disturb acts for the faults that any call of a node may have, and returns
// others for the caller to act.
func (c *cryptoService) disturb(ctx context.Context, path, method string) (Fault, error) {
	fault, ok := c.simulator.take(path, c.description(method))
	if !ok {
		return Fault{}, nil
	}
	switch fault.Kind {
	case FaultStatus:
		return fault, status.Error(codes.Code(fault.Status), "injected fault") //nolint:gosec // validated, 1 to 16
	case FaultLatency:
		if !sleep(ctx, fault.Latency) {
			return fault, status.FromContextError(ctx.Err()).Err()
		}
	case FaultHang:
		<-ctx.Done()
		return fault, status.FromContextError(ctx.Err()).Err()
	}
	return fault, nil
}

// description is what the Query of a Fault may pick calls by.
func (c *cryptoService) description(method string) string {
	account := view(c.simulator, func(l *Ledger) string {
		for _, node := range l.nodes {
			if node.NodeID == c.nodeID {
				return node.AccountID
			}
		}
		return ""
	})
	return fmt.Sprintf("method=%s&node_id=%d&node=%s&", method, c.nodeID, account)
}

// GetTransactionReceipts answers for what the node took or the network has
// ordered within 180 s, free of charge. A transaction without consensus has the
// status UNKNOWN (NetworkTransactionGetReceiptHandler and RecordCacheImpl of
// hiero-consensus-node).
func (c *cryptoService) GetTransactionReceipts(ctx context.Context, query *services.Query) (*services.Response, error) {
	fault, err := c.disturb(ctx, ReceiptsFault, "getTransactionReceipts")
	if err != nil {
		return nil, err
	}
	question := query.GetTransactionGetReceipt()
	answer := &services.TransactionGetReceiptResponse{Header: &services.ResponseHeader{
		ResponseType: question.GetHeader().GetResponseType(),
	}}
	if fault.Kind == FaultPrecheck {
		answer.Header.NodeTransactionPrecheckCode = fault.code()
	} else {
		c.simulator.mu.RLock()
		defer c.simulator.mu.RUnlock()
		c.simulator.ledger.answerReceipts(c.nodeID, question, answer)
	}
	return &services.Response{Response: &services.Response_TransactionGetReceipt{TransactionGetReceipt: answer}}, nil
}

func (l *Ledger) answerReceipts(nodeID int64, question *services.TransactionGetReceiptQuery, answer *services.TransactionGetReceiptResponse) {
	header := answer.GetHeader()
	id := question.GetTransactionID()
	payer, ok := packAccountID(id.GetAccountID())
	start := id.GetTransactionValidStart()
	if code := l.prechecks[nodeID]; code != services.ResponseCodeEnum_OK {
		header.NodeTransactionPrecheckCode = code
		return
	}
	if start == nil || id.GetAccountID() == nil {
		header.NodeTransactionPrecheckCode = services.ResponseCodeEnum_INVALID_TRANSACTION_ID
		return
	}
	if header.GetResponseType() == services.ResponseType_COST_ANSWER {
		return
	}
	key := transactionID{payer, start.GetSeconds(), start.GetNanos()}
	if !ok || id.GetScheduled() || id.GetNonce() != 0 || l.knownTo(l.accountOfNode(nodeID), key) == nil {
		header.NodeTransactionPrecheckCode = services.ResponseCodeEnum_RECEIPT_NOT_FOUND
		return
	}
	answer.Receipt = &services.TransactionReceipt{Status: services.ResponseCodeEnum_UNKNOWN}
	receipts := l.receipts(key)
	if len(receipts) == 0 {
		return
	}
	answer.Receipt = receipts[0]
	if question.GetIncludeDuplicates() {
		answer.DuplicateTransactionReceipts = receipts[1:]
	}
}

// receipts are those of a transaction id, the first before its duplicates.
func (l *Ledger) receipts(id transactionID) []*services.TransactionReceipt {
	var receipts []*services.TransactionReceipt
	for _, t := range l.submissions[id] {
		if t.receipt == nil || t.fault.Kind == FaultNoReceipt {
			continue
		}
		if t.receipt.GetStatus() == services.ResponseCodeEnum_DUPLICATE_TRANSACTION {
			receipts = append(receipts, t.receipt)
		} else {
			receipts = append([]*services.TransactionReceipt{t.receipt}, receipts...)
		}
	}
	return receipts
}

// accountOfNode is noEntity for a node that is not in the address book.
func (l *Ledger) accountOfNode(nodeID int64) entityID {
	for _, node := range l.nodes {
		if node.NodeID == nodeID {
			id, err := parseEntityID(node.AccountID)
			if err == nil {
				return id
			}
		}
	}
	return noEntity
}
