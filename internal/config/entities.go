// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"strings"

	"github.com/prometheus/common/model"
)

// Entity is a watched token, topic or contract.
type Entity struct {
	ID EntityID `yaml:"id"`
	// Name is the id if none was given. It is unique within its list.
	Name   string `yaml:"name"`
	Labels Labels `yaml:"labels,omitempty,flow"`
}

// Topic is a watched topic.
type Topic struct {
	Entity `yaml:",inline"`
	// Heartbeat is the configured maximum time between messages; 0 if none.
	Heartbeat model.Duration `yaml:"heartbeat,omitempty"`
}

// Contract is a watched contract.
type Contract struct {
	Entity `yaml:",inline"`
	// Thresholds are of hbar, and balances below them.
	Thresholds Thresholds `yaml:"thresholds,omitempty,flow"`
}

// ScheduleCreator is an account whose pending schedules are watched.
type ScheduleCreator struct {
	ID EntityID `yaml:"creator"`
	// Name is the id if none was given. It is unique within its list.
	Name string `yaml:"name"`
}

var errNoMirror = errors.New("needs a mirror, which this network does not have: set its mirror.url or remove the key")

type parseIDFunc func(string) (EntityID, error)

// entities reads the list under key from the section of network n with read,
// which reads one element.
func entities[T any](l *loader, n Network, s *section, key, idKey string, parse parseIDFunc, read func(T, *section, places, parseIDFunc) T) []T {
	list, _ := s.take(key)
	elements := s.list(key)
	if len(elements) > 0 && n.Mirror == nil {
		l.problem(list.line, "%s: %w", list.path, errNoMirror)
	}
	p := newPlaces()
	var entities []T
	for _, e := range elements {
		element := l.element(e, idKey)
		var entity T
		entities = append(entities, read(entity, element, p, parse))
		element.done()
	}
	return entities
}

func (e Entity) read(s *section, p places, parse parseIDFunc) Entity {
	e.ID, e.Name = p.read(s, "id", parse)
	e.Labels = s.l.labels(s.section("labels"))
	return e
}

func (t Topic) read(s *section, p places, parse parseIDFunc) Topic {
	t.Entity = t.Entity.read(s, p, parse)
	read(s, "heartbeat", &t.Heartbeat, parsePositiveDuration)
	return t
}

func (c Contract) read(s *section, p places, parse parseIDFunc) Contract {
	c.Entity = c.Entity.read(s, p, parse)
	c.Thresholds = minimum(s.section("thresholds"), hbarUnit)
	return c
}

func (c ScheduleCreator) read(s *section, p places, parse parseIDFunc) ScheduleCreator {
	c.ID, c.Name = p.read(s, "creator", parse)
	return c
}

// places remembers where each id and name of a list stands: neither may be
// repeated.
type places struct {
	ids   map[EntityID]place
	names map[string]place
}

func newPlaces() places {
	return places{ids: map[EntityID]place{}, names: map[string]place{}}
}

// read reads the id under key, and the name, which is the id if none was given.
func (p places) read(s *section, key string, parse parseIDFunc) (id EntityID, name string) {
	idLine := required(s, key, &id, parse)
	nameLine := read(s, "name", &name, parseLabel)
	name = strings.Clone(name) // and not the text around it
	if once(s, key, idLine, id, p.ids) && nameLine == 0 {
		name, nameLine = id.String(), idLine
	}
	once(s, "name", nameLine, name, p.names)
	return id, name
}
