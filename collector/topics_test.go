// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
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
