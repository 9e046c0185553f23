// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const contractsSource = "mirror REST /api/v1/contracts"

var contractLabels = []string{"network", "contract_id", "name"}

var (
	contractExists = newGauge(Metric{
		Collector: "contracts",
		Name:      "contract_exists",
		Help:      "Whether the network knows the contract. Deleted contracts stay known.",
		Labels:    contractLabels,
		Source:    contractsSource,
		Example:   "hedera_contract_exists == 0",
	})
	contractBalance = newGauge(Metric{
		Collector: "contracts",
		Name:      "contract_balance_hbar",
		Help:      "Balance of the contract.",
		Labels:    contractLabels,
		Source:    "mirror REST /api/v1/balances",
		Example:   "hedera_contract_balance_hbar < 10",
	})
	contractDeleted = newGauge(Metric{
		Collector: "contracts",
		Name:      "contract_deleted",
		Help:      "Whether the contract has been deleted.",
		Labels:    contractLabels,
		Source:    contractsSource,
		Example:   "hedera_contract_deleted == 1",
	})
	contractExpiry = newGauge(Metric{
		Collector: "contracts",
		Name:      "contract_expiry_timestamp_seconds",
		Help:      "When the contract expires.",
		Labels:    contractLabels,
		Source:    contractsSource,
		Example:   "hedera_contract_expiry_timestamp_seconds - time() < 30 * 86400",
	})
)

func init() {
	register(Registration{
		Name:           "contracts",
		Help:           "balance and expiry of the configured contracts",
		DefaultEnabled: true,
		factory:        newContracts,
	})
}

type contracts struct {
	network   string
	contracts []config.Entity
	mirror    *mirror.Client
}

func newContracts(n Network) (Collector, error) {
	if n.Mirror == nil || len(n.Contracts) == 0 {
		return noop{}, nil
	}
	return contracts{network: n.Name, contracts: n.Contracts, mirror: n.Mirror}, nil
}

// Update implements Collector. The list of contracts has neither balances nor
// bytecode.
func (c contracts) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	ids := make([]string, 0, len(c.contracts))
	for _, contract := range c.contracts {
		ids = append(ids, contract.ID.String())
	}
	var (
		known    map[string]mirror.Contract
		balances map[string]mirror.Balance
	)
	group, ctx := newParallel(ctx)
	group.Go(func() (err error) {
		known, err = c.mirror.Contracts(ctx, ids)
		return err
	})
	group.Go(func() (err error) {
		balances, err = c.mirror.Balances(ctx, ids)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	c.send(ch, known, balances)
	return nil
}

func (c contracts) send(ch chan<- prometheus.Metric, known map[string]mirror.Contract, balances map[string]mirror.Balance) {
	for _, contract := range c.contracts {
		id := contract.ID.String()
		labels := []string{c.network, id, contract.Name}
		row, exists := known[id]
		ch <- contractExists.sample(boolValue(exists), labels...)
		if !exists {
			continue
		}
		ch <- contractDeleted.sample(boolValue(row.Deleted), labels...)
		if row.ExpirationTimestamp != nil {
			ch <- contractExpiry.sample(row.ExpirationTimestamp.Seconds(), labels...)
		}
		if balance, ok := balances[id]; ok {
			ch <- contractBalance.sample(hbar(balance.Balance), labels...)
		}
	}
}
