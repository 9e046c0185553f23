// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// Transaction is a transaction that reached consensus (docs/hedera.md 1.4). Amounts
// are tinybar. Empty fields other than Payer get the value in their comment.
type Transaction struct {
	// Consensus may be that of other transactions as well, which on the real
	// network it never is. Default: now.
	Consensus time.Time
	// Payer pays the fee.
	Payer string
	// Creator is the account in the transaction id: of a scheduled transaction,
	// whoever created the schedule. Where it is another than the payer, the
	// payer's transfer has the fee, as a schedule's payer_account_id says.
	// Default: Payer.
	Creator string
	// ValidStart is the time in the transaction id. Default: some seconds before
	// Consensus, or before Parent.
	ValidStart time.Time
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
	NFTTransfers   []NFTTransfer
	// EntityID is the entity it is about. Default: null.
	EntityID string
	// Node submitted it to consensus. Default: 0.0.3, null with a Parent.
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

// NFTTransfer moves one NFT.
type NFTTransfer struct {
	IsApproval bool   `json:"is_approval"`
	Receiver   string `json:"receiver_account_id"`
	Sender     string `json:"sender_account_id"`
	Serial     int64  `json:"serial_number"`
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
	creator   entityID
	transfers []transfer // by ascending account
	tokens    []entityID // accounts of TokenTransfers, in the same order
	nfts      []entityID // senders and receivers of NFTTransfers
	explicit  bool       // by AddTransaction: its block counts it

	submission *submission // what it was made of, nil for a made-up one
}

// hidden tells whether the mirror's REST API does not show it.
func (r *record) hidden() bool {
	return r.submission != nil && r.submission.fault.Kind == FaultInvisibleREST
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
	creator, err := parseEntityID(withDefault(t.Creator, t.Payer))
	if err != nil {
		return nil, fmt.Errorf("transaction creator: %w", err)
	}
	r := &record{Transaction: t, payer: payer, creator: creator}
	for _, moved := range t.NFTTransfers {
		for _, party := range []string{moved.Sender, moved.Receiver} {
			id, err := parseEntityID(party)
			if err != nil {
				return nil, fmt.Errorf("transaction NFT transfer: %w", err)
			}
			r.nfts = append(r.nfts, id)
		}
	}
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
	r.NFTTransfers = slices.Clone(t.NFTTransfers)
	return r, nil
}

func (t Transaction) withDefaults() Transaction {
	if t.Name == "" {
		t.Name = cryptoTransfer
	}
	if t.Result == "" {
		t.Result = services.ResponseCodeEnum_SUCCESS.String()
	}
	if t.Node == "" && t.Parent.IsZero() {
		t.Node = "0.0.3"
	}
	if t.ValidStart.IsZero() {
		t.ValidStart = t.Consensus
		if !t.Parent.IsZero() {
			t.ValidStart = t.Parent // they share the transaction id
		}
		t.ValidStart = t.ValidStart.Add(-timeToConsensus)
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

// AddTransaction puts a transaction into the history, where it is seen at once;
// balances stay as they are. The next block that is added and has its time
// counts it: such a block has the transactions added, and the gas they used,
// instead of made-up numbers. Blocks that exist already stay as they are. It
// fails for a transaction that makes no sense.
func (l *Ledger) AddTransaction(t Transaction) error {
	if t.Consensus.IsZero() {
		t.Consensus = l.now()
	}
	if t.Creator != "" && t.Creator != t.Payer {
		t.Transfers = maps.Clone(t.Transfers)
		if t.Transfers == nil {
			t.Transfers = make(map[string]int64)
		}
		t.Transfers[t.Payer] -= t.Fee
		t.Transfers[l.local(feeAccount)] += t.Fee
	}
	r, err := newRecord(t)
	if err != nil {
		return err
	}
	r.explicit = true
	l.insert(r)
	return nil
}

// insert keeps the order of consensus; of equal times, the order of
// insertion.
func (l *Ledger) insert(r *record) {
	at := l.firstAfter(r.Consensus)
	l.transactions = slices.Insert(l.transactions, at, r)
}

func (l *Ledger) firstAfter(t time.Time) int {
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

// AccountTotals sums up the transactions that an account created or that moved
// its hbar, tokens or NFTs, those of GET /api/v1/transactions?account.id=. An id that
// makes no sense has none.
func (s *Simulator) AccountTotals(account string) Totals {
	return view(s, func(l *Ledger) Totals { return l.accountTotals(account) })
}

func (l *Ledger) accountTotals(account string) Totals {
	totals := Totals{ByTypeResult: make(map[[2]string]int64)}
	id, err := parseEntityID(account)
	if err != nil {
		return totals
	}
	for _, r := range l.transactions {
		involved := r.creator == id || slices.Contains(r.tokens, id) || slices.Contains(r.nfts, id)
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

func transactionControls() map[string]controlCall {
	type body struct {
		Timestamp      string           `json:"timestamp"`
		Payer          string           `json:"payer"`
		Creator        string           `json:"creator"`
		Name           string           `json:"name"`
		Result         string           `json:"result"`
		Fee            int64            `json:"fee"`
		GasUsed        int64            `json:"gas_used"`
		Transfers      map[string]int64 `json:"transfers"`
		TokenTransfers []TokenTransfer  `json:"token_transfers"`
		NFTTransfers   []NFTTransfer    `json:"nft_transfers"`
		Scheduled      bool             `json:"scheduled"`
	}
	return map[string]controlCall{
		"POST /simulator/transactions": updating(func(l *Ledger, _ *http.Request, b body) (any, error) {
			at, err := l.timeOf(b.Timestamp)
			if err != nil {
				return nil, err
			}
			return nil, l.AddTransaction(Transaction{
				Consensus:      at,
				Payer:          b.Payer,
				Creator:        b.Creator,
				Name:           b.Name,
				Result:         b.Result,
				Fee:            b.Fee,
				GasUsed:        b.GasUsed,
				Transfers:      b.Transfers,
				TokenTransfers: b.TokenTransfers,
				NFTTransfers:   b.NFTTransfers,
				Scheduled:      b.Scheduled,
			})
		}),
	}
}

type transactionList struct {
	Transactions []restTransaction `json:"transactions"`
	listLinks
}

// restTransaction is a transaction in /api/v1/transactions (docs/hedera.md 1.4).
type restTransaction struct {
	BatchKey                 *Key            `json:"batch_key"`
	Bytes                    *string         `json:"bytes"`
	ChargedTxFee             int64           `json:"charged_tx_fee"`
	ConsensusTimestamp       string          `json:"consensus_timestamp"`
	EntityID                 *string         `json:"entity_id"`
	HighVolume               bool            `json:"high_volume"`
	HighVolumePricing        *int64          `json:"high_volume_pricing_multiplier"`
	MaxCustomFees            []struct{}      `json:"max_custom_fees"`
	MaxFee                   int64           `json:"max_fee,string"`
	MemoBase64               *string         `json:"memo_base64"`
	Name                     string          `json:"name"`
	NFTTransfers             []NFTTransfer   `json:"nft_transfers"`
	Node                     *string         `json:"node"`
	Nonce                    int64           `json:"nonce"`
	ParentConsensusTimestamp *string         `json:"parent_consensus_timestamp"`
	Result                   string          `json:"result"`
	Scheduled                bool            `json:"scheduled"`
	StakingRewardTransfers   []struct{}      `json:"staking_reward_transfers"`
	TokenTransfers           []TokenTransfer `json:"token_transfers"`
	TransactionHash          string          `json:"transaction_hash"`
	TransactionID            string          `json:"transaction_id"`
	Transfers                []restTransfer  `json:"transfers"`
	ValidDurationSeconds     int64           `json:"valid_duration_seconds,string"`
	ValidStartTimestamp      string          `json:"valid_start_timestamp"`
}

type restTransfer struct {
	Account    string `json:"account"`
	Amount     int64  `json:"amount"`
	IsApproval bool   `json:"is_approval"`
}

const (
	maxTransactionFee = 2 * tinybarPerHbar
	validDuration     = 2 * time.Minute
	timeToConsensus   = 2500 * time.Millisecond
)

func transactionRoutes() []route {
	return []route{
		{
			path:   "/api/v1/transactions",
			maxAge: 2 * time.Second,
			params: []string{"account.id", "limit", "order", "result", "timestamp", "transactiontype", "type"},
			answer: (*Ledger).answerTransactions,
		},
		{path: "/api/v1/transactions/{id}", maxAge: 10 * time.Minute, params: []string{"nonce", "scheduled"}, answer: (*Ledger).answerTransaction},
	}
}

// answerTransaction has every transaction of one transaction id.
func (l *Ledger) answerTransaction(r *http.Request, q query) (any, error) {
	nonces, err := q.filters("nonce", parseNumber)
	if err != nil {
		return nil, err
	}
	scheduled, err := q.boolean("scheduled")
	if err != nil {
		return nil, err
	}
	_, asked := q.last("scheduled")
	var found []restTransaction
	for _, record := range l.transactions {
		if !record.hidden() && record.id() == r.PathValue("id") && nonces.match(record.Nonce) && (!asked || record.Scheduled == scheduled) {
			found = append(found, record.rest())
		}
	}
	if len(found) == 0 {
		return nil, notFound()
	}
	return map[string]any{"transactions": found}, nil
}

func (l *Ledger) answerTransactions(_ *http.Request, q query) (any, error) {
	selected, err := parseTransactionSelection(q)
	if err != nil {
		return nil, err
	}
	return l.selectTransactions(q, selected), nil
}

// transactionSelection is what a query asks for.
type transactionSelection struct {
	accounts   filters
	timestamps filters
	names      []string
	result     string
	direction  string
	paging
}

func parseTransactionSelection(q query) (transactionSelection, error) {
	var s transactionSelection
	var err error
	if s.accounts, err = q.entities("account.id"); err != nil {
		return s, err
	}
	if s.timestamps, err = q.filters("timestamp", parseTimestamp); err != nil {
		return s, err
	}
	if err := s.timestamps.checkRange(); err != nil {
		return s, err
	}
	if s.names, err = q.choices("transactiontype", transactionTypes); err != nil {
		return s, err
	}
	if s.result, err = q.choice("result", "success", "fail"); err != nil {
		return s, err
	}
	if s.direction, err = q.choice("type", "credit", "debit"); err != nil {
		return s, err
	}
	s.paging, err = q.paging(descending)
	return s, err
}

// checkRange allows one lower and one upper bound, or values with neither
// (rest/utils.js parseTimestampFilters).
func (f filters) checkRange() error {
	for _, bound := range []string{"gt", "lt"} {
		count := 0
		for _, c := range f.others {
			if strings.HasPrefix(c.operator, bound) {
				count++
			}
		}
		if count > 1 {
			return badRequest("Multiple %s or %se operators not permitted for timestamp param", bound, bound)
		}
	}
	if len(f.equal) > 0 && len(f.others) > 0 {
		return badRequest("Cannot combine eq with ne, gt, gte, lt, or lte for timestamp param")
	}
	return nil
}

// selectTransactions pages as the mirror does, by the time of the last row:
// of rows with one time, those after a page's border are on no page. A page that
// is not full because the window ended links to the next window.
func (l *Ledger) selectTransactions(q query, selected transactionSelection) transactionList {
	windowEnd := l.bindWindow(&selected)
	page := selectRows(selected.paging, l.transactions, selected.match)
	list := transactionList{Transactions: make([]restTransaction, len(page))}
	for i, r := range page {
		list.Transactions[i] = r.rest()
	}
	list.Links.Next = nextRows(q, selected.paging, page, "timestamp",
		func(r *record) string { return formatTimestamp(r.Consensus) })
	if list.Links.Next == nil && windowEnd != "" {
		list.Links.Next = q.next(selected.order, cursor{key: "timestamp", value: windowEnd})
	}
	return list
}

// bindWindow keeps a list within 60 days from where it begins, unless the mirror
// has open ranges, and returns where the window ended (rest/timestampRange.js).
// A range without an end begins now, or at the first transaction.
func (l *Ledger) bindWindow(s *transactionSelection) string {
	if l.mirror.OpenRange || len(s.timestamps.equal) > 0 || len(l.transactions) == 0 {
		return ""
	}
	first, last := l.transactions[0].Consensus.UnixNano(), l.now().UnixNano()
	for _, c := range s.timestamps.others {
		switch {
		case strings.HasPrefix(c.operator, "gt"):
			first = max(first, c.value)
		case strings.HasPrefix(c.operator, "lt"):
			last = min(last, c.value)
		}
	}
	if last-first < int64(transactionWindow) {
		return ""
	}
	bound := condition{"gt", last - int64(transactionWindow)}
	if s.order == ascending {
		bound = condition{"lt", first + int64(transactionWindow)}
	}
	s.timestamps.others = append(slices.Clone(s.timestamps.others), bound)
	return formatTimestamp(time.Unix(0, bound.value))
}

func (s transactionSelection) match(r *record) bool {
	if r.hidden() || !s.timestamps.matchAll(r.Consensus.UnixNano()) {
		return false
	}
	if len(s.names) > 0 && !slices.Contains(s.names, r.Name) {
		return false
	}
	if s.result != "" && (s.result == "success") != r.succeeded() {
		return false
	}
	return s.involves(r)
}

// involves tells whether one of the accounts is in the transaction id or in a
// transfer of hbar, tokens or NFTs (recorded; rest/transactions.js). For credits
// and debits, only transfers of amounts count.
func (s transactionSelection) involves(r *record) bool {
	if s.direction == "" && s.accounts.match(int64(r.creator)) {
		return true
	}
	for _, moved := range r.transfers {
		if s.accounts.match(int64(moved.account)) && s.goes(moved.amount) {
			return true
		}
	}
	for i, moved := range r.TokenTransfers {
		if s.accounts.match(int64(r.tokens[i])) && s.goes(moved.Amount) {
			return true
		}
	}
	return s.direction == "" && slices.ContainsFunc(r.nfts, func(id entityID) bool { return s.accounts.match(int64(id)) })
}

func (s transactionSelection) goes(amount int64) bool {
	switch s.direction {
	case "credit":
		return amount > 0
	case "debit":
		return amount < 0
	}
	return true
}

func (r *record) id() string {
	return fmt.Sprintf("%s-%d-%09d", r.creator, r.ValidStart.Unix(), r.ValidStart.Nanosecond())
}

func (r *record) rest() restTransaction {
	answer := restTransaction{
		ChargedTxFee:           r.Fee,
		ConsensusTimestamp:     formatTimestamp(r.Consensus),
		EntityID:               nullString(r.EntityID),
		MaxCustomFees:          []struct{}{},
		MaxFee:                 max(maxTransactionFee, r.Fee),
		MemoBase64:             new(""),
		Name:                   r.Name,
		NFTTransfers:           append([]NFTTransfer{}, r.NFTTransfers...),
		Node:                   nullString(r.Node),
		Nonce:                  r.Nonce,
		Result:                 r.Result,
		Scheduled:              r.Scheduled,
		StakingRewardTransfers: []struct{}{},
		TokenTransfers:         append([]TokenTransfer{}, r.TokenTransfers...),
		TransactionID:          r.id(),
		Transfers:              make([]restTransfer, len(r.transfers)),
		ValidDurationSeconds:   int64(validDuration.Seconds()),
		ValidStartTimestamp:    formatTimestamp(r.ValidStart),
	}
	if !r.Parent.IsZero() {
		answer.ParentConsensusTimestamp = new(formatTimestamp(r.Parent))
	}
	for i, moved := range r.transfers {
		answer.Transfers[i] = restTransfer{Account: moved.account.String(), Amount: moved.amount}
	}
	hash := sha512.Sum384(fmt.Append(nil, answer.TransactionID, r.Nonce, r.Scheduled))
	answer.TransactionHash = base64.StdEncoding.EncodeToString(hash[:])
	if t := r.submission; t != nil {
		answer.TransactionHash = base64.StdEncoding.EncodeToString(t.hash)
		answer.MaxFee = int64(t.body.GetTransactionFee()) //nolint:gosec // checked by the node
		answer.MemoBase64 = new(base64.StdEncoding.EncodeToString([]byte(t.body.GetMemo())))
		answer.ValidDurationSeconds = t.body.GetTransactionValidDuration().GetSeconds()
	}
	return answer
}

func nullString(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
