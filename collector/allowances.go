// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const (
	hbarAllowancesSource  = "mirror REST /api/v1/accounts/{id}/allowances/crypto"
	tokenAllowancesSource = "mirror REST /api/v1/accounts/{id}/allowances/tokens" //nolint:gosec // a path, no credential
	nftAllowancesSource   = "mirror REST /api/v1/accounts/{id}/allowances/nfts"
)

var (
	hbarAllowanceLabels  = with(accountLabels, "spender")
	tokenAllowanceLabels = with(accountLabels, "token_id", "spender")
)

var (
	hbarAllowance = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_allowance_hbar",
		Help:      "Amount of the account's hbar that the spender may still spend.",
		Labels:    hbarAllowanceLabels,
		Source:    hbarAllowancesSource,
		Example:   "sum by (network, account_id) (hedera_account_allowance_hbar) > on (network, account_id) hedera_account_balance_hbar",
	})
	hbarAllowanceGranted = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_allowance_granted_hbar",
		Help:      "Amount of hbar that the account granted to the spender, including what the spender has already spent.",
		Labels:    hbarAllowanceLabels,
		Source:    hbarAllowancesSource,
		Example:   "hedera_account_allowance_hbar / hedera_account_allowance_granted_hbar < 0.1",
	})
	tokenAllowance = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_token_allowance",
		Help:      "Amount of the account's tokens that the spender may still spend, in whole tokens. Absent until the token's decimals are known.",
		Labels:    tokenAllowanceLabels,
		Source:    tokenAllowancesSource + ", and /api/v1/tokens/{id} for the decimals",
		Example:   "hedera_account_token_allowance{token_id=\"0.0.456858\"} < 100",
	})
	tokenAllowanceGranted = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_token_allowance_granted",
		Help:      "Amount of tokens that the account granted to the spender, in whole tokens, including what the spender has already spent. Absent until the token's decimals are known.",
		Labels:    tokenAllowanceLabels,
		Source:    tokenAllowancesSource + ", and /api/v1/tokens/{id} for the decimals",
		Example:   "hedera_account_token_allowance / hedera_account_token_allowance_granted < 0.1",
	})
	nftAllowance = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_nft_allowance_all_serials",
		Help:      "1 if the account has approved the spender for all serials of the NFT, those that it has and those that it will get. Absent if not, and where the mirror does not have these approvals.",
		Labels:    tokenAllowanceLabels,
		Source:    nftAllowancesSource,
		Example:   "count by (network, account_id) (hedera_account_nft_allowance_all_serials)",
	})
	allowancesTruncated = newGauge(Metric{
		Collector: "allowances",
		Name:      "account_allowances_truncated",
		Help:      "Whether the account has granted more than 99 allowances of the kind, hbar, token or nft. The others are then left out. Of the kind nft, absent where the mirror does not have them.",
		Labels:    with(accountLabels, "kind"),
		Source:    hbarAllowancesSource + ", …/tokens and …/nfts",
		Example:   "hedera_account_allowances_truncated == 1",
	})
)

func init() {
	register(Registration{
		Name:           "allowances",
		Help:           "hbar, token and NFT allowances granted by accounts with allowances: true",
		DefaultEnabled: true,
		Sharded:        true,
		factory:        newAllowances,
	})
}

// maxDecimalsLookups is for how many tokens one scrape looks up the decimals. It
// keeps an account with many allowances from using up the mirror's rate limit.
const maxDecimalsLookups = 10

type allowances struct {
	network  string
	accounts []config.Account // with Allowances
	mirror   *mirror.Client
	decimals *tokenDecimals
}

func newAllowances(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	c := allowances{network: n.Name, mirror: n.Mirror, decimals: &n.State.decimals}
	for _, account := range n.Accounts {
		if account.Allowances {
			c.accounts = append(c.accounts, account)
		}
	}
	return c, nil
}

// Update implements Collector.
func (c allowances) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var group entityGroup
	granted := make([][]mirror.Allowance, len(c.accounts))
	for i, account := range c.accounts {
		group.Go(func() error { return c.updateHbar(ctx, ch, account) })
		group.Go(func() error { return c.updateNFTs(ctx, ch, account) })
		group.Go(func() (err error) {
			granted[i], err = c.tokenAllowances(ctx, ch, account)
			return err
		})
	}
	_ = group.Wait() // what failed is in the group
	tokens := map[string]bool{}
	for _, row := range slices.Concat(granted...) {
		tokens[row.TokenID] = true
	}
	decimals := c.decimals.of(ctx, c.mirror, tokens, &group)
	for i, account := range c.accounts {
		c.sendTokens(ch, account, granted[i], decimals)
	}
	return group.Wait()
}

func (c allowances) updateHbar(ctx context.Context, ch chan<- prometheus.Metric, account config.Account) error {
	labels := c.labels(account)
	rows, more, err := c.mirror.CryptoAllowances(ctx, account.ID.String(), maxOfAccount)
	if err != nil {
		return fmt.Errorf("hbar allowances of account %s: %w", account.ID, err)
	}
	ch <- allowancesTruncated.sample(boolValue(more), with(labels, "hbar")...)
	for _, row := range rows {
		sendField(ch, hbarAllowance, row.Amount, hbar, with(labels, row.Spender)...)
		sendField(ch, hbarAllowanceGranted, row.AmountGranted, hbar, with(labels, row.Spender)...)
	}
	return nil
}

// updateNFTs sends the approvals for all serials. A mirror without the route is no
// failure, and has no samples: not even that there are none.
func (c allowances) updateNFTs(ctx context.Context, ch chan<- prometheus.Metric, account config.Account) error {
	rows, more, err := c.mirror.NFTAllowances(ctx, account.ID.String(), maxOfAccount)
	if mirror.IsMissingRoute(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("NFT allowances of account %s: %w", account.ID, err)
	}
	labels := c.labels(account)
	ch <- allowancesTruncated.sample(boolValue(more), with(labels, "nft")...)
	for _, row := range rows {
		if row.ApprovedForAll.Or(false) {
			ch <- nftAllowance.sample(1, with(labels, row.TokenID, row.Spender)...)
		}
	}
	return nil
}

func (c allowances) tokenAllowances(ctx context.Context, ch chan<- prometheus.Metric, account config.Account) ([]mirror.Allowance, error) {
	rows, more, err := c.mirror.TokenAllowances(ctx, account.ID.String(), maxOfAccount)
	if err != nil {
		return nil, fmt.Errorf("token allowances of account %s: %w", account.ID, err)
	}
	ch <- allowancesTruncated.sample(boolValue(more), with(c.labels(account), "token")...)
	return rows, nil
}

func (c allowances) sendTokens(ch chan<- prometheus.Metric, account config.Account, rows []mirror.Allowance, decimals map[string]int64) {
	for _, row := range rows {
		decimals, known := decimals[row.TokenID]
		if !known {
			continue
		}
		labels := with(c.labels(account), row.TokenID, row.Spender)
		whole := func(units int64) float64 { return wholeTokens(units, decimals) }
		sendField(ch, tokenAllowance, row.Amount, whole, labels...)
		sendField(ch, tokenAllowanceGranted, row.AmountGranted, whole, labels...)
	}
}

func (c allowances) labels(account config.Account) []string {
	return []string{c.network, account.ID.String(), account.Name}
}

// tokenDecimals remembers the decimals of tokens, which never change.
type tokenDecimals struct {
	mu    sync.Mutex
	known map[string]int64
}

// of returns the decimals of tokens as far as they are known after at most
// maxDecimalsLookups lookups, of which group has the failures. It forgets all
// other tokens.
func (d *tokenDecimals) of(ctx context.Context, client *mirror.Client, tokens map[string]bool, group *entityGroup) map[string]int64 {
	for _, id := range d.missing(tokens) {
		group.Go(func() error {
			token, err := client.Token(ctx, id)
			if mirror.IsNotFound(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("decimals of token %s: %w", id, err)
			}
			if decimals, ok := token.Decimals.Get(); ok {
				d.add(id, int64(decimals))
			}
			return nil
		})
	}
	_ = group.Wait() // what failed is in the group
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.known, func(id string, _ int64) bool { return !tokens[id] })
	return maps.Clone(d.known)
}

// missing returns some tokens with unknown decimals. A map's order is random, so
// that tokens which the mirror does not know do not keep others waiting.
func (d *tokenDecimals) missing(tokens map[string]bool) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var missing []string
	for id := range tokens {
		if _, known := d.known[id]; !known && len(missing) < maxDecimalsLookups {
			missing = append(missing, id)
		}
	}
	return missing
}

func (d *tokenDecimals) add(id string, decimals int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[string]int64{}
	}
	d.known[id] = decimals
}
