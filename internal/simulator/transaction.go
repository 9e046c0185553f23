// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// Transaction is a transaction that reached consensus (FACTS.md 1.4). Amounts
// are tinybar. Empty fields other than Payer get the value in their comment.
type Transaction struct {
	// Consensus may be that of other transactions as well, which on the real
	// network it never is. Default: now.
	Consensus time.Time
	// Payer pays the fee.
	Payer string
	// Name is the transaction's type. Default: CRYPTOTRANSFER.
	Name string
	// Result is a HAPI response code. Default: SUCCESS.
	Result string
	// Fee is what the payer was charged. It is no part of Transfers unless the
	// caller puts it there.
	Fee int64
	// GasUsed counts in the block. It is not in the transaction's JSON.
	GasUsed int64
	// Transfers are by account.
	Transfers      map[string]int64
	TokenTransfers []TokenTransfer
	// EntityID is the entity it is about. Default: null.
	EntityID string
	// Node submitted it to consensus. Default: 0.0.3.
	Node string
	// Nonce and Parent are of a transaction that another one caused. Default: 0
	// and null.
	Nonce     int64
	Parent    time.Time
	Scheduled bool
}

// TokenTransfer moves an amount of a token, in its smallest unit.
type TokenTransfer struct {
	Account    string `json:"account"`
	Amount     int64  `json:"amount"`
	IsApproval bool   `json:"is_approval"`
	TokenID    string `json:"token_id"`
}

const (
	cryptoTransfer = "CRYPTOTRANSFER"
	submitMessage  = "CONSENSUSSUBMITMESSAGE"
	contractCall   = "CONTRACTCALL"
)

var transactionTypes = strings.Fields(`
	ATOMICBATCH CONSENSUSCREATETOPIC CONSENSUSDELETETOPIC CONSENSUSSUBMITMESSAGE CONSENSUSUPDATETOPIC
	CONTRACTCALL CONTRACTCREATEINSTANCE CONTRACTDELETEINSTANCE CONTRACTUPDATEINSTANCE CRYPTOADDLIVEHASH
	CRYPTOAPPROVEALLOWANCE CRYPTOCREATEACCOUNT CRYPTODELETE CRYPTODELETEALLOWANCE CRYPTODELETELIVEHASH
	CRYPTOTRANSFER CRYPTOUPDATEACCOUNT ETHEREUMTRANSACTION FILEAPPEND FILECREATE FILEDELETE FILEUPDATE FREEZE
	HOOKSTORE LEDGERIDPUBLICATION NODECREATE NODEDELETE NODESTAKEUPDATE NODEUPDATE REGISTEREDNODECREATE
	REGISTEREDNODEDELETE REGISTEREDNODEUPDATE SCHEDULECREATE SCHEDULEDELETE SCHEDULESIGN SYSTEMDELETE
	SYSTEMUNDELETE TOKENAIRDROP TOKENASSOCIATE TOKENBURN TOKENCANCELAIRDROP TOKENCLAIMAIRDROP TOKENCREATION
	TOKENDELETION TOKENDISSOCIATE TOKENFEESCHEDULEUPDATE TOKENFREEZE TOKENGRANTKYC TOKENMINT TOKENPAUSE
	TOKENREJECT TOKENREVOKEKYC TOKENUNFREEZE TOKENUNPAUSE TOKENUPDATE TOKENUPDATENFTS TOKENWIPE
	UNCHECKEDSUBMIT UTILPRNG`)

// record is a transaction in the ledger, with ids parsed and defaults applied.
// It is never changed.
type record struct {
	Transaction
	payer     entityID
	transfers []transfer // by ascending account
	tokens    []entityID // accounts of TokenTransfers, in the same order
	explicit  bool       // by AddTransaction: its block counts it
}

type transfer struct {
	account entityID
	amount  int64
}

func newRecord(t Transaction) (*record, error) {
	t = t.withDefaults()
	if err := t.validate(); err != nil {
		return nil, err
	}
	payer, err := parseEntityID(t.Payer)
	if err != nil {
		return nil, fmt.Errorf("transaction payer: %w", err)
	}
	r := &record{Transaction: t, payer: payer}
	for account, amount := range t.Transfers {
		id, err := parseEntityID(account)
		if err != nil {
			return nil, fmt.Errorf("transaction transfer: %w", err)
		}
		r.transfers = append(r.transfers, transfer{id, amount})
	}
	slices.SortFunc(r.transfers, func(a, b transfer) int { return cmp.Compare(a.account, b.account) })
	for _, moved := range t.TokenTransfers {
		id, err := parseEntityID(moved.Account)
		if err != nil {
			return nil, fmt.Errorf("transaction token transfer: %w", err)
		}
		r.tokens = append(r.tokens, id)
	}
	r.Transfers = nil // the caller may change its map
	r.TokenTransfers = slices.Clone(t.TokenTransfers)
	return r, nil
}

func (t Transaction) withDefaults() Transaction {
	if t.Name == "" {
		t.Name = cryptoTransfer
	}
	if t.Result == "" {
		t.Result = services.ResponseCodeEnum_SUCCESS.String()
	}
	if t.Node == "" {
		t.Node = "0.0.3"
	}
	return t
}

func (t Transaction) validate() error {
	if !slices.Contains(transactionTypes, t.Name) {
		return fmt.Errorf("transaction name %q: want a type such as %s", t.Name, cryptoTransfer)
	}
	if _, ok := services.ResponseCodeEnum_value[t.Result]; !ok {
		return fmt.Errorf("transaction result %q: want a HAPI response code such as SUCCESS", t.Result)
	}
	if t.Fee < 0 || t.GasUsed < 0 || t.Nonce < 0 {
		return errors.New("transaction: fee, gas and nonce must not be negative")
	}
	if t.Consensus.Unix() < 0 {
		return fmt.Errorf("transaction: consensus time %s is before 1970", t.Consensus)
	}
	return nil
}

// succeeded tells what the mirror counts as result=success.
func (r *record) succeeded() bool {
	switch r.Result {
	case services.ResponseCodeEnum_SUCCESS.String(),
		services.ResponseCodeEnum_FEE_SCHEDULE_FILE_PART_UPLOADED.String(),
		services.ResponseCodeEnum_SUCCESS_BUT_MISSING_EXPECTED_OPERATION.String():
		return true
	}
	return false
}

// addTransaction puts a transaction into the history.
func (l *ledger) addTransaction(t Transaction) error {
	if t.Consensus.IsZero() {
		t.Consensus = l.now()
	}
	r, err := newRecord(t)
	if err != nil {
		return err
	}
	r.explicit = true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.insertLocked(r)
	return nil
}

// insertLocked keeps the order of consensus; of equal times, the order of
// insertion.
func (l *ledger) insertLocked(r *record) {
	at := l.firstAfterLocked(r.Consensus)
	l.transactions = slices.Insert(l.transactions, at, r)
}

func (l *ledger) firstAfterLocked(t time.Time) int {
	return sort.Search(len(l.transactions), func(i int) bool { return l.transactions[i].Consensus.After(t) })
}

// Totals is what an account's transactions add up to. Amounts are tinybar.
type Totals struct {
	// ByTypeResult counts by name and result: {"CRYPTOTRANSFER", "SUCCESS"}.
	ByTypeResult map[[2]string]int64
	// In and Out are the sums of what its transfers received and, as a positive
	// number, spent. Fees is what it was charged as payer.
	In, Out, Fees int64
	// Last is the consensus time of its last transaction, zero without any.
	Last time.Time
}

func (l *ledger) accountTotals(id entityID) Totals {
	totals := Totals{ByTypeResult: make(map[[2]string]int64)}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, r := range l.transactions {
		involved := r.payer == id || slices.Contains(r.tokens, id)
		if r.payer == id {
			totals.Fees += r.Fee
		}
		for _, moved := range r.transfers {
			if moved.account != id {
				continue
			}
			involved = true
			totals.In += max(0, moved.amount)
			totals.Out += max(0, -moved.amount)
		}
		if involved {
			totals.ByTypeResult[[2]string{r.Name, r.Result}]++
			totals.Last = r.Consensus
		}
	}
	return totals
}

// AddTransaction puts a transaction into the history, where it is seen at once;
// balances stay as they are. The next block that is added and has its time
// counts it: such a block has the transactions added, and the gas they used,
// instead of made-up numbers. Blocks that exist already stay as they are. It
// fails for a transaction that makes no sense.
func (s *Simulator) AddTransaction(t Transaction) error { return s.ledger.addTransaction(t) }

// AccountTotals sums up the transactions that an account paid for or that moved
// its hbar or tokens, those of GET /api/v1/transactions?account.id=. An id that
// makes no sense has none.
func (s *Simulator) AccountTotals(id string) Totals {
	parsed, err := parseEntityID(id)
	if err != nil {
		return Totals{}
	}
	return s.ledger.accountTotals(parsed)
}
