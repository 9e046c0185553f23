// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package mirrortest reads the test data of package mirror, which is described
// in testdata/README.md there.
package mirrortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Answer is a line of testdata/recorded or testdata/shapes; see the README.md
// there.
type Answer struct {
	Name    string            `json:"name"`
	Request string            `json:"request"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Raw     *string           `json:"raw"`
	// Unasked requests are those that the exporter must never make.
	Unasked bool `json:"unasked"`
	Expectation
}

// Expectation is a line of testdata/recorded/expected.jsonl.
type Expectation struct {
	Purpose string                     `json:"purpose"`
	Given   json.RawMessage            `json:"given"`
	Odd     []string                   `json:"odd"`
	Error   string                     `json:"error"`
	Values  map[string]json.RawMessage `json:"values"`
	Samples []string                   `json:"samples"`
	Note    string                     `json:"note"`
}

// Route is an element of testdata/openapi-parameters.json.
type Route struct {
	Path         string                   `json:"route"`
	Module       string                   `json:"module"`
	LimitDefault int                      `json:"limit_default"`
	LimitMaximum int                      `json:"limit_maximum"`
	Parameters   map[string]ParameterRule `json:"parameters"`
	Source       string                   `json:"source"`
}

// ParameterRule is what a route takes as values of one parameter.
type ParameterRule struct {
	Operators []string `json:"operators"`
	Repeats   int      `json:"repeats"`
	// EqualRepeats is how often the parameter may come with the operator eq,
	// where that is less than Repeats.
	EqualRepeats int `json:"eq_repeats"`
}

// ReadLines reads a file of one JSON object a line.
func ReadLines[T any](t testing.TB, path string) []T {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	for i, line := range bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n")) {
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var row T
		if err := decoder.Decode(&row); err != nil {
			t.Fatalf("%s:%d: %v", path, i+1, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// Routes reads openapi-parameters.json in dir, the path of testdata.
func Routes(t testing.TB, dir string) []Route {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "openapi-parameters.json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var routes []Route
	if err := decoder.Decode(&routes); err != nil {
		t.Fatal(err)
	}
	return routes
}

// FindRoute returns the route that a path belongs to. A literal segment wins
// over {id}.
func FindRoute(routes []Route, path string) (Route, bool) {
	for _, literal := range []bool{true, false} {
		for _, route := range routes {
			if literal == !strings.Contains(route.Path, "{") && matchPath(route.Path, path) {
				return route, true
			}
		}
	}
	return Route{}, false
}

func matchPath(route, path string) bool {
	return slices.EqualFunc(strings.Split(route, "/"), strings.Split(path, "/"), func(want, got string) bool {
		return want == got || (strings.HasPrefix(want, "{") && got != "")
	})
}

// Check returns what is wrong with a query for the route.
func (r Route) Check(query url.Values) error {
	for name, values := range query {
		rule, ok := r.Parameters[name]
		if !ok {
			return fmt.Errorf("%s has no parameter %s", r.Path, name)
		}
		if len(values) > rule.Repeats {
			return fmt.Errorf("%s %d times, at most %d", name, len(values), rule.Repeats)
		}
		equal := 0
		for _, value := range values {
			operator, _, ok := strings.Cut(value, ":")
			if !ok {
				operator = "eq"
			}
			if !slices.Contains(rule.Operators, operator) {
				return fmt.Errorf("%s=%s: operator %s is not allowed", name, value, operator)
			}
			if operator == "eq" {
				equal++
			}
		}
		if rule.EqualRepeats > 0 && equal > rule.EqualRepeats {
			return fmt.Errorf("%s %d times with eq, at most %d", name, equal, rule.EqualRepeats)
		}
	}
	if limit := query.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > r.LimitMaximum {
			return fmt.Errorf("limit=%s is not from 1 to %d", limit, r.LimitMaximum)
		}
	}
	return nil
}
