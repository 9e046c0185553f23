// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"math/rand/v2"
	"time"
)

// Deterministic tokens.
const (
	usdToken    = "0.0.456858"
	sauceToken  = "0.0.731861"
	nftToken    = "0.0.1518294"
	pausedToken = "0.0.2231533"
	bareToken   = "0.0.2964435"
)

// addTokensLocked makes the deterministic tokens and lets the first accounts
// hold them.
func (l *ledger) addTokensLocked(rng *rand.Rand, accounts []string) error {
	treasury := accounts[0]
	for i, t := range genesisTokens(rng, treasury) {
		added, err := l.addTokenLocked(t)
		if err != nil {
			return err
		}
		if t.TreasuryAccountID == nil {
			continue
		}
		held := int64(0)
		for n, account := range accounts[1:] {
			amount := int64(n+1) * t.TotalSupply / 100
			held += amount
			if err := l.setTokenBalanceLocked(added, account, amount, i%2 == 1); err != nil {
				return err
			}
		}
		if err := l.setTokenBalanceLocked(added, treasury, t.TotalSupply-held, false); err != nil {
			return err
		}
	}
	if len(accounts) < 3 {
		return nil
	}
	if err := l.setTokenStateLocked(usdToken, TokenState{Account: accounts[1], Frozen: new(true)}); err != nil {
		return err
	}
	return l.setTokenStateLocked(usdToken, TokenState{Account: accounts[2], KYCGranted: new(false)})
}

func genesisTokens(rng *rand.Rand, treasury string) []Token {
	key := func() *Key { return &Key{Type: "ED25519", Key: randomHex(rng, 32)} }
	created := accountsEpoch.Add(24 * time.Hour)
	base := Token{
		AutoRenewAccount: &treasury, AutoRenewPeriod: new(int64(autoRenewPeriod)),
		CreatedTimestamp: new(formatTimestamp(created)), ModifiedTimestamp: new(formatTimestamp(created)),
		Deleted: new(false), ExpiryTimestamp: new(created.AddDate(10, 0, 0).UnixNano()),
		PauseStatus: notApplicable, SupplyType: infinite, TreasuryAccountID: &treasury, Type: fungible,
	}
	usd := base
	usd.ID, usd.Name, usd.Symbol, usd.Memo = usdToken, "Simulated USD", "USDSIM", "one dollar"
	usd.Decimals, usd.TotalSupply = 6, 98_765_432_109_876
	usd.AdminKey, usd.FreezeKey, usd.KYCKey, usd.PauseKey, usd.SupplyKey, usd.WipeKey = key(), key(), key(), key(), key(), key()
	usd.PauseStatus = unpaused

	sauce := base
	sauce.ID, sauce.Name, sauce.Symbol = sauceToken, "Simulated Sauce", "SAUCESIM"
	sauce.Decimals, sauce.InitialSupply, sauce.TotalSupply = 6, 500_000_000_000_000, 812_345_678_901_234
	sauce.SupplyType, sauce.MaxSupply, sauce.SupplyKey = finite, 1_000_000_000_000_000, key()

	nft := base
	nft.ID, nft.Name, nft.Symbol, nft.Type = nftToken, "Simulated Collection", "NFTSIM", nonFungible
	nft.TotalSupply, nft.SupplyType, nft.MaxSupply, nft.SupplyKey = 4_200, finite, 10_000, key()

	stopped := base
	stopped.ID, stopped.Name, stopped.Symbol = pausedToken, "Simulated Pause", "PAUSESIM"
	stopped.Decimals, stopped.InitialSupply, stopped.TotalSupply = 8, 2_100_000_000_000_000, 2_100_000_000_000_000
	stopped.PauseStatus, stopped.PauseKey = paused, key()

	bare := Token{
		ID: bareToken, Name: "Simulated Null", Symbol: "NULLSIM", Type: fungible,
		PauseStatus: notApplicable, SupplyType: infinite,
	}
	return []Token{usd, sauce, nft, stopped, bare}
}
