// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"

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
	contractOwnLabels = newLabels(Metric{
		Collector: "contracts",
		Name:      "contract_labels",
		Help:      fmt.Sprintf(labelsHelp, "contract", "contract"),
		Labels:    contractLabels,
		Source:    "configuration, contracts.labels",
		Example:   "hedera_contract_balance_hbar * on (network, contract_id) group_left (team) hedera_contract_labels",
	})
	contractBalance = newGauge(Metric{
		Collector: "contracts",
		Name:      "contract_balance_hbar",
		Help:      "Balance of the contract.",
		Labels:    contractLabels,
		Source:    "mirror REST /api/v1/balances",
		Example:   "hedera_contract_balance_hbar < 10",
	})
	contractBalanceMinimum = newGauge(Metric{
		Collector: "contracts",
		Name:      "contract_balance_minimum_hbar",
		Help:      "Configured balance below which an alert of the severity fires.",
		Labels:    with(contractLabels, "severity"),
		Source:    "configuration, contracts.thresholds",
		Example:   "hedera_contract_balance_hbar < on (network, contract_id) group_right () hedera_contract_balance_minimum_hbar",
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
	contracts []config.Contract
	labels    ownLabels
	mirror    *mirror.Client
}

func newContracts(n Network) (Collector, error) {
	if n.Mirror == nil || len(n.Contracts) == 0 {
		return noop{}, nil
	}
	return contracts{network: n.Name, contracts: n.Contracts, labels: contractOwnLabels.of(n.LabelNames), mirror: n.Mirror}, nil
}

// Update implements Collector. The list of contracts has neither balances nor
// bytecode.
func (c contracts) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	ids := make([]string, 0, len(c.contracts))
	for _, contract := range c.contracts {
		ids = append(ids, contract.ID.String())
		id := []string{c.network, contract.ID.String(), contract.Name}
		c.labels.send(ch, contract.Labels, id...)
		sendThresholds(ch, contractBalanceMinimum, contract.Thresholds, hbarAmount, newLabelValues(id))
	}
	var (
		group    entityGroup
		known    mirror.Batch[mirror.Contract]
		balances mirror.Batch[mirror.Balance]
	)
	group.Go(func() error { known = c.mirror.Contracts(ctx, ids); return nil })
	group.Go(func() error { balances = c.mirror.Balances(ctx, ids); return nil })
	_ = group.Wait() // what failed is in the batches
	for _, contract := range c.contracts {
		if err := c.send(ch, contract, known, balances); err != nil {
			group.miss(1, fmt.Errorf("contract %s: %w", contract.ID, err))
		}
	}
	return group.Wait()
}

// send sends what is known of a contract. The error is of what is not.
func (c contracts) send(ch chan<- prometheus.Metric, contract config.Contract, known mirror.Batch[mirror.Contract], balances mirror.Batch[mirror.Balance]) error {
	id := contract.ID.String()
	labels := []string{c.network, id, contract.Name}
	row, exists, err := known.Get(id)
	if err != nil {
		return err
	}
	ch <- contractExists.sample(boolValue(exists), labels...)
	if !exists {
		return nil
	}
	sendField(ch, contractDeleted, row.Deleted, boolValue, labels...)
	sendTime(ch, contractExpiry, row.ExpirationTimestamp, labels...)
	balance, listed, err := balances.Get(id)
	if err == nil && !listed {
		err = errors.New("the mirror knows it, but not its balance")
	}
	sendField(ch, contractBalance, balance.Balance, hbar, labels...)
	return err
}
