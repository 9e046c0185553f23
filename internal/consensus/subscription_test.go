// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package consensus

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

// TestSubscribe has a subscription that breaks, and goes on where it was.
func TestSubscribe(t *testing.T) {
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim := startWith(t, simulator.Options{Nodes: 1, Listen: memory.Listen})
		topic, err := hiero.TopicIDFromString(emptyTopic)
		if err != nil {
			t.Fatal(err)
		}
		client := NewTopicClient(TopicOptions{Address: sim.GRPCAddress(), Topic: topic, DialContext: memory.DialContext})
		var sequences []uint64
		var last time.Time
		received := func(m TopicMessage) {
			sequences, last = append(sequences, m.Sequence), m.Consensus
		}
		go func() {
			for range 4 {
				time.Sleep(time.Second)
				if err := sim.Update(func(l *simulator.Ledger) error {
					_, err := l.AddTopicMessage(emptyTopic, time.Now())
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		if err := client.Subscribe(ctx, time.Time{}, received); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		if want := []uint64{1, 2}; !slices.Equal(sequences, want) {
			t.Fatalf("got %v, want %v", sequences, want)
		}
		time.Sleep(time.Second) // the third comes in between
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := sim.InjectFault(simulator.Fault{Path: simulator.TopicMessageFault, Kind: simulator.FaultLatency, Latency: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		if err := client.Subscribe(ctx, last.Add(time.Nanosecond), received); err == nil || !strings.HasPrefix(err.Error(), "mirror grpc://"+sim.GRPCAddress()+": ConsensusService/subscribeTopic for topic "+emptyTopic+": ") {
			t.Errorf("got %v", err)
		}
		if want := []uint64{1, 2, 3, 4}; !slices.Equal(sequences, want) {
			t.Errorf("got %v, want %v", sequences, want)
		}
		topic.Topic = 999_999
		unknown := NewTopicClient(TopicOptions{Address: sim.GRPCAddress(), Topic: topic, DialContext: memory.DialContext})
		if err := unknown.Subscribe(deadline(t), time.Time{}, received); status.Code(err) != codes.NotFound {
			t.Errorf("an unknown topic: got %v", err)
		}
	})
}

// TestConnect fails with the first attempt, before anything is sent.
func TestConnect(t *testing.T) {
	for name, tc := range map[string]struct {
		fault func(*payer) error
		want  func(error) bool
	}{
		"up":      {func(*payer) error { return nil }, func(err error) bool { return err == nil }},
		"stopped": {func(p *payer) error { return p.sim.StopNode(0) }, func(err error) bool { return err != nil }},
		"hanging": {func(p *payer) error { return p.sim.HangEndpoint(p.client.endpoint.Address) }, func(err error) bool { return status.Code(err) == codes.DeadlineExceeded }},
		"other certificate": {func(p *payer) error { return p.sim.SwapCertificate(0) }, func(err error) bool {
			var mismatch *CertificateError
			return errors.As(err, &mismatch)
		}},
		"closed": {func(p *payer) error { p.client.Close(); return nil }, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			withPayer(t, edPayer, func(t *testing.T, p *payer) {
				if err := tc.fault(p); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if err := p.client.Connect(ctx); !tc.want(err) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
