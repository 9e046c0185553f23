// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

// farFuture is a time long after now, so that the tests need no clock of their own.
const farFuture = 4_000_000_000

func mirrorTime(at time.Time) string { return mirror.TimestampOf(at).String() }

func addSchedules(t *testing.T, sim *simulator.Simulator, creator string, schedules ...simulator.Schedule) {
	t.Helper()
	for _, schedule := range schedules {
		schedule.CreatorAccountID = &creator
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddSchedule(schedule) }); err != nil {
			t.Fatal(err)
		}
	}
}

func signatures(count int) []simulator.ScheduleSignature {
	list := make([]simulator.ScheduleSignature, count)
	for i := range list {
		list[i] = simulator.ScheduleSignature{ConsensusTimestamp: "1.000000000", PublicKeyPrefix: itoa(i), Type: "ED25519"}
	}
	return list
}

func TestSchedules(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	addSchedules(
		t, sim, "0.0.5001",
		simulator.Schedule{ID: "0.0.7001", ExpirationTime: ptr(fmt.Sprintf("%d.500000000", farFuture+9)), Signatures: signatures(2)},
		simulator.Schedule{ID: "0.0.7002", ExpirationTime: ptr(fmt.Sprintf("%d.500000000", farFuture))},
		simulator.Schedule{ID: "0.0.7003", ExpirationTime: ptr(fmt.Sprintf("%d.500000000", farFuture-9)), Deleted: true},
		simulator.Schedule{ID: "0.0.7004", ExpirationTime: ptr(fmt.Sprintf("%d.500000000", farFuture-9)), ExecutedTimestamp: ptr("1700000000.000000000")},
		simulator.Schedule{ID: "0.0.7005", ExpirationTime: ptr("1700000000.000000000")},
		simulator.Schedule{ID: "0.0.7006", ConsensusTimestamp: mirrorTime(time.Now().Add(-time.Hour))},
	)
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.ScheduleCreators = creatorsOf([]config.Entity{entity("0.0.5001", "some"), entity("0.0.5002", "none")})
	body := scrapeCosting(t, sim, setOn(t, network, "schedules"), map[string]int{"GET /api/v1/schedules": 2})
	wantOnly(
		t, body, "schedules",
		`hedera_schedules_pending{creator_account_id="0.0.5001",name="some",network="simulated"} 2`,
		`hedera_schedules_next_expiry_timestamp_seconds{creator_account_id="0.0.5001",name="some",network="simulated"} 4.0000000005e+09`,
		`hedera_schedules_truncated{creator_account_id="0.0.5001",name="some",network="simulated"} 0`,
		`hedera_schedule_signatures{creator_account_id="0.0.5001",name="some",network="simulated",schedule_id="0.0.7001"} 2`,
		`hedera_schedule_signatures{creator_account_id="0.0.5001",name="some",network="simulated",schedule_id="0.0.7002"} 0`,
		`hedera_schedule_expiry_timestamp_seconds{creator_account_id="0.0.5001",name="some",network="simulated",schedule_id="0.0.7001"} 4.0000000095e+09`,
		`hedera_schedule_expiry_timestamp_seconds{creator_account_id="0.0.5001",name="some",network="simulated",schedule_id="0.0.7002"} 4.0000000005e+09`,
		`hedera_schedules_pending{creator_account_id="0.0.5002",name="none",network="simulated"} 0`,
		`hedera_schedules_truncated{creator_account_id="0.0.5002",name="none",network="simulated"} 0`,
	)

	if err := sim.Update(func(l *simulator.Ledger) error { return l.ExecuteSchedule("0.0.7002") }); err != nil {
		t.Fatal(err)
	}
	wantLines(
		t, scrapeText(t, setOn(t, network, "schedules"), testDeadline),
		`hedera_schedules_pending{creator_account_id="0.0.5001",name="some",network="simulated"} 1`,
		`hedera_schedules_next_expiry_timestamp_seconds{creator_account_id="0.0.5001",name="some",network="simulated"} 4.0000000095e+09`,
	)
}

// TestSchedulesAreBounded has one creator whose older schedules may be pending
// and one whose older schedules must have expired.
func TestSchedulesAreBounded(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	for i := range 101 {
		later := ptr(fmt.Sprintf("%d.000000000", farFuture-i))
		addSchedules(t, sim, "0.0.5001", simulator.Schedule{
			ID: "0.0." + itoa(7000+i), ExpirationTime: later, ConsensusTimestamp: mirrorTime(time.Now().Add(-time.Hour)),
		})
		addSchedules(t, sim, "0.0.5002", simulator.Schedule{
			ID: "0.0." + itoa(8000+i), ConsensusTimestamp: mirrorTime(time.Now().AddDate(0, 0, -63)),
		})
	}
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.ScheduleCreators = creatorsOf([]config.Entity{entity("0.0.5001", "busy"), entity("0.0.5002", "was busy")})
	body := scrapeCosting(t, sim, setOn(t, network, "schedules"), map[string]int{"GET /api/v1/schedules": 2})
	wantLines(
		t, body,
		`hedera_schedules_pending{creator_account_id="0.0.5001",name="busy",network="simulated"} 100`,
		`hedera_schedules_truncated{creator_account_id="0.0.5001",name="busy",network="simulated"} 1`,
		`hedera_schedules_pending{creator_account_id="0.0.5002",name="was busy",network="simulated"} 0`,
		`hedera_schedules_truncated{creator_account_id="0.0.5002",name="was busy",network="simulated"} 0`,
		`hedera_schedule_expiry_timestamp_seconds{creator_account_id="0.0.5001",name="busy",network="simulated",schedule_id="0.0.7100"} 3.9999999e+09`,
	)
	for _, metric := range []string{"hedera_schedule_signatures{", "hedera_schedule_expiry_timestamp_seconds{"} {
		if n := len(linesWith(body, metric)); n != maxShownSchedules {
			t.Errorf("%d samples of %s, want %d", n, metric, maxShownSchedules)
		}
	}
}

func TestPendingSchedulesEndOnTime(t *testing.T) {
	const now = mirror.Timestamp(1_700_000_000 * time.Second)
	at := now.Add
	rows := []mirror.Schedule{
		{ID: "later", ConsensusTimestamp: mirror.FieldOf(at(-time.Minute))},
		{ID: "explicit", ConsensusTimestamp: mirror.FieldOf(at(-time.Hour)), ExpirationTime: mirror.FieldOf(at(2))},
		{ID: "explicit end", ConsensusTimestamp: mirror.FieldOf(at(-time.Minute)), ExpirationTime: mirror.FieldOf(at(0))},
		{ID: "default", ConsensusTimestamp: mirror.FieldOf(at(-defaultScheduleLifetime + 1))},
		{ID: "default end", ConsensusTimestamp: mirror.FieldOf(at(-defaultScheduleLifetime))},
	}
	var ids []string
	for _, schedule := range pendingSchedules(rows, now) {
		ids = append(ids, schedule.ID)
	}
	if want := []string{"default", "explicit", "later"}; !slices.Equal(ids, want) {
		t.Errorf("pending %q, want %q", ids, want)
	}
	for age, want := range map[time.Duration]bool{maxScheduleLifetime - 1: true, maxScheduleLifetime: false} {
		page := mirror.Page[mirror.Schedule]{Rows: []mirror.Schedule{{ConsensusTimestamp: mirror.FieldOf(at(-age))}}, More: true}
		if got := mayMiss(page, now); got != want {
			t.Errorf("mayMiss with an oldest schedule of %s is %v", age, got)
		}
	}
}
