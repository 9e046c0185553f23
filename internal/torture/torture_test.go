//go:build integration

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package torture

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	// recovery is for everything to be back to the start's counts.
	recovery = 30 * time.Second
	// Counts vary by what is under way.
	spareGoroutines  = 60
	spareDescriptors = 20
	// What may be logged for each request. A scrape has 12 collectors of two
	// networks, each with a line for itself and some for what it cannot read.
	maxLines = 60
	maxBytes = 64 << 10
	// maxReloadLines may be logged for each signal of many. A fast machine has a
	// reload for each.
	maxReloadLines = 2
	// Where other programs have more than this part of the processors, a scrape may
	// be late for that. An attack that finds a problem then is repeated.
	busy        = 0.1
	repetitions = 3
)

// attack is what happens to the exporter at one time.
type attack struct {
	name string
	// short attacks are in the short form as well.
	short bool
	// memory attacks take most of it with very many accounts.
	memory bool
	// upstream attacks are of servers that the exporter connects to.
	upstream bool
	// fails is a collector that says so, to know that the attack was one.
	fails string
	// refused is a configuration that a reload does not take.
	refused bool
	// crowded is so many reloads that another one may wait too long.
	crowded bool
	// restart is for what outlives the attack on purpose.
	restart bool
	// start returns when ctx has ended and everything is as before.
	start func(ctx context.Context, e *environment)
}

func attacks() []attack {
	upstream := slices.Concat(grpcAttacks, nodeAttacks, mirrorAttacks)
	for i := range upstream {
		upstream[i].upstream = true
	}
	return slices.Concat(clientAttacks, fileAttacks, upstream)
}

// form is how long the suite goes on.
type form struct {
	servers  int           // honest ones
	interval time.Duration // of the scrapes of each
	short    bool
}

var forms = map[string]form{
	"":      {servers: 1, interval: 1500 * time.Millisecond, short: true},
	"short": {servers: 1, interval: 1500 * time.Millisecond, short: true},
	"full":  {servers: 2, interval: 5 * time.Second},
}

// row is a line of the table.
type row struct {
	attack                string
	answered, scrapes     int
	slowest               time.Duration
	peak                  int64
	before, after         counts
	recovered             time.Duration
	failed                string
	unreadable            float64
	lines, bytes, hostile int64   // hostile are requests
	others                float64 // the part of the processors that other programs had
	problems              []string
}

type counts struct{ goroutines, descriptors float64 }

// TestTorture has the environment variables TORTURE (short or full),
// TORTURE_ACCOUNTS, TORTURE_MEMORY (the limit in MiB), TORTURE_TIMEOUT (of a
// scrape, in seconds) and TORTURE_ATTACK (a regular expression).
func TestTorture(t *testing.T) {
	form, known := forms[os.Getenv("TORTURE")]
	if !known {
		t.Fatalf("TORTURE=%s must be short or full", os.Getenv("TORTURE"))
	}
	torture(t, form, int(variable(t, "TORTURE_ACCOUNTS", 1000)), variable(t, "TORTURE_MEMORY", 256)<<20,
		time.Duration(variable(t, "TORTURE_TIMEOUT", 5))*time.Second,
		func(a attack) bool { return a.short || !form.short || os.Getenv("TORTURE_ATTACK") != "" })
}

// TestManyAccounts has 10,000 accounts, the memory limit of the unit, the chart and
// the compose file, and the attacks that take most memory.
func TestManyAccounts(t *testing.T) {
	limits := shippedLimits(t)
	for file, limit := range limits {
		if want := limits[unitFile]; limit != want {
			t.Errorf("%s has a memory limit of %d, %s of %d", file, limit, unitFile, want)
		}
	}
	torture(t, forms["full"], 10_000, limits[unitFile], 10*time.Second, func(a attack) bool { return a.memory })
}

const unitFile = "systemd/hedera_exporter.service"

// shippedLimits are the memory limits of the files in deploy, in bytes.
func shippedLimits(t *testing.T) map[string]int64 {
	t.Helper()
	limits := map[string]int64{}
	for file, pattern := range map[string]string{
		unitFile:                           `(?m)^MemoryMax=(\d+)M$`,
		"compose/compose.yml":              `(?m)^ +mem_limit: (\d+)m\b`,
		"helm/hedera-exporter/values.yaml": `(?m)^ +limits: \{memory: (\d+)Mi\}$`,
	} {
		content, err := os.ReadFile(filepath.Join("../../deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		match := regexp.MustCompile(pattern).FindSubmatch(content)
		if match == nil {
			t.Fatalf("%s has nothing like %s", file, pattern)
		}
		mib, err := strconv.ParseInt(string(match[1]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		limits[file] = mib << 20
	}
	return limits
}

// torture has the attacks that fit, one after the other.
func torture(t *testing.T, form form, accounts int, limit int64, timeout time.Duration, fits func(attack) bool) {
	t.Helper()
	only, err := regexp.Compile(os.Getenv("TORTURE_ATTACK"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEnvironment(t, accounts, limit)

	ctx, cancel := context.WithCancel(t.Context())
	prometheus := &honest{e: e, servers: form.servers, interval: form.interval, timeout: timeout}
	var wg sync.WaitGroup
	wg.Go(func() { prometheus.run(ctx) })
	defer wg.Wait()
	defer cancel()

	s := suite{environment: e, honest: prometheus, form: form, limit: limit}
	s.warmUp()
	var rows []row
	for _, a := range attacks() {
		if !fits(a) || !only.MatchString(a.name) {
			continue
		}
		r := s.run(a)
		for range repetitions {
			if len(r.problems) == 0 || r.others < busy {
				break
			}
			t.Logf("%s: once more, as other programs had %.0f %% of the processors: %q", a.name, 100*r.others, r.problems)
			if a.restart {
				s.restart()
			}
			r = s.run(a)
		}
		rows = append(rows, r)
		for _, problem := range r.problems {
			t.Errorf("%s: %s", a.name, problem)
		}
		if a.restart {
			s.restart()
		}
	}
	rows = append(rows, s.end())
	t.Logf("%d accounts, scrape timeout %s, memory limit %d MiB\n%s", e.accounts, prometheus.timeout, limit>>20, table(rows))
}

func variable(t *testing.T, name string, fallback int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %s", name, err)
	}
	return value
}

type suite struct {
	*environment
	honest *honest
	form   form
	limit  int64
	start  counts
}

// await returns the honest scrapes that began after a time once they fit, or nil.
func (s *suite) await(began time.Time, deadline time.Duration, fits func([]scrape) bool) []scrape {
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if scrapes := s.honest.since(began); len(scrapes) > 0 && fits(scrapes) {
			return scrapes
		}
	}
	return nil
}

// warmUp learns the counts of an exporter at rest.
func (s *suite) warmUp() {
	s.t.Helper()
	began := time.Now()
	scrapes := s.await(began, 3*recovery, func(scrapes []scrape) bool {
		return len(scrapes) >= 3 && whole(scrapes[len(scrapes)-1])
	})
	if scrapes == nil {
		for _, scrape := range s.honest.since(began) {
			s.t.Logf("scrape: %+v", scrape)
		}
		s.t.Fatal("no whole scrape before the first attack")
	}
	s.start = counts{}
	for _, scrape := range scrapes {
		s.start.goroutines = max(s.start.goroutines, scrape.goroutines)
		s.start.descriptors = max(s.start.descriptors, scrape.descriptors)
	}
}

func (s *suite) restart() {
	s.t.Helper()
	s.stop()
	s.environment.start(s.limit)
	s.warmUp()
}

func whole(s scrape) bool { return s.err == nil && len(s.failed) == 0 && s.reloadSuccessful }

// run attacks until honest scrapes that began within the attack have ended and show
// it, and waits until everything is as before.
func (s *suite) run(a attack) row {
	r := row{attack: a.name, before: s.start}
	s.honest.takeReloads()
	s.takeLeaks()
	s.hostile.Store(0)
	s.reached.Store(0)
	s.signals.Store(0)
	s.resetPeak()
	logged := len(s.exporter.Output.String())
	unreadable := s.unreadable()
	used := s.processors()

	began := time.Now()
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.start(ctx, s.environment)
	}()
	failed := map[string]bool{}
	refused := false
	// On a busy machine the first scrape may end before the attack has begun.
	shown := s.await(began.Add(time.Second), 2*recovery, func(scrapes []scrape) bool {
		for _, scrape := range scrapes {
			maps.Copy(failed, scrape.failed)
			refused = refused || scrape.err == nil && !scrape.reloadSuccessful
		}
		return refused == a.refused && (a.fails == "" || failed[a.fails]) && (!a.upstream || s.reached.Load() > 0)
	})
	if shown == nil && len(s.honest.since(began.Add(time.Second))) == 0 {
		r.problems = append(r.problems, "no honest scrape ended")
	}
	cancel()
	<-ended

	over := time.Now()
	after := s.await(over, recovery, func(scrapes []scrape) bool {
		last := scrapes[len(scrapes)-1]
		return (a.restart || whole(last)) && s.back(last)
	})
	r.recovered = time.Since(over)
	if after == nil {
		after = s.honest.since(over)
		r.problems = append(r.problems, fmt.Sprintf("not as before after %s", recovery))
	}
	if len(after) > 0 {
		last := after[len(after)-1]
		r.after = counts{last.goroutines, last.descriptors}
	}
	r.peak = s.status("VmHWM")
	r.failed = strings.Join(slices.Sorted(maps.Keys(failed)), " ")
	r.unreadable = s.unreadable() - unreadable
	text := s.exporter.Output.String()[logged:]
	s.saw("the log", text)
	r.lines, r.bytes = int64(strings.Count(text, "\n")), int64(len(text))
	r.hostile = s.hostile.Load() + s.reached.Load()
	r.others = s.processors().othersSince(used)
	s.judge(&r, a, began, refused)
	return r
}

func (s *suite) back(last scrape) bool {
	return last.goroutines <= s.start.goroutines+spareGoroutines && last.descriptors <= s.start.descriptors+spareDescriptors
}

func (s *suite) unreadable() float64 {
	scrapes := s.honest.since(time.Time{})
	if len(scrapes) == 0 {
		return 0
	}
	return scrapes[len(scrapes)-1].unreadable
}

func (s *suite) judge(r *row, a attack, began time.Time, refused bool) {
	problem := func(format string, args ...any) { r.problems = append(r.problems, fmt.Sprintf(format, args...)) }
	for _, scrape := range s.honest.since(began) {
		r.scrapes++
		r.slowest = max(r.slowest, scrape.duration)
		if scrape.err != nil {
			problem("honest scrape after %s: %s", scrape.duration.Round(time.Millisecond), scrape.err)
			continue
		}
		r.answered++
	}
	for _, err := range s.honest.takeReloads() {
		if err != nil && !a.refused && !a.crowded {
			problem("honest reload: %s", err)
		}
	}
	if r.peak > s.limit {
		problem("peak RSS %d MiB, want at most %d MiB", r.peak>>20, s.limit>>20)
	}
	if a.fails != "" && !strings.Contains(" "+r.failed+" ", " "+a.fails+" ") {
		problem("collector %s did not fail, only: %q", a.fails, r.failed)
	}
	if a.upstream && s.reached.Load() == 0 {
		problem("the exporter has not been there")
	}
	if refused != a.refused {
		problem("configuration refused: %t, want %t", refused, a.refused)
	}
	requests := int64(r.scrapes) + s.hostile.Load()
	if signals := s.signals.Load(); r.lines > maxLines*requests+maxReloadLines*signals || r.bytes > maxBytes*requests {
		problem("%d lines and %d bytes logged for %d requests and %d signals", r.lines, r.bytes, requests, signals)
	}
	for _, leak := range s.takeLeaks() {
		problem("a secret in %s", leak)
	}
}

// end stops the exporter while clients do not read.
func (s *suite) end() row {
	r := row{attack: "SIGTERM while 45 clients do not read", before: s.start}
	s.resetPeak()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	go clients(45, unread(strings.Repeat(request("GET", "/metrics"), 40)))(ctx, s.environment)
	pause(ctx, 2*time.Second)
	r.peak = s.status("VmHWM")
	began := time.Now()
	s.stop()
	r.recovered = time.Since(began)
	s.saw("the log", s.exporter.Output.String())
	for _, leak := range s.takeLeaks() {
		s.t.Errorf("a secret in %s", leak)
	}
	return r
}

func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "attack\tin time\tslowest\tpeak RSS\tgoroutines\tdescriptors\tback after\tlog lines\tKiB\thostile requests\tothers\treported as failed\tunreadable\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d/%d\t%.1fs\t%d MiB\t%.0f/%.0f\t%.0f/%.0f\t%.1fs\t%d\t%d\t%d\t%.0f %%\t%s\t%.0f\t\n",
			r.attack, r.answered, r.scrapes, r.slowest.Seconds(), r.peak>>20,
			r.before.goroutines, r.after.goroutines, r.before.descriptors, r.after.descriptors,
			r.recovered.Seconds(), r.lines, r.bytes>>10, r.hostile, 100*r.others, r.failed, r.unreadable)
	}
	_ = w.Flush()
	return b.String()
}
