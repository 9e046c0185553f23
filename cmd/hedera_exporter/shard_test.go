// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hedera_exporter/internal/simulator"
)

func TestMistakesAboutShards(t *testing.T) {
	for args, want := range map[string]string{
		"--shard=1":                    "shard 1 is not one of 1 shards",
		"--shard=-1 --total-shards=2":  "shard -1 is not one of 2 shards",
		"--total-shards=0":             "want at least 1",
		"--pod=exporter-7d4b9c-x2lqk":  "StatefulSet",
		"--pod=e-3 --total-shards=3":   "shard 3 is not one of 3 shards",
		"--shard=two --total-shards=3": "two",
	} {
		var stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), io.Discard, &stderr); status != statusUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, want %d; stderr without %q: %s", args, status, statusUsage, want, &stderr)
		}
	}
}

// TestAnyShardAnswersAnyProbe has a probe find the account's name and the
// discovery all accounts, whichever shard is asked.
func TestAnyShardAnswersAnyProbe(t *testing.T) {
	sim := startSimulator(t, simulator.Options{Nodes: 1, Accounts: 20})
	config := filepath.Join(t.TempDir(), "c.yml")
	if err := sim.WriteExporterConfig(config); err != nil {
		t.Fatal(err)
	}
	one := startExporter(t, config, "--network=simulated")
	_, wantDiscovery := get(t, one.url+"/sd", nil)
	_, wantProbe := get(t, one.url+"/probe?target=0.0.98", nil)
	for _, pod := range []string{"e-0", "e-1", "e-2"} {
		shard := startExporter(t, config, "--network=simulated", "--total-shards=3", "--pod="+pod)
		if status, body := get(t, shard.url+"/sd", nil); status != http.StatusOK || body != wantDiscovery {
			t.Errorf("%s discovers %d: %s\nwant %s", pod, status, body, wantDiscovery)
		}
		status, body := get(t, shard.url+"/probe?target=0.0.98", nil)
		if got, want := balances(body), balances(wantProbe); status != http.StatusOK || got != want || want == "" {
			t.Errorf("the probe of %s: %d: %s, want %s", pod, status, got, want)
		}
		_, metrics := get(t, shard.url+"/metrics", nil)
		if want := "hedera_exporter_shard_ordinal " + strings.TrimPrefix(pod, "e-") + "\n"; !strings.Contains(metrics, want) {
			t.Errorf("%s does not export %s", pod, want)
		}
		if first := pod == "e-0"; strings.Contains(metrics, "hedera_node_endpoint_up{") != first {
			t.Errorf("%s exports the nodes' endpoints: %v, want %v", pod, !first, first)
		}
	}
}

func balances(body string) string {
	var lines strings.Builder
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "hedera_account_balance_") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}
