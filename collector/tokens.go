// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const (
	tokenSource         = "mirror REST /api/v1/tokens/{id}"          //nolint:gosec // a path, no credential
	tokenBalancesSource = "mirror REST /api/v1/tokens/{id}/balances" //nolint:gosec // a path, no credential
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
	tokenSupply = newGauge(Metric{
		Collector: "tokens",
		Name:      "token_supply",
		Help:      "Total supply of the token in whole tokens; for NFTs, the number of serials.",
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
		Source:    tokenBalancesSource + ", or /api/v1/accounts for a treasury that is not a configured account",
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
		Help:      "When the token expires.",
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
		Source:    tokenBalancesSource + ", and /api/v1/accounts/{id}/tokens for accounts with tokens: all",
		Example:   "hedera_account_token_balance{symbol=\"USDC\"} < 1000",
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
	known, err := c.updateTokens(ctx, ch)
	if err != nil {
		return err
	}
	group, ctx := newParallel(ctx)
	for _, token := range known {
		group.Go(func() error { return c.updateBalances(ctx, ch, token) })
	}
	if !c.network.accountsOnly {
		group.Go(func() error { return c.updateTreasuries(ctx, ch, known) })
	}
	for _, account := range c.network.Accounts {
		if account.AllTokens {
			group.Go(func() error { return c.updateRelationships(ctx, ch, account, known) })
		}
	}
	return group.Wait()
}

// updateTokens sends the samples of the tokens themselves, on the first shard, and
// returns the tokens that the network knows.
func (c tokens) updateTokens(ctx context.Context, ch chan<- prometheus.Metric) ([]knownToken, error) {
	rows := make([]*mirror.Token, len(c.network.Tokens))
	group, ctx := newParallel(ctx)
	for i, token := range c.network.Tokens {
		group.Go(func() error {
			row, err := c.mirror.Token(ctx, token.ID.String())
			if mirror.IsNotFound(err) {
				return nil
			}
			rows[i] = &row
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var known []knownToken
	for i, row := range rows {
		configured := c.network.Tokens[i]
		c.sendToken(ch, configured, row)
		if row != nil {
			known = append(known, knownToken{Token: *row, name: configured.Name})
		}
	}
	return known, nil
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

// updateBalances sends the balances of the configured accounts in a token.
func (c tokens) updateBalances(ctx context.Context, ch chan<- prometheus.Metric, token knownToken) error {
	if len(c.network.Accounts) == 0 {
		return nil
	}
	balances := c.mirror.TokenBalances(ctx, token.ID, c.accountIDs())
	for _, account := range c.network.Accounts {
		held := balances.Rows[account.ID.String()].Balance
		sendUnits(ch, accountTokenBalance, held, token.Decimals,
			c.network.Name, account.ID.String(), account.Name, token.ID, text(token.Symbol, textLength))
		if token.TreasuryAccountID.Or("") == account.ID.String() {
			c.sendTreasuryBalance(ch, token, held)
		}
	}
	return balances.Err()
}

func (c tokens) accountIDs() []string {
	ids := make([]string, 0, len(c.network.Accounts))
	for _, account := range c.network.Accounts {
		ids = append(ids, account.ID.String())
	}
	return ids
}

func (c tokens) sendTreasuryBalance(ch chan<- prometheus.Metric, token knownToken, units mirror.Field[int64]) {
	if c.network.accountsOnly {
		return
	}
	sendUnits(ch, tokenTreasuryBalance, units, token.Decimals, c.network.Name, token.ID, token.name)
}

// updateTreasuries sends the treasury balances of the tokens whose treasury is
// not a configured account, with one request for all of them. As an additional
// account of each token's request, it would cost a second request per token if
// there are 100 accounts.
func (c tokens) updateTreasuries(ctx context.Context, ch chan<- prometheus.Metric, known []knownToken) error {
	configured := make(map[string]bool, len(c.network.Accounts))
	for _, id := range c.accountIDs() {
		configured[id] = true
	}
	var ids []string
	var apart []knownToken
	for _, token := range known {
		if treasury, ok := token.TreasuryAccountID.Get(); ok && !configured[treasury] {
			ids = append(ids, treasury)
			apart = append(apart, token)
		}
	}
	if len(apart) == 0 {
		return nil
	}
	treasuries := c.mirror.Accounts(ctx, ids)
	if err := treasuries.Err(); err != nil {
		return err
	}
	listed := listedTokens(treasuries.Rows)
	for _, token := range apart {
		if err := c.updateTreasury(ctx, ch, token, listed); err != nil {
			return err
		}
	}
	return nil
}

// holding is a token of an account.
type holding struct{ account, token string }

func listedTokens(rows map[string]mirror.Account) map[holding]mirror.Field[int64] {
	listed := map[holding]mirror.Field[int64]{}
	for _, row := range rows {
		for _, token := range row.Balance.Or(mirror.AccountBalance{}).Tokens.Or(nil) {
			listed[holding{row.ID, token.TokenID}] = token.Balance
		}
	}
	return listed
}

// updateTreasury asks for a token that is not listed separately: the list has 50
// tokens per account (docs/hedera.md 1.1).
func (c tokens) updateTreasury(ctx context.Context, ch chan<- prometheus.Metric, token knownToken, listed map[holding]mirror.Field[int64]) error {
	treasury := token.TreasuryAccountID.Or("")
	if units, ok := listed[holding{treasury, token.ID}]; ok {
		c.sendTreasuryBalance(ch, token, units)
		return nil
	}
	row, associated, err := c.mirror.AccountToken(ctx, treasury, token.ID)
	if associated {
		c.sendTreasuryBalance(ch, token, row.Balance)
	}
	if mirror.IsNotFound(err) {
		return nil
	}
	return err
}

// updateRelationships sends the tokens that an account is associated with, up to
// maxOfAccount. Balances in configured tokens are sent by updateBalances.
func (c tokens) updateRelationships(ctx context.Context, ch chan<- prometheus.Metric, account config.Account, known []knownToken) error {
	labels := []string{c.network.Name, account.ID.String(), account.Name}
	rows, more, err := c.mirror.AccountTokens(ctx, account.ID.String(), maxOfAccount)
	if mirror.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	sent := make(map[string]bool, len(known))
	for _, token := range known {
		sent[token.ID] = true
	}
	ch <- accountTokensTruncated.sample(boolValue(more), labels...)
	for _, row := range rows {
		labels := with(labels, row.TokenID)
		if !sent[row.TokenID] {
			sendUnits(ch, accountTokenBalance, row.Balance, row.Decimals, with(labels, "")...)
		}
		sendStatus(ch, accountTokenFrozen, row.FreezeStatus, "FROZEN", "UNFROZEN", labels)
		sendStatus(ch, accountTokenKYC, row.KYCStatus, "GRANTED", "REVOKED", labels)
	}
	return nil
}
