// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"

	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
)

// topicsKey is the list whose elements have a heartbeat as well.
const topicsKey = "topics"

var errNoMirror = errors.New("needs a mirror, which this network does not have: set its mirror.url or remove the key")

// entities reads the list under key from the section of network n. In each
// element the id is under idKey.
func (l *loader) entities(n Network, s *section, key, idKey string, parse func(string) (hiero.AccountID, error)) []Entity {
	list, _ := s.take(key)
	elements := s.list(key)
	if len(elements) > 0 && n.Mirror == nil {
		l.problem(list.line, "%s: %w", list.path, errNoMirror)
	}
	p := newPlaces()
	var entities []Entity
	for _, e := range elements {
		element := l.newSection(e.path, e.line, e.value)
		var entity Entity
		id, name := p.read(element, idKey, parse)
		entity.ID, entity.Name = id.String(), name
		if key == topicsKey {
			read(element, "heartbeat", &entity.Heartbeat, parsePositiveDuration)
		}
		element.done()
		entities = append(entities, entity)
	}
	return entities
}

// places remembers where each id and name of a list stands, for neither may
// come twice.
type places struct {
	ids   map[hiero.AccountID]string
	names map[string]string
}

func newPlaces() places {
	return places{ids: map[hiero.AccountID]string{}, names: map[string]string{}}
}

// read reads the id under key, and the name, which is the id where none was
// given.
func (p places) read(s *section, key string, parse func(string) (hiero.AccountID, error)) (id hiero.AccountID, name string) {
	idLine := required(s, key, &id, parse)
	nameLine := read(s, "name", &name, parseLabel)
	if once(s, key, idLine, id, p.ids) && nameLine == 0 {
		name, nameLine = id.String(), idLine
	}
	once(s, "name", nameLine, name, p.names)
	return id, name
}
