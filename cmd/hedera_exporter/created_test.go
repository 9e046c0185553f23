// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/simulator"
)

const (
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6," + acceptOpenMetrics
)

// TestCountersSayWhenTheyWereZero is about both formats that Prometheus
// negotiates, and the one that it falls back to.
func TestCountersSayWhenTheyWereZero(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 1})
	began := time.Now()
	e := startExporter(t, writeFile(t, "c.yml", string(sim.ExporterConfig())))

	get(t, e.url+"/metrics", nil)
	status, text := get(t, e.url+"/metrics", http.Header{"Accept": {acceptOpenMetrics}})
	if status != http.StatusOK || !strings.HasSuffix(text, "# EOF\n") {
		t.Fatalf("%d: no OpenMetrics text: %.200s", status, text)
	}
	for _, line := range []string{
		"# TYPE hedera_network_transactions counter\n",
		"\nhedera_network_transactions_total{network=\"simulated\"} 0.0\n",
		"\nhedera_network_transactions_created{network=\"simulated\"} ",
		"\nhedera_mirror_requests_created{",
		"\nhedera_mirror_older_answers_created{",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q", line)
		}
	}

	_, body := get(t, e.url+"/metrics", http.Header{"Accept": {acceptProtobuf}})
	decoder := expfmt.NewDecoder(strings.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
	counters := 0
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %.200q", err, body)
		}
		if family.GetType() != dto.MetricType_COUNTER || !strings.HasPrefix(family.GetName(), "hedera_") {
			continue
		}
		for _, metric := range family.GetMetric() {
			counters++
			created := metric.GetCounter().GetCreatedTimestamp()
			if created == nil || created.AsTime().Before(began) || created.AsTime().After(time.Now()) {
				t.Errorf("%s %v was created at %v", family.GetName(), metric.GetLabel(), created)
			}
		}
	}
	if counters < 10 {
		t.Errorf("%d counters", counters)
	}

	if _, classic := get(t, e.url+"/metrics", nil); strings.Contains(classic, "_created{") || !strings.Contains(classic, "# TYPE hedera_network_transactions_total counter\n") {
		t.Error("the text format is not what it was")
	}
}

func TestLedgerOf(t *testing.T) {
	network := func(id *hiero.LedgerID, host string) config.Network {
		return config.Network{Name: "n", LedgerID: id, Mirror: &config.Mirror{URL: &url.URL{Scheme: "http", Host: host}}}
	}
	private := hiero.LedgerIDFromBytes([]byte{3})
	one, two := "one", "two"
	if ledgerOf(network(hiero.NewLedgerIDMainnet(), one)) != ledgerOf(network(hiero.NewLedgerIDMainnet(), two)) {
		t.Error("two mirrors of mainnet are two ledgers")
	}
	if ledgerOf(network(hiero.NewLedgerIDMainnet(), one)) == ledgerOf(network(hiero.NewLedgerIDTestnet(), one)) {
		t.Error("mainnet and testnet are one ledger")
	}
	if ledgerOf(network(private, one)) == ledgerOf(network(private, two)) || ledgerOf(network(nil, one)) == ledgerOf(network(nil, two)) {
		t.Error("two private ledgers are one")
	}
	if ledgerOf(config.Network{}) != "" {
		t.Error("a network without mirror and id has a ledger")
	}
}
