// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// plainParts are read without the YAML library.
var plainParts = []string{
	"- id: 0.0.98\n",
	"- {id: 0.0.98, name: fees, thresholds: {warning: 1000, critical: 1e-8}, labels: {}}\n- {}\n",
	"      - id: 0.0.98\n        name: deposit 1 - a/b_c\n        thresholds: {warning: 1000}\n      - id: '0.0.99'\n",
	"- id: \"0.0.98-esxsf\"\n  labels:\n    team: 'R & D: # {1}'\n    \"a\": http://h:1/p\n  token_thresholds:\n      0.0.5:\n          info: 1\n      0.0.6: {info: 2}\n  cold: true\n- id: 0.0.99\n",
	"- {a: " + strings.Repeat("b", 3000) + ", c: {d: '" + strings.Repeat("e, ", 1000) + "'}}\n- a: " + strings.Repeat("b ", 3000) + "b\n",
	"- \"<<\": 'null'\n  '': \"\"\n",
	"- a: b\n  a: b\n- tokens: all\n  name: null void\n- {yes: no, 1: 0x1}\n",
}

// yamlParts are left to it.
var yamlParts = []string{
	"", "\n", "a: b\n", "- a\n", "- [a]\n", "-\n  a: b\n", "-  a: b\n", "- - a: b\n", "-\ta: b\n", "- a: b", "- ? a\n  : b\n",
	"- a: b # c\n", "# c\n- a: b\n", "- a: b\n# c\n", "- a: b\n\n- a: b\n", "- a: b \n", "- a:  b\n", "- a: b  c\n", "- a : b\n", "- a: b\r\n",
	"- a: null\n", "- a: Null\n", "- a: NULL\n", "- a: ~\n", "- a:\n", "- a: \n", "- a:\n- b: c\n", "- a:\n  b: c\n", "- null: a\n", "- {a: null}\n", "- {a: }\n", "- {a}\n",
	"- a: b: c\n", "- a: b:\n", "- a: :b\n", "- a: b #c\n", "- a: -1\n", "- a: .5\n", "- a: +1\n", "- a: !!str 1\n", "- a: &b c\n", "- a: *b\n", "- a: |\n    b\n", "- a: >-\n    b\n",
	"- a: b\n  c\n", "- a: b\n    c\n", "- a: b\n    c: d\n", "- a: b\n c: d\n", "- a:\n    b: c\n   d: e\n", "- a: b\n - c: d\n", " - a: b\n- c: d\n", "- a:\n    b: c\n      d: e\n",
	"- a: \"b\\n\"\n", "- a: \"b\n    c\"\n", "- a: 'b''c'\n", "- a: 'b'c\n", "- a: \"b\" c\n", "- a: 'b\n", "- a: 'é'\n", "- a: é\n", "- a: '\x00'\n", "- a: '\x7f'\n", "- 'a':b\n",
	"- {a: b\n", "- {a: b}}\n", "- {a: b} \n", "- {a: b,c: d}\n", "- {a: b, }\n", "- {a: b\n  , c: d}\n", "- {a:b}\n", "- { a: b}\n", "- {a: b }\n", "- {a: [b]}\n", "- {a: b?}\n", "- {\"a\":b}\n", "- {a: {b: c}\n", "- {a: b}\n  c: d\n", "- a: {b: c}\n    d: e\n",
	"- <<: a\n", "- <<: {a: b}\n", "---\n- a: b\n", "- a: b\n---\n", "- a: b\n...\n", "- a: b\n--- \n- a: b\n",
	"- {a: {b: {c: {d: e}}}}\n", "- a:\n    b:\n      c:\n        d: e\n", "- " + strings.Repeat("a", 2000) + ": b\n",
}

func TestPlainParts(t *testing.T) {
	for _, text := range plainParts {
		if !checkPlain(t, text) {
			t.Errorf("not plain: %q", text)
		}
	}
	for _, text := range yamlParts {
		if checkPlain(t, text) {
			t.Errorf("plain: %q", text)
		}
	}
}

// TestPlainPartsWithMistakes replaces a few bytes of parts by marks of YAML.
func TestPlainPartsWithMistakes(t *testing.T) {
	marks := []string{
		" ", "  ", "    ", "\n", "\n\n", "- ", "-", "{", "}", "{}", "[", "]", ",", ", ", ":", ": ", ":\n", "'", "''", "\"", "\\", "#", " #", "?", "? ", "|", ">", "&a ", "*a", "!", "!!str ", "%", "@", "`",
		"~", "null", "<<", "<<: ", "---", "...", "\t", "\r", "\x00", "\x7f", "\xff", "é", "\ufeff", "a", "0", "0.0.98", "a: b", "true", ".", "_", "/",
	}
	random := rand.New(rand.NewPCG(1, 2))
	plain := 0
	for range 20_000 {
		text := plainParts[random.IntN(len(plainParts))]
		for range 1 + random.IntN(3) {
			at := random.IntN(len(text) + 1)
			end := min(at+random.IntN(4), len(text))
			text = text[:at] + marks[random.IntN(len(marks))] + text[end:]
		}
		if checkPlain(t, text) {
			plain++
		}
	}
	if plain < 200 {
		t.Errorf("only %d were plain", plain)
	}
}

func FuzzPlainPart(f *testing.F) {
	for _, text := range slices.Concat(plainParts, yamlParts) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkPlain(t, text) })
}

// checkPlain wants of what is plain that the YAML library reads the same.
func checkPlain(t *testing.T, text string) (plain bool) {
	t.Helper()
	const line = 7
	elements := part{[]byte(text), line}.plain()
	if elements == nil {
		return false
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Errorf("%q is no YAML: %v", text, err)
		return true
	}
	list := doc.Content[0]
	moveDown(list, line-1)
	got := &yaml.Node{Kind: yaml.SequenceNode, Content: elements, Line: list.Line}
	if got, want := nodeText(got), nodeText(list); got != want {
		t.Errorf("%q is\n%s\nwant\n%s", text, got, want)
	}
	return true
}

// nodeText has what a configuration is read from.
func nodeText(n *yaml.Node) string {
	lines := []string{fmt.Sprintf("line %d: kind %d, %q, null %v, merge %v", n.Line, n.Kind, n.Value, entry{value: n}.null(), isMergeKey(n))}
	for _, below := range n.Content {
		lines = append(lines, strings.ReplaceAll(nodeText(below), "\n", "\n  "))
	}
	return strings.Join(lines, "\n  ")
}
