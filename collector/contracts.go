// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"

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
		known    mirror.Batch[mirror.Contract]
		balances mirror.Batch[mirror.Balance]
	)
	group, ctx := newParallel(ctx)
	group.Go(func() error {
		known = c.mirror.Contracts(ctx, ids)
		return nil
	})
	group.Go(func() error {
		balances = c.mirror.Balances(ctx, ids)
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	c.send(ch, known, balances)
	return errors.Join(known.Err(), balances.Err())
}

func (c contracts) send(ch chan<- prometheus.Metric, known mirror.Batch[mirror.Contract], balances mirror.Batch[mirror.Balance]) {
	for _, contract := range c.contracts {
		id := contract.ID.String()
		labels := []string{c.network, id, contract.Name}
		row, exists, err := known.Get(id)
		if err != nil {
			continue
		}
		ch <- contractExists.sample(boolValue(exists), labels...)
		if !exists {
			continue
		}
		sendField(ch, contractDeleted, row.Deleted, boolValue, labels...)
		sendTime(ch, contractExpiry, row.ExpirationTimestamp, labels...)
		sendField(ch, contractBalance, balances.Rows[id].Balance, hbar, labels...)
	}
}
