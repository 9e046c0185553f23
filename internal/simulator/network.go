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

// treasuryAccount holds the hbar that are not released.
const treasuryAccount = "0.0.2"

// ExchangeRate says that Hbar are worth Cents, US cents, until Expiration
// (FACTS.md 1.3). A zero Expiration is the end of the hour.
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

// currentSupply is what SetSupply has said, else the whole supply without the
// treasury.
func (l *ledger) currentSupply() supply {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.supply != nil {
		return *l.supply
	}
	released := int64(totalSupplyTinybar)
	if id, err := parseEntityID(treasuryAccount); err == nil && l.accounts[id] != nil {
		released -= l.accounts[id].tinybar()
	}
	return supply{released: released, total: totalSupplyTinybar}
}

func (l *ledger) setSupply(s supply) error {
	if s.released < 0 || s.total < s.released {
		return fmt.Errorf("supply: released %d, total %d: want 0 <= released <= total", s.released, s.total)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.supply = &s
	return nil
}

// currentRates completes missing expirations: rates change every hour.
func (l *ledger) currentRates() exchangeRates {
	l.mu.RLock()
	rates := genesisRates()
	if l.rates != nil {
		rates = *l.rates
	}
	l.mu.RUnlock()
	hour := l.now().UTC().Truncate(time.Hour)
	if rates.current.Expiration.IsZero() {
		rates.current.Expiration = hour.Add(time.Hour)
	}
	if rates.next.Expiration.IsZero() {
		rates.next.Expiration = hour.Add(2 * time.Hour)
	}
	return rates
}

func (l *ledger) setRates(rates exchangeRates) error {
	for _, rate := range []ExchangeRate{rates.current, rates.next} {
		if rate.Cents <= 0 || rate.Hbar <= 0 {
			return errors.New("exchange rate: cents and hbar must be positive")
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rates = &rates
	return nil
}

// latestBlock is the newest block; there always is one.
func (l *ledger) latestBlock() Block {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.blocks[len(l.blocks)-1]
}

// SetSupply sets what /api/v1/network/supply says, in tinybar. It fails unless
// 0 <= released <= total.
func (s *Simulator) SetSupply(released, total int64) error {
	return s.ledger.setSupply(supply{released, total})
}

// SetExchangeRate sets the current and the next rate. It fails for amounts that
// are not positive.
func (s *Simulator) SetExchangeRate(current, next ExchangeRate) error {
	return s.ledger.setRates(exchangeRates{current, next})
}

// networkStake is /api/v1/network/stake (FACTS.md 1.3). Amounts are tinybar.
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

func (l *ledger) networkRoutes() []route {
	return []route{
		{path: "/api/v1/network/stake", maxAge: time.Minute, answer: l.answerStake},
		{path: "/api/v1/network/supply", maxAge: time.Minute, answer: l.answerSupply},
		{path: "/api/v1/network/exchangerate", maxAge: time.Minute, answer: l.answerRates},
		{path: "/api/v1/network/fees", maxAge: time.Minute, params: []string{"order"}, answer: l.answerFees},
	}
}

// answerStake sums up the address book. Where no node has stake, the network
// has not seen the end of a staking period yet.
func (l *ledger) answerStake(*http.Request, query) (any, error) {
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
	if stake.StakeTotal == 0 {
		return nil, &restError{http.StatusNotFound, "Not Found", "No network stake data found"}
	}
	return stake, nil
}

func (l *ledger) answerSupply(*http.Request, query) (any, error) {
	supply := l.currentSupply()
	return networkSupply{
		ReleasedSupply: supply.released,
		Timestamp:      formatTimestamp(l.latestBlock().to),
		TotalSupply:    supply.total,
	}, nil
}

func (l *ledger) answerRates(*http.Request, query) (any, error) {
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

func (l *ledger) answerFees(_ *http.Request, q query) (any, error) {
	order, err := q.order(ascending)
	if err != nil {
		return nil, err
	}
	fees := []networkFee{{852, "ContractCall"}, {870, "ContractCreate"}, {853, "EthereumTransaction"}}
	if order == descending {
		slices.Reverse(fees)
	}
	return networkFees{Fees: fees, Timestamp: formatTimestamp(l.now().UTC().Truncate(time.Hour))}, nil
}
