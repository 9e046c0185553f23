// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// section is one mapping of the file. A bad value is reported and the default
// stays, so that all mistakes are found; done reports the keys that were not
// read.
type section struct {
	l       *loader
	path    path
	line    int
	broken  bool // not a mapping, as has been reported
	entries []entry
	places  map[string]int // of entries by key, where there are many
	asked   []string
}

// entry is a key, or an element of a list, with its value.
type entry struct {
	key   string
	path  path
	line  int
	value *yaml.Node
}

// path leads to a value of the file. Its text is only made for messages, as a
// file has many values.
type path struct {
	parent *path
	key    string // empty for an element of a list
	index  int
}

// String is empty for the whole file.
func (p path) String() string {
	switch {
	case p.parent == nil:
		return p.key
	case p.key == "":
		return fmt.Sprintf("%s[%d]", p.parent, p.index)
	}
	if parent := p.parent.String(); parent != "" {
		return parent + "." + p.key
	}
	return p.key
}

// prefix is what begins a message.
func (p path) prefix() string {
	if text := p.String(); text != "" {
		return text + ": "
	}
	return ""
}

// at is the path of a value below p.
func (p *path) at(key string) path { return path{parent: p, key: key} }

func (e entry) null() bool {
	return e.value.Kind == yaml.ScalarNode && e.value.ShortTag() == "!!null"
}

// newSection returns an empty section for a nil, empty or unusable node.
func (l *loader) newSection(path path, line int, node *yaml.Node) *section {
	s := &section{l: l, path: path, line: line}
	e := entry{path: path, line: line, value: resolve(node)}
	if e.value == nil || e.null() {
		return s
	}
	if e.value.Kind != yaml.MappingNode {
		l.problem(e.value.Line, "%smust be a mapping, not %s", path.prefix(), kind(e.value))
		s.broken = true
		return s
	}
	s.asked = make([]string, 0, fewEntries)
	s.add(e.value)
	return s
}

// add appends the pairs of a mapping and then those of the mappings that it
// merges, which its own have precedence over.
func (s *section) add(node *yaml.Node) {
	var (
		merged     *yaml.Node
		mergedLine int
		own        = len(s.entries) // the first of the mapping
	)
	s.entries = slices.Grow(s.entries, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolve(node.Content[i+1])
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null" {
			s.l.problem(key.Line, "%sa key must be plain text", s.path.prefix())
			continue
		}
		at, first := s.index(key.Value), 0
		switch merge := isMergeKey(key); {
		case merge && merged != nil:
			first = mergedLine
		case merge:
			merged, mergedLine = value, key.Line
		case at >= own:
			first = s.entries[at].line
		case at < 0:
			s.append(entry{key: key.Value, path: s.path.at(key.Value), line: key.Line, value: value})
		}
		if first > 0 {
			s.l.problem(key.Line, "%sduplicate key %q, already on line %d", s.path.prefix(), key.Value, first)
		}
	}
	if merged != nil {
		s.merge(merged)
	}
}

// fewEntries are found without a map.
const fewEntries = 16

func (s *section) append(e entry) {
	s.entries = append(s.entries, e)
	switch {
	case s.places != nil:
		s.places[e.key] = len(s.entries) - 1
	case len(s.entries) > fewEntries:
		s.places = make(map[string]int, cap(s.entries))
		for i, e := range s.entries {
			s.places[e.key] = i
		}
	}
}

func (s *section) merge(node *yaml.Node) {
	nodes := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	for _, n := range nodes {
		n = resolve(n)
		if n.Kind != yaml.MappingNode || slices.ContainsFunc(n.Content, isMergeKey) {
			s.l.problem(n.Line, "%s<< takes a mapping or a list of mappings without << of their own", s.path.prefix())
			continue
		}
		s.add(n)
	}
}

func isMergeKey(n *yaml.Node) bool { return n.Value == "<<" && n.ShortTag() == "!!merge" }

// index is that of the key's entry, -1 if there is none.
func (s *section) index(key string) int {
	if s.places != nil {
		if i, ok := s.places[key]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(s.entries, func(e entry) bool { return e.key == key })
}

func (s *section) has(key string) bool { return s.index(key) >= 0 }

func (s *section) keys() []string {
	keys := make([]string, 0, len(s.entries))
	for _, e := range s.entries {
		keys = append(keys, e.key)
	}
	return keys
}

// refuse reports keys that there are no longer.
func (s *section) refuse(reason string, keys ...string) {
	s.places = nil
	s.entries = slices.DeleteFunc(s.entries, func(e entry) bool {
		refused := slices.Contains(keys, e.key)
		if refused {
			s.l.problem(e.line, "%s: %s", e.path, reason)
		}
		return refused
	})
}

// take returns the value of a key, if there is one.
func (s *section) take(key string) (entry, bool) {
	s.asked = append(s.asked, key)
	i := s.index(key)
	if i < 0 {
		return entry{}, false
	}
	return s.entries[i], true
}

// all takes every entry, where the keys are names.
func (s *section) all() []entry {
	for _, e := range s.entries {
		s.asked = append(s.asked, e.key)
	}
	return s.entries
}

// section returns the mapping under key, an empty one if there is none.
func (s *section) section(key string) *section {
	e, ok := s.take(key)
	if !ok {
		return s.l.newSection(s.path.at(key), s.line, nil)
	}
	return s.l.newSection(e.path, e.line, e.value)
}

// list returns the elements under key.
func (s *section) list(key string) []entry {
	e, ok := s.take(key)
	if !ok || e.null() {
		return nil
	}
	return s.l.elements(e)
}

func (l *loader) elements(e entry) []entry {
	if e.value.Kind != yaml.SequenceNode {
		l.problem(e.line, "%s: must be a list, not %s", e.path, kind(e.value))
		return nil
	}
	elements := make([]entry, len(e.value.Content))
	for i, node := range e.value.Content {
		elements[i] = entry{path: path{parent: &e.path, index: i}, line: node.Line, value: resolve(node)}
	}
	return elements
}

// element is the section of an element of a list, which needs the id under key.
func (l *loader) element(e entry, key string) *section {
	if e.value.Kind != yaml.ScalarNode || e.null() {
		return l.newSection(e.path, e.line, e.value)
	}
	example := "0.0.98"
	if _, err := parseID(e.value.Value); err == nil {
		example = e.value.Value
	}
	l.problem(e.line, "%s: must be a mapping, not a single value; write {%s: %s}", e.path, key, example)
	return &section{l: l, path: e.path, line: e.line, broken: true}
}

// done reports the keys that were not asked for.
func (s *section) done() {
	for _, e := range s.entries {
		if !slices.Contains(s.asked, e.key) {
			s.l.problem(e.line, "%sunknown key %q%s", s.path.prefix(), e.key, suggest(e.key, s.asked))
		}
	}
}

// read hands the text under key to parse and stores what comes back. It returns
// the line of the key, 0 when there is no usable value.
func read[T any](s *section, key string, dst *T, parse func(string) (T, error)) int {
	e, ok := s.take(key)
	if !ok {
		return 0
	}
	value, ok := parseEntry(s.l, e, parse)
	if !ok {
		return 0
	}
	*dst = value
	return e.line
}

// readList does with each element of a list what read does with a value. A list
// in the file replaces the default, even by nothing.
func readList[T any](s *section, key string, dst *[]T, parse func(string) (T, error)) {
	elements := s.list(key)
	if elements == nil {
		return
	}
	values := make([]T, 0, len(elements))
	for _, e := range elements {
		if value, ok := parseEntry(s.l, e, parse); ok {
			values = append(values, value)
		}
	}
	*dst = values
}

func parseEntry[T any](l *loader, e entry, parse func(string) (T, error)) (T, bool) {
	value, err := scalar(e)
	if err == nil {
		var parsed T
		if parsed, err = parse(value); err == nil {
			return parsed, true
		}
	}
	l.problem(e.line, "%s: %w", e.path, err)
	var zero T
	return zero, false
}

func scalar(e entry) (string, error) {
	if e.value.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("must be a single value, not %s", kind(e.value))
	}
	if e.null() {
		return "", errors.New("has no value; set it or remove the key")
	}
	return e.value.Value, nil
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// suggest ends a message about an unknown word with what may have been meant.
func suggest(word string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := editDistance(word, k); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	if len(known) == 0 {
		return ""
	}
	return ", known: " + strings.Join(slices.Compact(slices.Sorted(slices.Values(known))), ", ")
}

// editDistance is Levenshtein's: the number of bytes to insert, delete or
// replace to get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// required is read for a key that has no default.
func required[T any](s *section, key string, dst *T, parse func(string) (T, error)) int {
	if !s.has(key) {
		s.missing(key)
	}
	return read(s, key, dst, parse)
}

// missing reports a key that has to be there.
func (s *section) missing(key string) {
	if !s.broken {
		s.l.problem(s.line, "%s.%s: is required", s.path, key)
	}
}

// once reports a value that is in the file already, and says whether it is a
// new one. Line 0 stands for no value.
func once[K comparable](s *section, key string, line int, value K, places map[K]place) bool {
	if line == 0 {
		return false
	}
	if place, ok := places[value]; ok {
		s.l.problem(line, "%s.%s: %v is already at %s", s.path, key, value, place)
		return false
	}
	places[value] = s.l.at(line)
	return true
}
