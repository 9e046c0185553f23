// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTopics(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	wantRows(t, "ids", s.TopicIDs(), []string{busyTopic, quietTopic, bareTopic})
	bare := getJSON[map[string]json.RawMessage](t, s, "/api/v1/topics/"+bareTopic)
	for key, want := range map[string]string{
		"admin_key": "null", "auto_renew_account": "null", "auto_renew_period": "null", "created_timestamp": "null",
		"custom_fees": `{"created_timestamp":null,"fixed_fees":[]}`, "deleted": "true", "fee_exempt_key_list": "[]",
		"fee_schedule_key": "null", "memo": `""`, "submit_key": "null", "topic_id": `"0.0.3030303"`,
	} {
		if string(bare[key]) != want {
			t.Errorf("%s is %s, want %s", key, bare[key], want)
		}
	}
	for path, want := range map[string]string{
		"0.0.7":          `404 {"_status":{"messages":[{"message":"Not Found","detail":"Topic not found"}]}}`,
		"0.0.7/messages": `200 {"messages":[],"links":{"next":null}}`,
		"x":              `400 {"_status":{"messages":[{"message":"Invalid parameter: topic.id"}]}}`,
		"x/messages":     `400 {"_status":{"messages":[{"message":"Invalid parameter: topic.id"}]}}`,
	} {
		got := send(t, s, http.MethodGet, "/api/v1/topics/"+path, nil)
		if text := fmt.Sprintf("%d %s", got.status, got.body); text != want {
			t.Errorf("%s: got %s, want %s", path, text, want)
		}
	}
}

func TestTopicMessages(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	const path = "/api/v1/topics/" + busyTopic + "/messages"
	rows := func(query string) []int64 {
		var sequences []int64
		for _, m := range getJSON[messageList](t, s, path+query).Messages {
			sequences = append(sequences, m.SequenceNumber)
		}
		return sequences
	}
	wantRows(t, "asc", rows("?limit=3"), []int64{1, 2, 3})
	wantRows(t, "desc", rows("?order=desc&limit=1"), []int64{30})
	wantRows(t, "sequence", rows("?sequencenumber=gt:4&sequencenumber=lte:6"), []int64{5, 6})
	last := getJSON[messageList](t, s, path+"?order=desc&limit=1").Messages[0]
	wantRows(t, "timestamp", rows("?timestamp="+last.ConsensusTimestamp), []int64{30})
	if len(rows("")) != 25 {
		t.Error("the default is not 25 rows")
	}
	if quiet := getJSON[messageList](t, s, "/api/v1/topics/"+quietTopic+"/messages"); len(quiet.Messages) != 0 || quiet.Links.Next != nil {
		t.Errorf("the quiet topic has %+v", quiet)
	}
	for _, query := range []string{"?sequencenumber=x", "?timestamp=x", "?encoding=rot13", "?order=up", "?limit=-1"} {
		if got := send(t, s, http.MethodGet, path+query, nil); got.status != 400 {
			t.Errorf("%s: got %d, want 400", query, got.status)
		}
	}
	if plain := getJSON[messageList](t, s, path+"?limit=1&encoding=utf-8").Messages[0]; plain.Message != "message 1 of "+busyTopic {
		t.Errorf("got %+v", plain)
	}

	sequence, err := addMessage(s, busyTopic, fixedNow())
	if err != nil || sequence != 31 {
		t.Errorf("got %d, %v, want 31", sequence, err)
	}
	body := string(send(t, s, http.MethodGet, path+"?order=desc&limit=1", nil).body)
	want := `{"messages":[{"chunk_info":null,"consensus_timestamp":"` + formatTimestamp(fixedNow()) + `","message":"`
	if !strings.HasPrefix(body, want) || !strings.Contains(body, `"sequence_number":31,"topic_id":"0.0.120438"`) {
		t.Errorf("got %s, want %s at its beginning", body, want)
	}
}

func TestTopicMessagePages(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	var all []int64
	for next := new("/api/v1/topics/" + busyTopic + "/messages?limit=7"); next != nil; {
		page := getJSON[messageList](t, s, *next)
		for _, m := range page.Messages {
			all = append(all, m.SequenceNumber)
		}
		next = page.Links.Next
	}
	want := make([]int64, 30)
	for i := range want {
		want[i] = int64(i + 1)
	}
	wantRows(t, "pages", all, want)
}

func TestAddTopic(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	if err := s.Update(func(l *Ledger) error { return l.AddTopic(Topic{ID: "7", Memo: "mine"}) }); err != nil {
		t.Fatal(err)
	}
	for i := range maxMessages + 2 {
		if _, err := addMessage(s, "0.0.7", at(time.Duration(i))); err != nil {
			t.Fatal(err)
		}
	}
	first := getJSON[messageList](t, s, "/api/v1/topics/0.0.7/messages?limit=1").Messages[0]
	last := getJSON[messageList](t, s, "/api/v1/topics/0.0.7/messages?limit=1&order=desc").Messages[0]
	if first.SequenceNumber != 3 || last.SequenceNumber != maxMessages+2 {
		t.Errorf("messages go from %d to %d", first.SequenceNumber, last.SequenceNumber)
	}
	_, early := addMessage(s, "0.0.7", at(0))
	_, closed := addMessage(s, bareTopic, at(0))
	_, unknown := addMessage(s, "0.0.8", at(0))
	_, nonsense := addMessage(s, "x", at(0))
	for name, err := range map[string]error{
		"early message": early, "message to deleted topic": closed, "message to unknown topic": unknown,
		"message to nonsense": nonsense, "topic twice": s.Update(func(l *Ledger) error { return l.AddTopic(Topic{ID: "0.0.7"}) }), "topic without id": s.Update(func(l *Ledger) error { return l.AddTopic(Topic{}) }),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
