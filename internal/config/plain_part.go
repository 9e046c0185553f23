// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Nearly all of a long list is plain: mappings, in blocks or in braces, of words and
// numbers that end on their line. Their nodes are made here, in a fraction of the time
// that the YAML library takes. A part with anything else is left to the library.

// plain returns the elements, nil if any of the part is not plain. Their nodes are those
// of the YAML library, except for what no account is read from: columns and styles are
// left out, and all that is not null has the tag of text.
func (p part) plain() []*yaml.Node {
	r := plainReader{rest: string(p.text), line: p.line}
	dash := r.rest[:indentOf(r.rest)] + "- "
	var elements []*yaml.Node
	for r.rest != "" {
		if !r.skip(dash) {
			return nil
		}
		var element *yaml.Node
		if strings.HasPrefix(r.rest, "{") {
			element = r.flowMapping(1)
			r.endLine()
		} else {
			element = r.blockMapping(len(dash), 1)
		}
		if r.failed {
			return nil
		}
		elements = append(elements, element)
	}
	return elements
}

// plainReader reads a text from its beginning. Once it has failed, what it returns is
// of no use.
type plainReader struct {
	rest   string
	line   int
	failed bool
	nodes  []yaml.Node // from which nodes are taken
}

const (
	maxPlainDepth = 3   // of mappings: an account, its token_thresholds, those of a token
	maxPlainKey   = 128 // bytes; YAML allows 1024
	nodesAtOnce   = 256
)

func (r *plainReader) skip(text string) (ok bool) {
	r.rest, ok = strings.CutPrefix(r.rest, text)
	return ok
}

func (r *plainReader) expect(text string) {
	if !r.skip(text) {
		r.failed = true
	}
}

func (r *plainReader) endLine() {
	r.expect("\n")
	r.line++
}

func (r *plainReader) node(kind yaml.Kind, tag, value string) *yaml.Node {
	if len(r.nodes) == 0 {
		r.nodes = make([]yaml.Node, nodesAtOnce)
	}
	node := &r.nodes[0]
	r.nodes = r.nodes[1:]
	node.Kind, node.Tag, node.Value, node.Line = kind, tag, value, r.line
	return node
}

func (r *plainReader) mapping(depth int) *yaml.Node {
	r.failed = r.failed || depth > maxPlainDepth
	node := r.node(yaml.MappingNode, "!!map", "")
	node.Content = make([]*yaml.Node, 0, 8)
	return node
}

// blockMapping reads a key of a mapping and the keys on the next lines that are
// indented as far.
func (r *plainReader) blockMapping(indent, depth int) *yaml.Node {
	mapping := r.mapping(depth)
	for !r.failed {
		key := r.key()
		var value *yaml.Node
		if r.skip("\n") {
			r.line++
			further := indentOf(r.rest)
			r.failed = r.failed || further <= indent
			r.rest = r.rest[further:]
			value = r.blockMapping(further, depth+1)
		} else {
			r.expect(" ")
			value = r.value(depth)
			r.endLine()
		}
		mapping.Content = append(mapping.Content, key, value)
		if indentOf(r.rest) != indent {
			break
		}
		r.rest = r.rest[indent:]
	}
	return mapping
}

func (r *plainReader) flowMapping(depth int) *yaml.Node {
	mapping := r.mapping(depth)
	r.expect("{")
	if r.skip("}") {
		return mapping
	}
	for !r.failed {
		key := r.key()
		r.expect(" ")
		mapping.Content = append(mapping.Content, key, r.value(depth))
		if r.skip("}") {
			break
		}
		r.expect(", ")
	}
	return mapping
}

func (r *plainReader) key() *yaml.Node {
	key := r.scalar()
	r.expect(":")
	r.failed = r.failed || len(key.Value) > maxPlainKey
	return key
}

func (r *plainReader) value(depth int) *yaml.Node {
	if !r.failed && strings.HasPrefix(r.rest, "{") {
		return r.flowMapping(depth + 1)
	}
	return r.scalar()
}

func (r *plainReader) scalar() *yaml.Node {
	var text string
	switch {
	case r.skip(`"`):
		text = r.quoted('"')
	case r.skip("'"):
		text = r.quoted('\'')
	default:
		text = r.words()
	}
	return r.node(yaml.ScalarNode, "!!str", text)
}

// quoted reads up to the closing quote. A quote in the text fails where a key or
// value has to end.
func (r *plainReader) quoted(quote byte) string {
	for i := range len(r.rest) {
		switch c := r.rest[i]; {
		case c == quote:
			text := r.rest[:i]
			r.rest = r.rest[i+1:]
			return text
		case c < ' ' || c > '~' || c == '\\':
			r.failed = true
			return ""
		}
	}
	r.failed = true
	return ""
}

// words reads text without quotes.
func (r *plainReader) words() string {
	end := 0
	for end < len(r.rest) && isPlain(r.rest, end) {
		end++
	}
	text := r.rest[:end]
	r.rest = r.rest[end:]
	switch text {
	case "", "null", "Null", "NULL":
		r.failed = true
	}
	return text
}

// isPlain reports whether the byte is part of a text without quotes. Such a text begins
// with a letter or digit, so that no mark of YAML is taken for it.
func isPlain(text string, at int) bool {
	switch c := text[at]; {
	case at == 0:
		return isAlphanumeric(c)
	case c == ' ' || c == ':':
		return at+1 < len(text) && isWord(text[at+1])
	default:
		return isWord(c)
	}
}

func isWord(c byte) bool {
	return isAlphanumeric(c) || c == '.' || c == '-' || c == '_' || c == '/'
}
