// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"hedera_exporter/internal/config"
)

const labelsHelp = "Labels that the configuration gives the %s; the value is always 1. " +
	"It has every label name of the configuration file, empty where the %s has no such label. Absent if the file has no labels."

// ownLabels is a family that has labels of the operator's own beside those that
// are declared. All of its samples have all names, so that a join with it loses
// no entity.
type ownLabels struct {
	Metric

	names  []string
	family *metricFamily
}

// newLabels declares a family; m.Name is without the namespace.
func newLabels(m Metric) ownLabels { return ownLabels{Metric: declare(m, "gauge")} }

// of is the family with the label names of the configuration.
func (l ownLabels) of(names []string) ownLabels {
	l.names = names
	m := l.Metric
	m.Labels = with(l.Labels, names...)
	l.family = newFamily(m, prometheus.GaugeValue, newLabelNames(m.Labels))
	return l
}

// send sends the sample of the entity that id, the declared labels, names.
func (l ownLabels) send(ch chan<- prometheus.Metric, labels config.Labels, id ...string) {
	l.sendOf(ch, labels, newLabelValues(id))
}

func (l ownLabels) sendOf(ch chan<- prometheus.Metric, labels config.Labels, id *labelValues) {
	if len(l.names) == 0 {
		return
	}
	values := make([]string, 0, len(l.names))
	for _, name := range l.names {
		values = append(values, labels[name])
	}
	ch <- l.family.newSample(1, 0, id.with(values...))
}
