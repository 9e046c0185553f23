// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
)

const (
	// feeInterval is how often a fee is asked for. A fee schedule changes a few times
	// a year.
	feeInterval = time.Hour
	// maxFeeRequests are made in one update: the fees of a start are spread.
	maxFeeRequests = 2
	feesRoute      = "POST /api/v1/network/fees"
)

var (
	networkFee = newGauge(Metric{
		Collector: "network",
		Name:      "network_fee_usd",
		Help:      "Fee of a transaction with one signature by transaction type: of a ConsensusSubmitMessage with 100 bytes, and of a CryptoCreate, CryptoTransfer, TokenAssociateToAccount and TokenCreate without anything special. Read once an hour. Absent for mirror nodes that do not estimate fees.",
		Labels:    []string{"network", "transaction_type"},
		Source:    "mirror REST POST /api/v1/network/fees",
		Example:   "hedera_network_fee_usd / on (network) group_left () hedera_exchange_rate_usd_per_hbar{period=\"current\"}",
	})
	networkFeeCollected = newGauge(Metric{
		Collector: "network",
		Name:      "network_fee_collected_timestamp_seconds",
		Help:      "When hedera_network_fee_usd was read.",
		Labels:    []string{"network", "transaction_type"},
		Source:    "the exporter",
		Example:   "time() - hedera_network_fee_collected_timestamp_seconds > 7200",
	})
)

// usualTransactions are those that the mirror node is asked the fee of.
func usualTransactions() map[string]*services.TransactionBody {
	const fee = 10_00000000 // tinybar, the most that is paid
	account := func(num int64) *services.AccountID {
		return &services.AccountID{Account: &services.AccountID_AccountNum{AccountNum: num}}
	}
	key := &services.Key{Key: &services.Key_Ed25519{Ed25519: make([]byte, 32)}}
	renewal := &services.Duration{Seconds: 7_776_000}
	bodies := map[string]*services.TransactionBody{
		"ConsensusSubmitMessage": {Data: &services.TransactionBody_ConsensusSubmitMessage{ConsensusSubmitMessage: &services.ConsensusSubmitMessageTransactionBody{
			TopicID: &services.TopicID{TopicNum: 1001}, Message: make([]byte, 100),
		}}},
		"CryptoCreate": {Data: &services.TransactionBody_CryptoCreateAccount{CryptoCreateAccount: &services.CryptoCreateTransactionBody{
			Key: key, AutoRenewPeriod: renewal,
		}}},
		"CryptoTransfer": {Data: &services.TransactionBody_CryptoTransfer{CryptoTransfer: &services.CryptoTransferTransactionBody{
			Transfers: &services.TransferList{AccountAmounts: []*services.AccountAmount{{AccountID: account(1001), Amount: -1}, {AccountID: account(1002), Amount: 1}}},
		}}},
		"TokenAssociateToAccount": {Data: &services.TransactionBody_TokenAssociate{TokenAssociate: &services.TokenAssociateTransactionBody{
			Account: account(1001), Tokens: []*services.TokenID{{TokenNum: 1002}},
		}}},
		"TokenCreate": {Data: &services.TransactionBody_TokenCreation{TokenCreation: &services.TokenCreateTransactionBody{
			Name: "token", Symbol: "TOKEN", Treasury: account(1001), AdminKey: key, AutoRenewAccount: account(1001), AutoRenewPeriod: renewal,
		}}},
	}
	for _, body := range bodies {
		body.TransactionID = &services.TransactionID{AccountID: account(1001), TransactionValidStart: &services.Timestamp{Seconds: 1}}
		body.NodeAccountID = account(3)
		body.TransactionFee = fee
		body.TransactionValidDuration = &services.Duration{Seconds: 120}
	}
	return bodies
}

// feeState has the fees as last read.
type feeState struct {
	mu    sync.Mutex
	types map[string]*knownFee
}

type knownFee struct {
	asked       time.Time // and answered
	usd         float64
	known       bool
	unavailable bool
}

// due are the types to ask for now, those that were read first.
func (s *feeState) due(now time.Time, types map[string]*services.TransactionBody) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.types == nil {
		s.types = map[string]*knownFee{}
	}
	var due []string
	for name := range types {
		if s.types[name] == nil {
			s.types[name] = &knownFee{}
		}
		if now.Sub(s.types[name].asked) >= feeInterval {
			due = append(due, name)
		}
	}
	slices.SortFunc(due, func(a, b string) int {
		return cmp.Or(s.types[a].asked.Compare(s.types[b].asked), cmp.Compare(a, b))
	})
	return due[:min(len(due), maxFeeRequests)]
}

// answered is told of the answer for a type.
func (s *feeState) answered(name string, fee knownFee) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.types[name] = &fee
}

// send sends what is not older than feeInterval, but for one failed attempt to
// read it anew, and whether the route is there.
func (s *feeState) send(ch chan<- prometheus.Metric, network string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answered, available := false, false
	for name, fee := range s.types {
		if fee.asked.IsZero() || now.Sub(fee.asked) >= feeInterval+networkCacheAge {
			continue
		}
		answered, available = true, available || !fee.unavailable
		if fee.known {
			ch <- networkFee.sample(fee.usd, network, name)
			ch <- networkFeeCollected.sample(unixSeconds(fee.asked), network, name)
		}
	}
	if answered {
		ch <- routeAvailable.sample(boolValue(available), network, feesRoute)
	}
}

// updateFees asks for the fees that are due. What fails is asked for again in the
// next update.
func (c networkFacts) updateFees(ctx context.Context, ch chan<- prometheus.Metric) error {
	bodies := usualTransactions()
	var group entityGroup
	for _, name := range c.state.fees.due(time.Now(), bodies) {
		group.Go(func() error {
			estimate, err := c.mirror.EstimateFee(ctx, name, bodies[name])
			unavailable := mirror.IsUnavailable(err)
			if err != nil && !unavailable {
				return err
			}
			usd, known := estimate.USD()
			c.state.fees.answered(name, knownFee{asked: time.Now(), usd: usd, known: known, unavailable: unavailable})
			return nil
		})
	}
	err := group.Wait()
	c.state.fees.send(ch, c.network, time.Now())
	return err
}
