// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

// These have the names that multi-target exporters use; /metrics has neither.
var (
	probeSuccess = prometheus.NewDesc("probe_success",
		"Whether all targets of the probe could be read and the network knows them.", nil, nil)
	probeDuration = prometheus.NewDesc("probe_duration_seconds",
		"Duration of the probe.", nil, nil)
)

// Target is an account to probe.
type Target struct {
	// Text is the account as the prober named it.
	Text string
	// ID is zero if the mirror has to look up Text, an alias or EVM address.
	// Networks with balances from consensus nodes have no such targets.
	ID config.EntityID
}

// Probe is what a network returned about the targets of a probe. It collects
// the families of the accounts collector for those that could be read,
// probe_success and probe_duration_seconds.
type Probe struct {
	// Accounts is in the order of the targets, without those that could not be
	// read. Targets that are the same account by the same name are one.
	Accounts []ProbedAccount
	// Err says how many targets could not be read, and why the first of them.
	Err error

	network  string
	labels   ownLabels
	excluded Exclusion
	duration time.Duration
}

// ProbedAccount is one account of a probe. Pointers are nil where the network
// returned no value.
type ProbedAccount struct {
	// Account is the configured account; others have the target's text as name.
	config.Account

	// AccountID is shard.realm.num, or empty for an address that the network
	// does not know.
	AccountID string
	Exists    bool
	Deleted   bool
	Tinybar   *int64
	Expiry    *time.Time

	row *mirror.Account // nil: not from the mirror, or unknown to it
}

// Probe reads the targets. It ends with ctx.
func (n Network) Probe(ctx context.Context, targets []Target) Probe {
	start := time.Now()
	p := Probe{network: n.Name, labels: accountOwnLabels.of(n.LabelNames), excluded: n.Exclude}
	p.Err = guard(func() (err error) {
		if n.Balances != nil {
			p.Accounts, err = n.probeNodes(ctx, targets)
		} else {
			p.Accounts, err = n.probeMirror(ctx, targets)
		}
		return err
	})
	p.duration = time.Since(start)
	if p.Err != nil {
		n.State.probes.failed(n.Log, "probe", p.Err, "network", n.Name, "targets", len(targets), "missing", missing(p.Err), "duration", p.duration)
	} else {
		n.State.probes.succeeded(n.Log, "probe", "network", n.Name)
	}
	return p
}

// Describe sends nothing: which families a probe has depends on the network.
func (Probe) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (p Probe) Collect(ch chan<- prometheus.Metric) {
	success := p.Err == nil
	p.excluded.filter(ch, func(ch chan<- prometheus.Metric) {
		for _, account := range p.Accounts {
			success = success && account.Exists
			account.send(ch, p.network, p.labels)
		}
	})
	ch <- prometheus.MustNewConstMetric(probeSuccess, prometheus.GaugeValue, boolValue(success))
	ch <- prometheus.MustNewConstMetric(probeDuration, prometheus.GaugeValue, p.duration.Seconds())
}

func (a ProbedAccount) send(ch chan<- prometheus.Metric, network string, own ownLabels) {
	labels := []string{network, a.AccountID, a.Name}
	ch <- accountExists.sample(boolValue(a.Exists), labels...)
	shared := newLabelValues(labels)
	sendConfigured(ch, a.Account, own, shared)
	switch {
	case a.row != nil:
		sendAccount(ch, *a.row, shared)
	case a.Exists:
		sendBalance(ch, a.Deleted, a.Tinybar, labels)
	}
}

func (n Network) probeMirror(ctx context.Context, targets []Target) ([]ProbedAccount, error) {
	rows, err := n.targetRows(ctx, targets)
	ids := make([]string, len(targets)) // empty: of an unknown address
	for i, target := range targets {
		ids[i] = target.ID.String()
		if row := rows[i].row; row != nil {
			ids[i] = row.ID
		}
	}
	names := newTargetNames(n, ids)
	accounts := make([]ProbedAccount, 0, len(targets))
	for i, target := range targets {
		if rows[i].failed {
			continue
		}
		if account, isFirst := names.account(ids[i], target); isFirst {
			accounts = append(accounts, newProbedAccount(account, ids[i], rows[i].row))
		}
	}
	return accounts, err
}

func newProbedAccount(account config.Account, id string, row *mirror.Account) ProbedAccount {
	a := ProbedAccount{Account: account, AccountID: id, Exists: row != nil, row: row}
	if row == nil {
		return a
	}
	a.Deleted = row.Deleted.Or(false)
	a.Tinybar = row.Balance.Or(mirror.AccountBalance{}).Balance.Pointer()
	if at, ok := row.ExpiryTimestamp.Get(); ok && !at.Never() {
		expiry := at.Time().UTC()
		a.Expiry = &expiry
	}
	return a
}

// targetRow is what the mirror returned about a target. Row is nil if the mirror
// does not know it.
type targetRow struct {
	row    *mirror.Account
	failed bool
}

// targetRows returns what the mirror returned about each target: ids 100 a
// request, each alias and EVM address by a request of its own.
func (n Network) targetRows(ctx context.Context, targets []Target) ([]targetRow, error) {
	var (
		group entityGroup
		ids   []string
		batch mirror.Batch[mirror.Account]
		rows  = make([]targetRow, len(targets))
	)
	for i, target := range targets {
		if !target.ID.IsZero() {
			ids = append(ids, target.ID.String())
			continue
		}
		group.Go(func() (err error) {
			rows[i].failed = true // also by a panic
			rows[i].row, err = n.lookUp(ctx, target.Text)
			rows[i].failed = err != nil
			return err
		})
	}
	if len(ids) > 0 {
		batch = n.Mirror.Accounts(ctx, ids)
	}
	for i, target := range targets {
		if target.ID.IsZero() {
			continue
		}
		row, known, err := batch.Get(target.ID.String())
		if known {
			rows[i].row = &row
		}
		if err != nil {
			rows[i].failed = true
			group.miss(1, fmt.Errorf("account %s: %w", target.ID, err))
		}
	}
	return rows, group.Wait()
}

// lookUp returns nil for an address that the mirror does not know.
func (n Network) lookUp(ctx context.Context, address string) (*mirror.Account, error) {
	row, err := n.Mirror.Account(ctx, address)
	if mirror.IsNotFound(err) {
		return nil, nil //nolint:nilnil // unknown is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", address, err)
	}
	return &row, nil
}

func (n Network) probeNodes(ctx context.Context, targets []Target) ([]ProbedAccount, error) {
	nodes, err := n.AddressBook.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	asked, ids := make([]hiero.AccountID, 0, len(targets)), make([]string, 0, len(targets))
	for _, target := range targets {
		asked, ids = append(asked, target.ID.AccountID()), append(ids, target.ID.String())
	}
	balances, err := n.Balances.Balances(ctx, nodes, asked)
	if err != nil {
		return nil, err
	}
	names := newTargetNames(n, ids)
	accounts := make([]ProbedAccount, 0, len(targets))
	var group entityGroup
	for i, balance := range balances {
		id := ids[i]
		if balance.Err != nil {
			group.miss(1, fmt.Errorf("account %s: %w", id, balance.Err))
			continue
		}
		account, isFirst := names.account(id, targets[i])
		if !isFirst {
			continue
		}
		a := ProbedAccount{Account: account, AccountID: id, Exists: balance.Exists, Deleted: balance.Deleted}
		if balance.Exists && !balance.Deleted {
			a.Tinybar = &balance.Tinybar
		}
		accounts = append(accounts, a)
	}
	return accounts, group.Wait()
}

// targetNames finds the name label of each target.
type targetNames struct {
	configured map[string]config.Account
	given      map[[2]string]bool
}

// newTargetNames finds the configured accounts among ids, which are few.
func newTargetNames(n Network, ids []string) targetNames {
	names := targetNames{configured: make(map[string]config.Account, len(ids)), given: map[[2]string]bool{}}
	probed := make(map[string]bool, len(ids))
	for _, id := range ids {
		probed[id] = true
	}
	for _, account := range n.Accounts {
		if id := account.ID.String(); probed[id] {
			names.configured[id] = account
		}
	}
	return names
}

// account returns the configured account with the id, or one named after the
// target. It is not the first if another target led to the same account.
func (n targetNames) account(id string, target Target) (account config.Account, isFirst bool) {
	account, ok := n.configured[id]
	if !ok {
		account = config.Account{ID: target.ID, Name: target.Text}
	}
	key := [2]string{id, account.Name}
	isFirst = !n.given[key]
	n.given[key] = true
	return account, isFirst
}
