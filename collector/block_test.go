// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"hedera_exporter/internal/config"
	"hedera_exporter/internal/piecewise"
	"hedera_exporter/internal/simulator"
)

// compress writes a scrape piecewise, and decompress reads it.
func compress(t *testing.T, scrape Scrape, format expfmt.Format, others prometheus.Gatherer) []byte {
	t.Helper()
	var compressed bytes.Buffer
	w := piecewise.NewWriter()
	w.Reset(&compressed)
	gathering, writing := scrape.Write(w, format, others)
	if gathering != nil || writing != nil || w.Close() != nil {
		t.Fatal(gathering, writing)
	}
	return compressed.Bytes()
}

func decompress(t *testing.T, compressed []byte) string {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	blockGauge   = newConstMetric(Metric{Name: "block_gauge", Help: "In blocks.", Labels: []string{"network", "id"}}, prometheus.GaugeValue)
	sparseGauge  = newConstMetric(Metric{Name: "block_sparse", Help: "Of some entities.", Labels: []string{"network", "id"}}, prometheus.GaugeValue)
	blockInfo    = newConstMetric(Metric{Name: "block_info", Help: "Has text.", Labels: []string{"network", "id", "text"}}, prometheus.GaugeValue)
	severalGauge = newConstMetric(Metric{Name: "block_several", Help: "Several of an entity.", Labels: []string{"id", "severity"}}, prometheus.GaugeValue)
)

func blockOf(random *rand.Rand, network string, first, n int, before *block) *block {
	var entities []*blockEntity
	for i := range n {
		if before != nil && i < len(before.entities) && random.IntN(3) > 0 {
			entities = append(entities, before.entities[i])
			continue
		}
		labels := newLabelValues([]string{network, fmt.Sprintf("%04d", first+i)})
		add := func(e *blockEntity, s prometheus.Metric) { e.samples = append(e.samples, *s.(*sample)) } //nolint:forcetypeassert // it is one
		entity := &blockEntity{}
		add(entity, blockGauge.of(labels, float64(random.IntN(2))))
		if random.IntN(4) == 0 {
			add(entity, sparseGauge.of(labels, 1))
		}
		add(entity, blockInfo.sample(1, with(labels.all(), fmt.Sprint("\"", random.IntN(2)))...))
		add(entity, severalGauge.sample(1, labels.at(1)+network, "critical"))
		add(entity, severalGauge.sample(2, labels.at(1)+network, "warning"))
		entities = append(entities, entity)
	}
	return newBlock(entities, before)
}

// TestTextOfBlocksIsThatOfARegistry compares both while entities change, come and go.
// Of several networks, or with samples that are in no block, the lines are the same
// in another order.
func TestTextOfBlocksIsThatOfARegistry(t *testing.T) {
	others := prometheus.NewRegistry()
	for name, networks := range map[string][]string{"one network": {"a"}, "two networks": {"a", "b"}} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			blocks := map[string]*block{}
			for round := range 30 {
				var scrape Scrape
				for _, network := range networks {
					var result collectorResult
					for _, first := range []int{200, 0, 100} {
						key := fmt.Sprint(network, first)
						blocks[key] = blockOf(random, network, first, 1+random.IntN(5), blocks[key])
						result.blocks = append(result.blocks, blocks[key])
					}
					if round%5 == 4 {
						result.samples = append(result.samples, blockGauge.sample(1, network, "0101a"))
					}
					scrape = append(scrape, scraped{network: network, collector: "blocks", result: result})
				}
				format := expfmt.NewFormat(formats[random.IntN(len(formats))])
				compare := func(got string) {
					t.Helper()
					want := registered(t, format, scrape, others)
					if len(networks) > 1 || round%5 == 4 {
						got, want = sortedLines(got), sortedLines(want)
					}
					compareGolden(t, fmt.Sprint(format, round), want, got, "")
				}
				for range 2 { // the second time with texts that are kept
					compare(decompress(t, compress(t, scrape, format, others)))
				}
				var text bytes.Buffer
				if gathering, writing := scrape.Write(&text, format, others); gathering != nil || writing != nil {
					t.Fatal(gathering, writing)
				}
				compare(text.String())
			}
		})
	}
}

func sortedLines(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// TestTextsAreKept counts the texts that are made anew.
func TestTextsAreKept(t *testing.T) {
	entity := func(id string, value float64, text string) *blockEntity {
		return &blockEntity{samples: []sample{
			*blockGauge.newSample(value, 0, newLabelValues([]string{"n", id})),
			*blockInfo.newSample(1, 0, newLabelValues([]string{"n", id, text})),
		}}
	}
	same := entity("1", 1, "x")
	first := newBlock([]*blockEntity{same, entity("2", 1, "x")}, nil)
	for _, f := range first.families {
		if f.text.Load() != nil {
			t.Errorf("%s has a text that nobody asked for", f.name)
		}
		f.piece(true)
	}
	for name, tc := range map[string]struct {
		entities []*blockEntity
		kept     map[string]bool
	}{
		"the same":           {[]*blockEntity{same, entity("2", 1, "x")}, map[string]bool{"block_gauge": true, "block_info": true}},
		"another value":      {[]*blockEntity{same, entity("2", 2, "x")}, map[string]bool{"block_info": true}},
		"another label":      {[]*blockEntity{same, entity("2", 1, "y")}, map[string]bool{"block_gauge": true}},
		"one entity less":    {[]*blockEntity{same}, nil},
		"one entity more":    {[]*blockEntity{same, entity("2", 1, "x"), entity("3", 1, "x")}, nil},
		"other entities":     {[]*blockEntity{entity("3", 1, "x"), entity("4", 1, "x")}, nil},
		"one without sample": {[]*blockEntity{same, {}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			next := newBlock(tc.entities, first)
			for _, f := range next.families {
				text := f.text.Load()
				if text == nil || !text.openMetrics {
					t.Fatalf("%s has no text in the format of before", f.name)
				}
				if kept := text == first.family(f.metricFamily).text.Load(); kept != tc.kept[f.name] {
					t.Errorf("%s: the text was kept: %v", f.name, kept)
				}
			}
		})
	}
}

// TestTextsThatNobodyUses are not made ahead.
func TestTextsThatNobodyUses(t *testing.T) {
	make := func(value float64, before *block) *block {
		return newBlock([]*blockEntity{{samples: []sample{*blockGauge.newSample(value, 0, newLabelValues([]string{"n", "1"}))}}}, before)
	}
	first := make(1, nil)
	first.families[0].piece(false)
	second := make(2, first)
	if second.families[0].text.Load() == nil {
		t.Error("there is no text of the next samples")
	}
	if third := make(3, second); third.families[0].text.Load() != nil {
		t.Error("there is a text, though the one before was not used")
	}
}

// accountTexts returns the accounts in each block of a scrape, and the texts by family
// and block.
func accountTexts(t *testing.T, collector Collector) (sizes []int, texts map[string]*blockText, err error) {
	t.Helper()
	var (
		mu     sync.Mutex
		blocks []*block
	)
	many := collector.(blockCollector) //nolint:forcetypeassert // it is one
	err = many.updateBlocks(t.Context(), func(b *block) {
		mu.Lock()
		defer mu.Unlock()
		blocks = append(blocks, b)
	})
	texts = map[string]*blockText{}
	for _, b := range blocks {
		sizes = append(sizes, len(b.entities))
		for _, f := range b.families {
			f.piece(true)
			texts[f.name+" "+f.first.labels.at(accountIDLabel)] = f.text.Load()
		}
	}
	return sizes, texts, err
}

// TestTextsOutliveAFailure has the mirror fail between two scrapes, in networks that
// read accounts for one collector and for several.
func TestTextsOutliveAFailure(t *testing.T) {
	for name, tokens := range map[string][]config.Entity{"without tokens": nil, "with tokens": entities("0.0.900")} {
		t.Run(name, func(t *testing.T) {
			sim := startSimulator(t, simulator.Options{Static: true, Nodes: 1, Accounts: 250})
			network := networkOn(t, sim, NewSelf(prometheus.NewRegistry()))
			network.Tokens = tokens
			for i := range 250 {
				network.Accounts = append(network.Accounts, account("0.0."+itoa(1001+i), "a"+itoa(i)))
			}
			collector, err := newAccounts(network)
			if err != nil {
				t.Fatal(err)
			}
			sizes, before, err := accountTexts(t, collector)
			if slices.Sort(sizes); !slices.Equal(sizes, []int{50, 100, 100}) || len(before) == 0 || err != nil {
				t.Errorf("blocks of %d accounts, %d texts, %v", sizes, len(before), err)
			}
			if _, err := sim.InjectFault(simulator.Fault{Kind: simulator.FaultStatus, Status: 404, Path: "/api/v1/accounts"}); err != nil {
				t.Fatal(err)
			}
			if sizes, _, err := accountTexts(t, collector); len(sizes) > 0 || err == nil {
				t.Errorf("blocks of %d accounts, %v", sizes, err)
			}
			sim.ClearFaults()
			if _, after, err := accountTexts(t, collector); !maps.Equal(before, after) || err != nil {
				t.Errorf("the texts are not those of before, %v", err)
			}
		})
	}
}

// TestDuplicatesInBlocks is of a block that comes twice.
func TestDuplicatesInBlocks(t *testing.T) {
	twice := newBlock([]*blockEntity{{samples: []sample{*blockGauge.newSample(1, 0, newLabelValues([]string{"n", "1"}))}}}, nil)
	scrape := Scrape{{result: collectorResult{blocks: []*block{twice, twice}}}}
	var text strings.Builder
	gathering, writing := scrape.Write(&text, expfmt.NewFormat(expfmt.TypeTextPlain), prometheus.NewRegistry())
	if gathering == nil || gathering.Error() != "block_gauge has 1 samples with the same labels as others" || writing != nil {
		t.Errorf("gathering: %v, writing: %v", gathering, writing)
	}
	if lines := linesWith(text.String(), "block_gauge{"); len(lines) != 1 {
		t.Errorf("lines %q, want one", lines)
	}
}

// TestBlocksAreSorted has those of a result sent in another order, and one whose
// samples are all excluded.
func TestBlocksAreSorted(t *testing.T) {
	var current gathered
	current.addBlock(newBlock([]*blockEntity{{}}, nil))
	if !current.result().isEmpty() {
		t.Errorf("%d blocks without a sample", len(current.result().blocks))
	}
	for _, id := range []string{"3", "1", "2"} {
		current.addBlock(newBlock([]*blockEntity{{samples: []sample{*blockGauge.newSample(1, 0, newLabelValues([]string{"n", id}))}}}, nil))
	}
	var ids []string
	for _, block := range current.result().blocks {
		ids = append(ids, block.families[0].first.labels.at(1))
	}
	if want := []string{"1", "2", "3"}; !slices.Equal(ids, want) {
		t.Errorf("blocks of %q, want %q", ids, want)
	}
}
