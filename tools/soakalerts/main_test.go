// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestOutcome(t *testing.T) {
	began := time.Now()
	at := func(network, status, alert, severity string) notification {
		return notification{at: began.Add(time.Minute), status: status, network: network, alert: alert, severity: severity}
	}
	page, warning := at("one", "firing", "Page", "critical"), at("one", "firing", "Warning", "warning")
	for name, test := range map[string]struct {
		all   []notification
		fault fault
		want  bool
	}{
		"the page":             {[]notification{page}, fault{page: "Page"}, true},
		"the page again":       {[]notification{page, page}, fault{page: "Page"}, true},
		"with a warning":       {[]notification{warning, page}, fault{page: "Page"}, true},
		"nothing":              {nil, fault{page: "Page"}, false},
		"a warning only":       {[]notification{warning}, fault{page: "Page"}, false},
		"another page":         {[]notification{at("one", "firing", "Other", "critical")}, fault{page: "Page"}, false},
		"two pages":            {[]notification{page, at("one", "firing", "Other", "critical")}, fault{page: "Page"}, false},
		"of another network":   {[]notification{at("two", "firing", "Page", "critical")}, fault{page: "Page"}, false},
		"resolved":             {[]notification{page, at("one", "resolved", "Page", "critical")}, fault{page: "Page"}, false},
		"the note":             {[]notification{warning}, fault{note: "Warning"}, true},
		"no note":              {nil, fault{note: "Warning"}, false},
		"a page for a note":    {[]notification{warning, page}, fault{note: "Warning"}, false},
		"a note resolved":      {[]notification{warning, at("one", "resolved", "Warning", "warning")}, fault{note: "Warning"}, false},
		"silence":              {[]notification{at("two", "firing", "Page", "critical")}, fault{}, true},
		"a warning in silence": {[]notification{warning}, fault{}, false},
	} {
		if got := outcomeOf("one", test.all, began).is(test.fault); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}

	early := warning
	early.at = began.Add(-time.Minute)
	if o := outcomeOf("one", []notification{early, page}, began); !o.early["Warning"] || o.early["Page"] {
		t.Errorf("early: %v, want the warning only", o.early)
	}
}
