// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/consensus"
	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/simulator"
)

// Long enough for a busy machine: only what fails waits for it.
const testDeadline = 2 * time.Minute

func startSimulator(t testing.TB, options simulator.Options) *simulator.Simulator {
	t.Helper()
	options.Static = true
	sim, err := simulator.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

// networkOn is the network that sim simulates, as cmd/hedera_exporter wires it.
func networkOn(t testing.TB, sim *simulator.Simulator, self *Self, accounts ...config.Account) Network {
	t.Helper()
	return networkOver(t, nil, sim, self, accounts...)
}

// networkOver is networkOn where dial opens the connections.
func networkOver(t testing.TB, dial consensus.DialContextFunc, sim *simulator.Simulator, self *Self, accounts ...config.Account) Network {
	t.Helper()
	base, err := url.Parse(sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	timeout, probeTimeout := 10*time.Second, 5*time.Second
	if dial == nil { // the time of the machine, not of a bubble
		timeout, probeTimeout = testDeadline, testDeadline
	}
	client, err := mirror.New(mirror.Options{
		Network:     "simulated",
		URL:         base,
		Timeout:     timeout,
		Observer:    self.MirrorObserver("simulated", log.NewNopLogger()),
		DialContext: promconfig.DialContextFunc(dial),
	})
	if err != nil {
		t.Fatal(err)
	}
	options := consensus.BookOptions{TLSPorts: sim.TLSPorts(), Local: true}
	book := consensus.NewAddressBookClient(consensus.AddressBookOptions{Address: sim.GRPCAddress(), Book: options, DialContext: dial})
	return Network{
		Name:        "simulated",
		Accounts:    accounts,
		Log:         log.NewNopLogger(),
		State:       NewState(),
		Mirror:      client,
		MirrorGRPC:  book,
		AddressBook: NewAddressBook(FirstBook(book.Book, MirrorBook(client, options)), 0),
		Prober:      consensus.NewProber(consensus.ProberOptions{Timeout: probeTimeout, ReconnectInterval: time.Hour, DialContext: dial}),
	}
}

// setOn is the collectors of network, all of them if none is named, that keep
// nothing between scrapes.
func setOn(t testing.TB, network Network, names ...string) *Set {
	t.Helper()
	fresh := map[string]time.Duration{}
	for _, r := range Registrations() {
		fresh[r.Name] = 0
	}
	set, err := NewSet([]Network{network}, Options{
		Enabled: func(name string) bool {
			return len(names) == 0 || slices.Contains(strings.Fields(strings.Join(names, " ")), name)
		},
		MinInterval: fresh,
	}, log.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNetwork(network) })
	return set
}

func closeNetwork(n Network) {
	if n.Mirror != nil {
		n.Mirror.Close()
	}
	for _, other := range n.OtherMirrors {
		other.Client.Close()
	}
	if n.Prober != nil {
		n.Prober.Close()
	}
	if n.Balances != nil {
		n.Balances.Close()
	}
}

func account(id, name string, thresholds ...config.Threshold) config.Account {
	return config.Account{ID: mustID(id), Name: name, Thresholds: thresholds}
}

func minimum(severity string, tinybar int64) config.Threshold {
	return config.Threshold{Severity: severity, Balance: config.Amount{Units: tinybar, Decimals: 8}}
}

func mustID(text string) config.EntityID {
	id, err := config.ParseEntityID(text)
	if err != nil {
		panic(err)
	}
	return id
}

func entity(id, name string) config.Entity { return config.Entity{ID: mustID(id), Name: name} }

// entities have names of their own.
func entities(ids ...string) []config.Entity {
	list := make([]config.Entity, 0, len(ids))
	for _, id := range ids {
		list = append(list, entity(id, "n"+id))
	}
	return list
}

func topicsOf(entities []config.Entity) []config.Topic {
	list := make([]config.Topic, 0, len(entities))
	for _, entity := range entities {
		list = append(list, config.Topic{Entity: entity})
	}
	return list
}

func contractsOf(entities []config.Entity) []config.Contract {
	list := make([]config.Contract, 0, len(entities))
	for _, entity := range entities {
		list = append(list, config.Contract{Entity: entity})
	}
	return list
}

func creatorsOf(entities []config.Entity) []config.ScheduleCreator {
	list := make([]config.ScheduleCreator, 0, len(entities))
	for _, entity := range entities {
		list = append(list, config.ScheduleCreator{ID: entity.ID, Name: entity.Name})
	}
	return list
}

// scrapeText is one scrape within timeout in the text format, without comments.
func scrapeText(t testing.TB, set *Set, timeout time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return samplesOf(gather(t, set.Gatherer(ctx)))
}

func gather(t testing.TB, gatherer prometheus.Gatherer) string {
	t.Helper()
	families, err := gatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	encoder := expfmt.NewEncoder(&body, expfmt.NewFormat(expfmt.TypeTextPlain).WithEscapingScheme(model.NoEscaping))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			t.Fatal(err)
		}
	}
	return body.String()
}

// samplesOf is body without its comments.
func samplesOf(body string) string {
	var samples strings.Builder
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") {
			samples.WriteString(line)
		}
	}
	return samples.String()
}

// linesWith are the lines of body that contain all of parts.
func linesWith(body string, parts ...string) []string {
	var lines []string
next:
	for line := range strings.Lines(body) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue next
			}
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}

func wantLines(t *testing.T, body string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+body, "\n"+line+"\n") {
			metric, _, _ := strings.Cut(line, "{")
			t.Errorf("no line %s\nthere are:\n%s", line, strings.Join(linesWith(body, metric+"{"), "\n"))
		}
	}
}

func wantNone(t *testing.T, body string, parts ...string) {
	t.Helper()
	if lines := linesWith(body, parts...); len(lines) > 0 {
		t.Errorf("unexpected:\n%s", strings.Join(lines, "\n"))
	}
}

func itoa(i int) string { return strconv.Itoa(i) }

func addBlock(sim *simulator.Simulator) (block simulator.Block) {
	_ = sim.Update(func(l *simulator.Ledger) error { block = l.AddBlock(); return nil })
	return block
}

func addBlockWith(sim *simulator.Simulator, count int, gasUsed int64) (block simulator.Block) {
	_ = sim.Update(func(l *simulator.Ledger) error { block = l.AddBlockWith(count, gasUsed); return nil })
	return block
}

func addTopicMessage(sim *simulator.Simulator, topic string, at time.Time) (sequence int64, err error) {
	err = sim.Update(func(l *simulator.Ledger) error { sequence, err = l.AddTopicMessage(topic, at); return err })
	return sequence, err
}
