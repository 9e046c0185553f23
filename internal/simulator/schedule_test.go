// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"net/http"
	"slices"
	"testing"
)

func scheduleIDs(list scheduleList) []string {
	ids := make([]string, len(list.Schedules))
	for i, schedule := range list.Schedules {
		ids[i] = schedule.ID
	}
	return ids
}

func TestSchedules(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1, Accounts: 1})
	wantRows(t, "creators", s.ScheduleCreators(), []string{"0.0.1001"})
	made := []string{"0.0.8100001", "0.0.8100002", "0.0.8100003", "0.0.8100004"}
	for query, want := range map[string][]string{
		"":                                   made,
		"?account.id=0.0.1001":               made,
		"?account.id=0.0.98":                 {},
		"?order=desc&limit=1":                made[3:],
		"?schedule.id=gt:0.0.8100002":        made[2:],
		"?schedule.id=0.0.8100003&limit=100": made[2:3],
	} {
		wantRows(t, query, scheduleIDs(getJSON[scheduleList](t, s, "/api/v1/schedules"+query)), want)
	}
	page := getJSON[scheduleList](t, s, "/api/v1/schedules?limit=2")
	if page.Links.Next == nil || *page.Links.Next != "/api/v1/schedules?limit=2&schedule.id=gt:0.0.8100002" {
		t.Errorf("next is %v", page.Links.Next)
	}
	pending := 0
	for _, schedule := range getJSON[scheduleList](t, s, "/api/v1/schedules").Schedules {
		if schedule.ExecutedTimestamp == nil && !schedule.Deleted {
			pending++
		}
	}
	if pending != 2 {
		t.Errorf("%d schedules are pending, want 2", pending)
	}
	for path, want := range map[string]int{
		"/0.0.8100001": 200, "/8100001": 200, "/0.0.7": 404, "/x": 400, "?account.id=x": 400, "?schedule.id=x": 400, "?order=up": 400,
	} {
		if got := send(t, s, http.MethodGet, "/api/v1/schedules"+path, nil); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
}

func TestScheduleShape(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.AddSchedule(Schedule{ID: "0.0.9"}) }); err != nil {
		t.Fatal(err)
	}
	want := `{"admin_key":null,"consensus_timestamp":"` + formatTimestamp(fixedNow()) + `","creator_account_id":null,` +
		`"deleted":false,"executed_timestamp":null,"expiration_time":null,"schedule_id":"0.0.9","memo":"",` +
		`"payer_account_id":null,"signatures":[],"transaction_body":"","wait_for_expiry":false}`
	if got := string(send(t, s, http.MethodGet, "/api/v1/schedules/0.0.9", nil).body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Nobody made it.
	if got := scheduleIDs(getJSON[scheduleList](t, s, "/api/v1/schedules?account.id=ne:0.0.5")); slices.Contains(got, "0.0.9") {
		t.Errorf("those of other creators than 0.0.5 are %v", got)
	}
	signed := getJSON[Schedule](t, s, "/api/v1/schedules/0.0.8100001")
	if len(signed.Signatures) != 2 || signed.Signatures[0].Type != "ED25519" || signed.ExpirationTime == nil {
		t.Errorf("got %+v", signed)
	}
}

func TestExecuteSchedule(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.ExecuteSchedule("0.0.8100001") }); err != nil {
		t.Fatal(err)
	}
	got := getJSON[Schedule](t, s, "/api/v1/schedules/0.0.8100001")
	if got.ExecutedTimestamp == nil || *got.ExecutedTimestamp != formatTimestamp(fixedNow()) {
		t.Errorf("got %+v", got)
	}
	for _, id := range []string{"0.0.8100001", "0.0.8100004", "x"} {
		if err := s.Update(func(l *Ledger) error { return l.ExecuteSchedule(id) }); err == nil {
			t.Errorf("%s was executed", id)
		}
	}
	if err := s.Update(func(l *Ledger) error { return l.ExecuteSchedule("0.0.5") }); !errors.Is(err, errUnknown) {
		t.Errorf("got %v", err)
	}
	for _, id := range []string{"0.0.8100001", "x"} {
		if err := s.Update(func(l *Ledger) error { return l.AddSchedule(Schedule{ID: id}) }); err == nil {
			t.Errorf("%s was added", id)
		}
	}
}
