// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/go-kit/log/level"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

// The names are those of every multi-target exporter; /metrics has neither.
var (
	probeSuccess = prometheus.NewDesc("probe_success",
		"Whether the network was read and knows all targets of the probe.", nil, nil)
	probeDuration = prometheus.NewDesc("probe_duration_seconds",
		"How long the probe took.", nil, nil)
)

// Target is an account that a probe is asked for.
type Target struct {
	// Text is the account as the prober named it.
	Text string
	// ID is zero where the mirror has to look up Text, an alias or EVM address.
	// Networks with balances from consensus nodes have no such targets.
	ID hiero.AccountID
}

// ProbeGatherer returns the gatherer of one probe, bounded by ctx: the families
// of the accounts collector for targets, probe_success and
// probe_duration_seconds. Where the network cannot be read there are only the
// latter two.
func (n Network) ProbeGatherer(ctx context.Context, targets []Target) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(probe{ctx: ctx, network: n, targets: targets})
	return registry
}

// probe is one probe as a prometheus.Collector.
type probe struct {
	ctx     context.Context //nolint:containedctx // prometheus.Collector takes no context
	network Network
	targets []Target
}

// Describe sends nothing: which families a probe has depends on the network.
func (probe) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (p probe) Collect(ch chan<- prometheus.Metric) {
	start := time.Now()
	accounts := &probedAccounts{network: p.network, targets: p.targets}
	result, err := (&round{collector: accounts}).update(p.ctx)
	duration := time.Since(start)

	for _, sample := range result.samples {
		ch <- sample
	}
	success := err == nil && len(accounts.unknown) == 0
	ch <- prometheus.MustNewConstMetric(probeSuccess, prometheus.GaugeValue, boolValue(success))
	ch <- prometheus.MustNewConstMetric(probeDuration, prometheus.GaugeValue, duration.Seconds())
	p.log(accounts.unknown, duration, err)
}

func (p probe) log(unknown []string, duration time.Duration, err error) {
	switch {
	case err != nil:
		level.Error(p.network.Log).Log("msg", "probe failed", "network", p.network.Name,
			"targets", len(p.targets), "duration", duration, "err", err)
	case len(unknown) > 0:
		level.Debug(p.network.Log).Log("msg", "probe of unknown accounts", "network", p.network.Name,
			"targets", len(p.targets), "unknown", len(unknown), "first", unknown[0])
	}
}

// probedAccounts reads the targets of one probe.
type probedAccounts struct {
	network Network
	targets []Target
	unknown []string // targets that the network does not know
}

// Update implements Collector.
func (c *probedAccounts) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	if c.network.Balances != nil {
		return c.updateFromNodes(ctx, ch)
	}
	rows, err := c.rows(ctx)
	if err != nil {
		return err
	}
	names := newTargetNames(c.network)
	for i, target := range c.targets {
		c.send(ch, names, target, rows[i])
	}
	return nil
}

// rows returns what the mirror tells of each target, nil for unknown ones:
// ids 100 a request, each alias and EVM address by a request of its own.
func (c *probedAccounts) rows(ctx context.Context) ([]*mirror.Account, error) {
	rows := make([]*mirror.Account, len(c.targets))
	group, ctx := newParallel(ctx)
	group.Go(func() error { return c.listIDs(ctx, rows) })
	for i, target := range c.targets {
		if target.ID.IsZero() {
			group.Go(func() (err error) {
				rows[i], err = c.lookUp(ctx, target.Text)
				return err
			})
		}
	}
	return rows, group.Wait()
}

func (c *probedAccounts) listIDs(ctx context.Context, rows []*mirror.Account) error {
	var ids []string
	for _, target := range c.targets {
		if !target.ID.IsZero() {
			ids = append(ids, target.ID.String())
		}
	}
	if len(ids) == 0 {
		return nil
	}
	known, err := c.network.Mirror.Accounts(ctx, ids)
	if err != nil {
		return err
	}
	for i, target := range c.targets {
		if row, ok := known[target.ID.String()]; ok && !target.ID.IsZero() {
			rows[i] = &row
		}
	}
	return nil
}

// lookUp returns nil for an address that the mirror does not know.
func (c *probedAccounts) lookUp(ctx context.Context, address string) (*mirror.Account, error) {
	row, err := c.network.Mirror.Account(ctx, address)
	if mirror.IsNotFound(err) {
		return nil, nil //nolint:nilnil // unknown is an answer
	}
	if err != nil {
		return nil, err
	}
	return &row, nil
}

func (c *probedAccounts) send(ch chan<- prometheus.Metric, names targetNames, target Target, row *mirror.Account) {
	id := "" // that of an unknown address
	switch {
	case row != nil:
		id = row.ID
	case !target.ID.IsZero():
		id = target.ID.String()
	}
	account, isFirst := names.account(id, target)
	if !isFirst {
		return
	}
	labels := []string{c.network.Name, id, account.Name}
	ch <- accountExists.sample(boolValue(row != nil), labels...)
	sendConfigured(ch, account, labels)
	if row == nil {
		c.unknown = append(c.unknown, target.Text)
		return
	}
	sendAccount(ch, *row, labels)
}

func (c *probedAccounts) updateFromNodes(ctx context.Context, ch chan<- prometheus.Metric) error {
	nodes, err := c.network.AddressBook.nodes(ctx)
	if err != nil {
		return err
	}
	ids := make([]hiero.AccountID, 0, len(c.targets))
	for _, target := range c.targets {
		ids = append(ids, target.ID)
	}
	balances, err := c.network.Balances.Balances(ctx, nodes, ids)
	if err != nil {
		return err
	}
	names := newTargetNames(c.network)
	accounts := consensusAccounts{network: c.network}
	for i, balance := range balances {
		account, isFirst := names.account(ids[i].String(), c.targets[i])
		if !isFirst {
			continue
		}
		accounts.send(ch, account, balance)
		if !balance.Exists {
			c.unknown = append(c.unknown, c.targets[i].Text)
		}
	}
	return nil
}

// targetNames gives targets the names they are exported by.
type targetNames struct {
	configured map[string]Account
	given      map[[2]string]bool
}

func newTargetNames(n Network) targetNames {
	names := targetNames{configured: make(map[string]Account, len(n.Accounts)), given: map[[2]string]bool{}}
	for _, account := range n.Accounts {
		names.configured[account.ID.String()] = account
	}
	return names
}

// account is the configured account with the id, else one by the name that the
// prober gave it. It is not the first where it came by another target already.
func (n targetNames) account(id string, target Target) (account Account, isFirst bool) {
	account, ok := n.configured[id]
	if !ok {
		account = Account{ID: target.ID, Name: target.Text}
	}
	key := [2]string{id, account.Name}
	isFirst = !n.given[key]
	n.given[key] = true
	return account, isFirst
}
