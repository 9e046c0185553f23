// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
)

const (
	accountsSource   = "mirror REST /api/v1/accounts"
	fingerprintBytes = 8 // of a key's hash
	// maxAccountSamples is more than the mirror's row of an account has.
	maxAccountSamples = 16
)

var (
	accountBalance = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_balance_hbar",
		Help:      "Balance of the account.",
		Labels:    accountLabels,
		Source:    accountsSource + ", or consensus node gRPC CryptoService/cryptoGetBalance with balance_source: consensus",
		Example:   "hedera_account_balance_hbar < on (network, account_id) group_right () hedera_account_balance_minimum_hbar",
	})
	accountBalanceMinimum = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_balance_minimum_hbar",
		Help:      "Configured balance below which an alert of the severity fires.",
		Labels:    with(accountLabels, "severity"),
		Source:    "configuration, accounts.thresholds",
		Example:   "hedera_account_balance_minimum_hbar{severity=\"critical\"}",
	})
	accountBalanceMaximum = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_balance_maximum_hbar",
		Help:      "Configured balance above which an alert of the severity fires.",
		Labels:    with(accountLabels, "severity"),
		Source:    "configuration, accounts.maximum",
		Example:   "hedera_account_balance_hbar > on (network, account_id) group_right () hedera_account_balance_maximum_hbar",
	})
	accountCold = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_cold",
		Help:      "1 if the account is configured as cold, which means that its balance should never change; absent for other accounts.",
		Labels:    accountLabels,
		Source:    "configuration, accounts.cold",
		Example:   "changes(hedera_account_balance_hbar[1h]) > 0 and on (network, account_id) hedera_account_cold",
	})
	accountHeartbeat = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_heartbeat_seconds",
		Help:      "Configured maximum time between transactions; absent if not configured.",
		Labels:    accountLabels,
		Source:    "configuration, accounts.heartbeat",
		Example:   "time() - hedera_account_last_transaction_timestamp_seconds > on (network, account_id) group_left () hedera_account_heartbeat_seconds",
	})
	accountOwnLabels = newLabels(Metric{
		Collector: "accounts",
		Name:      "account_labels",
		Help:      fmt.Sprintf(labelsHelp, "account", "account"),
		Labels:    accountLabels,
		Source:    "configuration, accounts.labels",
		Example:   "hedera_account_balance_hbar * on (network, account_id) group_left (team) hedera_account_labels",
	})
	accountExists = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_exists",
		Help:      "Whether the network knows the account. Deleted accounts stay known.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "hedera_account_exists == 0",
	})
	accountDeleted = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_deleted",
		Help:      "Whether the account has been deleted.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "hedera_account_deleted == 1",
	})
	accountExpiry = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_expiry_timestamp_seconds",
		Help:      "When the account expires: its explicit expiry, or its creation plus the auto-renew period. Absent if never, that is, after the year 2262.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "hedera_account_expiry_timestamp_seconds - time() < 30 * 86400",
	})
	accountCreated = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_created_timestamp_seconds",
		Help:      "When the account was created.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "time() - hedera_account_created_timestamp_seconds",
	})
	accountAutoRenewPeriod = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_auto_renew_period_seconds",
		Help:      "Auto-renew period of the account.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "hedera_account_auto_renew_period_seconds / 86400",
	})
	accountPendingReward = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_pending_reward_hbar",
		Help:      "Staking reward not yet paid to the account, as of the last staking period.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "hedera_account_pending_reward_hbar > 100",
	})
	accountEthereumNonce = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_ethereum_nonce",
		Help:      "Nonce of the account's Ethereum transactions.",
		Labels:    accountLabels,
		Source:    accountsSource,
		Example:   "changes(hedera_account_ethereum_nonce[1h])",
	})
	accountInfo = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_info",
		Help:      "Properties of the account; the value is always 1. The memo is truncated to 64 characters.",
		Labels:    with(accountLabels, "evm_address", "staked_node_id", "staked_account_id", "key_type", "memo"),
		Source:    accountsSource,
		Example:   "hedera_account_info{staked_node_id!=\"\"}",
	})
	accountKeyInfo = newGauge(Metric{
		Collector: "accounts",
		Name:      "account_key_info",
		Help:      "Fingerprint of the account's key, which changes with the key; the value is always 1. It is the first 8 bytes of the SHA-256 of the key's type and hexadecimal digits.",
		Labels:    with(accountLabels, "key_type", "key_fingerprint"),
		Source:    accountsSource,
		Example:   "count by (network, account_id) (last_over_time(hedera_account_key_info[1h])) > 1",
	})
)

func init() {
	register(Registration{
		Name:           "accounts",
		Help:           "balances and properties of the configured accounts",
		DefaultEnabled: true,
		Sharded:        true,
		factory:        newAccounts,
	})
}

func newAccounts(n Network) (Collector, error) {
	if n.Balances != nil {
		return consensusAccounts{network: n, balances: n.Balances}, nil
	}
	if n.Mirror == nil {
		return nil, errors.New("balances need a mirror node or balance_source: consensus")
	}
	labels := accountLabelValues(n)
	configured, err := sent(func(ch chan<- prometheus.Metric) { sendConfiguredAccounts(ch, n, labels) })
	if err != nil {
		return nil, err
	}
	c := mirrorAccounts{network: n, configured: blocksOf(n.Exclude, configured), labels: labels, made: &atomic.Pointer[madeAccounts]{}}
	c.made.Store(newMadeAccounts(len(n.Accounts)))
	slices.SortFunc(c.labels, func(a, b *labelValues) int {
		return strings.Compare(a.at(accountIDLabel), b.at(accountIDLabel))
	})
	for _, labels := range c.labels {
		c.ids = append(c.ids, labels.at(accountIDLabel))
	}
	return c, nil
}

// mirrorAccounts reads accounts from the mirror node, 100 per request. What is the
// same in each scrape is made once, and the samples of one response are made while
// others are on their way.
type mirrorAccounts struct {
	network    Network
	configured []*block
	ids        []string // in the order of an exposition
	labels     []*labelValues
	made       *atomic.Pointer[madeAccounts]
}

// madeAccounts is what the latest scrape made, in the order of the ids. An account
// whose row is the same in the next one, as most are, has the same samples.
type madeAccounts struct {
	accounts []*blockEntity // nil if none was ever made
	blocks   []*block       // at the first of their accounts
}

func newMadeAccounts(n int) *madeAccounts {
	return &madeAccounts{make([]*blockEntity, n), make([]*block, n)}
}

// row is the one that an account's samples were made of, if any were.
func (m *madeAccounts) row(i int) mirror.RowDigest {
	if account := m.accounts[i]; account != nil {
		return account.row
	}
	return mirror.RowDigest{}
}

// Update implements Collector.
func (c mirrorAccounts) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	return c.updateBlocks(ctx, func(b *block) {
		for sample := range b.samples {
			ch <- sample
		}
	})
}

func (c mirrorAccounts) updateBlocks(ctx context.Context, send func(*block)) error {
	if len(c.ids) == 0 {
		return nil
	}
	for _, block := range c.configured {
		send(block)
	}
	var group entityGroup
	before, made := c.made.Load(), newMadeAccounts(len(c.ids))
	copy(made.accounts, before.accounts)
	known := func(ids []string) []mirror.RowDigest {
		rows := make([]mirror.RowDigest, 0, len(ids))
		next, _ := slices.BinarySearch(c.ids, ids[0])
		for _, id := range ids {
			for c.ids[next] < id { // seldom: most are asked for with all that come next
				next++
			}
			rows = append(rows, before.row(next))
		}
		return rows
	}
	eachAccounts(ctx, c.network, c.ids, known, func(ids []string, get getAccount) {
		first, _ := slices.BinarySearch(c.ids, ids[0])
		accounts := make([]*blockEntity, 0, len(ids))
		for i := first; i < first+len(ids); i++ {
			group.do(func() error {
				row, exists, err := get(c.ids[i])
				if err != nil {
					return fmt.Errorf("account %s: %w", c.ids[i], err)
				}
				if row.Digest == (mirror.RowDigest{}) || row.Digest != before.row(i) {
					made.accounts[i] = c.makeAccount(row, exists, c.labels[i])
				}
				accounts = append(accounts, made.accounts[i])
				return nil
			})
		}
		made.blocks[first] = before.blocks[first]
		if len(accounts) == 0 {
			return
		}
		group.do(func() error {
			made.blocks[first] = newBlock(accounts, before.blocks[first])
			send(made.blocks[first])
			return nil
		})
	})
	c.made.Store(made)
	return group.Wait()
}

func (c mirrorAccounts) makeAccount(row mirror.AccountRow, exists bool, labels *labelValues) *blockEntity {
	ch := make(chan prometheus.Metric, maxAccountSamples)
	ch <- accountExists.of(labels, boolValue(exists))
	if exists {
		sendAccount(ch, *row.Account, labels)
	}
	close(ch)
	samples := make([]sample, 0, maxAccountSamples) // of which many do not escape
	for metric := range ch {
		if !c.network.Exclude.has(metric) {
			samples = append(samples, *metric.(*sample)) //nolint:forcetypeassert // they are constant
		}
	}
	return &blockEntity{row.Digest, slices.Clone(samples)}
}

func labelsOf(network Network, account config.Account) []string {
	return []string{network.Name, account.ID.String(), account.Name}
}

// accountLabelValues are those of each account, in the order of the configuration.
func accountLabelValues(network Network) []*labelValues {
	values := make([]*labelValues, 0, len(network.Accounts))
	for _, account := range network.Accounts {
		values = append(values, newLabelValues(labelsOf(network, account)))
	}
	return values
}

// sendConfiguredAccounts sends what does not depend on the mirror or on nodes.
func sendConfiguredAccounts(ch chan<- prometheus.Metric, network Network, labels []*labelValues) {
	own := accountOwnLabels.of(network.LabelNames)
	for i, account := range network.Accounts {
		sendConfigured(ch, account, own, labels[i])
	}
}

func sendConfigured(ch chan<- prometheus.Metric, account config.Account, own ownLabels, labels *labelValues) {
	own.sendOf(ch, account.Labels, labels)
	if account.Cold {
		ch <- accountCold.of(labels, 1)
	}
	if account.Heartbeat > 0 {
		ch <- accountHeartbeat.of(labels, time.Duration(account.Heartbeat).Seconds())
	}
	sendThresholds(ch, accountBalanceMinimum, account.Thresholds, hbarAmount, labels)
	sendThresholds(ch, accountBalanceMaximum, account.Maximum, hbarAmount, labels)
}

// sendThresholds sends the balances for each severity. Convert is how balances are
// converted, so that a balance that equals its threshold is the same number.
func sendThresholds(ch chan<- prometheus.Metric, metric constMetric, thresholds config.Thresholds, convert func(config.Amount) float64, labels *labelValues) {
	for _, threshold := range thresholds {
		ch <- metric.of(labels.with(threshold.Severity), convert(threshold.Balance))
	}
}

func hbarAmount(a config.Amount) float64 { return hbar(a.Units) }

func tokenAmount(a config.Amount) float64 { return wholeTokens(a.Units, int64(a.Decimals)) }

// sendAccount sends what the mirror returned; null becomes an absent sample.
func sendAccount(ch chan<- prometheus.Metric, row mirror.Account, labels *labelValues) {
	if balance, ok := row.Balance.Get(); ok {
		sendFieldOf(ch, accountBalance, balance.Balance, hbar, labels)
	}
	sendFieldOf(ch, accountDeleted, row.Deleted, boolValue, labels)
	sendTimeOf(ch, accountExpiry, row.ExpiryTimestamp, labels)
	sendTimeOf(ch, accountCreated, row.CreatedTimestamp, labels)
	sendFieldOf(ch, accountAutoRenewPeriod, row.AutoRenewPeriod, count, labels)
	sendFieldOf(ch, accountEthereumNonce, row.EthereumNonce, count, labels)
	sendFieldOf(ch, accountPendingReward, row.PendingReward, hbar, labels)
	ch <- accountInfo.of(labels.with(infoLabels(row)...), 1)
	if key, ok := row.Key.Get(); ok {
		ch <- accountKeyInfo.of(labels.with(consensus.Cut(key.Type, textLength), keyFingerprint(key)), 1)
	}
}

// keyFingerprint distinguishes keys without showing them.
func keyFingerprint(key mirror.Key) string {
	sum := sha256.Sum256([]byte(key.Type + key.Key))
	return hex.EncodeToString(sum[:fingerprintBytes])
}

func infoLabels(row mirror.Account) []string {
	stakedNode := ""
	if id, ok := row.StakedNodeID.Get(); ok {
		stakedNode = strconv.FormatInt(id, 10)
	}
	return []string{
		text(row.EVMAddress, textLength),
		stakedNode,
		text(row.StakedAccountID, textLength),
		consensus.Cut(row.Key.Or(mirror.Key{}).Type, textLength),
		text(row.Memo, textLength),
	}
}
