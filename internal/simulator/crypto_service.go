// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// cryptoService is the CryptoService of one node. What it does not implement
// answers UNIMPLEMENTED.
type cryptoService struct {
	services.UnimplementedCryptoServiceServer

	nodeID   int64
	ledger   *ledger
	requests *requests
}

// accountInfoCost is about $0.0001 in tinybar, the price of a CryptoGetInfo.
const accountInfoCost = 83_333

// GetAccountInfo answers COST_ANSWER without payment, as real nodes do
// (FACTS.md 2.2). The answer itself has to be paid for, which the simulator
// does not offer.
func (c *cryptoService) GetAccountInfo(_ context.Context, query *services.Query) (*services.Response, error) {
	info := query.GetCryptoGetInfo()
	header := &services.ResponseHeader{ResponseType: info.GetHeader().GetResponseType()}
	header.NodeTransactionPrecheckCode = c.accountInfoPrecheck(info)
	if header.GetNodeTransactionPrecheckCode() == services.ResponseCodeEnum_OK {
		header.Cost = accountInfoCost
	}
	return &services.Response{Response: &services.Response_CryptoGetInfo{
		CryptoGetInfo: &services.CryptoGetInfoResponse{Header: header},
	}}, nil
}

func (c *cryptoService) accountInfoPrecheck(info *services.CryptoGetInfoQuery) services.ResponseCodeEnum {
	if info.GetHeader() == nil {
		return services.ResponseCodeEnum_MISSING_QUERY_HEADER
	}
	if code := c.ledger.precheck(c.nodeID); code != services.ResponseCodeEnum_OK {
		return code
	}
	if info.GetHeader().GetResponseType() != services.ResponseType_COST_ANSWER {
		return services.ResponseCodeEnum_INVALID_TRANSACTION
	}
	_, code := c.ledger.queryAccount(info.GetAccountID())
	return code
}

// CryptoGetBalance answers BUSY, as mainnet does since consensus node 0.77
// (FACTS.md 2.1), unless the simulator was told to answer.
func (c *cryptoService) CryptoGetBalance(_ context.Context, query *services.Query) (*services.Response, error) {
	question := query.GetCryptogetAccountBalance()
	answer := &services.CryptoGetAccountBalanceResponse{Header: &services.ResponseHeader{
		NodeTransactionPrecheckCode: services.ResponseCodeEnum_BUSY,
		ResponseType:                question.GetHeader().GetResponseType(),
	}}
	if c.ledger.answersBalances() {
		account, code := c.ledger.queryAccount(question.GetAccountID())
		answer.Header.NodeTransactionPrecheckCode = code
		if code == services.ResponseCodeEnum_OK {
			answer.AccountID = question.GetAccountID()
			answer.Balance = uint64(account.tinybar()) //nolint:gosec // never negative
		}
	}
	return &services.Response{Response: &services.Response_CryptogetAccountBalance{
		CryptogetAccountBalance: answer,
	}}, nil
}

// queryAccount finds the account a HAPI query is about, or the precheck code
// that refuses the query.
func (l *ledger) queryAccount(id *services.AccountID) (Account, services.ResponseCodeEnum) {
	packed, ok := packAccountID(id)
	if !ok {
		return Account{}, services.ResponseCodeEnum_INVALID_ACCOUNT_ID
	}
	account, ok := l.account(packed)
	if !ok {
		return Account{}, services.ResponseCodeEnum_INVALID_ACCOUNT_ID
	}
	if account.Deleted != nil && *account.Deleted {
		return Account{}, services.ResponseCodeEnum_ACCOUNT_DELETED
	}
	return account, services.ResponseCodeEnum_OK
}

func packAccountID(id *services.AccountID) (entityID, bool) {
	num, ok := id.GetAccount().(*services.AccountID_AccountNum)
	if !ok || id.GetShardNum()|id.GetRealmNum()|num.AccountNum < 0 {
		return 0, false
	}
	if id.GetShardNum() >= 1<<shardBits || id.GetRealmNum() >= 1<<realmBits || num.AccountNum >= 1<<numBits {
		return 0, false
	}
	return entityID(id.GetShardNum()<<(realmBits+numBits) | id.GetRealmNum()<<numBits | num.AccountNum), true
}

func (l *ledger) precheck(nodeID int64) services.ResponseCodeEnum {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.prechecks[nodeID] // OK is 0
}

func (l *ledger) setPrecheck(nodeID int64, code services.ResponseCodeEnum) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prechecks[nodeID] = code
}

func (l *ledger) answersBalances() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.answerBalances
}

func (l *ledger) setAnswerBalances(answer bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answerBalances = answer
}
