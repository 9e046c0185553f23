// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

type registeredNodeList struct {
	RegisteredNodes []RegisteredNode `json:"registered_nodes"`
	listLinks
}

func (l *ledger) registeredNodeRoutes() []route {
	return []route{{
		path:   "/api/v1/network/registered-nodes",
		maxAge: time.Minute,
		params: []string{"limit", "order", "registerednode.id", "type"},
		answer: l.answerRegisteredNodes,
	}}
}

func (l *ledger) answerRegisteredNodes(_ *http.Request, q query) (any, error) {
	ids, err := q.filters("registerednode.id", parseNumber)
	if err != nil {
		return nil, err
	}
	kind, err := q.choice("type", blockNodeType, generalServiceType, mirrorNodeType, rpcRelayType)
	if err != nil {
		return nil, err
	}
	page, err := q.paging(ascending)
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.hideRegistered {
		return nil, notFound()
	}
	list := registeredNodeList{RegisteredNodes: selectRows(page, l.registeredNodes, func(n RegisteredNode) bool {
		return ids.match(n.ID) && (kind == "" || n.has(kind))
	})}
	list.Links.Next = nextRows(q, page, list.RegisteredNodes, "registerednode.id",
		func(n RegisteredNode) string { return strconv.FormatInt(n.ID, 10) })
	return list, nil
}

func (n RegisteredNode) has(kind string) bool {
	return slices.ContainsFunc(n.ServiceEndpoints, func(e RegisteredEndpoint) bool { return e.Type == kind })
}
