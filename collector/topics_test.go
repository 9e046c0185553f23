// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/simulator"
)

func TestTopics(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1})
	for id, deleted := range map[string]bool{"0.0.7001": false, "0.0.7002": false, "0.0.7004": true} {
		if err := sim.Update(func(l *simulator.Ledger) error { return l.AddTopic(simulator.Topic{ID: id, Deleted: &deleted}) }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if _, err := addTopicMessage(sim, "0.0.7001", time.Unix(1_700_000_000+int64(i), 500_000_000)); err != nil {
			t.Fatal(err)
		}
	}
	network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
	network.Topics = topicsOf([]config.Entity{entity("0.0.7001", "busy"), entity("0.0.7002", "empty"), entity("0.0.7003", "missing"), entity("0.0.7004", "deleted")})
	network.Topics[0].Heartbeat = model.Duration(time.Hour)
	set := setOn(t, network, "topics")
	body := scrapeCosting(t, sim, set, map[string]int{"GET /api/v1/topics/{id}/messages": 4, "GET /api/v1/topics/{id}": 3})
	wantOnly(
		t, body, "topics",
		`hedera_topic_exists{name="busy",network="simulated",topic_id="0.0.7001"} 1`,
		`hedera_topic_sequence_number{name="busy",network="simulated",topic_id="0.0.7001"} 3`,
		`hedera_topic_last_message_timestamp_seconds{name="busy",network="simulated",topic_id="0.0.7001"} 1.7000000025e+09`,
		`hedera_topic_heartbeat_seconds{name="busy",network="simulated",topic_id="0.0.7001"} 3600`,
		`hedera_topic_exists{name="empty",network="simulated",topic_id="0.0.7002"} 1`,
		`hedera_topic_sequence_number{name="empty",network="simulated",topic_id="0.0.7002"} 0`,
		`hedera_topic_deleted{name="empty",network="simulated",topic_id="0.0.7002"} 0`,
		`hedera_topic_exists{name="missing",network="simulated",topic_id="0.0.7003"} 0`,
		`hedera_topic_exists{name="deleted",network="simulated",topic_id="0.0.7004"} 1`,
		`hedera_topic_sequence_number{name="deleted",network="simulated",topic_id="0.0.7004"} 0`,
		`hedera_topic_deleted{name="deleted",network="simulated",topic_id="0.0.7004"} 1`,
	)

	if _, err := addTopicMessage(sim, "0.0.7002", time.Unix(1_700_000_009, 0)); err != nil {
		t.Fatal(err)
	}
	wantLines(
		t, scrapeText(t, set, testDeadline),
		`hedera_topic_sequence_number{name="empty",network="simulated",topic_id="0.0.7002"} 1`,
		`hedera_topic_last_message_timestamp_seconds{name="empty",network="simulated",topic_id="0.0.7002"} 1.700000009e+09`,
	)
}

// TestMirrorWithoutTheRoute has a gateway that answers 404 for all but the
// messages of topics: it is not known which topics and tokens exist.
func TestMirrorWithoutTheRoute(t *testing.T) {
	network := answering(t, map[string]string{
		"/api/v1/topics/0.0.7001/messages": `{"messages":[{"sequence_number":3,"consensus_timestamp":"1700000000.000000000"}],"links":{"next":null}}`,
		"/api/v1/topics/0.0.7002/messages": `{"messages":[],"links":{"next":null}}`,
	})
	network.Topics = topicsOf([]config.Entity{entity("0.0.7001", "busy"), entity("0.0.7002", "empty")})
	network.Topics[1].Heartbeat = model.Duration(time.Hour)
	network.Tokens = entities("0.0.8001")
	body := scrapeText(t, setOn(t, network, "topics tokens"), testDeadline)
	wantLines(
		t, body, successLine("topics", false), incompleteLine("topics", 1), successLine("tokens", false), incompleteLine("tokens", 1),
		`hedera_topic_exists{name="busy",network="simulated",topic_id="0.0.7001"} 1`,
		`hedera_topic_heartbeat_seconds{name="empty",network="simulated",topic_id="0.0.7002"} 3600`,
	)
	wantNone(t, body, "hedera_topic_exists", "0.0.7002")
	wantNone(t, body, "hedera_token_exists")
}

// TestTopicsOfOlderReplicas has a mirror whose answers are not equally new.
func TestTopicsOfOlderReplicas(t *testing.T) {
	const path = "/api/v1/topics/0.0.7001/messages"
	type answer struct{ sequence, second int } // 0: no message
	type want struct{ sequence, second, older int }
	tests := map[string][]struct {
		answer
		want
	}{
		"older": {
			{answer{10, 1000}, want{10, 1000, 0}},
			{answer{8, 990}, want{10, 1000, 1}},
			{answer{10, 1000}, want{10, 1000, 1}},
			{answer{9, 995}, want{10, 1000, 2}},
			{answer{11, 1010}, want{11, 1010, 2}},
		},
		"older than the first message": {
			{answer{1, 1000}, want{1, 1000, 0}},
			{answer{0, 0}, want{1, 1000, 1}},
			{answer{2, 1010}, want{2, 1010, 1}},
		},
		"a network that was reset": {
			{answer{10, 1000}, want{10, 1000, 0}},
			{answer{2, 2000}, want{2, 2000, 0}},
			{answer{11, 1010}, want{2, 2000, 1}},
		},
		"one wrong answer far ahead": {
			{answer{10, 1000}, want{10, 1000, 0}},
			{answer{99, 1_000_000}, want{99, 1_000_000, 0}},
			{answer{11, 1010}, want{99, 1_000_000, 1}},
			{answer{11, 1010}, want{99, 1_000_000, 2}},
			{answer{11, 1010}, want{11, 1010, 2}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			bodies := map[string]string{
				"/api/v1/topics/0.0.7001": `{"topic_id":"0.0.7001","deleted":false}`,
				blocksPath:                latestBlock(1, 1, 2),
			}
			network := answering(t, bodies)
			network.Topics = topicsOf([]config.Entity{entity("0.0.7001", "busy")})
			topics, health := setOn(t, network, "topics"), setOn(t, network, "mirror")
			for i, step := range steps {
				message := ""
				if step.answer.sequence > 0 {
					message = fmt.Sprintf(`{"sequence_number":%d,"consensus_timestamp":"%d.000000000"}`, step.answer.sequence, step.answer.second)
				}
				bodies[path] = `{"messages":[` + message + `],"links":{"next":null}}`
				t.Log("step", i)
				wantLines(
					t, scrapeText(t, topics, testDeadline), successLine("topics", true),
					`hedera_topic_exists{name="busy",network="simulated",topic_id="0.0.7001"} 1`,
					fmt.Sprintf(`hedera_topic_sequence_number{name="busy",network="simulated",topic_id="0.0.7001"} %d`, step.want.sequence),
					`hedera_topic_last_message_timestamp_seconds{name="busy",network="simulated",topic_id="0.0.7001"} `+sampleValue(float64(step.want.second)),
				)
				wantLines(t, scrapeText(t, health, testDeadline),
					fmt.Sprintf(`hedera_mirror_older_answers_total{network="simulated",route="/api/v1/topics/{id}/messages"} %d`, step.older))
			}
		})
	}
}

// TestTopicMessageWithoutTime has only its number to tell how new it is.
func TestTopicMessageWithoutTime(t *testing.T) {
	const path = "/api/v1/topics/0.0.7001/messages"
	bodies := map[string]string{}
	network := answering(t, bodies)
	network.Topics = topicsOf([]config.Entity{entity("0.0.7001", "busy")})
	set := setOn(t, network, "topics")
	for _, step := range []struct {
		sequence int
		time     string
		want     []string // sequence and time
	}{
		{10, "1000.000000000", []string{"10", "1000"}},
		{9, "odd", []string{"10", "1000"}},
		{11, "odd", []string{"11"}},
	} {
		bodies[path] = fmt.Sprintf(`{"messages":[{"sequence_number":%d,"consensus_timestamp":%q}],"links":{"next":null}}`, step.sequence, step.time)
		body := scrapeText(t, set, testDeadline)
		wantLines(t, body, `hedera_topic_sequence_number{name="busy",network="simulated",topic_id="0.0.7001"} `+step.want[0])
		if len(step.want) == 1 {
			wantNone(t, body, "hedera_topic_last_message_timestamp_seconds{")
		} else {
			wantLines(t, body, `hedera_topic_last_message_timestamp_seconds{name="busy",network="simulated",topic_id="0.0.7001"} `+step.want[1])
		}
	}
}
