// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/mirror"
	"hedera_exporter/internal/piecewise"
)

// blockCollector is a Collector of so many entities that their samples, and the
// compressed text of them, are kept from scrape to scrape.
type blockCollector interface {
	Collector

	// updateBlocks is Update. It sends blocks in any order, also several at once.
	updateBlocks(ctx context.Context, send func(*block)) error
}

// block is the samples of some entities. It does not change.
type block struct {
	entities []*blockEntity // in the order of an exposition
	families []*blockFamily
}

// blockEntity is the samples of one entity, those of a family in the order of an
// exposition.
type blockEntity struct {
	row     mirror.RowDigest // that they were made of
	samples []sample         // one piece of memory, not one each
}

// blockFamily is the samples that a block has of one family.
type blockFamily struct {
	*metricFamily

	block       *block
	first, last *sample
	inOrder     bool
	text        atomic.Pointer[blockText]
}

// blockText is the text of a format.
type blockText struct {
	openMetrics bool
	piece       piecewise.Piece
	used        atomic.Bool // in a scrape
}

// newBlock makes a block. It has the texts of the one before, which may be nil,
// where the samples are the same. Where they differ it makes those that were used at
// once, while the scrape waits for other answers, and fast, as they may well differ
// again.
func newBlock(entities []*blockEntity, before *block) *block {
	b := &block{entities: entities}
	for sample := range b.samples {
		f := b.family(sample.family)
		if f == nil {
			f = &blockFamily{metricFamily: sample.family, block: b, first: sample}
			b.families = append(b.families, f)
		}
		f.last = sample
	}
	for _, f := range b.families {
		earlier := before.family(f.metricFamily)
		if earlier != nil && f.equals(earlier) {
			f.inOrder = earlier.inOrder
			f.text.Store(earlier.text.Load())
			continue
		}
		f.inOrder = f.isInOrder()
		if earlier == nil {
			continue
		}
		if text := earlier.text.Load(); text != nil && text.used.Load() {
			f.compress(text.openMetrics, piecewise.CompressFast)
		}
	}
	return b
}

// maxBlockSamples of a family is as much as compresses well.
const maxBlockSamples = 1000

// blocksOf returns blocks of samples that never change.
func blocksOf(exclude Exclusion, metrics []prometheus.Metric) []*block {
	families := map[*metricFamily][]sample{}
	for _, metric := range metrics {
		one := metric.(*sample) //nolint:forcetypeassert // they are constant
		if !exclude.has(one) {
			families[one.family] = append(families[one.family], *one)
		}
	}
	var blocks []*block
	for _, samples := range families {
		slices.SortStableFunc(samples, func(a, b sample) int { return compareLabels(&a, &b) })
		for part := range slices.Chunk(samples, maxBlockSamples) {
			blocks = append(blocks, newBlock([]*blockEntity{{samples: part}}, nil))
		}
	}
	return blocks
}

// sortedBlocks are in the order of an exposition of their first families, so that
// there is little to sort for each of the others.
func sortedBlocks(blocks []*block) []*block {
	return slices.SortedFunc(slices.Values(blocks), func(a, b *block) int { return compareLabels(a.families[0].first, b.families[0].first) })
}

// family returns the block's samples of a family, or nil.
func (b *block) family(family *metricFamily) *blockFamily {
	if b == nil {
		return nil
	}
	for _, f := range b.families {
		if f.metricFamily == family {
			return f
		}
	}
	return nil
}

// samples are those of all families.
func (b *block) samples(yield func(*sample) bool) {
	for _, entity := range b.entities {
		for i := range entity.samples {
			if !yield(&entity.samples[i]) {
				return
			}
		}
	}
}

// samples are those of the family, of which there is at least one.
func (f *blockFamily) samples(yield func(*sample) bool) {
	for _, entity := range f.block.entities {
		if !entity.each(f.metricFamily, yield) {
			return
		}
	}
}

// each yields the entity's samples of a family until it is told to stop.
func (e *blockEntity) each(family *metricFamily, yield func(*sample) bool) (more bool) {
	for i := range e.samples {
		if e.samples[i].family == family && !yield(&e.samples[i]) {
			return false
		}
	}
	return true
}

func (f *blockFamily) isInOrder() bool {
	var before *sample
	for sample := range f.samples {
		if before != nil && compareLabels(before, sample) >= 0 {
			return false
		}
		before = sample
	}
	return true
}

// equals reports whether both have the same samples, entity by entity.
func (f *blockFamily) equals(other *blockFamily) bool {
	return slices.EqualFunc(f.block.entities, other.block.entities, func(a, b *blockEntity) bool {
		return a == b || a.equals(b, f.metricFamily)
	})
}

// equals reports whether both have the same samples of a family.
func (e *blockEntity) equals(other *blockEntity, family *metricFamily) bool {
	rest := other.samples
	for i := range e.samples {
		if e.samples[i].family != family {
			continue
		}
		next := slices.IndexFunc(rest, func(s sample) bool { return s.family == family })
		if next < 0 || !e.samples[i].equals(&rest[next]) {
			return false
		}
		rest = rest[next+1:]
	}
	return !slices.ContainsFunc(rest, func(s sample) bool { return s.family == family })
}

// piece is the compressed text.
func (f *blockFamily) piece(openMetrics bool) piecewise.Piece {
	text := f.text.Load()
	if text == nil || text.openMetrics != openMetrics {
		text = f.compress(openMetrics, piecewise.Compress)
	}
	text.used.Store(true)
	return text.piece
}

// textWriters are not in use, and kept for their buffers.
var textWriters = sync.Pool{New: func() any { return &textWriter{} }}

// compress makes the text and keeps it, instead of one in another format: most
// exporters are asked for the same one by all.
func (f *blockFamily) compress(openMetrics bool, compress func(text []byte) piecewise.Piece) *blockText {
	t := textWriters.Get().(*textWriter) //nolint:forcetypeassert // nothing else is in it
	defer textWriters.Put(t)
	t.openMetrics, t.text = openMetrics, t.text[:0]
	for sample := range f.samples {
		t.sample(sample)
	}
	text := &blockText{openMetrics: openMetrics, piece: compress(t.text)}
	f.text.Store(text)
	return text
}
