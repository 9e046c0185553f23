// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Option is one value of a variable.
type Option struct{ Text, Value string }

// Choice is what is chosen of a variable.
type Choice struct {
	Options []Option
	Raw     string // goes into queries as it is, in place of the options
}

// Values are the choices of each variable.
type Values map[string]Choice

// reference is $name, ${name} or ${name:format}.
var reference = regexp.MustCompile(`\$(?:(\w+)|\{(\w+)(?::(\w+))?\})`)

// Expand replaces variables: in a query by a regular expression of all values,
// as Grafana does for Prometheus. Unknown ones stay.
func (v Values) Expand(text string) string {
	return v.replace(text, func(c Choice) string {
		if c.Raw != "" {
			return c.Raw
		}
		escaped := make([]string, len(c.Options))
		for i, o := range c.Options {
			escaped[i] = strings.ReplaceAll(regexp.QuoteMeta(o.Value), `\`, `\\`)
		}
		if len(escaped) == 1 {
			return escaped[0]
		}
		return "(" + strings.Join(escaped, "|") + ")"
	})
}

// Title replaces variables by what the reader sees.
func (v Values) Title(text string) string {
	return v.replace(text, func(c Choice) string {
		texts := make([]string, len(c.Options))
		for i, o := range c.Options {
			texts[i] = o.Text
		}
		return strings.Join(texts, " + ")
	})
}

func (v Values) replace(text string, with func(Choice) string) string {
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		groups := reference.FindStringSubmatch(match)
		choice, known := v[groups[1]+groups[2]]
		if !known {
			return match
		}
		return with(choice)
	})
}

// Window is the time that a dashboard shows.
type Window struct {
	Start, End time.Time
	Scrape     time.Duration // the data source's scrape interval

	// Both are of a panel.
	Step time.Duration
	Rate time.Duration // $__rate_interval
}

// gridWidth is that of Grafana's 24 columns on a screen of 1920 pixels. Without
// a limit of its own, a panel asks for as many points as it has pixels.
const gridWidth = 1840

// niceSteps are those that Grafana rounds to, up to what dashboards here show.
var niceSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// Of is the part of the window that the panel shows, with the step that Grafana
// asks for. The step and what follows from it are at least the scrape interval.
func (w Window) Of(p dashboard.Panel) Window {
	if p.TimeFrom != nil {
		length, err := model.ParseDuration(*p.TimeFrom)
		if start := w.End.Add(-time.Duration(length)); err == nil && start.After(w.Start) {
			w.Start = start
		}
	}
	points := float64(gridWidth)
	if p.GridPos != nil {
		points *= float64(p.GridPos.W) / 24
	}
	if p.MaxDataPoints != nil {
		points = *p.MaxDataPoints
	}
	return w.stepped(time.Duration(float64(w.End.Sub(w.Start)) / points))
}

func (w Window) stepped(least time.Duration) Window {
	w.Step = niceSteps[len(niceSteps)-1]
	for i, nice := range niceSteps[1:] {
		if least < (niceSteps[i]+nice)/2 {
			w.Step = niceSteps[i]
			break
		}
	}
	w.Step = max(w.Step, w.Scrape)
	w.Rate = max(w.Step+w.Scrape, 4*w.Scrape)
	return w
}

// annotationStep is how far apart the points of annotations are.
const annotationStep = time.Minute

// Annotations is the window by which annotations are asked for.
func (w Window) Annotations() Window {
	return w.stepped(annotationStep)
}

func (w Window) variables() Values {
	plain := func(d time.Duration) Choice {
		return Choice{Raw: model.Duration(d).String()}
	}
	return Values{
		"__rate_interval": plain(w.Rate),
		"__interval":      plain(w.Step),
		"__range":         plain(w.End.Sub(w.Start).Truncate(time.Second)),
	}
}

// Resolve asks Prometheus for the values of the dashboard's variables and
// chooses all of them.
func Resolve(ctx context.Context, api v1.API, d dashboard.Dashboard, w Window) (Values, error) {
	values := Values{}
	for _, variable := range d.Templating.List {
		if variable.Type == dashboard.VariableTypeTextbox {
			values[variable.Name] = Choice{Options: []Option{{"", ""}}}
			continue
		}
		if variable.Type != dashboard.VariableTypeQuery {
			values[variable.Name] = Choice{Options: []Option{{"Prometheus", "prometheus"}}}
			continue
		}
		options, err := resolve(ctx, api, values.Expand(*variable.Query.String), variable, w)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
		}
		if len(options) == 0 {
			return nil, fmt.Errorf("variable %s has no values: %s", variable.Name, values.Expand(*variable.Query.String))
		}
		choice := Choice{Options: options}
		if variable.AllValue != nil {
			choice.Raw = *variable.AllValue
		}
		values[variable.Name] = choice
	}
	return values, nil
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

func resolve(ctx context.Context, api v1.API, query string, variable dashboard.VariableModel, w Window) ([]Option, error) {
	if groups := labelValues.FindStringSubmatch(query); groups != nil {
		found, _, _, err := api.LabelValues(ctx, groups[2], []string{groups[1]}, w.Start, w.End)
		options := make([]Option, len(found))
		for i, value := range found {
			options[i] = Option{string(value), string(value)}
		}
		return options, err
	}
	expression, isResult := strings.CutPrefix(query, "query_result(")
	if !isResult || variable.Regex == nil {
		return nil, fmt.Errorf("query %s is neither label_values nor query_result with a regular expression", query)
	}
	answer, _, _, err := api.Query(ctx, strings.TrimSuffix(expression, ")"), w.End)
	if err != nil {
		return nil, err
	}
	vector, _ := answer.(model.Vector)
	return captured(vector, *variable.Regex)
}

// captured applies the regular expression of a variable to each sample.
func captured(vector model.Vector, expression string) ([]Option, error) {
	pattern, err := regexp.Compile(strings.TrimSuffix(strings.TrimPrefix(expression, "/"), "/g"))
	if err != nil {
		return nil, err
	}
	var options []Option
	for _, sample := range vector {
		var o Option
		for _, match := range pattern.FindAllStringSubmatch(sampleText(sample), -1) {
			o.Value += match[pattern.SubexpIndex("value")]
			o.Text += match[pattern.SubexpIndex("text")]
		}
		options = append(options, o)
	}
	slices.SortFunc(options, func(a, b Option) int { return strings.Compare(a.Text, b.Text) })
	return slices.Compact(options), nil
}

// sampleText is what Grafana matches a regular expression of query_result with.
func sampleText(sample *model.Sample) string {
	labels := make([]string, 0, len(sample.Metric))
	for _, name := range slices.Sorted(maps.Keys(sample.Metric)) {
		if name != model.MetricNameLabel {
			labels = append(labels, fmt.Sprintf(`%s="%s"`, name, sample.Metric[name]))
		}
	}
	return fmt.Sprintf("%s{%s} %s %d", sample.Metric[model.MetricNameLabel], strings.Join(labels, ","), sample.Value, sample.Timestamp)
}
