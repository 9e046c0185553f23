// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// answer is a line of testdata/recorded or testdata/shapes; see the README.md
// there.
type answer struct {
	Name    string            `json:"name"`
	Request string            `json:"request"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Raw     *string           `json:"raw"`
	// Unasked requests are those that the exporter must never make.
	Unasked bool `json:"unasked"`
	expectation
}

// expectation is a line of testdata/recorded/expected.jsonl.
type expectation struct {
	Purpose string                     `json:"purpose"`
	Given   json.RawMessage            `json:"given"`
	Odd     []string                   `json:"odd"`
	Error   string                     `json:"error"`
	Values  map[string]json.RawMessage `json:"values"`
	Samples []string                   `json:"samples"`
	Note    string                     `json:"note"`
}

// routeParameters is an element of testdata/openapi-parameters.json.
type routeParameters struct {
	Route        string                   `json:"route"`
	Module       string                   `json:"module"`
	LimitDefault int                      `json:"limit_default"`
	LimitMaximum int                      `json:"limit_maximum"`
	Parameters   map[string]parameterRule `json:"parameters"`
	Source       string                   `json:"source"`
}

type parameterRule struct {
	Operators []string `json:"operators"`
	Repeats   int      `json:"repeats"`
	// EqualRepeats is how often the parameter may come with the operator eq,
	// where that is less than Repeats.
	EqualRepeats int `json:"eq_repeats"`
}

func readLines[T any](t *testing.T, path string) []T {
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

func readParameters(t *testing.T) []routeParameters {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "openapi-parameters.json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var routes []routeParameters
	if err := decoder.Decode(&routes); err != nil {
		t.Fatal(err)
	}
	return routes
}

// findRoute returns the route that a path belongs to. A literal segment wins
// over {id}.
func findRoute(routes []routeParameters, path string) (routeParameters, bool) {
	for _, literal := range []bool{true, false} {
		for _, route := range routes {
			if literal == !strings.Contains(route.Route, "{") && matchPath(route.Route, path) {
				return route, true
			}
		}
	}
	return routeParameters{}, false
}

func matchPath(route, path string) bool {
	return slices.EqualFunc(strings.Split(route, "/"), strings.Split(path, "/"), func(want, got string) bool {
		return want == got || (strings.HasPrefix(want, "{") && got != "")
	})
}

// check returns what is wrong with a query for the route.
func (r routeParameters) check(query url.Values) error {
	for name, values := range query {
		rule, ok := r.Parameters[name]
		if !ok {
			return fmt.Errorf("%s has no parameter %s", r.Route, name)
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

func checkSamples(t *testing.T, network string, lines []string) {
	t.Helper()
	if !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
		t.Error("samples are not sorted, or one comes twice")
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(strings.Join(lines, "\n") + "\n"))
	if err != nil {
		t.Error(err)
	}
	series, samples := map[string]bool{}, 0
	for name, family := range families {
		if !strings.HasPrefix(name, "hedera_") {
			t.Errorf("%s does not begin with hedera_", name)
		}
		for _, metric := range family.GetMetric() {
			samples++
			key := fmt.Sprint(name, metric.GetLabel())
			if series[key] {
				t.Errorf("series %s comes twice", key)
			}
			series[key] = true
			if !slices.ContainsFunc(metric.GetLabel(), func(l *dto.LabelPair) bool {
				return l.GetName() == "network" && l.GetValue() == network
			}) {
				t.Errorf("%s has not the label network=%q", key, network)
			}
		}
	}
	if samples != len(lines) {
		t.Errorf("%d lines are %d samples", len(lines), samples)
	}
}

func TestParameterData(t *testing.T) {
	routes := readParameters(t)
	operators := []string{"eq", "ne", "gt", "gte", "lt", "lte"}
	seen := map[string]bool{}
	for _, route := range routes {
		if seen[route.Route] {
			t.Errorf("%s comes twice", route.Route)
		}
		seen[route.Route] = true
		if !strings.HasPrefix(route.Route, "/api/v1/") || route.Source == "" || (route.Module != "rest" && route.Module != "rest-java") {
			t.Errorf("%s: bad route, module %q or source %q", route.Route, route.Module, route.Source)
		}
		if _, ok := route.Parameters["limit"]; ok != (route.LimitMaximum > 0) || route.LimitDefault > route.LimitMaximum {
			t.Errorf("%s: the parameter limit, its default %d and its maximum %d do not fit", route.Route, route.LimitDefault, route.LimitMaximum)
		}
		for name, rule := range route.Parameters {
			if rule.Repeats < 1 || rule.EqualRepeats > rule.Repeats || len(rule.Operators) == 0 ||
				slices.ContainsFunc(rule.Operators, func(o string) bool { return !slices.Contains(operators, o) }) {
				t.Errorf("%s %s: bad rule %+v", route.Route, name, rule)
			}
		}
	}
}

func TestParameterCheck(t *testing.T) {
	routes := readParameters(t)
	tests := []struct {
		request, err string
	}{
		{request: "/api/v1/accounts?account.id=0.0.1&account.id=0.0.2&limit=100"},
		{request: "/api/v1/blocks?block.number=gt:1&block.number=lt:9&order=asc"},
		{request: "/api/v1/accounts?colour=red", err: "has no parameter colour"},
		{request: "/api/v1/accounts?limit=101", err: "limit=101 is not from 1 to 100"},
		{request: "/api/v1/accounts?limit=1&limit=2", err: "limit 2 times, at most 1"},
		{request: "/api/v1/blocks?block.number=ne:1", err: "operator ne is not allowed"},
		{request: "/api/v1/tokens/0.0.1/balances?account.id=0.0.1&account.id=0.0.2", err: "account.id 2 times with eq, at most 1"},
		{request: "/api/v1/accounts?account.id=" + strings.Repeat("1&account.id=", 100) + "2", err: "account.id 101 times, at most 100"},
		{request: "/api/v1/network/nodes?limit=26", err: "limit=26 is not from 1 to 25"},
		{request: "/api/v1/network/stake?order=asc", err: "has no parameter order"},
	}
	for _, test := range tests {
		request, err := url.Parse(test.request)
		if err != nil {
			t.Fatal(err)
		}
		route, ok := findRoute(routes, request.Path)
		if !ok {
			t.Fatalf("%s: no route", test.request)
		}
		err = route.check(request.Query())
		if (err == nil) != (test.err == "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%.80s: got %v, want %q", test.request, err, test.err)
		}
	}
}

// checkRequest returns the route of a request. One that was refused, or that
// the exporter never makes, may have any query.
func checkRequest(t *testing.T, routes []routeParameters, line string, strict bool) (route routeParameters, known bool) {
	t.Helper()
	request, err := url.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	route, known = findRoute(routes, request.Path)
	if !known || !strict {
		return route, known
	}
	if err := route.check(request.Query()); err != nil {
		t.Error(err)
	}
	return route, true
}

func TestRecordedData(t *testing.T) {
	routes := readParameters(t)
	dir := filepath.Join("testdata", "recorded")
	recorded := readLines[answer](t, filepath.Join(dir, "mirror-rest-0.160.jsonl"))
	expected := readLines[answer](t, filepath.Join(dir, "expected.jsonl"))
	if len(expected) != len(recorded)+1 || expected[0].Given == nil {
		t.Fatalf("%d answers and %d expectations after the line of what is given", len(recorded), len(expected)-1)
	}
	requests := map[string]bool{}
	for i, got := range recorded {
		want := expected[i+1]
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			if got.Request != want.Request || got.Status != want.Status {
				t.Fatalf("answer %d to %s is not expectation %d of %s", got.Status, got.Request, want.Status, want.Request)
			}
			if requests[got.Request] {
				t.Errorf("%s comes twice", got.Request)
			}
			requests[got.Request] = true
			_, known := checkRequest(t, routes, got.Request, want.Purpose != "" && got.Status == http.StatusOK)
			if !known && (want.Purpose != "" || got.Status != http.StatusNotFound) {
				t.Errorf("%s has no route", got.Request)
			}
			if (want.Error == "") != (got.Status == http.StatusOK) {
				t.Errorf("status %d and error %q", got.Status, want.Error)
			}
			checkSamples(t, "recorded", want.Samples)
		})
	}
}

func TestShapeData(t *testing.T) {
	routes := readParameters(t)
	files, err := filepath.Glob(filepath.Join("testdata", "shapes", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".jsonl"), func(t *testing.T) {
			names, used, withSamples := map[string]bool{}, map[string]bool{}, false
			for _, shape := range readLines[answer](t, path) {
				t.Run(shape.Name, func(t *testing.T) {
					if shape.Name == "" || names[shape.Name] {
						t.Error("the name is empty or comes twice")
					}
					names[shape.Name] = true
					if http.StatusText(shape.Status) == "" {
						t.Errorf("status %d", shape.Status)
					}
					if (shape.Body == nil) == (shape.Raw == nil) {
						t.Error("it has both or neither of body and raw")
					}
					route, known := checkRequest(t, routes, shape.Request, shape.Status == http.StatusOK && !shape.Unasked)
					if !known {
						t.Errorf("%s has no route", shape.Request)
					}
					used[route.Route] = true
					withSamples = withSamples || len(shape.Samples) > 0 || len(shape.Values) > 0
					checkSamples(t, "shapes", shape.Samples)
				})
			}
			if len(used) != 1 || !withSamples {
				t.Errorf("%d routes in one file; samples or values: %t", len(used), withSamples)
			}
		})
	}
}
