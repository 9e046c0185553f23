// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the configuration.
type Problem struct {
	// Where is the configuration file, or the flag or environment variable that
	// holds the mistake.
	Where string
	// Line counts from 1; it is 0 where there are no lines.
	Line int
	// Err says what is wrong and what to do.
	Err error
}

// Error is always one line.
func (p Problem) Error() string {
	message := strings.ReplaceAll(p.Err.Error(), "\n", " ")
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.Where, message)
	}
	return fmt.Sprintf("%s:%d: %s", p.Where, p.Line, message)
}

// Unwrap returns what is wrong without the place.
func (p Problem) Unwrap() error { return p.Err }

// Errors is everything that is wrong with a configuration: first the problems
// of the file in the order of its lines, then those of the files that it names, and
// then those of flags and environment.
type Errors struct {
	Problems []Problem
	// Files are those that were read.
	Files Files
}

// maxShown is how many problems are shown: a file may have one on each line.
const maxShown = 50

// Error has one problem on each line, of the first 50.
func (e *Errors) Error() string {
	shown := e.Problems[:min(len(e.Problems), maxShown)]
	lines := make([]string, 0, len(shown)+1)
	for _, p := range shown {
		lines = append(lines, p.Error())
	}
	if more := len(e.Problems) - len(shown); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more problems", more))
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look into every problem.
func (e *Errors) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

func (e *Errors) add(where string, line int, err error) {
	e.Problems = append(e.Problems, Problem{Where: where, Line: line, Err: err})
}

// sort puts the problems of file first, then those of the other files, each by
// line, and leaves the others in the order in which they were found.
func (e *Errors) sort(file string) {
	rank := func(p Problem) int {
		if _, ok := e.Files[p.Where]; !ok {
			return 2
		}
		if p.Where != file {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(e.Problems, func(a, b Problem) int {
		byRank := cmp.Compare(rank(a), rank(b))
		if byRank != 0 || rank(a) == 2 {
			return byRank
		}
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Line, b.Line))
	})
}
