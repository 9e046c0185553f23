// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const (
	tokenSource = "mirror REST /api/v1/tokens/{id}" //nolint:gosec // a path, no credential
	// tokenBalancesSource has each account's first 50 tokens.
	tokenBalancesSource = accountsSource + ", and /api/v1/accounts/{id}/tokens for tokens beyond an account's first 50"
	relationshipSource  = "mirror REST /api/v1/accounts/{id}/tokens"
	// tokenCacheAge is the max-age of /api/v1/tokens/{id} (docs/hedera.md 1.0).
	tokenCacheAge = 5 * time.Second
)

var (
	tokenLabels        = []string{"network", "token_id", "name"}
	relationshipLabels = with(accountLabels, "token_id")
)

var (
	tokenExists = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_exists",
		Help:      "Whether the network knows the token. Deleted tokens stay known.",
		Labels:    tokenLabels,
		Source:    tokenSource,
		Example:   "hedera_token_exists == 0",
	})
	tokenOwnLabels = newLabels(Metric{
		Collector: "tokens",
		Name:      "token_labels",
		Help:      fmt.Sprintf(labelsHelp, "token", "token"),
		Labels:    tokenLabels,
		Source:    "configuration, tokens.labels",
		Example:   "hedera_token_supply * on (network, token_id) group_left (team) hedera_token_labels",
	})
	tokenSupply = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_supply",
		Help:      "Total supply of the token in whole tokens; for NFTs, the number of serials. Absent if the decimals are unknown, like every amount of the token.",
		Labels:    tokenLabels,
		Source:    tokenSource,
		Example:   "delta(hedera_token_supply[1d])",
	})
	tokenSupplyMaximum = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_supply_maximum",
		Help:      "Maximum supply of the token in whole tokens; absent if infinite.",
		Labels:    tokenLabels,
		Source:    tokenSource,
		Example:   "hedera_token_supply / hedera_token_supply_maximum > 0.95",
	})
	tokenTreasuryBalance = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_treasury_balance",
		Help:      "Balance of the token in its treasury account, in whole tokens. Absent if the treasury is no longer associated with the token.",
		Labels:    tokenLabels,
		Source:    tokenBalancesSource,
		Example:   "hedera_token_supply - hedera_token_treasury_balance",
	})
	tokenPaused = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_paused",
		Help:      "Whether the token is paused. Absent if it cannot be paused.",
		Labels:    tokenLabels,
		Source:    tokenSource,
		Example:   "hedera_token_paused == 1",
	})
	tokenDeleted = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_deleted",
		Help:      "Whether the token has been deleted.",
		Labels:    tokenLabels,
		Source:    tokenSource,
		Example:   "hedera_token_deleted == 1",
	})
	tokenExpiry = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_expiry_timestamp_seconds",
		Help:      "When the token expires. Absent if never, that is, after the year 2262.",
		Labels:    tokenLabels,
		Source:    tokenSource,
		Example:   "hedera_token_expiry_timestamp_seconds - time() < 30 * 86400",
	})
	tokenInfo = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_info",
		Help:      "Properties of the token; the value is always 1. The labels token_name and symbol are truncated to 64 characters.",
		Labels:    with(tokenLabels, "token_name", "symbol", "type", "treasury_account_id", "decimals"),
		Source:    tokenSource,
		Example:   "hedera_token_supply * on (network, token_id) group_left (symbol) hedera_token_info",
	})
	accountTokenBalance = newGauge(Metric{
		Collector: "tokens",
		Name:      "account_token_balance",
		Help:      "Token balance of the account in whole tokens; for NFTs, the number of serials. Absent if the account is not associated with the token. The symbol is empty if the token is not configured.",
		Labels:    with(relationshipLabels, "symbol"),
		Source:    tokenBalancesSource + " and for accounts with tokens: all",
		Example:   "hedera_account_token_balance{symbol=\"USDC\"} < 1000",
	})
	accountTokenBalanceMinimum = newGauge(Metric{
		Collector: "tokens",
		Name:      "account_token_balance_minimum",
		Help:      "Configured token balance of the account below which an alert of the severity fires, in whole tokens.",
		Labels:    with(relationshipLabels, "severity"),
		Source:    "configuration, accounts.token_thresholds",
		Example:   "hedera_account_token_balance < on (network, account_id, token_id) group_right () hedera_account_token_balance_minimum",
	})
	accountTokenFrozen = newGauge(Metric{
		Collector: "tokens",
		Name:      "account_token_frozen",
		Help:      "Whether the account is frozen for the token, for accounts with tokens: all. Absent if the token cannot be frozen.",
		Labels:    relationshipLabels,
		Source:    relationshipSource,
		Example:   "hedera_account_token_frozen == 1",
	})
	accountTokenKYC = newGauge(Metric{
		Collector: "tokens",
		Name:      "account_token_kyc_granted",
		Help:      "Whether the account has been granted KYC for the token, for accounts with tokens: all. Absent if the token has no KYC.",
		Labels:    relationshipLabels,
		Source:    relationshipSource,
		Example:   "hedera_account_token_kyc_granted == 0",
	})
	accountTokensTruncated = newGauge(Metric{
		Collector: "tokens",
		Name:      "account_tokens_truncated",
		Help:      "Whether an account with tokens: all is associated with more than 99 tokens. The tokens with the highest ids are then left out, unless they are configured.",
		Labels:    accountLabels,
		Source:    relationshipSource,
		Example:   "hedera_account_tokens_truncated == 1",
	})
)

func init() {
	register(Registration{
		Name:           "tokens",
		Help:           "the configured tokens, the balances of the configured accounts in them, and all tokens of accounts with tokens: all",
		DefaultEnabled: true,
		MaxMinInterval: tokenCacheAge,
		Sharded:        true,
		factory:        newTokens,
	})
}

type tokens struct {
	network Network
	mirror  *mirror.Client
}

// knownToken is a configured token that the network knows.
type knownToken struct {
	mirror.Token
	name string // the operator's own
}

func newTokens(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	return tokens{network: n, mirror: n.Mirror}, nil
}

// Update implements Collector.
func (c tokens) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var (
		group         entityGroup
		accounts      mirror.Batch[mirror.Account]
		known         = make([]*mirror.Token, len(c.network.Tokens))
		failed        = make([]bool, len(c.network.Tokens))
		relationships = make([]relationshipList, len(c.network.Accounts))
	)
	if len(c.network.Tokens) > 0 && len(c.network.Accounts) > 0 {
		group.Go(func() error { accounts = accountsOf(ctx, c.network); return nil })
	}
	c.sendConfigured(ch)
	for i, token := range c.network.Tokens {
		group.Go(func() (err error) {
			failed[i] = true // also by a panic
			known[i], err = c.updateToken(ctx, ch, token)
			failed[i] = err != nil
			return err
		})
	}
	for i, account := range c.network.Accounts {
		if account.AllTokens {
			group.Go(func() (err error) { relationships[i], err = c.relationships(ctx, account); return err })
		}
	}
	_ = group.Wait() // what failed is in the group

	var tokens []knownToken
	apart := map[string]bool{} // their balances are not sent with the relationships
	for i, token := range c.network.Tokens {
		if known[i] != nil {
			tokens = append(tokens, knownToken{Token: *known[i], name: token.Name})
		}
		apart[token.ID.String()] = known[i] != nil || failed[i]
	}
	for i, account := range c.network.Accounts {
		c.sendRelationships(ch, account, relationships[i], apart)
	}
	c.updateBalances(ctx, ch, &group, accounts, tokens)
	if !c.network.accountsOnly {
		c.updateTreasuries(ctx, ch, &group, accounts, tokens)
	}
	return group.Wait()
}

// sendConfigured sends what does not depend on the mirror. What the configuration
// says of the tokens themselves is for the first shard.
func (c tokens) sendConfigured(ch chan<- prometheus.Metric) {
	for _, account := range c.network.Accounts {
		for _, threshold := range account.TokenThresholds {
			labels := with(labelsOf(c.network, account), threshold.Token.String())
			sendThresholds(ch, accountTokenBalanceMinimum, threshold.Minimum, tokenAmount, newLabelValues(labels))
		}
	}
	if c.network.accountsOnly {
		return
	}
	own := tokenOwnLabels.of(c.network.LabelNames)
	for _, token := range c.network.Tokens {
		own.send(ch, token.Labels, c.network.Name, token.ID.String(), token.Name)
	}
}

// updateToken sends the samples of the token itself, on the first shard, and
// returns the token, or nil if the network does not know it.
func (c tokens) updateToken(ctx context.Context, ch chan<- prometheus.Metric, token config.Entity) (*mirror.Token, error) {
	row, err := c.mirror.Token(ctx, token.ID.String())
	switch {
	case err == nil:
		c.sendToken(ch, token, &row)
		return &row, nil
	case mirror.IsNotFound(err):
		c.sendToken(ch, token, nil)
		return nil, nil //nolint:nilnil // unknown is an answer
	}
	return nil, fmt.Errorf("token %s: %w", token.ID, err)
}

// sendToken sends the samples of a token; row is nil if the network does not know
// it.
func (c tokens) sendToken(ch chan<- prometheus.Metric, configured config.Entity, row *mirror.Token) {
	if c.network.accountsOnly {
		return
	}
	labels := []string{c.network.Name, configured.ID.String(), configured.Name}
	ch <- tokenExists.sample(boolValue(row != nil), labels...)
	if row != nil {
		sendKnownToken(ch, *row, labels)
	}
}

func sendKnownToken(ch chan<- prometheus.Metric, token mirror.Token, labels []string) {
	sendUnits(ch, tokenSupply, token.TotalSupply, token.Decimals, labels...)
	if token.SupplyType.Or("") != "INFINITE" && token.MaxSupply.Or(0) > 0 {
		sendUnits(ch, tokenSupplyMaximum, token.MaxSupply, token.Decimals, labels...)
	}
	sendStatus(ch, tokenPaused, token.PauseStatus, "PAUSED", "UNPAUSED", labels)
	sendField(ch, tokenDeleted, token.Deleted, boolValue, labels...)
	sendTime(ch, tokenExpiry, token.Expiry(), labels...)
	decimals := ""
	if n, ok := token.Decimals.Get(); ok {
		decimals = strconv.Itoa(int(n))
	}
	ch <- tokenInfo.sample(1, with(labels,
		text(token.Name, textLength),
		text(token.Symbol, textLength),
		text(token.Type, textLength),
		text(token.TreasuryAccountID, textLength),
		decimals)...)
}

// sendUnits sends an amount in whole tokens, if it and the decimals are known.
func sendUnits(ch chan<- prometheus.Metric, metric constMetric, units mirror.Field[int64], decimals mirror.Field[int32], labels ...string) {
	if decimals, ok := decimals.Get(); ok {
		sendField(ch, metric, units, func(n int64) float64 { return wholeTokens(n, int64(decimals)) }, labels...)
	}
}

// sendStatus sends nothing for any other status, such as NOT_APPLICABLE.
func sendStatus(ch chan<- prometheus.Metric, metric constMetric, field mirror.Field[string], yes, no string, labels []string) {
	if status := field.Or(""); status == yes || status == no {
		ch <- metric.sample(boolValue(status == yes), labels...)
	}
}

// updateBalances sends the balances of the configured accounts in the tokens.
func (c tokens) updateBalances(ctx context.Context, ch chan<- prometheus.Metric, group *entityGroup, accounts mirror.Batch[mirror.Account], tokens []knownToken) {
	if len(tokens) == 0 {
		return
	}
	for _, account := range c.network.Accounts {
		row, known, err := accounts.Get(account.ID.String())
		if err != nil {
			group.miss(1, fmt.Errorf("tokens of account %s: %w", account.ID, err))
		}
		if !known {
			continue
		}
		held := newHoldings(row)
		for _, token := range tokens {
			c.withBalance(ctx, group, held, token, func(units mirror.Field[int64]) {
				sendUnits(ch, accountTokenBalance, units, token.Decimals,
					with(labelsOf(c.network, account), token.ID, text(token.Symbol, textLength))...)
			})
		}
	}
}

// updateTreasuries sends the treasury balances of the tokens. Treasuries that
// are not configured accounts are read with one request for all of them.
func (c tokens) updateTreasuries(ctx context.Context, ch chan<- prometheus.Metric, group *entityGroup, accounts mirror.Batch[mirror.Account], tokens []knownToken) {
	configured := map[string]bool{}
	for _, account := range c.network.Accounts {
		configured[account.ID.String()] = true
	}
	var apart []string
	for _, token := range tokens {
		if treasury, ok := token.TreasuryAccountID.Get(); ok && !configured[treasury] {
			apart = append(apart, treasury)
		}
	}
	var others mirror.Batch[mirror.Account]
	if len(apart) > 0 {
		others = c.mirror.Accounts(ctx, apart)
	}
	for _, token := range tokens {
		treasury, ok := token.TreasuryAccountID.Get()
		if !ok {
			continue
		}
		list := others
		if configured[treasury] {
			list = accounts
		}
		row, known, err := list.Get(treasury)
		if err == nil && !known {
			err = errors.New("the mirror does not know the account")
		}
		if err != nil {
			group.miss(1, fmt.Errorf("treasury %s of token %s: %w", treasury, token.ID, err))
			continue
		}
		c.withBalance(ctx, group, newHoldings(row), token, func(units mirror.Field[int64]) {
			sendUnits(ch, tokenTreasuryBalance, units, token.Decimals, c.network.Name, token.ID, token.name)
		})
	}
}

// listedTokens is how many tokens of each account the list of accounts has, those
// with the lowest ids (docs/hedera.md 1.1).
const listedTokens = 50

// holdings are the tokens that the list of accounts has of an account.
type holdings struct {
	account string
	units   map[string]mirror.Field[int64] // by token id
	last    string                         // token id, if there may be more tokens beyond it
}

func newHoldings(row mirror.Account) holdings {
	listed := row.Balance.Or(mirror.AccountBalance{}).Tokens.Or(nil)
	h := holdings{account: row.ID, units: make(map[string]mirror.Field[int64], len(listed))}
	for _, token := range listed {
		if _, again := h.units[token.TokenID]; !again {
			h.units[token.TokenID] = token.Balance
		}
	}
	if len(listed) >= listedTokens {
		h.last = slices.MaxFunc(listed, func(a, b mirror.TokenAmount) int { return compareIDs(a.TokenID, b.TokenID) }).TokenID
	}
	return h
}

// compareIDs compares ids of the form shard.realm.num by their numbers.
func compareIDs(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// withBalance calls send with what an account holds of a token, if it is
// associated with it. A token that may be beyond the listed ones is asked for by
// itself.
func (c tokens) withBalance(ctx context.Context, group *entityGroup, held holdings, token knownToken, send func(units mirror.Field[int64])) {
	if units, ok := held.units[token.ID]; ok {
		send(units)
		return
	}
	if held.last == "" || compareIDs(token.ID, held.last) < 0 {
		return
	}
	group.Go(func() error {
		row, associated, err := c.mirror.AccountToken(ctx, held.account, token.ID)
		if err != nil {
			return fmt.Errorf("token %s of account %s: %w", token.ID, held.account, err)
		}
		if associated {
			send(row.Balance)
		}
		return nil
	})
}

// relationshipList are tokens that an account is associated with, up to
// maxOfAccount.
type relationshipList struct {
	rows  []mirror.TokenRelationship
	more  bool
	known bool
}

func (c tokens) relationships(ctx context.Context, account config.Account) (list relationshipList, err error) {
	list.rows, list.more, err = c.mirror.AccountTokens(ctx, account.ID.String(), maxOfAccount)
	if mirror.IsNotFound(err) {
		return relationshipList{}, nil
	}
	if err != nil {
		return relationshipList{}, fmt.Errorf("all tokens of account %s: %w", account.ID, err)
	}
	list.known = true
	return list, nil
}

// sendRelationships sends the balances only in tokens that are not apart.
func (c tokens) sendRelationships(ch chan<- prometheus.Metric, account config.Account, list relationshipList, apart map[string]bool) {
	if !list.known {
		return
	}
	labels := labelsOf(c.network, account)
	ch <- accountTokensTruncated.sample(boolValue(list.more), labels...)
	for _, row := range list.rows {
		labels := with(labels, row.TokenID)
		if !apart[row.TokenID] {
			sendUnits(ch, accountTokenBalance, row.Balance, row.Decimals, with(labels, "")...)
		}
		sendStatus(ch, accountTokenFrozen, row.FreezeStatus, "FROZEN", "UNFROZEN", labels)
		sendStatus(ch, accountTokenKYC, row.KYCStatus, "GRANTED", "REVOKED", labels)
	}
}
