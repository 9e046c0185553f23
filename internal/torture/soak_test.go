//go:build integration && soak

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"hedera_exporter/internal/processtest"
)

const (
	soakInterval = 5 * time.Second  // of Prometheus' scrapes
	soakStep     = 10 * time.Second // from one fault to the next
	soakFault    = 4 * time.Second  // of faults that last
)

// TestSoak lasts as long as the environment variable SOAK says.
func TestSoak(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Fatalf("SOAK: %s; run make soak", err)
	}
	e := newEnvironment(t, int(variable(t, "TORTURE_ACCOUNTS", 1000)), variable(t, "TORTURE_MEMORY", 256)<<20)
	prometheus := startPrometheus(t, e.address)

	began := time.Now()
	steps := 0
	for ; time.Since(began) < duration; steps++ {
		next := time.After(soakStep)
		fault := soakFaults[steps%len(soakFaults)]
		fault.cause(e, steps/len(soakFaults))
		<-next
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "metric\tsamples\tfirst\tlast\tleast\tmost\tslope an hour\t")
	for _, metric := range []string{"process_resident_memory_bytes", "go_goroutines", "process_open_fds", "up"} {
		s := readSeries(t, prometheus, metric, began.Add(min(duration/5, 5*time.Minute)))
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%+.1f\t\n", metric, len(s.values), s.values[0], s.values[len(s.values)-1], slices.Min(s.values), slices.Max(s.values), s.slope())
		if metric == "up" && slices.Min(s.values) != 1 {
			t.Errorf("Prometheus lost %d of %d scrapes", s.count(0), len(s.values))
		}
	}
	_ = w.Flush()
	t.Logf("%s, %d faults, reloads and restarts, peak RSS %d MiB\n%s", time.Since(began).Round(time.Second), steps, e.status("VmHWM")>>20, &b)
	e.saw("the log", e.exporter.Output.String())
	for _, leak := range e.takeLeaks() {
		t.Errorf("a secret in %s", leak)
	}
	e.stop()
}

// soakFaults come one after the other; round counts from 0.
var soakFaults = []struct {
	name  string
	cause func(e *environment, round int)
}{
	{"reload", func(e *environment, _ int) { e.reload(e.t.Context()) }},
	{"the mirror's REST API restarts", func(e *environment, _ int) { e.forAWhile(onMirror(abort)) }},
	{"a node restarts", func(e *environment, round int) { e.restartNode(round) }},
	{"SIGHUP", func(e *environment, _ int) { e.signal(syscall.SIGHUP) }},
	{"the mirror hangs", func(e *environment, _ int) { e.forAWhile(onRoutes(hang, allPaths)) }},
	{"the mirror's gRPC API restarts", func(e *environment, _ int) { e.forAWhile(onGRPC(abort)) }},
	{"the configuration is cut off", func(e *environment, _ int) { e.forAWhile(fileAttacks[1].start) }},
	{"the mirror answers garbage", func(e *environment, _ int) { e.forAWhile(onRoutes(emptyRows, allPaths)) }},
	{"clients do not read", func(e *environment, _ int) { e.forAWhile(clients(20, unread(request("GET", "/metrics")))) }},
	{"many probes", func(e *environment, _ int) { e.forAWhile(clients(5, requests(randomTargets))) }},
}

func (e *environment) forAWhile(attack func(context.Context, *environment)) {
	ctx, cancel := context.WithTimeout(e.t.Context(), soakFault)
	defer cancel()
	attack(ctx, e)
}

// restartNode restarts one node after the other. Their ids have gaps.
func (e *environment) restartNode(round int) {
	ids := e.nodeIDs()
	if len(ids) == 0 {
		e.t.Error("the simulator has no nodes")
		return
	}
	id := ids[round%len(ids)]
	for _, action := range []string{"stop", "start"} {
		r := newRequest(http.MethodPost, fmt.Sprintf("/simulator/nodes/%d/%s", id, action)).WithContext(e.t.Context())
		r.URL.Host = e.simulator
		response, err := e.client.Do(r)
		if err != nil {
			e.t.Error(err)
			return
		}
		response.Body.Close()
		if response.StatusCode >= http.StatusBadRequest {
			e.t.Errorf("%s: %s", r.URL, response.Status)
		}
		pause(e.t.Context(), soakFault)
	}
}

func (e *environment) nodeIDs() []int64 {
	r := get(nodesPath + "?limit=25").WithContext(e.t.Context())
	r.URL.Host = e.simulator
	response, err := e.client.Do(r)
	if err != nil {
		e.t.Error(err)
		return nil
	}
	defer response.Body.Close()
	var answer struct {
		Nodes []struct {
			ID int64 `json:"node_id"`
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		e.t.Error(err)
	}
	var ids []int64
	for _, node := range answer.Nodes {
		ids = append(ids, node.ID)
	}
	return ids
}

// startPrometheus returns the address of one that scrapes target.
func startPrometheus(t *testing.T, target string) string {
	t.Helper()
	path := os.Getenv("PROMETHEUS")
	if path == "" {
		t.Fatal("PROMETHEUS is not set; run make soak")
	}
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "global: {scrape_interval: %s, scrape_timeout: %s}\nscrape_configs: [{job_name: hedera, static_configs: [{targets: [%q]}]}]\n",
		soakInterval, soakInterval, target), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startDeadline)
	defer cancel()
	p := processtest.Run(t, exec.CommandContext(t.Context(), path, "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address=127.0.0.1:0"))
	address, err := p.AwaitAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitOK(ctx, "http://"+address+"/-/ready"); err != nil {
		t.Fatal(err)
	}
	return address
}

// series are the samples of a metric of the exporter, with times in hours.
type series struct{ times, values []float64 }

func readSeries(t *testing.T, prometheus, metric string, since time.Time) series {
	t.Helper()
	window := time.Since(since).Round(time.Second)
	response, err := http.Get("http://" + prometheus + "/api/v1/query?query=" + url.QueryEscape(fmt.Sprintf("%s[%s]", metric, window))) //nolint:noctx // a Prometheus of this test
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]json.RawMessage }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Data.Result) != 1 {
		t.Fatalf("%s: %d series, %v", metric, len(answer.Data.Result), err)
	}
	var s series
	for _, sample := range answer.Data.Result[0].Values {
		seconds, timeErr := strconv.ParseFloat(string(sample[0]), 64)
		value, valueErr := strconv.ParseFloat(strings.Trim(string(sample[1]), `"`), 64)
		if timeErr != nil || valueErr != nil {
			t.Fatalf("%s: sample %s", metric, sample)
		}
		s.times = append(s.times, seconds/3600)
		s.values = append(s.values, value)
	}
	return s
}

func (s series) count(value float64) int {
	n := 0
	for _, v := range s.values {
		if v == value {
			n++
		}
	}
	return n
}

// slope is that of the least squares.
func (s series) slope() float64 {
	var meanTime, meanValue float64
	for i := range s.times {
		meanTime += s.times[i] / float64(len(s.times))
		meanValue += s.values[i] / float64(len(s.times))
	}
	var covariance, variance float64
	for i := range s.times {
		covariance += (s.times[i] - meanTime) * (s.values[i] - meanValue)
		variance += (s.times[i] - meanTime) * (s.times[i] - meanTime)
	}
	return covariance / variance
}
