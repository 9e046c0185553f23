// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// cryptoService is the CryptoService of one node. What it does not implement
// answers UNIMPLEMENTED.
type cryptoService struct {
	services.UnimplementedCryptoServiceServer

	nodeID    int64
	simulator *Simulator
}

// accountInfoCost is about $0.0001 in tinybar, the price of a CryptoGetInfo.
const accountInfoCost = 83_333

// GetAccountInfo answers COST_ANSWER without payment, as real nodes do
// (docs/hedera.md 2.2). The answer itself has to be paid for, which the simulator
// does not offer.
func (c *cryptoService) GetAccountInfo(_ context.Context, query *services.Query) (*services.Response, error) {
	info := query.GetCryptoGetInfo()
	header := &services.ResponseHeader{ResponseType: info.GetHeader().GetResponseType()}
	header.NodeTransactionPrecheckCode = view(c.simulator, func(l *Ledger) services.ResponseCodeEnum {
		return l.accountInfoPrecheck(c.nodeID, info)
	})
	if header.GetNodeTransactionPrecheckCode() == services.ResponseCodeEnum_OK {
		header.Cost = accountInfoCost
	}
	return &services.Response{Response: &services.Response_CryptoGetInfo{
		CryptoGetInfo: &services.CryptoGetInfoResponse{Header: header},
	}}, nil
}

func (l *Ledger) accountInfoPrecheck(nodeID int64, info *services.CryptoGetInfoQuery) services.ResponseCodeEnum {
	if info.GetHeader() == nil {
		return services.ResponseCodeEnum_MISSING_QUERY_HEADER
	}
	if code := l.prechecks[nodeID]; code != services.ResponseCodeEnum_OK {
		return code
	}
	if info.GetHeader().GetResponseType() != services.ResponseType_COST_ANSWER {
		return services.ResponseCodeEnum_INVALID_TRANSACTION
	}
	_, code := l.queryAccount(info.GetAccountID())
	return code
}

// CryptoGetBalance answers BUSY, as mainnet does since consensus node 0.77
// (docs/hedera.md 2.1), unless the simulator was told to answer.
func (c *cryptoService) CryptoGetBalance(_ context.Context, query *services.Query) (*services.Response, error) {
	question := query.GetCryptogetAccountBalance()
	answer := view(c.simulator, func(l *Ledger) *services.CryptoGetAccountBalanceResponse {
		return l.answerBalanceQuery(question)
	})
	return &services.Response{Response: &services.Response_CryptogetAccountBalance{
		CryptogetAccountBalance: answer,
	}}, nil
}

func (l *Ledger) answerBalanceQuery(question *services.CryptoGetAccountBalanceQuery) *services.CryptoGetAccountBalanceResponse {
	answer := &services.CryptoGetAccountBalanceResponse{Header: &services.ResponseHeader{
		NodeTransactionPrecheckCode: services.ResponseCodeEnum_BUSY,
		ResponseType:                question.GetHeader().GetResponseType(),
	}}
	if !l.answerBalances {
		return answer
	}
	account, code := l.queryAccount(question.GetAccountID())
	answer.Header.NodeTransactionPrecheckCode = code
	if code == services.ResponseCodeEnum_OK {
		answer.AccountID = question.GetAccountID()
		answer.Balance = uint64(account.tinybar()) //nolint:gosec // never negative
	}
	return answer
}

// queryAccount finds the account a HAPI query is about, or the precheck code
// that refuses the query.
func (l *Ledger) queryAccount(id *services.AccountID) (*Account, services.ResponseCodeEnum) {
	packed, ok := packAccountID(id)
	if !ok || l.accounts[packed] == nil {
		return nil, services.ResponseCodeEnum_INVALID_ACCOUNT_ID
	}
	account := l.accounts[packed]
	if account.isDeleted() {
		return nil, services.ResponseCodeEnum_ACCOUNT_DELETED
	}
	return account, services.ResponseCodeEnum_OK
}

func packAccountID(id *services.AccountID) (entityID, bool) {
	num, ok := id.GetAccount().(*services.AccountID_AccountNum)
	if !ok {
		return 0, false
	}
	return pack(id.GetShardNum(), id.GetRealmNum(), num.AccountNum)
}

func pack(shard, realm, num int64) (entityID, bool) {
	if shard|realm|num < 0 || shard >= 1<<shardBits || realm >= 1<<realmBits || num >= 1<<numBits {
		return 0, false
	}
	return entityID(shard<<(realmBits+numBits) | realm<<numBits | num), true
}

// SetPrecheck sets what a node answers to transactions, getAccountInfo and
// getTransactionReceipts.
func (l *Ledger) SetPrecheck(nodeID int64, code services.ResponseCodeEnum) error {
	if !slices.ContainsFunc(l.nodes, func(n Node) bool { return n.NodeID == nodeID }) {
		return fmt.Errorf("node %d: %w", nodeID, errUnknown)
	}
	l.prechecks[nodeID] = code
	return nil
}

// AnswerBalanceQueries tells whether CryptoGetBalance answers. By default it
// is BUSY, as on mainnet (docs/hedera.md 2.1).
func (l *Ledger) AnswerBalanceQueries(answer bool) {
	l.answerBalances = answer
}

func cryptoControls() map[string]controlCall {
	type body struct {
		Answer *bool `json:"answer"`
	}
	return map[string]controlCall{
		"PUT /simulator/balance-queries": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			if b.Answer == nil {
				return nil, missing("answer", "true")
			}
			l.AnswerBalanceQueries(*b.Answer)
			return nil, nil
		}),
	}
}
