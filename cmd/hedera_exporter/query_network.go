// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"hedera_exporter/collector"
	"hedera_exporter/internal/mirror"
)

// networkReport is the result of query network. It has nil where the mirror
// returned no value, and where the collector is disabled.
type networkReport struct {
	verdict
	MirrorUp        *bool              `json:"mirror_up"`
	MirrorGRPCUp    *bool              `json:"mirror_grpc_up"`
	LatestBlock     *blockState        `json:"latest_block"`
	Supply          *supplyState       `json:"supply"`
	ExchangeRates   *ratesState        `json:"exchange_rates"`
	Stake           *stakeState        `json:"stake"`
	GasPriceHbar    map[string]float64 `json:"gas_price_hbar"` // by transaction type
	RegisteredNodes *int               `json:"registered_nodes"`
}

type blockState struct {
	Number       int64      `json:"number"`
	End          *time.Time `json:"end"`
	Transactions *int64     `json:"transactions"`
	GasUsed      *int64     `json:"gas_used"`
	SizeBytes    *int64     `json:"size_bytes"`
	HAPIVersion  *string    `json:"hapi_version"`
}

type supplyState struct {
	TotalHbar    *float64 `json:"total_hbar"`
	ReleasedHbar *float64 `json:"released_hbar"`
}

type ratesState struct {
	Current rateState `json:"current"`
	Next    rateState `json:"next"`
}

type rateState struct {
	USDPerHbar *float64   `json:"usd_per_hbar"`
	Expiry     *time.Time `json:"expiry"`
}

type stakeState struct {
	TotalHbar                   *float64   `json:"total_hbar"`
	MaximumRewardedHbar         *float64   `json:"maximum_rewarded_hbar"`
	RewardRateHbar              *float64   `json:"reward_rate_hbar"`
	MaximumRewardHbar           *float64   `json:"maximum_reward_hbar"`
	MaximumRewardPerHbarHbar    *float64   `json:"maximum_reward_per_hbar_hbar"`
	StartThresholdHbar          *float64   `json:"start_threshold_hbar"`
	RewardBalanceThresholdHbar  *float64   `json:"reward_balance_threshold_hbar"`
	ReservedRewardsHbar         *float64   `json:"reserved_rewards_hbar"`
	UnreservedRewardBalanceHbar *float64   `json:"unreserved_reward_balance_hbar"`
	NodeRewardFeeRatio          *float64   `json:"node_reward_fee_ratio"`
	StakingRewardFeeRatio       *float64   `json:"staking_reward_fee_ratio"`
	PeriodEnd                   *time.Time `json:"period_end"`
}

// facts asks the mirror about itself and the network.
func (q networkQuery) facts(ctx context.Context) report {
	var r networkReport
	type request struct {
		subject string
		read    func(context.Context, *mirror.Client) error
	}
	var requests []request
	if client := q.network.collector.MirrorGRPC; client != nil && q.flags.enabled("mirror") {
		requests = append(requests, request{"the mirror's gRPC API", func(ctx context.Context, _ *mirror.Client) error {
			err := client.Check(ctx)
			r.MirrorGRPCUp = new(err == nil)
			return err
		}})
	}
	client := q.network.collector.Mirror
	if client != nil && (q.flags.enabled("mirror") || q.flags.enabled("blocks")) {
		requests = append(requests, request{"latest block", r.readBlock})
	}
	if client != nil && q.flags.enabled("network") {
		requests = append(requests, request{"supply", r.readSupply}, request{"exchange rates", r.readRates},
			request{"stake", r.readStake}, request{"fees", r.readFees}, request{"registered nodes", r.readRegisteredNodes})
	}
	errs := make([]error, len(requests))
	var wg sync.WaitGroup
	for i, request := range requests {
		wg.Go(func() { errs[i] = request.read(ctx, client) })
	}
	wg.Wait()
	var problems []string
	for i, err := range errs {
		if err != nil {
			problems = append(problems, fmt.Sprintf("network %s: %s: %s", q.network.Name, requests[i].subject, err))
		}
	}
	r.verdict = newVerdict(q.network.Name, problems)
	return r
}

func (r *networkReport) readBlock(ctx context.Context, client *mirror.Client) error {
	block, err := client.LatestBlock(ctx)
	r.MirrorUp = new(err == nil)
	if err != nil {
		return err
	}
	r.LatestBlock = &blockState{
		Number: block.Number, End: timeOf(block.Timestamp.Or(mirror.TimestampRange{}).To), Transactions: block.Count.Pointer(),
		GasUsed: block.GasUsed.Pointer(), SizeBytes: block.Size.Pointer(), HAPIVersion: block.HAPIVersion.Pointer(),
	}
	return nil
}

func (r *networkReport) readSupply(ctx context.Context, client *mirror.Client) error {
	supply, err := client.Supply(ctx)
	if err != nil {
		return err
	}
	r.Supply = &supplyState{TotalHbar: hbarOf(supply.TotalSupply), ReleasedHbar: hbarOf(supply.ReleasedSupply)}
	return nil
}

func (r *networkReport) readRates(ctx context.Context, client *mirror.Client) error {
	rates, err := client.ExchangeRates(ctx)
	if err != nil {
		return err
	}
	state := func(field mirror.Field[mirror.ExchangeRate]) rateState {
		var s rateState
		rate := field.Or(mirror.ExchangeRate{})
		if usd, ok := rate.USDPerHbar(); ok {
			s.USDPerHbar = &usd
		}
		if seconds, ok := rate.ExpirationTime.Get(); ok {
			s.Expiry = new(time.Unix(seconds, 0).UTC())
		}
		return s
	}
	r.ExchangeRates = &ratesState{Current: state(rates.Current), Next: state(rates.Next)}
	return nil
}

// readStake leaves the stake out before the network's first staking period.
func (r *networkReport) readStake(ctx context.Context, client *mirror.Client) error {
	stake, err := client.Stake(ctx)
	if mirror.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r.Stake = &stakeState{
		TotalHbar:                   hbarOf(stake.StakeTotal),
		MaximumRewardedHbar:         hbarOf(stake.MaxStakeRewarded),
		RewardRateHbar:              hbarOf(stake.StakingRewardRate),
		MaximumRewardHbar:           hbarOf(stake.MaxTotalReward),
		MaximumRewardPerHbarHbar:    hbarOf(stake.MaxStakingRewardRatePerHbar),
		StartThresholdHbar:          hbarOf(stake.StakingStartThreshold),
		RewardBalanceThresholdHbar:  hbarOf(stake.RewardBalanceThreshold),
		ReservedRewardsHbar:         hbarOf(stake.ReservedStakingRewards),
		UnreservedRewardBalanceHbar: hbarOf(stake.UnreservedStakingRewardBalance),
		NodeRewardFeeRatio:          stake.NodeRewardFeeFraction.Pointer(),
		StakingRewardFeeRatio:       stake.StakingRewardFeeFraction.Pointer(),
		PeriodEnd:                   timeOf(stake.StakingPeriod.Or(mirror.TimestampRange{}).To),
	}
	return nil
}

func (r *networkReport) readFees(ctx context.Context, client *mirror.Client) error {
	fees, err := client.Fees(ctx)
	if err != nil {
		return err
	}
	r.GasPriceHbar = make(map[string]float64, len(fees))
	for _, fee := range fees {
		if gas, ok := fee.Gas.Get(); ok {
			r.GasPriceHbar[fee.TransactionType] = inHbar(gas)
		}
	}
	return nil
}

// readRegisteredNodes leaves their number out for mirrors that are too old.
func (r *networkReport) readRegisteredNodes(ctx context.Context, client *mirror.Client) error {
	nodes, err := client.RegisteredNodes(ctx)
	if collector.IsUnknownRoute(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r.RegisteredNodes = new(len(nodes))
	return nil
}

func (r networkReport) writeTable(w io.Writer) {
	writeRow(w, "FACT", "VALUE")
	row := func(fact, value string) {
		if value != unknownCell {
			writeRow(w, fact, value)
		}
	}
	row("mirror up", formatBool(r.MirrorUp))
	row("mirror gRPC up", formatBool(r.MirrorGRPCUp))
	if b := r.LatestBlock; b != nil {
		row("latest block", strconv.FormatInt(b.Number, 10))
		row("latest block ended", formatTime(b.End))
		row("transactions in it", formatInteger(b.Transactions))
		row("gas used in it", formatInteger(b.GasUsed))
		row("size of it (bytes)", formatInteger(b.SizeBytes))
		if b.HAPIVersion != nil {
			row("HAPI version", *b.HAPIVersion)
		}
	}
	if s := r.Supply; s != nil {
		row("total supply (hbar)", formatNumber(s.TotalHbar))
		row("released supply (hbar)", formatNumber(s.ReleasedHbar))
	}
	if rates := r.ExchangeRates; rates != nil {
		row("price of an hbar (USD)", formatNumber(rates.Current.USDPerHbar))
		row("until", formatTime(rates.Current.Expiry))
		row("next price of an hbar (USD)", formatNumber(rates.Next.USDPerHbar))
	}
	if s := r.Stake; s != nil {
		row("stake (hbar)", formatNumber(s.TotalHbar))
		row("reward for a staking period (hbar)", formatNumber(s.RewardRateHbar))
		row("rewards not yet paid (hbar)", formatNumber(s.ReservedRewardsHbar))
		row("unreserved reward balance (hbar)", formatNumber(s.UnreservedRewardBalanceHbar))
		row("staking period ended", formatTime(s.PeriodEnd))
	}
	for _, transactionType := range slices.Sorted(maps.Keys(r.GasPriceHbar)) {
		row("price of gas, "+transactionType+" (hbar)", formatNumber(new(r.GasPriceHbar[transactionType])))
	}
	if r.RegisteredNodes != nil {
		row("registered nodes", strconv.Itoa(*r.RegisteredNodes))
	}
}
