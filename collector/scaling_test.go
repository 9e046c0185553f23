// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/simulator"
)

const scalingDocument = "../docs/scaling.md"

// load is what a scrape weighs.
type load struct {
	series, bytes, gzipped, requests float64
}

func (l load) minus(other load) load {
	return load{l.series - other.series, l.bytes - other.bytes, l.gzipped - other.gzipped, l.requests - other.requests}
}

// per is the load of one of n; sizes are rounded to 10 bytes, for the digits of
// balances.
func (l load) per(n float64) load {
	return load{l.series / n, math.Round(l.bytes/n/10) * 10, math.Round(l.gzipped/n/10) * 10, l.requests / n}
}

// loadOf scrapes a network twice, since the first scrape finds out where
// counting begins, and weighs the second.
func loadOf(t *testing.T, sim *simulator.Simulator, network Network, collectors ...string) load {
	t.Helper()
	network.State = NewState()
	set := setOn(t, network, collectors...)
	scrape := func() (compressed []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
		defer cancel()
		return compress(t, set.Scrape(ctx), expfmt.NewFormat(expfmt.TypeTextPlain), prometheus.NewRegistry())
	}
	scrape()
	sim.ResetRequests()
	gzipped := scrape()
	body := samplesOf(decompress(t, gzipped))
	requests := 0
	for kind, n := range sim.Requests() {
		if strings.HasPrefix(kind, "GET ") {
			requests += n
		}
	}
	return load{float64(strings.Count(body, "\n")), float64(len(body)), float64(len(gzipped)), float64(requests)}
}

// measured are the loads that docs/scaling.md computes with.
type measured struct {
	network, account, excluding, transactions load
}

func measure(t *testing.T) measured {
	t.Helper()
	const few, many = 100, 1100
	sim := startSimulator(t, simulator.Options{Accounts: many})
	watching := func(accounts int, change func(*config.Account)) Network {
		network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
		for i := range accounts {
			watched := account("0.0."+itoa(1001+i), "account-"+itoa(1001+i), minimum("warning", 1e11), minimum("critical", 1e10))
			change(&watched)
			network.Accounts = append(network.Accounts, watched)
		}
		return network
	}
	nothing := func(*config.Account) {}
	counted := func(a *config.Account) { a.Transactions = true }
	unread := NewExclusion(map[string][]string{"accounts": unread(t, "accounts")})
	excluding := func(n Network) Network {
		n.Exclude = unread
		return n
	}
	difference := func(network func(int) Network, collector string) load {
		return loadOf(t, sim, network(many), collector).minus(loadOf(t, sim, network(few), collector)).per(many - few)
	}
	return measured{
		network:      loadOf(t, sim, watching(0, nothing)),
		account:      difference(func(n int) Network { return watching(n, nothing) }, "accounts"),
		excluding:    difference(func(n int) Network { return excluding(watching(n, nothing)) }, "accounts"),
		transactions: difference(func(n int) Network { return watching(n, counted) }, "transactions"),
	}
}

func TestScalingDocumentation(t *testing.T) {
	file, err := os.ReadFile(scalingDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(file), generatedBegin)
	_, after, foundEnd := strings.Cut(rest, generatedEnd)
	if !found || !foundEnd {
		t.Fatalf("%s has no generated part", scalingDocument)
	}
	want := before + generatedBegin + scalingTables(measure(t)) + generatedEnd + after
	if *update {
		if err := os.WriteFile(scalingDocument, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	compareGolden(t, scalingDocument, string(file), want, "make docs")
}

func scalingTables(m measured) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| measured | series | bytes | gzipped | requests |\n| --- | --- | --- | --- | --- |\n")
	// The network's sizes vary with the digits of durations.
	fmt.Fprintf(&b, "| a network of 29 nodes, no account | %.0f | %.0f kB | %.0f kB | %.0f |\n",
		m.network.series, math.Round(m.network.bytes/10e3)*10, math.Round(m.network.gzipped/10e3)*10, m.network.requests)
	for _, row := range []struct {
		what string
		load load
	}{
		{"an account with two minimums", m.account},
		{"the same without the metrics that no rule reads", m.excluding},
		{"its transactions, while there are none", m.transactions},
	} {
		fmt.Fprintf(&b, "| %s | %s | %.0f | %.0f | %.2f |\n", row.what, decimal(row.load.series), row.load.bytes, row.load.gzipped, row.load.requests)
	}
	fmt.Fprintf(&b, "\n| accounts | series | bytes a scrape | gzipped | requests a scrape | requests/s for a scrape within 9.5 s | time of a scrape at 40 requests/s | samples/s at 1m |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, accounts := range []float64{100, 1_000, 10_000, 100_000, 1_000_000} {
		series := m.network.series + accounts*m.account.series
		requests := m.network.requests + math.Ceil(accounts*m.account.requests)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", decimal(accounts), decimal(series),
			size(m.network.bytes+accounts*m.account.bytes), size(m.network.gzipped+accounts*m.account.gzipped),
			decimal(requests), decimal(math.Ceil(requests/9.5)), duration(requests/40), decimal(math.Ceil(series/60)))
	}
	return b.String()
}

// decimal has commas between thousands, and one decimal where there is need.
func decimal(value float64) string {
	if value != math.Trunc(value) {
		return fmt.Sprintf("%.1f", value)
	}
	text := fmt.Sprintf("%.0f", value)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func size(bytes float64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.0f kB", math.Round(bytes/10e3)*10)
	}
	return fmt.Sprintf("%.1f MB", bytes/1e6)
}

func duration(seconds float64) string {
	if seconds < 1 {
		return "less than 1s"
	}
	return (time.Duration(math.Ceil(seconds)) * time.Second).String()
}
