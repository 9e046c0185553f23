// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/collector"
	"hedera_exporter/internal/memnet"
	"hedera_exporter/internal/simulator"
)

const (
	canaryPayer = "0.0.1002" // of the simulator's accounts
	emptyTopic  = "0.0.2450001"
)

// canaryConfig has a canary with its key in a file of its own.
func canaryConfig(t *testing.T, sim *simulator.Simulator, more string) string {
	t.Helper()
	key, err := sim.PrivateKey(canaryPayer)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key.StringDer()), 0o400); err != nil {
		t.Fatal(err)
	}
	canary := fmt.Sprintf("simulated:\n    canary: {operator_id: %s, operator_key_file: %s, budget: 20%s}\n", canaryPayer, file, more)
	return strings.Replace(string(sim.ExporterConfig()), "simulated:\n", canary, 1)
}

// withCanaryExporter runs test in a bubble, on a network that moves by itself.
func withCanaryExporter(t *testing.T, more string, test func(t *testing.T, sim *simulator.Simulator, rl *reloader, stderr *lockedBuffer, rewrite func(old, new string))) {
	t.Helper()
	memnet.Test(t, func(t *testing.T, memory *memnet.Network) {
		sim, err := simulator.Start(simulator.Options{
			Nodes: 2, Accounts: 10, Listen: memory.Listen, ConsensusDelay: 2 * time.Second, MirrorDelay: 3 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sim.Close() })
		if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance(canaryPayer, 100_00000000) }); err != nil {
			t.Fatal(err)
		}
		config := canaryConfig(t, sim, more)
		file := writeFile(t, "c.yml", config)
		stderr := &lockedBuffer{}
		rl := &reloader{
			flags: parseFlags(t, "--config.file="+file), self: collector.NewSelf(prometheus.NewRegistry()),
			logger: newLogger(stderr, "debug", "logfmt"), dial: memory.DialContext, canaries: newCanaries(t.Context()),
		}
		t.Cleanup(rl.close)
		if err := rl.reload(); err != nil {
			t.Fatal(err)
		}
		test(t, sim, rl, stderr, func(old, replacement string) {
			t.Helper()
			if !strings.Contains(config, old) {
				t.Fatalf("no %q in\n%s", old, config)
			}
			config = strings.Replace(config, old, replacement, 1)
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := rl.reload(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// submitted is how many transfers the nodes were asked for.
func submitted(sim *simulator.Simulator) int { return sim.Requests()["grpc cryptoTransfer"] }

// TestReloadKeepsTheCanary has a canary that is the same go on as if nothing
// were, one that is not follow it in its own time, and none stop at once.
func TestReloadKeepsTheCanary(t *testing.T) {
	withCanaryExporter(t, "", func(t *testing.T, sim *simulator.Simulator, rl *reloader, _ *lockedBuffer, rewrite func(old, new string)) {
		canary := rl.current.networks[0].collector.Canary
		time.Sleep(59 * time.Second)
		if n := submitted(sim); n != 0 {
			t.Fatalf("%d transactions before the first interval", n)
		}
		rewrite("name: fees", "name: fees2")
		if rl.current.networks[0].collector.Canary != canary {
			t.Error("a canary that is the same was replaced")
		}
		time.Sleep(10 * time.Second)
		if n := submitted(sim); n != 1 {
			t.Fatalf("%d transactions after an interval, want 1", n)
		}
		for range 20 { // reloads neither hurry nor delay it
			rewrite("budget: 20", "budget: 20.5")
			rewrite("budget: 20.5", "budget: 20")
			time.Sleep(33 * time.Second)
		}
		if n := submitted(sim); n < 10 || n > 12 {
			t.Errorf("%d transactions in 729 s, want one in each 60 to 66 s", n)
		}
		if text := scrapeSet(t, rl); !strings.Contains(text, `hedera_canary_stage_duration_seconds_count{network="simulated",stage="receipt"} 1`) {
			t.Errorf("the counters did not outlive the reloads:\n%s", text)
		}
		section, holder := weak.Make(rl.current.networks[0].Canary), weak.Make(canary)
		rewrite(canaryLine(t, *rl.flags.configFile), "")
		before := submitted(sim)
		time.Sleep(time.Hour)
		if n := submitted(sim); n != before {
			t.Errorf("%d transactions without a canary", n-before)
		}
		goruntime.GC()
		goruntime.GC()
		if section.Value() != nil || holder.Value() != nil {
			t.Error("the key is still there after a reload that has removed it")
		}
	})
}

func canaryLine(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^ *canary: .*\n`).FindString(string(content))
}

func scrapeSet(t *testing.T, rl *reloader) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(rl.current.set.Scrape(t.Context()))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := writeFamilies(&text, families); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestCanaryRunsOnTheFirstShardOnly(t *testing.T) {
	withCanaryExporter(t, "", func(t *testing.T, sim *simulator.Simulator, rl *reloader, _ *lockedBuffer, _ func(old, new string)) {
		for _, args := range [][]string{{"--shard=1", "--total-shards=2"}, {"--no-collector.canary"}} {
			rl.flags = parseFlags(t, append(args, "--config.file="+*rl.flags.configFile)...)
			if args[0] == "--shard=1" {
				rl.flags.shard = collector.Shard{Ordinal: 1, Total: 2}
			}
			if err := rl.reload(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
			if n := submitted(sim); n != 0 {
				t.Errorf("%v: %d transactions", args, n)
			}
		}
	})
}

// TestCanaryKeyIsNowhere looks for the key in everything that the exporter shows,
// while the canary works and while all around it fails.
func TestCanaryKeyIsNowhere(t *testing.T) {
	withCanaryExporter(t, ", topic: "+emptyTopic, func(t *testing.T, sim *simulator.Simulator, rl *reloader, stderr *lockedBuffer, _ func(old, new string)) {
		key, err := sim.PrivateKey(canaryPayer)
		if err != nil {
			t.Fatal(err)
		}
		var shown bytes.Buffer
		dump := func() {
			all := make([]byte, 4<<20)
			shown.Write(all[:goruntime.Stack(all, true)])
		}
		for _, fault := range []simulator.Fault{
			{Path: simulator.SubmitFault, Kind: simulator.FaultLatency, Latency: 4 * time.Second},
			{Path: simulator.SubmitFault, Kind: simulator.FaultUnanswered},
			{Path: simulator.SubmitFault, Kind: simulator.FaultPrecheck, Code: "INVALID_SIGNATURE"},
			{Path: simulator.SubmitFault, Kind: simulator.FaultFail, Code: "INVALID_TOPIC_ID"},
			{Path: simulator.ReceiptsFault, Kind: simulator.FaultHang},
			{Path: "/api/v1/", Kind: simulator.FaultStatus, Status: 500},
			{Path: simulator.SubscribeFault, Kind: simulator.FaultStatus, Status: 14},
		} {
			sim.ClearFaults()
			if _, err := sim.InjectFault(fault); err != nil {
				t.Fatal(err)
			}
			for range 400 {
				time.Sleep(time.Second)
				if time.Now().Second()%50 == 0 {
					dump()
				}
			}
			shown.WriteString(scrapeSet(t, rl))
		}
		if n := sim.Requests()["grpc submitMessage"]; n < 6 {
			t.Fatalf("only %d messages: the test shows nothing", n)
		}
		shown.WriteString(rl.current.config.String())
		fmt.Fprintf(&shown, "%v %+v %#v", rl.current.config, *rl.current.config, rl.current.networks[0])
		shown.WriteString(stderr.String())
		wantParts(t, stderr.String(), "level=debug ", "msg=canary ", "INVALID_SIGNATURE")
		synctest.Wait()
		wantNoKey(t, shown.String(), key.BytesRaw())
	})
}

// wantNoKey looks for 16 bytes of a key, in the usual forms.
func wantNoKey(t *testing.T, text string, key []byte) {
	t.Helper()
	for from := 0; from+16 <= len(key); from += 8 {
		part := key[from : from+16]
		word := make([]byte, 0, 16) // as in the arguments of a goroutine dump
		for i := 7; i >= 0; i-- {
			word = fmt.Appendf(word, "%02x", part[i])
		}
		for _, form := range []string{
			string(part), hex.EncodeToString(part), base64.StdEncoding.EncodeToString(part[:15]),
			fmt.Sprintf("%d", part)[1:40], string(word), hex.EncodeToString(part[:8]),
		} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
				t.Errorf("the key is there, as %q", form)
			}
		}
	}
}

func TestCanaryOnce(t *testing.T) {
	sim, err := simulator.Start(simulator.Options{Nodes: 1, Accounts: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance(canaryPayer, 100_00000000) }); err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "c.yml", canaryConfig(t, sim, ", topic: "+emptyTopic))
	ran := runCommand(t.Context(), t, "--config.file="+file, "canary", "--once")
	ran.want(t, 0)
	wantParts(t, ran.stdout, "node                0 (0.0.3) at ", "result              SUCCESS", "precheck", "receipt", "mirror_rest", "mirror_grpc",
		"fee (hbar)          0.00402018", "maximum fee (hbar)  0.0080", "spent today (hbar)  0.00402018", "budget (hbar)       20")

	if _, err := sim.InjectFault(simulator.Fault{Path: simulator.SubmitFault, Kind: simulator.FaultPrecheck, Code: "BUSY"}); err != nil {
		t.Fatal(err)
	}
	ran = runCommand(t.Context(), t, "--config.file="+file, "canary", "--once")
	ran.want(t, 1, "the transaction did not reach every stage", "node 0: BUSY")
	wantParts(t, ran.stdout, "result              BUSY")

	if err := sim.Update(func(l *simulator.Ledger) error { return l.SetBalance(canaryPayer, 0) }); err != nil {
		t.Fatal(err)
	}
	ran = runCommand(t.Context(), t, "--config.file="+file, "canary", "--once")
	ran.want(t, 1, "nothing was submitted, the canary pauses: min_balance")
	runCommand(t.Context(), t, "--config.file="+file, "canary").want(t, 2, "--once")
	runCommand(t.Context(), t, "--config.file="+writeFile(t, "c.yml", string(sim.ExporterConfig())), "canary", "--once").want(t, 2, "network simulated has no canary")
	runCommand(t.Context(), t, "--config.file="+file, "--no-collector.canary", "canary", "--once").want(t, 2, "the canary is off")
}
