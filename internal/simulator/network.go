// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// supply is in tinybar.
type supply struct{ released, total int64 }

// treasuryAccount holds the hbar that are not released, and those of everybody
// who is not simulated, heldForOthers in tinybar: the nodes' stake is that of
// mainnet, and no more can be staked than is released.
const (
	treasuryAccount = "0.0.2"
	heldForOthers   = 4_200_000_000_000_000_000
)

// ExchangeRate says that Hbar are worth Cents, US cents, until Expiration
// (docs/hedera.md 1.3). A zero Expiration is the end of the hour.
type ExchangeRate struct {
	Cents      int32
	Hbar       int32
	Expiration time.Time
}

type exchangeRates struct{ current, next ExchangeRate }

func genesisRates() exchangeRates {
	return exchangeRates{
		current: ExchangeRate{Cents: 596_987, Hbar: 30_000},
		next:    ExchangeRate{Cents: 594_920, Hbar: 30_000},
	}
}

// currentSupply is what SetSupply has said, else the whole supply without what
// the treasury has not released.
func (l *Ledger) currentSupply() supply {
	if l.supply != nil {
		return *l.supply
	}
	released := int64(totalSupplyTinybar)
	if id, err := parseEntityID(l.local(treasuryAccount)); err == nil && l.accounts[id] != nil {
		released -= max(l.accounts[id].tinybar()-heldForOthers, 0)
	}
	return supply{released: released, total: totalSupplyTinybar}
}

// SetSupply sets what /api/v1/network/supply says, in tinybar. It fails unless
// 0 <= released <= total.
func (l *Ledger) SetSupply(released, total int64) error {
	if released < 0 || total < released {
		return fmt.Errorf("supply: released %d, total %d: want 0 <= released <= total", released, total)
	}
	l.supply = &supply{released, total}
	return nil
}

// currentRates completes missing expirations: rates change every hour.
func (l *Ledger) currentRates() exchangeRates {
	rates := genesisRates()
	if l.rates != nil {
		rates = *l.rates
	}
	hour := l.now().UTC().Truncate(time.Hour)
	if rates.current.Expiration.IsZero() {
		rates.current.Expiration = hour.Add(time.Hour)
	}
	if rates.next.Expiration.IsZero() {
		rates.next.Expiration = hour.Add(2 * time.Hour)
	}
	return rates
}

// SetExchangeRate sets the current and the next rate. It fails for amounts that
// are not positive.
func (l *Ledger) SetExchangeRate(current, next ExchangeRate) error {
	for _, rate := range []ExchangeRate{current, next} {
		if rate.Cents <= 0 || rate.Hbar <= 0 {
			return errors.New("exchange rate: cents and hbar must be positive")
		}
	}
	l.rates = &exchangeRates{current, next}
	return nil
}

// latestBlock is the newest block; there always is one.
func (l *Ledger) latestBlock() Block {
	return l.blocks[len(l.blocks)-1]
}

func networkControls() map[string]controlCall {
	type rate struct {
		Cents int32 `json:"cents"`
		Hbar  int32 `json:"hbar"`
	}
	type rates struct {
		Current rate  `json:"current"`
		Next    *rate `json:"next"`
	}
	type supply struct {
		Released *int64 `json:"released"`
		Total    int64  `json:"total"`
	}
	return map[string]controlCall{
		"PUT /simulator/exchange-rate": updating(func(l *Ledger, _ *http.Request, b rates) (any, error) {
			if b.Next == nil {
				b.Next = &b.Current
			}
			return nil, l.SetExchangeRate(
				ExchangeRate{Cents: b.Current.Cents, Hbar: b.Current.Hbar},
				ExchangeRate{Cents: b.Next.Cents, Hbar: b.Next.Hbar},
			)
		}),
		"PUT /simulator/supply": updating(func(l *Ledger, _ *http.Request, b supply) (any, error) {
			if b.Released == nil {
				return nil, missing("released", `N,"total":N`)
			}
			return nil, l.SetSupply(*b.Released, b.Total)
		}),
	}
}

// networkStake is /api/v1/network/stake (docs/hedera.md 1.3). Amounts are tinybar.
type networkStake struct {
	MaxStakeRewarded               int64           `json:"max_stake_rewarded"`
	MaxStakingRewardRatePerHbar    int64           `json:"max_staking_reward_rate_per_hbar"`
	MaxTotalReward                 int64           `json:"max_total_reward"`
	NodeRewardFeeFraction          float64         `json:"node_reward_fee_fraction"`
	ReservedStakingRewards         int64           `json:"reserved_staking_rewards"`
	RewardBalanceThreshold         int64           `json:"reward_balance_threshold"`
	StakeTotal                     int64           `json:"stake_total"`
	StakingPeriod                  *TimestampRange `json:"staking_period"`
	StakingPeriodDuration          int64           `json:"staking_period_duration"`
	StakingPeriodsStored           int64           `json:"staking_periods_stored"`
	StakingRewardFeeFraction       float64         `json:"staking_reward_fee_fraction"`
	StakingRewardRate              int64           `json:"staking_reward_rate"`
	StakingStartThreshold          int64           `json:"staking_start_threshold"`
	UnreservedStakingRewardBalance int64           `json:"unreserved_staking_reward_balance"`
}

type networkSupply struct {
	ReleasedSupply int64  `json:"released_supply,string"`
	Timestamp      string `json:"timestamp"`
	TotalSupply    int64  `json:"total_supply,string"`
}

type networkRates struct {
	CurrentRate restRate `json:"current_rate"`
	NextRate    restRate `json:"next_rate"`
	Timestamp   string   `json:"timestamp"`
}

type restRate struct {
	CentEquivalent int32 `json:"cent_equivalent"`
	ExpirationTime int64 `json:"expiration_time"`
	HbarEquivalent int32 `json:"hbar_equivalent"`
}

type networkFees struct {
	Fees      []networkFee `json:"fees"`
	Timestamp string       `json:"timestamp"`
}

// networkFee is the price of a gas in tinybar.
type networkFee struct {
	Gas             int64  `json:"gas"`
	TransactionType string `json:"transaction_type"`
}

func networkRoutes() []route {
	return []route{
		{path: "/api/v1/network/stake", maxAge: time.Minute, java: true, answer: (*Ledger).answerStake},
		{path: "/api/v1/network/supply", maxAge: time.Minute, java: true, answer: (*Ledger).answerSupply},
		{path: "/api/v1/network/exchangerate", maxAge: time.Minute, java: true, answer: (*Ledger).answerRates},
		{path: "/api/v1/network/fees", maxAge: time.Minute, params: []string{"order"}, java: true, answer: (*Ledger).answerFees},
	}
}

// answerStake sums up the address book. Where no node has stake, the network
// has not seen the end of a staking period yet.
func (l *Ledger) answerStake(*http.Request, query) (any, error) {
	stake := networkStake{
		MaxStakeRewarded:               650_000_000_000_000_000,
		MaxStakingRewardRatePerHbar:    6_849,
		MaxTotalReward:                 4_452_000_000_000,
		NodeRewardFeeFraction:          0.1,
		ReservedStakingRewards:         1_200_345_678_901_234,
		RewardBalanceThreshold:         8_500_000_000_000_000,
		StakingPeriod:                  stakingPeriodBefore(l.now()),
		StakingPeriodDuration:          1440,
		StakingPeriodsStored:           365,
		StakingRewardFeeFraction:       0.1,
		StakingRewardRate:              4_452_000_000_000,
		StakingStartThreshold:          25_000_000_000_000_000,
		UnreservedStakingRewardBalance: 20_059_654_321_098_766,
	}
	for _, node := range l.book() {
		if node.Stake != nullStake {
			stake.StakeTotal += node.Stake
		}
	}
	if stake.StakeTotal == 0 || l.missing("stake") {
		return nil, javaNotFound("No network stake data found")
	}
	return stake, nil
}

func (l *Ledger) answerSupply(*http.Request, query) (any, error) {
	if l.missing("supply") || len(l.blocks) == 0 {
		return nil, javaNotFound("Network supply not found")
	}
	supply := l.currentSupply()
	return networkSupply{
		ReleasedSupply: supply.released,
		Timestamp:      formatTimestamp(l.latestBlock().to),
		TotalSupply:    supply.total,
	}, nil
}

func (l *Ledger) answerRates(*http.Request, query) (any, error) {
	if l.missing("exchangerate") || len(l.blocks) == 0 {
		return nil, javaNotFound("File " + l.local("0.0.112") + " not found")
	}
	rates := l.currentRates()
	return networkRates{
		CurrentRate: rates.current.rest(),
		NextRate:    rates.next.rest(),
		Timestamp:   formatTimestamp(l.now().UTC().Truncate(time.Hour)),
	}, nil
}

func (r ExchangeRate) rest() restRate {
	return restRate{r.Cents, r.Expiration.Unix(), r.Hbar}
}

func (l *Ledger) answerFees(_ *http.Request, q query) (any, error) {
	order, err := q.order(ascending)
	if err != nil {
		return nil, err
	}
	if l.missing("fees") || len(l.blocks) == 0 {
		return nil, javaNotFound("File " + l.local("0.0.113") + " not found")
	}
	fees := []networkFee{{852, "ContractCall"}, {870, "ContractCreate"}, {853, "EthereumTransaction"}}
	if order == descending {
		slices.Reverse(fees)
	}
	return networkFees{Fees: fees, Timestamp: formatTimestamp(l.now().UTC().Truncate(time.Hour))}, nil
}
