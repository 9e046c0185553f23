// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

type scheduleList struct {
	Schedules []Schedule `json:"schedules"`
	listLinks
}

func (l *ledger) scheduleRoutes() []route {
	return []route{
		{
			path:   "/api/v1/schedules",
			maxAge: 10 * time.Second,
			params: []string{"account.id", "limit", "order", "schedule.id"},
			answer: l.answerSchedules,
		},
		{path: "/api/v1/schedules/{id}", maxAge: 10 * time.Second, answer: l.answerSchedule},
	}
}

// answerSchedules lists schedules, oldest first; account.id is the creator.
func (l *ledger) answerSchedules(_ *http.Request, q query) (any, error) {
	creators, err := q.filters("account.id", parseEntity)
	if err != nil {
		return nil, err
	}
	ids, err := q.filters("schedule.id", parseEntity)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	anyCreator := len(q.values("account.id")) == 0
	l.mu.RLock()
	defer l.mu.RUnlock()
	rows := selectRows(page, slices.Sorted(maps.Keys(l.schedules)), func(id entityID) bool {
		creator, known := l.schedules[id].creator()
		return ids.match(int64(id)) && (anyCreator || known && creators.match(int64(creator)))
	})
	list := scheduleList{Schedules: make([]Schedule, len(rows))}
	for i, id := range rows {
		list.Schedules[i] = *l.schedules[id]
	}
	list.Links.Next = nextRows(q, page, rows, "schedule.id", entityID.String)
	return list, nil
}

func (l *ledger) answerSchedule(r *http.Request, _ query) (any, error) {
	id, err := pathEntity(r, "scheduleId")
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if s := l.schedules[id]; s != nil {
		return *s, nil
	}
	return nil, notFound()
}
