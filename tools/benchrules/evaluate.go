// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	evaluationInterval = 15 * time.Second
	// rounds is how often each rule is evaluated. The first round creates the
	// series that are recorded, and does not count.
	rounds = 7
)

var promQL = parser.NewParser(parser.Options{})

// reach returns how far back the rules read each metric.
func reach(paths []string) (map[string]time.Duration, error) {
	reach := map[string]time.Duration{}
	for _, path := range paths {
		file, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			return nil, fmt.Errorf("%s: %w", path, errors.Join(errs...))
		}
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				expr, err := promQL.ParseExpr(rule.Expr)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
				addReach(reach, expr)
			}
		}
	}
	return reach, nil
}

func addReach(reach map[string]time.Duration, expr parser.Expr) {
	parser.Inspect(expr, func(node parser.Node, above []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		far := selector.OriginalOffset
		for _, n := range above {
			switch n := n.(type) {
			case *parser.MatrixSelector:
				far += n.Range
			case *parser.SubqueryExpr:
				far += n.Range + n.OriginalOffset
			}
		}
		reach[selector.Name] = max(reach[selector.Name], far)
		return nil
	})
}

// cost is what an evaluation of rules takes.
type cost struct {
	group, rule string
	interval    time.Duration
	rules       int
	cpu         time.Duration
}

// perInterval is the CPU time that it takes in an evaluationInterval, on average.
func (c cost) perInterval() time.Duration {
	return time.Duration(float64(c.cpu) * float64(evaluationInterval) / float64(c.interval))
}

// evaluate returns the CPU time of one evaluation of each rule, garbage
// collection included.
func evaluate(ctx context.Context, db *tsdb.DB, paths []string) (_ []cost, err error) {
	silent := slog.New(slog.DiscardHandler)
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: silent, MaxSamples: 50e6, Timeout: 2 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: promQL,
		NoStepSubqueryIntervalFn: func(int64) int64 { return evaluationInterval.Milliseconds() },
	})
	defer func() { err = errors.Join(err, engine.Close()) }()
	options := &rules.ManagerOptions{
		NameValidationScheme: model.UTF8Validation, AppendableV2: db, Queryable: db, QueryFunc: rules.EngineQueryFunc(engine, db),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Context: ctx, ExternalURL: &url.URL{}, Logger: silent, Parser: promQL,
		Registerer: prometheus.NewRegistry(),
	}
	loaded, errs := rules.NewManager(options).LoadGroups(evaluationInterval, labels.EmptyLabels(), "", nil, false, paths...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	type single struct {
		group *rules.Group // of the one rule
		cost  *cost
	}
	var all []single
	for _, group := range slices.SortedFunc(maps.Values(loaded), func(a, b *rules.Group) int { return cmp.Compare(a.Name(), b.Name()) }) {
		for i, rule := range group.Rules() {
			all = append(all, single{
				rules.NewGroup(rules.GroupOptions{
					Name: fmt.Sprintf("%s %d", group.Name(), i), File: group.File(), Interval: group.Interval(), Rules: []rules.Rule{rule}, Opts: options,
				}),
				&cost{group: group.Name(), rule: rule.Name(), interval: group.Interval(), rules: 1},
			})
		}
	}
	begin := time.Now()
	for round := range rounds {
		for _, s := range all {
			before := cpuTime()
			s.group.Eval(ctx, begin.Add(time.Duration(round)*evaluationInterval))
			if round > 0 {
				s.cost.cpu += (cpuTime() - before) / (rounds - 1)
			}
			if err := s.group.Rules()[0].LastError(); err != nil {
				return nil, fmt.Errorf("%s: %w", s.cost.rule, err)
			}
		}
	}
	costs := make([]cost, len(all))
	for i, s := range all {
		costs[i] = *s.cost
	}
	return costs, nil
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // not with these arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// report prints what the groups cost, and the dearest rules.
func report(costs []cost) {
	groups := map[string]cost{}
	all := cost{}
	var perInterval time.Duration
	for _, c := range costs {
		group := groups[c.group]
		groups[c.group] = cost{group: c.group, interval: c.interval, rules: group.rules + 1, cpu: group.cpu + c.cpu}
		all.rules++
		all.cpu += c.cpu
		perInterval += c.perInterval()
	}
	fmt.Printf("| group | interval | rules | CPU seconds an evaluation | CPU seconds in %s |\n", evaluationInterval)
	fmt.Println("| --- | --- | --- | --- | --- |")
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		fmt.Printf("| %s | %s | %d | %.3f | %.3f |\n", name, g.interval, g.rules, g.cpu.Seconds(), g.perInterval().Seconds())
	}
	fmt.Printf("| all | | %d | %.3f | %.3f |\n", all.rules, all.cpu.Seconds(), perInterval.Seconds())

	slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(b.cpu, a.cpu) })
	fmt.Println("\n| dearest rules | group | CPU seconds an evaluation |")
	fmt.Println("| --- | --- | --- |")
	for _, c := range costs[:min(25, len(costs))] {
		fmt.Printf("| %s | %s | %.3f |\n", c.rule, c.group, c.cpu.Seconds())
	}
}
