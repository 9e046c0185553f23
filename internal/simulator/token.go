// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Token is a token of GET /api/v1/tokens/{id} (docs/hedera.md 1.2). A nil pointer is
// JSON null. Supplies are in the smallest unit, AutoRenewPeriod is seconds.
type Token struct {
	AdminKey          *Key    `json:"admin_key"`
	AutoRenewAccount  *string `json:"auto_renew_account"`
	AutoRenewPeriod   *int64  `json:"auto_renew_period"`
	CreatedTimestamp  *string `json:"created_timestamp"`
	Decimals          int64   `json:"decimals,string"`
	Deleted           *bool   `json:"deleted"`
	ExpiryTimestamp   *int64  `json:"expiry_timestamp"` // nanoseconds since 1970
	FeeScheduleKey    *Key    `json:"fee_schedule_key"`
	FreezeDefault     bool    `json:"freeze_default"`
	FreezeKey         *Key    `json:"freeze_key"`
	ID                string  `json:"token_id"`
	InitialSupply     int64   `json:"initial_supply,string"`
	KYCKey            *Key    `json:"kyc_key"`
	MaxSupply         int64   `json:"max_supply,string"` // default the greatest where SupplyType is INFINITE
	Memo              string  `json:"memo"`
	Metadata          string  `json:"metadata"`
	MetadataKey       *Key    `json:"metadata_key"`
	ModifiedTimestamp *string `json:"modified_timestamp"`
	Name              string  `json:"name"`
	PauseKey          *Key    `json:"pause_key"`
	PauseStatus       string  `json:"pause_status"` // NOT_APPLICABLE, PAUSED or UNPAUSED
	SupplyKey         *Key    `json:"supply_key"`
	SupplyType        string  `json:"supply_type"` // FINITE or INFINITE
	Symbol            string  `json:"symbol"`
	TotalSupply       int64   `json:"total_supply,string"`
	TreasuryAccountID *string `json:"treasury_account_id"`
	Type              string  `json:"type"` // FUNGIBLE_COMMON or NON_FUNGIBLE_UNIQUE
	WipeKey           *Key    `json:"wipe_key"`
}

const (
	fungible      = "FUNGIBLE_COMMON"
	nonFungible   = "NON_FUNGIBLE_UNIQUE"
	finite        = "FINITE"
	infinite      = "INFINITE"
	notApplicable = "NOT_APPLICABLE"
	paused        = "PAUSED"
	unpaused      = "UNPAUSED"
	frozen        = "FROZEN"
	unfrozen      = "UNFROZEN"
	granted       = "GRANTED"
	revoked       = "REVOKED"
)

// token is a Token with the accounts that are associated with it.
type token struct {
	Token
	id      entityID
	holders map[entityID]relationship
	unknown bool // to a partial mirror, which knows its holders only
}

// relationship is what an account has of a token.
type relationship struct {
	balance   int64
	automatic bool
	freeze    string
	kyc       string
	created   string
	updated   string
}

// AddToken adds a token that does not exist yet. Empty enumerations become
// FUNGIBLE_COMMON, INFINITE and NOT_APPLICABLE.
func (l *Ledger) AddToken(t Token) error {
	_, err := l.addToken(t)
	return err
}

// addToken fills in the enumerations that are empty.
func (l *Ledger) addToken(t Token) (*token, error) {
	id, err := parseEntityID(t.ID)
	if err != nil {
		return nil, err
	}
	t.ID = id.String()
	if l.tokens[id] != nil {
		return nil, fmt.Errorf("token %s exists already", id)
	}
	if t.TotalSupply < 0 || t.Decimals < 0 {
		return nil, fmt.Errorf("token %s: supply and decimals must not be negative", id)
	}
	t.Type = withDefault(t.Type, fungible)
	t.SupplyType = withDefault(t.SupplyType, infinite)
	t.PauseStatus = withDefault(t.PauseStatus, notApplicable)
	if t.SupplyType == infinite && t.MaxSupply == 0 {
		t.MaxSupply = math.MaxInt64 // recorded
	}
	added := &token{Token: t, id: id, holders: make(map[entityID]relationship)}
	l.tokens[id] = added
	return added, nil
}

func withDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

func (l *Ledger) token(id string) (*token, error) {
	parsed, err := parseEntityID(id)
	if err != nil {
		return nil, err
	}
	found := l.tokens[parsed]
	if found == nil || found.unknown {
		return nil, fmt.Errorf("token %s: %w", id, errUnknown)
	}
	return found, nil
}

// SetTokenBalance sets what an account has of a token, in its smallest unit,
// and associates the two. It fails for what the network does not know and for a
// negative amount.
func (l *Ledger) SetTokenBalance(tokenID, account string, amount int64) error {
	t, err := l.token(tokenID)
	if err != nil {
		return err
	}
	return l.hold(t, account, amount, false)
}

// HoldUnknownToken gives an account an amount of a token that a partial mirror
// knows nothing else about: its decimals are null (recorded).
func (l *Ledger) HoldUnknownToken(tokenID, account string, amount int64) error {
	id, err := parseEntityID(tokenID)
	if err != nil {
		return err
	}
	t := l.tokens[id]
	if t == nil {
		t = &token{Token: Token{ID: id.String()}, id: id, holders: make(map[entityID]relationship), unknown: true}
		l.tokens[id] = t
	}
	if !t.unknown {
		return fmt.Errorf("token %s is known", id)
	}
	return l.hold(t, account, amount, false)
}

// hold associates the account with the token where it is not.
func (l *Ledger) hold(t *token, account string, amount int64, automatic bool) error {
	id, err := parseEntityID(account)
	if err != nil {
		return err
	}
	if l.accounts[id] == nil {
		return fmt.Errorf("account %s: %w", account, errUnknown)
	}
	if amount < 0 {
		return fmt.Errorf("account %s: %d of token %s is negative", account, amount, t.ID)
	}
	held, ok := t.holders[id]
	now := formatTimestamp(l.now())
	if !ok {
		held = t.newRelationship(now)
		held.automatic = automatic
	}
	held.balance, held.updated = amount, now
	t.holders[id] = held
	return nil
}

// newRelationship is not frozen by default and has passed KYC.
func (t *token) newRelationship(created string) relationship {
	if t.unknown {
		return relationship{created: created}
	}
	r := relationship{freeze: notApplicable, kyc: notApplicable, created: created}
	if t.FreezeKey != nil {
		r.freeze = unfrozen
	}
	if t.FreezeKey != nil && t.FreezeDefault {
		r.freeze = frozen
	}
	if t.KYCKey != nil {
		r.kyc = granted
	}
	return r
}

// TokenState is a change of a token, or of an account's association with it.
// What is nil stays.
type TokenState struct {
	Paused     *bool  `json:"paused"`
	Deleted    *bool  `json:"deleted"`
	Account    string `json:"account"` // of Frozen and KYCGranted
	Frozen     *bool  `json:"frozen"`
	KYCGranted *bool  `json:"kyc_granted"`
}

// SetTokenState pauses and deletes a token, and freezes an account or revokes
// its KYC.
func (l *Ledger) SetTokenState(tokenID string, state TokenState) error {
	t, err := l.token(tokenID)
	if err != nil {
		return err
	}
	if err := t.setAccountState(state); err != nil {
		return err
	}
	if state.Paused != nil {
		t.PauseStatus = either(*state.Paused, paused, unpaused)
	}
	if state.Deleted != nil {
		t.Deleted = new(*state.Deleted)
	}
	return nil
}

func (t *token) setAccountState(state TokenState) error {
	if state.Account == "" {
		if state.Frozen != nil || state.KYCGranted != nil {
			return errors.New("token state: frozen and kyc_granted want an account")
		}
		return nil
	}
	id, err := parseEntityID(state.Account)
	if err != nil {
		return err
	}
	held, ok := t.holders[id]
	if !ok {
		return fmt.Errorf("account %s with token %s: %w", state.Account, t.ID, errUnknown)
	}
	if state.Frozen != nil {
		held.freeze = either(*state.Frozen, frozen, unfrozen)
	}
	if state.KYCGranted != nil {
		held.kyc = either(*state.KYCGranted, granted, revoked)
	}
	t.holders[id] = held
	return nil
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// SetTokenSupply sets the total supply in the smallest unit. Balances stay.
func (l *Ledger) SetTokenSupply(tokenID string, total int64) error {
	t, err := l.token(tokenID)
	if err != nil {
		return err
	}
	if total < 0 || t.SupplyType == finite && total > t.MaxSupply {
		return fmt.Errorf("token %s: a supply of %d is not possible", tokenID, total)
	}
	t.TotalSupply = total
	return nil
}

// TokenIDs lists every token, by ascending id.
func (s *Simulator) TokenIDs() []string {
	return view(s, func(l *Ledger) []string {
		known := maps.Clone(l.tokens)
		maps.DeleteFunc(known, func(_ entityID, t *token) bool { return t.unknown })
		return sortedIDs(known)
	})
}

func tokenControls() map[string]controlCall {
	type supply struct {
		Total *int64 `json:"total"`
	}
	type balance struct {
		Balance *int64 `json:"balance"`
		Unknown bool   `json:"unknown"`
	}
	return map[string]controlCall{
		"POST /simulator/tokens": updating(func(l *Ledger, _ *http.Request, t Token) (any, error) {
			return nil, l.AddToken(t)
		}),
		"PUT /simulator/tokens/{id}/state": updating(func(l *Ledger, r *http.Request, state TokenState) (any, error) {
			return nil, l.SetTokenState(r.PathValue("id"), state)
		}),
		"PUT /simulator/tokens/{id}/supply": updating(func(l *Ledger, r *http.Request, body supply) (any, error) {
			if body.Total == nil {
				return nil, missing("total", "N")
			}
			return nil, l.SetTokenSupply(r.PathValue("id"), *body.Total)
		}),
		"PUT /simulator/tokens/{id}/balances/{holder}": updating(func(l *Ledger, r *http.Request, body balance) (any, error) {
			if body.Balance == nil {
				return nil, missing("balance", "N")
			}
			if body.Unknown {
				return nil, l.HoldUnknownToken(r.PathValue("id"), r.PathValue("holder"), *body.Balance)
			}
			return nil, l.SetTokenBalance(r.PathValue("id"), r.PathValue("holder"), *body.Balance)
		}),
	}
}

// Deterministic tokens.
const (
	usdToken    = "0.0.456858"
	sauceToken  = "0.0.731861"
	nftToken    = "0.0.1518294"
	pausedToken = "0.0.2231533"
	bareToken   = "0.0.2964435"
)

// addTokens makes the deterministic tokens and lets the first accounts
// hold them.
func (l *Ledger) addTokens(rng *rand.Rand, accounts []string) error {
	treasury := accounts[0]
	for i, t := range genesisTokens(rng, treasury) {
		t.ID = l.local(t.ID)
		added, err := l.addToken(t)
		if err != nil {
			return err
		}
		if t.TreasuryAccountID == nil {
			continue
		}
		held := int64(0)
		for n, account := range accounts[1:] {
			amount := int64(n+1) * t.TotalSupply / 100
			held += amount
			if err := l.hold(added, account, amount, i%2 == 1); err != nil {
				return err
			}
		}
		if err := l.hold(added, treasury, t.TotalSupply-held, false); err != nil {
			return err
		}
	}
	if len(accounts) < 3 {
		return nil
	}
	if err := l.SetTokenState(l.local(usdToken), TokenState{Account: accounts[1], Frozen: new(true)}); err != nil {
		return err
	}
	return l.SetTokenState(l.local(usdToken), TokenState{Account: accounts[2], KYCGranted: new(false)})
}

func genesisTokens(rng *rand.Rand, treasury string) []Token {
	key := func() *Key { return &Key{Type: "ED25519", Key: randomHex(rng, 32)} }
	created := accountsEpoch.Add(24 * time.Hour)
	base := Token{
		AutoRenewAccount: &treasury, AutoRenewPeriod: new(int64(autoRenewPeriod)),
		CreatedTimestamp: new(formatTimestamp(created)), ModifiedTimestamp: new(formatTimestamp(created)),
		Deleted: new(false), ExpiryTimestamp: new(created.AddDate(10, 0, 0).UnixNano()),
		PauseStatus: notApplicable, SupplyType: infinite, TreasuryAccountID: &treasury, Type: fungible,
	}
	usd := base
	usd.ID, usd.Name, usd.Symbol, usd.Memo = usdToken, "Simulated USD", "USDSIM", "one dollar"
	usd.Decimals, usd.TotalSupply = 6, 98_765_432_109_876
	usd.AdminKey, usd.FreezeKey, usd.KYCKey, usd.PauseKey, usd.SupplyKey, usd.WipeKey = key(), key(), key(), key(), key(), key()
	usd.PauseStatus = unpaused

	sauce := base
	sauce.ID, sauce.Name, sauce.Symbol = sauceToken, "Simulated Sauce", "SAUCESIM"
	sauce.Decimals, sauce.InitialSupply, sauce.TotalSupply = 6, 500_000_000_000_000, 812_345_678_901_234
	sauce.SupplyType, sauce.MaxSupply, sauce.SupplyKey = finite, 1_000_000_000_000_000, key()

	nft := base
	nft.ID, nft.Name, nft.Symbol, nft.Type = nftToken, "Simulated Collection", "NFTSIM", nonFungible
	nft.TotalSupply, nft.SupplyType, nft.MaxSupply, nft.SupplyKey = 4_200, finite, 10_000, key()

	stopped := base
	stopped.ID, stopped.Name, stopped.Symbol = pausedToken, "Simulated Pause", "PAUSESIM"
	stopped.Decimals, stopped.InitialSupply, stopped.TotalSupply = 8, 2_100_000_000_000_000, 2_100_000_000_000_000
	stopped.PauseStatus, stopped.PauseKey = paused, key()

	bare := Token{
		ID: bareToken, Name: "Simulated Null", Symbol: "NULLSIM", Type: fungible,
		PauseStatus: notApplicable, SupplyType: infinite,
	}
	return []Token{usd, sauce, nft, stopped, bare}
}

// tokenDetail is a token with its custom fees, of which the simulated ones have
// none. Expiry is nanoseconds since 1970, and may be beyond an int64.
type tokenDetail struct {
	Token
	ExpiryTimestamp *json.Number `json:"expiry_timestamp"`
	CustomFees      customFees   `json:"custom_fees"`
}

// customFees of a token have fractional or royalty fees, by its type (recorded);
// those of a topic have neither.
type customFees struct {
	CreatedTimestamp *string     `json:"created_timestamp"`
	FixedFees        []struct{}  `json:"fixed_fees"`
	FractionalFees   *[]struct{} `json:"fractional_fees,omitempty"`
	RoyaltyFees      *[]struct{} `json:"royalty_fees,omitempty"`
}

// detail completes the expiry as the mirror does: it is the creation and the
// renewal period after it, however long (recorded).
func (t *token) detail() tokenDetail {
	detail := tokenDetail{Token: t.Token, CustomFees: customFees{CreatedTimestamp: t.CreatedTimestamp, FixedFees: []struct{}{}}}
	if t.Type == nonFungible {
		detail.CustomFees.RoyaltyFees = &[]struct{}{}
	} else {
		detail.CustomFees.FractionalFees = &[]struct{}{}
	}
	if t.Token.ExpiryTimestamp != nil {
		detail.ExpiryTimestamp = new(json.Number(strconv.FormatInt(*t.Token.ExpiryTimestamp, 10)))
	} else if expiry := expiryOf(t.CreatedTimestamp, t.AutoRenewPeriod); expiry != nil {
		detail.ExpiryTimestamp = new(json.Number(strings.Replace(*expiry, ".", "", 1)))
	}
	return detail
}

type tokenList struct {
	Tokens []tokenListRow `json:"tokens"`
	listLinks
}

type tokenListRow struct {
	AdminKey *Key   `json:"admin_key"`
	Decimals int64  `json:"decimals"`
	Metadata string `json:"metadata"`
	Name     string `json:"name"`
	Symbol   string `json:"symbol"`
	ID       string `json:"token_id"`
	Type     string `json:"type"`
}

type tokenBalanceList struct {
	Timestamp *string        `json:"timestamp"`
	Balances  []tokenBalance `json:"balances"`
	listLinks
}

type tokenBalance struct {
	Account  string `json:"account"`
	Balance  int64  `json:"balance"`
	Decimals *int64 `json:"decimals"`
}

type tokenRelationshipList struct {
	Tokens []tokenRelationship `json:"tokens"`
	listLinks
}

type tokenRelationship struct {
	AutomaticAssociation bool    `json:"automatic_association"`
	Balance              int64   `json:"balance"`
	CreatedTimestamp     string  `json:"created_timestamp"`
	Decimals             *int64  `json:"decimals"`
	FreezeStatus         *string `json:"freeze_status"`
	KYCStatus            *string `json:"kyc_status"`
	TokenID              string  `json:"token_id"`
}

// maxListedTokens is how many token balances an account has in lists, and
// maxDetailTokens alone (docs/hedera.md 1.1).
const (
	maxListedTokens = 50
	maxDetailTokens = 1000
)

func tokenRoutes() []route {
	return []route{
		{
			path:   "/api/v1/tokens",
			maxAge: 10 * time.Second,
			params: []string{"account.id", "limit", "order", "token.id"},
			answer: (*Ledger).answerTokens,
		},
		{
			path:   "/api/v1/tokens/{id}",
			maxAge: 5 * time.Second,
			params: []string{"timestamp"},
			answer: (*Ledger).answerToken,
		},
		{
			path:   "/api/v1/tokens/{id}/balances",
			maxAge: time.Second,
			params: []string{"account.balance", "account.id", "limit", "order", "timestamp"},
			answer: (*Ledger).answerTokenBalances,
		},
		{
			path:   "/api/v1/accounts/{id}/tokens",
			maxAge: time.Second,
			params: []string{"limit", "order", "token.id"},
			answer: (*Ledger).answerAccountTokens,
		},
	}
}

// pathEntity is the id in the path of a request.
func (q query) pathEntity(r *http.Request, name string) (entityID, error) {
	text := r.PathValue("id")
	if !entityPattern.MatchString(text) {
		return 0, badRequest(msgInvalidParameter, name)
	}
	id, err := q.entity(text)
	if err != nil {
		return 0, badRequest(msgInvalidParameter, name)
	}
	return id, nil
}

func (l *Ledger) answerTokens(_ *http.Request, q query) (any, error) {
	ids, err := q.entities("token.id")
	if err != nil {
		return nil, err
	}
	holders, err := q.entities("account.id")
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	rows := selectRows(page, slices.Sorted(maps.Keys(l.tokens)), func(id entityID) bool {
		t := l.tokens[id]
		return !t.unknown && ids.match(int64(id)) && (holders.isEmpty() || t.heldBy(holders))
	})
	list := tokenList{Tokens: make([]tokenListRow, len(rows))}
	for i, id := range rows {
		t := l.tokens[id]
		list.Tokens[i] = tokenListRow{t.AdminKey, t.Decimals, t.Metadata, t.Name, t.Symbol, t.ID, t.Type}
	}
	list.Links.Next = nextRows(q, page, rows, "token.id", entityID.String)
	return list, nil
}

func (t *token) heldBy(accounts filters) bool {
	for account := range t.holders {
		if accounts.match(int64(account)) {
			return true
		}
	}
	return false
}

// answerToken is the token as it is now, whatever the timestamp, unless that is
// before it was made: the simulator keeps no history.
func (l *Ledger) answerToken(r *http.Request, q query) (any, error) {
	id, err := q.pathEntity(r, "tokenid")
	if err != nil {
		return nil, err
	}
	before, err := l.beforeFirstBlock(q)
	if err != nil {
		return nil, err
	}
	t := l.tokens[id]
	if t == nil || t.unknown || before {
		return nil, notFound()
	}
	return t.detail(), nil
}

// answerTokenBalances lists who holds a token, highest account id first. An
// unknown token has no holders. Several account.id have to hold at once: two
// different ones give no row (recorded).
func (l *Ledger) answerTokenBalances(r *http.Request, q query) (any, error) {
	id, err := q.pathEntity(r, "tokenid")
	if err != nil {
		return nil, err
	}
	accounts, err := q.entities("account.id")
	if err != nil {
		return nil, err
	}
	amounts, err := q.filters("account.balance", parseNumber)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(descending)
	if err != nil {
		return nil, err
	}
	before, err := l.beforeFirstBlock(q)
	if err != nil {
		return nil, err
	}
	list := tokenBalanceList{Balances: []tokenBalance{}}
	t := l.tokens[id]
	if t == nil || before {
		return list, nil
	}
	holders := selectRows(page, slices.Sorted(maps.Keys(t.holders)), func(account entityID) bool {
		return accounts.matchAll(int64(account)) && amounts.matchAll(t.holders[account].balance)
	})
	for _, account := range holders {
		held := t.holders[account]
		list.Balances = append(list.Balances, tokenBalance{account.String(), held.balance, t.decimals()})
		list.Timestamp = later(list.Timestamp, &held.updated)
	}
	list.Links.Next = nextRows(q, page, holders, "account.id", entityID.String)
	return list, nil
}

// decimals are null where the mirror does not know the token.
func (t *token) decimals() *int64 {
	if t.unknown {
		return nil
	}
	return &t.Decimals
}

func (l *Ledger) answerAccountTokens(r *http.Request, q query) (any, error) {
	ids, err := q.entities("token.id")
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	account, err := l.resolveEntity(q, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	tokens := selectRows(page, l.tokensOf(account), func(t *token) bool { return ids.match(int64(t.id)) })
	list := tokenRelationshipList{Tokens: make([]tokenRelationship, len(tokens))}
	for i, t := range tokens {
		held := t.holders[account]
		list.Tokens[i] = tokenRelationship{
			AutomaticAssociation: held.automatic,
			Balance:              held.balance,
			CreatedTimestamp:     held.created,
			Decimals:             t.decimals(),
			FreezeStatus:         nullString(held.freeze),
			KYCStatus:            nullString(held.kyc),
			TokenID:              t.ID,
		}
	}
	list.Links.Next = nextRows(q, page, tokens, "token.id", func(t *token) string { return t.ID })
	return list, nil
}

// tokensOf is what an account is associated with, by ascending token id.
func (l *Ledger) tokensOf(account entityID) []*token {
	var tokens []*token
	for _, t := range l.tokens {
		if _, ok := t.holders[account]; ok {
			tokens = append(tokens, t)
		}
	}
	slices.SortFunc(tokens, func(a, b *token) int { return cmp.Compare(a.id, b.id) })
	return tokens
}

// withTokens is the account with its token balances, at most limit, in order of
// the token ids. What an account was added with stays where it has no
// associations.
func (l *Ledger) withTokens(id entityID, account Account, limit int, order string) Account {
	tokens := l.tokensOf(id)
	if account.Balance == nil {
		account.Balance = &Balance{Tokens: []TokenBalance{}} // recorded: 0.0.1020
	}
	if len(tokens) == 0 {
		return account
	}
	if order == descending {
		slices.Reverse(tokens)
	}
	balance := *account.Balance
	balance.Tokens = make([]TokenBalance, 0, len(tokens))
	for _, t := range tokens[:min(limit, len(tokens))] {
		balance.Tokens = append(balance.Tokens, TokenBalance{t.ID, t.holders[id].balance})
	}
	account.Balance = &balance
	return account
}
