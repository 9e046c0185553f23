// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hedera_exporter/internal/mirror/mirrortest"
)

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
	routes := mirrortest.Routes(t, "testdata")
	operators := []string{"eq", "ne", "gt", "gte", "lt", "lte"}
	seen := map[string]bool{}
	for _, route := range routes {
		if seen[route.Path] {
			t.Errorf("%s comes twice", route.Path)
		}
		seen[route.Path] = true
		if !strings.HasPrefix(route.Path, "/api/v1/") || route.Source == "" || (route.Module != "rest" && route.Module != "rest-java") {
			t.Errorf("%s: bad route, module %q or source %q", route.Path, route.Module, route.Source)
		}
		if _, ok := route.Parameters["limit"]; ok != (route.LimitMaximum > 0) || route.LimitDefault > route.LimitMaximum {
			t.Errorf("%s: the parameter limit, its default %d and its maximum %d do not fit", route.Path, route.LimitDefault, route.LimitMaximum)
		}
		for name, rule := range route.Parameters {
			if rule.Repeats < 1 || rule.EqualRepeats > rule.Repeats || len(rule.Operators) == 0 ||
				slices.ContainsFunc(rule.Operators, func(o string) bool { return !slices.Contains(operators, o) }) {
				t.Errorf("%s %s: bad rule %+v", route.Path, name, rule)
			}
		}
	}
}

func TestParameterCheck(t *testing.T) {
	routes := mirrortest.Routes(t, "testdata")
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
		route, ok := mirrortest.FindRoute(routes, request.Path)
		if !ok {
			t.Fatalf("%s: no route", test.request)
		}
		err = route.Check(request.Query())
		if (err == nil) != (test.err == "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%.80s: got %v, want %q", test.request, err, test.err)
		}
	}
}

// checkRequest returns the route of a request. One that was refused, or that
// the exporter never makes, may have any query.
func checkRequest(t *testing.T, routes []mirrortest.Route, line string, strict bool) (route mirrortest.Route, known bool) {
	t.Helper()
	request, err := url.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	route, known = mirrortest.FindRoute(routes, request.Path)
	if !known || !strict {
		return route, known
	}
	if err := route.Check(request.Query()); err != nil {
		t.Error(err)
	}
	return route, true
}

func TestRecordedData(t *testing.T) {
	routes := mirrortest.Routes(t, "testdata")
	dir := filepath.Join("testdata", "recorded")
	recorded := mirrortest.ReadLines[mirrortest.Answer](t, filepath.Join(dir, "mirror-rest-0.160.jsonl"))
	expected := mirrortest.ReadLines[mirrortest.Answer](t, filepath.Join(dir, "expected.jsonl"))
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
	routes := mirrortest.Routes(t, "testdata")
	files, err := filepath.Glob(filepath.Join("testdata", "shapes", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".jsonl"), func(t *testing.T) {
			names, used, withSamples := map[string]bool{}, map[string]bool{}, false
			for _, shape := range mirrortest.ReadLines[mirrortest.Answer](t, path) {
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
					used[route.Path] = true
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
