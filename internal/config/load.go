// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Source names everything that a configuration is made of.
type Source struct {
	// File is the path of the YAML file; empty for none.
	File string
	// Network is the network of Accounts. Empty is mainnet, unless the file has
	// one other network only. Unless the file has it, it is created from the
	// preset of that name when there are Accounts or no file.
	Network string
	// Accounts are ID or ID=NAME, as given to --account.
	Accounts []string
	// CheckFiles is whether the files that requests need are read too, such as
	// those of credentials and certificates.
	CheckFiles bool
	// Collectors has each known collector.
	Collectors map[string]Collector
}

// Collector says what may be configured of a collector.
type Collector struct {
	// MaxMinInterval is the longest min_interval that it accepts; 0 means that it
	// must ask afresh on every scrape.
	MaxMinInterval time.Duration
	// Metrics are its metrics by the names that exclude accepts: the whole name,
	// and a short one.
	Metrics map[string]string
}

// Load reads and checks the configuration. What is wrong with it comes back as
// *Errors, all of it at once.
func Load(src Source) (*Config, error) {
	return load(src, partBytes)
}

// load cuts lists that are longer than partBytes; 0 is none.
func load(src Source, partBytes int) (*Config, error) {
	l := &loader{src: src, file: src.File, cut: &cutting{partBytes: partBytes, lists: map[*yaml.Node]longList{}}, errs: &Errors{Files: Files{}}, labelNames: map[string]bool{}, sharedLabels: map[string]Labels{}, sharedThresholds: map[[len(severities)]Threshold]Thresholds{}}
	root, ok := l.parseFile()
	if !ok {
		return nil, l.errs
	}
	s := l.newSection(path{}, 0, root)
	networks := s.section("networks")
	cfg := &Config{
		MinInterval: map[string]time.Duration{},
		Exclude:     map[string][]string{},
		Files:       l.errs.Files,
	}
	l.collectors(s.section("collectors"), cfg)
	cfg.Networks = l.networks(networks)
	cfg.DefaultNetwork = l.defaultNetwork
	cfg.LabelNames = l.sortedLabelNames()
	if slices.ContainsFunc(cfg.Networks, Network.usesProxyEnvironment) {
		l.checkProxyEnvironment()
	}
	s.done()
	if src.File != "" && len(networks.entries) == 0 && !networks.broken && !s.broken {
		// The file may have been emptied or cut off: the public mainnet must not
		// replace its networks.
		l.problem(networks.line, "has no networks: list at least one under networks, or use --network and --account without a file")
	}
	if l.cut.wrong() {
		return load(src, 0)
	}
	if len(l.errs.Problems) > 0 {
		l.errs.sort(src.File)
		return nil, l.errs
	}
	return cfg, nil
}

// loader collects what is wrong while the parts of a configuration are read.
type loader struct {
	src            Source
	file           string // which is read: src.File, or one that it names
	defaultNetwork string
	errs           *Errors
	cut            *cutting
	labelNames     map[string]bool // of all entities

	// What many entities have in common.
	sharedLabels     map[string]Labels
	sharedThresholds map[[len(severities)]Threshold]Thresholds
}

// problem reports a mistake in the file.
func (l *loader) problem(line int, format string, args ...any) {
	l.errs.add(l.file, line, fmt.Errorf(format, args...))
}

// place is where something stands: in a file, or in a flag.
type place struct {
	where string
	line  int // 0: there are no lines
}

// String is how messages about another place name this one.
func (p place) String() string {
	if p.line == 0 {
		return p.where
	}
	return fmt.Sprintf("%s:%d", p.where, p.line)
}

// at is a line of the file.
func (l *loader) at(line int) place { return place{l.file, line} }

// path resolves a path that stands in the configuration file.
func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(l.src.File), name)
}

// parseFile returns the file's only document, nil when there is nothing in it.
func (l *loader) parseFile() (*yaml.Node, bool) {
	if l.file == "" {
		return nil, true
	}
	data, err := l.errs.Files.read(l.file)
	if err != nil {
		l.problem(0, "cannot be read: %w", err)
		return nil, false
	}
	return l.parseYAML(data)
}

// parseYAML returns the only document, nil when there is nothing in it.
func (l *loader) parseYAML(data []byte) (*yaml.Node, bool) {
	if root, ok := l.parseCut(data); ok {
		return root, true
	}
	lines := &lineReader{data: data}
	dec := yaml.NewDecoder(lines)
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, true
	} else if err != nil {
		l.syntaxError(err, lines)
		return nil, false
	}
	if err := dec.Decode(&second); err == nil {
		l.problem(second.Line, "a second YAML document starts here, only one is allowed")
		return nil, false
	} else if !errors.Is(err, io.EOF) {
		l.syntaxError(err, lines)
		return nil, false
	}
	return doc.Content[0], true
}

// cause is the error without the path, which the place of the problem or the
// message has already.
func cause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

var (
	yamlLine   = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// lineReader reads a line at a time, so that the parser is at the last of them.
type lineReader struct {
	data []byte
	read int // bytes
	last int // the number of the last line
}

func (r *lineReader) Read(p []byte) (int, error) {
	rest := r.data[r.read:]
	if len(rest) == 0 {
		return 0, io.EOF
	}
	if r.read == 0 || r.data[r.read-1] == '\n' {
		r.last++
	}
	n := copy(p, rest[:cmp.Or(bytes.IndexByte(rest, '\n')+1, len(rest))])
	r.read += n
	return n, nil
}

// tabbed reports whether the last line has a tab in its indentation.
func (r *lineReader) tabbed() bool {
	before := r.data[:r.read]
	line := before[bytes.LastIndexByte(bytes.TrimSuffix(before, []byte("\n")), '\n')+1:]
	indentation := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	return bytes.IndexByte(indentation, '\t') >= 0
}

func (l *loader) syntaxError(err error, lines *lineReader) {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		l.problem(0, "not valid YAML: %w", err)
		return
	}
	line, message := 0, m[2]
	if m[1] != "" {
		line, _ = strconv.Atoi(m[1])
	}
	switch {
	case strings.Contains(message, "tab character") || strings.Contains(message, "cannot start any token") && lines.tabbed():
		line, message = lines.last, "the indentation has a tab; use spaces only"
	case strings.HasPrefix(message, "did not find expected"):
		// The parser names the line where the surrounding block begins, less one.
		line, message = lines.last, message+"; look at the indentation and the brackets of this line and of those before it"
	}
	// The name of the anchor is not repeated: it may be a password that begins
	// with an asterisk.
	if a := yamlAnchor.FindStringSubmatch(message); a != nil {
		line = lineOf(lines.data, "*"+a[1])
		message = "a value that begins with * refers to an anchor that does not exist; quote it if it is text"
	}
	l.problem(line, "not valid YAML: %s", message)
}

func lineOf(data []byte, text string) int {
	before, _, found := strings.Cut(string(data), text)
	if !found {
		return 0
	}
	return strings.Count(before, "\n") + 1
}
