// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// The nodes of a YAML document take some 3 kB for each account, which is more than
// all that the exporter keeps of it. So a long list of accounts is cut out of its
// file, between two elements, and parsed a part at a time.

// partBytes is the size of a part. Shorter lists stay where they are.
const partBytes = 64 << 10

// longList is a list that was cut out.
type longList struct {
	text []byte // of whole lines
	line int    // of the first one
	dash int    // the indentation of its elements
}

// cutting is what was cut out of the files.
type cutting struct {
	partBytes int
	failed    bool                    // a part is no list: the cut was at the wrong place
	lists     map[*yaml.Node]longList // not read yet, by the null in its place
}

// wrong reports whether the files have to be read again, as a whole.
func (c *cutting) wrong() bool { return c.failed || len(c.lists) > 0 }

// otherBreaks are line breaks that only YAML knows. A file with them is not cut.
var otherBreaks = []string{"\r", "\u0085", "\u2028", "\u2029"}

// mayCut reports whether data has neither those nor anchors and aliases, which may
// be in different parts.
func mayCut(data []byte) bool {
	return !slices.ContainsFunc(otherBreaks, func(text string) bool { return bytes.Contains(data, []byte(text)) }) &&
		!beginsWord(data, '&') && !beginsWord(data, '*')
}

// beginsWord reports whether mark is anywhere but after a letter or digit of ASCII,
// where there is no anchor or alias.
func beginsWord(data []byte, mark byte) bool {
	for done := 0; ; {
		i := bytes.IndexByte(data[done:], mark)
		if i < 0 {
			return false
		}
		at := done + i
		if at == 0 || !isAlphanumeric(data[at-1]) {
			return true
		}
		done = at + 1
	}
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

var accountsKey = []byte("accounts:")

// parseCut parses a document without its long lists of accounts, or says that it has
// to be parsed as a whole. A file that the configuration names is such a list itself.
func (l *loader) parseCut(data []byte) (root *yaml.Node, ok bool) {
	if l.cut.partBytes == 0 || len(data) <= l.cut.partBytes || !mayCut(data) {
		return nil, false
	}
	rest, lists := l.cutLists(data)
	if len(lists) == 0 {
		return nil, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(rest))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if list, whole := lists[0]; whole && len(lists) == 1 && errors.Is(err, io.EOF) {
		root = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: list.line}
		l.cut.lists[root] = list
		return root, true
	}
	if err != nil || !errors.Is(dec.Decode(&second), io.EOF) {
		return nil, false
	}
	l.place(doc.Content[0], lists)
	return doc.Content[0], len(lists) == 0
}

// cutLists returns the lists by the line of their key, which is 0 for a list without
// one, and the document with blank lines in their place.
func (l *loader) cutLists(data []byte) (rest []byte, lists map[int]longList) {
	lists = map[int]longList{}
	lines, done := 0, 0 // of data
	keep := func(end int) {
		lines += bytes.Count(data[done:end], []byte("\n"))
		rest = append(rest, data[done:end]...)
		done = end
	}
	cut := func(keyIndent int) {
		list := listAt(data[done:], keyIndent)
		if len(list.text) <= l.cut.partBytes {
			return
		}
		list.line = lines + 1
		lists[lines] = list
		height := bytes.Count(list.text, []byte("\n"))
		rest = append(rest, bytes.Repeat([]byte("\n"), height)...)
		lines, done = lines+height, done+len(list.text)
	}
	if l.file != l.src.File {
		cut(0)
	}
	for {
		at := bytes.Index(data[done:], accountsKey)
		if at < 0 {
			return append(rest, data[done:]...), lists
		}
		at += done
		lineStart := bytes.LastIndexByte(data[:at], '\n') + 1
		end := at + len(accountsKey)
		if i := bytes.IndexByte(data[end:], '\n'); i >= 0 {
			end += i + 1
		} else {
			end = len(data)
		}
		after := bytes.TrimSpace(data[at+len(accountsKey) : end])
		keep(end)
		if indentOf(data[lineStart:]) == at-lineStart && (len(after) == 0 || after[0] == '#') {
			cut(at - lineStart)
		}
	}
}

func indentOf[T string | []byte](line T) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// listAt returns the list that data begins with: all lines from the first element on
// that are elements, further in, blank or comments.
func listAt(data []byte, keyIndent int) longList {
	list := longList{dash: -1}
	for len(list.text) < len(data) {
		line := data[len(list.text):]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		indent := indentOf(line)
		text := line[indent:]
		switch isElement := bytes.HasPrefix(text, []byte("- ")) || bytes.HasPrefix(text, []byte("-\n")); {
		case len(text) == 0 || text[0] == '\n' || text[0] == '#':
		case list.dash < 0 && isElement && indent >= keyIndent:
			list.dash = indent
		case list.dash < 0, indent < list.dash, indent == list.dash && !isElement:
			return list.orNone()
		}
		list.text = data[:len(list.text)+len(line)]
	}
	return list.orNone()
}

// orNone is no list where there was no element.
func (list longList) orNone() longList {
	if list.dash < 0 {
		return longList{}
	}
	return list
}

// place finds the null that stands in the place of each list, and deletes the list
// from lists.
func (l *loader) place(node *yaml.Node, lists map[int]longList) {
	if node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle == 0 {
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			list, ok := lists[key.Line]
			if ok && key.Value == "accounts" && value.Kind == yaml.ScalarNode && value.Value == "" && value.ShortTag() == "!!null" {
				l.cut.lists[value] = list
				delete(lists, key.Line)
			}
		}
	}
	for _, below := range node.Content {
		l.place(below, lists)
	}
}

// length is about how many elements a list has.
func (l *loader) length(e entry) int {
	if list, ok := l.cut.lists[e.value]; ok {
		return bytes.Count(list.text, list.beforeElement()) + 1
	}
	return len(e.value.Content)
}

// each are the elements of a list.
func (l *loader) each(e entry) iter.Seq[entry] {
	list, ok := l.cut.lists[e.value]
	switch {
	case !ok && e.null():
		return func(func(entry) bool) {}
	case !ok:
		return slices.Values(l.elements(e))
	}
	delete(l.cut.lists, e.value)
	return func(yield func(entry) bool) {
		index := 0
		for elements := range inTurn(list.parts(l.cut.partBytes), part.parse) {
			if elements == nil {
				l.cut.failed = true
				return
			}
			for _, node := range elements {
				if !yield(entry{path: path{parent: &e.path, index: index}, line: node.Line, value: node}) {
					return
				}
				index++
			}
		}
	}
}

// inTurn does for each value what takes its time, on all processors, and returns
// the results in the order of the values.
func inTurn[V, R any](values iter.Seq[V], do func(V) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		var (
			results = make(chan chan R, runtime.GOMAXPROCS(0))
			left    = make(chan struct{})
			workers sync.WaitGroup
		)
		defer workers.Wait()
		defer close(left)
		workers.Go(func() {
			defer close(results)
			for value := range values {
				result := make(chan R, 1)
				select {
				case results <- result:
					workers.Go(func() { result <- do(value) })
				case <-left:
					return
				}
			}
		})
		for result := range results {
			if !yield(<-result) {
				return
			}
		}
	}
}

// part is some elements of a long list.
type part struct {
	text []byte
	line int // of the first one
}

// parse returns the elements, nil if the part is no list.
func (p part) parse() []*yaml.Node {
	if elements := p.plain(); elements != nil {
		return elements
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(p.text, &doc); err != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.SequenceNode {
		return nil
	}
	for _, node := range doc.Content[0].Content {
		moveDown(node, p.line-1)
	}
	return doc.Content[0].Content
}

func (list longList) beforeElement() []byte {
	return []byte("\n" + strings.Repeat(" ", list.dash) + "-")
}

// parts cuts the text before elements.
func (list longList) parts(partBytes int) iter.Seq[part] {
	return func(yield func(part) bool) {
		line := list.line
		before := list.beforeElement()
		for text := list.text; len(text) > 0; {
			end := len(text)
			for at := partBytes; at < len(text); {
				i := bytes.Index(text[at:], before)
				if i < 0 {
					break
				}
				at += i + 1
				if next := at + len(before) - 1; next == len(text) || text[next] == ' ' || text[next] == '\n' {
					end = at
					break
				}
			}
			if !yield(part{text[:end], line}) {
				return
			}
			line += bytes.Count(text[:end], []byte("\n"))
			text = text[end:]
		}
	}
}

func moveDown(node *yaml.Node, lines int) {
	node.Line += lines
	for _, below := range node.Content {
		moveDown(below, lines)
	}
}
