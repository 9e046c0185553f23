// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"maps"
	"slices"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// A network that moves by itself makes up traffic. Its transactions are a
// sample: a block may count more than those that can be listed.
const (
	maxTransactions   = 200_000 // made-up ones older than these are forgotten
	maxTrafficInBlock = 20
	busyAccounts      = 25 // the first accounts do half of everything
	feeAccount        = "0.0.802"
	transactionFee    = 83_333
	contractFee       = 8_333_333
	gasOfACall        = 80_000
)

// makeTraffic lets accounts pay each other, submit messages and call
// contracts within a block. The total supply stays what it was.
func (l *Ledger) makeTraffic(block Block) {
	if len(l.traders) == 0 {
		return
	}
	count := min(block.Count, 1+int64(len(l.traders)/10), maxTrafficInBlock)
	for i := range count {
		at := block.from.Add(time.Duration(i+1) * blockPeriod / time.Duration(count+1))
		l.transact(at.Add(time.Duration(l.rng.Int64N(int64(time.Millisecond)))))
	}
	if excess := len(l.transactions) - maxTransactions; excess > 0 {
		l.transactions = slices.Delete(l.transactions, 0, excess)
	}
}

// transact makes up one transaction, or none where chance picks accounts
// that cannot take part.
func (l *Ledger) transact(at time.Time) {
	id := l.someAccount()
	payer := l.accounts[id]
	if !l.moves(payer) || l.contracts[id] != nil || payer.ID == l.local(feeAccount) || payer.tinybar() < 2*contractFee {
		return
	}
	t := Transaction{Consensus: at, Payer: payer.ID, Node: l.someNode()}
	switch dice := l.rng.IntN(100); {
	case dice < 60:
		l.makeTransfer(&t, payer)
	case dice < 85:
		l.makeMessage(&t)
	default:
		l.makeCall(&t, payer)
	}
	l.settle(t)
}

// moves reports whether an account takes part in transfers.
func (l *Ledger) moves(a *Account) bool { return a.transacts() && a.ID != l.local(coldAccount) }

func (l *Ledger) makeTransfer(t *Transaction, payer *Account) {
	t.Name, t.Fee = cryptoTransfer, transactionFee
	to := l.accounts[l.someAccount()]
	if to == payer || !l.moves(to) || l.rng.IntN(20) == 0 {
		t.Result = services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE.String()
		return
	}
	amount := 1 + l.rng.Int64N(min(payer.tinybar()/100, 10*tinybarPerHbar))
	t.Transfers = map[string]int64{payer.ID: -amount, to.ID: amount}
}

func (l *Ledger) makeMessage(t *Transaction) {
	t.Name, t.Fee = submitMessage, transactionFee
	topics := l.openTopics(t.Consensus)
	if len(topics) == 0 || l.rng.IntN(20) == 0 {
		t.Result = services.ResponseCodeEnum_INVALID_TOPIC_ID.String()
		return
	}
	topic := topics[l.rng.IntN(len(topics))]
	t.EntityID = topic.ID
	if _, err := topic.append(t.Consensus, t.Payer); err != nil {
		t.Result = services.ResponseCodeEnum_INVALID_SUBMIT_KEY.String()
	}
}

func (l *Ledger) makeCall(t *Transaction, payer *Account) {
	t.Name, t.Fee, t.GasUsed = contractCall, contractFee, gasOfACall
	contracts := l.liveContracts()
	if len(contracts) == 0 || l.rng.IntN(5) == 0 {
		t.Result = services.ResponseCodeEnum_CONTRACT_REVERT_EXECUTED.String()
		return
	}
	contract := contracts[l.rng.IntN(len(contracts))]
	amount := 1 + l.rng.Int64N(min(payer.tinybar()/100, tinybarPerHbar))
	t.EntityID = contract.ID
	t.Transfers = map[string]int64{payer.ID: -amount, contract.ID: amount}
}

// settle charges the fee of a made-up transaction and applies it.
func (l *Ledger) settle(t Transaction) {
	if t.Transfers == nil {
		t.Transfers = make(map[string]int64)
	}
	t.Transfers[t.Payer] -= t.Fee
	t.Transfers[l.local(feeAccount)] += t.Fee
	r, err := newRecord(t)
	if err != nil {
		panic(err) // made up of known accounts and names
	}
	l.apply(r)
}

// apply moves the balances and records the transaction.
func (l *Ledger) apply(r *record) {
	timestamp := formatTimestamp(r.Consensus)
	for _, moved := range r.transfers {
		if account := l.accounts[moved.account]; account != nil {
			account.replaceBalance(account.tinybar()+moved.amount, timestamp)
		}
	}
	l.insert(r)
}

func (l *Ledger) someAccount() entityID {
	if l.rng.IntN(2) == 0 {
		return l.traders[l.rng.IntN(min(len(l.traders), busyAccounts))]
	}
	return l.traders[l.rng.IntN(len(l.traders))]
}

func (l *Ledger) someNode() string {
	if len(l.nodes) == 0 {
		return ""
	}
	return l.nodes[l.rng.IntN(len(l.nodes))].AccountID
}

// openTopics take a message at the time.
func (l *Ledger) openTopics(at time.Time) []*topic {
	var topics []*topic
	for _, id := range slices.Sorted(maps.Keys(l.topics)) {
		if t := l.topics[id]; !t.deleted() && t.last.Before(at) {
			topics = append(topics, t)
		}
	}
	return topics
}

func (l *Ledger) liveContracts() []*Contract {
	var contracts []*Contract
	for _, id := range slices.Sorted(maps.Keys(l.contracts)) {
		if l.accounts[id].transacts() {
			contracts = append(contracts, l.contracts[id])
		}
	}
	return contracts
}
