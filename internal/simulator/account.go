// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// Account is one entry of GET /api/v1/accounts (AccountInfo of the mirror
// node's OpenAPI document, docs/hedera.md 1.1). A nil pointer is JSON null. Periods
// are seconds, amounts tinybar, timestamps "seconds.nanoseconds".
type Account struct {
	ID                            string   `json:"account"`
	Alias                         *string  `json:"alias"`
	AutoRenewPeriod               *int64   `json:"auto_renew_period"`
	Balance                       *Balance `json:"balance"`
	CreatedTimestamp              *string  `json:"created_timestamp"`
	DeclineReward                 bool     `json:"decline_reward"`
	Deleted                       *bool    `json:"deleted"`
	EthereumNonce                 *int64   `json:"ethereum_nonce"`
	EVMAddress                    *string  `json:"evm_address"`
	ExpiryTimestamp               *string  `json:"expiry_timestamp"`
	Key                           *Key     `json:"key"`
	MaxAutomaticTokenAssociations *int32   `json:"max_automatic_token_associations"`
	Memo                          *string  `json:"memo"`
	PendingReward                 int64    `json:"pending_reward"`
	ReceiverSigRequired           *bool    `json:"receiver_sig_required"`
	StakedAccountID               *string  `json:"staked_account_id"`
	StakedNodeID                  *int64   `json:"staked_node_id"`
	StakePeriodStart              *string  `json:"stake_period_start"`

	private *hiero.PrivateKey // of Key, nil where it is not known
	idle    bool              // takes no part in made-up traffic
}

// Balance is the balance object of an account. Timestamp is when Tinybar last
// changed, not when it was read.
type Balance struct {
	Tinybar   *int64         `json:"balance"`
	Timestamp *string        `json:"timestamp"`
	Tokens    []TokenBalance `json:"tokens"`
}

// TokenBalance is an amount of a token in its smallest unit.
type TokenBalance struct {
	TokenID string `json:"token_id"`
	Balance int64  `json:"balance"`
}

// Key is a public key. Type is ED25519, ECDSA_SECP256K1 or ProtobufEncoded,
// Key is hex.
type Key struct {
	Type string `json:"_type"`
	Key  string `json:"key"`
}

// totalSupplyTinybar is the 50 billion hbar of the real network (docs/hedera.md 5).
const totalSupplyTinybar = 5_000_000_000_000_000_000

const (
	firstAccountNum = 1001
	maxAccounts     = 500_000
	tinybarPerHbar  = 100_000_000
	autoRenewPeriod = 90 * 24 * 60 * 60
)

// accountsEpoch is when the first deterministic account was created. It is
// fixed, because golden files depend on it.
var accountsEpoch = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// systemAccount is one of the accounts that every Hedera network has.
type systemAccount struct {
	id, name    string
	balanceHbar int64
}

// The treasury, 0.0.2, gets what the others leave of the total supply: far
// beyond 2^53 tinybar.
func systemAccounts() []systemAccount {
	return []systemAccount{
		{"0.0.2", "treasury", 0},
		{"0.0.98", "fees", 28_412_345},
		{"0.0.800", "staking-rewards", 212_600_000},
		{"0.0.801", "node-rewards", 1_250_000},
		{"0.0.802", "fee-collection", 41_000},
	}
}

// genesisAccounts builds the system accounts and count deterministic ones.
func genesisAccounts(rng *rand.Rand, count int) []Account {
	created := formatTimestamp(accountsEpoch)
	accounts := make([]Account, 0, count+len(systemAccounts()))
	remaining := int64(totalSupplyTinybar)
	for _, system := range systemAccounts() {
		tinybar := system.balanceHbar * tinybarPerHbar
		remaining -= tinybar
		accounts = append(accounts, newSystemAccount(rng, system.id, tinybar, created))
	}
	for i := range count {
		account := newUserAccount(rng, i)
		remaining -= *account.Balance.Tinybar
		accounts = append(accounts, account)
	}
	accounts[0].Balance.Tinybar = &remaining
	return accounts
}

// firstAccounts are the accounts that own tokens, allowances and schedules: the
// treasury where there are no deterministic accounts.
func (l *Ledger) firstAccounts(count int) []string {
	if count == 0 {
		return []string{l.local(treasuryAccount)}
	}
	ids := make([]string, min(count, 5))
	for i := range ids {
		ids[i] = l.local(fmt.Sprintf("0.0.%d", firstAccountNum+i))
	}
	return ids
}

func newSystemAccount(rng *rand.Rand, id string, tinybar int64, timestamp string) Account {
	key, private := newED25519Key(randomBytes(rng, 32))
	return Account{
		ID:                            id,
		Balance:                       newBalance(tinybar, timestamp),
		Deleted:                       new(false),
		Key:                           key,
		MaxAutomaticTokenAssociations: new(int32(0)),
		Memo:                          new(""),
		ReceiverSigRequired:           new(false),
		private:                       &private,
	}
}

// newUserAccount builds account 0.0.(1001+index). Every third has an EVM
// address, every fourth stakes to a node, every tenth has null wherever
// the mirror has it: EVM address and memo never are null (recorded).
func newUserAccount(rng *rand.Rand, index int) Account {
	created := accountsEpoch.Add(time.Duration(index) * time.Hour)
	id := fmt.Sprintf("0.0.%d", firstAccountNum+index)
	account := Account{
		ID:      id,
		Balance: newBalance(1+rng.Int64N(100_000*tinybarPerHbar), formatTimestamp(created)),
		Deleted: new(false),
	}
	if index%10 == 9 {
		account.Deleted = nil
		return account
	}
	account.AutoRenewPeriod = new(int64(autoRenewPeriod))
	account.CreatedTimestamp = new(formatTimestamp(created))
	account.ExpiryTimestamp = new(formatTimestamp(created.AddDate(10, 0, 0)))
	account.EthereumNonce = new(int64(0))
	account.addKey(randomBytes(rng, 32), index)
	account.MaxAutomaticTokenAssociations = new(int32(-1))
	account.Memo = new("simulated account " + id)
	account.ReceiverSigRequired = new(false)
	if index%3 == 0 {
		addEVMIdentity(rng, &account, index)
	}
	if index%4 == 0 {
		account.StakedNodeID = new(int64(0))
		account.StakePeriodStart = new(formatTimestamp(created.Truncate(24 * time.Hour)))
		account.PendingReward = rng.Int64N(10 * tinybarPerHbar)
	}
	return account
}

// addKey gives the account at the index an ED25519 key of a seed.
func (a *Account) addKey(seed []byte, index int) {
	if index >= keyedAccounts {
		a.Key = &Key{Type: keyED25519, Key: hex.EncodeToString(seed)}
		return
	}
	key, private := newED25519Key(seed)
	a.Key, a.private = key, &private
}

// addEVMIdentity replaces the key by one of Ethereum's kind, of which alias and
// EVM address follow.
func addEVMIdentity(rng *rand.Rand, account *Account, index int) {
	random, address := randomBytes(rng, 33), randomHex(rng, 20)
	account.Key, account.private = &Key{Type: keyECDSA, Key: hex.EncodeToString(random)}, nil
	if index < keyedAccounts {
		key, private := newECDSAKey(random[:32])
		account.Key, account.private = key, &private
		random, address = private.PublicKey().BytesRaw(), private.PublicKey().ToEvmAddress()
	}
	account.Alias = new(aliasOf(random))
	account.EVMAddress = new("0x" + address)
	account.EthereumNonce = new(int64(index))
}

func newBalance(tinybar int64, timestamp string) *Balance {
	return &Balance{Tinybar: &tinybar, Timestamp: &timestamp, Tokens: []TokenBalance{}}
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, rng.Uint64())
	}
	return b[:n]
}

func randomHex(rng *rand.Rand, n int) string {
	return hex.EncodeToString(randomBytes(rng, n))
}

// AccountIDs lists every account, by ascending id.
func (s *Simulator) AccountIDs() []string {
	return view(s, func(l *Ledger) []string { return sortedIDs(l.accounts) })
}

// Balance of an account in tinybar; ok tells whether the network knows it.
func (s *Simulator) Balance(id string) (tinybar int64, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	account, err := s.ledger.findAccount(id)
	if err != nil {
		return 0, false
	}
	return account.tinybar(), true
}

// AddAccount adds an account that does not exist yet. Without an EVM address it
// gets the long form of its id, without a memo an empty one: the mirror has null
// for neither (recorded).
func (l *Ledger) AddAccount(account Account) error {
	id, err := parseEntityID(account.ID)
	if err != nil {
		return err
	}
	return l.addAccount(id, account)
}

func (l *Ledger) addAccount(id entityID, account Account) error {
	account.ID = id.String()
	if account.EVMAddress == nil {
		account.EVMAddress = new(id.longForm())
	}
	if account.Memo == nil {
		account.Memo = new("")
	}
	if account.ExpiryTimestamp == nil {
		account.ExpiryTimestamp = expiryOf(account.CreatedTimestamp, account.AutoRenewPeriod)
	}
	if _, exists := l.accounts[id]; exists {
		return fmt.Errorf("account %s exists already", id)
	}
	l.accounts[id] = &account
	at, _ := slices.BinarySearch(l.ids, id)
	l.ids = slices.Insert(l.ids, at, id)
	if !account.idle {
		at, _ := slices.BinarySearch(l.traders, id)
		l.traders = slices.Insert(l.traders, at, id)
	}
	return nil
}

// addNodeAccount gives a node the account that is paid for it, where there is none.
func (l *Ledger) addNodeAccount(node Node) error {
	id, err := parseEntityID(node.AccountID)
	if err != nil || l.accounts[id] != nil {
		return err
	}
	seed := sha256.Sum256(fmt.Appendf(nil, "hedera_simulator node account %d %d", l.seed, node.NodeID))
	key, private := newED25519Key(seed[:])
	return l.addAccount(id, Account{
		Balance:                       newBalance(0, formatTimestamp(accountsEpoch)),
		Deleted:                       new(false),
		Key:                           key,
		MaxAutomaticTokenAssociations: new(int32(0)),
		ReceiverSigRequired:           new(false),
		private:                       &private,
		idle:                          true,
	})
}

// RemoveAccount makes the network forget an account.
func (l *Ledger) RemoveAccount(id string) error {
	parsed, err := parseEntityID(id)
	if err != nil {
		return err
	}
	if _, ok := l.accounts[parsed]; !ok {
		return fmt.Errorf("account %s: %w", id, errUnknown)
	}
	delete(l.accounts, parsed)
	delete(l.contracts, parsed)
	at, _ := slices.BinarySearch(l.ids, parsed)
	l.ids = slices.Delete(l.ids, at, at+1)
	if at, ok := slices.BinarySearch(l.traders, parsed); ok {
		l.traders = slices.Delete(l.traders, at, at+1)
	}
	return nil
}

// findAccount is the account that a change names.
func (l *Ledger) findAccount(id string) (*Account, error) {
	parsed, err := parseEntityID(id)
	if err != nil {
		return nil, err
	}
	account, ok := l.accounts[parsed]
	if !ok {
		return nil, fmt.Errorf("account %s: %w", id, errUnknown)
	}
	return account, nil
}

// SetBalance changes a balance without regard for the total supply. It fails
// for an unknown account and a negative amount.
func (l *Ledger) SetBalance(id string, tinybar int64) error {
	if tinybar < 0 {
		return fmt.Errorf("account %s: balance %d is negative", id, tinybar)
	}
	account, err := l.findAccount(id)
	if err != nil {
		return err
	}
	account.replaceBalance(tinybar, formatTimestamp(l.now()))
	return nil
}

// DeleteAccount marks an account as deleted. The mirror keeps listing it.
func (l *Ledger) DeleteAccount(id string) error {
	account, err := l.findAccount(id)
	if err != nil {
		return err
	}
	account.Deleted = new(true)
	return nil
}

type balanceJSON struct {
	Account string `json:"account,omitempty"`
	Tinybar *int64 `json:"tinybar"`
}

func accountControls() map[string]controlCall {
	return map[string]controlCall{
		"GET /simulator/accounts/{id}/balance": reading(func(l *Ledger, r *http.Request) (any, error) {
			account, err := l.findAccount(r.PathValue("id"))
			if err != nil {
				return nil, err
			}
			return balanceJSON{account.ID, new(account.tinybar())}, nil
		}),
		"PUT /simulator/accounts/{id}/balance": updating(func(l *Ledger, r *http.Request, body balanceJSON) (any, error) {
			if body.Tinybar == nil {
				return nil, missing("tinybar", "N")
			}
			return nil, l.SetBalance(r.PathValue("id"), *body.Tinybar)
		}),
		"POST /simulator/accounts": updating(func(l *Ledger, _ *http.Request, a Account) (any, error) {
			return nil, l.AddAccount(a)
		}),
		"POST /simulator/accounts/{id}/forget": updating(func(l *Ledger, r *http.Request, _ struct{}) (any, error) {
			return nil, l.RemoveAccount(r.PathValue("id"))
		}),
		"DELETE /simulator/accounts/{id}": updating(func(l *Ledger, r *http.Request, _ struct{}) (any, error) {
			return nil, l.DeleteAccount(r.PathValue("id"))
		}),
	}
}

// replaceBalance keeps the tokens.
func (a *Account) replaceBalance(tinybar int64, timestamp string) {
	balance := newBalance(tinybar, timestamp)
	if a.Balance != nil && a.Balance.Tokens != nil {
		balance.Tokens = a.Balance.Tokens
	}
	a.Balance = balance
}

// tinybar is the balance in tinybar, 0 where it is null.
func (a *Account) tinybar() int64 {
	if a.Balance == nil || a.Balance.Tinybar == nil {
		return 0
	}
	return *a.Balance.Tinybar
}

func (a *Account) isDeleted() bool { return a != nil && a.Deleted != nil && *a.Deleted }

// transacts tells whether the account can pay and be paid.
func (a *Account) transacts() bool {
	return a.Balance != nil && a.Balance.Tinybar != nil && !a.isDeleted()
}

type accountList struct {
	Accounts []Account `json:"accounts"`
	listLinks
}

type accountDetail struct {
	Account
	Transactions []restTransaction `json:"transactions"`
	listLinks
}

func accountRoutes() []route {
	return []route{
		{
			path:   "/api/v1/accounts",
			maxAge: 10 * time.Second,
			params: []string{"account.balance", "account.id", "account.publickey", "balance", "limit", "order"},
			answer: (*Ledger).answerAccounts,
		},
		{
			path:   "/api/v1/accounts/{id}",
			maxAge: 2 * time.Second,
			params: []string{"limit", "order", "timestamp", "transactions", "transactiontype"},
			answer: (*Ledger).answerAccount,
		},
	}
}

// answerAccounts lists accounts. Unknown ids are absent, deleted accounts are
// not (docs/hedera.md 1.1).
func (l *Ledger) answerAccounts(_ *http.Request, q query) (any, error) {
	selected, err := parseAccountSelection(q, ascending)
	if err != nil {
		return nil, err
	}
	withBalance, err := q.boolean("balance")
	if err != nil {
		return nil, err
	}
	list := accountList{Accounts: l.selectAccounts(selected)}
	if !withBalance {
		for i := range list.Accounts {
			list.Accounts[i].Balance = nil
		}
	}
	list.Links.Next = selected.next(q, list.Accounts)
	return list, nil
}

// answerAccount has the account's latest transactions unless they are not
// wanted.
func (l *Ledger) answerAccount(r *http.Request, q query) (any, error) {
	withTransactions, err := q.boolean("transactions")
	if err != nil {
		return nil, err
	}
	selected, err := parseTransactionSelection(q)
	if err != nil {
		return nil, err
	}
	id, err := l.resolveEntity(q, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	detail := accountDetail{Account: l.withTokens(id, *l.accounts[id], maxDetailTokens, ascending), Transactions: []restTransaction{}}
	if withTransactions {
		selected.accounts = filters{equal: []int64{int64(id)}}
		list := l.selectTransactions(q, selected)
		detail.Transactions, detail.Links = list.Transactions, list.Links
	}
	return detail, nil
}

// resolveEntity finds an account by id, EVM address or alias.
func (l *Ledger) resolveEntity(q query, name string) (entityID, error) {
	id, err := l.pathAccount(q, name)
	if err == nil && l.accounts[id] == nil {
		err = notFound()
	}
	return id, err
}

// pathAccount is the id that the path of a request is about. Only what is no
// number is looked up (recorded: allowances of an unknown id are 200).
func (l *Ledger) pathAccount(q query, name string) (entityID, error) {
	invalid := badRequest(msgInvalidParameter, "idOrAliasOrEvmAddress")
	if isEntity(name) {
		id, err := q.entity(name)
		if err != nil {
			return 0, invalid
		}
		if id != noEntity {
			return id, nil
		}
		if id, ok := l.accountByEVM(name); ok {
			return id, nil
		}
		return 0, notFound()
	}
	name = name[strings.LastIndex(name, ".")+1:] // shard.realm.alias
	if !isAlias(name) {
		return 0, invalid
	}
	for _, id := range l.ids {
		if alias := l.accounts[id].Alias; alias != nil && *alias == name {
			return id, nil
		}
	}
	return 0, notFound()
}

func (l *Ledger) accountByEVM(address string) (entityID, bool) {
	digits := address[len(address)-evmDigits:]
	for _, id := range l.ids {
		if evm := l.accounts[id].EVMAddress; evm != nil && strings.EqualFold(*evm, "0x"+digits) {
			return id, true
		}
	}
	return noEntity, false
}

// isAlias tells whether s is base32 without padding.
func isAlias(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// accountSelection is the part of a query that accounts and balances share.
type accountSelection struct {
	ids       filters
	balances  filters
	publicKey string
	limit     int
	order     string
}

func parseAccountSelection(q query, order string) (accountSelection, error) {
	var selected accountSelection
	var err error
	if selected.ids, err = q.entities("account.id"); err != nil {
		return selected, err
	}
	if selected.balances, err = q.filters("account.balance", parseNumber); err != nil {
		return selected, err
	}
	if selected.limit, err = q.limit(defaultLimit, q.mirror.maxLimit()); err != nil {
		return selected, err
	}
	selected.publicKey, _ = q.last("account.publickey")
	selected.order, err = q.order(order)
	return selected, err
}

func (s accountSelection) match(account *Account) bool {
	if s.publicKey != "" && (account.Key == nil || account.Key.Key != s.publicKey) {
		return false
	}
	return s.balances.match(account.tinybar())
}

func (s accountSelection) next(q query, page []Account) *string {
	return nextRows(q, paging{s.limit, s.order}, page, "account.id", func(a Account) string { return a.ID })
}

// selectAccounts returns copies of the first accounts the selection allows.
func (l *Ledger) selectAccounts(selected accountSelection) []Account {
	page := make([]Account, 0, selected.limit)
	for _, id := range l.candidates(selected) {
		account, ok := l.accounts[id]
		if !ok || !selected.ids.matchOthers(int64(id)) || !selected.match(account) {
			continue
		}
		page = append(page, l.withTokens(id, *account, maxListedTokens, selected.order))
		if len(page) == selected.limit {
			break
		}
	}
	return page
}

// candidates is the named ids, or all of them, in order.
func (l *Ledger) candidates(selected accountSelection) []entityID {
	candidates := l.ids
	if len(selected.ids.equal) > 0 {
		candidates = make([]entityID, len(selected.ids.equal))
		for i, id := range selected.ids.equal {
			candidates[i] = entityID(id)
		}
		slices.Sort(candidates)
		candidates = slices.Compact(candidates)
	}
	if selected.order == descending {
		candidates = slices.Clone(candidates)
		slices.Reverse(candidates)
	}
	return candidates
}

type balanceList struct {
	Timestamp *string          `json:"timestamp"`
	Balances  []accountBalance `json:"balances"`
	listLinks
}

type accountBalance struct {
	Account string         `json:"account"`
	Balance *int64         `json:"balance"`
	Tokens  []TokenBalance `json:"tokens"`
}

func balanceRoutes() []route {
	return []route{{
		path:   "/api/v1/balances",
		maxAge: time.Second,
		params: []string{"account.balance", "account.id", "account.publickey", "limit", "order", "timestamp"},
		answer: (*Ledger).answerBalanceList,
	}}
}

// answerBalanceList lists current balances, highest account id first, and the
// tokens of an account in the same order (recorded). The timestamp is the newest
// of the rows. EVM addresses are looked up here, unlike in /accounts (recorded).
//
// The simulator keeps no snapshots: before the network's first block there are
// no balances, at any other timestamp the current ones.
func (l *Ledger) answerBalanceList(_ *http.Request, q query) (any, error) {
	for i, p := range q.params {
		if p.key == "account.id" && evmPattern.MatchString(p.value) {
			if id, ok := l.accountByEVM(p.value); ok {
				q.params[i].value = id.String()
			}
		}
	}
	selected, err := parseAccountSelection(q, descending)
	if err != nil {
		return nil, err
	}
	before, err := l.beforeFirstBlock(q)
	if err != nil {
		return nil, err
	}
	list := balanceList{Balances: []accountBalance{}}
	if before {
		return list, nil
	}
	accounts := l.selectAccounts(selected)
	for _, account := range accounts {
		row := accountBalance{Account: account.ID, Tokens: []TokenBalance{}}
		if account.Balance != nil {
			row.Balance, row.Tokens = account.Balance.Tinybar, account.Balance.Tokens
			list.Timestamp = later(list.Timestamp, account.Balance.Timestamp)
		}
		list.Balances = append(list.Balances, row)
	}
	list.Links.Next = selected.next(q, accounts)
	return list, nil
}

// beforeFirstBlock tells whether the query's timestamps all are before what the
// network began with.
func (l *Ledger) beforeFirstBlock(q query) (bool, error) {
	timestamps, err := q.filters("timestamp", parseTimestamp)
	if err != nil {
		return false, err
	}
	first := accountsEpoch.UnixNano()
	if len(l.blocks) > 0 {
		first = min(first, l.blocks[0].from.UnixNano())
	}
	for _, at := range timestamps.equal {
		if at < first {
			return true, nil
		}
	}
	return slices.ContainsFunc(timestamps.others, func(c condition) bool {
		return strings.HasPrefix(c.operator, "lt") && c.value < first
	}), nil
}

// later returns the newer of two consensus timestamps, either of which may be
// null.
func later(a, b *string) *string {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	nanosA, errA := parseTimestamp(*a)
	nanosB, errB := parseTimestamp(*b)
	if errA != nil || errB == nil && nanosB > nanosA {
		return b
	}
	return a
}
