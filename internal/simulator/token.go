// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Token is a token of GET /api/v1/tokens/{id} (FACTS.md 1.2). A nil pointer is
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
	MaxSupply         int64   `json:"max_supply,string"` // 0 where SupplyType is INFINITE
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

func (l *ledger) addToken(t Token) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.addTokenLocked(t)
	return err
}

// addTokenLocked fills in the enumerations that are empty.
func (l *ledger) addTokenLocked(t Token) (*token, error) {
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

func (l *ledger) tokenLocked(id string) (*token, error) {
	parsed, err := parseEntityID(id)
	if err != nil {
		return nil, err
	}
	found := l.tokens[parsed]
	if found == nil {
		return nil, fmt.Errorf("token %s: %w", id, errUnknown)
	}
	return found, nil
}

func (l *ledger) setTokenBalance(tokenID, account string, amount int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.tokenLocked(tokenID)
	if err != nil {
		return err
	}
	return l.setTokenBalanceLocked(t, account, amount, false)
}

// setTokenBalanceLocked associates the account with the token where it is not.
func (l *ledger) setTokenBalanceLocked(t *token, account string, amount int64, automatic bool) error {
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

func (l *ledger) setTokenState(tokenID string, state TokenState) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.setTokenStateLocked(tokenID, state)
}

func (l *ledger) setTokenStateLocked(tokenID string, state TokenState) error {
	t, err := l.tokenLocked(tokenID)
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

func (l *ledger) setTokenSupply(tokenID string, total int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.tokenLocked(tokenID)
	if err != nil {
		return err
	}
	if total < 0 || t.SupplyType == finite && total > t.MaxSupply {
		return fmt.Errorf("token %s: a supply of %d is not possible", tokenID, total)
	}
	t.TotalSupply = total
	return nil
}

// AddToken adds a token that does not exist yet. Empty enumerations become
// FUNGIBLE_COMMON, INFINITE and NOT_APPLICABLE.
func (s *Simulator) AddToken(t Token) error { return s.ledger.addToken(t) }

// SetTokenBalance sets what an account has of a token, in its smallest unit,
// and associates the two. It fails for what the network does not know and for a
// negative amount.
func (s *Simulator) SetTokenBalance(token, account string, amount int64) error {
	return s.ledger.setTokenBalance(token, account, amount)
}

// SetTokenState pauses and deletes a token, and freezes an account or revokes
// its KYC.
func (s *Simulator) SetTokenState(token string, state TokenState) error {
	return s.ledger.setTokenState(token, state)
}

// SetTokenSupply sets the total supply in the smallest unit. Balances stay.
func (s *Simulator) SetTokenSupply(token string, total int64) error {
	return s.ledger.setTokenSupply(token, total)
}

// TokenIDs lists every token, by ascending id.
func (s *Simulator) TokenIDs() []string {
	s.ledger.mu.RLock()
	defer s.ledger.mu.RUnlock()
	return sortedIDs(s.ledger.tokens)
}

func sortedIDs[T any](entities map[entityID]T) []string {
	ids := make([]string, 0, len(entities))
	for _, id := range slices.Sorted(maps.Keys(entities)) {
		ids = append(ids, id.String())
	}
	return ids
}
