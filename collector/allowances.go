// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

const (
	hbarAllowancesSource  = "mirror REST /api/v1/accounts/{id}/allowances/crypto"
	tokenAllowancesSource = "mirror REST /api/v1/accounts/{id}/allowances/tokens" //nolint:gosec // a path, no credential
)

var (
	hbarAllowanceLabels  = append(accountLabels[:len(accountLabels):len(accountLabels)], "spender")
	tokenAllowanceLabels = append(accountLabels[:len(accountLabels):len(accountLabels)], "token_id", "spender")
)

var (
	hbarAllowance = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_allowance_hbar",
		Help:      "What the spender may still spend of the account's hbar.",
		Labels:    hbarAllowanceLabels,
		Source:    hbarAllowancesSource,
		Example:   "sum by (network, account_id) (hedera_account_allowance_hbar) > on (network, account_id) hedera_account_balance_hbar",
	})
	hbarAllowanceGranted = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_allowance_granted_hbar",
		Help:      "What the account has granted the spender of its hbar, whatever is spent of it.",
		Labels:    hbarAllowanceLabels,
		Source:    hbarAllowancesSource,
		Example:   "hedera_account_allowance_hbar / hedera_account_allowance_granted_hbar < 0.1",
	})
	tokenAllowance = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_token_allowance",
		Help:      "What the spender may still spend of what the account has of the token, in the token's smallest unit.",
		Labels:    tokenAllowanceLabels,
		Source:    tokenAllowancesSource,
		Example:   "hedera_account_token_allowance{token_id=\"0.0.456858\"} / 1e6",
	})
	tokenAllowanceGranted = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_token_allowance_granted",
		Help:      "What the account has granted the spender of the token, whatever is spent of it, in the token's smallest unit.",
		Labels:    tokenAllowanceLabels,
		Source:    tokenAllowancesSource,
		Example:   "hedera_account_token_allowance / hedera_account_token_allowance_granted < 0.1",
	})
	allowancesTruncated = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_allowances_truncated",
		Help:      "Whether the account has granted more than 99 allowances of the kind, hbar or token: the others are left out then.",
		Labels:    append(accountLabels[:len(accountLabels):len(accountLabels)], "kind"),
		Source:    hbarAllowancesSource + " and …/tokens",
		Example:   "hedera_account_allowances_truncated == 1",
	})
)

func init() {
	register(Registration{
		Name:           "allowances",
		Help:           "hbar and fungible tokens that accounts with allowances: true let others spend",
		DefaultEnabled: true,
		Sharded:        true,
		factory:        newAllowances,
	})
}

type allowanceReader interface {
	CryptoAllowances(ctx context.Context, accountID string, limit int) ([]mirror.Allowance, bool, error)
	TokenAllowances(ctx context.Context, accountID string, limit int) ([]mirror.Allowance, bool, error)
}

type allowances struct {
	network  string
	accounts []Account // those with Allowances
	mirror   allowanceReader
}

func newAllowances(n Network) (Collector, error) {
	c := allowances{network: n.Name}
	for _, account := range n.Accounts {
		if account.Allowances {
			c.accounts = append(c.accounts, account)
		}
	}
	if n.Mirror == nil {
		return nothing{}, nil
	}
	c.mirror = n.Mirror
	return c, nil
}

// Update implements Collector.
func (c allowances) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	group, ctx := newParallel(ctx)
	for _, account := range c.accounts {
		group.Go(func() error { return c.updateHbar(ctx, ch, account) })
		group.Go(func() error { return c.updateTokens(ctx, ch, account) })
	}
	return group.Wait()
}

func (c allowances) updateHbar(ctx context.Context, ch chan<- prometheus.Metric, account Account) error {
	id := account.ID.String()
	rows, more, err := c.mirror.CryptoAllowances(ctx, id, maxOfAccount)
	if mirror.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	ch <- allowancesTruncated.sample(boolValue(more), c.network, id, account.Name, "hbar")
	for _, row := range rows {
		ch <- hbarAllowance.sample(hbar(row.Amount), c.network, id, account.Name, row.Spender)
		ch <- hbarAllowanceGranted.sample(hbar(row.AmountGranted), c.network, id, account.Name, row.Spender)
	}
	return nil
}

func (c allowances) updateTokens(ctx context.Context, ch chan<- prometheus.Metric, account Account) error {
	id := account.ID.String()
	rows, more, err := c.mirror.TokenAllowances(ctx, id, maxOfAccount)
	if mirror.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	ch <- allowancesTruncated.sample(boolValue(more), c.network, id, account.Name, "token")
	for _, row := range rows {
		ch <- tokenAllowance.sample(float64(row.Amount), c.network, id, account.Name, row.TokenID, row.Spender)
		ch <- tokenAllowanceGranted.sample(float64(row.AmountGranted), c.network, id, account.Name, row.TokenID, row.Spender)
	}
	return nil
}
