// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// RegisteredNode is one entry of /api/v1/network/registered-nodes (HIP-1137,
// docs/hedera.md 1.3). A nil pointer is JSON null.
type RegisteredNode struct {
	AdminKey         *Key                 `json:"admin_key"`
	CreatedTimestamp *string              `json:"created_timestamp"`
	Description      *string              `json:"description"`
	ID               int64                `json:"registered_node_id"`
	ServiceEndpoints []RegisteredEndpoint `json:"service_endpoints"`
	Timestamp        TimestampRange       `json:"timestamp"`
}

// RegisteredEndpoint is an address of a registered node. Type is one of
// BLOCK_NODE, GENERAL_SERVICE, MIRROR_NODE and RPC_RELAY; only the field of its
// type is not null.
type RegisteredEndpoint struct {
	BlockNode      *RegisteredBlockNode      `json:"block_node"`
	DomainName     *string                   `json:"domain_name"`
	GeneralService *RegisteredGeneralService `json:"general_service"`
	IPAddress      *string                   `json:"ip_address"`
	MirrorNode     *struct{}                 `json:"mirror_node"`
	Port           int                       `json:"port"`
	RequiresTLS    bool                      `json:"requires_tls"`
	RPCRelay       *struct{}                 `json:"rpc_relay"`
	Type           string                    `json:"type"`
}

// RegisteredBlockNode has the APIs of a block node.
type RegisteredBlockNode struct {
	EndpointAPIs []string `json:"endpoint_apis"`
}

// RegisteredGeneralService describes a service of no other type.
type RegisteredGeneralService struct {
	Description *string `json:"description"`
}

const (
	blockNodeType      = "BLOCK_NODE"
	generalServiceType = "GENERAL_SERVICE"
	mirrorNodeType     = "MIRROR_NODE"
	rpcRelayType       = "RPC_RELAY"
)

// genesisRegisteredNodes has one node of every type; the last one is null
// wherever the API allows it.
func genesisRegisteredNodes(rng *rand.Rand) []RegisteredNode {
	created := formatTimestamp(accountsEpoch.Add(30 * 24 * time.Hour))
	node := func(id int64, description string, endpoints ...RegisteredEndpoint) RegisteredNode {
		return RegisteredNode{
			AdminKey:         &Key{Type: "ED25519", Key: randomHex(rng, 32)},
			CreatedTimestamp: &created,
			Description:      &description,
			ID:               id,
			ServiceEndpoints: endpoints,
			Timestamp:        TimestampRange{From: created},
		}
	}
	status := RegisteredEndpoint{
		BlockNode: &RegisteredBlockNode{EndpointAPIs: []string{"STATUS"}},
		IPAddress: new("203.0.113.7"), Port: 40982, Type: blockNodeType,
	}
	publish := RegisteredEndpoint{
		BlockNode:  &RegisteredBlockNode{EndpointAPIs: []string{"PUBLISH", "SUBSCRIBE_STREAM"}},
		DomainName: new("block1.simulated.invalid"), Port: 40984, RequiresTLS: true, Type: blockNodeType,
	}
	mirror := RegisteredEndpoint{
		MirrorNode: &struct{}{},
		DomainName: new("mirror.simulated.invalid"), Port: 443, RequiresTLS: true, Type: mirrorNodeType,
	}
	general := RegisteredEndpoint{
		GeneralService: &RegisteredGeneralService{Description: new("indexer")},
		IPAddress:      new("203.0.113.9"), Port: 8080, Type: generalServiceType,
	}
	relay := RegisteredEndpoint{
		RPCRelay:  &struct{}{},
		IPAddress: new("203.0.113.8"), Port: 7546, Type: rpcRelayType,
	}
	bare := node(4, "", relay)
	bare.AdminKey, bare.CreatedTimestamp, bare.Description = nil, nil, nil
	return []RegisteredNode{
		node(1, "block node one", status, publish),
		node(2, "mirror two", mirror),
		node(3, "indexer three", general),
		bare,
	}
}

type registeredNodeList struct {
	RegisteredNodes []RegisteredNode `json:"registered_nodes"`
	listLinks
}

func registeredNodeRoutes() []route {
	return []route{{
		path:   "/api/v1/network/registered-nodes",
		maxAge: time.Minute,
		params: []string{"limit", "order", "registerednode.id", "type"},
		answer: (*Ledger).answerRegisteredNodes,
	}}
}

func (l *Ledger) answerRegisteredNodes(_ *http.Request, q query) (any, error) {
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
	if l.missing("registered-nodes") {
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
