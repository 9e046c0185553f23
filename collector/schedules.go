// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/mirror"
)

const (
	schedulesSource = "mirror REST /api/v1/schedules"
	// schedulesCacheAge is the max-age of /api/v1/schedules (docs/hedera.md 1.0).
	schedulesCacheAge = 10 * time.Second
	// maxShownSchedules bounds the series per creator.
	maxShownSchedules = 10

	// A schedule without an explicit expiry lives half an hour, any other at most
	// 62 days (HIP-423; ledger.schedule.txExpiryTimeSecs and
	// scheduling.maxExpirationFutureSeconds of the consensus node).
	defaultScheduleLifetime = 30 * time.Minute
	maxScheduleLifetime     = 62 * 24 * time.Hour
)

var (
	creatorLabels  = []string{"network", "creator_account_id", "name"}
	scheduleLabels = with(creatorLabels, "schedule_id")
)

var (
	schedulesPending = newGauge(Metric{
		Collector: "schedules",
		Name:      "schedules_pending",
		Help:      "Number of pending schedules (not executed, deleted or expired) among the creator's latest 100 schedules.",
		Labels:    creatorLabels,
		Source:    schedulesSource,
		Example:   "hedera_schedules_pending > 10",
	})
	schedulesNextExpiry = newGauge(Metric{
		Collector: "schedules",
		Name:      "schedules_next_expiry_timestamp_seconds",
		Help:      "When the first of the creator's pending schedules expires. Absent if none is pending.",
		Labels:    creatorLabels,
		Source:    schedulesSource,
		Example:   "hedera_schedules_next_expiry_timestamp_seconds - time() < 3600",
	})
	schedulesTruncated = newGauge(Metric{
		Collector: "schedules",
		Name:      "schedules_truncated",
		Help:      "Whether the creator may have pending schedules older than its latest 100, which are left out.",
		Labels:    creatorLabels,
		Source:    schedulesSource,
		Example:   "hedera_schedules_truncated == 1",
	})
	scheduleSignatures = newGauge(Metric{
		Collector: "schedules",
		Name:      "schedule_signatures",
		Help:      "Number of signatures that the pending schedule has collected. Only the 10 schedules of a creator that expire first are shown.",
		Labels:    scheduleLabels,
		Source:    schedulesSource,
		Example:   "hedera_schedule_signatures < 2 and hedera_schedule_expiry_timestamp_seconds - time() < 3600",
	})
	scheduleExpiry = newGauge(Metric{
		Collector: "schedules",
		Name:      "schedule_expiry_timestamp_seconds",
		Help:      "When the pending schedule expires: its explicit expiry, or half an hour after its creation. Only the 10 schedules of a creator that expire first are shown.",
		Labels:    scheduleLabels,
		Source:    schedulesSource,
		Example:   "hedera_schedule_expiry_timestamp_seconds - time()",
	})
)

func init() {
	register(Registration{
		Name:           "schedules",
		Help:           "pending schedules of the configured creators",
		DefaultEnabled: true,
		MaxMinInterval: schedulesCacheAge,
		factory:        newSchedules,
	})
}

type schedules struct {
	network  string
	creators []config.ScheduleCreator
	mirror   *mirror.Client
}

func newSchedules(n Network) (Collector, error) {
	if n.Mirror == nil {
		return noop{}, nil
	}
	return schedules{network: n.Name, creators: n.ScheduleCreators, mirror: n.Mirror}, nil
}

// Update implements Collector.
func (c schedules) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	var group entityGroup
	for _, creator := range c.creators {
		group.Go(func() error {
			if err := c.updateCreator(ctx, ch, creator); err != nil {
				return fmt.Errorf("creator %s: %w", creator.ID, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (c schedules) updateCreator(ctx context.Context, ch chan<- prometheus.Metric, creator config.ScheduleCreator) error {
	page, err := c.mirror.Schedules(ctx, creator.ID.String())
	if err != nil {
		return err
	}
	c.send(ch, creator, page, mirror.TimestampOf(time.Now()))
	return nil
}

func (c schedules) send(ch chan<- prometheus.Metric, creator config.ScheduleCreator, page mirror.Page[mirror.Schedule], now mirror.Timestamp) {
	labels := []string{c.network, creator.ID.String(), creator.Name}
	pending := pendingSchedules(page.Rows, now)
	ch <- schedulesPending.sample(float64(len(pending)), labels...)
	ch <- schedulesTruncated.sample(boolValue(mayMiss(page, now)), labels...)
	if len(pending) > 0 {
		sendTime(ch, schedulesNextExpiry, scheduleEnd(pending[0]), labels...)
	}
	for _, schedule := range pending[:min(len(pending), maxShownSchedules)] {
		labels := with(labels, schedule.ID)
		sendField(ch, scheduleSignatures, schedule.Signatures, length[struct{}], labels...)
		sendTime(ch, scheduleExpiry, scheduleEnd(schedule), labels...)
	}
}

// pendingSchedules returns the schedules that are pending at now, the first to
// expire first. The mirror does not mark expired schedules.
func pendingSchedules(rows []mirror.Schedule, now mirror.Timestamp) []mirror.Schedule {
	pending := slices.DeleteFunc(slices.Clone(rows), func(s mirror.Schedule) bool {
		return !s.Pending() || scheduleEnd(s).Or(mirror.Never) <= now
	})
	slices.SortStableFunc(pending, func(a, b mirror.Schedule) int {
		return cmp.Compare(scheduleEnd(a).Or(mirror.Never), scheduleEnd(b).Or(mirror.Never))
	})
	return pending
}

// scheduleEnd is when a schedule expires. It has no value if that is unknown: such
// a schedule counts as pending.
func scheduleEnd(s mirror.Schedule) mirror.Field[mirror.Timestamp] {
	created, ok := s.ConsensusTimestamp.Get()
	if s.ExpirationTime != (mirror.Field[mirror.Timestamp]{}) || !ok {
		return s.ExpirationTime
	}
	return mirror.FieldOf(created.Add(defaultScheduleLifetime))
}

// mayMiss reports whether a schedule older than the page's may be pending.
func mayMiss(page mirror.Page[mirror.Schedule], now mirror.Timestamp) bool {
	if !page.More || len(page.Rows) == 0 {
		return page.More
	}
	oldest, ok := page.Rows[len(page.Rows)-1].ConsensusTimestamp.Get()
	return !ok || oldest.Add(maxScheduleLifetime) > now
}
