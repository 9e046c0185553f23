// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var (
	errNoFormat   = errors.New("is not the name of a .csv, .yml or .yaml file")
	errNoNewline  = errors.New("does not end with a newline, so it may be cut off: write it under another name and rename it, or end its last line")
	errNoAccounts = errors.New("has no accounts: list at least one, or remove accounts_file")
)

// addFile adds the accounts of the file that the network's section names.
func (r *roster) addFile(s *section) {
	const key = "accounts_file"
	var name string
	line := read(s, key, &name, parseLabel)
	if line == 0 {
		return
	}
	var add func(*loader, []byte)
	switch filepath.Ext(name) {
	case ".csv":
		add = r.addCSV
	case ".yml", ".yaml":
		add = r.addYAML
	default:
		s.l.problem(line, "%s: %q %w", s.path.at(key), name, errNoFormat)
		return
	}
	file := s.l.path(name)
	data, err := s.l.errs.Files.read(file)
	if err != nil {
		s.l.problem(line, "%s: %q cannot be read: %w", s.path.at(key), name, err)
		return
	}
	inFile := *s.l
	inFile.file = file
	l := &inFile
	if len(data) > 0 && data[len(data)-1] != '\n' {
		l.problem(bytes.Count(data, []byte("\n"))+1, "%w", errNoNewline)
		return
	}
	before, problems := len(r.accounts), len(l.errs.Problems)
	add(l, data)
	if len(r.accounts) == before && len(l.errs.Problems) == problems {
		l.problem(0, "%w", errNoAccounts)
	}
}

// addYAML adds the accounts of a list as that under accounts.
func (r *roster) addYAML(l *loader, data []byte) {
	root, ok := l.parseYAML(data)
	if !ok || root == nil {
		return
	}
	r.addList(l, entry{path: path{key: "accounts"}, line: root.Line, value: resolve(root)})
}

// addCSV adds an account for each record below the header, which has the options of
// an account. Those of a section have its name and a dot before them.
func (r *roster) addCSV(l *loader, data []byte) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))) // as Excel begins
	reader.ReuseRecord = true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return
	}
	if err != nil {
		l.csvError(err, 0)
		return
	}
	columns, ok := l.csvColumns(header)
	if !ok {
		return
	}
	row := csvRow{columns: columns}
	for i := 0; ; i++ {
		record, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return
		case (err == nil || errors.Is(err, csv.ErrFieldCount)) && blank(record):
			i--
			continue
		case errors.Is(err, csv.ErrFieldCount):
			l.csvError(err, len(columns))
			continue
		case err != nil:
			l.csvError(err, len(columns))
			return // the rest would be misread
		}
		line, _ := reader.FieldPos(0)
		account := l.newSection(path{parent: &path{key: "accounts"}, index: i}, line, nil)
		if at := slices.IndexFunc(record, notUTF8); at >= 0 {
			l.problem(line, "%s.%s: %q is not UTF-8: save the file as CSV UTF-8", account.path, strings.Join(columns[at], "."), record[at])
			continue
		}
		account.add(row.mapping(record, line))
		r.addSection(account)
	}
}

// blank reports whether no value is set, as in the lines that spreadsheets write
// for empty rows.
func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(text string) bool { return strings.TrimSpace(text) != "" })
}

func notUTF8(text string) bool { return !utf8.ValidString(text) }

func (l *loader) csvError(err error, columns int) {
	var parseErr *csv.ParseError
	if !errors.As(err, &parseErr) {
		l.problem(0, "not valid CSV: %w", err)
		return
	}
	if errors.Is(err, csv.ErrFieldCount) {
		l.problem(parseErr.Line, "the line does not have %d values, as the header has: put those with a comma into quotes", columns)
		return
	}
	if parseErr.StartLine != parseErr.Line {
		l.problem(parseErr.StartLine, "not valid CSV: a quote that opens on this line is not closed on it; close it, and write quotes in a value twice")
		return
	}
	l.problem(parseErr.Line, "not valid CSV: column %d: %w; put the value into quotes, and write quotes in it twice", parseErr.Column, parseErr.Err)
}

// csvOptions are the options of an account that have a column of their own name.
var csvOptions = []string{"id", "name", "tokens", "transactions", "allowances", "heartbeat", "budget", "cold"}

// csvColumns returns the keys that lead to the option of each column.
func (l *loader) csvColumns(header []string) (columns [][]string, ok bool) {
	seen := map[string]bool{}
	ok = true
	for _, text := range header {
		name := strings.TrimSpace(text)
		keys, err := csvKeys(name)
		if err == nil && seen[name] {
			err = errors.New("is there twice; remove one of them")
		}
		if err != nil {
			l.problem(1, "the column %q %w", name, err)
			ok = false
		}
		seen[name] = true
		columns = append(columns, keys)
	}
	if ok && !seen["id"] {
		l.problem(1, "has no column id: the first line must have the names of the columns, such as id,name,thresholds.warning")
		ok = false
	}
	return columns, ok
}

func csvKeys(column string) ([]string, error) {
	if slices.Contains(csvOptions, column) {
		return []string{column}, nil
	}
	section, key, _ := strings.Cut(column, ".")
	dot := strings.LastIndexByte(key, '.')
	switch severity := slices.Contains(severities[:], key[dot+1:]); {
	case section == "labels" && key != "",
		(section == "thresholds" || section == "maximum") && severity && dot < 0:
		return []string{section, key}, nil
	case section == "token_thresholds" && severity && dot > 0:
		return []string{section, key[:dot], key[dot+1:]}, nil
	}
	return nil, unknownColumn(column)
}

func unknownColumn(column string) error {
	if strings.ContainsAny(column, ";\t") {
		return errors.New("is unknown; separate the columns by commas")
	}
	known := append(slices.Clone(csvOptions), "labels.NAME")
	for _, severity := range severities {
		known = append(known, "thresholds."+severity, "maximum."+severity, "token_thresholds.ID."+severity)
	}
	return fmt.Errorf("is unknown%s", suggest(column, known))
}

// csvRow makes the mapping of an account from a record. It is used again for the
// next one.
type csvRow struct {
	columns [][]string
	nodes   []yaml.Node
}

// mapping leaves out options without a value.
func (c *csvRow) mapping(record []string, line int) *yaml.Node {
	c.nodes = c.nodes[:0]
	if need := 1 + 6*len(record); cap(c.nodes) < need { // so that they stay where they are
		c.nodes = make([]yaml.Node, 0, need)
	}
	root := c.node(yaml.MappingNode, "", "", line)
	for i, text := range record {
		value := strings.TrimSpace(text)
		if value == "" {
			continue
		}
		mapping, keys := root, c.columns[i]
		for _, key := range keys[:len(keys)-1] {
			mapping = c.below(mapping, key, line)
		}
		switch keys[0] {
		case "transactions", "allowances", "cold":
			value = csvBool(value)
		}
		c.put(mapping, keys[len(keys)-1], c.node(yaml.ScalarNode, "!!str", value, line))
	}
	return root
}

// csvBool accepts true and false in any case: spreadsheets write TRUE and FALSE.
func csvBool(text string) string {
	for _, known := range []string{"true", "false"} {
		if strings.EqualFold(text, known) {
			return known
		}
	}
	return text
}

// below returns the mapping under key.
func (c *csvRow) below(mapping *yaml.Node, key string, line int) *yaml.Node {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return c.put(mapping, key, c.node(yaml.MappingNode, "", "", line))
}

func (c *csvRow) put(mapping *yaml.Node, key string, value *yaml.Node) *yaml.Node {
	mapping.Content = append(mapping.Content, c.node(yaml.ScalarNode, "!!str", key, value.Line), value)
	return value
}

func (c *csvRow) node(kind yaml.Kind, tag, value string, line int) *yaml.Node {
	c.nodes = append(c.nodes, yaml.Node{Kind: kind, Tag: tag, Value: value, Line: line})
	return &c.nodes[len(c.nodes)-1]
}
