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
	path    string
	line    int
	broken  bool // not a mapping, as has been reported
	entries []entry
	asked   []string
}

// entry is a key, or an element of a list, with its value.
type entry struct {
	key   string
	path  string
	line  int
	value *yaml.Node
}

func (e entry) null() bool {
	return e.value.Kind == yaml.ScalarNode && e.value.ShortTag() == "!!null"
}

// newSection returns an empty section for a nil, empty or unusable node.
func (l *loader) newSection(path string, line int, node *yaml.Node) *section {
	s := &section{l: l, path: path, line: line}
	e := entry{path: path, line: line, value: resolve(node)}
	if e.value == nil || e.null() {
		return s
	}
	if e.value.Kind != yaml.MappingNode {
		l.problem(e.value.Line, "%smust be a mapping, not %s", prefix(path), kind(e.value))
		s.broken = true
		return s
	}
	s.add(e.value)
	return s
}

// add appends the pairs of a mapping and then those of the mappings that it
// merges, which its own have precedence over.
func (s *section) add(node *yaml.Node) {
	var merged *yaml.Node
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolve(node.Content[i+1])
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null" {
			s.l.problem(key.Line, "%sa key must be plain text", prefix(s.path))
			continue
		}
		if first, ok := lines[key.Value]; ok {
			s.l.problem(key.Line, "%sduplicate key %q, already on line %d", prefix(s.path), key.Value, first)
			continue
		}
		lines[key.Value] = key.Line
		if isMergeKey(key) {
			merged = value
			continue
		}
		if s.has(key.Value) {
			continue
		}
		s.entries = append(s.entries, entry{key: key.Value, path: join(s.path, key.Value), line: key.Line, value: value})
	}
	if merged != nil {
		s.merge(merged)
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
			s.l.problem(n.Line, "%s<< takes a mapping or a list of mappings without << of their own", prefix(s.path))
			continue
		}
		s.add(n)
	}
}

func isMergeKey(n *yaml.Node) bool { return n.ShortTag() == "!!merge" }

func (s *section) index(key string) int {
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
		return s.l.newSection(join(s.path, key), s.line, nil)
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
		elements[i] = entry{path: fmt.Sprintf("%s[%d]", e.path, i), line: node.Line, value: resolve(node)}
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
			s.l.problem(e.line, "%sunknown key %q%s", prefix(s.path), e.key, suggest(e.key, s.asked))
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

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
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
func once[K comparable](s *section, key string, line int, value K, places map[K]string) bool {
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
