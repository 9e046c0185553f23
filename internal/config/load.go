// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Source names everything that a configuration is made of.
type Source struct {
	// File is the path of the YAML file; empty for none.
	File string
	// Network is the network of Accounts and of the operator in the environment,
	// mainnet when empty. Unless the file has it, it is created from the preset
	// of that name when there are Accounts or no file.
	Network string
	// Accounts are ID or ID=NAME, as given to --account.
	Accounts []string
	// Getenv looks up OPERATOR_ID and OPERATOR_KEY; nil is os.Getenv.
	Getenv func(string) string
	// Collectors maps each known collector to the longest min_interval that it
	// accepts; 0 means that it must ask afresh on every scrape.
	Collectors map[string]time.Duration
}

// Load reads and checks the configuration. What is wrong with it comes back as
// *Errors, all of it at once.
func Load(src Source) (*Config, error) {
	l := newLoader(src)
	root, ok := l.parseFile()
	if !ok {
		return nil, &l.errs
	}
	s := l.newSection("", 0, root)
	networks := s.section("networks")
	cfg := &Config{
		MinInterval: l.collectors(s.section("collectors")),
		Networks:    l.networks(networks),
	}
	cfg.LabelNames = l.sortedLabelNames()
	s.done()
	if src.File != "" && len(networks.entries) == 0 && !networks.broken && !s.broken {
		// The file may have been emptied or cut off: the public mainnet must not
		// replace its networks.
		l.problem(networks.line, "has no networks: list at least one under networks, or use --network and --account without a file")
	}
	if len(l.errs.Problems) > 0 {
		l.errs.sort(src.File)
		return nil, &l.errs
	}
	return cfg, nil
}

// loader collects what is wrong while the parts of a configuration are read.
type loader struct {
	src        Source
	errs       Errors
	labelNames map[string]bool // of all entities
}

func newLoader(src Source) *loader {
	if src.Network == "" {
		src.Network = mainnet
	}
	if src.Getenv == nil {
		src.Getenv = os.Getenv
	}
	return &loader{src: src, labelNames: map[string]bool{}}
}

// problem reports a mistake in the file.
func (l *loader) problem(line int, format string, args ...any) {
	l.errs.add(l.src.File, line, fmt.Errorf(format, args...))
}

// at names a line of the file inside the message about another one.
func (l *loader) at(line int) string {
	return fmt.Sprintf("%s:%d", l.src.File, line)
}

// path resolves a path that stands in the file.
func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(l.src.File), name)
}

// parseFile returns the file's only document, nil when there is nothing in it.
func (l *loader) parseFile() (*yaml.Node, bool) {
	if l.src.File == "" {
		return nil, true
	}
	data, err := readFile(l.src.File, maxConfigBytes)
	if err != nil {
		l.problem(0, "cannot be read: %w", err)
		return nil, false
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, true
	} else if err != nil {
		l.syntaxError(err, data)
		return nil, false
	}
	if err := dec.Decode(&second); err == nil {
		l.problem(second.Line, "a second YAML document starts here, only one is allowed")
		return nil, false
	} else if !errors.Is(err, io.EOF) {
		l.syntaxError(err, data)
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

func (l *loader) syntaxError(err error, data []byte) {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		l.problem(0, "not valid YAML: %w", err)
		return
	}
	line, message := 0, m[2]
	if m[1] != "" {
		line, _ = strconv.Atoi(m[1])
	}
	// The name of the anchor is not repeated: it may be a password that begins
	// with an asterisk.
	if a := yamlAnchor.FindStringSubmatch(message); a != nil {
		line = lineOf(data, "*"+a[1])
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
